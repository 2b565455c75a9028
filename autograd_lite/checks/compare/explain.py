"""Explains a comparison in sentences: only mistakes that the numbers prove, the most specific explanation first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never, get_args

import numpy as np

from .counterfactuals import Counterfactual, Recording, counterfactuals
from .evidence import SINGLE, Row, Sizes, largest, multiple
from .network import Layer
from .rows import Explanation
from .single import Finding, SingleKind, finding

OF_DELTA = frozenset({"factor", "sign"})
"""Findings that may be about the delta which a gradient comes from."""

OF_FORM = frozenset(get_args(SingleKind)) - OF_DELTA
"""Findings about the form in which a gradient is written down, and not about the delta that it comes from."""


def explanations(rows: Sequence[Row], recording: Recording | None, sizes: Sizes) -> list[Explanation]:
    """The mistakes that explain the rows with differences.

    Parameters
    ----------
    rows : sequence of Row
        All rows of the report.
    recording : Recording or None
        The graph of the loss; without it, only mistakes that the gradients alone prove are found.
    sizes : Sizes
        The numbers that averages divide by.
    """
    differing = [row for row in rows if not row.agrees]
    if not differing:
        return []
    found = {row.name: finding(row) for row in differing}
    layers = [] if recording is None else recording.layers
    # A gradient in the wrong form may still come from a correct delta; the other parameters show whether it does.
    misshapen = {name for name, entry in found.items() if entry is not None and entry.kind in OF_FORM}
    deltas = [row for row in rows if row.name not in misshapen]
    whole = None
    if recording is not None and any(found.get(row.name) is None or _is_factor(found[row.name]) for row in deltas):
        whole = _of_the_whole(deltas, recording, sizes)
    if whole is not None:
        found = {name: entry for name, entry in found.items() if name in misshapen}
        return [*_in_sentences([row for row in differing if row.name in misshapen], found, sizes, layers), whole]
    _join_single_numbers(differing, found)
    said = _in_sentences(differing, found, sizes, layers)
    unexplained = [row for row in differing if found[row.name] is None]
    if recording is not None:
        one_row = [one for row in unexplained if (one := _of_one_example(row, recording)) is not None]
        said += one_row
        explained = {name for explanation in one_row for name in explanation.parameters}
        unexplained = [row for row in unexplained if row.name not in explained]
    if unexplained and (first := _first_wrong_layer(deltas, layers)) is not None:
        said.append(first)
    return said


def _is_factor(entry: Finding | None) -> bool:
    return entry is not None and entry.kind == "factor"


# ---- mistakes that change several parameters ----


def _of_the_whole(rows: Sequence[Row], recording: Recording, sizes: Sizes) -> Explanation | None:
    """The mistake whose gradients are all equal to those by hand, or to the same known multiple of them."""
    differing = [row for row in rows if not row.agrees]
    if not differing or not all(row.same_shape and row.finite for row in rows):
        return None
    for candidate in counterfactuals(recording):
        factor = _common_factor(rows, candidate)
        if factor is None:
            continue
        predicted = {row.name: factor * candidate.gradients[row.name] for row in rows}
        if not all(row.is_close_to(predicted[row.name]) for row in rows):
            continue
        proven = [row.name for row in differing if row.is_proven_by(predicted[row.name])]
        reason = "" if factor == 1 else sizes.reason_for(abs(factor))
        if not proven or reason is None or not _changes_something(rows, candidate):
            continue
        yours = "yours" if factor == 1 else f"yours if they are multiplied by {factor:g} ({reason})"
        text = candidate.text + f": with this mistake, the engine's gradients of {_listed(proven)} equal {yours}"
        return Explanation(candidate.kind, tuple(proven), text)
    return None


def _common_factor(rows: Sequence[Row], candidate: Counterfactual) -> float | None:
    """The factor by which the mistake's gradients must be multiplied to equal those by hand, from the largest one."""
    by_size = max(rows, key=lambda row: largest(candidate.gradients[row.name]))
    expected = candidate.gradients[by_size.name]
    if not largest(expected):
        return None
    factor = multiple(by_size.hand, expected)
    return 1.0 if abs(factor - 1) <= by_size.tolerance else factor


def _changes_something(rows: Sequence[Row], candidate: Counterfactual) -> bool:
    """Whether the mistake gives other numbers than the engine's, or than a multiple of the engine's."""
    return any(
        not row.agrees
        and largest(candidate.gradients[row.name] - row.engine) > SINGLE * largest(row.engine)
        and not _proportional(candidate, row)
        for row in rows
    )


def _proportional(candidate: Counterfactual, row: Row) -> bool:
    gradient = candidate.gradients[row.name]
    if not largest(row.engine):
        return False
    return largest(gradient - multiple(gradient, row.engine) * row.engine) <= SINGLE * largest(gradient)


def _of_one_example(row: Row, recording: Recording) -> Explanation | None:
    """A bias whose gradient is the delta of one example, instead of the sum over the batch."""
    for layer in recording.layers:
        if row.name not in layer.parameters[1:] or layer.preactivation not in recording.cotangents:
            continue
        delta = np.asarray(recording.cotangents[layer.preactivation])
        if delta.ndim != 2 or layer.axis is None:
            continue
        examples, kind = (delta.T, "column") if layer.axis else (delta, "row")
        if len(examples) < 2 or examples.shape[1] != row.hand.size:
            continue
        nearest = int(np.argmin(np.max(np.abs(examples - row.hand.ravel()), axis=1)))
        if row.is_proven_by(examples[nearest].reshape(row.hand.shape)):
            alone = f"yours is the delta of {kind} {nearest} alone, out of {len(examples)}"
            return Explanation("batch sum", (row.name,), f"{row.name} is not summed over the batch: {alone}")
    return None


