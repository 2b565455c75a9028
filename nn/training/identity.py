"""What a training is made of, as short texts: a checkpoint has them, and another training than its own is refused."""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from ..data.minibatches import Minibatches
from ..module import Module
from .training import Training

Array = np.ndarray[Any, Any]

_MOST_BYTES = 256 << 20
"""The size of an array up to which all of its numbers are compared; of a larger one, a sample that is spread out."""

_BLOCK_BYTES = 1 << 20


def made_of(training: Training) -> dict[str, str]:
    """The parts of a training that decide its result: from the name of each to a text, the same for the same part.

    The optimizer's options and the states of callbacks are in a checkpoint, and are taken from there. Functions are the
    same if their names, their code, and the numbers and functions that they refer to in closures are; the code of the
    user's functions is compared only within one version of Python.
    """
    batches = training.batches
    found = {
        "model": _digest("\n".join(_modules(training.model))),
        "loss": function_text(training.loss),
        "penalty": function_text(training.penalty),
        "metrics": ", ".join([*training.metrics, *(f"val_{name}" for name in training.validation_metrics)]),
        "validation data": _digest(*map(_numbers, training.validation or ())),
    }
    if isinstance(batches, Minibatches):
        found["training data"] = _digest(*map(_numbers, batches.arrays))
        found["batches"] = f"batch_size={batches.batch_size}, shuffle={batches.shuffle}, drop_last={batches.drop_last}"
    return found


def difference(before: Mapping[str, Any], now: Mapping[str, str]) -> str | None:
    """How a training differs from an earlier one, as the end of a sentence; None if it does not."""
    for part, text in now.items():
        old = before.get(part)
        if old is None or _same_function(str(old), text):
            continue
        if part == "model":
            return "with another model: its layers, activations or their options are not the same"
        if part.endswith("data"):
            return f"with other {part}"
        shown = [_without_code(each) or "none" for each in (str(old), text)]
        told = f"{shown[0]}; this training has {shown[1]}" if shown[0] != shown[1] else f"another {shown[0]}"
        return f"with the {part} {told}"
    return None


# ---- functions ----


def function_text(function: Any, depth: int = 0) -> str:
    """A function, or an object that can be called, as a text that is the same in another process."""
    if function is None or depth > 4:
        return ""
    if isinstance(function, functools.partial):
        bound = _plain([*function.args, *function.keywords.items()], depth)
        return f"partial of {function_text(function.func, depth + 1)} with {bound}"
    if isinstance(function, MethodType):
        return f"{_plain(function.__self__, depth)}.{function_text(function.__func__, depth + 1)}"
    if isinstance(function, FunctionType):
        cells = [_plain(_contents(cell), depth) for cell in function.__closure__ or ()]
        given = _plain([function.__defaults__, function.__kwdefaults__], depth)
        if _is_ours(function):
            return f"{function.__qualname__}{_code_mark([given, *cells])}" if cells else function.__qualname__
        return f"{function.__qualname__}{_code_mark([_code(function.__code__), given, *cells])}"
    if isinstance(function, BuiltinFunctionType | np.ufunc | type):
        return function.__name__
    return _plain(function, depth)


_MARK = " (code "


def _code_mark(parts: list[str]) -> str:
    return f"{_MARK}{_digest(*parts)} of Python {'.'.join(platform.python_version_tuple()[:2])})"


def _without_code(text: str) -> str:
    """The text of a function without the marks of its code."""
    head, mark, tail = text.partition(_MARK)
    return head + _without_code(tail.partition(")")[2]) if mark else head


def _same_function(one: str, other: str) -> bool:
    version = f" of Python {'.'.join(platform.python_version_tuple()[:2])})"
    if _MARK in one and version not in one:
        return _without_code(one) == _without_code(other)
    return one == other


def _code(code: CodeType) -> str:
    constants = [_code(each) if isinstance(each, CodeType) else _constant(each) for each in code.co_consts]
    return _digest(code.co_code.hex(), repr(code.co_names), *constants)


def _constant(value: Any) -> str:
    # The order of a set of texts changes from process to process.
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None


def _plain(value: Any, depth: int) -> str:
    """A value as text: numbers, texts, arrays, functions, and containers and objects of them; otherwise its class."""
    if depth > 4:
        return ""
    if isinstance(value, int | float | complex | str | bytes | np.generic) or value is None:
        return repr(value)
    if isinstance(value, np.ndarray):
        return _numbers(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {_plain(each, depth + 1)}' for key, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_plain(each, depth + 1) for each in value)}]"
    if isinstance(value, FunctionType | MethodType | functools.partial | BuiltinFunctionType | np.ufunc | type):
        return function_text(value, depth + 1)
    if isinstance(value, Module):
        return type(value).__qualname__
    inner = {
        name: each for name, each in sorted(getattr(value, "__dict__", {}).items()) if not isinstance(each, Module)
    }
    return f"{type(value).__qualname__}{_plain(inner, depth + 1) if inner else ''}"


def _is_ours(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).partition(".")[0] in ("nn", "autograd_lite", "numpy", "scipy")


# ---- models and data ----


def _modules(model: Module) -> Iterator[str]:
    """Each module's class, functions and texts; of the library's own, whose numbers are options, its numbers too."""
    for path, module in model.named_modules():
        yield f"{path}: {type(module).__qualname__}"
        kept = (str, int, float, dict) if _is_ours(type(module)) else (str,)
        for name, value in sorted(vars(module).items()):
            for member in value if isinstance(value, list | tuple) else [value]:
                is_function = callable(member) and not isinstance(member, Module)
                if (is_function or isinstance(member, kept)) and name != "training":
                    yield f"{name}: {_plain(member, 0)}"


def _numbers(array: Array) -> str:
    """A text for an array's shape, dtype and numbers."""
    digest = hashlib.sha256(f"{array.shape} {array.dtype}".encode())
    if array.dtype.hasobject or not array.size:
        return digest.hexdigest()[:16]
    rows = array.reshape(1) if not array.ndim else array
    step = max(1, _BLOCK_BYTES // max(1, array.nbytes // len(rows)))
    starts = range(0, len(rows), step)
    if array.nbytes > _MOST_BYTES:
        count = _MOST_BYTES // _BLOCK_BYTES
        starts = range(0, len(rows), max(step, -(-len(rows) // count)))
    for start in starts:
        digest.update(np.ascontiguousarray(rows[start : start + step]).tobytes())
    return digest.hexdigest()[:16]


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode(errors="backslashreplace")).hexdigest()[:16]
