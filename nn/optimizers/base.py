"""`Optimizer`: what all methods share, and how a user meets it: options, steps, saving."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import compress
from operator import attrgetter, setitem
from typing import Any, ClassVar

import numpy as np

from autograd_lite import GradientError, Tensor, callback
from autograd_lite.extend import (
    Answering,
    Change,
    Recurrences,
    announce_change,
    announcement,
    answering,
    arrays_of,
    commit,
    end_of_change,
    flush_subnormal,
    is_leaf,
    is_traced,
    overlap,
)

from .. import habits
from .fused import FusedStep
from .groups import Group, as_groups
from .state import Array, State


class Optimizer(Answering):
    """What all optimizers share: parameter groups, state, and the loop of a step.

    A subclass defines `update`: the formula of its paper. It needs an `__init__` of its own only to give its options
    default values. Now and then, state that has decayed to subnormal numbers (that of a rectified unit that never
    fires) is set to zero.

    Parameters
    ----------
    params : iterable
        Tensors, or pairs of a name and a tensor such as ``model.named_parameters()``, or dicts, each a group: its
        ``"params"``, and the options in which it differs from the others (weight decay on the weights and not on the
        biases, say).
    **options
        The options of all groups that do not say otherwise.

    Attributes
    ----------
    groups : list of Group
        Each a mapping of its ``"params"`` and its options. Options can be assigned at any time,
        ``optimizer.groups[0]["lr"] = 0.1``, and are checked then.

    Raises
    ------
    ValueError
        If there are no parameters, one stands twice, or an option is out of its range.
    TypeError
        If a parameter is not a leaf tensor that requires a gradient, or an option is unknown or no number.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> class Momentum(Optimizer):
    ...     def update(self, w, g, state, t, options):
    ...         v = state["velocity"] = options["beta"] * state["velocity"] + g
    ...         return w - options["lr"] * v
    >>> w = Tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Momentum([w], lr=0.1, beta=0.9)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.8, -1.6])
    """

    _attributes, _keywords = habits.OPTIMIZER, habits.OPTIMIZER_KEYWORDS

    decoupled_weight_decay: ClassVar[bool] = False
    """Whether ``weight_decay`` shrinks the weights themselves; otherwise it is an L2 penalty in the gradient."""

    def __init__(self, params: Iterable[Any], **options: Any) -> None:
        self.groups: list[Group] = []
        self._states: dict[Tensor, State] = {}
        for members, changes in as_groups(self._title, params):
            unknown = changes.keys() - options.keys()
            if unknown:
                raise TypeError(
                    f"{self._title}: a group has the unknown options {sorted(unknown)}; expected some of "
                    f"{sorted(options)}"
                )
            group = Group(self._title, [parameter for _, parameter in members], {**options, **changes})
            for name, parameter in members:
                self._register(name, parameter, group.data)
            self.groups.append(group)
        if not self._states:
            raise ValueError(f"{self._title}: there are no parameters to optimize")
        # What fused steps keep here: programs of `update`, and how they have laid the states, for which arrays.
        self._fused: FusedStep | None = None
        self._formulas = Recurrences()
        self._cohorts: list[Any] | None = None
        self._signature: list[Any] = []

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

    # ---- training ----

    @property
    def lr(self) -> float:
        """The learning rate; assigned, it is that of all groups.

        Raises
        ------
        ValueError
            When read while groups differ: read ``groups[i]["lr"]`` then.
        """
        rates = {group["lr"] for group in self.groups}
        if len(rates) > 1:
            raise ValueError(
                f"{self._title}: groups have different learning rates, {sorted(rates)}; read groups[i]['lr']"
            )
        return float(rates.pop())

    @lr.setter
    def lr(self, rate: float) -> None:
        for group in self.groups:
            group["lr"] = rate

    @answering(habits.OPTIMIZER_KEYWORDS)
    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self._states:
            parameter.zero_grad()

    @answering(habits.OPTIMIZER_KEYWORDS, "call loss.backward() before it, and step() without arguments")
    def step(self) -> None:
        """Update every parameter that has a gradient; the others, and their state, stay as they are.

        The arrays change in place, and nothing is recorded. Graphs recorded before refuse their backward pass from
        then on. An interruption (Ctrl-C) leaves everything as it was, or makes the whole step.

        Raises
        ------
        GradientError
            If no parameter has a gradient, since then `backward` has not run.
        ValueError
            If a parameter's array is read-only. Nothing has changed then.
        """
        gradients = [parameter.grad for parameter in self._states]
        has_gradient = [gradient is not None for gradient in gradients]
        active = list(compress(self._states, has_gradient))
        if not active:
            raise GradientError(f"{self._title}: no parameter has a gradient; call backward() before step()")
        weights = tuple(arrays_of(active))
        if not all(map(_is_writeable, weights)):
            read_only = self._states[active[[*map(_is_writeable, weights)].index(False)]].name
            raise ValueError(
                f"{self._title}: the array of the parameter {read_only!r} is read-only, so it cannot be updated in "
                "place; assign a copy to its .data"
            )
        along = tuple(gradient.data for gradient in gradients if gradient is not None)
        how = "by an optimizer's step"
        if is_traced():
            announce_change(active, how)
            callback(FusedStep(self, has_gradient), weights, along, writes=weights)
            return
        if self._fused is None or self._fused.has_gradient != has_gradient:
            self._fused = FusedStep(self, has_gradient, is_kept=True)
        change, leaves = announcement(active, how)
        self._fused(weights, along, [change])
        end_of_change(active, leaves, how)

    def _plain_step(
        self, has_gradient: Sequence[bool], weights: Sequence[Array], gradients: Sequence[Array]
    ) -> list[Change]:
        """The step by the formula itself, parameter by parameter, with which fused ones agree to the bit."""
        changes: list[Change] = []
        # Parameters that share memory are moved one after the other, each from where the others have left it.
        are_apart = all(isinstance(array, np.ndarray) for array in weights) and not overlap(weights)
        states = compress(self._states.values(), has_gradient)
        for state, array, gradient in zip(states, weights, gradients, strict=True):
            w, g, t = np.atleast_1d(array), np.atleast_1d(gradient).view(), state.steps + 1
            g.flags.writeable = False
            if state.is_flushed(t):
                flush_subnormal(state.arrays.values())
            draft = state.draft(w)
            new = self._decayed_update(w, g, draft, t, state.options)
            self._check_shapes(w, new, draft)
            changes += [*state.keeping(draft, w.dtype), (setitem, w, ..., new)]
            if not are_apart:
                commit(changes)
                changes = []
        return changes

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

    # ---- saving ----

    def state_dict(self) -> dict[str, Any]:
        """All that a later run needs to go on with the same bits.

        Returns
        -------
        dict
            ``groups.<i>.<option>``: the options; ``state.<name>.step``: the steps that a parameter has taken;
            ``state.<name>.<buffer>``: copies of its arrays. Parameters that were given without a name are numbered.

        Examples
        --------
        >>> from autograd_lite import Tensor
        >>> from nn import SGD
        >>> w = Tensor([1.0, -2.0], requires_grad=True)
        >>> SGD([("w", w)], lr=0.1, momentum=0.9).state_dict()
        {'groups.0.lr': 0.1, 'groups.0.momentum': 0.9, 'groups.0.nesterov': False, 'groups.0.weight_decay': 0.0,
         'state.w.step': 0, 'state.w.velocity': array([0., 0.])}
        """
        found = {
            f"groups.{i}.{key}": value for i, group in enumerate(self.groups) for key, value in group.options.items()
        }
        for group in self.groups:
            names = self._state_names(group.data)
            for parameter in group["params"]:
                found.update(self._states[parameter].saved(names))
        return found

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; all of it, or on an error nothing.

        Parameters
        ----------
        state : mapping
            As `state_dict` gives it, or as `numpy.load` gives it back after ``np.savez(file, **state)``. Arrays of
            another floating-point width are converted.

        Raises
        ------
        KeyError
            If entries are missing, or there are some that the optimizer has no place for.
        ValueError
            If an array has another shape than its parameter, or an option is out of its range.
        TypeError
            If it is no mapping, or a value in it no number or no array of numbers.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"{self._title}: a state is a dict as state_dict() gives it, not {type(state).__name__}")
        options = [
            group.checked({key: _plain(state.get(f"groups.{i}.{key}", x)) for key, x in group.options.items()})
            for i, group in enumerate(self.groups)
        ]
        expected = {f"groups.{i}.{key}" for i, given in enumerate(options) for key in given}
        names: dict[State, list[str]] = {}
        for group, given in zip(self.groups, options, strict=True):
            used = self._state_names(given)
            for own in (self._states[parameter] for parameter in group["params"]):
                names[own] = own.names_in(state, used)
                expected.update(own.prefix + name for name in ("step", *names[own]))
        missing, unexpected = expected - state.keys(), state.keys() - expected
        if missing or unexpected:
            lists = (", ".join(sorted(map(str, keys))) or "none" for keys in (missing, unexpected))
            raise KeyError(
                f"{self._title}: the state is of another optimizer or of other parameters "
                "(missing: {}; unexpected: {})".format(*lists)
            )
        read = {own: own.read(state, all_names, self._title) for own, all_names in names.items()}
        for group, given in zip(self.groups, options, strict=True):
            group.data.update(given)
        for own, (steps, arrays) in read.items():
            own.steps, own.arrays = steps, arrays
        self._cohorts = None

    def __repr__(self) -> str:
        lines = []
        for group in self.groups:
            options = ", ".join(f"{key}={value!r}" for key, value in group.options.items())
            count = sum(parameter.size for parameter in group["params"])
            lines.append(f"{self._title}({options})  # {len(group['params'])} tensors, {count:,} parameters")
        return "\n".join(lines)

    # ---- within ----

    @property
    def _title(self) -> str:
        return type(self).__name__

    def _register(self, name: str | None, parameter: Any, options: dict[str, Any]) -> None:
        name = str(len(self._states)) if name is None else name
        where = f"{self._title}: the parameter {name!r}"
        if not isinstance(parameter, Tensor):
            raise TypeError(f"{where} must be a Tensor, not {type(parameter).__name__}")
        if not is_leaf(parameter):
            state = "requires no gradient" if parameter.node is None else "is the result of a call"
            raise TypeError(f"{where} {state}; only leaves that require a gradient can be optimized")
        if parameter.dtype.kind == "c":
            raise TypeError(f"{where} is complex; optimize its real and its imaginary part as two parameters")
        if parameter in self._states:
            before = self._states[parameter].name
            raise ValueError(f"{where} was given before, as {before!r}; give each parameter once")
        if any(name == state.name for state in self._states.values()):
            raise ValueError(f"{self._title}: two parameters have the name {name!r}")
        self._states[parameter] = State(parameter, name, options)

    def _state_names(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """The arrays that an update reads or writes under these options, in that order."""
        w, g = np.zeros((2, 0))
        state: defaultdict[str, Any] = defaultdict(lambda: w)
        with np.errstate(all="ignore"), warnings.catch_warnings(), suppress(Exception):
            warnings.simplefilter("ignore")
            self._decayed_update(w, g, state, 1, options)
        return tuple(state)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in vars(self) and hasattr(type(self), name):
            # Steps that are prepared know what the class has under this name.
            self._cohorts, self._formulas = None, Recurrences()

    def __getstate__(self) -> dict[str, Any]:
        # A copy prepares its own steps, for its own arrays.
        return {**vars(self), "_fused": None, "_formulas": Recurrences(), "_cohorts": None}


_is_writeable = attrgetter("flags.writeable")


def _plain(option: Any) -> Any:
    """An option as it was saved: a file of arrays gives an array for every number."""
    plain = np.asarray(option).tolist() if isinstance(option, np.ndarray | np.generic) else option
    return tuple(plain) if isinstance(plain, list) else plain
