"""The network of the textbooks: neurons in columns, with their deltas, and connections as thick as their weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.graph import Node
from ..formatting import short
from .dense_layers import DenseLayer, dense_layers
from .graph_info import Contents, what_is_lacking
from .live import Array
from .styles import HeatScale, Look
from .text import compact

if TYPE_CHECKING:
    from .digraph import Graph

_MOST = 8
"""Neurons of a column that is drawn whole."""

_FIRST, _LAST = 4, 2
"""Neurons of a longer column that are drawn before the dots and behind them."""

_COLUMNS, _ROWS = 2.3, 0.85
"""Distances in inches, at 10 points."""


def draw_network(
    contents: Contents, gradients: Mapping[Node, Array], look: Look, values: bool, heat: str | None
) -> Graph:
    """Draw the dense layers of a graph as columns of neurons.

    Parameters
    ----------
    contents : Contents
        The graph.
    gradients : mapping
        From node to gradient, if that is known.
    look : Look
        Colours and sizes.
    values : bool
        Whether neurons show their activations and deltas.
    heat : {"grad"}, optional
        Whether connections are drawn by the weights' gradients, and neurons coloured by their deltas.

    Raises
    ------
    ValueError
        If the graph has no dense layers, or they do not stand one behind the other.
    """
    from .digraph import blank

    layers = dense_layers(contents, gradients)
    drawn = [layer.weight_gradient if heat else layer.weight for layer in layers]
    largest = max((float(np.max(np.abs(w), initial=0.0)) for w in drawn if w is not None), default=0.0)
    examples = max((len(layer.outputs) for layer in layers if layer.outputs is not None), default=1)
    lacking = what_is_lacking(contents, gradients) if values else []
    graph = blank("\\n".join([*_note(largest, heat, look, examples if values else 1), *lacking]), look)
    graph.attr(layout="neato", splines="line", outputorder="edgesfirst", fontsize=f"{look.fontsize:g}")
    columns = [layers[0].shape[0], *(layer.shape[1] for layer in layers)]
    deltas = [None, *(_over_examples(layer.delta, rms=True) for layer in layers)]
    activations = [_over_examples(layers[0].inputs), *(_over_examples(layer.outputs) for layer in layers)]
    scale = HeatScale(float(abs(d)) for delta in deltas if delta is not None for d in delta) if heat else None
    tallest = max(len(_shown(count)) for count in columns)
    for i, count in enumerate(columns):
        _draw_column(graph, look, i, count, _title(layers, i), tallest)
        for slot, neuron in enumerate(_shown(count)):
            if neuron is not None:
                numbers = [None if array is None else array[neuron] for array in (activations[i], deltas[i])]
                _draw_neuron(graph, look, i, neuron, _place(look, i, slot, len(_shown(count))), numbers, values, scale)
    for i, weights in enumerate(drawn):
        for source in filter(_is_neuron, _shown(columns[i])):
            for target in filter(_is_neuron, _shown(columns[i + 1])):
                weight = None if weights is None else float(weights[source, target])
                graph.edge(f"u{i}_{source}", f"u{i + 1}_{target}", arrowhead="none", **_stroke(weight, largest, look))
    return graph


def _shown(count: int) -> list[int | None]:
    """The neurons of a column that are drawn; None stands for the dots."""
    if count <= _MOST:
        return [*range(count)]
    return [*range(_FIRST), None, *range(count - _LAST, count)]


def _is_neuron(neuron: int | None) -> bool:
    return neuron is not None


def _place(look: Look, column: int, slot: float, slots: int) -> str:
    unit = look.fontsize / 10
    return f"{column * _COLUMNS * unit:.3f},{((slots - 1) / 2 - slot) * _ROWS * unit:.3f}!"


def _title(layers: list[DenseLayer], column: int) -> list[str]:
    """What stands under a column: its name, the number of its neurons, and the activation."""
    if column == 0:
        return ["input", str(layers[0].shape[0])]
    name = "output" if column == len(layers) else f"hidden {column}" if len(layers) > 2 else "hidden"
    layer = layers[column - 1]
    return [name, f"{layer.shape[1]} {layer.activation}" if layer.activation else str(layer.shape[1])]


def _draw_column(graph: Any, look: Look, column: int, count: int, title: list[str], tallest: int) -> None:
    """Draw a column's title, and the dots in it."""
    plain = {"shape": "plain", "fontcolor": look.palette.text, "class": "title"}
    size = f"{look.fontsize * 1.1:g}"
    under = _place(look, column, tallest - 0.1 + (1 - tallest) / 2, 1)
    graph.node(f"t{column}", label="\\n".join(title), pos=under, fontsize=size, **plain)
    shown = _shown(count)
    if None in shown:
        place = _place(look, column, shown.index(None), len(shown))
        graph.node(f"d{column}", label="⋮", pos=place, fontsize=f"{look.fontsize * 2.4:g}", **plain)


