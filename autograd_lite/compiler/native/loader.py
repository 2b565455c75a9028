"""The machine code of plans: compiled once on a machine with Numba, kept on disk, and loaded by LLVM alone.

A process that finds the code on disk imports neither Numba nor its compiler. The file is named after everything that
the code depends on: its source, the versions of Numba and LLVM, Numba's settings, and the processor; and it says in
itself which code it has. What another user may have written is not run.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import stat
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...core.locks import lock
from ...files import user_cache, write_atomically
from ...speed import aligned
from . import DATA_OFFSET, is_installed


class Machine(NamedTuple):
    """The machine code for one floating-point type.

    Attributes
    ----------
    run : callable
        ``run(result, 0, table, rows)`` walks through the table at an address, and leaves at another address, as an
        integer of 64 bits, 0 or the number of the row that failed. It runs without the interpreter's lock.
    """

    run: Callable[[int, int, int, int], int]


DTYPES: frozenset[np.dtype[Any]] = frozenset({np.dtype(np.float32), np.dtype(np.float64)})
"""The dtypes for which machine code can be compiled."""

_DIGEST_BYTES = 32
_LAYOUT = b"digest, name of the file, name of the function, object file"
"""The parts of a file."""

_WITHOUT_EFFECT = frozenset(
    f"NUMBA_{name}"
    for name in (
        "CACHE_DIR", "CACHE_LOCATOR_CLASSES", "COLOR_SCHEME", "DISABLE_PERFORMANCE_WARNINGS", "JIT_COVERAGE",
        "NUM_THREADS", "SHOW_HELP", "THREADING_LAYER", "THREADING_LAYER_PRIORITY", "WARNINGS",
    )
)  # fmt: skip
"""Numba's settings that do not change the code that it makes; every other one is taken for one that does."""

_SETTINGS_FILE = ".numba_config.yaml"
"""The file in the working directory that Numba reads settings from."""


def load(dtype: np.dtype[Any]) -> Machine | None:
    """The machine code for arrays of float32 or float64; None without Numba, or for another dtype.

    The first call on a machine compiles it, which takes about 20 seconds.
    """
    with _LOADING:
        if dtype not in _MACHINES:
            path = _path_or_none(dtype)
            _MACHINES[dtype] = path, _loaded(dtype, path, may_compile=True)
        return _MACHINES[dtype][1]


def at_hand(dtype: np.dtype[Any]) -> Machine | None:
    """The machine code if it was compiled on this machine before; else None, and it is not compiled."""
    path = _path_or_none(dtype)
    with _LOADING:
        known, machine = _MACHINES.get(dtype, (None, None))
        if dtype in _MACHINES and known == path:
            return machine
        machine = _loaded(dtype, path, may_compile=False)
        if machine is not None:
            _MACHINES[dtype] = path, machine
        return machine


def _path_or_none(dtype: np.dtype[Any]) -> Path | None:
    return _path(dtype) if dtype in DTYPES and is_installed() else None


_LOADING = lock()
"""The thread that compiles or loads holds this lock, because compiler and linker are not thread-safe."""

_MACHINES: dict[np.dtype[Any], tuple[Path | None, Machine | None]] = {}
"""The machine code that this process has loaded, and the file where it was looked for; None where it cannot be made."""


def _loaded(dtype: np.dtype[Any], path: Path | None, may_compile: bool) -> Machine | None:
    if dtype not in DTYPES or not is_installed() or not _finds_memory():
        return None
    try:
        found = None if path is None else _read(path)
        if found is None and may_compile:
            found = _compiled(dtype)
            if path is not None and _has_the_settings_of_the_environment():
                _write(path, *found)
        return None if found is None else _linked(*found)
    except Exception as error:
        warnings.warn(
            f"there is no machine code for {dtype.name}, so plans run as NumPy calls ({type(error).__name__}: {error})",
            RuntimeWarning,
            stacklevel=3,
        )
        return None


def _finds_memory() -> bool:
    """Whether the pointer to an array's memory is at the expected offset in the array object, as in CPython."""
    if sys.implementation.name != "cpython":
        return False
    array = np.empty(1)
    return ctypes.c_void_p.from_address(id(array) + DATA_OFFSET).value == array.ctypes.data


def is_kept(dtype: np.dtype[Any]) -> bool:
    """Whether the machine code for a dtype is on disk already, whole and written by this user."""
    path = _path(dtype)
    return path is not None and _read(path) is not None


def _path(dtype: np.dtype[Any]) -> Path | None:
    folder = cache_folder()
    return None if folder is None else folder / f"{dtype.name}-{_fingerprint()}.bin"


def cache_folder() -> Path | None:
    """The folder of the machine code: ``AUTOGRAD_LITE_CACHE_DIR``, or else the user's folder for caches.

    None if there is no such folder, since the user has no home.
    """
    given = os.environ.get("AUTOGRAD_LITE_CACHE_DIR")
    return Path(given) if given else user_cache()


