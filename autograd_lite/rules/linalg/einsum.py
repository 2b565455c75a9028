"""How ``einsum`` differentiates: the cotangent of an operand is the einsum of ``g`` with all other operands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.registry import CANONICAL, defvjp
from ...transforms.rule_tables import defbatching, defjvp

_LETTERS_IN_ORDER = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""By which labels that are integers are sorted as the integers are."""
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _with_text(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """``einsum(x, [0, 1], y, [1, 2])``, whose labels are integers and Ellipsis, as ``einsum("ab,bc", x, y)``."""
    if not args or isinstance(args[0], str):
        return args

    def text(labels: Sequence[Any]) -> str:
        if not isinstance(labels, list | tuple) or not all(map(is_label, labels)):
            raise TypeError(
                "np.einsum: the subscripts must be a string before the operands, such as 'ij,jk->ik', or after each "
                f"operand a list of integers from 0 to {len(_LETTERS_IN_ORDER) - 1}, such as [0, 1]; got {labels!r:.60}"
            )
        return "".join("..." if label is Ellipsis else _LETTERS_IN_ORDER[label] for label in labels)

    def is_label(label: Any) -> bool:
        return label is Ellipsis or (isinstance(label, int) and 0 <= label < len(_LETTERS_IN_ORDER))

    terms = ",".join(text(labels) for labels in args[1::2])
    result = f"->{text(args[-1])}" if len(args) % 2 else ""
    return f"{terms}{result}", *args[: len(args) // 2 * 2 : 2]


CANONICAL[np.einsum] = _with_text


def _explicit(subscripts: Any, shapes: Sequence[tuple[int, ...]]) -> tuple[list[str], str]:
    """The labels of the operands and of the result, with the ellipsis and the implied result written out."""
    text = subscripts.replace(" ", "")
    left, arrow, result = text.partition("->")
    terms = left.split(",")
    unused = [letter for letter in _LETTERS if letter not in text]
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
    return [_operand(g, i, terms, result, operands, shapes[i]) for i in members]


def _operand(g: Any, i: int, terms: list[str], result: str, operands: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """The cotangent of one operand."""
    others = [j for j in range(len(operands)) if j != i]
    labels = "".join(dict.fromkeys(terms[i]))
    given = set(result).union(*(terms[j] for j in others))
    known = "".join(label for label in labels if label in given)
    inputs = ",".join([result, *(terms[j] for j in others)])
    cotangent = np.einsum(f"{inputs}->{known}", g, *(operands[j] for j in others))
    lengths = dict(zip(terms[i], shape, strict=True))
    # An axis of length 1 that was broadcast against a longer one gets the sum along the longer one.
    narrow = tuple(k for k, label in enumerate(known) if lengths[label] == 1 != cotangent.shape[k])
    if narrow:
        cotangent = np.sum(cotangent, axis=narrow, keepdims=True)
    # A label that only this operand has was summed over, so its cotangent is constant along that axis.
    cotangent = np.expand_dims(cotangent, tuple(k for k, label in enumerate(labels) if label not in given))
    cotangent = np.broadcast_to(cotangent, tuple(lengths[label] for label in labels))
    if len(labels) == len(terms[i]):
        return cotangent
    return _on_diagonal(cotangent, terms[i], shape)


def _on_diagonal(cotangent: Any, term: str, shape: tuple[int, ...]) -> Any:
    """The cotangent of an operand with a repeated label, which reads a diagonal: zeros outside of the diagonal."""
    firsts = [term.index(label) for label in term]
    spread = np.reshape(
        cotangent, tuple(n if first == k else 1 for k, (first, n) in enumerate(zip(firsts, shape, strict=True)))
    )
    positions = np.indices(shape, sparse=True)
    return spread * math.prod(positions[first] == positions[k] for k, first in enumerate(firsts))


def _along(t: Sequence[Any], subscripts: str, operands: Sequence[Any], members: Sequence[int]) -> Any:
    """The product rule: the sum of the einsums with one operand replaced by its tangent."""
    return sum(
        np.einsum(subscripts, *operands[:i], tangent, *operands[i + 1 :]) for i, tangent in zip(members, t, strict=True)
    )


defvjp(
    np.einsum,
    like=lambda subscripts, *operands, out=None, dtype=None, order="K", casting="safe", optimize=False: None,
    operands=_einsum,
)
defjvp(np.einsum, operands=lambda t, subscripts, operands, members: _along(t, subscripts, operands, members))


@defbatching(np.einsum, "operands")
def _einsum_all(subscripts: Any, *operands: Any, **options: Any) -> Any:
    terms, result = _explicit(subscripts, [operand.shape[1:] for operand in operands])
    examples = next(letter for letter in _LETTERS if letter not in "".join(terms))
    inputs = ",".join(examples + term for term in terms)
    return np.einsum(f"{inputs}->{examples}{result}", *operands, **options)
