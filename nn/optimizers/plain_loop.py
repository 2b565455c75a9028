"""The plain loop: parameters with their options and states, and a step of each by the formula of an optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, ClassVar

import numpy as np

from autograd_lite import Tensor
from autograd_lite.extend import flush_subnormal, is_leaf

from .groups import Group, as_groups
from .state import Array, Draft, State, is_flushed


class PlainLoop:
    """What a step needs to know of an optimizer, and the step that all faster ones agree with to the bit."""

    decoupled_weight_decay: ClassVar[bool] = False
    """Whether ``weight_decay`` shrinks the weights themselves; otherwise it is an L2 penalty in the gradient."""

    def __init__(self, params: Iterable[Any], **options: Any) -> None:
        self.groups: list[Group] = []
        self._names: dict[Tensor, str] = {}
        self._options: dict[Tensor, dict[str, Any]] = {}
        for members, changes in as_groups(self._title, params):
            unknown = changes.keys() - options.keys()
            if unknown:
                raise TypeError(
                    f"{self._title}: a group has the unknown options {sorted(unknown)}; expected some of "
                    f"{sorted(options)}"
                )
            tensors = [self._register(name, parameter) for name, parameter in members]
            self.groups.append(Group(self._title, tensors, {**options, **changes}))
            self._options.update(dict.fromkeys(tensors, self.groups[-1].data))
        if not self._names:
            raise ValueError(f"{self._title}: there are no parameters to optimize")
        self._states = {parameter: State() for parameter in self._names}
        # What faster steps keep here: how they have laid the states, for which arrays, and programs of the formula.
        self._cohorts: list[Any] | None = None
        self._signature: list[Any] = []
        self._formulas: list[Any] = []

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in vars(self) and hasattr(type(self), name):
            self._cohorts = None  # steps that are prepared know what the class has under this name

    def update(self, w: Any, g: Any, state: Any, t: Any, options: Any) -> Any:
        """The new weights of one parameter: what a subclass defines.

        Where this is arithmetic of arrays and numbers alone, elementwise, it is called once to see what it does, and
        then many parameters are updated at once by NumPy or by machine code, to the same bits. It may call methods of
        its class for this, but must read no other attributes and no variables from elsewhere. All else that an update
        does, such as reductions or random numbers, is right too, parameter by parameter.

        Parameters
        ----------
        w : array
            The weights, in the parameter's shape (a number's is ``(1,)``).
        g : array
            Their gradient, with the L2 penalty in it if there is one. Not to be written to.
        state : mapping
            Arrays by their names, such as ``state["velocity"]``, that are zero at first. New ones are assigned. (For
            the names `update` is also called on arrays without elements.)
        t : int
            Number of this step of the parameter, from 1.
        options : mapping
            Those of the group.

        Returns
        -------
        array
            In the shape of `w`.
        """
        raise NotImplementedError("an optimizer defines its formula: define update(self, w, g, state, t, options)")

    def _plain_step(self, has_gradient: Sequence[bool], weights: Sequence[Array], gradients: Sequence[Array]) -> None:
        """A step of every parameter that has a gradient, by the formula itself."""
        self._cohorts = None
        for parameter, array, gradient in zip(compress(self._names, has_gradient), weights, gradients, strict=True):
            options, state = self._options[parameter], self._states[parameter]
            w, g, t = np.atleast_1d(array), np.atleast_1d(gradient).view(), state.steps + 1
            g.flags.writeable = False
            if is_flushed(t, options):
                flush_subnormal(state.arrays.values())
            draft = Draft(w, state.arrays)
            new = self._decayed_update(w, g, draft, t, options)
            self._check_shapes(w, new, draft)
            state.steps = t
            state.keep(draft, w.dtype)
            w[...] = new

    def _decayed_update(self, w: Any, g: Any, state: Any, t: Any, options: Any) -> Any:
        """`update` with weight decay."""
        decay = options.get("weight_decay", 0)
        if decay and type(self).decoupled_weight_decay:
            w = w * (1 - options["lr"] * decay)
        elif decay:
            g = g + decay * w
        return self.update(w, g, state, t, options)

    def _check_shapes(self, w: Array, new: Any, state: Mapping[str, Any]) -> None:
        for value, what in ((new, "return the new weights"), *((x, f"leave state[{n!r}]") for n, x in state.items())):
            if not isinstance(value, np.ndarray) or value.shape != w.shape:
                given = f"shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
                raise TypeError(f"{self._title}: update must {what}, an array of shape {w.shape}; got {given}")

    @property
    def _title(self) -> str:
        return type(self).__name__

    def _register(self, name: str | None, parameter: Any) -> Tensor:
        name = str(len(self._names)) if name is None else name
        where = f"{self._title}: the parameter {name!r}"
        if not isinstance(parameter, Tensor):
            raise TypeError(f"{where} must be a Tensor, not {type(parameter).__name__}")
        if not is_leaf(parameter):
            state = "requires no gradient" if parameter.node is None else "is the result of a call"
            raise TypeError(f"{where} {state}; only leaves that require a gradient can be optimized")
        if parameter.dtype.kind == "c":
            raise TypeError(f"{where} is complex; optimize its real and its imaginary part as two parameters")
        if parameter in self._names:
            raise ValueError(f"{where} was given before, as {self._names[parameter]!r}; give each parameter once")
        if name in self._names.values():
            raise ValueError(f"{self._title}: two parameters have the name {name!r}")
        self._names[parameter] = name
        return parameter
