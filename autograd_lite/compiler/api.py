"""`compile`: a function that is recorded once for given shapes, and then replayed in buffers of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from functools import update_wrapper
from threading import RLock, get_ident
from types import MethodType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np

from ..core.context import CONTEXT, trace
from ..core.graph import Leaf
from ..core.tensor import Tensor, wrap
from ..core.tree import mapped, too_deep
from ..formatting import name_of
from .array_layout import Array, Layout, OtherLayout
from .native import Jit, is_installed
from .outside import Outside
from .overlap import is_plain

if TYPE_CHECKING:
    from .plan import Plan


def compile(
    function: Callable[..., Any] | None = None,
    /,
    *,
    jit: Jit | None = None,
    max_plans: int = 16,
    watch_randomness: bool = True,
) -> Any:
    """Make a function of arrays that records its calls once, and then replays them in buffers of its own.

    The first call with arrays of given shapes and dtypes runs the function, and records every NumPy call that it makes:
    of a model, of the backward pass, of an optimizer. Later calls replay that list with ``out=``, into memory that was
    planned before: there is no graph, no `Tensor` and no new array, and the results are the same to the bit.

    Parameters
    ----------
    function : callable
        The function; it takes arrays, alone or in nested tuples, lists and dicts, and also tensors, models and other
        objects. Without it, `compile` returns a decorator. Numbers, strings and objects are part of the program: for
        other ones the function is recorded again. Pass a number that changes from call to call as an array of shape ().
    jit : bool or "exact", optional
        Whether segments of the plan are run by machine code, which fuses operations; needs Numba (the ``jit`` extra).
        By default machine code is used if Numba is installed. Its `exp` and `log` are within 1 unit in the last place
        of the exact values, and NumPy's own within 4, so their last digits differ; all other operations give NumPy's
        results to the bit, but no warnings. The code is compiled once on a machine, and then kept. "exact" leaves `exp`
        and `log` to NumPy, and uses the code only if it has been compiled on this machine before.
    max_plans : int, default 16
        The largest number of plans that are kept, one for each combination of shapes, dtypes and such objects; beyond
        it, the least recently used plan is dropped.
    watch_randomness : bool, default True
        Whether random numbers that are not drawn by `callback` are refused. To find them, the generators that the
        function can reach, NumPy's global one included, are watched while it is recorded; no other thread may draw from
        them meanwhile. Pass False for a function that is known to draw none.

    Returns
    -------
    CompiledFunction
        Is called like the function. Tensors that it returns belong to no graph.

    Raises
    ------
    CompileError
        When it is called, if a replay could give other results than the function, with the line: where a value is read
        into Python (``if loss > 3``), random numbers are drawn otherwise than by `callback`, or a graph is returned; in
        a later call where a shape that follows from numbers is another, after the call has written to an array.
    TypeError
        If `function` is not a function.
    ModuleNotFoundError
        If ``jit=True`` and Numba is not installed.

    Notes
    -----
    Arrays and tensors that the function finds outside are read anew in every call, and tensors may be assigned other
    arrays. Where it looked (variables around it, globals, attributes, elements of lists, tuples, sets and dicts) is
    looked at in every call: another tensor, array, number, text or function there records it anew, as other shapes do
    that follow from numbers (``x[mask]``), and arguments that overlap where one is written to. A number that changes in
    every call is passed as an array. Not looked at are places that code reaches otherwise, such as ``globals()`` or C,
    places that are found by a profiler's run (which takes the interpreter's announcements for itself), numbers that
    the function changes itself, and what callbacks alone use. The options of `nn`'s optimizers, dropout and
    normalisations are followed without recording anew.

    What else Python does in the function, such as appending to a list or printing, happens once; so does a computation
    on plain arrays in which no argument and no tensor takes part. ``requires_grad``, hooks, whether a gradient was
    there, and whether a module is in training are looked at in every call.

    Gradients that the function leaves in ``.grad`` lie end to end in one flat array of the plan, which the next call
    overwrites. It overwrites nothing else: results are copies.

    Within another compiled function, within a transform, and for tensors that are results in a graph, masked arrays,
    arrays of objects and arrays at odd addresses, the function is called as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import Tensor, compile
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> @compile
    ... def step(x, y):
    ...     w.zero_grad()
    ...     loss = ((x @ w - y) ** 2).mean()
    ...     loss.backward()
    ...     w.data -= 0.1 * w.grad.data
    ...     return loss
    >>> x, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([3.0, 3.0])
    >>> [round(step(x, y).item(), 4) for _ in range(4)]
    [2.5, 2.025, 1.6403, 1.3286]
    >>> w.data
    array([1.6878, 2.3439])
    """
    if function is None:
        return lambda decorated: compile(decorated, jit=jit, max_plans=max_plans, watch_randomness=watch_randomness)
    if not callable(function):
        raise TypeError(f"compile: expected a function, got {function!r}")
    if not isinstance(max_plans, int) or isinstance(max_plans, bool) or max_plans < 1:
        raise ValueError(f"compile: max_plans must be at least 1, got {max_plans!r}")
    if not (jit is None or isinstance(jit, bool) or jit == "exact"):
        raise ValueError(f"compile: jit must be True, False, 'exact' or None, got {jit!r}")
    if jit is True and not is_installed():
        raise ModuleNotFoundError("compile: jit=True needs Numba; pip install 'autograd_lite[jit]', or leave jit out")
    return CompiledFunction(function, is_installed() if jit is None else jit, max_plans, watch_randomness)


class CompiledFunction:
    """A function with the plans that it has recorded; made by `compile`.

    Attributes
    ----------
    function : callable
        The function itself.
    plans : list of Plan
        The plans that are kept, the most recently used one last.
    """

    def __init__(self, function: Callable[..., Any], jit: Jit, max_plans: int, watch_randomness: bool) -> None:
        update_wrapper(self, function)
        self.function = function
        self._name = name_of(function) if hasattr(function, "__name__") else type(function).__name__
        self._jit, self._max_plans, self._watch_randomness = jit, max_plans, watch_randomness
        self._known: dict[Any, CacheEntry] = {}
        self._latest: CacheEntry | None = None
        self._beside: CompiledFunction | None = None
        self._start()
        _ALL.add(self)

    def _start(self) -> None:
        """Be called by no thread."""
        self._lock = RLock()
        self._runner = 0
        self._outside = Outside(self._lock)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """The compiled method of an object."""
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> tuple[Any, ...]:
        return CompiledFunction, (self.function, self._jit, self._max_plans, self._watch_randomness)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function gives."""
        context = CONTEXT.get()
        if not context.is_plain or context.interpreter is not None:
            return self.function(*args, **kwargs)
        entry, arrays = self._latest, args
        if entry is None or kwargs or not entry.matches(args):
            call = _Arguments()
            try:
                key = context.recording, call.key_of(args), call.key_of(kwargs) if kwargs else None
            except RecursionError:
                raise too_deep() from None
            if call.is_left_alone:
                return self.function(*args, **kwargs)
            entry, arrays = self._known.get(key) or CacheEntry(key, call, args, kwargs), tuple(call.arrays)
        while True:
            with self._lock:
                runner = self._runner
                if not runner:
                    try:
                        self._runner = get_ident()
                        return self._replayed(entry, arrays, args, kwargs)
                    finally:
                        self._runner = 0
            if runner == get_ident():  # called by its own callback, while the plan's memory is in use
                return self.function(*args, **kwargs)
            # A callback may wait for whatever it likes, this call among it. So if it lasts, the call is one of a
            # function that does the same and has plans, and memory, of its own.
            if not self._callback_ends_soon():
                return self._twin()(*args, **kwargs)

    def _callback_ends_soon(self) -> bool:
        """Wait for the callback that another thread is in, and say whether it ended."""
        callback, end = self._outside.callback, time.monotonic() + PATIENCE
        while self._outside.callback is callback:
            if time.monotonic() >= end:
                return False
            time.sleep(PATIENCE / 20)
        return True

    def _twin(self) -> CompiledFunction:
        """The same function with plans and memory of its own."""
        if self._beside is None:
            self._beside = CompiledFunction(self.function, self._jit, self._max_plans, self._watch_randomness)
        return self._beside

    def _replayed(self, entry: CacheEntry, arrays: Sequence[Array], args: Any, kwargs: Any) -> Any:
        if entry is not self._latest:
            if entry.key in self._known:
                entry = self._known[entry.key] = self._known.pop(entry.key)
            self._latest = entry
        for plan in entry.plans:
            if plan.guards_hold():
                try:
                    return plan.replay(*arrays)
                except OtherLayout:
                    continue
        return self._record(entry, arrays, args, kwargs)

    @property
    def plans(self) -> list[Plan]:
        """The plans that are kept, the most recently used one last."""
        return [plan for entry in self._known.values() for plan in entry.plans]

    def __repr__(self) -> str:
        return f"<compiled {self._name}, {len(self.plans)} plans>"

    def _repr_html_(self) -> str | None:
        """What notebooks show: the tables of the plans; None, so that they show the text, if there is none yet."""
        return "".join(plan._repr_html_() for plan in self.plans) or None

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.plans)) or f"{self._name}: not called yet, so there is no plan"

    # ---- within ----

    def _record(self, entry: CacheEntry, arrays: Sequence[Array], args: Any, kwargs: Any) -> Any:
        # Imported with the first plan, since most programs compile nothing.
        from .plan import Plan
        from .trace.outputs import outputs_of, plain
        from .trace.tracer import Tracer

        if not all(array.flags.aligned for array in arrays):
            return self.function(*args, **kwargs)
        roots = (self.function, args, kwargs) if self._watch_randomness else None
        tracer = Tracer(self._name, roots, self._outside)
        inputs = iter([tracer.argument(array, i) for i, array in enumerate(arrays)])

        def recorded() -> tuple[Any, Any]:
            trace(tracer)
            with tracer.watching():
                result = self.function(*_with_inputs(args, inputs), **_with_inputs(kwargs, inputs))
            outputs = outputs_of(result, tracer)
            tracer.finish()
            return result, outputs

        try:
            # A context of its own ends at once where the function is interrupted, and the tracer with it.
            result, outputs = copy_context().run(recorded)
        finally:
            tracer.release()
        if not tracer.is_replayable():
            tracer.forget()
            return plain(result)
        tracer.look_around(self.function, entry.objects)
        plan = Plan(tracer, len(arrays), outputs, self._jit)
        tracer.forget()
        while len(self.plans) >= self._max_plans:
            oldest = next(iter(self._known.values()))
            oldest.plans.pop(0)
            if not oldest.plans:
                del self._known[oldest.key]
        entry.plans.append(plan)
        self._known[entry.key] = entry
        return plain(result)


