"""`Module`: an object with parameters, which are assigned to it as plain attributes."""

from __future__ import annotations

from collections import UserDict, UserList, deque
from collections.abc import Iterator, Mapping, Set, ValuesView
from copy import copy
from dataclasses import fields, is_dataclass
from types import FunctionType, GeneratorType, MappingProxyType, MemberDescriptorType, SimpleNamespace
from typing import Any, Self

import numpy as np

from autograd_lite import Tensor
from autograd_lite.extend import Answering, answering, html_table, innermost_array

from . import habits
from .mode import Mode


class Module(Answering):
    """A part of a network: a function with parameters.

    A subclass assigns tensors and other modules to attributes, alone or in containers, and defines ``forward``. A
    tensor that requires a gradient is a parameter; parameters and modules are named by the path to them, in the
    order of assignment; so are those that are attributes of the class, or in its ``__slots__``. Containers are
    lists, tuples, dicts and deques, with what derives from them (named tuples, ordered dicts), dataclasses and
    `types.SimpleNamespace`. Sets, views of dicts, generators and arrays of objects raise a `TypeError` where they
    hold parameters or may do so, since parameters have no names in them; objects of other classes are not looked
    into.

    Attributes
    ----------
    training : bool
        Whether the module is being trained, for layers that compute something else then; see `train` and `eval`. While
        `nn.fit` or `nn.predict` runs, theirs holds for the thread that called them, and other threads see the module's.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import Tensor
    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope = Tensor(2.0, requires_grad=True)
    ...         self.offset = Tensor(1.0, requires_grad=True)
    ...
    ...     def forward(self, x):
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> line
    Line(slope=(), offset=())  # 2 parameters
    >>> line(np.array([0.0, 1.0])).data
    array([1., 3.])
    """

    training = Mode(True)

    _attributes, _keywords = habits.MODULE, habits.MODULE_KEYWORDS

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result of the module; `__call__` calls this method."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method; define forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call `forward`."""
        return self.forward(*args, **kwargs)

    # ---- contents ----

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """The module itself and those within it, each once, with its path; the path of the module itself is `prefix`.

        Examples
        --------
        >>> from nn import MLP
        >>> [name for name, module in MLP([4, 3, 2]).named_modules()]
        ['', 'layers.0', 'layers.1', 'layers.2']
        """
        for path, value in _walk(self, prefix):
            if isinstance(value, Module):
                yield path, value

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """The parameters, each once, with its path.

        Examples
        --------
        >>> from nn import MLP
        >>> [(name, p.shape) for name, p in MLP([4, 3, 2]).named_parameters()][:2]
        [('layers.0.weight', (4, 3)), ('layers.0.bias', (3,))]
        """
        for path, value in _walk(self, prefix):
            if isinstance(value, Tensor) and value.requires_grad:
                yield path, value

    def parameters(self) -> list[Tensor]:
        """The parameters, each once."""
        return [parameter for _, parameter in self.named_parameters()]

    def parameter_count(self) -> int:
        """The number of single weights in all parameters."""
        return sum(parameter.size for parameter in self.parameters())

    # ---- state ----

    def train(self, mode: bool = True) -> Self:
        """Set this module and all modules in it to training, or with False to use; returns the module."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set this module and all modules in it to use: the same as ``train(False)``."""
        return self.train(False)

    @answering(habits.MODULE_KEYWORDS)
    def zero_grad(self) -> None:
        """Set the gradients of all parameters to None."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """Copies of the arrays of all tensors in the module, including frozen ones, by path."""
        tensors = [(path, value) for path, value in _walk(self, "") if isinstance(value, Tensor)]
        return {path: np.copy(innermost_array(value), "C") for path, value in tensors}

    @answering(habits.MODULE_KEYWORDS)
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set every tensor to the array with its path; on an error, no tensor is changed.

        Parameters
        ----------
        state : mapping
            From path to array, as returned by `state_dict`. Arrays of another floating-point dtype are converted.

        Raises
        ------
        KeyError
            If entries are missing, or the module has no tensor for an entry.
        ValueError
            If an array has another shape than its tensor.
        TypeError
            If a value is not an array of numbers.
        """
        tensors = {path: value for path, value in _walk(self, "") if isinstance(value, Tensor)}
        missing, unexpected = tensors.keys() - state.keys(), state.keys() - tensors.keys()
        if missing or unexpected:
            problems = [
                f"{kind}: {', '.join(sorted(map(str, names)))}"
                for kind, names in (("missing", missing), ("unexpected", unexpected))
                if names
            ]
            raise KeyError(
                f"load_state_dict of {type(self).__name__}: the entries do not match the module "
                f"({'; '.join(problems)}). Expected {', '.join(tensors)}"
            )
        arrays = {}
        for path, tensor in tensors.items():
            value = state[path]
            array = np.asarray(value.data if isinstance(value, Tensor) else value)
            if array.dtype.kind not in "fiub":
                raise TypeError(f"load_state_dict: {path} has dtype {array.dtype}; expected numbers ({tensor.dtype})")
            if array.shape != tensor.shape:
                raise ValueError(
                    f"load_state_dict: {path} has shape {array.shape}, but the module's tensor has {tensor.shape}; "
                    "the state belongs to a network of another size"
                )
            arrays[path] = array.astype(tensor.dtype)
        for path, tensor in tensors.items():
            tensor.data = arrays.pop(path)

    def with_parameters(self, parameters: Mapping[str, Any]) -> Self:
        """A module like this one, with other tensors in place of its parameters.

        It shares everything else with this module, such as frozen tensors and random generators.

        Parameters
        ----------
        parameters : mapping
            From the paths of `named_parameters`, all of them or some, to tensors or arrays.

        Raises
        ------
        KeyError
            If the module has no parameter of a name.

        Examples
        --------
        >>> from nn import Dense
        >>> layer = Dense(2, 1, rng=0)
        >>> doubled = layer.with_parameters({"weight": 2 * layer.weight.data})
        >>> (doubled([[1.0, 1.0]]).data == 2 * layer([[1.0, 1.0]]).data).all()
        np.True_
        """
        own = dict(self.named_parameters())
        if unknown := parameters.keys() - own.keys():
            raise KeyError(
                f"with_parameters of {type(self).__name__}: no parameter {', '.join(map(repr, sorted(unknown)))}; it "
                f"has {', '.join(own)}"
            )
        replacements = {id(own[name]): value for name, value in parameters.items()}
        replaced: Self = _replaced(self, replacements, {})
        return replaced

    # ---- as text ----

    def extra_repr(self) -> str:
        """The text that `repr` shows for the module itself: by default the shapes of its own tensors."""
        return ", ".join(
            f"{name}={value.shape}" + ("" if value.requires_grad else " frozen")
            for name, value in list(vars(self).items())
            if isinstance(value, Tensor)
        )

    def __repr__(self) -> str:
        count = self.parameter_count()
        return f"{self._describe()}  # {count:,} parameter{'' if count == 1 else 's'}"

    def _repr_html_(self) -> str:
        rows = [(p, type(m).__name__, m.extra_repr(), f"{m.parameter_count():,}") for p, m in self.named_modules()]
        return html_table(("module", "class", "settings", "parameters"), rows, left=range(3))

    def _describe(self) -> str:
        inner = [(path, value) for path, value in _children(self) if isinstance(value, Module)]
        extra = self.extra_repr()
        if not inner:
            return f"{type(self).__name__}({extra})"
        lines = [extra] if extra else []
        lines += [f"{path}: {module._describe()}" for path, module in inner]
        body = "".join(f"    {line}\n" for text in lines for line in text.split("\n"))
        return f"{type(self).__name__}(\n{body})"


