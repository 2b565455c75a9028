"""Where a number that is not finite comes from, for a batch whose loss is not."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from autograd_lite import AnomalyError, Tensor, detect_anomaly

from ..data.minibatches import Minibatches
from .training import Training


def cause_of(training: Training, members: Sequence[Any]) -> str:
    """What made the loss of a batch not finite; empty if it cannot be told.

    The forward pass is run again on a copy of the model, so that training stays as it is.

    Parameters
    ----------
    training : Training
    members : sequence of array
        The arrays of the batch, the targets last.
    """
    *inputs, targets = members
    described = [(f"input {i} of the batch" if len(inputs) > 1 else "the input", x) for i, x in enumerate(inputs)]
    named = ((f"the parameter {name}", parameter) for name, parameter in training.model.named_parameters())
    for name, index, number in _not_finite([*described, ("the target", targets), *named]):
        if "parameter" not in name and (told := _in_data(training)):
            return told
        before = ", after an earlier step; fit(..., detect_anomaly=True) names the operation" if "param" in name else ""
        return f"{name} is {number} at index {index}{before}"
    with suppress(Exception), np.errstate(all="ignore"):  # code of the user's, which has run once already
        model = copy.deepcopy(training.model)
        for (_, own), (_, copied) in zip(training.model.named_modules(), model.named_modules(), strict=True):
            copied.training = own.training
        try:
            with detect_anomaly():
                loss = training.loss(model(*inputs), targets)
                if training.penalty is not None:
                    loss = loss + training.penalty(model)
        except AnomalyError as error:
            return str(error)
    return ""


def _in_data(training: Training) -> str:
    """Where the training data are not finite, by row and column; empty if they are, or are made by an iterable."""
    arrays = training.batches.arrays if type(training.batches) is Minibatches else ()
    names = [f"X{i}" if len(arrays) > 2 else "X" for i in range(len(arrays) - 1)]
    for name, array in zip([*names, "y"], arrays, strict=False):
        for start in range(0, len(array), _ROWS):  # since it may be a file that is larger than memory
            for _, (row, *column), number in _not_finite([("", array[start : start + _ROWS])]):
                where = f", column {column[0]}" if len(column) == 1 else f", {tuple(column)}" if column else ""
                return f"{name} has {number} in row {start + row}{where}, counted from 0"
    return ""


_ROWS = 4096


def _not_finite(named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, tuple[int, ...], Any]]:
    for name, value in named:
        array = np.asarray(value.data if isinstance(value, Tensor) else value)
        if array.dtype.kind in "fc" and not (finite := np.isfinite(array)).all():
            index = tuple(int(i) for i in np.argwhere(~finite)[0])
            yield name, index, array[index]
