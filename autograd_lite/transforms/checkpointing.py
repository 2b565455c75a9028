"""`checkpoint`: intermediate values are computed again in the backward pass, instead of being kept.

Chen et al., *Training deep nets with sublinear memory cost*, 2016.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import wraps
from typing import Any

import numpy as np

from ..core.context import THREAD
from ..core.dispatch import bare, recorded_result
from ..core.rule import Mask, Rule
from ..core.tensor import Tensor
from ..core.tree import flatten, mapped
from ..errors import GradientError
from .batching import BatchLevel
from .forward import ForwardLevel
from .interpreter import Level, Traced, innermost_level
from .reverse import ReverseLevel


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which keeps only its arguments for the backward pass, and is run again in it.

    If the parts of a network are checkpointed, only the values between the parts are kept, and in the backward pass the
    values within one part, for the cost of one more forward computation. Parts may have checkpointed parts. The
    gradients are the same to the last bit. Tensors that the function uses but does not take as arguments, such as a
    module's parameters, get their gradients too.

    Parameters
    ----------
    f : callable
        A function of arrays, or a module, that returns one array. It must compute the same when it is run again, so
        draw random numbers outside of it.

    Returns
    -------
    callable
        With the parameters of ``f``.

    Raises
    ------
    TypeError
        When called, if ``f`` does not return one array.
    GradientError
        In the backward pass, if ``f`` then computes another result.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import Tensor
    >>> from autograd_lite.transforms import checkpoint
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> layer = checkpoint(lambda x: x * w)
    >>> layer(layer(np.array([0.5, 0.5]))).sum().backward()
    >>> w.grad
    Tensor([1., 2.], shape=(2,), dtype=float64)
    """
    if not callable(f):
        raise TypeError(f"checkpoint: expected a function, got {f!r}")

    @wraps(f, updated=())
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        context, running = THREAD.context, innermost_level()
        if context.paused >= context.depth or isinstance(running, ForwardLevel | BatchLevel):
            return f(*args, **kwargs)
        leaves, rebuild = flatten((args, kwargs))
        given = [i for i, leaf in enumerate(leaves) if _is_floating(leaf)]

        def run(inputs: Sequence[Any]) -> Any:
            replaced = list(leaves)
            for i, value in zip(given, inputs, strict=True):
                replaced[i] = value
            args, kwargs = rebuild(replaced)
            return f(*args, **kwargs)

        return _Part(run, getattr(f, "__name__", type(f).__name__), running).forward([leaves[i] for i in given])

    return checkpointed


class _Part:
    """One call of a checkpointed function.

    Attributes
    ----------
    run : callable
        The function; it takes a list of its floating-point arguments.
    name : str
        Its name, for messages.
    owner : Level or None
        The level in whose graph the call is recorded; None outside of all transforms.
    given : int
        The number of arguments; tensors that the function found elsewhere come after them.
    """

    def __init__(self, run: Callable[[Sequence[Any]], Any], name: str, owner: Level | None) -> None:
        self.run = run
        self.name = name
        self.owner = owner
        self.given = 0
        self.checksum: int | None = None

    def forward(self, arguments: list[Any]) -> Any:
        """The result, recorded as one call; the graph within the call is dropped."""
        self.given = len(arguments)
        with _Capturing(self.owner) as level:
            out = self.run([level.input(level.outside(a)) for a in arguments])
        if not level.owns(out):
            if isinstance(out, Tensor) or not hasattr(out, "dtype"):
                self._check(out)
            return out
        self.checksum = _checksum(out._data)
        tensors = [*arguments, *level.captured]
        members = tuple(i for i, tensor in enumerate(tensors) if level.belongs_outside(tensor))
        if not members:
            return out._data if isinstance(out._data, Tensor) else Tensor(out._data)
        return self._recorded(tensors, members, out._data)

    def _recorded(self, tensors: list[Any], members: tuple[int, ...], out: Any) -> Any:
        """The result in the graph of the owner, or outside of all transforms."""
        mask: Mask = ((0, members),)
        if self.owner is not None:
            return self.owner.record(_RECOMPUTING, mask, (tensors, self), out, (), {})
        parents = tuple(tensors[member]._node for member in members)
        return recorded_result(_RECOMPUTING.recipe(mask), parents, (bare(tensors), self), out)

    def pull(self, g: Any, values: Sequence[Any], members: Sequence[int]) -> list[Any]:
        """The cotangents of the members, from the graph that is made by running the function again."""
        with self.owner or nullcontext(), _Capturing(self.owner, values[self.given :]) as level:
            arguments = [level.input(value) for value in values[: self.given]]
            out = self.run(arguments)
        inputs = [*arguments, *level.inputs]
        if len(inputs) != len(values) or _checksum(level.lower(out)) not in (None, self.checksum):
            raise GradientError(
                f"checkpoint: {self.name} gave a different result when the backward pass ran it again. Draw random "
                "numbers outside of it and pass them in, and do not change what it reads before the backward pass"
            )
        found = level.pull(out, g, [inputs[i] for i in members], retain_graph=False)
        return [np.zeros_like(values[i]) if c is None else c for i, c in zip(members, found, strict=True)]

    def _check(self, out: Any) -> None:
        if not isinstance(out, Tensor):
            raise TypeError(f"checkpoint: {self.name} returned {type(out).__name__}; expected one array")


