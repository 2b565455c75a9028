"""`show_config`: the settings that decide how fast NumPy is here, and environment variables that slow it down."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from .compiler.native import is_installed
from .html_tables import html_table
from .speed import malloc

Section = dict[str, str]


class Configuration(dict[str, Any]):
    """The sections of a report; notebooks show them as a table."""

    def _repr_html_(self) -> str:
        rows = []
        for name, section in self.items():
            lines = section.items() if isinstance(section, dict) else enumerate(section, 1)
            rows += [[name, str(key), str(value)] for key, value in lines]
        return html_table(["section", "", ""], rows, left=range(3))


# Modules that only a report needs are imported where it is made, since this module is imported with the library.


def show_config(mode: Literal["stdout", "dicts"] = "stdout") -> dict[str, Any] | None:
    """Print what decides the speed of this process: NumPy, BLAS, processor, allocator, Numba, and their overrides.

    ``python -m autograd_lite`` prints the same. The library itself sets no environment variable.

    Parameters
    ----------
    mode : {"stdout", "dicts"}, default "stdout"
        Whether the report is printed, or returned as a dict of sections; each section is a dict, the remarks a list.

    Raises
    ------
    ValueError
        If the mode is unknown.

    Notes
    -----
    If a variable makes BLAS use an older kernel than the processor allows, matrix products are timed in a process with
    the variable and in one without it, which takes a second or two.

    Examples
    --------
    >>> sections = show_config("dicts")
    >>> sorted(sections)
    ['BLAS', 'NumPy', 'Numba', 'environment', 'memory', 'processor', 'remarks']
    """
    import platform

    if mode not in ("stdout", "dicts"):
        raise ValueError(f"show_config: mode={mode!r} is unknown; expected 'stdout' or 'dicts'")
    sections = Configuration()
    sections |= {
        "NumPy": {"version": np.__version__, "Python": f"{platform.python_version()}, {sys.platform}"},
        "BLAS": _blas(),
        "processor": _processor(),
        "memory": _memory(),
        "Numba": _numba(),
        "environment": {name: f"{os.environ[name]}: {effect}" for name, effect in _overrides(os.environ).items()},
    }
    sections["remarks"] = _remarks(sections)
    if mode == "dicts":
        return sections
    print(_as_text(sections))
    return None


def _as_text(sections: Mapping[str, Any]) -> str:
    lines = []
    for name, section in sections.items():
        if name == "remarks":
            lines += [f"! {remark}" for remark in section]
        elif section:
            lines += [name, *(f"    {key}: {value}" for key, value in section.items())]
    return "\n".join(lines)


# ---- what is installed ----


def _blas() -> Section:
    import ctypes

    from .compiler.native import blas

    built: Any = np.show_config(mode="dicts")
    built = built.get("Build Dependencies", {}).get("blas", {})
    found = {"vendor": str(built.get("name", "unknown")), "version": str(built.get("version", "unknown"))}
    kernel, threads = blas.call("get_corename", ctypes.c_char_p), blas.call("get_num_threads", ctypes.c_int)
    if isinstance(kernel, bytes):
        found["kernel"] = kernel.decode()
    if threads is not None:
        found["threads"] = str(threads)
    return found


def _processor() -> Section:
    found: Any = np.show_config(mode="dicts")
    found = found.get("SIMD Extensions", {})
    units = [*found.get("baseline", []), *found.get("found", [])]
    return {
        "name": _processor_name(),
        "cores": str(_cores()),
        "vector units": f"{' '.join(units)}{' (512 bits)' if _has(units, _WIDE) else ''}",
    }


def _processor_name() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        import platform

        return platform.processor() or platform.machine()


def _cores() -> int:
    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available is not None else os.cpu_count() or 1


def _memory() -> Section:
    import platform

    name, number = platform.libc_ver()
    settings = "blocks up to 1 GiB stay with the process" if malloc.is_tuned else "the system's settings"
    return {"allocator": " ".join(filter(None, (name, number))) or "the system's", "settings": settings}


def _numba() -> Section:
    if not is_installed():
        return {"version": "not installed: plans run as NumPy calls; pip install 'autograd_lite[jit]'"}
    from importlib.metadata import PackageNotFoundError, version

    from .compiler.native import loader

    kept = [dtype for dtype in ("float32", "float64") if loader.is_kept(np.dtype(dtype))]
    try:
        number = version("numba")
    except PackageNotFoundError:
        number = "unknown"
    folder = loader.cache_folder()
    told = f"{folder}: {', '.join(kept) or 'none yet; python -m autograd_lite --compile'}"
    if folder is None:
        told = "not kept, since the user has no home"
    elif not loader.is_trusted(folder):
        told = f"{folder}: not run, since others may write to the folder; give it to your user, and write chmod go-w"
    return {"version": number, "machine code": told}


# ---- what overrides it ----

_VARIABLES = {
    "OPENBLAS_CORETYPE": "pins OpenBLAS to the kernels for this processor",
    "OPENBLAS_NUM_THREADS": "the threads of OpenBLAS",
    "GOTO_NUM_THREADS": "the threads of OpenBLAS",
    "OMP_NUM_THREADS": "the threads of OpenBLAS and OpenMP",
    "MKL_NUM_THREADS": "the threads of MKL",
    "MKL_ENABLE_INSTRUCTIONS": "the vector units that MKL may use",
    "VECLIB_MAXIMUM_THREADS": "the threads of Accelerate",
    "OPENBLAS_L2_SIZE": "the cache that OpenBLAS cuts matrices for",
    "NPY_DISABLE_CPU_FEATURES": "vector units that NumPy may not use",
    "NPY_ENABLE_CPU_FEATURES": "the only vector units that NumPy may use",
    "NUMPY_MADVISE_HUGEPAGE": "whether NumPy asks for large pages",
    "GLIBC_TUNABLES": "settings of the allocator, which override the library's",
    "MALLOC_ARENA_MAX": "the arenas of the allocator",
    "MALLOC_TRIM_THRESHOLD_": "how much free memory stays with the process",
    "MALLOC_MMAP_THRESHOLD_": "from what size on blocks are mapped one by one",
    "LD_PRELOAD": "libraries before all others, such as another allocator",
    "AUTOGRAD_LITE_TUNE_MEMORY": "whether the library sets the allocator and the collector",
    "AUTOGRAD_LITE_CACHE_DIR": "where machine code is kept",
    "NUMBA_CPU_NAME": "the processor that Numba compiles for",
    "NUMBA_CPU_FEATURES": "the vector units that Numba compiles for",
    "NUMBA_DISABLE_JIT": "Numba compiles nothing",
}


def _overrides(environment: Mapping[str, str]) -> Section:
    """The variables that are set, and what each overrides."""
    return {name: effect for name, effect in _VARIABLES.items() if environment.get(name)}


def _remarks(sections: Mapping[str, Any]) -> list[str]:
    remarks = []
    blas, units = sections["BLAS"], sections["processor"]["vector units"].split()
    kernel = blas.get("kernel", "")
    if (_has(units, _WIDE) and kernel in _NARROW_KERNELS + _OLD_KERNELS) or (
        _has(units, _MIDDLE) and kernel in _OLD_KERNELS
    ):
        remark = f"BLAS runs its {kernel} kernels, which leave a part of this processor's vector units unused"
        if os.environ.get("OPENBLAS_CORETYPE"):
            remark += f", because OPENBLAS_CORETYPE={os.environ['OPENBLAS_CORETYPE']} pins them"
            here, freed = _product_rate(os.environ), _product_rate(_without(os.environ, "OPENBLAS_CORETYPE"))
            if here and freed:
                remark += (
                    f": a product of float32 matrices runs at {here:.0f} GFLOP/s with it and at {freed:.0f} without "
                    f"({freed / here:.2f} times as fast)"
                )
        remarks.append(remark)
    threads, cores = blas.get("threads"), sections["processor"]["cores"]
    if threads is not None and int(threads) < int(cores):
        remarks.append(f"BLAS has {threads} of {cores} cores; see the variables for its threads")
    if sections["environment"].get("NPY_DISABLE_CPU_FEATURES"):
        remarks.append("NumPy's own loops leave vector units unused, because NPY_DISABLE_CPU_FEATURES is set")
    if not malloc.is_tuned:
        remarks.append("large temporary arrays cost page faults, because the allocator has the system's settings")
    return remarks


_WIDE = ("X86_V4", "AVX512F", "AVX512_SKX")
_MIDDLE = ("X86_V3", "AVX2")
_NARROW_KERNELS = ("Haswell", "Zen")
_OLD_KERNELS = (
    "Prescott", "Core2", "Penryn", "Dunnington", "Nehalem", "Athlon", "Opteron", "Barcelona", "Bobcat", "Atom",
    "Sandybridge", "Bulldozer", "Piledriver", "Steamroller", "Excavator",
)  # fmt: skip


def _has(units: list[str], some: tuple[str, ...]) -> bool:
    return any(unit in some for unit in units)


def _without(environment: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in environment.items() if key != name}


_PRODUCT = """
import time
import numpy as np
a = np.ones((1024, 1024), np.float32)
out = a @ a
best = float("inf")
for _ in range(8):
    start = time.perf_counter()
    np.matmul(a, a, out=out)
    best = min(best, time.perf_counter() - start)
print(2 * 1024**3 / best / 1e9)
"""


def _product_rate(environment: Mapping[str, str]) -> float | None:
    """The rate of a matrix product in a new process with this environment, in GFLOP/s; None if that fails."""
    import subprocess

    command = [sys.executable, "-c", _PRODUCT]
    try:
        done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, timeout=30, check=True)
        return float(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
