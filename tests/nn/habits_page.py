"""The tables of docs/other_libraries.md, from what errors answer: `python -m` this module writes them anew."""

import ast
from pathlib import Path

from autograd_lite import habits as engine
from nn import habits

PATH = Path(__file__).parents[2] / "docs" / "other_libraries.md"
BEGIN = "<!-- What follows is written by `python -m tests.nn.habits_page`. -->\n"

TABLES = {
    "A tensor `x`": ("x.", engine.TENSOR),
    "Arguments of a tensor's methods": ("", engine.KEYWORDS),
    "The package `autograd_lite`": ("", engine.ENGINE),
    "The package `nn`": ("nn.", habits.PACKAGE),
    "A model": ("model.", habits.MODULE),
    "Arguments of layers and models": ("", habits.MODULE_KEYWORDS),
    "Initialisers": ("nn.init.", habits.INIT),
    "An optimizer": ("optimizer.", habits.OPTIMIZER),
    "Arguments of optimizers": ("", habits.OPTIMIZER_KEYWORDS),
    "Arguments of `nn.fit`": ("", habits.FIT_KEYWORDS),
    "Arguments of callbacks": ("", habits.CALLBACK_KEYWORDS),
    "Arguments of losses": ("", habits.LOSS_KEYWORDS),
    "Metrics": ("nn.metrics.", habits.METRICS),
}


def cell(answer):
    """What to write, as code where it is nothing else."""
    code = answer.removeprefix("write ")
    try:
        ast.parse(code)
    except SyntaxError:
        return answer.replace("|", r"\|")
    return f"`{code}`" if code != answer else answer


def tables():
    lines = []
    for title, (prefix, answers) in TABLES.items():
        lines += [f"\n## {title}\n", "| you write | here it is |", "| --- | --- |"]
        names: dict[str, list[str]] = {}
        for name, answer in answers.items():
            names.setdefault(answer, []).append(f"`{prefix}{name.partition(':')[2] or name}`")
        lines += [f"| {', '.join(several)} | {cell(answer)} |" for answer, several in names.items()]
    return "\n".join(lines) + "\n"


def page(text):
    """The page with its tables as they are to be."""
    head, begin, _ = text.partition(BEGIN)
    return head + begin + tables()


if __name__ == "__main__":
    PATH.write_text(page(PATH.read_text(encoding="utf-8")), encoding="utf-8")
