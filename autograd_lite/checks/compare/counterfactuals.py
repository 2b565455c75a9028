"""The gradients that a mistake would give: backward passes over the recorded graph with a wrong step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from ...core.backward import pull_as_arrays
from ...core.graph import Node, ancestors
from ...core.stepper import cotangents_of_all
from .mistakes import DIAGONAL, MISTAKES, Mistake
from .network import Layer, layers_of
from .rewiring import Detour, rewired
from .rows import Array


class Counterfactual(NamedTuple):
    """A mistake, and all gradients that it would give.

    Attributes
    ----------
    kind, text : str
        As in `Explanation`.
    gradients : dict
        From a parameter's name to its gradient.
    """

    kind: str
    text: str
    gradients: dict[str, Array]


class Recording:
    """The graph of a loss, and the parameters in it.

    Parameters
    ----------
    root : Node
        The node of the loss, a scalar; its graph still has the saved values.
    parameters : mapping
        From name to leaf.
    """

    def __init__(self, root: Node, parameters: Mapping[str, Node]) -> None:
        self.root = root
        self.parameters = parameters
        self.order = ancestors(root)
        self.cotangents = cotangents_of_all(root)
        self.layers = layers_of(root, parameters)

    def gradients(self, detours: Mapping[Node, Detour] | None = None) -> dict[str, Array]:
        """The gradient of every parameter, with detours at some nodes."""
        cotangents = cotangents_of_all(rewired(self.root, detours)) if detours else self.cotangents
        return {
            name: np.asarray(cotangents.get(leaf, np.zeros(leaf.shape, leaf.dtype)))
            for name, leaf in self.parameters.items()
        }


def counterfactuals(recording: Recording) -> Iterator[Counterfactual]:
    """The mistakes that are possible in this graph, the most likely ones first."""
    for kind, text, detours in _known_mistakes(recording):
        yield Counterfactual(kind, text, recording.gradients(detours))
    yield from _without_derivatives(recording, recording.layers)


# ---- activation derivatives left out ----


def _without_derivatives(recording: Recording, layers: list[Layer]) -> Iterator[Counterfactual]:
    """The gradients if an activation passes its cotangent unchanged to the preactivation, in one layer or several."""
    cuts = [(layer, end) for layer in reversed(layers) for end in layer.ends]
    single: list[tuple[Layer, dict[Node, Detour]]] = []
    for layer, end in cuts:
        detour = {end: _straight_to(layer.preactivation)}
        gradients = recording.gradients(detour)
        single.append((layer, detour))
        yield Counterfactual("activation derivative", _left_out([layer]), gradients)
    outermost = {layer.number: (layer, detour) for layer, detour in single}
    # For one layer, each part of an activation of several calls may be missing; for several layers, whole ones only.
    hidden = [entry for entry in outermost.values() if entry[0].number < len(layers)]
    for count in range(len(hidden), 1, -1):
        if count < len(hidden) and len(hidden) > 5:
            continue
        for chosen in combinations(hidden, count):
            detours = {node: step for _, detour in chosen for node, step in detour.items()}
            found = recording.gradients(detours)
            yield Counterfactual("activation derivative", _left_out([layer for layer, _ in chosen]), found)


def _straight_to(target: Node) -> Detour:
    return Detour((target,), lambda g: (g,))


def _left_out(layers: list[Layer]) -> str:
    if len(layers) == 1:
        return f"the activation's derivative f'(z) is missing in {layers[0]}"
    named = ", ".join(str(layer) for layer in sorted(layers, key=lambda layer: layer.number))
    return f"the activation's derivative f'(z) is missing in each of {named}"


# ---- wrong rules of single functions ----


def _known_mistakes(recording: Recording) -> Iterator[tuple[str, str, dict[Node, Detour]]]:
    for node in recording.order:
        if node.recipe is None:
            continue
        for mistake in MISTAKES.get(node.recipe.rule.call, ()):
            if mistake.argument in node.recipe.arguments:
                yield mistake.kind, mistake.text, {node: _wrongly(node, mistake)}
        if node.recipe.rule.function is np.divide and (logits := _logits_of_softmax(node)) is not None:
            yield "softmax", DIAGONAL, {node: _diagonally(node, logits)}


def _wrongly(node: Node, mistake: Mistake) -> Detour:
    recipe = node.recipe
    assert recipe is not None

    def pull(g: Any) -> tuple[Any, ...]:
        wrong = mistake.cotangent(g, dict(zip(recipe.reads, node.saved or (), strict=True)))
        right = pull_as_arrays(node, g, node.saved)
        return tuple(
            wrong if argument == mistake.argument else cotangent
            for argument, cotangent in zip(recipe.arguments, right, strict=True)
        )

    return Detour(node.parents, pull)


def _logits_of_softmax(quotient: Node) -> Node | None:
    """The logits ``z`` of a softmax that is written out as ``exp(z) / sum(exp(z))``; None for any other quotient."""
    if len(quotient.parents) != 2:
        return None
    exponentials, total = quotient.parents
    if not _calls(exponentials, np.exp) or not _calls(total, np.sum) or total.parents[0] is not exponentials:
        return None
    (logits,) = exponentials.parents
    if _calls(logits, np.subtract) and len(logits.parents) == 2 and _calls(logits.parents[1], np.max):
        return logits.parents[0]  # the maximum is subtracted first
    return logits


def _diagonally(quotient: Node, logits: Node) -> Detour:
    recipe = quotient.recipe
    assert recipe is not None
    saved = dict(zip(recipe.reads, quotient.saved or (), strict=True))
    out = saved["out"] if "out" in saved else saved["x1"] / saved["x2"]
    return Detour((logits,), lambda g: (g * out * (1 - out),))


def _calls(node: Node, function: Callable[..., Any]) -> bool:
    return node.recipe is not None and node.recipe.rule.function is function
