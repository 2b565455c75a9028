"""`Optimizer`: the loop over parameters, their groups, their state and the step count, which all methods share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, ClassVar

import numpy as np

from autograd_lite import GradientError, Tensor, callback
from autograd_lite.core.context import THREAD
from autograd_lite.core.graph import Leaf

from ..arguments import as_array
from .fused.blocks import Array, Block, Scratch, State, overlapping, packed
from .fused.pace import Pace
from .fused.updates import CompiledUpdate, DirectUpdate
from .groups import Group, as_groups, checked_options


class Optimizer:
    """What all optimizers share: parameter groups, state, and the loop of a step.

    A subclass passes its options on, names the state arrays that it needs in `buffers`, and defines `update`. Now and
    then, state that has decayed to subnormal numbers (that of a rectified unit that never fires) is set to zero.

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
    >>> class SignDescent(Optimizer):
    ...     def __init__(self, params, lr=0.1):
    ...         super().__init__(params, lr=lr)
    ...
    ...     def update(self, g, state, out, step, options):
    ...         return options["lr"] * np.sign(g)
    >>> w = Tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = SignDescent([w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.9, -1.9])
    """

    decoupled_weight_decay: ClassVar[bool] = False
    """Whether ``weight_decay`` shrinks the weights themselves; otherwise it is an L2 penalty in the gradient."""

    def __init__(self, params: Iterable[Any], **options: Any) -> None:
        self.groups: list[Group] = []
        self._names: dict[Tensor, str] = {}
        for members, changes in as_groups(self._title, params):
            unknown = changes.keys() - options.keys()
            if unknown:
                raise TypeError(
                    f"{self._title}: a group has the unknown options {sorted(unknown)}; expected some of "
                    f"{sorted(options)}"
                )
            tensors = [self._register(name, parameter) for name, parameter in members]
            self.groups.append(Group(self._title, tensors, {**options, **changes}))
        if not self._names:
            raise ValueError(f"{self._title}: there are no parameters to optimize")
        self._scratch = Scratch()
        self._blocks: list[tuple[Block, list[int]]] = []
        self._sharing: set[Tensor] = set()
        self._direct: DirectUpdate | None = None
        self._arrangement: tuple[Sequence[bool], list[tuple[str, ...]]] = ([], [])

    # ---- what a method defines ----

    def buffers(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of the state arrays that each parameter has under these options. They start as zeros."""
        return ()

    def update(self, g: Array, state: Sequence[Array], out: Array, step: int, options: Mapping[str, Any]) -> Array:
        """What is subtracted from some weights, elementwise: they can be a part of a parameter, or several parameters.

        Parameters
        ----------
        g : array, shape (N,)
            Their gradient, with the L2 penalty in it if there is one. Not to be written to.
        state : sequence of array, shape (N,)
            Their buffers, in the order of `buffers`; changed in place.
        out : array, shape (N,)
            Memory for the result, and for intermediate ones.
        step : int
            The number of this step of theirs, from 1.
        options : mapping
            Those of the group.

        Returns
        -------
        array, shape (N,)
            In `out`, or a new one.
        """
        raise NotImplementedError(
            f"{self._title} has no update method; define update(self, g, state, out, step, options)"
        )

    def fused(self, step: int, options: Mapping[str, Any]) -> tuple[str, tuple[float, ...]] | None:
        """The same update for machine code, within compiled functions and, once it is compiled, outside of them.

        By default there is none.

        Parameters
        ----------
        step, options
            As in `update`.

        Returns
        -------
        name : str
            One of ``autograd_lite.compiler.native.opcodes.UPDATES``.
        numbers : tuple of float
            At most six, that `update` computes from the options.
        """
        return None

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

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self._names:
            parameter.zero_grad()

    def step(self) -> None:
        """Update every parameter that has a gradient; the others, and their state, stay as they are.

        The arrays change in place, and nothing is recorded. Graphs recorded before refuse their backward pass from
        then on.

        Raises
        ------
        GradientError
            If no parameter has a gradient, since then `backward` has not run.
        ValueError
            If a parameter's array is read-only. Nothing has changed then.
        """
        has_gradient: list[bool] = []
        moved: list[Array] = []
        along: list[Array] = []
        for parameter, name in self._names.items():
            gradient = parameter.grad
            has_gradient.append(gradient is not None)
            if gradient is not None:
                array = parameter.data
                if not array.flags.writeable:
                    raise ValueError(
                        f"{self._title}: the array of the parameter {name!r} is read-only, so it cannot be updated in "
                        "place; assign a copy to its .data"
                    )
                moved.append(array)
                along.append(gradient.data)
        if not moved:
            raise GradientError(f"{self._title}: no parameter has a gradient; call backward() before step()")
        # Announced before they change, so that older graphs refuse even if the update is interrupted.
        for parameter in compress(self._names, has_gradient):
            leaf = parameter._node
            assert isinstance(leaf, Leaf)
            parameter._node = leaf.successor("by an optimizer's step")
        if THREAD.context.tracer is not None:
            weights = tuple(moved)
            callback(CompiledUpdate(self, has_gradient), weights, tuple(along), writes=weights)
            return
        if self._direct is not None and self._direct.by_machine_code(has_gradient, moved, along):
            return
        self._arrange(has_gradient)
        if self._direct is None or not self._direct.is_for(has_gradient, moved):
            self._arrange_for_weights(has_gradient)
            self._direct = DirectUpdate(self, has_gradient, moved, along)
            if self._direct.by_machine_code(has_gradient, moved, along):
                return
        self._direct.by_numpy(along)

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
        >>> from nn import SGD
        >>> w = Tensor([1.0, -2.0], requires_grad=True)
        >>> SGD([("w", w)], lr=0.1, momentum=0.9).state_dict()
        {'groups.0.lr': 0.1, 'groups.0.momentum': 0.9, 'groups.0.nesterov': False, 'groups.0.weight_decay': 0.0,
         'state.w.step': 0, 'state.w.velocity': array([0., 0.])}
        """
        saved = {
            f"groups.{i}.{key}": value for i, group in enumerate(self.groups) for key, value in group.options.items()
        }
        states = self._states()
        for group in self.groups:
            for parameter in group["params"]:
                step, buffers = states.get(parameter, (0, {}))
                prefix = f"state.{self._names[parameter]}"
                saved[f"{prefix}.step"] = step
                for name in self.buffers(group.options):
                    buffer = buffers.get(name)
                    saved[f"{prefix}.{name}"] = np.zeros_like(parameter.data) if buffer is None else buffer.copy()
        return saved

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
            {key: _plain(state.get(f"groups.{i}.{key}", value)) for key, value in group.options.items()}
            for i, group in enumerate(self.groups)
        ]
        options = [checked_options(self._title, given) for given in options]
        expected = [f"groups.{i}.{key}" for i, given in enumerate(options) for key in given]
        for group, given in zip(self.groups, options, strict=True):
            entries = ("step", *self.buffers(given))
            expected += [f"state.{self._names[p]}.{entry}" for p in group["params"] for entry in entries]
        missing, unexpected = set(expected) - state.keys(), state.keys() - set(expected)
        if missing or unexpected:
            raise KeyError(
                f"{self._title}: the state is of another optimizer or of other parameters "
                f"(missing: {_listed(missing)}; unexpected: {_listed(unexpected)})"
            )
        states: dict[Tensor, State] = {}
        for group, given in zip(self.groups, options, strict=True):
            for parameter in group["params"]:
                prefix = f"state.{self._names[parameter]}"
                step = _step_count(state[f"{prefix}.step"], f"{self._title}: {prefix}.step")
                buffers = {
                    name: _like(parameter.data, state[f"{prefix}.{name}"], f"{self._title}: {prefix}.{name}")
                    for name in self.buffers(given)
                }
                states[parameter] = step, buffers
        for group, given in zip(self.groups, options, strict=True):
            group.data.update(given)
        self._arrange([parameter.grad is not None for parameter in self._names], states)

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

    def _register(self, name: str | None, parameter: Any) -> Tensor:
        name = str(len(self._names)) if name is None else name
        where = f"{self._title}: the parameter {name!r}"
        if not isinstance(parameter, Tensor):
            raise TypeError(f"{where} must be a Tensor, not {type(parameter).__name__}")
        if parameter.node is None or parameter.node.parents:
            state = "requires no gradient" if parameter.node is None else "is the result of a call"
            raise TypeError(f"{where} {state}; only leaves that require a gradient can be optimized")
        if parameter.dtype.kind == "c":
            raise TypeError(f"{where} is complex; optimize its real and its imaginary part as two parameters")
        if parameter in self._names:
            raise ValueError(f"{where} stands twice, first as {self._names[parameter]!r}, and would be updated twice")
        if name in self._names.values():
            raise ValueError(f"{self._title}: two parameters have the name {name!r}")
        self._names[parameter] = name
        return parameter

    def _states(self) -> dict[Tensor, State]:
        return {parameter: state for block, _ in self._blocks for parameter, state in block.states()}

    def _fuses(self) -> bool:
        """Whether `fused` is of the class that `update` is of, or of one below: otherwise it says what another did."""
        kinds = type(self).__mro__
        of = {name: next(i for i, kind in enumerate(kinds) if name in vars(kind)) for name in ("update", "fused")}
        return of["fused"] <= of["update"]

    def _has_its_buffers(self) -> bool:
        """Whether the options still ask for the state arrays that the blocks have."""
        for group, names in zip(self.groups, self._arrangement[1], strict=True):
            if self.buffers(group.data) != names:
                return False
        return True

    def _arrange(self, has_gradient: Sequence[bool], states: Mapping[Tensor, State] | None = None) -> None:
        """Sort the parameters into blocks that step together, unless that is how they are sorted already.

        Those of a block all have a gradient or all have none, have taken the same number of steps, and share group
        and dtype. With each block go the places of its parameters among those that have a gradient.
        """
        arrangement = has_gradient, [self.buffers(group.data) for group in self.groups]
        if states is None:
            if self._arrangement == arrangement:
                return
            states = self._states()
        sharing = overlapping(self._names)
        active = [parameter for parameter, has in zip(self._names, has_gradient, strict=True) if has]
        places = {parameter: i for i, parameter in enumerate(active)}
        together: dict[Any, list[Tensor]] = {}
        for i, group in enumerate(self.groups):
            for parameter in group["params"]:
                taken = states[parameter][0] if parameter in states else 0
                key = i, parameter in places, taken, parameter.dtype
                together.setdefault(key, []).append(parameter)
        blocks = []
        for (i, is_active, taken, _), alike in together.items():
            names = arrangement[1][i]
            pace = Pace(self.groups[i].data, taken, self.decoupled_weight_decay)
            for members in packed(alike, names, sharing):
                block = Block(members, pace, names, states, self._scratch)
                blocks.append((block, [places[parameter] for parameter in members] if is_active else []))
        self._blocks, self._arrangement, self._sharing = blocks, arrangement, sharing

    def _arrange_for_weights(self, has_gradient: Sequence[bool]) -> None:
        """The same where weights may have other arrays than before, of which others may share memory."""
        self._arrange(has_gradient)
        if overlapping(self._names) != self._sharing:
            self._arrange(has_gradient, self._states())


def _plain(option: Any) -> Any:
    """An option as it was saved: a file of arrays gives an array for every number."""
    plain = np.asarray(option).tolist() if isinstance(option, np.ndarray | np.generic) else option
    return tuple(plain) if isinstance(plain, list) else plain


def _step_count(value: Any, what: str) -> int:
    count = as_array(value, what)
    if count.shape != () or count.dtype.kind not in "iu" or count < 0:
        raise TypeError(f"{what} must be the number of steps, got {value!r}")
    return int(count)


def _like(array: Array, value: Any, what: str) -> Array:
    """A copy of a saved buffer, in the parameter's shape and dtype."""
    buffer = as_array(value, what)
    if buffer.dtype.kind not in "fiu":
        raise TypeError(f"{what} is an array of {buffer.dtype}; expected numbers ({array.dtype})")
    if buffer.shape != array.shape:
        raise ValueError(f"{what} has shape {buffer.shape}; expected {array.shape}, the parameter's")
    return buffer.astype(array.dtype, order="C")


def _listed(entries: set[str]) -> str:
    return ", ".join(sorted(map(str, entries))) or "none"