def _first_wrong_layer(rows: Sequence[Row], layers: list[Layer]) -> Explanation | None:
    """The layer from which on, seen from the output, all gradients differ, while all above it agree."""
    agrees = {row.name: row.agrees for row in rows}
    told = [layer for layer in layers if any(name in agrees for name in layer.parameters)]
    wrong = [layer for layer in told if not any(agrees.get(name, False) for name in layer.parameters)]
    right = [layer for layer in told if all(agrees.get(name, True) for name in layer.parameters)]
    if not wrong or not right or len(wrong) + len(right) != len(told):
        return None
    first = wrong[-1]
    if any(layer.number < first.number for layer in right):
        return None
    above = _listed([name for layer in right for name in layer.parameters])
    below = (
        f", and so in the layers below ({_listed([n for w in wrong[:-1] for n in w.parameters])})" if wrong[1:] else ""
    )
    text = f"delta goes wrong in {first}{below}; the gradients above it ({above}) agree, so this layer's delta is wrong"
    return Explanation("delta", tuple(name for layer in wrong for name in layer.parameters), text)


# ---- mistakes that each parameter shows by itself ----


def _join_single_numbers(differing: Sequence[Row], found: dict[str, Finding | None]) -> None:
    """Give single numbers, which any factor fits, the factor that other parameters prove, where it fits."""
    factors = [entry for entry in found.values() if entry is not None and entry.kind in OF_DELTA]
    for row in differing:
        if found[row.name] is None and row.same_shape and row.finite:
            for entry in factors:
                if row.is_proven_by(entry.factor * row.engine):
                    found[row.name] = entry
                    break


def _in_sentences(
    differing: Sequence[Row], found: dict[str, Finding | None], sizes: Sizes, layers: list[Layer]
) -> list[Explanation]:
    """One sentence for all rows with the same finding."""
    groups: list[tuple[Finding, list[Row]]] = []
    for row in differing:
        entry = found[row.name]
        if entry is None:
            continue
        for other, members in groups:
            if (other.kind, other.detail) == (entry.kind, entry.detail) and abs(entry.factor - other.factor) <= max(
                SINGLE * abs(entry.factor), row.tolerance
            ):
                members.append(row)
                break
        else:
            groups.append((entry, [row]))
    return [
        Explanation(entry.kind, names, _sentence(entry, members, sizes) + _where_it_comes_in(entry, names, layers))
        for entry, members in groups
        for names in [tuple(row.name for row in members)]
    ]


def _where_it_comes_in(entry: Finding, names: tuple[str, ...], layers: list[Layer]) -> str:
    """For a factor that all layers up to one have, and none above it: in which delta it comes in."""
    if entry.kind not in OF_DELTA:
        return ""
    for number in range(1, len(layers)):
        if set(names) == {name for layer in layers[:number] for name in layer.parameters}:
            return f"; the layers above do not have this factor, so it comes in with the delta of layer {number}"
    return ""


def _sentence(entry: Finding, members: list[Row], sizes: Sizes) -> str:
    names = _listed([row.name for row in members])
    each = "each " if len(members) > 1 else ""
    match entry.kind:
        case "sign":
            return f"{names}: the sign is flipped: yours is {each}the engine's times -1"
        case "factor":
            return f"{names}: {_times(entry.factor, sizes)}"
        case "L2":
            return f"{names}: {_decayed(entry.factor, members)}"
        case "batch sum":
            return f"{names}: not summed over the batch: the sum of yours over its {entry.detail} is the engine's"
        case "transpose":
            text = "yours is the transpose of the engine's"
        case "reversal":
            text = f"{entry.detail} reversed"
        case "permutation":
            text = f"in another order, the {entry.detail}"
        case "shape":
            text = f"the numbers agree, but the shape does not: it is {entry.detail}"
        case _:
            assert_never(entry.kind)
    extra = "" if entry.factor == 1 else f"; besides, {_times(entry.factor, sizes)}"
    return f"{names}: {text}{extra}"


def _times(factor: float, sizes: Sizes) -> str:
    if factor == -1:
        return "the sign is flipped"
    flipped = ", with the sign flipped" if factor < 0 else ""
    size = abs(factor)
    reason = sizes.reason_for(size)
    shown = f"{size:.6g} times the engine's" if size >= 1 else f"the engine's divided by {1 / size:.6g}"
    return f"yours is {shown}{flipped}" + (f", and {reason}" if reason else "")


def _decayed(alpha: float, members: list[Row]) -> str:
    biases = all(row.hand.ndim < 2 for row in members)
    if alpha < 0:
        return f"without the L2 term {-alpha:.6g} * parameter, which the engine's gradient has"
    if biases:
        return f"with an L2 term {alpha:.6g} * parameter, which the engine's gradient of biases does not have"
    return f"with an L2 term {alpha:.6g} * parameter, which the engine's gradient does not have"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
