"""`Optimizer`: the loop over parameters, their state, their groups and the step count, which all methods share.

A method writes only its own update, in place and without temporaries. Large arrays are updated in pieces that stay in
the processor's cache from the first operation of the update to the last.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from autograd_lite import GradientError, Tensor

Array = np.ndarray[Any, Any]
Group = dict[str, Any]

PIECE = 16_384
"""Elements that are updated at a time: four to six arrays of so many single-precision numbers fit the L2 cache."""


class Optimizer:
    """What all optimizers share: parameter groups, state, and the loop of a step.

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
    groups : list of dict
        Each with its ``"params"``, a list of tensors, and its options, all of which can be changed at any time.

    Raises
    ------
    ValueError
        If there are no parameters, one stands twice, or an option is out of its range.
    TypeError
        If a parameter is not a leaf tensor that requires a gradient, or an option is unknown.
    """

    buffers: ClassVar[tuple[str, ...]] = ()
    """The names of the state arrays that each parameter has."""

    def __init__(self, params: Iterable[Any], **options: float | bool | tuple[float, float]) -> None:
        self._options = options
        self.groups: list[Group] = [self._group(given) for given in _as_groups(params)]
        self._state: dict[Tensor, _State] = {}
        everything = [p for group in self.groups for p in group["params"]]
        if not everything:
            raise ValueError(f"{self._name}: there are no parameters to optimize")
        if len(set(everything)) < len(everything):
            raise ValueError(f"{self._name}: a parameter stands twice, and would be updated twice in a step")

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
                f"{self._name}: groups have different learning rates, {sorted(rates)}; read groups[i]['lr']"
            )
        return float(rates.pop())

    @lr.setter
    def lr(self, rate: float) -> None:
        _check_options(self._name, {"lr": rate})
        for group in self.groups:
            group["lr"] = rate

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for group in self.groups:
            for parameter in group["params"]:
                parameter.zero_grad()

    def step(self) -> None:
        """Update every parameter that has a gradient; the others stay as they are.

        The arrays change in place. Graphs recorded before refuse their backward pass from then on.

        Raises
        ------
        GradientError
            If no parameter has a gradient, since then `backward` has not run.
        """
        updated = False
        for group in self.groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is None:
                    continue
                updated = True
                array = parameter.data
                state = self._state.get(parameter)
                if state is None or state.array is not array:
                    state = self._state[parameter] = self._new_state(array, state)
                state.step += 1
                for piece, g in state.with_gradient(gradient.data):
                    self.update(*piece, g, state.step, group)
                parameter.data = array
        if not updated:
            raise GradientError(f"{self._name}: no parameter has a gradient; call backward() before step()")

    def update(self, w: Array, *arrays: Any) -> None:
        """Change ``w`` in place, given its buffers, two scratch arrays, the gradient, the step and the group."""
        raise NotImplementedError(f"{self._name} has no update method")

    # ---- saving ----

    def state_dict(self) -> dict[str, Any]:
        """All that a later run needs to go on with the same bits: options by group, steps and buffers by parameter."""
        state = {}
        for i, parameter in enumerate(p for group in self.groups for p in group["params"]):
            if parameter in self._state:
                kept = self._state[parameter]
                state[i] = {"step": kept.step, **{name: kept.buffers[name].copy() for name in self.buffers}}
        return {
            "groups": [{k: v for k, v in group.items() if k != "params"} for group in self.groups],
            "state": state,
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; on an error nothing has changed.

        Raises
        ------
        ValueError
            If it is of another optimizer, or of other parameters.
        """
        parameters = [p for group in self.groups for p in group["params"]]
        try:
            groups, state = list(saved["groups"]), dict(saved["state"])
        except (KeyError, TypeError):
            raise ValueError(f"{self._name}: not the state of an optimizer; expected 'groups' and 'state'") from None
        if len(groups) != len(self.groups) or any(g.keys() != self._options.keys() for g in groups):
            raise ValueError(
                f"{self._name}: the saved state has {len(groups)} groups with the options "
                f"{sorted({k for g in groups for k in g})}; expected {len(self.groups)} with {sorted(self._options)}"
            )
        loaded: dict[Tensor, _State] = {}
        for i, entry in state.items():
            if not isinstance(i, int) or not 0 <= i < len(parameters) or entry.keys() != {"step", *self.buffers}:
                raise ValueError(f"{self._name}: the saved state of parameter {i!r} does not fit this optimizer")
            array = parameters[i].data
            for name in self.buffers:
                if np.shape(entry[name]) != array.shape:
                    raise ValueError(
                        f"{self._name}: the saved {name} of parameter {i} has shape {np.shape(entry[name])}; expected "
                        f"{array.shape}"
                    )
            loaded[parameters[i]] = self._new_state(array, None)
            loaded[parameters[i]].step = int(entry["step"])
            for name in self.buffers:
                loaded[parameters[i]].buffers[name][...] = entry[name]
        for group, options in zip(self.groups, groups, strict=True):
            _check_options(self._name, options)
            group.update(options)
        self._state = loaded

    def __repr__(self) -> str:
        lines = []
        for group in self.groups:
            options = ", ".join(f"{name}={value!r}" for name, value in group.items() if name != "params")
            count = sum(p.size for p in group["params"])
            lines.append(f"{self._name}({options})  # {len(group['params'])} tensors, {count:,} parameters")
        return "\n".join(lines)

    # ---- within ----

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _group(self, given: Mapping[str, Any]) -> Group:
        unknown = given.keys() - self._options.keys() - {"params"}
        if unknown:
            raise TypeError(
                f"{self._name}: a group has the unknown options {sorted(unknown)}; expected some of "
                f"{sorted(self._options)}"
            )
        group: Group = {**self._options, **given, "params": _parameters(self._name, given["params"])}
        _check_options(self._name, group)
        return group

    def _new_state(self, array: Array, before: _State | None) -> _State:
        """State for an array: zeros, or the buffers of the array that it has replaced."""
        if before is not None:
            return _State(array, before.buffers, before.step)
        return _State(array, {name: np.zeros_like(array) for name in self.buffers}, 0)


