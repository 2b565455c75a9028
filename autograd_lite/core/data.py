"""A tensor's array: as it is given out and replaced, and what older graphs are told when a leaf's changes.

Graphs save the arrays of leaves as they are. A leaf that gets another array is followed by a new one, and what was
recorded before refuses its backward pass. An array that is given out while a graph holds it is marked, so that writing
to its elements has the same end.
"""

from __future__ import annotations

import weakref
from operator import gt
from sys import getrefcount
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import GradientError
from .context import CONTEXT
from .graph import Leaf, Node
from .operands import array_contents
from .saved import Mark, Saved

Array = Any
"""A NumPy array, or one that speaks NumPy's protocols."""


class Data:
    """The array of a tensor."""

    # np.ma reads of every object the attribute that it keeps its own numbers in, so the array has another name here.
    __slots__ = ("__weakref__", "_frozen", "_node", "_value")

    _value: Array
    _node: Node | None
    _frozen: Leaf | None

    if TYPE_CHECKING:

        @property
        def shape(self) -> tuple[int, ...]: ...  # noqa: D102

        @property
        def dtype(self) -> np.dtype[Any]: ...  # noqa: D102

        def _brief(self) -> str: ...

    @property
    def data(self) -> Array:
        """The array itself, outside of the graph.

        To assign to it (``w.data -= 0.1 * w.grad.data``) is how an optimizer changes a leaf. Graphs recorded before
        then refuse their backward pass, since what they saved no longer belongs to the tensor; and so they do if its
        elements are assigned (``w.data[0] = 7``). The new array must have the old one's shape and dtype, and is copied
        if it is anyone else's too. A result's array is read-only, because the graph may have saved it.
        """
        tracer = CONTEXT.get().tracer
        if tracer is None:
            if self._node is None and self._frozen is None and type(self._value) is np.ndarray:
                return self._value
            if type(self._node) is not Node and self._is_saved():
                return self._lent()
        node, array = self._node, self._value if tracer is None else tracer.array_of(self)
        if type(array) is np.ndarray and (node is None or node.recipe is None):
            return array
        if isinstance(array, np.generic):
            self._value = array = np.asarray(array)
        if node is not None and node.recipe is not None and isinstance(array, np.ndarray):
            array = array.view()
            array.flags.writeable = False
        return array

    @data.setter
    def data(self, array: Array) -> None:
        node = self._node
        if node is not None and not isinstance(node, Leaf):
            raise GradientError(
                f"{self._brief()} is a result, so its array belongs to the recorded graph; only a leaf's .data can be "
                "assigned. Compute a new tensor instead, or take .detach() first"
            )
        if hasattr(array, "requires_grad"):
            raise TypeError(f"{self._brief()}: .data takes an array, not a Tensor; pass the other tensor's .data")
        if not _is_the_same(array, self._array()):
            array = array if type(array) is np.ndarray else array_contents(array, f"{self._brief()}: .data")
            if isinstance(array, np.generic | float | int):
                array = np.asarray(array, None if isinstance(array, np.generic) else self.dtype)
            shape, dtype = getattr(array, "shape", None), getattr(array, "dtype", None)
            if shape != self.shape or dtype != self.dtype:
                given = f"an array of shape {shape}, {dtype}" if shape is not None else f"a {type(array).__name__}"
                raise ValueError(
                    f"{self._brief()}: .data was assigned {given}; expected shape {self.shape}, {self.dtype}. "
                    "Use .astype() or .reshape() on the array, or make a new Tensor"
                )
            if getrefcount(array) > _GIVEN or not _is_whole(array):
                array = np.copy(array, "K") if hasattr(array, "__array_function__") else array
            if (tracer := CONTEXT.get().tracer) is not None:
                tracer.assign(self, array)
            else:
                self._value = array
        self._renew("by assigning .data")

    # ---- within ----

    def _is_saved(self) -> bool:
        """Whether a graph may have saved the array, which is a leaf's."""
        is_leaf = type(self._value) is np.ndarray and self._leaf() is not None
        return is_leaf and all(map(gt, self._references(), _UNSAVED))

    def _references(self) -> tuple[int, int]:
        """How many references are counted for the leaf and for its array."""
        leaf = self._leaf()
        return getrefcount(leaf), getrefcount(self._value)

    def _leaf(self) -> Leaf | None:
        """The leaf, even of a tensor that requires no gradient for a while."""
        node = self._node
        return self._frozen if node is None else node if isinstance(node, Leaf) else None

    def _is_immutable(self) -> bool:
        """Whether the array stays what it is, as that of a result does."""
        return self._node is not None and not isinstance(self._node, Leaf)

    def _lent(self) -> Array:
        """A view of the array that a graph has saved. If it is written to, older graphs refuse their backward pass."""
        leaf = self._leaf()
        assert leaf is not None
        if not leaf.saved:
            leaf.saved = Saved.with_marks((self._value,), [Mark(self._value, whole=True)])
        elif not self._is_as_lent():
            return self._value
        # Over a memoryview, since a view of an array's view holds the array alone, and would outlive the view.
        view, tensor = np.asarray(memoryview(self._value)), weakref.ref(self)
        leaf.lent = weakref.ref(view, lambda _: (t := tensor()) is None or t._is_as_lent())
        return view

    def _is_as_lent(self) -> bool:
        """Whether the array still holds what it did when it was given out; if not, the tensor gets another leaf."""
        leaf = self._leaf()
        if leaf is None or not isinstance(leaf.saved, Saved) or leaf.saved.changed() is None:
            return True
        self._renew("by writing to its .data")
        return False

    def _renew(self, how: str) -> None:
        """Go on with another leaf, since the array was changed in this way."""
        if isinstance(self._node, Leaf):
            self._node = self._node.successor(how)
        elif (frozen := self._leaf()) is not None:
            self._frozen = frozen.successor(how)

    def _array(self) -> Array:
        """The array to compute with: the tensor's own, or what a tracer puts in its place."""
        tracer = CONTEXT.get().tracer
        return self._value if tracer is None else tracer.array_of(self)


def _is_the_same(array: Array, own: Array) -> bool:
    """Whether an array is a tensor's own, or a view of all of it."""
    if array is own or not isinstance(array, np.ndarray) or array.base is None or not isinstance(own, np.ndarray):
        return array is own
    return array.__array_interface__ == own.__array_interface__


def _is_whole(array: Array) -> bool:
    """Whether no other array lies in the memory of an array."""
    base = getattr(array, "base", None)
    return base is None or (isinstance(base, np.ndarray) and base.base is None and getrefcount(base) <= _OF_BASE)


class _Probe(Data):
    """Tells how many references are counted for what nobody else holds."""

    __slots__ = ("given",)

    @property
    def data(self) -> Array:
        return self._value

    @data.setter
    def data(self, array: Array) -> None:
        self.given = getrefcount(array)


_probe = _Probe()
_probe._value, _probe._node, _probe._frozen = np.empty(0), Leaf((0,), np.dtype(float)), None
_probe.data = np.empty(0)
_GIVEN, _UNSAVED = _probe.given, _probe._references()
_OF_BASE = next(getrefcount(base) for base in [np.empty(1)[:].base])