def _draw_neuron(
    graph: Any,
    look: Look,
    column: int,
    neuron: int,
    place: str,
    numbers: list[Any],
    values: bool,
    scale: HeatScale | None,
) -> None:
    """Draw a neuron with its activation and its delta."""
    palette, size = look.palette, look.fontsize
    activation, delta = numbers
    style = {"fillcolor": "white", "color": palette.line, "fontcolor": palette.value}
    of_delta = palette.gradient
    if scale is not None and delta is not None:
        style |= palette.of_heat(scale.look(abs(float(delta))))
        of_delta = style.setdefault("fontcolor", palette.text)
    lines = []
    if values and activation is not None:
        lines.append(f'<font color="{style["fontcolor"]}">{compact(activation)}</font>')
    if values and delta is not None:
        lines.append(f'<font color="{of_delta}" point-size="{size * 0.9:g}">δ {compact(delta)}</font>')
    rows = "".join(f"<tr><td>{line}</td></tr>" for line in lines)
    label = f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="1">{rows}</table>>' if lines else ""
    style.setdefault("style", "filled")
    form = {"shape": "circle", "fixedsize": "true", "width": f"{0.068 * size if values else 0.035 * size:.2f}"}
    graph.node(f"u{column}_{neuron}", label=label, pos=place, **form, **style)


def _stroke(weight: float | None, largest: float, look: Look) -> dict[str, str]:
    """How a connection is drawn: by its sign and its size."""
    palette = look.palette
    if weight is None or not np.isfinite(weight):
        return {"color": palette.line, "penwidth": "0.5", "style": "dotted"}
    share = abs(weight) / largest if largest else 0.0
    colour = palette.positive if weight >= 0 else palette.negative
    if not palette.is_print:
        return {"color": f"{colour}{round(255 * (0.3 + 0.7 * share)):02X}", "penwidth": f"{0.3 + 4.2 * share:.2f}"}
    look_of_sign = {} if weight >= 0 else {"style": "dashed"}
    return {"color": colour, "penwidth": f"{0.3 + 3.2 * share:.2f}", **look_of_sign}


def _over_examples(array: Array | None, rms: bool = False) -> Array | None:
    """A number for each neuron: of one example its own; of several the mean, or the root mean square."""
    if array is None:
        return None
    if len(array) == 1:
        return np.asarray(array[0])
    numbers = array.astype(np.float64)
    return np.asarray(np.sqrt(np.mean(numbers**2, axis=0)) if rms else np.mean(numbers, axis=0))


def _note(largest: float, heat: str | None, look: Look, examples: int) -> list[str]:
    """What stands under the network: how to read it."""
    what = "gradient" if heat else "weight"
    signs = "dashed: negative" if look.palette.is_print else "blue: positive, orange: negative"
    lines = [f"lines: {what}s, {signs}; the thickest is {short(largest, 2)}"]
    if heat:
        lines.append("neurons: the darker, the larger the delta δ")
    if examples > 1:
        lines.append(f"numbers: the mean activation over {examples} examples, and the root mean square of δ")
    return lines
