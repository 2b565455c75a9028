"""Explains a comparison in sentences: only mistakes that the numbers prove, the most specific explanation first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import assert_never, get_args

import numpy as np

from .details import with_details
from .evidence import SINGLE, Row, Sizes
from .inputs import in_the_engines_layout, of_inputs
from .mutations import RARE
from .network import Layer, calls
from .place import first_wrong_places, is_of_last_step, placed
from .recording import Recording
from .rows import Explanation
from .search import BUDGET, Search, explained_by
from .single import Finding, SingleKind, finding
from .values import Values, of_values, values_as_gradients

OF_FACTORS = frozenset(
    {"scale", "reduction", "factor", "sign", "normalisation", "parametrisation", "operand", "derivative"}
)
"""Kinds of mistakes in the graph that may multiply gradients by a number alone."""

MOST_PARTS = 40
"""How many mistakes that explain a part are held against the form of the rest."""

OF_DELTA = frozenset({"factor", "sign"})
"""Findings that may be about the delta which a gradient comes from."""

OF_FORM = frozenset(get_args(SingleKind)) - OF_DELTA
"""Findings about the form in which a gradient is written down, and not about the delta that it comes from."""


def explanations(
    rows: Sequence[Row], recording: Recording | None, sizes: Sizes, values: Values = ()
) -> tuple[list[Explanation], list[Explanation]]:
    """The mistakes that explain the rows with differences, and the places of those that nothing explains.

    Parameters
    ----------
    rows : sequence of Row
        All rows of the report.
    recording : Recording or None
        The graph of the loss; without it, only mistakes that the gradients alone prove are found.
    sizes : Sizes
        The numbers that averages divide by.
    values : sequence
        The rows of values that were computed by hand, with their nodes.
    """
    of_layout, rows = in_the_engines_layout(rows)
    of_form, rows = of_inputs(rows)
    # What is left of a gradient with NaN is explained by the graph, and not by a pattern of its own.
    broken = {name for one in of_form if one.kind == "not finite" for name in one.parameters}
    if recording is None:
        return [*of_layout, *of_form, *_of_gradients([row for row in rows if row.name not in broken], None, sizes)], []
    recording.given_entries |= {row.name: row.given for row in rows if row.given is not None}
    of_forward = of_values(values, recording)
    of_form += (as_values := values_as_gradients(rows, recording))
    rows = [row for row in rows if not any(row.name in one.parameters for one in as_values)]
    of_gradients = _of_gradients(rows, recording, sizes, broken)
    if of_forward:  # all that is computed from a wrong value is wrong, so its place says nothing
        of_gradients = [one for one in of_gradients if one.kind != "delta"]
    of_gradients = [placed(one, rows, recording) for one in of_gradients]
    said = [*of_forward, *of_layout, *of_form, *of_gradients]
    named = {name for one in said if one not in of_layout and one.kind != "not finite" for name in one.parameters}
    left = [row for row in rows if not row.agrees and row.name not in named and row.finite and not row.is_near]
    places = first_wrong_places(rows, left, recording) if left and not of_forward else []
    told, beside = ([one for one in places if is_of_last_step(one, recording) == alone] for alone in (False, True))
    complete = [[with_details(one, rows, recording) for one in each] for each in ([*said, *told], beside)]
    return complete[0], complete[1]


def _of_gradients(
    rows: Sequence[Row], recording: Recording | None, sizes: Sizes, broken: Collection[str] = ()
) -> list[Explanation]:
    """The mistakes in gradients, of which the broken ones show no mistake by themselves."""
    said: list[Explanation] = []
    differing = [row for row in rows if not row.agrees]
    if not differing:
        return said
    found = {row.name: None if row.name in broken else finding(row) for row in differing}
    layers = [] if recording is None else recording.layers
    # A gradient in the wrong form may still come from a correct delta; the other parameters show whether it does.
    misshapen = {name for name, entry in found.items() if entry is not None and entry.kind in OF_FORM}
    deltas = [row for row in rows if row.name not in misshapen]
    if recording is not None:
        for row in rows:
            if row.value is not None:
                recording.values.setdefault(recording.parameters[row.name], row.value)
        sizes = _with_squares_of(recording, sizes, differing)
        of_graph = _of_the_graph(deltas, found, recording, sizes)
        explained = {name for explanation in of_graph for name in explanation.parameters}
        if of_graph:
            rest = [row for row in differing if row.name not in explained]
            left = {row.name: found[row.name] for row in rest}
            return [*said, *_in_sentences(rest, left, sizes, layers), *of_graph]
    _join_single_numbers(differing, found)
    said += _in_sentences(differing, found, sizes, layers, len(rows))
    unexplained = [row for row in differing if found[row.name] is None]
    if recording is not None:
        one_row = [one for row in unexplained if (one := _of_one_example(row, recording)) is not None]
        said += one_row
        named = {name for explanation in one_row for name in explanation.parameters}
        unexplained = [row for row in unexplained if row.name not in named]
    unexplained = [row for row in unexplained if not row.is_near]
    compared = {} if recording is None else recording.targets
    if unexplained and recording is not None and compared == recording.parameters:
        first = _first_wrong_layer(deltas, layers)
        return said if first is None else [*said, first]
    return said


def _with_squares_of(recording: Recording, sizes: Sizes, differing: Sequence[Row]) -> Sizes:
    """The numbers without a square's 2, where each square is in gradients that agree as well; and with penalties."""
    names = frozenset(row.name for row in differing)
    compared = frozenset(recording.parameters)
    squares = [node for node in recording.order if calls(node, np.square) or calls(node, np.power)]
    squared = sizes.squared and (not squares or any(recording.reaches[s] & compared <= names for s in squares))
    return replace(sizes, squared=squared, penalties=recording.penalties())