class _State:
    """A parameter's buffers and step count, and the pieces in which its arrays are updated."""

    def __init__(self, array: Array, buffers: dict[str, Array], step: int) -> None:
        self.array = array
        self.buffers = buffers
        self.step = step
        arrays = [array, *buffers.values()]
        size = min(array.size, PIECE)
        self._flat = all(a.flags.c_contiguous for a in arrays)
        scratch = [np.empty(size if self._flat else array.shape, array.dtype) for _ in range(2)]
        if not self._flat:
            self._pieces = [(*arrays, *scratch)]
            return
        flat = [a.reshape(-1) for a in arrays]
        self._pieces = [
            (*(a[i : i + size] for a in flat), *(s[: min(size, array.size - i)] for s in scratch))
            for i in range(0, array.size, max(size, 1))
        ]

    def with_gradient(self, gradient: Array) -> Iterator[tuple[tuple[Array, ...], Array]]:
        """Each piece of the arrays with that piece of the gradient."""
        if self._flat:
            gradient = gradient.reshape(-1)
        if len(self._pieces) == 1:
            return iter([(self._pieces[0], gradient)])
        return ((piece, gradient[i * PIECE : (i + 1) * PIECE]) for i, piece in enumerate(self._pieces))


def _as_groups(params: Iterable[Any]) -> list[Mapping[str, Any]]:
    if isinstance(params, Tensor | Mapping) or not isinstance(params, Iterable):
        raise TypeError(f"params must be an iterable of tensors or of groups, not {type(params).__name__}")
    given = list(params)
    if given and all(isinstance(entry, Mapping) for entry in given):
        for group in given:
            if "params" not in group:
                raise TypeError(f"a group needs its 'params'; this one has {sorted(group)}")
        return given
    return [{"params": given}]


def _parameters(name: str, params: Any) -> list[Tensor]:
    found = []
    for entry in [params] if isinstance(params, Tensor) else params:
        parameter = entry[1] if isinstance(entry, tuple) and len(entry) == 2 else entry
        if not isinstance(parameter, Tensor):
            raise TypeError(f"{name}: a parameter must be a Tensor, not {type(parameter).__name__}")
        if parameter.node is None or parameter.node.parents:
            state = "requires no gradient" if parameter.node is None else "is the result of a call"
            raise TypeError(f"{name}: {parameter!r} {state}; only leaves that require a gradient can be optimized")
        found.append(parameter)
    return found


def _check_options(name: str, options: Mapping[str, Any]) -> None:
    """Refuse an option that is out of its range, before it can spoil a weight."""
    shares = {"momentum": options.get("momentum", 0), "alpha": options.get("alpha", 0)}
    betas = options.get("betas", (0, 0))
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise ValueError(f"{name}: betas must be two numbers, got {betas!r}")
    shares.update({"betas[0]": betas[0], "betas[1]": betas[1]})
    sizes = {key: options.get(key, 0) for key in ("lr", "eps", "weight_decay", "lr_decay")}
    for key, value in {**shares, **sizes}.items():
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            raise TypeError(f"{name}: {key} must be a number, got {value!r}")
        if not 0 <= value < (1 if key in shares else math.inf):
            expected = "at least 0 and less than 1" if key in shares else "finite and at least 0"
            raise ValueError(f"{name}: {key} must be {expected}, got {value!r}")
    if options.get("nesterov") and not options.get("momentum"):
        raise ValueError(f"{name}: nesterov=True needs a momentum above 0")
