"""Checkpoints: everything that an interrupted training needs to continue to the same weights, to the bit."""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from autograd_lite.extend import remove_abandoned

from ..arguments import positive_int
from ..data.minibatches import Minibatches
from ..io.weights import CheckpointError, fill, read_file, read_texts, write_file
from .identity import difference, made_of
from .run_folder import locked
from .training import Callback, Training, TrainingWarning

Array = np.ndarray[Any, Any]

_NAME = re.compile(r"checkpoint-(\d{8,})\.safetensors")


class Checkpoint(Callback):
    """Writes the state of training to files in a folder, and keeps the last few.

    Each file is complete: it is written under a temporary name, synced and renamed, so the earlier files survive a
    crash at any time. ``fit(..., resume=folder)`` continues from the last file. The folder is the run's own: another
    training that runs in it, or has left its files there, is not mixed with this one.

    Parameters
    ----------
    path : path
        The folder; it is created if it does not exist. A new training needs one without checkpoints; a resumed one
        takes that of the run that it continues.
    every : int, default 1
        The number of epochs, or steps, from one file to the next.
    keep : int, default 3
        The number of files to keep; older ones are deleted.
    unit : {"epoch", "step"}, default "epoch"
        The unit of `every`.

    Raises
    ------
    CheckpointError
        In `fit`, before the first step: if another training runs in the folder, which the error names, or if the folder
        has the checkpoints of another run, or later ones than the one that training continues from.

    Notes
    -----
    A file has the weights, the optimizer, the states of all callbacks, the history, the epoch and the position in it,
    and the states of the random generators of the minibatches and of the model's modules. After Ctrl-C, another file is
    written.
    """

    last = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        every: int = 1,
        keep: int = 3,
        unit: Literal["epoch", "step"] = "epoch",
    ) -> None:
        self.path = Path(path)
        self.every = positive_int(every, "Checkpoint: every")
        self.keep = positive_int(keep, "Checkpoint: keep")
        if unit not in ("epoch", "step"):
            raise ValueError(f"Checkpoint: unit={unit!r} is unknown; expected 'epoch' or 'step'")
        self.unit = unit

    def running(self, training: Training) -> AbstractContextManager[None]:
        """Hold the folder, so that no other training writes into it."""
        return locked(self.path, training)

    def on_train_begin(self, training: Training) -> None:
        """Check that the folder is free, unless this was done for a checkpoint, and delete what a crash has left."""
        if not training.resumed:
            self.check(training.run, 0)
            training.made_of = made_of(training)
        remove_abandoned(self.path, 0)

    def check(self, run: str, step: int) -> None:
        """Refuse a folder that has the checkpoints of another run, or of later steps.

        Files that cannot be read belong to nobody; they stay until they are as old as those that are deleted.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        for found, path in _files_in(self.path):
            if not step:
                raise CheckpointError(
                    f"the folder {self.path} has the checkpoints of another training, up to step {found}; continue "
                    f"that one with resume={str(self.path)!r}, or choose another folder"
                )
            texts = _texts_of(path, whole=found > step)
            if texts is not None:
                if texts.get("run", "") != run:
                    raise CheckpointError(
                        f"the folder {self.path} has a checkpoint of another run, {path.name}; choose another folder"
                    )
                if found > step:
                    raise CheckpointError(
                        f"the folder {self.path} has a later checkpoint, {path.name}, than the one of step {step} that "
                        "training continues from; move the later ones away, or choose another folder"
                    )

    def on_step_end(self, training: Training) -> None:
        """Write a file if it is time; after the last step of an epoch, it is written at the end of the epoch."""
        if self.unit == "step" and training.step % self.every == 0 and training.step_in_epoch < len(training.batches):
            self.write(training)

    def on_epoch_end(self, training: Training) -> None:
        """Write a file if it is time, and after the last epoch."""
        passed = training.epoch if self.unit == "epoch" else training.step
        if passed % self.every == 0 or training.epoch == training.epochs:
            self.write(training)

    def on_pause(self, training: Training) -> None:
        """Write a file when Ctrl-C has ended training."""
        if training.step:
            self.write(training)

    def write(self, training: Training) -> None:
        """Write a file now, and delete those that are too old."""
        path = self.path / f"checkpoint-{training.step:08d}.safetensors"
        if os.path.lexists(path) and not path.is_file():  # a folder, a pipe or a dangling link is in the way
            path.rename(path.with_name(f"{path.name}.{secrets.token_hex(4)}.damaged"))
        save_checkpoint(training, path)
        # A file of a later step is one that could not be read when training was resumed.
        own = [path for step, path in _files_in(self.path) if step <= training.step]
        for path in own[self.keep :]:
            if path.is_symlink() or not path.is_dir():
                path.unlink(missing_ok=True)

    def __repr__(self) -> str:
        return f"Checkpoint({str(self.path)!r}, every={self.every}, keep={self.keep}, unit={self.unit!r})"


def save_checkpoint(training: Training, path: str | os.PathLike[str]) -> None:
    """Write the state of a training to a file."""
    arrays = {f"model/{name}": array for name, array in training.model.state_dict().items()}
    plain: dict[str, Any] = {
        "made of": training.made_of or made_of(training),
        "epoch": training.epoch,
        "step": training.step,
        "step_in_epoch": training.step_in_epoch,
        "last_loss": repr(training.last_loss),
        "stopped": training.stop_reason,
        "steps_in_an_epoch": len(training.batches),
        "history": training.history.state_dict(),
        "order": None if training.order is None else _listed(training.order),
        "generators": {name: _listed(generator.bit_generator.state) for name, generator in _generators(training)},
        "callbacks": [type(callback).__name__ for callback in training.callbacks],
        "states": {},
    }
    states = {"optimizer": training.optimizer.state_dict()}
    states |= {f"callback{i}": callback.state_dict() for i, callback in enumerate(training.callbacks)}
    for owner, state in states.items():
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                arrays[f"{owner}/{name}"] = value
            else:
                plain["states"][f"{owner}/{name}"] = _as_json(value)
    write_file(Path(path), arrays, {"kind": "checkpoint", "run": training.run, "training": json.dumps(plain)})


def resume_training(training: Training, path: str | os.PathLike[str]) -> None:
    """Set a training to the state in a checkpoint; on an error, nothing is changed.

    Parameters
    ----------
    training : Training
        The training; it must have been made in the same way as that of the checkpoint.
    path : path
        A file; or a folder, whose newest readable file is used. A folder without files is not an error.

    Raises
    ------
    CheckpointError
        If the file is damaged, or all files of the folder are; or if it belongs to another training.
    """
    path = Path(path)
    if not path.is_dir():
        if not path.exists() and not path.is_symlink() and path.suffix != ".safetensors":
            return
        _restore(training, path, *read_file(path, "checkpoint"))
        return
    refused = []
    for _, file in _files_in(path):
        try:
            contents = read_file(file, "checkpoint")
        except (CheckpointError, OSError) as error:
            refused.append(str(error))
            continue
        for told in refused:
            warnings.warn(f"{told}; the checkpoint before it is used", TrainingWarning, stacklevel=3)
        _restore(training, file, *contents)
        return
    if refused:
        raise CheckpointError(
            f"the folder {path} has {len(refused)} checkpoints and none that can be read; move them away to start at "
            f"the beginning. The newest: {refused[0]}"
        )


def _restore(training: Training, path: Path, arrays: Mapping[str, Array], texts: Mapping[str, str]) -> None:
    try:
        plain = json.loads(texts["training"])
        owners: dict[str, dict[str, Any]] = {}
        for name, value in {**arrays, **{key: _from_json(v) for key, v in plain["states"].items()}}.items():
            owner, _, entry = name.partition("/")
            owners.setdefault(owner, {})[entry] = value
        _check_fit(training, plain, path)
        epoch, step, step_in_epoch = (int(plain[name]) for name in ("epoch", "step", "step_in_epoch"))
        last_loss, stop_reason, run = float(plain["last_loss"]), plain["stopped"], texts.get("run", "")
        order = None if plain["order"] is None else _unlisted(plain["order"])
        _check_place(training, epoch, step, step_in_epoch, stop_reason, order)
        generators = dict(_generators(training))
        for callback in training.callbacks:
            if isinstance(callback, Checkpoint):
                callback.check(run, step)
        before = _everything(training)
        try:
            now = made_of(training)
            fill(training.model, owners.get("model", {}), path)
            training.optimizer.load_state_dict(owners.get("optimizer", {}))
            for i, callback in enumerate(training.callbacks):
                callback.load_state_dict(owners.get(f"callback{i}", {}))
            training.history.load_state_dict(plain["history"])
            for name, state in plain["generators"].items():
                generators[name].bit_generator.state = _unlisted(state)
            _check_parts(plain.get("made of", {}), now, path)
        except BaseException:
            _put_back(training, before)
            raise
    except CheckpointError:
        raise
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError) as error:
        raise CheckpointError(f"{path} does not fit this training: {type(error).__name__}: {error}") from None
    training.epoch, training.step, training.step_in_epoch = epoch, step, step_in_epoch
    training.last_loss, training.stop_reason, training.order = last_loss, stop_reason, order
    training.run, training.made_of, training.resumed = run, now, True


def _check_place(training: Training, epoch: int, step: int, step_in_epoch: int, stop_reason: Any, order: Any) -> None:
    """Check that training can continue from there."""
    if min(epoch, step, step_in_epoch) < 0 or step_in_epoch > step or not isinstance(stop_reason, str | None):
        raise ValueError(f"its place is step {step_in_epoch} of epoch {epoch}, step {step} in all, {stop_reason!r}")
    if order is not None and isinstance(training.batches, Minibatches):
        type(training.batches.rng.bit_generator)().state = order  # raises where it is no such state


def _check_parts(before: Mapping[str, Any], now: Mapping[str, str], path: Path) -> None:
    """Check that the training of the checkpoint was made of the same parts."""
    if (told := difference(before, now)) is not None:
        raise CheckpointError(f"{path} was written by a training {told}")


def _check_fit(training: Training, plain: Mapping[str, Any], path: Path) -> None:
    """Check that the checkpoint belongs to a training like this one."""
    names = [type(callback).__name__ for callback in training.callbacks]
    if plain["callbacks"] != names:
        raise CheckpointError(
            f"{path} was written by a training with the callbacks {plain['callbacks']}; this training has {names}"
        )
    if plain["steps_in_an_epoch"] != len(training.batches):
        raise CheckpointError(
            f"{path} was written by a training with {plain['steps_in_an_epoch']} steps in an epoch; this training has "
            f"{len(training.batches)}: the data or the batch size differs"
        )
    found = set(plain["generators"]), {name for name, _ in _generators(training)}
    if found[0] != found[1]:
        raise CheckpointError(
            f"{path} has the random generators {sorted(found[0])}; this training has {sorted(found[1])}"
        )


# ---- contents of a checkpoint ----


def _generators(training: Training) -> Iterator[tuple[str, np.random.Generator]]:
    """The random generators of the minibatches and of the model's modules."""
    if isinstance(training.batches, Minibatches):
        yield "batches", training.batches.rng
    for path, module in training.model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, np.random.Generator):
                yield f"model.{path}.{name}", value


