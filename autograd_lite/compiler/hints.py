"""With these a function informs the plan that is being recorded: `callback`, `constant`, `assume`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn, TypeGuard, TypeVar

import numpy as np

from ..core.context import CONTEXT

Value = TypeVar("Value")


Array = np.ndarray[Any, Any]


class IndexCheck:
    """A callback that checks that all integers of an array are from 0 to below a number; machine code can do the same.

    A subclass writes the error message in `refuse`.

    Parameters
    ----------
    stop : int
        The first number that is too large.
    """

    def __init__(self, stop: int) -> None:
        self.stop = stop

    def __call__(self, values: Any) -> None:
        """Raise an error if an integer is out of range."""
        if not values.size:
            return
        # As unsigned numbers the negative ones are large, so one comparison finds both kinds. For few numbers `argmax`
        # takes a quarter of the time of `max`.
        unsigned = values.view(_unsigned(values.dtype))
        if unsigned.item(unsigned.argmax()) >= self.stop:
            self.refuse(values, tuple(int(i) for i in np.argwhere((values < 0) | (values >= self.stop))[0]))

    def refuse(self, values: Any, where: tuple[int, ...]) -> NoReturn:
        """Raise the error for the first integer that is out of range; `where` is its index."""
        raise IndexError(f"index {values[where]} at {list(where)} is out of range; expected 0 to {self.stop - 1}")


def looks_at_indices(function: Any) -> TypeGuard[IndexCheck]:
    """Whether a callback is an `IndexCheck` that does not override `__call__`."""
    return isinstance(function, IndexCheck) and type(function).__call__ is IndexCheck.__call__


@cache
def _unsigned(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(dtype.str.replace("i", "u"))


def callback(function: Callable[..., Any], /, *args: Any, writes: tuple[Any, ...] = (), **kwargs: Any) -> Any:
    """Call a function on plain arrays; within a compiled function, it is called in every replay.

    Use it for everything that a plan cannot replay as NumPy calls: drawing random numbers, printing values, calling
    another library.

    Parameters
    ----------
    function : callable
        Takes the arguments, and returns an array, a tuple of arrays, or None. In later calls the shapes and dtypes of
        its results have to be the same.
    *args, **kwargs
        Arrays and any other objects. Pass arrays and not tensors: no gradient flows through a callback.
    writes : tuple of array, default ()
        The arguments that the function changes in place.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import callback, compile
    >>> rng = np.random.default_rng(0)
    >>> @compile
    ... def noisy(x):
    ...     return x + callback(rng.normal, size=x.shape)
    >>> noisy(np.zeros(3)), noisy(np.zeros(3))
    (array([ 0.12573022, -0.13210486,  0.64042265]), array([ 0.10490012, -0.53566937,  0.36159505]))
    """
    tracer: Any = CONTEXT.get().tracer
    if tracer is None:
        return function(*args, **kwargs)
    return tracer.callback(function, args, kwargs, writes)


def is_traced() -> bool:
    """Whether the calls of this thread are being traced for a compiled function."""
    return CONTEXT.get().tracer is not None


def constant(array: Array) -> Any:
    """An array that nobody is going to change; a plan then computes once what follows from it alone."""
    tracer: Any = CONTEXT.get().tracer
    return array if tracer is None else tracer.constant(array)


def assume(read: Callable[[], Value]) -> Value:
    """Call a function without arguments, and return its value; a plan applies only while the value stays the same.

    Use it for a flag that a program branches on.

    Parameters
    ----------
    read : callable
        Called now, and in every call of the compiled function.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import assume, compile
    >>> settings = {"scale": 2.0}
    >>> scaled = compile(lambda x: x * assume(lambda: settings["scale"]))
    >>> first = scaled(np.ones(2))
    >>> settings["scale"] = 3.0
    >>> first, scaled(np.ones(2))
    (array([2., 2.]), array([3., 3.]))
    """
    tracer: Any = CONTEXT.get().tracer
    return read() if tracer is None else tracer.assume(read)
