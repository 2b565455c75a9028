"""`compare_gradients`: gradients derived by hand, held against the engine's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import GradientError
from .gradient_check import check_gradients as check_gradients
from .tensor import Tensor


@dataclass(frozen=True)
class ParameterComparison:
    """One parameter's two gradients, and how far apart they are.

    Attributes
    ----------
    name : str
        The parameter's.
    hand, engine : ndarray
        The gradient derived by hand, and the engine's.
    """

    name: str
    hand: np.ndarray[Any, Any]
    engine: np.ndarray[Any, Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """The engine gradient's shape, which is the parameter's."""
        return tuple(self.engine.shape)

    @property
    def difference(self) -> np.ndarray[Any, Any]:
        """``hand - engine``, in double precision at least; NaN where either is, 0 where both are the same infinity."""
        hand, engine = (a.astype(np.result_type(a.dtype, np.float64)) for a in (self.hand, self.engine))
        with np.errstate(invalid="ignore"):
            return np.where(hand == engine, 0.0, hand - engine)

    @property
    def absolute(self) -> float:
        """The largest absolute difference; NaN if there is one; 0 for an empty parameter."""
        return float(np.max(np.abs(self.difference), initial=0.0))

    @property
    def relative(self) -> float:
        """The largest absolute difference, over the largest absolute value in either gradient."""
        scale = max(float(np.max(np.abs(a), initial=0.0)) for a in (self.hand, self.engine))
        if self.absolute == 0 or not np.isfinite(scale):
            return self.absolute
        return self.absolute / scale

    @property
    def cosine(self) -> float:
        """The cosine of the angle between the two as vectors; 1 where both are zero."""
        hand, engine = (a.astype(np.float64).ravel() for a in (self.hand, self.engine))
        lengths = [float(np.max(np.abs(a), initial=0.0)) for a in (hand, engine)]
        if 0.0 in lengths:
            return 1.0 if lengths[0] == lengths[1] else 0.0
        # Scaled first, so that the squares of tiny and of huge gradients stay in range.
        hand, engine = hand / lengths[0], engine / lengths[1]
        return float(hand @ engine / np.sqrt((hand @ hand) * (engine @ engine)))

    @property
    def worst(self) -> tuple[int, ...] | None:
        """The index of the largest difference, or of the first NaN; None for an empty parameter."""
        if not self.engine.size:
            return None
        return tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(self.difference)), self.shape))


class GradientComparison:
    """The report of `compare_gradients`: a row per parameter. `print` shows it as a table.

    Attributes
    ----------
    rows : list of ParameterComparison
        In the order of the engine's parameters.
    """

    def __init__(self, rows: list[ParameterComparison]) -> None:
        self.rows = rows

    def __getitem__(self, name: str) -> ParameterComparison:
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"no parameter {name!r} was compared; there are {', '.join(row.name for row in self.rows)}")

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def largest_relative(self) -> float:
        """The largest of the rows' relative differences."""
        return float(np.max([row.relative for row in self.rows], initial=0.0))

    def agrees(self, rtol: float = 1e-7) -> bool:
        """Whether every parameter's relative difference is at most `rtol`; never with a NaN."""
        return all(row.relative <= rtol for row in self.rows)

    def assert_close(self, rtol: float = 1e-7) -> None:
        """Raise an AssertionError with the table unless every parameter's relative difference is at most `rtol`."""
        if not self.agrees(rtol):
            apart = ", ".join(row.name for row in self.rows if not row.relative <= rtol)
            raise AssertionError(f"gradients by hand and by engine differ by more than {rtol:g} in {apart}\n{self}")

    def __str__(self) -> str:
        header = ("parameter", "shape", "max abs diff", "max rel diff", "cosine", "worst entry", "by hand", "engine")
        table = [header]
        for row in self.rows:
            at = row.worst
            values = ("-", "-") if at is None else (f"{row.hand[at]:.6g}", f"{row.engine[at]:.6g}")
            where = "-" if at is None else str(list(at))
            measures = (f"{row.absolute:.2e}", f"{row.relative:.2e}", f"{row.cosine:.9f}")
            table.append((row.name, str(row.shape), *measures, where, *values))
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        left = (0, 1, 5)
        lines = [
            "  ".join(
                c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))
            )
            for line in table
        ]
        return "\n".join([lines[0].rstrip(), "-" * len(lines[0]), *(line.rstrip() for line in lines[1:])])

    def __repr__(self) -> str:
        return (
            f"<GradientComparison of {len(self)} parameters, largest relative difference {self.largest_relative:.2e}>"
        )


