"""A program that fails, made as small as it goes while it fails in the same way."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .generate import trimmed
from .program import NAME, Argument, Program, Statement

SECONDS = 20.0
"""How long one program is shrunk."""

NEAR = re.compile(r"near\(np, '[^']*', \d+, \d+, ")


def shrink(program: Program, fails: Callable[[Program], bool], seconds: float = SECONDS) -> Program:
    """The smallest program that was found in this time, from the first to the last smaller one that still fails."""
    until = time.monotonic() + seconds
    found = True
    while found:
        found = False
        for smaller in candidates(program):
            if time.monotonic() > until:
                return program
            if str(smaller) != str(program) and is_valid(smaller) and fails(smaller):
                program, found = smaller, True
                break
    return program


def is_valid(program: Program) -> bool:
    """Whether NumPy runs it, and gives arrays of finite numbers."""
    try:
        with np.errstate(all="ignore"):
            results = program.results_of(np, program.arrays())
        return bool(results) and all(r.dtype.kind in "fc" and np.all(np.isfinite(r)) for r in results)
    except Exception:
        return False


def candidates(program: Program) -> Iterator[Program]:
    """Programs that are smaller by a step, those that lose most first."""
    if len(program.results) > 1:
        for name in program.results:
            yield trimmed(replace(program, results=(name,)))
        for name in program.results:
            yield trimmed(replace(program, results=tuple(r for r in program.results if r != name)))
    values = values_of(program)
    for i in reversed(range(len(program.statements))):
        yield from without(program, i, values)
    for statement in program.statements[:-1]:
        if statement.targets:
            yield trimmed(replace(program, results=statement.targets[:1]))
    if program.containers != "plain":
        yield replace(program, containers="plain")
    for i in range(len(program.statements)):
        for text in simpler(program.statements[i].text):
            yield trimmed(with_statement(program, i, replace(program.statements[i], text=text)))
    for i, argument in enumerate(program.arguments):
        for change in ({"layout": "C"}, {"dtype": "float64"}):
            yield with_argument(program, i, replace(argument, **change))
        if len(argument.shape) and max(argument.shape) > 3:
            yield with_argument(program, i, replace(argument, shape=tuple(min(n, 3) for n in argument.shape)))


def with_statement(program: Program, i: int, statement: Statement) -> Program:
    """The program with another statement in a place."""
    return replace(program, statements=(*program.statements[:i], statement, *program.statements[i + 1 :]))


def with_argument(program: Program, i: int, argument: Argument) -> Program:
    """The program with another argument in a place."""
    return replace(program, arguments=(*program.arguments[:i], argument, *program.arguments[i + 1 :]))


def values_of(program: Program) -> dict[str, Any]:
    """The numbers of every name, where there are any."""
    names = [name for statement in program.statements for name in statement.targets]
    try:
        with np.errstate(all="ignore"):
            values = replace(program, results=tuple(names), containers="plain").results_of(np, program.arrays())
    except Exception:
        return {}
    found = dict(zip(names, values, strict=True)) if len(values) == len(names) else {}
    return {**found, **{a.name: array for a, array in zip(program.arguments, program.arrays(), strict=True)}}


def without(program: Program, i: int, values: dict[str, Any]) -> Iterator[Program]:
    """The program without a statement, whose values become arguments or other values of the same shape."""
    statement = program.statements[i]
    rest = replace(program, statements=program.statements[:i] + program.statements[i + 1 :])
    if not all(name in values for name in statement.targets):
        return
    taken = [int(a.name[1:]) for a in program.arguments]
    fresh = [
        Argument(f"a{max(taken) + 1 + k}", tuple(values[name].shape), str(values[name].dtype), "C", k)
        for k, name in enumerate(statement.targets)
    ]
    for make in (lambda name, k: like(name, statement, values), lambda name, k: fresh[k].name):
        changed = replace(rest, arguments=program.arguments + tuple(fresh))
        new_names = [make(name, k) for k, name in enumerate(statement.targets)]
        if all(new_names):
            for old, new in zip(statement.targets, new_names, strict=True):
                changed = renamed(changed, old, str(new))
            results = tuple(dict.fromkeys(r for r in changed.results if not r.startswith("a")))
            if results:
                yield trimmed(replace(changed, results=results))


def like(name: str, statement: Statement, values: dict[str, Any]) -> str | None:
    """Something that a statement reads, of the same shape and dtype as what it makes."""
    shape, dtype = values[name].shape, values[name].dtype
    reads = [
        r for r in sorted(statement.reads) if r in values and values[r].shape == shape and values[r].dtype == dtype
    ]
    return reads[0] if reads else None


def renamed(program: Program, old: str, new: str) -> Program:
    """The program with one name in the place of another."""
    return replace(
        program,
        statements=tuple(s.renamed(old, new) for s in program.statements),
        results=tuple(new if r == old else r for r in program.results),
    )


def simpler(text: str) -> Iterator[str]:
    """A statement's text with less in it: without a neighbourhood, with an operand in the place of a sum or product."""
    for match in NEAR.finditer(text):
        end = closing(text, match.end())
        yield text[: match.start()] + text[match.end() : end] + text[end + 1 :]
    for name in dict.fromkeys(NAME.findall(text)):
        for operator in (" + ", " * ", " - "):
            for part in (operator + name, name + operator):
                if part in text:
                    yield text.replace(part, "", 1)


def closing(text: str, start: int) -> int:
    """Where the bracket closes that was open at a place."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] in "([{") - (text[i] in ")]}")
        if depth < 0:
            return i
    return len(text)
