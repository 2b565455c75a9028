"""How ``einsum`` differentiates: the cotangent for an operand is the einsum of ``g`` with all the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..registry import defvjp

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _explicit(subscripts: Any, shapes: Sequence[tuple[int, ...]]) -> tuple[list[str], str]:
    """The operands' labels and the result's, with the ellipsis and the implied result spelled out."""
    if not isinstance(subscripts, str):
        raise TypeError(
            "np.einsum: for tensors the subscripts must be a string, such as 'ij,jk->ik', before the operands; "
            f"got {type(subscripts).__name__}"
        )
    text = subscripts.replace(" ", "")
    left, arrow, result = text.partition("->")
    terms = left.split(",")
    unused = [letter for letter in LETTERS if letter not in text]
    rank = max(
        (len(s) - len(t.replace("...", "")) for t, s in zip(terms, shapes, strict=True) if "..." in t), default=0
    )
    ellipsis = "".join(unused[:rank])
    if not arrow:
        letters = left.replace(",", "").replace("...", "")
        result = ("..." if "..." in left else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    spelled = []
    for term, shape in zip(terms, shapes, strict=True):
        here = len(shape) - len(term.replace("...", ""))
        spelled.append(term.replace("...", ellipsis[rank - here :] if here else ""))
    return spelled, result.replace("...", ellipsis)


def _einsum(g: Any, subscripts: Any, operands: Sequence[Any], members: Sequence[int]) -> list[Any]:
    shapes = [np.shape(operand) for operand in operands]
    terms, result = _explicit(subscripts, shapes)
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for label, n in zip(term, shape, strict=True):
            sizes[label] = max(sizes.get(label, 1), n) if n != 0 else 0
    return [_operand(g, i, terms, result, operands, shapes[i], sizes) for i in members]


def _operand(
    g: Any,
    i: int,
    terms: list[str],
    result: str,
    operands: Sequence[Any],
    shape: tuple[int, ...],
    sizes: dict[str, int],
) -> Any:
    """The cotangent of one operand."""
    others = [j for j in range(len(operands)) if j != i]
    labels = "".join(dict.fromkeys(terms[i]))
    given = set(result).union(*(terms[j] for j in others))
    # A label that only this operand has was summed away: its cotangent is the same all along that axis.
    known = "".join(label for label in labels if label in given)
    inputs = ",".join([result, *(terms[j] for j in others)])
    cotangent = np.einsum(f"{inputs}->{known}", g, *(operands[j] for j in others))
    wide = tuple(sizes[label] if label in given else 1 for label in labels)
    lengths = dict(zip(terms[i], shape, strict=True))
    cotangent = np.reshape(cotangent, wide)
    # An axis of length 1 that was broadcast against a longer one gets the sum along it.
    narrow = tuple(k for k, label in enumerate(labels) if lengths[label] == 1 != wide[k])
    if narrow:
        cotangent = np.sum(cotangent, axis=narrow, keepdims=True)
    cotangent = np.broadcast_to(cotangent, tuple(lengths[label] for label in labels))
    if len(labels) == len(terms[i]):
        return cotangent
    return _on_diagonal(cotangent, terms[i], labels, shape)


def _on_diagonal(cotangent: Any, term: str, labels: str, shape: tuple[int, ...]) -> Any:
    """A repeated label read a diagonal: the cotangent goes there, and zeros elsewhere."""
    spread = np.reshape(
        np.transpose(cotangent, [labels.index(label) for label in dict.fromkeys(term)]),
        tuple(n if term.index(label) == k else 1 for k, (label, n) in enumerate(zip(term, shape, strict=True))),
    )
    on = np.ones((1,) * len(term), dtype=bool)
    for k, label in enumerate(term):
        first = term.index(label)
        if first != k:
            positions = [
                np.arange(n).reshape([-1 if j == m else 1 for j in range(len(term))]) for m, n in enumerate(shape)
            ]
            on = on & (positions[first] == positions[k])
    return spread * np.broadcast_to(on, shape)


defvjp(
    np.einsum,
    like=lambda subscripts, *operands, out=None, dtype=None, order="K", casting="safe", optimize=False: None,
    operands=_einsum,
)
