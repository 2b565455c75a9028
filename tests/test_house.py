"""The house rules: rooms import downward only, files do not import in circles, and no file is too long."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MOST_LINES = 450

ROOMS_WITH_CIRCLES: set[str] = set()
FILES_TOO_LONG: set[str] = set()
FILES_THAT_NAME_NN = {"autograd_lite/habits.py"}
ROOMS_BELOW_THE_SURFACE: set[str] = set()
BROKEN_CONTRACTS: set[str] = set()

PUBLIC = {
    "autograd_lite",
    "autograd_lite.checks",
    "autograd_lite.draw",
    "autograd_lite.extend",
    "autograd_lite.special",
    "autograd_lite.transforms",
}
PRIVATE_ATTRIBUTES = {"_value", "_level", "_node"}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for top in ("autograd_lite", "nn") for path in sorted((ROOT / top).rglob("*.py"))}


@cache
def parsed(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


def room_of(name: str) -> str:
    return ".".join(name.split(".")[:2])


def imported(name: str) -> Iterator[str]:
    """Everything that a file imports, by full name; also within functions and under TYPE_CHECKING."""
    package = name if FILES[name].name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def file_of(name: str) -> str | None:
    """The file that an import of a name reads: the module itself, or the one that defines the name."""
    return name if name in FILES else parent if (parent := name.rpartition(".")[0]) in FILES else None


def is_public(name: str) -> bool:
    """Whether it is a public module, or a name in one; what is in the package itself is a name or a public module."""
    return file_of(name) in PUBLIC or name.rpartition(".")[0] in PUBLIC - {"autograd_lite"}


def circles() -> list[list[str]]:
    """The groups of files in which each imports every other, directly or through others (Tarjan 1972)."""
    graph = {name: {file for each in imported(name) if (file := file_of(each))} - {name} for name in FILES}
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(file: str) -> None:
        number[file] = lowest[file] = len(number)
        stack.append(file)
        for other in sorted(graph[file]):
            if other not in number:
                visit(other)
                lowest[file] = min(lowest[file], lowest[other])
            elif other in stack:
                lowest[file] = min(lowest[file], number[other])
        if lowest[file] == number[file]:
            place = stack.index(file)
            group = stack[place:]
            del stack[place:]
            if len(group) > 1:
                found.append(sorted(group))

    for file in graph:
        if file not in number:
            visit(file)
    return found


def test_no_files_import_each_other_in_a_circle():
    found = circles()
    assert {room_of(file) for circle in found for file in circle} == ROOMS_WITH_CIRCLES, found


@pytest.mark.parametrize(
    "contract", ["rooms-of-autograd_lite", "rooms-of-nn", "nn-uses-public-names", "autograd_lite-without-nn"]
)
def test_the_contracts_of_import_linter_hold(contract):
    cli = pytest.importorskip("importlinter.cli", reason="import-linter is not installed")
    status = cli.lint_imports(str(ROOT / "pyproject.toml"), limit_to_contracts=(contract,), no_cache=True, no_logo=True)
    assert (status == cli.EXIT_STATUS_SUCCESS) == (contract not in BROKEN_CONTRACTS), "its report is above"


def test_nn_imports_only_public_names_of_the_engine():
    deep = {}
    for name in FILES:
        if not name.startswith("nn"):
            continue
        of_engine = {each for each in imported(name) if each.partition(".")[0] == "autograd_lite"}
        if below := {each for each in of_engine if not is_public(each)}:
            deep[name] = below
    assert {room_of(name) for name in deep} == ROOMS_BELOW_THE_SURFACE, deep


def test_nn_reads_no_private_attribute_of_a_tensor():
    found = {
        (name, node.lineno, node.attr)
        for name in FILES
        if name.startswith("nn")
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.Attribute) and node.attr in PRIVATE_ATTRIBUTES
    }
    assert {room_of(name) for name, _, _ in found} == ROOMS_BELOW_THE_SURFACE, found


def test_the_engine_does_not_know_nn():
    def names_nn(node: ast.AST) -> bool:
        return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.split(".")[0] == "nn"

    found = {
        FILES[name].relative_to(ROOT).as_posix()
        for name in FILES
        if name.startswith("autograd_lite")
        if any(each.partition(".")[0] == "nn" for each in imported(name)) or any(map(names_nn, ast.walk(parsed(name))))
    }
    assert found == FILES_THAT_NAME_NN


def test_the_rooms_import_what_the_table_of_rooms_says():
    table = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## What a room may import")[2]
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", table.partition("\n## ")[0], re.MULTILINE)
    (first, _), *others = [[set(re.findall(r"`(\w+)`", cell)) for cell in row] for row in rows]
    told = {room: may - first for rooms, may in others for room in rooms if len(rooms) == 1 and room != "nn"}
    found: dict[str, set[str]] = {room: set() for room in told}
    for name, room in ((name, room_of(name).removeprefix("autograd_lite.")) for name in FILES):
        if room in told:
            files = {file for each in imported(name) if (file := file_of(each)) and file.startswith("autograd_lite.")}
            found[room] |= {room_of(file).removeprefix("autograd_lite.") for file in files} - first - {room}
    assert found == told


def reading_order() -> dict[str, int]:
    """The files of `core` and their lines, as ARCHITECTURE.md has them."""
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.MULTILINE)
    return {f"autograd_lite.core.{name}": int(lines) for name, lines in rows}


def test_the_reading_order_has_every_file_of_core_after_those_that_it_imports():
    order = list(reading_order())
    assert set(order) == {name for name in FILES if name.startswith("autograd_lite.core.")}
    later = {
        (name, file)
        for i, name in enumerate(order)
        for each in imported(name)
        if (file := file_of(each)) in order[i + 1 :]
    }
    assert later == set()


def test_the_reading_order_tells_how_long_a_file_is():
    lines = {name: len(FILES[name].read_text(encoding="utf-8").splitlines()) for name in reading_order()}
    wrong = {name: (told, lines[name]) for name, told in reading_order().items() if abs(told - lines[name]) > told / 10}
    assert wrong == {}, "file: (lines in ARCHITECTURE.md, lines of the file)"


TOPS = ("autograd_lite", "nn", "tests", "examples")


def of_tops(pattern: str) -> list[Path]:
    return [path for top in TOPS for path in (ROOT / top).rglob(pattern)]


def names_in(document: str) -> set[str]:
    """What stands in backticks in a document, outside of code blocks."""
    text = re.sub(r"```.*?```", "", (ROOT / document).read_text(encoding="utf-8"), flags=re.DOTALL)
    return set(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text))


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_files_that_a_document_names_are_there(document):
    paths = {name for name in names_in(document) if re.fullmatch(r"[\w./-]+(/|\.(py|md|toml|css))", name)}
    files = [path.relative_to(ROOT).as_posix() for path in (*of_tops("*"), *ROOT.glob("*"))]
    missing = {path for path in paths if not any(f"/{file}/".endswith(f"/{path.strip('/')}/") for file in files)}
    assert len(paths) > 1
    assert missing == set()


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_names_that_a_document_names_are_in_the_code(document):
    texts = [path.read_text(encoding="utf-8") for path in (*of_tops("*.py"), ROOT / "pyproject.toml")]
    words = set(re.findall(r"\w+", "\n".join(texts))) | {path.stem for path in of_tops("*.py")}
    named = {
        name.partition("(")[0].partition("[")[0] for name in names_in(document) if re.match(r"[\w.]+($|[(\[])", name)
    }
    assert {name for name in named if not set(re.findall(r"\w+", name)) <= words} == set()


def test_no_file_is_too_long():
    long = {
        path.relative_to(ROOT).as_posix()
        for path in of_tops("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES
    }
    assert long == FILES_TOO_LONG