# ---- tensors and modules in containers ----


def _children(holder: Any, path: str = "", around: tuple[int, ...] = ()) -> Iterator[tuple[str, Tensor | Module]]:
    """The tensors and modules right inside a module, through containers, with the path to each."""
    around += (id(holder),)
    for name, value in _attributes(holder).items() if isinstance(holder, Module) else _members(holder):
        if type(value) in _ENDS:
            continue
        inner = f"{path}.{name}" if path else str(name)
        if isinstance(value, Tensor | Module):
            yield inner, value
        elif isinstance(value, _WITHOUT_KEYS):
            _refuse_hidden(value, inner)
        elif id(value) not in around:
            yield from _children(value, inner, around)


def _attributes(module: Module) -> dict[str, Any]:
    """The attributes that may hold tensors: the module's own, what is in slots, tensors and modules of the class."""
    found = {}
    for kind in reversed(type(module).__mro__):
        if kind is object or kind is Module:
            continue
        for name, value in vars(kind).items():
            if type(value) not in _OF_CLASSES and isinstance(value, (Tensor, Module, MemberDescriptorType)):
                found[name] = getattr(module, name, None)
    return {**found, **vars(module)}


def _members(value: Any) -> list[tuple[Any, Any]]:
    """What a container holds, with its keys; nothing for anything else."""
    if isinstance(value, dict | UserDict | MappingProxyType):
        return list(value.items())
    if isinstance(value, list | tuple | deque | UserList):
        return list(zip(getattr(value, "_fields", range(len(value))), value, strict=True))
    if isinstance(value, SimpleNamespace):
        return list(vars(value).items())
    if is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name, None)) for field in fields(value)]
    return []


