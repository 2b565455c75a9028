"""Mutations at the parameters: another parametrisation, one use of several, the penalty of another parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...core.backward import pull_as_arrays
from ...core.graph import Node
from .mutations import PATH, SPECIFIC
from .operands import Change
from .recording import Detour, Recording, has_one_output, over
from .roles import Roles


def of_parameters(recording: Recording, roles: Roles) -> Iterator[Change]:
    """All of them in one graph."""
    for name, leaf in recording.parameters.items():
        users = [(u, slot) for u, slot in recording.users.get(leaf, ()) if has_one_output(u)]
        for function, written in ((np.exp, "exp"), (np.square, "square"), (np.log, "log"), (np.tanh, "tanh")):
            user = next((u for u, _ in users if u.recipe is not None and u.recipe.rule.call is function), None)
            if user is not None:
                slope = pull_as_arrays(user, np.ones(user.shape, user.dtype), user.saved)[0]
                text = (
                    f"{name}: yours is the derivative with respect to {written}({name}) and not to {name}: the "
                    f"factor of the chain rule, {written}'({name}), is missing"
                )
                yield "parametrisation", text, SPECIFIC, {(leaf, -1): Detour(None, over(slope))}
        if len(users) > 1:
            yield from _used_several_times(recording, roles, name, leaf)
    yield from _penalties(recording)


def _used_several_times(recording: Recording, roles: Roles, name: str, leaf: Node) -> Iterator[Change]:
    users = recording.users[leaf]
    for user, slot in users:
        alone = recording.handed[user, slot]
        text = f"{name} is used {len(users)} times, and only its use in {roles.place([user])} is counted"
        yield "sharing", text, PATH, {(leaf, -1): Detour(None, always(alone))}


def _penalties(recording: Recording) -> Iterator[Change]:
    """The penalty of some parameters, on others as well."""
    penalties = recording.penalties()
    for size in {f"{alpha:.12g}": alpha for alpha in penalties.values()}.values():
        for name, leaf in recording.parameters.items():
            value = recording.values.get(leaf)
            if name not in penalties and value is not None and leaf in recording.position:
                text = f"{name}: with an L2 term {size:.6g} * parameter, as {', '.join(penalties)} have, which the "
                text += f"engine's gradient of {name} does not have"
                yield "L2", text, SPECIFIC, {(leaf, -1): Detour(None, _plus(size * value))}


def _plus(numbers: Any) -> Callable[[Any], Any]:
    return lambda g: g + numbers


def always(gradient: Any) -> Callable[[Any], Any]:
    """A constant, whatever the cotangent is."""
    return lambda g: gradient