# ---- mistakes that the graph shows ----


def _of_the_graph(
    rows: Sequence[Row], found: dict[str, Finding | None], recording: Recording, sizes: Sizes
) -> list[Explanation]:
    """The mistakes in the graph whose gradients are those by hand, where the gradients alone do not say enough."""
    rows = [row for row in rows if row.same_shape and row.finite]
    differing = [row for row in rows if not row.agrees]
    entries = [found[row.name] for row in differing]
    if not differing or all(row.is_near for row in differing):
        return []
    search = Search(recording)
    if None not in entries:
        factors = [entry for entry in entries if entry is not None]
        if any(entry.kind == "sign" for entry in factors) and _comes_in(differing, recording.layers):
            return []
        if any(sizes.reason_for(abs(entry.factor)) and len(rows) == len(differing) for entry in factors):
            whole = search.one_with_a_factor(rows, sizes)
            return [] if whole is None else [whole]
        if any(sizes.is_a_count(abs(entry.factor)) and abs(entry.factor) < 1 for entry in factors):
            return []
        one = search.one(rows, OF_FACTORS)
        return [] if one is None else [one]
    one = search.one(rows) or search.one_with_a_factor(rows, sizes) or _beside_a_factor(recording, rows, found)
    if one is None and None in entries:
        one = search.one([row for row in rows if found.get(row.name) is None])
    if one is not None:
        left = [row for row in differing if row.name not in one.parameters]
        if left and all(found[row.name] is not None for row in left):
            also = search.one([row for row in rows if row.agrees or any(row is other for other in left)], OF_FACTORS)
            return [one] if also is None else [one, also]
        return [one]
    return (
        search.two(rows)
        or _beside_a_form(search, rows, sizes, recording.layers)
        or search.part(rows)
        or search.alone(rows)
        or search.through_another(rows)
    )


def _beside_a_factor(recording: Recording, rows: Sequence[Row], found: dict[str, Finding | None]) -> Explanation | None:
    """A mistake in the graph, where all gradients have the factor that those without the mistake show."""
    factors = [entry.factor for entry in found.values() if entry is not None and entry.kind in OF_DELTA]
    if not factors or None not in found.values() or any(row.agrees for row in rows):
        return None
    if max(factors) - min(factors) > SINGLE * abs(factors[0]):
        return None
    alike = [replace(row, hand=row.hand / factors[0]) for row in rows]
    entries = [replace(row, agrees=row.is_close_to(row.engine)) for row in alike]
    one = Search(recording, BUDGET / 2).one(entries)
    if one is None:
        return None
    return replace(one, text=f"{one.text}, once they are divided by the factor {factors[0]:g} that all of yours have")


