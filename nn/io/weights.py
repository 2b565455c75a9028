"""Weights as files: safetensors, which hold arrays and text and run no code, with a checksum over both.

The format is described at https://github.com/huggingface/safetensors. The metadata have the program's name, the version
of the file's layout, that of the project, and a SHA-256 checksum over all names, dtypes, shapes, numbers and texts.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.extend import replacing

from ..module import Module
from .architecture import ArchitectureError, build, describe

Array = np.ndarray[Any, Any]

PROGRAM = "autograd_lite"
LAYOUT = 1
"""The version of the files' layout; files with a higher version are refused."""

RESERVED = ("kind", "architecture", "model", "program", "layout", "version", "sha256")
"""The names of texts that every file of weights has, so that metadata cannot have them."""

_LONGEST_HEADER = 100_000_000
"""The number of bytes of names and texts from which on safetensors refuses to read a file."""


class CheckpointError(ValueError):
    """A file is damaged, is from another program or a newer version, or does not fit the model that it is read into."""


def save_weights(model: Module, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
    """Write the tensors of a model, including frozen ones, and its architecture if a file can hold that.

    Parameters
    ----------
    model : Module
    path : path
        The path of the file; usually it ends in ``.safetensors``.
    metadata : mapping of str, optional
        Texts that are saved with the tensors, under any names but those that the file has itself: kind, architecture,
        model, program, layout, version and sha256.

    Raises
    ------
    TypeError
        If the metadata are not texts, or a tensor has a dtype that the format does not know, such as complex numbers.
    ValueError
        If the metadata have a name of the file's own, or cannot be stored; nothing is written then.
    OSError
        If the file cannot be written; an older file is kept.

    Notes
    -----
    The same model gives the same bytes.

    Examples
    --------
    >>> from nn import MLP
    >>> save_weights(MLP([3, 4, 2], rng=0), "model.safetensors")
    >>> load_model("model.safetensors")
    MLP(
        layers.0: Dense(weight=(3, 4), bias=(4,))
        layers.1: ReLU()
        layers.2: Dense(weight=(4, 2), bias=(2,))
    )  # 26 parameters
    """
    if taken := [name for name in metadata or {} if name in RESERVED]:
        raise ValueError(
            f"save_weights: the metadata may not have the name {taken[0]!r}, under which the file has its own text; "
            f"choose a name other than {', '.join(RESERVED)}"
        )
    try:
        architecture = json.dumps(describe(model))
    except ArchitectureError:
        architecture = ""
    texts = {"kind": "weights", "architecture": architecture, "model": repr(model), **(metadata or {})}
    write_file(Path(path), model.state_dict(), texts)


def load_weights(model: Module, path: str | os.PathLike[str]) -> dict[str, str]:
    """Read weights into a model; returns the texts that are saved with them. On an error, the model is not changed.

    Raises
    ------
    CheckpointError
        If the file is damaged, or from another program, a newer version, or a model with other names or shapes.
    OSError
        If the file cannot be read.
    """
    tensors, texts = read_file(Path(path), "weights")
    fill(model, tensors, path)
    return texts


def load_model(path: str | os.PathLike[str]) -> Module:
    """Make the model in a file that `save_weights` has written, with its weights.

    Raises
    ------
    CheckpointError
        As in `load_weights`; and if the model has classes or functions of the user.
    """
    tensors, texts = read_file(Path(path), "weights")
    model = model_of(tensors, texts, path)
    fill(model, tensors, path)
    return model


def model_of(tensors: Mapping[str, Array], texts: Mapping[str, str], path: str | os.PathLike[str]) -> Module:
    """Make the model that a file's texts describe, no larger than its tensors, with new initial weights."""
    if not texts.get("architecture"):
        raise CheckpointError(
            f"{path} has weights of a model that a file cannot describe, with classes or functions of your own, or too "
            f"deep: {texts.get('model', '')!r}; make the model in your program, and read them with "
            "load_weights(model, path)"
        )
    try:
        return build(json.loads(texts["architecture"]), sum(array.size for array in tensors.values()))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: the architecture cannot be read: {error}") from None


def fill(model: Module, tensors: Mapping[str, Array], path: str | os.PathLike[str]) -> None:
    """Set all of a model's tensors, or none on an error."""
    try:
        model.load_state_dict(tensors)
    except (KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} does not fit the model: {error.args[0]}") from None


# ---- the file ----


def write_file(path: Path, tensors: Mapping[str, Array], texts: Mapping[str, str]) -> None:
    """Write arrays and texts, with their checksum."""
    from safetensors import SafetensorError
    from safetensors.numpy import save

    for name, text in texts.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise TypeError(f"metadata must map strings to strings, got {name!r}: {text!r}")
    for text in (*texts, *texts.values(), *tensors):
        if not text.isascii() and (wrong := re.search("[\ud800-\udfff]", text)):
            raise ValueError(f"the text {_shown(text)} has half a character, {wrong[0]!r}, which no file can hold")
    if "__metadata__" in tensors:
        raise ValueError("a tensor cannot have the name '__metadata__' in a file, which has its texts there")
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
            advice = "; save its real and imaginary part" if array.dtype.kind == "c" else ""
            raise TypeError(f"{name} has dtype {array.dtype}, which safetensors cannot store{advice}")
    texts = {**texts, "program": PROGRAM, "layout": str(LAYOUT), "version": _project_version()}
    try:
        data = memoryview(save(arrays, {**texts, "sha256": _checksum(arrays, texts)}))
    except SafetensorError as error:
        raise ValueError(f"{path} cannot hold these arrays and texts: {error}") from None
    length = int.from_bytes(data[:8], "little")
    # safetensors writes the texts in an order that changes from run to run.
    header = json.loads(bytes(data[8 : 8 + length]))
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    head = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    if len(head) > _LONGEST_HEADER:
        raise ValueError(
            f"the names and texts take {len(head):,} bytes, and no reader takes more than {_LONGEST_HEADER:,}; save "
            "shorter metadata"
        )
    with replacing(path) as file:
        file.write(len(head).to_bytes(8, "little") + head)
        file.write(data[8 + length :])


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def read_file(path: Path, kind: str) -> tuple[dict[str, Array], dict[str, str]]:
    """Read and check a file of a kind; returns its arrays and texts."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"the file {path} does not exist")
    try:
        with safe_open(path, framework="numpy") as file:
            texts = dict(file.metadata() or {})
            _check_origin(path, texts)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - the file is not a mapping
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a safetensors file, or is truncated: {error}") from None
    except CheckpointError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, MemoryError) as error:
        raise CheckpointError(f"{path} holds arrays that cannot be read: {error}") from None
    given = texts.pop("sha256", "")
    if given != _checksum(arrays, texts):
        raise CheckpointError(f"{path} is damaged: its contents do not match its checksum")
    if texts.get("kind") != kind:
        raise CheckpointError(f"{path} holds {texts.get('kind')!r}; expected a file that holds {kind!r}")
    return arrays, texts


def read_texts(path: Path) -> dict[str, str]:
    """The texts of a file, without reading its arrays, and so without knowing whether they are damaged."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"the file {path} does not exist")
    try:
        with safe_open(path, framework="numpy") as file:
            return dict(file.metadata() or {})
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a safetensors file, or is truncated: {error}") from None


def _check_origin(path: Path, texts: Mapping[str, str]) -> None:
    if texts.get("program") != PROGRAM:
        raise CheckpointError(
            f"{path} was not written by {PROGRAM}: its metadata are {dict(list(texts.items())[:3])}; to read another "
            "program's arrays, use safetensors.numpy.load_file and Module.load_state_dict"
        )
    layout = texts.get("layout", "")
    if not layout.isdigit():
        raise CheckpointError(f"{path} has the layout version {layout!r} in its metadata; expected a number")
    if int(layout) > LAYOUT:
        raise CheckpointError(
            f"{path} has layout version {layout}, written by version {texts.get('version', 'unknown')}; this version "
            f"({_project_version()}) reads layouts up to {LAYOUT}: upgrade {PROGRAM}"
        )


def _checksum(arrays: Mapping[str, Array], texts: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(dict(texts), sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.asarray(arrays[name], order="C")
        digest.update(json.dumps([name, str(array.dtype), array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _project_version() -> str:
    # Imported here, since this import takes as long as all others of nn together.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(PROGRAM)
    except PackageNotFoundError:
        return "unknown"