class _Capturing(ReverseLevel):
    """A level that turns tensors of the owner's graph into inputs when the function first uses them.

    Attributes
    ----------
    captured : list of Tensor
        These tensors, in the order of their first use.
    inputs : list of Traced
        The tensors of this level that replace them.
    """

    def __init__(self, owner: Level | None, values: Sequence[Any] | None = None) -> None:
        super().__init__("checkpoint")
        self.owner = owner
        self.values = values
        self.captured: list[Tensor] = []
        self.inputs: list[Traced] = []
        self._met: dict[Any, Traced] = {}

    def belongs_outside(self, value: Any) -> bool:
        """Whether a value is a tensor in the owner's graph."""
        if self.owner is None:
            return type(value) is Tensor and value.node is not None
        return self.owner.owns(value)

    def outside(self, value: Any) -> Any:
        """The value that a tensor of the owner's graph wraps; any other value is returned unchanged."""
        if type(value) is Tensor and (self.owner is None or value.node is None):
            return value._array()
        return self.owner.lower(value) if self.owner is not None else value

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call a function as on every level, with the owner's tensors replaced by inputs of this level."""
        return super().call(function, self._capture(args), self._capture(dict(kwargs)))

    def _capture(self, value: Any) -> Any:
        return mapped(self._captured, value)

    def _captured(self, value: Any) -> Any:
        if isinstance(self.owner, _Capturing):
            value = self.owner._captured(value)
        if self.belongs_outside(value):
            if value.node not in self._met:
                data = self.outside(value)
                if self.values is not None:
                    if len(self.captured) == len(self.values) or self.values[len(self.captured)].shape != data.shape:
                        raise GradientError(
                            "checkpoint: the function used other tensors when the backward pass ran it again"
                        )
                    data = self.values[len(self.captured)]
                self.captured.append(value)
                self._met[value.node] = self.input(data)
                self.inputs.append(self._met[value.node])
            return self._met[value.node]
        return value


def recomputed(values: Sequence[Any], part: _Part) -> Any:
    """The name of a checkpointed call in the graph; this function itself is never called."""
    raise NotImplementedError


_RECOMPUTING = Rule(recomputed, {"values": lambda g, values, part, members: part.pull(g, values, members)})


def _is_floating(leaf: Any) -> bool:
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype") and leaf.dtype.kind in "fc"


def _checksum(data: Any) -> int | None:
    """A checksum of a plain array, by which two results are compared; None for other data."""
    return zlib.crc32(np.ascontiguousarray(data).data) if isinstance(data, np.ndarray) else None
