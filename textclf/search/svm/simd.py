"""SIMD vectors of 4, 8 or 16 numbers, as values in compiled functions.

On its own the compiler uses vector registers only for long loops over arrays, and keeps the sums of
short loops in memory. Here a row of a matrix is a value like a number, with ``+ - * /`` and the
functions below. ``like`` gives the number of lanes and the precision by a tuple of such numbers,
because the length of a tuple is known when a function is compiled.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar

from llvmlite import ir

from textclf import jit  # noqa: F401 - the first to import Numba

# isort: split
from numba.core import types
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import intrinsic, lower_builtin, models, register_model
from numba.np.arrayobj import make_array

Typed = tuple[Any, Callable[..., Any]] | None
"""A signature, and the function that builds the code."""

_FAST = ("contract", "nnan", "ninf", "nsz")
"""The flags of ``jit.compiled``: no sum is reordered."""


class Floats(types.Type):
    """The type of vectors of numbers of single or double precision."""

    elements: ClassVar = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}

    def __init__(self, dtype: Any, width: int) -> None:
        self.dtype, self.width = dtype, width
        super().__init__(name=f"{type(self).__name__}({dtype}, {width})")


class Mask(Floats):
    """The type of vectors of booleans."""

    elements: ClassVar = {types.boolean: ir.IntType(1)}


class _Model(models.PrimitiveModel):
    """Keeps a vector in a register."""

    def __init__(self, manager: Any, vector: Floats) -> None:
        super().__init__(manager, vector, _llvm_type(vector))  # type: ignore[no-untyped-call]


def _llvm_type(vector: Floats) -> ir.VectorType:
    return ir.VectorType(vector.elements[vector.dtype], vector.width)


def _type_like(numbers: Any) -> Floats:
    """The type of vectors with the length and precision of a tuple type."""
    return Floats(numbers.dtype, len(numbers))


register_model(Floats)(_Model)
register_model(Mask)(_Model)


def _intrinsic(function: Callable[..., Typed]) -> Any:
    """Make a function for compiled functions: it takes types, and returns how to build the code."""
    return intrinsic(function)


@_intrinsic
def load(_context: Any, rows: Any, row: Any, like: Any) -> Typed:
    """Load a row of a matrix whose rows are as long as the vector."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_row_pointer(context, builder, signature, values), align=4)

    return _type_like(like)(rows, row, like), build


@_intrinsic
def store(_context: Any, rows: Any, row: Any, vector: Any) -> Typed:
    """Store a vector as a row of such a matrix."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _row_pointer(context, builder, signature, values), align=4)
        return context.get_dummy_value()

    return types.none(rows, row, vector), build


@_intrinsic
def prefetch(_context: Any, array: Any, number: Any) -> Typed:
    """Have an entry of an array, counted along its rows, brought into the cache."""

    def build(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        made = make_array(array)(context, builder, values[0])  # type: ignore[no-untyped-call]
        at = context.cast(builder, values[1], number, types.intp)
        pointer = builder.bitcast(builder.gep(made.data, [at]), ir.IntType(8).as_pointer())
        flag = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, flag, flag, flag])
        instruction = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
        builder.call(instruction, [pointer, *map(flag, _TO_READ_AGAIN)])
        return context.get_dummy_value()

    return types.none(array, number), build


_TO_READ_AGAIN = (0, 3, 1)
"""Arguments of ``llvm.prefetch``: to be read, kept in all levels of the cache, data."""


def _row_pointer(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    rows, row, other = signature.args
    vector = other if isinstance(other, Floats) else _type_like(other)
    array = make_array(rows)(context, builder, values[0])  # type: ignore[no-untyped-call]
    number = context.cast(builder, values[1], row, types.intp)
    first = builder.gep(array.data, [builder.mul(number, ir.Constant(number.type, vector.width))])
    return builder.bitcast(first, _llvm_type(vector).as_pointer())


@_intrinsic
def broadcast(_context: Any, number: Any, like: Any) -> Typed:
    """Fill all lanes with a number."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        value = context.cast(builder, values[0], signature.args[0], like.dtype)
        first = ir.Constant(ir.VectorType(value.type, len(like)), ir.Undefined)
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), len(like)), None)
        return builder.shuffle_vector(
            builder.insert_element(first, value, ir.IntType(32)(0)), first, zeros
        )

    return _type_like(like)(number, like), build


@_intrinsic
def greater(_context: Any, one: Any, other: Any) -> Typed:
    """Compare two vectors lane by lane."""

    def build(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.fcmp_ordered(">", *values)

    return Mask(types.boolean, one.width)(one, other), build


@_intrinsic
def where(_context: Any, mask: Any, one: Any, other: Any) -> Typed:
    """Take the lanes of the one where the mask is true, elsewhere those of the other."""

    def build(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.select(*values)

    return one(mask, one, other), build


@_intrinsic
def maximum(_context: Any, one: Any, other: Any) -> Typed:
    """The greater of two numbers, lane by lane."""

    def build(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *values), *values)

    return one(one, other), build


@_intrinsic
def minimum(_context: Any, one: Any, other: Any) -> Typed:
    """The smaller of two numbers, lane by lane."""

    def build(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", *values), *values)

    return one(one, other), build


@_intrinsic
def mask_bits(_context: Any, mask: Any) -> Typed:
    """Turn a mask into an integer; the first lane is the lowest bit."""

    def build(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.zext(builder.bitcast(values[0], ir.IntType(mask.width)), ir.IntType(64))

    return types.int64(mask), build


@_intrinsic
def mask_from_bits(_context: Any, number: Any, like: Any) -> Typed:
    """Turn an integer into a mask."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = context.cast(builder, values[0], signature.args[0], types.int64)
        lanes = builder.trunc(number, ir.IntType(len(like)))
        return builder.bitcast(lanes, ir.VectorType(ir.IntType(1), len(like)))

    return Mask(types.boolean, len(like))(number, like), build


def _operator(symbol: Callable[..., Any], instruction: str) -> None:
    """Define an arithmetic operator for two vectors."""

    @infer_global(symbol)  # type: ignore[no-untyped-call]  # Numba has no types
    class OfVectors(AbstractTemplate):
        def generic(self, operands: Any, _: Any) -> Any:
            one, other = operands[0], operands[-1]
            return one(one, other) if type(one) is Floats and one == other else None

    @lower_builtin(symbol, Floats, Floats)  # type: ignore[no-untyped-call, untyped-decorator]
    def build(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return getattr(builder, instruction)(*values, flags=_FAST)


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")
_operator(operator.truediv, "fdiv")
