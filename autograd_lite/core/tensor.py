"""The `Tensor`: an array, and its edge into the graph.

Operators, indexing and NumPy's two protocols (NEP 13 and NEP 18) all lead to `dispatch`, which gives them to the
class, so ``x @ w`` and ``np.matmul(x, w)``, ``x.sum()`` and ``np.sum(x)`` are the same recorded calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import GradientError, LostGradientError
from ..habits import KEYWORDS, TENSOR, no_argument, no_attribute
from .backward import backward_pass
from .context import CONTEXT, recorded
from .conversions import Conversions
from .data import Data
from .graph import GradientSlot, Leaf, Node, freed_meanwhile
from .hooks import HookHandle, attach
from .locks import lock
from .methods import ArrayMethods
from .operands import array_contents
from .operators import Operators
from .outputs import in_container_of, node_of_output
from .rule import OUT

Array = Any
"""A NumPy array, or one that speaks NumPy's protocols."""

_new = object.__new__

NUMPY = (np.ndarray, np.generic)
"""The types of NumPy's own arrays and numbers."""

_DEPOSITING = lock()


class Tensor(Operators, Data, Conversions, ArrayMethods):
    """An array that records what is computed with it, so that results can be differentiated.

    Every NumPy function with a rule takes tensors and returns tensors; so do the operators. The array is copied, so
    that the caller's stays out of the graph and out of the optimizer's reach.

    Parameters
    ----------
    data : array_like
        Numbers of any shape. Floats and integers keep NumPy's dtypes.
    requires_grad : bool, default False
        Whether a backward pass leaves a gradient in ``.grad``. The tensor is then a leaf of the graph.
    dtype : dtype, optional
        As in `numpy.array`.
    name : str, optional
        Shown by ``repr``, messages and pictures.

    Raises
    ------
    TypeError
        If the data are no numbers; if a gradient is asked for integers or booleans; if the data are a tensor whose
        gradient the copy would lose.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import Tensor
    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True, name="x")
    >>> y = (np.exp(-x) * x).sum()
    >>> y
    Tensor(0.7879..., shape=(), dtype=float64, function=np.sum)
    >>> y.backward()
    >>> x.grad
    Tensor([ 0.        , -0.13533528, -0.09957414], shape=(3,), dtype=float64)
    """

    __slots__ = ("_name",)

    _name: str | None

    def __init__(
        self,
        data: Any,
        requires_grad: bool = False,
        dtype: npt.DTypeLike | None = None,
        name: str | None = None,
        **others: Any,
    ) -> None:
        for argument in others:
            raise no_argument("Tensor", argument, KEYWORDS)
        if not isinstance(requires_grad, bool | np.bool_):
            raise TypeError(
                f"Tensor: requires_grad must be True or False, got {requires_grad!r}; write several numbers as a list, "
                "Tensor([1.0, 2.0])"
            )
        self._value = _own_array(data, dtype)
        self._name = name
        self._node = self._frozen = None
        if requires_grad:
            self.requires_grad = True

    def __getattr__(self, name: str) -> Any:
        raise no_attribute("'Tensor' object", name, TENSOR, self)

    # ---- the graph ----

    @property
    def node(self) -> Node | None:
        """The tensor's node in the recorded graph; None if it requires no gradient."""
        return self._node

    @property
    def name(self) -> str | None:
        """The name in ``repr``, messages and pictures."""
        return self._name if self._node is None else self._node.name

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name
        if self._node is not None:
            self._node.name = name

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow here; on a leaf it can be assigned, to freeze a parameter or to thaw it."""
        if (tracer := CONTEXT.get().tracer) is not None:
            tracer.look_at(self)
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if bool(value) == (self._node is not None):
            return
        if not value:
            if not isinstance(self._node, Leaf):
                raise GradientError(f"{self._brief()} is a result; leave its graph with .detach()")
            self._name, self._frozen, self._node = self._node.name, self._node, None
            return
        if self.dtype.kind not in "fc":
            raise TypeError(
                f"{self._brief()}: only floating-point and complex tensors can require a gradient; pass dtype=float"
            )
        # A leaf that was frozen is the same again, since graphs may still lead there.
        self._node = self._frozen or Leaf(self.shape, self.dtype, _new_slot(), self._name)
        self._node.name = self._name

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have left here, of the tensor's shape and dtype; None before the first.

        Passes add up until ``zero_grad()``. Results keep theirs only after ``retain_grad()``.
        """
        node, tracer = self._node, CONTEXT.get().tracer
        if tracer is not None:
            tracer.look_at(self)
        if node is None:
            return None
        slot = node.slot
        if slot is None or not slot.keeps:
            raise GradientError(
                f"{self._brief()} is a result, and only leaves keep their gradient; call .retain_grad() on it before "
                "backward()"
            )
        return slot.grad if tracer is None else tracer.gradient_in(slot)  # type: ignore[no-any-return]

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        node = self._node
        if node is None or node.slot is None or not node.slot.keeps:
            raise GradientError(f"{self._brief()} keeps no gradient; give it requires_grad=True or .retain_grad()")
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"{self._brief()}: .grad takes a Tensor or None, not {type(value).__name__}; write Tensor(g)"
                )
            if value.shape != self.shape or value.dtype != self.dtype:
                raise ValueError(
                    f"{self._brief()}: .grad was assigned shape {value.shape}, {value.dtype}; it must have the "
                    f"tensor's own, {self.shape}, {self.dtype}"
                )
        _leave(self, node.slot, value)

    def zero_grad(self) -> None:
        """Forget the gradient: ``.grad`` is None again."""
        _leave(self, None if self._node is None else self._node.slot, None)

    def retain_grad(self) -> Tensor:
        """Keep the gradient of a result (the delta of the lessons) in ``.grad``; returns the tensor itself.

        Raises
        ------
        GradientError
            If no gradient flows through the tensor.

        Examples
        --------
        >>> from autograd_lite import Tensor
        >>> w = Tensor(3.0, requires_grad=True)
        >>> z = (w * 2.0).retain_grad()
        >>> (z * z).backward()
        >>> z.grad.item(), w.grad.item()
        (12.0, 24.0)
        """
        if self._node is None:
            raise GradientError(f"{self._brief()} requires no gradient, so there is none to retain")
        if self._node.slot is None:
            self._node.slot = _new_slot()
        self._node.slot.keeps = True
        return self

    def register_hook(self, hook: Callable[[Tensor], Any]) -> HookHandle:
        """Call a function with this tensor's gradient in every backward pass: to look at it, or to replace it.

        The hook runs once in a pass, when all uses of the tensor have handed in their cotangents and before any of
        it goes further back or is left in ``.grad``. Several hooks run in the order of registration.

        Parameters
        ----------
        hook : callable
            Takes the gradient, a tensor of this one's shape and dtype, and returns None, or a gradient of the same
            shape to go on with. In a pass with ``create_graph=True`` it is differentiated like any other function.

        Returns
        -------
        HookHandle
            Its ``remove()`` takes the hook away.

        Raises
        ------
        GradientError
            If no gradient flows through the tensor.
        ValueError
            In the pass, if the hook returns a gradient of another shape.

        Examples
        --------
        >>> import numpy as np
        >>> from autograd_lite import Tensor
        >>> w = Tensor([1.0, 2.0], requires_grad=True)
        >>> h = w * 10.0
        >>> handle = h.register_hook(lambda g: np.clip(g, -0.5, 0.5))
        >>> (h * h).sum().backward()
        >>> w.grad
        Tensor([5., 5.], shape=(2,), dtype=float64)
        >>> handle.remove()
        """
        if self._node is None:
            raise GradientError(
                f"register_hook: {self._brief()} requires no gradient, so a hook would never be called; make it with "
                "requires_grad=True"
            )
        return attach(self._node, hook, wrap)

    def detach(self) -> Tensor:
        """The same array as a tensor outside of the graph; nothing flows back through it."""
        return wrap(self.data)

    def backward(self, grad: Any = None, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Differentiate this tensor: add its gradient to ``.grad`` of every leaf that it was computed from.

        Parameters
        ----------
        grad : array_like, optional
            The cotangent of this tensor, of its shape: what the gradient of a scalar further on is with respect to
            it. A single element needs none; its cotangent is 1.
        retain_graph : bool, default False
            Keep what the graph has saved, so that another pass can run over it.
        create_graph : bool, default False
            Record the pass itself, so that gradients can be differentiated in turn. Keeps the graph.

        Raises
        ------
        GradientError
            If no gradient flows here; `FreedGraphError` if an earlier pass has dropped the graph's saved values;
            `ChangedTensorError` if a leaf was changed since the graph used it.
        ValueError
            If there are several elements and no ``grad``, or its shape is another.

        Examples
        --------
        >>> from autograd_lite import Tensor
        >>> x = Tensor(2.0, requires_grad=True)
        >>> (x**3).backward(create_graph=True)
        >>> first = x.grad
        >>> x.zero_grad()
        >>> first.backward()
        >>> first.item(), x.grad.item()
        (12.0, 12.0)
        """
        node = self._node
        if node is None:
            raise GradientError(
                f"backward: {self._brief()} depends on nothing that requires a gradient. Make the tensors to "
                "differentiate with requires_grad=True, and compute outside of no_grad() and without .detach()"
            )
        seed = self._seed(grad)
        if create_graph:
            with recorded():
                _deposit(backward_pass(node, seed, retain_graph=True, lift=_lift))
        else:
            _deposit(backward_pass(node, seed._array(), retain_graph=retain_graph))

    def _seed(self, grad: Any) -> Tensor:
        data = self._value
        if grad is None:
            if data.size != 1:
                raise ValueError(
                    f"backward: {self._brief()} has {self.size} elements, so its gradient is not a single one. Reduce "
                    "it to a scalar (.sum(), .mean()), or pass grad=, the cotangent, of the same shape"
                )
            if data.dtype.kind == "c":
                raise ValueError(
                    f"backward: {self._brief()} is complex, and only a real number has one gradient. Take its .real, "
                    ".imag or np.abs first, or pass grad=, the cotangent, of the same shape"
                )
            if isinstance(data, NUMPY):
                return wrap(np.array(1, data.dtype, ndmin=data.ndim))
            return wrap(np.ones_like(data))
        if not isinstance(grad, Tensor):
            grad = Tensor(grad)
        if grad.shape != self.shape:
            raise ValueError(f"backward: grad has shape {grad.shape}, but {self._brief()} needs one of its own shape")
        if grad.dtype.kind not in ("fiuc" if self.dtype.kind == "c" else "fiu"):
            raise TypeError(f"backward: grad has dtype {grad.dtype}; expected {self.dtype}")
        seed: Tensor = grad if grad.dtype == self.dtype else grad.astype(self.dtype)
        return seed


def wrap(data: Array, node: Node | None = None) -> Tensor:
    """A tensor over an array as it is, with no copy and no check."""
    tensor: Tensor = _new(Tensor)
    tensor._value = data
    tensor._node = node
    tensor._name = tensor._frozen = None
    return tensor


def _deposit(gradients: dict[Node, Any]) -> None:
    """Add gradients to those that earlier passes have left, of which the user may hold some: never in place."""
    tracer = CONTEXT.get().tracer
    with _DEPOSITING:
        for node, gradient in gradients.items():
            slot = node.slot
            assert slot is not None
            if not isinstance(gradient, Tensor):
                gradient = wrap(gradient)
            elif gradient._node is None:  # of a recorded pass, in which other leaves may get the same
                gradient = wrap(gradient._array().copy())
            before = slot.grad if tracer is None else tracer.gradient_in(slot)
            gradient = gradient if before is None else before + gradient
            if tracer is None:
                slot.grad = gradient
            else:
                tracer.leave_gradient(slot, gradient)


def _leave(tensor: Tensor, slot: GradientSlot | None, gradient: Tensor | None) -> None:
    """Put a gradient, or None, into a tensor's slot, if it has one."""
    tracer = CONTEXT.get().tracer
    if tracer is not None:
        tracer.look_at(tensor)
        if slot is not None:
            tracer.leave_gradient(slot, gradient)
    elif slot is not None:
        slot.grad = gradient


def _new_slot() -> GradientSlot:
    slot = GradientSlot()
    if (tracer := CONTEXT.get().tracer) is not None:
        tracer.own_slot(slot)
    return slot


def _lift(node: Node) -> tuple[Any, ...]:
    """A node's saved values as tensors, each with the node that a gradient to it would reach."""
    saved = node.saved
    if saved is None:
        raise freed_meanwhile(node)
    assert node.recipe is not None

    def lifted(value: Any, source: Any) -> Any:
        if source is None:
            return value
        if source == OUT and isinstance(value, tuple):
            return in_container_of(value, [wrap(part, node_of_output(node, i)) for i, part in enumerate(value)])
        if isinstance(source, dict):
            return [wrap(m, node.parents[source[i]]) if i in source else m for i, m in enumerate(value)]
        return wrap(value, node if source == OUT else node.parents[source])

    return tuple(map(lifted, saved, node.recipe.sources))


def _own_array(data: Any, dtype: npt.DTypeLike | None) -> Array:
    """A copy of the user's data as an array of numbers."""
    if isinstance(data, Tensor):
        if data.requires_grad:
            data._refuse("copied into a new Tensor", "take .detach() first, or use the tensor itself")
        data = data._array()
    data = array_contents(data, "Tensor")
    try:
        if hasattr(type(data), "__array_function__") and not isinstance(data, np.ndarray):
            array = data.copy() if dtype is None else data.astype(dtype)
        else:
            array = np.array(data, dtype=dtype)
    except LostGradientError:
        raise LostGradientError(
            "Tensor: the list holds tensors that require a gradient, which a copy would lose; join them with np.stack"
        ) from None
    except (ValueError, TypeError) as error:
        raise (ValueError if isinstance(error, ValueError) else TypeError)(
            f"Tensor: expected an array of numbers{'' if dtype is None else f' that {np.dtype(dtype)} can hold'}, and "
            f"could not make one of the {type(data).__name__} given: {error}"
        ) from None
    if array.dtype.kind not in "fiubc":
        raise TypeError(f"Tensor: expected numbers, got an array of {array.dtype}; convert it with dtype=float")
    return array
