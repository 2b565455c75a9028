"""What a tensor becomes outside of the graph: a number, an array, text, a copy; or a refusal to lose its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ..errors import LostGradientError
from ..html_tables import html_tensor
from ..user_line import is_item_assignment, library_call
from .graph import Leaf, Node


class Conversions:
    """The conversions of a tensor. Those that would lose its gradient raise, and name the way that leaves openly."""

    __slots__ = ()

    if TYPE_CHECKING:
        _value: Any
        _node: Node | None
        data: Any
        name: str | None
        requires_grad: bool

        def _array(self) -> Any: ...

    def item(self) -> Any:
        """The only element, as a Python number.

        Raises
        ------
        ValueError
            If there is not exactly one.
        """
        array = self._array()
        if array.size != 1:
            raise ValueError(f"item: {self._brief()} has {array.size} elements; index one, or use .tolist()")
        return array.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self._array().tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self.requires_grad:
            self._refuse_array()
        return np.array(self._array(), dtype=dtype, copy=copy)

    def _number(self, kind: Callable[[Any], Any]) -> Any:
        if self.requires_grad:
            if is_item_assignment():
                self._refuse_array()
            self._refuse(
                f"turned into {kind.__name__}{library_call()}",
                "write np.sin and its like where a function of math was called. Where no gradient is wanted, .item() "
                "is the number",
            )
        return kind(self.item())

    def __float__(self) -> float:
        return self._number(float)  # type: ignore[no-any-return]

    def __int__(self) -> int:
        return self._number(int)  # type: ignore[no-any-return]

    def __complex__(self) -> complex:
        return self._number(complex)  # type: ignore[no-any-return]

    def __index__(self) -> int:
        array = self._array()
        if array.ndim or array.dtype.kind not in "iu":
            raise TypeError(f"{self._brief()} cannot be an index; expected a single integer")
        return int(array)

    def __bool__(self) -> bool:
        array = self._array()
        if array.size != 1:
            raise ValueError(
                f"the truth of {self._brief()}, with {array.size} elements, is ambiguous; use .data.any() or "
                ".data.all()"
            )
        return bool(array)

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        array = self._array()
        if array.ndim == 0:
            return format(array.item(), spec)
        formatter: Any = {"all": lambda element: format(element.item(), spec)}
        return np.array2string(self.data, formatter=formatter)

    def __repr__(self) -> str:
        values = np.array2string(self.data, separator=", ", prefix="Tensor(", threshold=1000)
        return f"Tensor({values}, {self._notes()})"

    def _notes(self) -> str:
        notes = [f"shape={self._value.shape}", f"dtype={self._value.dtype}"]
        node = self._node
        if node is not None:
            notes.append("requires_grad=True" if node.recipe is None else f"function={node.recipe.rule.name}")
        if self.name:
            notes.append(f"name={self.name!r}")
        return ", ".join(notes)

    def __str__(self) -> str:
        return str(self.data)

    def _repr_html_(self) -> str | None:
        """What notebooks show: the numbers, and beside them the gradient, if there is one."""
        value, slot = self._value, None if self._node is None else self._node.slot
        if not isinstance(value, np.ndarray | np.generic) or value.ndim > 2 or not value.size:
            return None
        gradient = None if slot is None or slot.grad is None else slot.grad.data
        return html_tensor(self._notes(), value, gradient)

    def _brief(self) -> str:
        """The tensor in a message, without its numbers."""
        name = f" {self.name!r}" if self.name else ""
        return f"the tensor{name} (shape {self._value.shape}, {self._value.dtype})"

    def _refuse(self, deed: str, advice: str) -> NoReturn:
        raise LostGradientError(f"{self._brief()} requires a gradient, which would be lost if it were {deed}; {advice}")

    def _refuse_array(self) -> NoReturn:
        if is_item_assignment():
            self._refuse(
                "put into a plain array",
                "collect the results in a list, and write np.stack(results): a tensor with all of them",
            )
        self._refuse(
            f"turned into a plain array{library_call()}",
            "write np.stack([a, b]) to join tensors, which keeps it, and give that to the function. Where no gradient "
            "is wanted, .data is the array",
        )

    def __reduce__(self) -> tuple[Any, ...]:
        leaf = self._node
        if leaf is not None and not isinstance(leaf, Leaf):
            self._refuse("copied or pickled", "take .detach() first")
        gradient = None if leaf is None or leaf.slot.grad is None else leaf.slot.grad.copy().detach()
        return type(self), (self._value, self.requires_grad, None, self.name), gradient

    def __setstate__(self, gradient: Any) -> None:
        if self._node is not None and self._node.slot is not None:
            self._node.slot.grad = gradient
