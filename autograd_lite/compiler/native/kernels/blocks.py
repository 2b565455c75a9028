"""How the machine code processes a matrix: in blocks whose elements lie end to end."""

# mypy: ignore-errors
# Numba infers the types of the functions that it compiles from their arguments.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import carray, njit, types

from .. import opcodes as op
from .intrinsics import address_of, at, on_stack


def by_blocks(compute: Callable[..., Any]) -> Any:
    """The function ``run(t, o, first, last)`` over some rows of a matrix, for the row at word ``o`` of a table.

    ``compute(code, out, x, y, z, n)`` is for ``n`` elements at each of these addresses.
    """
    kernel = njit(error_model="numpy", boundscheck=False)

    def copier(kind: Any) -> Any:
        @kernel
        def copy(source, stride, step, target, target_stride, rows, columns):
            for r in range(rows):
                x = carray(at(source + r * stride, kind), columns)
                out = carray(at(target + r * target_stride, kind), columns)
                if step == 1:
                    for j in range(columns):
                        out[j] = x[j]
                else:
                    same = x[0]
                    for j in range(columns):
                        out[j] = same

        return copy

    copy1, copy4, copy8 = copier(types.uint8), copier(types.uint32), copier(types.uint64)

    @kernel
    def copy(source, stride, step, target, target_stride, rows, columns, item):
        if item == 8:
            copy8(source, stride, step, target, target_stride, rows, columns)
        elif item == 4:
            copy4(source, stride, step, target, target_stride, rows, columns)
        else:
            copy1(source, stride, step, target, target_stride, rows, columns)

    @kernel
    def repeated(t, o, i, columns, rows, buffer):
        """A buffer with a block of the operand, if the block is the same in every row and fits; else 0."""
        step, item = t[o + op.STEPS + i], t[o + op.ITEMS + i]
        if t[o + op.STRIDES + i] != 0 or columns > op.BLOCK or item == 0:
            return 0
        if step == 1 and rows == 1:
            return t[o + op.ADDRESSES + i]
        copy(t[o + op.ADDRESSES + i], 0, step, buffer, columns * item, rows, columns, item)
        return buffer

    @kernel
    def operand(t, o, i, row, column, rows, columns, buffer):
        """The address of an operand's block, or of a copy of it in the buffer."""
        stride, step, item = t[o + op.STRIDES + i], t[o + op.STEPS + i], t[o + op.ITEMS + i]
        address = t[o + op.ADDRESSES + i] + row * stride + column * step * item
        if step == 1 and (rows == 1 or stride == columns * item):
            return address
        copy(address, stride, step, buffer, columns * item, rows, columns, item)
        return buffer

    @kernel
    def run(t, o, first, last):
        n, stride, item = t[o + op.COLUMNS], t[o + op.STRIDES], t[o + op.ITEMS]
        buffer1, buffer2 = address_of(on_stack(types.uint64)), address_of(on_stack(types.uint64))
        buffer3, results = address_of(on_stack(types.uint64)), address_of(on_stack(types.uint64))
        height = max(1, min(last - first, op.BLOCK // max(1, n)))
        same1, same2 = repeated(t, o, 1, n, height, buffer1), repeated(t, o, 2, n, height, buffer2)
        same3 = repeated(t, o, 3, n, height, buffer3)
        for row in range(first, last, height):
            rows = min(height, last - row)
            for column in range(0, n, op.BLOCK):
                columns = min(op.BLOCK, n - column)
                x = same1 or operand(t, o, 1, row, column, rows, columns, buffer1)
                y, z = same2, same3
                if y == 0 and t[o + op.ITEMS + 2]:
                    y = operand(t, o, 2, row, column, rows, columns, buffer2)
                if z == 0 and t[o + op.ITEMS + 3]:
                    z = operand(t, o, 3, row, column, rows, columns, buffer3)
                out = t[o + op.ADDRESSES] + row * stride + column * item
                if rows == 1 or stride == columns * item:
                    compute(t[o], out, x, y, z, rows * columns)
                else:
                    compute(t[o], results, x, y, z, rows * columns)
                    copy(results, columns * item, 1, out, stride, rows, columns, item)

    return run
