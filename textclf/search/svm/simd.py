"""Vectors of 4, 8 or 16 numbers, as values in compiled functions: what a CPU takes in one go.

Left to itself the compiler uses vector registers for long loops over arrays only, and keeps what
short ones add up in memory. Here a row of a matrix is a value like a number, with ``+ - * /`` and
the functions below. ``like`` says how long it is and of which precision, by a tuple of such
numbers, for a tuple's length is known when a function is compiled. (Machine code that is kept on
disk is renewed when the file of the function changes that uses this, not when this one does.)
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, overload, register_model
from numba.np.arrayobj import make_array

Typed = tuple[Any, Callable[..., Any]] | None

_FAST = ("contract", "nnan", "ninf", "nsz")
"""As everywhere here: no sum is reordered."""


class Floats(types.Type):
    """So many numbers of single or of double precision."""

    elements: ClassVar = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}

    def __init__(self, dtype: Any, width: int) -> None:
        self.dtype, self.width = dtype, width
        super().__init__(name=f"{type(self).__name__}({dtype}, {width})")


class Mask(Floats):
    """So many truths."""

    elements: ClassVar = {types.boolean: ir.IntType(1)}


class _Model(models.PrimitiveModel):
    """A vector lies in a register."""

    def __init__(self, manager: Any, of: Floats) -> None:
        super().__init__(manager, of, _laid_out(of))  # type: ignore[no-untyped-call]


def _laid_out(of: Floats) -> ir.VectorType:
    """The type that LLVM has for it."""
    return ir.VectorType(of.elements[of.dtype], of.width)


def _like(numbers: Any) -> Floats:
    """The type of vectors like this tuple."""
    return Floats(numbers.dtype, len(numbers))


register_model(Floats)(_Model)
register_model(Mask)(_Model)


def _intrinsic(function: Callable[..., Typed]) -> Any:
    """A function for compiled functions; what it gets are types, and its value is how to build."""
    return intrinsic(function)


@_intrinsic
def load(_context: Any, rows: Any, row: Any, like: Any) -> Typed:
    """A row of a matrix whose rows are as long as the vector."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_place(context, builder, signature, values), align=4)

    return _like(like)(rows, row, like), build


@_intrinsic
def store(_context: Any, rows: Any, row: Any, vector: Any) -> Typed:
    """Make a vector a row of such a matrix."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _place(context, builder, signature, values), align=4)
        return context.get_dummy_value()

    return types.none(rows, row, vector), build


def _place(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """A pointer to the row."""
    rows, row, other = signature.args
    of = other if isinstance(other, Floats) else _like(other)
    array = make_array(rows)(context, builder, values[0])  # type: ignore[no-untyped-call]
    number = context.cast(builder, values[1], row, types.intp)
    first = builder.gep(array.data, [builder.mul(number, ir.Constant(number.type, of.width))])
    return builder.bitcast(first, _laid_out(of).as_pointer())


@_intrinsic
def fill(_context: Any, number: Any, like: Any) -> Typed:
    """The same number in all places."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        value = context.cast(builder, values[0], signature.args[0], like.dtype)
        first = ir.Constant(ir.VectorType(value.type, len(like)), ir.Undefined)
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), len(like)), None)
        return builder.shuffle_vector(
            builder.insert_element(first, value, ir.IntType(32)(0)), first, zeros
        )

    return _like(like)(number, like), build


@_intrinsic
def greater(_context: Any, one: Any, other: Any) -> Typed:
    """Where the one is greater than the other."""

    def build(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.fcmp_ordered(">", *values)

    return Mask(types.boolean, one.width)(one, other), build


@_intrinsic
def where(_context: Any, mask: Any, one: Any, other: Any) -> Typed:
    """The one where the mask is true, elsewhere the other."""

    def build(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.select(*values)

    return one(mask, one, other), build


@_intrinsic
def most(_context: Any, one: Any, other: Any) -> Typed:
    """The greater of the two, in each place."""

    def build(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *values), *values)

    return one(one, other), build


@_intrinsic
def least(_context: Any, one: Any, other: Any) -> Typed:
    """The smaller of the two, in each place."""

    def build(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", *values), *values)

    return one(one, other), build


@_intrinsic
def bits(_context: Any, mask: Any) -> Typed:
    """A mask as a number; the first place is the lowest bit."""

    def build(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.zext(builder.bitcast(values[0], ir.IntType(mask.width)), ir.IntType(64))

    return types.int64(mask), build


@_intrinsic
def mask_of(_context: Any, number: Any, like: Any) -> Typed:
    """A number as a mask."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = context.cast(builder, values[0], signature.args[0], types.int64)
        places = builder.trunc(number, ir.IntType(len(like)))
        return builder.bitcast(places, ir.VectorType(ir.IntType(1), len(like)))

    return Mask(types.boolean, len(like))(number, like), build


def _operator(symbol: Callable[..., Any], instruction: str) -> None:
    """Let two vectors be added, and the like."""

    @_intrinsic
    def operate(_context: Any, one: Any, other: Any) -> Typed:
        def build(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            return getattr(builder, instruction)(*values, flags=_FAST)

        return one(one, other), build

    @overload(symbol)
    def of_vectors(one, other):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - Numba compares it
        if type(one) is Floats and one == other:
            return lambda one, other: operate(one, other)  # noqa: PLW0108 - to be compiled
        return None


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")
_operator(operator.truediv, "fdiv")
