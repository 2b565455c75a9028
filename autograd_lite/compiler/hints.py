"""What a function says to a plan that is being recorded: `callback`, `constant`, `assume`, and what they are given."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn, TypeGuard, TypeVar

import numpy as np

from ..core.context import CONTEXT

Value = TypeVar("Value")


Array = np.ndarray[Any, Any]


class IndexCheck:
    """A callback that looks whether all integers of an array are from 0 to below a number, as machine code can too.

    A subclass says in `refuse` what is wrong.

    Parameters
    ----------
    stop : int
        The number.
    """

    def __init__(self, stop: int) -> None:
        self.stop = stop

    def __call__(self, values: Any) -> None:
        """Raise an error if an integer is out of range."""
        if not values.size:
            return
        # As unsigned numbers negative ones are large, so that one comparison finds both kinds. Of few numbers NumPy
        # finds the place of the largest in a quarter of the time that it takes for the largest itself.
        unsigned = values.view(_unsigned(values.dtype))
        if unsigned.item(unsigned.argmax()) >= self.stop:
            self.refuse(values, tuple(int(i) for i in np.argwhere((values < 0) | (values >= self.stop))[0]))

    def refuse(self, values: Any, where: tuple[int, ...]) -> NoReturn:
        """Raise the error for the first integer that is out of range, which is at this index."""
        raise IndexError(f"index {values[where]} at {list(where)} is out of range; expected 0 to {self.stop - 1}")


def looks_at_indices(function: Any) -> TypeGuard[IndexCheck]:
    """Whether a callback is an `IndexCheck` whose call is not one of its own."""
    return isinstance(function, IndexCheck) and type(function).__call__ is IndexCheck.__call__


@cache
def _unsigned(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(dtype.str.replace("i", "u"))


def callback(function: Callable[..., Any], /, *args: Any, writes: tuple[Any, ...] = (), **kwargs: Any) -> Any:
    """Call a function on plain arrays; within a compiled function, in every call of that.

    For what a plan cannot replay as NumPy calls: random numbers, a look at the values, a routine of another library.

    Parameters
    ----------
    function : callable
        Takes the arguments, and returns an array, several in a tuple, or None. In later calls their shapes and dtypes
        have to be the same.
    *args, **kwargs
        Arrays and anything else. A tensor is passed to NumPy functions, and not to this one: no gradient flows here.
    writes : tuple of array, default ()
        Those of the arguments that the function changes in place.

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
    """What a function without arguments gives; a plan applies only as long as that stays the same.

    For a flag that a program branches on.

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
