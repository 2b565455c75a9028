"""A program as machine code: one loop over the elements, which LLVM vectorizes.

Nothing is reassociated or contracted, so each element is rounded as NumPy rounds it. Each element is read before it is
written, so the array of a result may also be an operand; otherwise the arrays must not overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from ...core.locks import lock
from ...speed.aligned import CACHE_LINE_BYTES
from .trace import Operation, Program

Array = np.ndarray[Any, Any]


class Kernel(NamedTuple):
    """The machine code of a program for one dtype.

    Attributes
    ----------
    address : int
        The address of the C function ``void kernel(int64_t n, int64_t *addresses, double *coefficients)``.
    engine : object
        Keeps the function in memory.
    """

    address: int
    engine: Any


class KernelCall(NamedTuple):
    """A kernel with its flat arrays, and with float64 coefficients that are read in each call."""

    kernel: Kernel
    arrays: Sequence[Array]
    coefficients: Array


MOST_ARRAYS = 15
"""The largest number of arrays of a kernel: a row of a plan's table has words for so many."""

SPAN = 256
"""The number of elements of large arrays that are computed while the next ones are prefetched into the cache."""

LARGE_BYTES = 2**17
"""The length in bytes from which on arrays are prefetched. Other threads have read the weights in matrix products, and
a store has to wait until their caches give up the lines: that takes 5 % of a training step with two threads."""

_TYPES = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}

_CHOICE = """
    {out}first = fcmp ORDER {real} {x}, {y}
    {out}missing = fcmp uno {real} {x}, {x}
    {out}either = or i1 {out}first, {out}missing
    {out} = select i1 {out}either, {real} {x}, {real} {y}"""

CODE: dict[np.ufunc, str] = {
    np.add: "{out} = fadd {real} {x}, {y}",
    np.subtract: "{out} = fsub {real} {x}, {y}",
    np.multiply: "{out} = fmul {real} {x}, {y}",
    np.divide: "{out} = fdiv {real} {x}, {y}",
    np.maximum: _CHOICE.replace("ORDER", "ogt"),
    np.minimum: _CHOICE.replace("ORDER", "olt"),
    np.positive: "{out} = bitcast {real} {x} to {real}",
    np.negative: "{out} = fneg {real} {x}",
    np.absolute: "{out} = call {real} @llvm.fabs.{suffix}({real} {x})",
    np.square: "{out} = fmul {real} {x}, {x}",
    np.sqrt: "{out} = call {real} @llvm.sqrt.{suffix}({real} {x})",
    np.reciprocal: "{out} = fdiv {real} 1.0, {x}",
    np.sign: """
    {out}above = fcmp ogt {real} {x}, 0.0
    {out}below = fcmp olt {real} {x}, 0.0
    {out}zero = fcmp oeq {real} {x}, 0.0
    {out}rest = select i1 {out}zero, {real} 0.0, {real} {x}
    {out}negative = select i1 {out}below, {real} -1.0, {real} {out}rest
    {out} = select i1 {out}above, {real} 1.0, {real} {out}negative""",
}
"""Each function of `trace.UFUNCS` in LLVM's language, to NumPy's bits."""

_COMPILING = lock()


def kernel_of(program: Program, dtype: np.dtype[Any]) -> Kernel | None:
    """The machine code of a program, compiled in about 15 ms; None without llvmlite, or if only NumPy can run it."""
    if dtype not in _TYPES or program.inputs > MOST_ARRAYS or find_spec("llvmlite") is None:
        return None
    used = {operation.ufunc for operation in program.operations}
    if not used <= CODE.keys() or (used & {np.maximum, np.minimum} and not _second_zero_is_taken()):
        return None
    import llvmlite.binding as llvm

    if not hasattr(llvm, "create_pass_builder"):  # llvmlite before 0.44
        return None
    with _COMPILING:
        return _compiled(program, dtype)


@cache
def _second_zero_is_taken() -> bool:
    """Whether NumPy's maximum and minimum of 0 and -0 are the second of them, which depends on the processor."""
    zeros = np.zeros(9)
    second = [(np.signbit(f(zeros, -zeros)), ~np.signbit(f(-zeros, zeros))) for f in (np.maximum, np.minimum)]
    return bool(np.all(second))


@lru_cache(maxsize=64)
def _compiled(program: Program, dtype: np.dtype[Any]) -> Kernel:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features().flatten()
    machine = llvm.Target.from_default_triple().create_target_machine(llvm.get_host_cpu_name(), features, opt=3)
    module = llvm.parse_assembly(source(program, dtype))
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    module.verify()
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = True
    builder = llvm.create_pass_builder(machine, tuning)
    builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return Kernel(engine.get_function_address("kernel"), engine)


