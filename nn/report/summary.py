"""`summary`: a table of a model's layers, with their shapes, parameters, operations and memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd_lite import Tensor, no_grad
from autograd_lite.extend import html_table

from ..arguments import positive_int
from ..layers.activations import Activation
from ..layers.dense import Dense
from ..layers.embedding import Embedding
from ..layers.normalization import BatchNorm, LayerNorm
from ..mode import in_mode
from ..module import Module

Shape = tuple[int, ...]


@dataclass(frozen=True)
class LayerSummary:
    """A line of a `Summary`.

    Attributes
    ----------
    path, kind : str
        The layer's path in the model, and its class.
    input_shape, output_shape : tuple of int
    parameters : int
        The number of its own trained weights.
    flops : int
        The number of floating-point operations of a forward pass: a product of matrices has two for each of its terms,
        everything else one for each element and function.
    memory : int
        The bytes of its tensors and of its output.
    """

    path: str
    kind: str
    input_shape: Shape
    output_shape: Shape
    parameters: int
    flops: int
    memory: int


@dataclass(frozen=True)
class Summary:
    """The layers of a model, in the order of their calls; `print` shows a table with totals.

    Attributes
    ----------
    layers : list of LayerSummary
        The layers that contain no other layers.
    parameters : int
        The number of the model's trained weights; a parameter that is used several times counts once.
    frozen : int
        The number of weights that are not trained.
    flops, memory : int
        The totals of all layers.
    """

    layers: list[LayerSummary] = field(default_factory=list)
    parameters: int = 0
    frozen: int = 0

    @property
    def flops(self) -> int:
        """The total number of operations."""
        return sum(layer.flops for layer in self.layers)

    @property
    def memory(self) -> int:
        """The total number of bytes."""
        return sum(layer.memory for layer in self.layers)

    def _rows(self) -> list[tuple[str, ...]]:
        """The table with its header and totals."""
        rows: list[tuple[str, ...]] = [("layer", "class", "input", "output", "parameters", "flops", "memory")]
        for layer in self.layers:
            rows.append(
                (
                    layer.path, layer.kind, str(layer.input_shape), str(layer.output_shape), f"{layer.parameters:,}",
                    f"{layer.flops:,}", _bytes(layer.memory),
                )
            )  # fmt: skip
        return [*rows, ("total", "", "", "", f"{self.parameters:,}", f"{self.flops:,}", _bytes(self.memory))]

    def _repr_html_(self) -> str:
        header, *rows = self._rows()
        frozen = f"{self.frozen:,} weights are frozen" if self.frozen else ""
        return html_table(header, rows, left=range(4), title=frozen)

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(w) if i > 3 else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        rule = "-" * len(lines[0])
        frozen = [f"{self.frozen:,} weights are frozen"] if self.frozen else []
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], *frozen])


def summary(
    model: Module, input_shape: Shape | Sequence[Shape], batch_size: int = 1, dtype: npt.DTypeLike = np.float32
) -> Summary:
    """Run a model on zeros, and report the input, output, operations and memory of each layer.

    Parameters
    ----------
    model : Module
        The model; it is run in use, and its state does not change.
    input_shape : tuple of int, or list of such
        The shape of one example, without the axis of the batch: ``(784,)``. A list for a model with several inputs.
    batch_size : int, default 1
        The length of the axis of the batch.
    dtype : dtype, default float32
        The dtype of the inputs; an integer dtype for an `Embedding`.

    Raises
    ------
    TypeError
        If `model` is not a Module, or `input_shape` is not a shape.
    ValueError
        If the shape does not fit a layer.

    Examples
    --------
    >>> from nn import MLP
    >>> print(summary(MLP([784, 128, 10], rng=0), (784,)))
    layer     class  input     output    parameters    flops    memory
    ------------------------------------------------------------------
    layers.0  Dense  (1, 784)  (1, 128)     100,480  200,832  402.4 kB
    layers.1  ReLU   (1, 128)  (1, 128)           0      128   512.0 B
    layers.2  Dense  (1, 128)  (1, 10)        1,290    2,570    5.2 kB
    ------------------------------------------------------------------
    total                                   101,770  203,530  408.1 kB
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: expected a Module, not {type(model).__name__}")
    batch_size = positive_int(batch_size, "summary: batch_size")
    shapes = input_shape if isinstance(input_shape, list) else [input_shape]
    if not all(isinstance(shape, tuple) and all(isinstance(n, int) and n > 0 for n in shape) for shape in shapes):
        raise TypeError(f"summary: input_shape={input_shape!r} is not the shape of one example, such as (784,)")
    inputs = [np.zeros((batch_size, *shape), dtype) for shape in shapes]
    lines: list[LayerSummary] = []
    watched = model.with_parameters({})  # with modules of its own, since other threads may call the model's
    _watch(watched, lines)
    with in_mode(watched, training=False), no_grad():
        watched(*inputs)
    trained = model.parameter_count()
    everything = sum(array.size for array in model.state_dict().values())
    return Summary(lines, trained, everything - trained)


def _watch(model: Module, lines: list[LayerSummary]) -> None:
    """From now on add a line for every call of a layer that contains no other layers."""
    for path, module in model.named_modules():
        if sum(1 for _ in module.named_modules()) == 1:
            module.forward = _watching(module, path, module.forward, lines)  # type: ignore[method-assign]


def _watching(module: Module, path: str, forward: Callable[..., Any], lines: list[LayerSummary]) -> Callable[..., Any]:
    def watching(*args: Any, **kwargs: Any) -> Any:
        out = forward(*args, **kwargs)
        shape_in, shape_out = (tuple(np.shape(x.data if isinstance(x, Tensor) else x)) for x in (args[0], out))
        kept = sum(array.nbytes for array in module.state_dict().values())
        lines.append(
            LayerSummary(
                path or "model", type(module).__name__, shape_in, shape_out, module.parameter_count(),
                _flops(module, shape_in, shape_out), kept + int(np.asarray(out.data).nbytes),
            )
        )  # fmt: skip
        return out

    return watching


def _flops(module: Module, shape_in: Shape, shape_out: Shape) -> int:
    elements = math.prod(shape_out)
    if isinstance(module, Dense):
        return 2 * elements * module.in_features + (0 if module.bias is None else elements)
    if isinstance(module, BatchNorm):
        return 4 * elements  # subtract the mean, divide by the deviation, multiply by the scale, add the shift
    if isinstance(module, LayerNorm):
        return 8 * elements  # also a sum for the mean and one for the variance, a difference and a square
    if isinstance(module, Embedding):
        return 0
    return elements if isinstance(module, Activation) else 0


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
