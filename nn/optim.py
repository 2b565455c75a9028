"""Optimizers: how parameters follow their gradients.

`Optimizer` owns the loop over parameters, their state and the step count; each method writes only its own update, in
place and without temporaries. Large arrays are updated in pieces that stay in the processor's cache from the first
operation of the update to the last.
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


class SGD(Optimizer):
    """Stochastic gradient descent (Robbins and Monro 1951), with momentum if wanted.

    ``v = momentum v + g`` and ``w = w - lr v`` (Polyak 1964); with `nesterov`, ``w = w - lr (g + momentum v)``
    (Sutskever, Martens, Dahl and Hinton 2013).

    Parameters
    ----------
    params : iterable
        See `Optimizer`.
    lr : float, default 1e-3
        Learning rate.
    momentum : float, default 0
        The share of the velocity that is kept.
    nesterov : bool, default False
        Look ahead along the velocity; needs momentum.
    weight_decay : float, default 0
        L2 penalty: ``weight_decay w`` is added to the gradient.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> w = Tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.8, -1.6])
    """

    buffers = ("velocity",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)

    def update(self, w: Array, v: Array, t: Array, u: Array, g: Array, step: int, group: Group) -> None:
        """``v = momentum v + g``, ``w -= lr v``."""
        g = _with_penalty(g, w, u, group["weight_decay"])
        momentum = group["momentum"]
        if momentum:
            v *= momentum
            v += g
            if group["nesterov"]:
                np.multiply(v, momentum, out=t)
                t += g
                t *= group["lr"]
            else:
                np.multiply(v, group["lr"], out=t)
        else:
            np.multiply(g, group["lr"], out=t)
        w -= t


class RMSprop(Optimizer):
    """RMSprop: steps divided by a running root mean square of the gradient (Tieleman and Hinton 2012, lecture 6.5).

    ``v = alpha v + (1 - alpha) g^2`` and ``w = w - lr g / (sqrt(v) + eps)``; with momentum, ``b = momentum b + g /
    (sqrt(v) + eps)`` and ``w = w - lr b``.

    Parameters
    ----------
    params : iterable
        See `Optimizer`.
    lr : float, default 1e-2
        Learning rate.
    alpha : float, default 0.99
        The share of the mean square that is kept.
    eps : float, default 1e-8
        Added to the divisor.
    momentum : float, default 0
        The share of the velocity that is kept.
    weight_decay : float, default 0
        L2 penalty: ``weight_decay w`` is added to the gradient.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> w = Tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(3)
    array([   0.9, -199.9])
    """

    buffers = ("mean_square", "velocity")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, alpha=alpha, eps=eps, momentum=momentum, weight_decay=weight_decay)

    def update(self, w: Array, v: Array, b: Array, t: Array, u: Array, g: Array, step: int, group: Group) -> None:
        """``v = alpha v + (1 - alpha) g^2``, ``w -= lr g / (sqrt(v) + eps)``."""
        g = _with_penalty(g, w, u, group["weight_decay"])
        _average_square(v, g, group["alpha"], t)
        np.sqrt(v, out=t)
        t += group["eps"]
        np.divide(g, t, out=t)
        if group["momentum"]:
            b *= group["momentum"]
            b += t
            np.multiply(b, group["lr"], out=t)
        else:
            t *= group["lr"]
        w -= t


class Adagrad(Optimizer):
    """Adagrad: steps divided by the root of the sum of all squared gradients (Duchi, Hazan and Singer 2011).

    ``s = s + g^2`` and ``w = w - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)``.

    Parameters
    ----------
    params : iterable
        See `Optimizer`.
    lr : float, default 1e-2
        Learning rate.
    lr_decay : float, default 0
        How fast it falls with the steps.
    eps : float, default 1e-10
        Added to the divisor.
    weight_decay : float, default 0
        L2 penalty: ``weight_decay w`` is added to the gradient.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> w = Tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(3)
    array([   0.9, -199.9])
    """

    buffers = ("sum_of_squares",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        eps: float = 1e-10,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay)

    def update(self, w: Array, s: Array, t: Array, u: Array, g: Array, step: int, group: Group) -> None:
        """``s += g^2``, ``w -= lr g / (sqrt(s) + eps)``."""
        g = _with_penalty(g, w, u, group["weight_decay"])
        np.multiply(g, g, out=t)
        s += t
        np.sqrt(s, out=t)
        t += group["eps"]
        np.divide(g, t, out=t)
        t *= group["lr"] / (1 + (step - 1) * group["lr_decay"])
        w -= t


class Adam(Optimizer):
    """Adam: steps along a running mean of the gradient, divided by its running root mean square.

    ``m = beta1 m + (1 - beta1) g``, ``v = beta2 v + (1 - beta2) g^2`` and, with both corrected for their start at zero,
    ``w = w - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)`` (Kingma and Ba 2015, algorithm 1).

    Parameters
    ----------
    params : iterable
        See `Optimizer`.
    lr : float, default 1e-3
        Learning rate: about the largest change of a weight in one step.
    betas : (float, float), default (0.9, 0.999)
        The shares of the two means that are kept.
    eps : float, default 1e-8
        Added to the divisor.
    weight_decay : float, default 0
        L2 penalty: ``weight_decay w`` is added to the gradient. `AdamW` decays the weights themselves.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> w = Tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(3)
    array([   0.9, -199.9])
    """

    buffers = ("mean", "mean_square")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def update(self, w: Array, m: Array, v: Array, t: Array, u: Array, g: Array, step: int, group: Group) -> None:
        """``m = beta1 m + (1 - beta1) g``, ``v = beta2 v + (1 - beta2) g^2``, ``w -= lr m / (sqrt(v) + eps)``."""
        self._move(w, m, v, t, _with_penalty(g, w, u, group["weight_decay"]), step, group)

    @staticmethod
    def _move(w: Array, m: Array, v: Array, t: Array, g: Array, step: int, group: Group) -> None:
        beta1, beta2 = group["betas"]
        np.subtract(g, m, out=t)
        t *= 1 - beta1
        m += t
        _average_square(v, g, beta2, t)
        # The corrections are numbers, so they are drawn out of the arrays (section 2 of the paper).
        correction = math.sqrt(1 - beta2**step)
        np.sqrt(v, out=t)
        t += group["eps"] * correction
        np.divide(m, t, out=t)
        t *= group["lr"] * correction / (1 - beta1**step)
        w -= t


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: ``w = w - lr weight_decay w`` before Adam's step.

    Loshchilov and Hutter 2019, algorithm 2. Parameters as `Adam`, with a `weight_decay` of 1e-2 by default.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> w = Tensor([1.0], requires_grad=True)
    >>> optimizer = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(3)
    array([0.85])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def update(self, w: Array, m: Array, v: Array, t: Array, u: Array, g: Array, step: int, group: Group) -> None:
        """``w -= lr weight_decay w``, and Adam's step."""
        if group["weight_decay"]:
            w *= 1 - group["lr"] * group["weight_decay"]
        self._move(w, m, v, t, g, step, group)


def _with_penalty(g: Array, w: Array, u: Array, weight_decay: float) -> Array:
    """The gradient with that of the L2 penalty, in scratch memory."""
    if not weight_decay:
        return g
    np.multiply(w, weight_decay, out=u)
    u += g
    return u


def _average_square(v: Array, g: Array, beta: float, t: Array) -> None:
    """``v = beta v + (1 - beta) g^2``."""
    np.multiply(g, g, out=t)
    t *= 1 - beta
    v *= beta
    v += t


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