PATIENCE = 0.02
"""Seconds for which another thread's callback has to last until a call no longer waits for it."""

_ALL: WeakSet[CompiledFunction] = WeakSet()


def _start_in_child() -> None:
    """Forget the calls of other threads, of which a forked process has none, and the plans that they were in."""
    for function in _ALL:
        if function._runner != get_ident():
            function._start()
            function._known, function._latest, function._beside = {}, None, None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_in_child)


class CacheEntry:
    """The plans for calls whose arguments are alike.

    Parameters
    ----------
    key : hashable
        Everything that the calls have in common.
    call : _Arguments
    args : tuple
    kwargs : dict
    """

    def __init__(self, key: Any, call: _Arguments, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.key = key
        self.plans: list[Plan] = []
        self.objects = call.objects  # kept, since the key has what `id` gives for them
        self._is_recording = CONTEXT.get().recording
        is_told = not kwargs and all(type(array) is np.ndarray for array in args)
        self._matches = _comparison([Layout.of(array) for array in args]) if is_told else None

    def matches(self, args: tuple[Any, ...]) -> bool:
        """Whether these arguments are alike: told of arrays alone, in a fraction of the time that a key takes."""
        return self._matches is not None and CONTEXT.get().recording == self._is_recording and self._matches(args)


def _comparison(layouts: Sequence[Layout]) -> Callable[[tuple[Any, ...]], bool]:
    """A function, written for these layouts, that says whether arguments are arrays with the layouts.

    Compiled steps of small networks take 4 to 7 % longer when a key is made in every call.
    """
    looks = [f"len(x) == {len(layouts)}"]
    for i, (shape, _, strides) in enumerate(layouts):
        looks += [f"type(x[{i}]) is ndarray", f"x[{i}].dtype is dtypes[{i}]"]
        looks += [f"x[{i}].shape == {shape}", f"x[{i}].strides == {strides}"]
    source = f"lambda x: {' and '.join(looks)}"
    scope = {"ndarray": np.ndarray, "dtypes": [dtype for _, dtype, _ in layouts]}
    made: Callable[[tuple[Any, ...]], bool] = eval(source, scope)
    return made


class _Arguments:
    """The arguments of a call: the arrays among them, and everything else as a key.

    `is_left_alone` says that the function is to be called as it is: a tensor is in a graph, or there is a masked array.
    """

    def __init__(self) -> None:
        self.arrays: list[np.ndarray[Any, Any]] = []
        self.objects: list[Any] = []
        self.is_left_alone = False

    def key_of(self, tree: Any) -> Any:
        """The part of the arguments that has to be the same for a plan to apply, as a key."""
        kind = type(tree)
        if kind is np.ndarray:
            self.arrays.append(tree)
            self.is_left_alone = self.is_left_alone or tree.dtype.hasobject
            return tree.shape, tree.strides, tree.dtype
        if isinstance(tree, np.ndarray):
            self.is_left_alone = self.is_left_alone or not is_plain(tree)
            return self.key_of(tree.view(np.ndarray))
        if kind is tuple or kind is list:
            return kind, *map(self.key_of, tree)
        if kind is dict:
            return kind, *((name, self.key_of(member)) for name, member in tree.items())
        if isinstance(tree, np.generic):
            return np.generic, self.key_of(np.asarray(tree))
        if isinstance(tree, tuple) and hasattr(tree, "_make"):
            return kind, *map(self.key_of, tree)
        if kind is Tensor and tree.node is None:
            return kind, self.key_of(tree.data)
        if isinstance(tree, Tensor) and not isinstance(tree.node, Leaf):
            self.is_left_alone = True
        if kind is float or kind is complex:
            return kind, repr(tree)  # repr distinguishes -0.0 from 0.0, and a NaN equals itself
        if kind in (int, bool, str, bytes, type(None)):
            return kind, tree
        self.objects.append(tree)
        return kind, id(tree)


def _with_inputs(tree: Any, inputs: Iterator[Any]) -> Any:
    """The arguments with traced arrays in place of the arrays."""

    def one(member: Any) -> Any:
        if isinstance(member, np.ndarray | np.generic):
            entered = next(inputs)
            entered.is_scalar = isinstance(member, np.generic)
            return entered
        if type(member) is Tensor and member.node is None:
            return wrap(next(inputs))
        return member

    return mapped(one, tree)
