"""The steps that a comparison with a derivation by hand has found wrong, as pictures and pages mark them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..checks.compare.report import GradientComparison
from ..core.graph import Node


@dataclass(frozen=True)
class Marks:
    """The wrong steps.

    Attributes
    ----------
    sentences : dict
        From a call to the explanations of the mistakes in its step, with their numbers in the report.
    edges : set
        The calls and the positions of the operands that they hand something wrong to.
    """

    sentences: dict[Node, dict[int, str]] = field(default_factory=dict)
    edges: set[tuple[Node, int]] = field(default_factory=set)

    def note(self, node: Node) -> str:
        """The line for a call in a picture."""
        return f"mistake {', '.join(map(str, self.sentences[node]))}"


NONE = Marks()


def recorded(caller: str, output: Any) -> tuple[Any, Marks]:
    """The tensor whose graph is drawn, and the marks, if the output is a report; otherwise the output as it is."""
    if not isinstance(output, GradientComparison):
        return output, NONE
    loss = None if output.recording is None else output.recording.loss
    if loss is None:
        raise TypeError(
            f"{caller}: the report has no graph; call compare_gradients with the function that computes the loss, or "
            "with loss="
        )
    marks = Marks()
    for number, one in enumerate((*output.explanations, *output.places), 1):
        for node, slot, _ in one.edges:
            marks.sentences.setdefault(node, {})[number] = one.text
            marks.edges.add((node, slot))
    return loss, marks
