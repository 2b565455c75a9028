"""`checkpoint`: intermediate values are computed again in the backward pass, instead of being kept.

Chen et al., *Training deep nets with sublinear memory cost*, 2016.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import wraps
from typing import Any, NoReturn

import numpy as np

from ..core.context import CONTEXT
from ..core.dispatch import bare, recorded_result
from ..core.operands import is_array
from ..core.rule import Mask, Rule
from ..core.tensor import Tensor
from ..core.tree import flatten, mapped
from ..errors import GradientError
from ..formatting import name_of
from .batching import BatchLevel
from .forward import ForwardLevel
from .interpreter import Level, Traced, innermost_array, innermost_level
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
        A function of arrays, or a module, that returns an array or a tree of arrays. It must compute the same when it
        is run again: random numbers are drawn outside of it and passed in.

    Returns
    -------
    callable
        With the parameters of ``f``.

    Raises
    ------
    TypeError
        When called, if ``f`` returns something else than arrays.
    GradientError
        When called, if more checkpointed functions are within each other than an eighth of Python's recursion limit. In
        the backward pass, if ``f`` then calls other functions, on other numbers, or gives another result.

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
        context, running = CONTEXT.get(), innermost_level()
        if context.paused >= context.depth or isinstance(running, ForwardLevel | BatchLevel):
            return f(*args, **kwargs)
        if isinstance(running, _Capturing) and running.nesting >= (most := sys.getrecursionlimit() // FRAMES):
            raise GradientError(
                f"checkpoint: more than {most} checkpointed functions are within each other. Each takes up to {FRAMES} "
                "frames of Python's stack; nest them less, or raise the limit by sys.setrecursionlimit"
            )
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


FRAMES = 8
"""So many frames of Python's stack a checkpointed function takes at most, with the function itself."""


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
        The number of the arguments; tensors that the function found elsewhere come after them.
    seen : list
        What the function did in the first run, which it has to do again.
    """

    def __init__(self, run: Callable[[Sequence[Any]], Any], name: str, owner: Level | None) -> None:
        self.run = run
        self.name = name
        self.owner = owner
        self.given = 0
        self.seen: list[Seen] = []

    def forward(self, arguments: list[Any]) -> Any:
        """The result, recorded as one call; the graph within the call is dropped."""
        self.given = len(arguments)
        with _Capturing(self.owner) as level:
            result = self.run([level.input(level.outside(a)) for a in arguments])
        outs, rebuild = flatten(result)
        for out in outs:
            if not isinstance(out, Tensor | int | float | complex) and not is_array(out):
                raise TypeError(
                    f"checkpoint: {self.name} returned {type(out).__name__}; expected an array, or a tree of arrays"
                )
        owned = [i for i, out in enumerate(outs) if level.owns(out)]
        self.seen = level.seen_with_results([outs[i] for i in owned])
        if isinstance(self.owner, _Capturing):
            self.owner.seen.append((self.name, hash(tuple(self.seen))))
        if not owned:
            return result
        for i, computed in zip(owned, self._recorded(arguments, level, [outs[i]._value for i in owned]), strict=True):
            outs[i] = computed
        return rebuild(outs)

    def _recorded(self, arguments: list[Any], level: _Capturing, outs: list[Any]) -> Sequence[Any]:
        """The results in the graph of the owner, or outside of all transforms."""
        tensors = [*arguments, *level.captured]
        members = tuple(i for i, tensor in enumerate(tensors) if level.belongs_outside(tensor))
        if not members:
            return [out if isinstance(out, Tensor) else Tensor(out) for out in outs]
        mask: Mask = ((0, members),)
        out = outs[0] if len(outs) == 1 else tuple(outs)
        if self.owner is not None:
            recorded = self.owner.record(_RECOMPUTING, mask, (tensors, self), out, (), {})
        else:
            parents = tuple(tensors[member]._node for member in members)
            recorded = recorded_result(_RECOMPUTING.recipe(mask), parents, (bare(tensors), self), out)
        return [recorded] if len(outs) == 1 else recorded

    def pull(self, g: Any, values: Sequence[Any], members: Sequence[int]) -> list[Any]:
        """The cotangents of the members, from the graph that is made by running the function again."""
        with self.owner or nullcontext(), _Capturing(self.owner, values[self.given :]) as level:
            arguments = [level.input(value) for value in values[: self.given]]
            result = self.run(arguments)
        outs, inputs = [out for out in flatten(result)[0] if level.owns(out)], [*arguments, *level.inputs]
        self._compare(level.seen_with_results(outs), len(inputs) == len(values))
        chosen = [inputs[i] for i in members]
        totals: list[Any] = [None] * len(chosen)
        for out, cotangent in zip(outs, g if isinstance(g, tuple) else (g,), strict=True):
            found = level.pull(out, cotangent, chosen, retain_graph=len(outs) > 1)
            totals = [b if a is None else a if b is None else a + b for a, b in zip(totals, found, strict=True)]
        return [np.zeros_like(values[i]) if c is None else c for i, c in zip(members, totals, strict=True)]

    def _compare(self, again: list[Seen], finds_the_same_tensors: bool) -> None:
        """Refuse a second run that did something else than the first."""
        for (name, numbers), (other, others) in zip(self.seen, again, strict=False):
            if name != other and _RESULT in (name, other):
                self._refuse(f"it made {len(self.seen) - 1} calls the first time, and makes {len(again) - 1} now")
            if name != other:
                self._refuse(f"{name} was called the first time where {other} is now")
            if numbers != others:
                self._refuse(f"{name} has other numbers now")
        if not finds_the_same_tensors:
            self._refuse("it uses other tensors now")

    def _refuse(self, difference: str) -> NoReturn:
        raise GradientError(
            f"checkpoint: {self.name} computed something else when the backward pass ran it again: {difference}. Draw "
            "random numbers outside of it and pass them in as arguments, let no counter, clock or mode decide what it "
            "does, and change nothing in between that it reads"
        )


_RESULT = "its result"

Seen = tuple[str, int]
"""The name of a function that was called, and a checksum of the constants that it was given."""


class _Capturing(ReverseLevel):
    """A level that turns tensors of the owner's graph into inputs when the function first uses them.

    Attributes
    ----------
    captured : list of Tensor
        These tensors, in the order of their first use.
    inputs : list of Traced
        What stands for them on this level.
    seen : list
        The calls that were made, each with a checksum of the constants that it was given: a random number that the
        function has drawn is one of them. A result alone would not tell, since what is drawn may be multiplied by 0.
    """

    def __init__(self, owner: Level | None, values: Sequence[Any] | None = None) -> None:
        super().__init__("checkpoint")
        self.owner = owner
        self.nesting: int = 1 + (owner.nesting if isinstance(owner, _Capturing) else 0)
        self.values = values
        self.captured: list[Tensor] = []
        self.inputs: list[Traced] = []
        self.seen: list[Seen] = []
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
        """As on every level, with the owner's tensors replaced by inputs of this one."""
        args, kwargs = self._capture(args), self._capture(dict(kwargs))
        self.seen.append((name_of(function), self._checksum((args, kwargs))))
        return super().call(function, args, kwargs)

    def seen_with_results(self, outs: list[Any]) -> list[Seen]:
        """What was done, and what came of it."""
        return [*self.seen, (_RESULT, self._checksum([out._value for out in outs]))]

    def _checksum(self, value: Any, start: int = 0) -> int:
        """What tells constants apart, in nested containers; not of objects, nor of long doubles, which are padded."""
        if isinstance(value, list | tuple):
            for member in value:
                start = self._checksum(member, start)
            return start
        if isinstance(value, dict):
            return self._checksum(list(value.items()), start)
        if isinstance(value, Tensor):
            value = "" if self.owns(value) else innermost_array(value)
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fiubc" and value.dtype.char not in "gG":
            start = zlib.crc32(f"{value.shape}{value.dtype}".encode(), start)
            return zlib.crc32(np.ascontiguousarray(value).data, start)
        return zlib.crc32(repr(value).encode() if isinstance(value, _READABLE) else b"", start)

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
                            "checkpoint: the function uses other tensors when it is run again in the backward pass. "
                            "Let no random number, counter, clock or mode decide which"
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


_READABLE = (bool, int, float, complex, str, bytes, slice, type(None), type(...))
"""Types that say in their text what they are."""