def _everything(training: Training) -> tuple[Any, ...]:
    return (
        training.model.state_dict(),
        training.optimizer.state_dict(),
        [callback.state_dict() for callback in training.callbacks],
        training.history.state_dict(),
        [(generator, generator.bit_generator.state) for _, generator in _generators(training)],
    )


def _put_back(training: Training, before: tuple[Any, ...]) -> None:
    model, optimizer, callbacks, history, generators = before
    training.model.load_state_dict(model)
    training.optimizer.load_state_dict(optimizer)
    for callback, state in zip(training.callbacks, callbacks, strict=True):
        callback.load_state_dict(state)
    training.history.load_state_dict(history)
    for generator, state in generators:
        generator.bit_generator.state = state


def _files_in(folder: Path) -> list[tuple[int, Path]]:
    """The checkpoints of a folder with their steps, the newest first."""
    found = [(match, path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    return sorted(((int(match[1]), path) for match, path in found), reverse=True)


def _texts_of(path: Path, whole: bool) -> dict[str, str] | None:
    """The texts of a checkpoint; None if it cannot be read, or if all of it is to be `whole` and is not."""
    try:
        return read_file(path, "checkpoint")[1] if whole else read_texts(path)
    except (CheckpointError, OSError):
        return None


def _listed(state: Any) -> Any:
    """A generator's state in a form for JSON."""
    if isinstance(state, Mapping):
        return {key: _listed(value) for key, value in state.items()}
    if isinstance(state, np.ndarray):
        return {"array": state.tolist(), "dtype": str(state.dtype)}
    return int(state) if isinstance(state, np.integer) else state


def _unlisted(state: Any) -> Any:
    if isinstance(state, Mapping):
        if state.keys() == {"array", "dtype"}:
            if state["dtype"] not in ("uint32", "uint64"):
                raise ValueError(f"a generator's state has numbers of {str(state['dtype'])[:20]}")
            return np.array(state["array"], state["dtype"])
        return {key: _unlisted(value) for key, value in state.items()}
    return state


def _as_json(value: Any) -> Any:
    """A number or text of a state in a form for JSON, which has no infinity and no NaN."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    return list(value) if isinstance(value, tuple) else value


def _from_json(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"float"}:
        return float(value["float"])
    return tuple(value) if isinstance(value, list) else value
