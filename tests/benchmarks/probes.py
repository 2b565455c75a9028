"""Which tests reach which block of the source, and the choice of tests to run: a pytest plugin for mutations.py.

A probe is a call at the start of a block of a function, put into a copy of the source. What the plugin does is said by
variables of the environment. MUTATIONS_MAP is the folder to which it writes what the probes noted: for each block and
test function some of the cases. MUTATIONS_TESTS is a file with the tests to run, which together have LIMIT seconds of
processor time.
"""

import ast
import builtins
import collections
import json
import os
import random
import resource
import time
from pathlib import Path

CASES_A_FUNCTION = 25
SLOW = 5.0
LIMIT = 150


# ---- blocks ----
def block_of_each_node(tree, path):
    """For each node of a module the innermost block that it is in, by its place; None outside of functions."""
    owner = {}

    def visit(node, block):
        owner[node] = block
        for name, value in ast.iter_fields(node):
            children = [child for child in listed(value) if isinstance(child, ast.AST)]
            starts = name == "body" and isinstance(node, ast.FunctionDef | ast.Lambda)
            starts |= block is not None and isinstance(value, list) and bool(children) and is_body(node, name)
            for child in children:
                visit(child, f"{path}:{children[0].lineno}:{children[0].col_offset}" if starts else block)

    visit(tree, None)
    return owner


def listed(value):
    return value if isinstance(value, list) else [value]


def is_body(node, name):
    return name in ("body", "orelse", "finalbody") and isinstance(node, ast.stmt | ast.ExceptHandler)


def with_probes(path, text):
    """The source with a call at the start of each block that notes that it was reached."""
    tree = ast.parse(text)
    owner = block_of_each_node(tree, path)

    def probe(block):
        return ast.Call(ast.Name("_probe", ast.Load()), [ast.Constant(block)], [])

    for node in list(ast.walk(tree)):
        if isinstance(node, ast.Lambda):
            both = ast.Tuple([probe(owner[node.body]), node.body], ast.Load())
            node.body = ast.Subscript(both, ast.Constant(1), ast.Load())
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and is_body(node, name) and owner.get(value[0]):
                value.insert(has_docstring(value), ast.Expr(probe(owner[value[0]])))
    is_future = [getattr(statement, "module", "") == "__future__" for statement in tree.body]
    after = is_future.index(True) + 1 if any(is_future) else has_docstring(tree.body)
    tree.body[after:after] = ast.parse("import builtins\n_probe = getattr(builtins, '_reached', set()).add").body
    return ast.unparse(ast.fix_missing_locations(tree))


def has_docstring(body):
    return int(isinstance(body[0], ast.Expr) and isinstance(getattr(body[0].value, "value", None), str))


# ---- what runs within pytest, as a plugin ----
if "MUTATIONS_MAP" in os.environ:
    builtins._reached = set()  # before a conftest imports what has the probes


class Mapping:
    """Notes for each block which tests reached it, up to some of each test function, which are drawn."""

    def __init__(self, folder):
        self.folder, self.rng, self.reached = Path(folder), random.Random(0), builtins._reached
        self.seen, self.kept, self.failed = collections.Counter(), collections.defaultdict(list), []

    def pytest_runtest_logstart(self, nodeid):
        self.reached.clear()
        self.start = time.perf_counter()

    def pytest_runtest_logreport(self, report):
        self.failed += [report.nodeid] * report.failed

    def pytest_runtest_logfinish(self, nodeid):
        for block in self.reached if time.perf_counter() - self.start < SLOW else ():
            key = block, nodeid.partition("[")[0]
            self.seen[key] += 1
            if len(self.kept[key]) < CASES_A_FUNCTION:
                self.kept[key].append(nodeid)
            elif (place := self.rng.randrange(self.seen[key])) < CASES_A_FUNCTION:
                self.kept[key][place] = nodeid

    def pytest_sessionfinish(self):
        found = [(block, tests) for (block, _), tests in self.kept.items()]
        (self.folder / f"{os.getpid()}.json").write_text(json.dumps([found, self.failed]))


def pytest_configure(config):
    if "MUTATIONS_TESTS" in os.environ:
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))
    if "MUTATIONS_MAP" in os.environ and (hasattr(config, "workerinput") or not config.getoption("numprocesses", 0)):
        config.pluginmanager.register(Mapping(os.environ["MUTATIONS_MAP"]))


def pytest_collection_modifyitems(items):
    if "MUTATIONS_TESTS" in os.environ:
        chosen = set(json.loads(Path(os.environ["MUTATIONS_TESTS"]).read_text()))
        items[:] = [item for item in items if item.nodeid in chosen]
