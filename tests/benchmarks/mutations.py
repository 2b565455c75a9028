"""Which small faults in the source the tests find: mutation testing, with a sample that a seed decides.

    python tests/benchmarks/mutations.py [CHECKOUT] [--count 200] [--seed 0] [--jobs 2] [--out killed.json]
    python tests/benchmarks/mutations.py [CHECKOUT] --again killed.json

A mutation swaps an operator, changes a number, turns a comparison or a condition around, drops an argument of a call or
the value of a return, or removes a statement (DeMillo, Lipton, Sayward, *Hints on test data selection*, Computer 11
(1978)). Each is made alone, in a copy of the checkout, and is killed if a test fails or runs for too long. What
survives either changes nothing that can be seen, or asks for a test. `--again` makes those that an earlier run killed,
of the same seed and count, and names what is lost: so a change of the tests alone is held against the suite before it.

Running every test for each mutation would take days. So the suite runs once with a probe in every block of the source,
which says which tests come by there. Of these a mutation in the block meets up to 25 cases of each test function, those
of its own room first. Tests of more than five seconds are left out, and so are messages and annotations from being
mutated.
"""

import argparse
import ast
import collections
import concurrent.futures
import importlib.util
import json
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from probes import LIMIT, block_of_each_node, listed, with_probes

ROOMS = {"autograd_lite/rules": 0.5, "autograd_lite/core": 0.3, "nn/optimizers": 0.2}
"""What is mutated, and the share of the sample."""

SUITE = ("autograd_lite/rules", "autograd_lite/core", "autograd_lite/transforms", "nn/optimizers")
"""The tests that are run, of all."""

TEXTS = {"messages.py", "nondifferentiable.py", "__init__.py"}
SKIPPED_FOLDERS = shutil.ignore_patterns(".git", "__pycache__", ".hypothesis", ".*_cache", ".venv")

SWAPPED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.USub: ast.UAdd, ast.And: ast.Or, ast.Or: ast.And, ast.Lt: ast.LtE, ast.LtE: ast.Lt,
    ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


# ---- mutations ----
def mutations(tree):
    """Every mutation of a module, in a fixed order: where, what, and a function that makes it in the tree."""

    def visit(node, in_function):
        yield from of_expression(node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "bases"):
                continue
            inside = in_function or isinstance(node, ast.FunctionDef | ast.Lambda)
            for i, child in enumerate(listed(value)):
                if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr | ast.Import | ast.ImportFrom):
                    continue
                if isinstance(child, ast.stmt):
                    yield from of_statement(value, i, child, inside)
                if not isinstance(child, ast.Raise) and getattr(getattr(child, "test", 0), "id", "") != "TYPE_CHECKING":
                    yield from visit(child, inside)

    yield from visit(tree, False)


def of_expression(node):
    if isinstance(node, ast.BinOp | ast.UnaryOp | ast.BoolOp) and type(node.op) in SWAPPED:
        new = SWAPPED[type(node.op)]
        yield node, f"{type(node.op).__name__} -> {new.__name__}", lambda: setattr(node, "op", new())
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            new = SWAPPED[type(operator)]
            what = f"{type(operator).__name__} -> {new.__name__}"
            yield node, what, lambda i=i, new=new: node.ops.__setitem__(i, new())
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        new = not node.value if isinstance(node.value, bool) else node.value + 1
        yield node, f"{node.value} -> {new}", lambda: setattr(node, "value", new)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield node.test, "not added", lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.Call):
        for given in (node.args, node.keywords):
            for i, argument in enumerate(given):
                what = f"argument {ast.unparse(argument)[:40]!r} dropped"
                yield argument, what, lambda given=given, i=i: given.pop(i)
    if isinstance(node, ast.Return) and node.value is not None:
        yield node, "returned value dropped", lambda: setattr(node, "value", None)


def of_statement(body, i, statement, in_function):
    is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    if is_call or (in_function and isinstance(statement, ast.Assign | ast.AugAssign | ast.Raise | ast.Delete)):
        what = f"removed: {ast.unparse(statement).splitlines()[0][:50]}"
        yield statement, what, lambda: body.__setitem__(i, ast.Pass())


def sample(root, count, seed):
    """Which mutations are made, as files and numbers, in an order that mixes the rooms."""
    rng, chosen = random.Random(seed), []
    for room, share in ROOMS.items():
        files = [path for path in sorted((root / room).rglob("*.py")) if path.name not in TEXTS]
        all_of_room = [
            (path.relative_to(root).as_posix(), number)
            for path in files
            for number, _ in enumerate(mutations(ast.parse(path.read_text(encoding="utf-8"))))
        ]
        chosen += rng.sample(all_of_room, round(share * count))
    return rng.sample(chosen, len(chosen))


