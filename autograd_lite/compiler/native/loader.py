"""The machine code of plans: compiled once on a machine with Numba, kept on disk, and loaded by LLVM alone.

A process that finds the code on disk imports neither Numba nor its compiler. The file is named after everything that
the code depends on: its source, the versions of Numba and LLVM, and the processor.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...core.locks import lock
from ...files import write_atomically
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

_VARIABLE = "AUTOGRAD_LITE_CACHE_DIR"
_DIGEST_BYTES = 32


def load(dtype: np.dtype[Any]) -> Machine | None:
    """The machine code for arrays of float32 or float64; None without Numba, or for another dtype.

    The first call on a machine compiles it, which takes about 20 seconds.
    """
    with _LOADING:
        return _loaded(dtype)


_LOADING = lock()
"""The thread that compiles or loads holds this lock, because compiler and linker are not thread-safe."""


@cache
def _loaded(dtype: np.dtype[Any]) -> Machine | None:
    if dtype not in DTYPES or not is_installed() or not _finds_memory():
        return None
    try:
        path = _path(dtype)
        found = _read(path)
        if found is None:
            found = _compiled(dtype)
            _write(path, *found)
        return _linked(*found)
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


def at_hand(dtype: np.dtype[Any]) -> Machine | None:
    """The machine code if it was compiled on this machine before; else None, and it is not compiled."""
    return load(dtype) if is_installed() and is_kept(dtype) else None


def is_kept(dtype: np.dtype[Any]) -> bool:
    """Whether the machine code for a dtype is on disk already."""
    return _path(dtype).is_file()


def _path(dtype: np.dtype[Any]) -> Path:
    return cache_folder() / f"{dtype.name}-{_fingerprint()}.bin"


def cache_folder() -> Path:
    """The folder of the machine code: ``AUTOGRAD_LITE_CACHE_DIR``, or else the user's folder for caches."""
    given = os.environ.get(_VARIABLE)
    if given:
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home()))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "autograd_lite"


@cache
def _fingerprint() -> str:
    import llvmlite
    import llvmlite.binding as llvm

    digest = hashlib.sha256(Path(aligned.__file__).read_bytes())
    folder = Path(__file__).parent
    for path in (folder / "opcodes.py", *sorted((folder / "kernels").glob("*.py"))):
        digest.update(path.read_bytes())
    numba = Path(find_spec("numba").origin).parent / "_version.py"  # type: ignore[union-attr, arg-type]
    digest.update(numba.read_bytes())
    processor = (llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvmlite.__version__, sys.platform)
    digest.update(repr(processor).encode())
    return digest.hexdigest()[:24]


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
    """The name and the object file from disk; None if the file is missing or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, rest = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(rest).digest() != digest:
        return None
    name, _, code = rest.partition(b"\n")
    return name.decode(), code


def _write(path: Path, name: str, code: bytes) -> None:
    """Write the name and the object file to disk atomically; ignore a folder that cannot be written to."""
    content = name.encode() + b"\n" + code
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, hashlib.sha256(content).digest() + content)


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
