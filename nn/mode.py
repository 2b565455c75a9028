"""What modules are set to: options that compiled functions check, and the mode, training or use, of a thread."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from autograd_lite import assume


class Setting:
    """An attribute of a module that decides what it computes; a compiled function checks it in every call.

    Parameters
    ----------
    default : object, optional
        The value until another one is assigned.
    """

    def __init__(self, default: Any = None) -> None:
        self._default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, module: Any, owner: type) -> Any:
        name, default = self._name, self._default
        if module is not None and default is None and name not in module.__dict__:
            raise AttributeError(f"{type(module).__name__} has no {name}; its __init__ has to call super().__init__")
        return default if module is None else assume(lambda: module.__dict__.get(name, default))

    def __set__(self, module: Any, value: Any) -> None:
        module.__dict__[self._name] = value


class Modes:
    """The modes of a model's modules within a block, for the thread or task that entered it.

    Parameters
    ----------
    modules : iterable of Module
    outside : Modes or None
        Those of the block around it.
    """

    def __init__(self, modules: Iterable[Any], outside: Modes | None) -> None:
        self._modules = list(modules)  # kept, since the modes are by their ids
        self._modes = {id(module): module.training for module in self._modules}
        self._outside = outside

    def of(self, module: Any) -> dict[int, bool] | None:
        """The modes, by id, that have the module; None if it is in no block."""
        modes: Modes | None = self
        while modes is not None and id(module) not in modes._modes:
            modes = modes._outside
        return None if modes is None else modes._modes


_MODES: ContextVar[Modes | None] = ContextVar("nn.modes", default=None)


class Mode(Setting):
    """The setting of a module's mode, which within `in_mode` is the block's and not the module's."""

    def __get__(self, module: Any, owner: type) -> Any:
        return self._default if module is None else assume(lambda: self.now(module))

    def __set__(self, module: Any, value: bool) -> None:
        blocks = _MODES.get()
        modes = None if blocks is None else blocks.of(module)
        if modes is None:
            super().__set__(module, value)
        else:
            modes[id(module)] = value

    def now(self, module: Any) -> bool:
        """The mode that holds for the thread or task that asks."""
        blocks = _MODES.get()
        modes = None if blocks is None else blocks.of(module)
        mode: bool = module.__dict__.get(self._name, self._default) if modes is None else modes[id(module)]
        return mode


class in_mode:  # noqa: N801 - used like a function
    """Set a module and all modules in it to training or to use, within the `with` statement; None sets nothing.

    What is set within it holds for the thread, or the asynchronous task, that entered it, and ends with it: other
    threads may use the same model in another mode.
    """

    def __init__(self, model: Any, training: bool | None) -> None:
        self._model, self._training = model, training

    def __enter__(self) -> None:
        self._outside = outside = _MODES.get()
        try:
            _MODES.set(Modes((module for _, module in self._model.named_modules()), outside))
            if self._training is not None:
                self._model.train(self._training)
        except BaseException:
            _MODES.set(outside)
            raise

    def __exit__(self, *_: object) -> None:
        _MODES.set(self._outside)