def _beside_a_form(search: Search, rows: Sequence[Row], sizes: Sizes, layers: list[Layer]) -> list[Explanation]:
    """A mistake in the graph that explains some rows, where the others have its numbers in a wrong form."""
    differing = [row for row in rows if not row.agrees]
    for trial, explained in search.parts(rows)[:MOST_PARTS]:
        changes = search.changes(trial.mutation.detours)
        if trial.mutation.rank >= RARE or changes is None:
            continue
        rest = [replace(row, engine=row.engine + changes[row.name]) for row in differing if row.name not in explained]
        forms = {row.name: finding(row) for row in rest}
        equal = f"with this mistake, the engine's gradients of {_listed(explained)} equal yours"
        first = explained_by(trial.mutation, explained, f"{trial.mutation.text}: {equal}")
        if rest and all(entry is not None for entry in forms.values()):
            return [first, *_in_sentences(rest, forms, sizes, layers)]
        if rest and (stepped := search.stepped([*rest, *(row for row in rows if row.agrees)], explained)):
            return [first, stepped]
    return []


def _comes_in(differing: Sequence[Row], layers: list[Layer]) -> bool:
    names = {row.name for row in differing}
    return any(names == {n for layer in layers[:i] for n in layer.parameters} for i in range(1, len(layers) + 1))


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
    differing: Sequence[Row],
    found: dict[str, Finding | None],
    sizes: Sizes,
    layers: list[Layer],
    compared: int = 0,
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
        Explanation(
            entry.kind,
            names,
            _sentence(entry, members, sizes, len(names) == compared) + _where_it_comes_in(entry, names, layers),
        )
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


def _sentence(entry: Finding, members: list[Row], sizes: Sizes, of_all: bool) -> str:
    names = _listed([row.name for row in members])
    each = "each " if len(members) > 1 else ""
    match entry.kind:
        case "sign":
            return f"{names}: the sign is flipped: yours is {each}the engine's times -1"
        case "factor":
            return f"{names}: {_times(entry.factor, sizes, of_all)}"
        case "L2":
            return f"{names}: {_decayed(entry.factor, members, sizes)}"
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
            if entry.detail.startswith("the diagonal"):
                text = f"yours is {entry.detail}: an outer product belongs there"
        case _:
            assert_never(entry.kind)
    extra = "" if entry.factor == 1 else f"; besides, {_times(entry.factor, sizes)}"
    return f"{names}: {text}{extra}"


def _times(factor: float, sizes: Sizes, of_all: bool = False) -> str:
    if factor == -1:
        return "the sign is flipped"
    flipped = ", with the sign flipped" if factor < 0 else ""
    size = abs(factor)
    reason = sizes.reason_for(size)
    shown = f"{size:.6g} times the engine's" if size >= 1 else f"the engine's divided by {1 / size:.6g}"
    text = f"yours is {shown}{flipped}" + (f", and {reason}" if reason else "")
    if reason is None and of_all and abs(factor - 2) <= SINGLE:
        text += ", as after a second backward pass that was added to the first (no zero_grad)"
    elif reason is None and (same := sizes.same_size(size)):
        text += f"; of that size the program has {same}"
    return text


def _decayed(alpha: float, members: list[Row], sizes: Sizes) -> str:
    own = {sizes.penalties.get(row.name, 0.0) for row in members}
    if len(own) == 1 and (penalty := own.pop()) and abs(alpha + penalty) > SINGLE * abs(penalty):
        ratio = 1 + alpha / penalty
        return (
            f"your L2 term is {penalty + alpha:.6g} * parameter, and the engine's is {penalty:.6g} * parameter, so "
            f"yours is {ratio:.6g} times it"
        )
    biases = all(row.hand.ndim < 2 for row in members)
    if alpha < 0:
        return f"without the L2 term {-alpha:.6g} * parameter, which the engine's gradient has"
    if biases:
        return f"with an L2 term {alpha:.6g} * parameter, which the engine's gradient of biases does not have"
    return f"with an L2 term {alpha:.6g} * parameter, which the engine's gradient does not have"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