Gradients = Mapping[str, Any]


def compare_gradients(hand: Gradients | Callable[[], Gradients], auto: Any) -> GradientComparison:
    """Hold gradients derived by hand against the engine's, parameter by parameter.

    Parameters
    ----------
    hand : dict of arrays, or a function that returns one
        From a parameter's name to the gradient derived by hand.
    auto : Module or dict
        What `backward` has run for. A module's ``named_parameters()`` give names and gradients; in a dict, a tensor
        that requires a gradient stands for its ``.grad``, an array or another tensor for itself.

    Returns
    -------
    GradientComparison
        With the largest absolute and relative difference, the cosine and the worst entry of each parameter.

    Raises
    ------
    GradientError
        If a parameter has no gradient yet.
    KeyError
        If the two do not name the same parameters.
    ValueError
        If a gradient derived by hand has another shape than the parameter.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import Tensor
    >>> from autograd_lite.checks import compare_gradients
    >>> X, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 0.0])
    >>> w = Tensor([0.5, -0.5], requires_grad=True)
    >>> (0.5 * (X @ w - y) ** 2).sum().backward()
    >>> by_hand = {"w": X.T @ (X @ w.data - y)}
    >>> print(compare_gradients(by_hand, {"w": w}))
    parameter  shape  max abs diff  max rel diff       cosine  worst entry  by hand  engine
    ---------------------------------------------------------------------------------------
    w          (2,)       0.00e+00      0.00e+00  1.000000000  [0]               -3      -3
    """
    derived = {
        str(name): _plain(f"by hand, {name}", value) for name, value in (hand() if callable(hand) else hand).items()
    }
    computed = dict(_engine_gradients(auto))
    missing, unknown = computed.keys() - derived.keys(), derived.keys() - computed.keys()
    if missing or unknown:
        problems = [f"missing by hand: {', '.join(sorted(missing))}"] if missing else []
        problems += [f"unknown to the engine: {', '.join(sorted(unknown))}"] if unknown else []
        raise KeyError(f"compare_gradients: the two do not name the same parameters ({'; '.join(problems)})")
    for name, gradient in computed.items():
        if derived[name].shape != gradient.shape:
            hint = "; it is the transpose's" if derived[name].shape == gradient.shape[::-1] else ""
            raise ValueError(
                f"compare_gradients: the gradient by hand of {name} has shape {derived[name].shape}, but the parameter "
                f"has {gradient.shape}{hint}"
            )
    return GradientComparison(
        [ParameterComparison(name, derived[name], gradient) for name, gradient in computed.items()]
    )


def _engine_gradients(auto: Any) -> Iterable[tuple[str, np.ndarray[Any, Any]]]:
    if hasattr(auto, "named_parameters"):
        items = auto.named_parameters()
    elif isinstance(auto, Mapping):
        items = auto.items()
    else:
        raise TypeError(f"compare_gradients: auto must be a Module or a dict, not {type(auto).__name__}")
    for name, value in items:
        if isinstance(value, Tensor) and value.requires_grad:
            if value.grad is None:
                raise GradientError(f"compare_gradients: {name} has no gradient yet; call backward() first")
            value = value.grad
        yield str(name), _plain(f"the engine's {name}", value)


def _plain(name: str, value: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(value.data if isinstance(value, Tensor) else value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"compare_gradients: {name} is of {array.dtype}; expected numbers")
    return array