# ---- running ----
def run_pytest(folder, *arguments, **environment):
    paths = os.pathsep.join([str(folder), str(Path(__file__).parent)])
    environment = {**os.environ, "CI": "true", "PYTHONPATH": paths, **environment}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "probes", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, timeout=20 * LIMIT, capture_output=True, text=True)


def tests_by_block(root, jobs):
    """For each block the tests that reach it. The few that a probe makes fail reach it too, if they pass without."""
    with tempfile.TemporaryDirectory() as temporary:
        copy, notes = Path(temporary, "checkout"), Path(temporary, "notes")
        shutil.copytree(root, copy, ignore=SKIPPED_FOLDERS)
        notes.mkdir()
        for path in (path for room in ROOMS for path in (copy / room).rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            path.write_text(with_probes(path.relative_to(copy).as_posix(), source or "None"), encoding="utf-8")
        suite = [f"tests/{room}" for room in SUITE]
        print(run_pytest(copy, "-n", str(jobs), *suite, MUTATIONS_MAP=str(notes)).stdout.splitlines()[-1])
        found, failed = collections.defaultdict(list), set()
        for path in notes.glob("*.json"):
            of_blocks, failures = json.loads(path.read_text())
            failed.update(failures)
            for block, tests in of_blocks:
                found[block] += tests
        unfit = {test for test in failed if run_pytest(root, test).returncode}
        return {block: [test for test in tests if test not in unfit] for block, tests in found.items()}


def write(path, source):
    """Write a module; what Python compiled before is deleted, since it is told by the second and the size alone."""
    path.write_text(source, encoding="utf-8")
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


def outcome(root, copy, path, number, tests_of):
    """Make a mutation in a copy, and run the tests that reach it."""
    text = (root / path).read_text(encoding="utf-8")
    tree = ast.parse(text)
    owner = block_of_each_node(tree, path)
    node, what, make = list(mutations(tree))[number]
    blocks = [owner[node]]
    if owner[node] is None:  # on the level of the module: what is defined in the same statement, or else in the file
        top = next(statement for statement in tree.body if statement.lineno <= node.lineno <= statement.end_lineno)
        blocks = {owner[inner] for inner in ast.walk(top)} - {None} or {key for key in tests_of if key.startswith(path)}
    tests = {test for block in blocks for test in tests_of.get(block, ())}
    place = f"{path}:{node.lineno}"
    make()
    if not tests:
        return place, what, "unreached"
    own = f"tests/{path.rpartition('/')[0]}"
    of_file = collections.Counter(test.partition("::")[0] for test in sorted(tests))
    first, *others = sorted(of_file, key=lambda file: (not file.startswith(own), -of_file[file]))
    (chosen := copy.with_suffix(".tests")).write_text(json.dumps(sorted(tests)))
    write(copy / path, ast.unparse(ast.fix_missing_locations(tree)))
    try:
        survived = all(
            run_pytest(copy, "-x", *files, MUTATIONS_TESTS=str(chosen)).returncode in (0, 5)
            for files in ([first], others)
            if files
        )
    except subprocess.TimeoutExpired:
        survived = False
    write(copy / path, text)
    return place, what, "survived" if survived else "killed"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", nargs="?", type=Path, default=Path(__file__).parents[2])
    for name, default in (("count", 200), ("seed", 0), ("jobs", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name in ("out", "again", "map"):
        parser.add_argument(f"--{name}", type=Path)
    options = parser.parse_args()
    root = options.checkout.resolve()
    chosen = sample(root, options.count, options.seed)
    if options.again:
        killed = {tuple(each) for each in json.loads(options.again.read_text())}
        chosen = [each for each in chosen if each in killed]
    if options.map and options.map.exists():
        tests_of = json.loads(options.map.read_text())
    else:
        tests_of = tests_by_block(root, options.jobs)
    if options.map:
        options.map.write_text(json.dumps(tests_of))
    results = {}
    with tempfile.TemporaryDirectory() as temporary, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        copies = queue.Queue()
        for i in range(options.jobs):
            copies.put(shutil.copytree(root, Path(temporary, str(i)), ignore=SKIPPED_FOLDERS))

        def run(mutation):
            copy = copies.get()
            place, what, result = outcome(root, copy, *mutation, tests_of)
            print(f"{result:9} {place} {what}", flush=True)
            results[mutation] = result
            copies.put(copy)

        list(pool.map(run, chosen))
    for room in ROOMS:
        counted = collections.Counter(result for (path, _), result in results.items() if path.startswith(room))
        print(f"{room}: {sum(counted.values())} made, {dict(counted)}")
    if options.out:
        options.out.write_text(json.dumps([each for each in chosen if results[each] == "killed"]))


if __name__ == "__main__":
    main()
