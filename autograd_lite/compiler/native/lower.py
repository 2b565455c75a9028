"""How calls of a plan become rows of a table for the machine code; see `opcodes`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...speed.strong_zero import strong_product
from ..array_layout import Array, Layout
from ..hints import looks_at_indices
from ..ir import Argument, Call, Captured, Constant, Value
from ..optimize.one_hot import minus_one_hot
from ..optimize.rectifier import where_positive
from . import blas
from . import opcodes as op


class Address(NamedTuple):
    """The address of an array that changes from call to call: one from outside, and bytes from there.

    Attributes
    ----------
    pointer : array of one integer
        Where the address of the pointer to that array's memory stands.
    offset : int
        The offset in bytes.
    """

    pointer: Any
    offset: int


class Row(NamedTuple):
    """A row of a table, with the objects that have to be kept alive for it.

    Attributes
    ----------
    words : list
        64-bit integers, or an `Address` where the word changes from call to call.
    kept : list
        Arrays of numbers that the row points to.
    nbytes : int
        The number of bytes that it reads and writes.
    check : Call or None
        The call that raises the error if the row finds an index out of range.
    """

    words: list[Any]
    kept: list[Array]
    nbytes: int
    check: Call | None = None


class Operand(NamedTuple):
    """An operand, seen as a matrix."""

    address: Any
    stride: int
    step: int
    item: int


class Lowering:
    """Makes the rows for the calls of a plan.

    Parameters
    ----------
    arrays : mapping
        The array of each value that has a fixed array.
    pointer : callable
        From an array from outside to where the address of the pointer to its memory stands.
    is_exact : bool
        Whether functions that machine code rounds differently from NumPy are left to NumPy.
    """

    def __init__(self, arrays: dict[Value, Array], pointer: Callable[[Value], Any], is_exact: bool) -> None:
        self._arrays = arrays
        self._pointer = pointer
        self._is_exact = is_exact
        self._kept: list[Array] = []

    def row(self, call: Call) -> tuple[np.dtype[Any] | None, Row] | None:
        """The floating-point type of a call, or None, and its row; None if only NumPy can do the call."""
        function = call.function
        if looks_at_indices(function):
            return self._check(call, function.stop)
        if call.is_view or len(call.results) + len(call.writes) != 1 or not call.is_pure:
            return None
        if self._is_exact and function in _ROUNDED_OTHERWISE:
            return None
        if call.writes and not isinstance(call.function, np.ufunc):
            return None
        target = (call.results or call.writes)[0]
        floats = {v.layout.dtype for v in (target, *call.operands) if v.layout.dtype.kind == "f"}
        if len(floats) > 1 or any(dtype not in (np.float32, np.float64) for dtype in floats):
            return None
        if not all(self._is_apart(target, operand) for operand in call.operands):
            return None
        if not all(self._is_reachable(value) for value in (target, *call.operands)):
            return None
        self._kept = []
        dtype = next(iter(floats), np.dtype(np.float32))
        words = self._words(call, target, dtype)
        if words is None:
            return None
        nbytes = sum(value.layout.nbytes for value in (target, *call.operands))
        return dtype if floats else None, Row(words + [0] * (op.WORDS - len(words)), self._kept, nbytes)

    def _words(self, call: Call, target: Value, dtype: np.dtype[Any]) -> list[Any] | None:
        function, args = call.function, call.args
        kwargs = {name: value for name, value in call.kwargs.items() if name != "out"}
        owner = getattr(function, "__self__", None)
        if isinstance(owner, np.ufunc) and function.__name__ == "reduce":
            return self._reduction(owner, args, kwargs, target, dtype)
        if function in (np.ndarray.sum, np.sum):
            return self._whole_sum(args, kwargs, target, dtype)
        if function is operator.getitem:
            return self._pick(args, target, dtype)
        if kwargs:
            return None
        if function is np.matmul:
            return self._product(args, target, dtype)
        if function in (np.copy, np.ndarray.copy):
            return self._elementwise(op.UNARY[np.positive], args, (dtype,), target, dtype)
        tables: tuple[tuple[dict[Any, int], tuple[np.dtype[Any], ...], np.dtype[Any]], ...] = (
            (op.UNARY, (dtype,), dtype),
            (op.BINARY, (dtype, dtype), dtype),
            (op.COMPARISONS, (dtype, dtype), _BOOL),
        )
        for table, kinds, result in tables:
            if function in table and target.layout.dtype == result:
                found = self._elementwise(table[function], args, kinds, target, dtype)
                return found or self._of_truth(function, args, target, dtype)
        if function is np.equal:
            return self._elementwise(op.EQUAL_INTEGERS, args, (_INTEGER, _INTEGER), target, dtype)
        if function is np.where and len(args) == 3 and target.layout.dtype == dtype:
            return self._elementwise(op.WHERE, args, (_BOOL, dtype, dtype), target, dtype)
        if function is where_positive:
            return self._elementwise(op.WHERE_POSITIVE, args, (dtype, dtype), target, dtype)
        if function is minus_one_hot:
            return self._minus_one_hot(args, target, dtype)
        return None

    def _of_truth(
        self, function: Callable[..., Any], args: tuple[Any, ...], target: Value, dtype: np.dtype[Any]
    ) -> list[Any] | None:
        """Arithmetic with truth values, which count as 0 and 1."""
        multiply = op.MULTIPLY_TRUTH
        codes = {np.subtract: op.SUBTRACT_TRUTH, np.multiply: multiply, strong_product: multiply}
        if function not in codes:
            return None
        return self._elementwise(codes[function], args, (dtype, _BOOL), target, dtype)

    def _elementwise(
        self, code: int, args: tuple[Any, ...], kinds: tuple[np.dtype[Any], ...], target: Value, dtype: np.dtype[Any]
    ) -> list[Any] | None:
        shape = target.layout.shape
        rows, columns = _matrix(shape)
        result = self._operand(target, shape, target.layout.dtype)
        if len(args) != len(kinds) or result is None or (result.step != 1 and columns > 1):
            return None
        operands = [self._operand(arg, shape, kind) for arg, kind in zip(args, kinds, strict=True)]
        if any(operand is None for operand in operands):
            return None
        return _words(code, rows, columns, result, *operands)  # type: ignore[arg-type]

    def _operand(self, value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Operand | None:
        """An operand that is broadcast to a shape, seen as a matrix; None if its strides do not allow that."""
        if not isinstance(value, Value):
            number = self._number(value, dtype)
            return None if number is None else Operand(number, 0, 0, dtype.itemsize)
        if value.layout.dtype != dtype:
            return None
        own_shape, strides = self._layout(value)
        missing = len(shape) - len(own_shape)
        lengths = (1,) * missing + own_shape
        strides = (0,) * missing + tuple(0 if n == 1 else s for n, s in zip(own_shape, strides, strict=True))
        if any(n not in (1, wanted) for n, wanted in zip(lengths, shape, strict=True)):
            return None
        step, remainder = divmod(strides[-1] if shape else 0, dtype.itemsize)
        if remainder or step not in (0, 1):
            return None
        # The axes before the last one can be counted as rows if the same stride leads from each row to the next.
        stride, expected = 0, None
        for n, s in zip(reversed(shape[:-1]), reversed(strides[:-1]), strict=True):
            if n == 1:
                continue
            if expected is None:
                stride = s
            elif s != expected:
                return None
            expected = s * n
        return Operand(self._address(value), stride, step, dtype.itemsize)

    def _number(self, value: Any, dtype: np.dtype[Any]) -> int | None:
        """The address of a number in the operands' dtype; None if NumPy would compute in another dtype."""
        is_weak = type(value) in (int, bool) or (type(value) is float and dtype.kind != "i")
        if not is_weak and not (isinstance(value, np.generic) and value.dtype == dtype):
            return None
        try:
            array = np.array(value, dtype)
        except OverflowError:
            return None
        self._kept.append(array)
        return int(array.ctypes.data)

    def _layout(self, value: Value) -> tuple[tuple[int, ...], tuple[int, ...]]:
        array = self._arrays.get(value)
        return (value.layout.shape, value.layout.strides) if array is None else (array.shape, array.strides)

    def _address(self, value: Value) -> Any:
        array = self._arrays.get(value)
        if array is not None:
            self._kept.append(array)
            return int(array.ctypes.data)
        return Address(self._pointer(value.root), value.offset)

    def _is_reachable(self, value: Value) -> bool:
        """Whether the value's address is known, or follows from that of an array from outside."""
        return value in self._arrays or isinstance(value.root.origin, Argument | Captured)

    def _is_apart(self, target: Value, operand: Value) -> bool:
        """Whether a result and an operand are the same array, or share no memory; other overlaps are left to NumPy."""
        if operand is target:
            return True
        one, other = self._arrays.get(target), self._arrays.get(operand)
        if one is None or other is None:
            # An array from outside may be a view of anything but the plan's own memory.
            return target.root.origin is None or operand.root.origin is None or isinstance(operand.origin, Constant)
        if not np.may_share_memory(one, other):
            return True
        return one.ctypes.data == other.ctypes.data and one.shape == other.shape and one.strides == other.strides

    # ---- products, sums, choices ----

    def _check(self, call: Call, stop: int) -> tuple[None, Row] | None:
        """The row that checks that all integers are from 0 to below a number."""
        if len(call.args) != 1 or call.kwargs or not isinstance(call.args[0], Value):
            return None
        self._kept = []
        (values,) = call.args
        shape = values.layout.shape
        operand = self._operand(values, shape, _INTEGER) if self._is_reachable(values) else None
        if operand is None:
            return None
        words = _words(op.CHECK, *_matrix(shape), Operand(stop, 0, 0, 0), operand)
        return None, Row(words + [0] * (op.WORDS - len(words)), self._kept, values.layout.nbytes, call)

    def _product(self, args: tuple[Any, ...], target: Value, dtype: np.dtype[Any]) -> list[Any] | None:
        function = blas.product(dtype)
        if function is None or not all(isinstance(arg, Value) and arg.layout.dtype == dtype for arg in args):
            return None
        left, right = args
        if any(len(value.layout.shape) != 2 or min(value.layout.shape) < 2 for value in (left, right, target)):
            return None
        if left.root is right.root:
            return None
        described = [self._leading(value, dtype) for value in (left, right, target)]
        if any(one is None for one in described) or described[2][1]:  # type: ignore[index]
            return None
        (lda, left_turned), (ldb, right_turned), (ldc, _) = described  # type: ignore[misc]
        rows, columns = target.layout.shape
        addresses = [self._address(value) for value in (target, left, right)]
        words = [op.MATMUL, rows, columns, *addresses, left.layout.shape[1], ldc, lda, ldb, left_turned, right_turned]
        return [*words, function]

    def _leading(self, value: Value, dtype: np.dtype[Any]) -> tuple[int, int] | None:
        """The distance between rows in elements (BLAS's leading dimension), and whether the matrix is transposed."""
        (rows, columns), (down, across) = self._layout(value)
        if across == dtype.itemsize and down >= columns * dtype.itemsize and down % dtype.itemsize == 0:
            return down // dtype.itemsize, 0
        if down == dtype.itemsize and across >= rows * dtype.itemsize and across % dtype.itemsize == 0:
            return across // dtype.itemsize, 1
        return None

    def _reduction(
        self, ufunc: np.ufunc, args: tuple[Any, ...], kwargs: dict[str, Any], target: Value, dtype: np.dtype[Any]
    ) -> list[Any] | None:
        axis, keeps = kwargs.get("axis", 0), kwargs.get("keepdims", False)
        if len(args) != 1 or set(kwargs) - {"axis", "keepdims"} or args[0].layout.dtype != dtype:
            return None
        shape = args[0].layout.shape
        source = self._operand(args[0], shape, dtype)
        if len(shape) != 2 or 0 in shape or shape[1] > op.LONGEST_SUM or source is None or source.step != 1:
            return None
        address = self._address(target)
        if axis == 0 and not keeps and ufunc is np.add:
            return _words(op.SUM_OF_ROWS, *shape, Operand(address, 0, 1, dtype.itemsize), source)
        if axis in (-1, 1) and ufunc in (np.add, np.maximum):
            code = op.SUM_ALONG_ROWS if ufunc is np.add else op.MAX_ALONG_ROWS
            return _words(code, *shape, Operand(address, dtype.itemsize, 1, dtype.itemsize), source)
        return None

    def _whole_sum(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], target: Value, dtype: np.dtype[Any]
    ) -> list[Any] | None:
        given = {name: value for name, value in kwargs.items() if value is not None and value is not False}
        if len(args) != 1 or given or args[0].layout.dtype != dtype or target.layout.shape != ():
            return None
        shape, strides = self._layout(args[0])
        source = self._operand(args[0], shape, dtype)
        is_contiguous = Layout(shape, dtype, strides).is_contiguous
        if source is None or not is_contiguous or not 0 < args[0].layout.size <= op.LONGEST_SUM:
            return None
        return _words(
            op.SUM_OF_ALL, 1, args[0].layout.size, Operand(self._address(target), 0, 1, dtype.itemsize), source
        )

    def _pick(self, args: tuple[Any, ...], target: Value, dtype: np.dtype[Any]) -> list[Any] | None:
        """The words for ``x[rows, columns]`` with two vectors of indices."""
        x, index = args
        if not (isinstance(index, tuple) and len(index) == 2 and all(isinstance(one, Value) for one in index)):
            return None
        shapes = {one.layout.shape for one in index}
        if len(x.layout.shape) != 2 or x.layout.dtype != dtype or len(shapes) != 1 or len(*shapes) != 1:
            return None
        source = self._operand(x, x.layout.shape, dtype)
        if source is None or source.step != 1 or any(one.layout.dtype != _INTEGER for one in index):
            return None
        rows, columns = x.layout.shape
        (count,) = shapes.pop()
        indices = [Operand(self._address(one), self._layout(one)[1][0], 1, _INTEGER.itemsize) for one in index]
        result = Operand(self._address(target), dtype.itemsize, 1, dtype.itemsize)
        return _words(op.PICK, count, columns, result, source._replace(step=rows), *indices)

    def _minus_one_hot(self, args: tuple[Any, ...], target: Value, dtype: np.dtype[Any]) -> list[Any] | None:
        x, indices, identity = args
        shape, strides = self._layout(indices)
        if not shape or target.layout.shape != (*shape, len(identity.origin.array)):
            return None
        is_in_a_row = len(shape) == 1 or Layout(shape, _INTEGER, strides).is_contiguous
        if indices.layout.dtype != _INTEGER or not is_in_a_row:
            return None
        result, source = (self._operand(value, target.layout.shape, dtype) for value in (target, x))
        if result is None or source is None or result.step != 1 or source.step != 1:
            return None
        places = Operand(self._address(indices), strides[-1], 1, _INTEGER.itemsize)
        return _words(op.MINUS_ONE_HOT, *_matrix(target.layout.shape), result, source, places)


_ROUNDED_OTHERWISE = frozenset({np.exp, np.log})
"""The functions whose last digits differ from NumPy's, which themselves differ from one processor to the next."""

_BOOL, _INTEGER = np.dtype(np.bool_), np.dtype(np.int64)


def _matrix(shape: tuple[int, ...]) -> tuple[int, int]:
    """A shape as rows and columns."""
    rows = 1
    for length in shape[:-1]:
        rows *= length
    return rows, shape[-1] if shape else 1


def _words(code: int, rows: int, columns: int, *operands: Operand) -> list[Any]:
    filled = [*operands, *[Operand(0, 0, 0, 0)] * (4 - len(operands))]
    addresses, strides, steps, items = zip(*filled, strict=True)
    return [code, rows, columns, *addresses, *strides, *steps, *items]
