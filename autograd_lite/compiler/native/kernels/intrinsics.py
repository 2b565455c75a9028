"""Operations that the machine code needs from LLVM directly: arrays at addresses, stack memory, bits, calls of BLAS."""

# mypy: ignore-errors
# Numba infers the types of the functions that it compiles from their arguments.

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .. import opcodes as op


@intrinsic
def at(typingctx: Any, address: Any, kind: Any) -> Any:
    """The array that begins at an address, as a pointer."""
    pointer = types.CPointer(kind.instance_type)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(pointer))

    return pointer(types.int64, kind), generate


@intrinsic
def on_stack(typingctx: Any, kind: Any) -> Any:
    """Stack memory for the elements of a block, as a pointer.

    The compiler knows that nothing else points there, so it need not check whether arrays overlap.
    """
    pointer = types.CPointer(kind.instance_type)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        element = context.get_value_type(kind.instance_type)
        return cgutils.alloca_once(builder, element, size=ir.Constant(ir.IntType(64), op.BLOCK))

    return pointer(kind), generate


@intrinsic
def address_of(typingctx: Any, pointer: Any) -> Any:
    """The address that a pointer holds."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ptrtoint(args[0], ir.IntType(64))

    return types.int64(pointer), generate


@intrinsic
def element(typingctx: Any, address: Any, index: Any, kind: Any) -> Any:
    """An element of an operand, for an operation whose result is stored by `put`.

    The compiler is told that a result overwrites at most the operand's element in the same place, and no other element;
    so it can vectorize the loop.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        llvm_kind = context.get_value_type(kind.instance_type)
        return _in_scope(builder, builder.load(_place(builder, args[0], args[1], llvm_kind)), "operands", "result")

    return kind.instance_type(types.int64, types.int64, kind), generate


@intrinsic
def put(typingctx: Any, address: Any, index: Any, value: Any, kind: Any) -> Any:
    """Store a result in its place; see `element`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        converted = context.cast(builder, args[2], value, kind.instance_type)
        place = _place(builder, args[0], args[1], converted.type)
        _in_scope(builder, builder.store(converted, place), "result", "operands")
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, value, kind), generate


def _place(builder: Any, address: Any, index: Any, llvm_kind: Any) -> Any:
    return builder.gep(builder.inttoptr(address, llvm_kind.as_pointer()), [index])


def _in_scope(builder: Any, access: Any, own: str, other: str) -> Any:
    """Mark an access to memory for LLVM: it does not overlap with the accesses in the other scope."""
    module = builder.module
    domain = module.add_metadata([ir.MetaDataString(module, "autograd_lite")])
    for key, scope in (("alias.scope", own), ("noalias", other)):
        node = module.add_metadata([ir.MetaDataString(module, scope), domain])
        access.set_metadata(key, module.add_metadata([node]))
    return access


@intrinsic
def call_kernel(typingctx: Any, kernel: Any, n: Any, addresses: Any, coefficients: Any) -> Any:
    """Call a C function at an address, with a count and two addresses."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 3)
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


@intrinsic
def float_of_bits(typingctx: Any, bits: Any) -> Any:
    """The float32 that has these 32 bits."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), generate


def gemm_of(real: Any) -> Any:
    """BLAS's product of matrices, by the address of its C function for integers of 64 bits."""
    llvm_real = ir.FloatType() if real == types.float32 else ir.DoubleType()

    @intrinsic
    def call(
        typingctx: Any, function: Any, left: Any, right: Any, m: Any, n: Any, k: Any,
        a: Any, lda: Any, b: Any, ldb: Any, c: Any, ldc: Any,
    ) -> Any:  # fmt: skip
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            enum, integer, array = ir.IntType(32), ir.IntType(64), ir.IntType(8).as_pointer()
            kinds = [enum] * 3 + [integer] * 3 + [llvm_real] + [array, integer] * 2 + [llvm_real, array, integer]
            function = builder.inttoptr(args[0], ir.FunctionType(ir.VoidType(), kinds).as_pointer())
            left, right = (builder.add(enum(111), builder.trunc(flag, enum)) for flag in args[1:3])
            one, zero = ir.Constant(llvm_real, 1.0), ir.Constant(llvm_real, 0.0)
            a, b, c = (builder.inttoptr(address, array) for address in (args[6], args[8], args[10]))
            values = [enum(101), left, right, *args[3:6], one, a, args[7], b, args[9], zero, c, args[11]]
            builder.call(function, values)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 12), generate

    return call
