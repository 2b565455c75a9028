"""Where in the function by hand a gradient is computed: read from its source, where that can be told."""

from __future__ import annotations

import ast
import inspect
import os
import textwrap
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from .hand import VALUES, own_name
from .rows import Explanation


class Source:
    """The source of the function by hand: its entries by name, and where its variables are assigned.

    Parameters
    ----------
    hand : object
        A function; anything else, or a function without a source, has no lines.
    known : collection of str
        The engine's names.
    """

    def __init__(self, hand: Any, known: Collection[str]) -> None:
        self.entries: dict[str, ast.expr] = {}
        self.assigned: dict[str, list[tuple[int, bool]]] = {}
        self.file = ""
        while isinstance(hand, partial):
            hand = hand.func
        try:
            lines, first = inspect.getsourcelines(hand)
            tree = ast.parse(textwrap.dedent("".join(lines)))
            self.file = os.path.basename(inspect.getsourcefile(hand) or "")
        except (OSError, TypeError, SyntaxError, ValueError):
            return
        self.lines, self.first = lines, max(first, 1)
        for key, value in _entries(tree):
            name = own_name(key, known)
            if name in known:
                self.entries[name] = value
        cases = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.If) for inner in ast.walk(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for variable in (inner for target in targets for inner in ast.walk(target)):
                    if isinstance(variable, ast.Name) and isinstance(variable.ctx, ast.Store):
                        self.assigned.setdefault(variable.id, []).append((node.lineno, id(node) not in cases))

    def line(self, wrong: Sequence[str], right: Sequence[str]) -> str:
        """The line in which what differs comes to differ from what agrees; empty if that cannot be told.

        It is the assignment of the one variable that all wrong entries are computed with, and no right one.
        """
        entries = [self.entries[name] for name in wrong if name in self.entries]
        if not entries or len(entries) < len([name for name in wrong if not name.startswith("value of ")]):
            return ""
        common = set.intersection(*map(self._assignments, entries))
        for name in right:
            if name in self.entries:
                common -= self._assignments(self.entries[name])
        return self._written(common.pop()) if len(common) == 1 else ""

    def own_line(self, name: str) -> str:
        """The line that computes an entry; empty if that cannot be told."""
        entry = self.entries.get(name)
        if isinstance(entry, ast.Name):
            return self._written(*self._assignments(entry)) if len(self._assignments(entry)) == 1 else ""
        return "" if entry is None else self._written(entry.lineno)

    def _assignments(self, entry: ast.expr) -> set[int]:
        """The lines that assign an entry's variables, unless it depends on a condition which does."""
        found = set()
        for node in ast.walk(entry):
            before = [one for one in self.assigned.get(getattr(node, "id", ""), ()) if one[0] < entry.lineno]
            if before and max(before)[1]:
                found.add(max(before)[0])
        return found

    def _written(self, number: int) -> str:
        return f"{self.file}:{self.first + number - 1}: {self.lines[number - 1].strip()}"


def with_lines(explanations: Sequence[Explanation], source: Source, agreeing: Sequence[str]) -> list[Explanation]:
    """The explanations with the line of the function by hand, where it can be told."""
    found = []
    for one in explanations:
        alone = one.parameters[0] if len(one.parameters) == 1 else ""
        last = any(slot >= 0 and node.parents[slot].recipe is None for node, slot, _ in one.edges)
        line = source.own_line(alone) if alone and (last or not one.edges) else source.line(one.parameters, agreeing)
        found.append(replace(one, details=(*one.details, f"yours, at {line}")) if line else one)
    return found


def _entries(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """What the function puts under names: in dicts, by keywords of ``dict``, and by assignment to keys."""
    forward: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and id(node) not in forward:
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == VALUES:
                    forward.add(id(value))
                elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
            yield from ((word.arg, word.value) for word in node.keywords if word.arg)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                key = target.slice if isinstance(target, ast.Subscript) else None
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, node.value