def source(program: Program, dtype: np.dtype[Any]) -> str:
    """The program in LLVM's intermediate language."""
    real = _TYPES[dtype]
    entry, body = [], []
    for i in range(program.inputs):
        entry += [
            f"%at{i} = getelementptr i64, i64* %addresses, i64 {i}",
            f"%address{i} = load i64, i64* %at{i}",
            f"%array{i} = inttoptr i64 %address{i} to {real}*",
        ]
        body += [
            f"%place{i} = getelementptr inbounds {real}, {real}* %array{i}, i64 %i",
            f"%v{i} = load {real}, {real}* %place{i}, !alias.scope !{4 + 2 * i}, !noalias !{5 + 2 * i}",
        ]
    for i in range(program.coefficients):
        entry.append(f"%where{i} = getelementptr double, double* %coefficients, i64 {i}")
        if real == "double":
            entry.append(f"%c{i} = load double, double* %where{i}")
        else:
            entry += [f"%wide{i} = load double, double* %where{i}", f"%c{i} = fptrunc double %wide{i} to float"]
    for i, operation in enumerate(program.operations, program.inputs):
        body.append(_operation(f"%v{i}", operation, real))
    for target, place in program.results:
        apart = f"!alias.scope !{4 + 2 * target}, !noalias !{5 + 2 * target}"
        body.append(f"store {real} %v{place}, {real}* %place{target}, {apart}")
    scopes = [f"!{100 + i} = !{{!{100 + i}, !0}}" for i in range(program.inputs)]
    for i in range(program.inputs):
        others = ", ".join(f"!{100 + j}" for j in range(program.inputs) if j != i)
        scopes += [f"!{4 + 2 * i} = !{{!{100 + i}}}", f"!{5 + 2 * i} = !{{{others}}}"]
    written = {target for target, _ in program.results}
    fetch = []
    for i in range(program.inputs):
        fetch += [
            f"%ahead{i} = getelementptr {real}, {real}* %array{i}, i64 %f",
            f"%byte{i} = bitcast {real}* %ahead{i} to i8*",
            f"call void @llvm.prefetch.p0i8(i8* %byte{i}, i32 {int(i in written)}, i32 3, i32 1)",
        ]
    lines = "\n  ".join
    return f"""
declare {real} @llvm.sqrt.{_suffix(real)}({real})
declare {real} @llvm.fabs.{_suffix(real)}({real})
declare void @llvm.prefetch.p0i8(i8*, i32, i32, i32)
define void @kernel(i64 %n, i64* %addresses, double* %coefficients) {{
entry:
  {lines(entry)}
  %some = icmp sgt i64 %n, 0
  %large = icmp sge i64 %n, {LARGE_BYTES // dtype.itemsize}
  %span = select i1 %large, i64 {SPAN}, i64 %n
  br i1 %some, label %part, label %end
part:
  %first = phi i64 [0, %entry], [%last, %done]
  %stop = add nsw i64 %first, %span
  %within = icmp slt i64 %stop, %n
  %last = select i1 %within, i64 %stop, i64 %n
  %far = add nsw i64 %last, %span
  %near = icmp slt i64 %far, %n
  %until = select i1 %near, i64 %far, i64 %n
  br i1 %within, label %fetch, label %begin
fetch:
  %f = phi i64 [%last, %part], [%fnext, %fetch]
  {lines(fetch)}
  %fnext = add nsw i64 %f, {CACHE_LINE_BYTES // dtype.itemsize}
  %fmore = icmp slt i64 %fnext, %until
  br i1 %fmore, label %fetch, label %begin
begin:
  br label %loop
loop:
  %i = phi i64 [%first, %begin], [%next, %loop]
  {lines(body)}
  %next = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %next, %last
  br i1 %more, label %loop, label %done
done:
  br i1 %within, label %part, label %end
end:
  ret void
}}
!0 = !{{!0}}
{chr(10).join(scopes)}
"""


def _operation(out: str, operation: Operation, real: str) -> str:
    x, *others = (f"%{'v' if is_array else 'c'}{place}" for is_array, place in operation.operands)
    y = others[0] if others else ""
    return CODE[operation.ufunc].format(out=out, x=x, y=y, real=real, suffix=_suffix(real)).strip()


def _suffix(real: str) -> str:
    return "f32" if real == "float" else "f64"
