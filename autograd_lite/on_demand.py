"""`on_demand`: names of a package whose modules are imported when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from .habits import Answers, no_attribute


def on_demand(
    package: str, names: Mapping[str, Sequence[str]], modules: Sequence[str] = (), answers: Answers | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The ``__getattr__`` and the ``__dir__`` of a package (PEP 562) that has some of its names from modules.

    Most programs need few of them, and to import the others takes longer than anything else that a small program does.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    names : mapping
        From a module, as the package writes it (``".training.fit"``), to the names that the package has from it.
    modules : sequence of str, default ()
        Modules within the package that are public themselves.
    answers : mapping, optional
        From names that the package has not to what to write in their place.

    Returns
    -------
    (callable, callable)

    Examples
    --------
    >>> find, names = on_demand("json", {".decoder": ["JSONDecodeError"]})
    >>> find("JSONDecodeError")
    <class 'json.decoder.JSONDecodeError'>
    """
    sources = {name: module for module, several in names.items() for name in several}

    def find(name: str) -> Any:
        if name in modules:
            return import_module(f".{name}", package)
        if name not in sources:
            raise no_attribute(f"module {package!r}", name, answers or {}, sys.modules[package])
        found = getattr(import_module(sources[name], package), name)
        setattr(sys.modules[package], name, found)  # to be found at once from now on
        return found

    def listed() -> list[str]:
        return sorted({*vars(sys.modules[package]), *sources, *modules})

    return find, listed


def public_names(package: str, modules: Sequence[str] = ()) -> list[str]:
    """The names of a package for its ``__all__``: without private ones, and without its modules but for these."""
    own = vars(sys.modules[package])
    listed = own["__dir__"]() if "__dir__" in own else sorted({*own, *modules})

    def is_public(name: str) -> bool:
        return name in modules or not (name.startswith("_") or isinstance(own.get(name), ModuleType))

    return [*filter(is_public, listed)]
