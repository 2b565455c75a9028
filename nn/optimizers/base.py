"""`Optimizer`: what all methods share, and how a user meets it: options, steps, saving."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import compress
from typing import Any

from autograd_lite import GradientError, callback
from autograd_lite.extend import announce_change, is_traced

from .fused.step import FusedStep
from .plain_loop import PlainLoop
from .saving import load, saved


class Optimizer(PlainLoop):
    """What all optimizers share: parameter groups, state, and the loop of a step.

    A subclass passes its options on, and defines `update`: the formula of its paper. Now and then, state that has
    decayed to subnormal numbers (that of a rectified unit that never fires) is set to zero.

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
    ...     def __init__(self, params, lr=0.1, beta=0.9):
    ...         super().__init__(params, lr=lr, beta=beta)
    ...
    ...     def update(self, w, g, state, t, options):
    ...         v = state["velocity"] = options["beta"] * state["velocity"] + g
    ...         return w - options["lr"] * v
    >>> w = Tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Momentum([w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.8, -1.6])
    """

    def __init__(self, params: Iterable[Any], **options: Any) -> None:
        super().__init__(params, **options)
        self._fused: FusedStep | None = None

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
        gradients = [parameter.grad for parameter in self._names]
        has_gradient = [gradient is not None for gradient in gradients]
        active = list(compress(self._names, has_gradient))
        if not active:
            raise GradientError(f"{self._title}: no parameter has a gradient; call backward() before step()")
        # Announced before they change, so that older graphs refuse even if the update is interrupted.
        moved = announce_change(active, "by an optimizer's step")
        along = [gradient.data for gradient in gradients if gradient is not None]
        for parameter, array in zip(active, moved, strict=True):
            if not array.flags.writeable:
                raise ValueError(
                    f"{self._title}: the array of the parameter {self._names[parameter]!r} is read-only, so it cannot "
                    "be updated in place; assign a copy to its .data"
                )
        if is_traced():
            weights = tuple(moved)
            callback(FusedStep(self, has_gradient), weights, tuple(along), writes=weights)
            return
        if self._fused is None or self._fused.has_gradient != has_gradient:
            self._fused = FusedStep(self, has_gradient)
        self._fused(moved, along)

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
        return saved(self)

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
        load(self, state)

    def __repr__(self) -> str:
        lines = []
        for group in self.groups:
            options = ", ".join(f"{key}={value!r}" for key, value in group.options.items())
            count = sum(parameter.size for parameter in group["params"])
            lines.append(f"{self._title}({options})  # {len(group['params'])} tensors, {count:,} parameters")
        return "\n".join(lines)

    # ---- within ----

    def __getstate__(self) -> dict[str, Any]:
        # A copy prepares its own steps, for its own arrays.
        return {**vars(self), "_fused": None, "_formulas": [], "_cohorts": None}