@cache
def _fingerprint() -> str:
    import llvmlite
    import llvmlite.binding as llvm

    digest = hashlib.sha256(Path(aligned.__file__).read_bytes() + _LAYOUT)
    folder = Path(__file__).parent
    for path in (folder / "opcodes.py", *sorted((folder / "kernels").glob("*.py"))):
        digest.update(path.read_bytes())
    numba = Path(find_spec("numba").origin).parent / "_version.py"  # type: ignore[union-attr, arg-type]
    digest.update(numba.read_bytes())
    processor = (llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvmlite.__version__, sys.platform)
    digest.update(repr(processor).encode())
    digest.update(_settings())
    return digest.hexdigest()[:24]


def _settings() -> bytes:
    """The settings of Numba in the environment and in its file; nothing where none is set."""
    given = sorted(
        (name, value)
        for name, value in os.environ.items()
        if name.startswith("NUMBA_") and not name.startswith("NUMBA_CUDA") and name not in _WITHOUT_EFFECT
    )
    with suppress(OSError):
        given.append((_SETTINGS_FILE, Path(_SETTINGS_FILE).read_bytes().hex()))
    return repr(given).encode() if given else b""


def _has_the_settings_of_the_environment() -> bool:
    """Whether Numba has the settings that this process began with, so that a program has assigned none of them."""
    from numba.core import config

    spec = spec_from_file_location("numba.core._config_as_it_began", config.__file__)
    assert spec is not None
    assert spec.loader is not None
    began = module_from_spec(spec)
    spec.loader.exec_module(began)
    names = [name for name, value in vars(began).items() if name.isupper() and isinstance(value, int | str | None)]
    return all(getattr(config, name, None) == getattr(began, name) for name in names)


def _compiled(dtype: np.dtype[Any]) -> tuple[str, bytes]:
    """The name of the compiled function, and the object file that contains it."""
    if sys.stderr.isatty():
        message = f"autograd_lite compiles its machine code for {dtype.name}, once on this machine: about 20 seconds"
        print(message, file=sys.stderr, flush=True)
    from numba import from_dtype

    from .kernels.run import compile_run

    (compiled,) = compile_run(from_dtype(dtype)).overloads.values()
    return compiled.fndesc.llvm_func_name, compiled.library._get_compiled_object()


def _read(path: Path) -> tuple[str, bytes] | None:
    """The name and the object file from disk; None if the file is missing, damaged, renamed or not to be trusted."""
    try:
        with path.open("rb") as file:
            if not (_is_trusted(os.fstat(file.fileno())) and is_trusted(path.parent)):
                return None
            content = file.read()
    except OSError:
        return None
    digest, rest = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(rest).digest() != digest:
        return None
    # A file that was renamed would be called with arrays of another type.
    which, _, rest = rest.partition(b"\n")
    name, _, code = rest.partition(b"\n")
    return (name.decode(), code) if which == path.stem.encode() else None


def is_trusted(folder: Path) -> bool:
    """Whether only this user can write into a folder, so that what is in it may be run; also where there is none."""
    try:
        return _is_trusted(folder.stat())
    except OSError:
        return True


def _is_trusted(found: os.stat_result) -> bool:
    """Whether nobody but this user and the system's administrator can have written a file or a folder."""
    if os.name != "posix":
        return True
    return found.st_uid in (0, os.geteuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _write(path: Path, name: str, code: bytes) -> None:
    """Write the name and the object file to disk atomically; ignore a folder that cannot be written to."""
    content = path.stem.encode() + b"\n" + name.encode() + b"\n" + code
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "posix" and path.parent == user_cache() and path.parent.stat().st_uid == os.geteuid():
            path.parent.chmod(path.parent.stat().st_mode & ~(stat.S_IWGRP | stat.S_IWOTH))
        if not is_trusted(path.parent):
            warnings.warn(
                f"others may write to the folder {path.parent}, so machine code is neither kept there nor run from it, "
                "and is compiled in every process; give it to your user, and write chmod go-w",
                RuntimeWarning,
                stacklevel=5,
            )
            return
        with suppress(FileNotFoundError):
            path.unlink()  # one that is damaged, or that others may write to
        write_atomically(path, hashlib.sha256(content).digest() + content, mode=0o600)


_ENGINES: list[Any] = []
"""These objects keep the machine code in memory."""


def _linked(name: str, code: bytes) -> Machine:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    for symbol in ("logf", "log", "expf", "exp", "memset", "memcpy"):
        llvm.add_symbol(symbol, ctypes.cast(getattr(_c_library(), symbol), ctypes.c_void_p).value)
    # Numba's reference counting needs a function that frees arrays; ours own no memory, so it is never called.
    llvm.add_symbol("NRT_MemInfo_call_dtor", ctypes.cast(_c_library().free, ctypes.c_void_p).value)
    machine = llvm.Target.from_default_triple().create_target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _ENGINES.append(engine)
    # In Numba's calling convention, the addresses for the result and for an error come before the arguments.
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    return Machine(kind(engine.get_function_address(name)))


def _c_library() -> ctypes.CDLL:
    if sys.platform == "win32":
        return ctypes.CDLL("ucrtbase")
    if sys.platform == "darwin":
        return ctypes.CDLL("libSystem.dylib")
    return ctypes.CDLL(None)