def _refuse_hidden(value: Any, path: str) -> None:
    """Refuse parameters where they have no names that stay, or cannot be looked at again."""
    kind = type(value).__name__
    if isinstance(value, _USED_UP):
        raise TypeError(f"{path} of a module is a {kind}, which can be looked through only once; assign a list of it")
    if isinstance(value, np.ndarray) and value.dtype != object:
        return
    for member in value.flat if isinstance(value, np.ndarray) else value:
        if any(isinstance(each, Tensor | Module) for each in (member if isinstance(member, tuple) else (member,))):
            raise TypeError(
                f"{path} of a module is a {kind} that holds a {type(member).__name__}, which has no name in it; assign "
                "a list or a dict, so that parameters are found"
            )


_ENDS = frozenset({int, float, bool, str, type(None), np.float64, np.float32})
"""Types of usual attributes that hold nothing, so that walks are short."""

_OF_CLASSES = _ENDS | {FunctionType, property, classmethod, staticmethod, tuple}
"""Types of usual members of classes, of which none is a tensor: `zero_grad` looks through a model in every step."""

_USED_UP = (GeneratorType, map, filter, zip)
"""Iterators that an attribute of a module is by mistake."""

_WITHOUT_KEYS = (*_USED_UP, Set, ValuesView, np.ndarray)


def _walk(module: Module, prefix: str) -> Iterator[tuple[str, Tensor | Module]]:
    """The module itself and all that is in it, depth first, each object once, with its path."""
    seen: set[int] = set()
    paths: set[str] = set()
    stack: list[tuple[str, Tensor | Module]] = [(prefix, module)]
    while stack:
        path, value = stack.pop()
        if id(value) in seen:
            continue
        if path in paths:
            raise ValueError(
                f"{type(module).__name__} has two different tensors or modules at the path {path!r}, since keys are "
                "put together with dots; give them keys without dots, and not both 1 and '1'"
            )
        seen.add(id(value))
        paths.add(path)
        yield path, value
        if isinstance(value, Module):
            stack += reversed(list(_children(value, path)))


def _replaced(value: Any, replacements: Mapping[int, Any], modules: dict[int, Module]) -> Any:
    """A value with some tensors replaced, by their ids; a module that occurs twice is replaced by one new module."""
    if isinstance(value, Tensor):
        return replacements.get(id(value), value)
    if isinstance(value, Module):
        if id(value) not in modules:
            modules[id(value)] = other = object.__new__(type(value))
            for name, member in _attributes(value).items():
                replaced = _replaced(member, replacements, modules)
                if name in vars(value):
                    other.__dict__[name] = replaced
                elif replaced is not member or not hasattr(other, name):  # in a slot, or of the class
                    object.__setattr__(other, name, replaced)
            if other.training != value.training:  # in a block, which has no mode for the new one
                other.training = value.training
        return modules[id(value)]
    if type(value) in _ENDS or next(_children(value), None) is None:
        return copy(value) if type(value) in (list, dict) else value
    return _with_members(value, [(key, _replaced(member, replacements, modules)) for key, member in _members(value)])


def _with_members(value: Any, members: list[tuple[Any, Any]]) -> Any:
    """A container of the same kind with other members."""
    if isinstance(value, tuple):
        values = [member for _, member in members]
        return value._make(values) if hasattr(value, "_make") else type(value)(values)
    if isinstance(value, MappingProxyType):
        return MappingProxyType(dict(members))
    other = copy(value)
    for key, member in members:
        if is_dataclass(value) or isinstance(value, SimpleNamespace):
            object.__setattr__(other, key, member)
        else:
            other[key] = member
    return other
