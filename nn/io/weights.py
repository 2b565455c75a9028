"""Weights as files: safetensors, which hold arrays and text and run no code, with a checksum over both.

Format: https://github.com/huggingface/safetensors. The metadata names the program, the version of the file's layout and
that of the project, and has a SHA-256 over all names, dtypes, shapes, numbers and texts, so that damage is noticed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.extend import write_atomically

from ..module import Module
from .architecture import ArchitectureError, build, describe

Array = np.ndarray[Any, Any]

PROGRAM = "autograd_lite"
LAYOUT = 1
"""The version of the files' layout; files of a larger one are refused."""


class CheckpointError(ValueError):
    """A file that is damaged, of another program or a newer version, or that does not fit what it is read into."""


def save_weights(model: Module, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
    """Write the tensors of a model, frozen ones too, with its architecture if a file can hold that.

    Parameters
    ----------
    model : Module
    path : path
        Usually ending in ``.safetensors``.
    metadata : mapping of str, optional
        Texts of your own to be kept with them.

    Raises
    ------
    TypeError
        If the metadata are no texts, or a tensor is complex.
    OSError
        If the file cannot be written; what was there before stays.

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
    try:
        architecture = json.dumps(describe(model))
    except ArchitectureError:
        architecture = ""
    texts = {"kind": "weights", "architecture": architecture, "model": repr(model), **(metadata or {})}
    write_file(Path(path), model.state_dict(), texts)


def load_weights(model: Module, path: str | os.PathLike[str]) -> dict[str, str]:
    """Read weights into a model; gives the texts that are kept with them. On an error the model is as it was.

    Raises
    ------
    CheckpointError
        If the file is damaged, foreign or newer, or of a model with other names or shapes.
    OSError
        If it cannot be read.
    """
    tensors, texts = read_file(Path(path), "weights")
    fill(model, tensors, path)
    return texts


def load_model(path: str | os.PathLike[str]) -> Module:
    """The model that a file of `save_weights` holds, made anew.

    Raises
    ------
    CheckpointError
        As in `load_weights`; and if the model has classes or functions of one's own.
    """
    tensors, texts = read_file(Path(path), "weights")
    model = model_of(texts, path)
    fill(model, tensors, path)
    return model


def model_of(texts: Mapping[str, str], path: str | os.PathLike[str]) -> Module:
    """The model that a file's texts tell of, with weights as they start."""
    if not texts.get("architecture"):
        raise CheckpointError(
            f"{path} has weights of a model with classes or functions of one's own, {texts.get('model', '')!r}; make "
            "the model in your program, and read them with load_weights(model, path)"
        )
    try:
        return build(json.loads(texts["architecture"]))
    except ValueError as error:
        raise CheckpointError(f"{path}: the architecture cannot be read: {error}") from None


def fill(model: Module, tensors: Mapping[str, Array], path: str | os.PathLike[str]) -> None:
    """Set a model's tensors, all or none."""
    try:
        model.load_state_dict(tensors)
    except (KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} does not fit the model: {error.args[0]}") from None


# ---- the file ----


def write_file(path: Path, tensors: Mapping[str, Array], texts: Mapping[str, str]) -> None:
    """Write arrays and texts, with their checksum."""
    from safetensors.numpy import save

    for name, text in texts.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise TypeError(f"metadata must map strings to strings, got {name!r}: {text!r}")
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise TypeError(
                f"{name} holds {array.dtype}, which a safetensors file cannot store; save its real and imaginary part"
            )
    texts = {**texts, "program": PROGRAM, "layout": str(LAYOUT), "version": _project_version()}
    data = save(arrays, {**texts, "sha256": _checksum(arrays, texts)})
    write_atomically(path, data)


def read_file(path: Path, kind: str) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and texts of a file of a kind, once everything about it is right."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            texts = dict(file.metadata() or {})
            _check_origin(path, texts)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a safetensors file, or is truncated: {error}") from None
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path} holds arrays that cannot be read: {error}") from None
    given = texts.pop("sha256", "")
    if given != _checksum(arrays, texts):
        raise CheckpointError(f"{path} is damaged: its contents do not match its checksum")
    if texts.get("kind") != kind:
        raise CheckpointError(f"{path} holds {texts.get('kind')!r}; expected a file that holds {kind!r}")
    return arrays, texts


def _check_origin(path: Path, texts: Mapping[str, str]) -> None:
    if texts.get("program") != PROGRAM:
        raise CheckpointError(
            f"{path} was not written by {PROGRAM}: its metadata are {dict(list(texts.items())[:3])}; to read another "
            "program's arrays, use safetensors.numpy.load_file and Module.load_state_dict"
        )
    layout = texts.get("layout", "")
    if not layout.isdigit():
        raise CheckpointError(f"{path} has the layout {layout!r} in its metadata; expected a number")
    if int(layout) > LAYOUT:
        raise CheckpointError(
            f"{path} has the layout {layout}, written by version {texts.get('version', 'unknown')}; this version "
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
    # Imported here, since it takes as long as everything else that nn imports.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(PROGRAM)
    except PackageNotFoundError:
        return "unknown"
