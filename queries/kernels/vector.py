"""Sums of many scenarios at a time: the numbers of one row for all scenarios of a block stay in vector registers.

A loop over scenarios written in Python is compiled with a check of overlap at every edge; here the vectors are written
down as such. Products are rounded before they are added, scenario by scenario, so the bits are those of a lone sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from queries.kernels.rows import AHEAD, U

Kernel = Callable[..., None]


@cache
def block_kernel(width: int, lanes: int) -> Kernel:
    """The sweep of `width` scenarios, a multiple of `lanes`, over a stretch of rows."""
    from numba import njit

    total = _row_total(width, lanes)
    four, step, one = U(4), U(width), U(1)

    @njit(nogil=True)
    def sweep(  # type: ignore[no-untyped-def]  # machine code
        starts, slices, index, amount, base, x, out, a0, a1, s0, s1
    ):
        part, nothing = np.empty((4, width), x.dtype), np.zeros((4, width), x.dtype)
        for alone in range(a0, a1):
            i = U(alone)
            for lane in range(four):
                total(amount, index, x, nothing, part, lane, U(starts[i]) + lane, U(starts[i + one]))
            for q in range(step):
                out[i, q] = base[i, q] + ((part[U(0), q] + part[one, q]) + (part[U(2), q] + part[U(3), q]))
        for s in range(U(s0), U(s1)):
            for lane in range(four):
                i = U(len(starts) - 1) + four * s + lane
                total(amount, index, x, base, out, i, U(slices[s]) + lane, U(slices[s + one]))

    made: Kernel = sweep
    return made


@cache
def relax_kernel(width: int) -> Kernel:
    """The sweep in place of `fixed.relax` for `width` scenarios, which fill one vector, all with the same bits.

    (places, width) base, x and change, (places,) gain, and `based`, 0 where base is 0 in all lanes, which is not read
    there; `told` is (3, width) of zeros: largest change, its product with the change before, and with itself.
    """
    from numba import njit

    total, renew = _row_total(width, width), _renewed(width)
    four, one = U(4), U(1)

    @njit(nogil=True)
    def sweep(  # type: ignore[no-untyped-def]  # machine code
        starts, slices, index, amount, base, based, gain, cap, x, change, told
    ):
        part, nothing, long = np.empty((4, width), x.dtype), np.zeros((4, width), x.dtype), U(len(starts) - 1)
        for alone in range(len(starts) - 1):
            i, end = U(alone), U(starts[alone + 1])
            whole = U(starts[i]) + (end - U(starts[i])) // four * four
            for lane in range(four):
                total(amount, index, x, nothing, part, lane, U(starts[i]) + lane, whole)
            for k in range(whole, end):  # the rest belongs to the first of the four sums
                for q in range(width):
                    part[0, q] += amount[k] * x[index[k], q]
            for q in range(width):
                part[0, q] = (part[0, q] + part[1, q]) + (part[2, q] + part[3, q])
            renew(part, U(0), base, based, gain, cap, x, change, told, i)
        for s in range(U(len(slices) - 1)):
            for lane in range(four):
                total(amount, index, x, nothing, part, lane, U(slices[s]) + lane, U(slices[s + one]))
            for lane in range(four):
                renew(part, lane, base, based, gain, cap, x, change, told, long + four * s + lane)

    made: Kernel = sweep
    return made


def _renewed(width: int) -> Any:
    """An operation of the compiler: x[i] = min(cap, base[i] + gain[i] * part[lane]), and what is told of its change."""
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def renewed(typing, part, lane, base, based, gain, cap, x, change, told, i):  # type: ignore[no-untyped-def]
        given = types.void(part, lane, base, based, gain, cap, x, change, told, i)

        def written(context, builder, signature, args):  # type: ignore[no-untyped-def]
            arrays = [(signature.args[n], args[n]) for n in (0, 2, 4, 6, 7, 8)]
            data = [context.make_array(kind)(context, builder, arg).data for kind, arg in arrays]
            number = context.get_value_type(x.dtype)
            row = _Row(builder, ir.VectorType(number, width), x.dtype.bitwidth // 8, width)
            limit = context.cast(builder, args[5], signature.args[5], x.dtype)
            count = builder.load(builder.gep(context.make_array(based)(context, builder, args[3]).data, [args[9]]))
            with builder.if_else(builder.icmp_unsigned("!=", count, count.type(0))) as (some, none):
                with some:
                    row.renew(data, args[1], limit, args[9], True)
                with none:
                    row.renew(data, args[1], limit, args[9], False)
            return context.get_dummy_value()

        return given, written

    return renewed


def _row_total(width: int, lanes: int) -> Any:
    """An operation of the compiler: out[i] = base[i] + sum of amount[k] * x[index[k]] for k, k + 4, ... below end."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def total(typing, amount, index, x, base, out, i, k, end):  # type: ignore[no-untyped-def]  # a compiler's own form
        given = types.void(amount, index, x, base, out, i, k, end)

        def written(context, builder, signature, args):  # type: ignore[no-untyped-def]
            kinds = signature.args[:5]
            data = [
                context.make_array(kind)(context, builder, arg).data for kind, arg in zip(kinds, args, strict=False)
            ]
            vector = ir.VectorType(context.get_value_type(x.dtype), lanes)
            _Row(builder, vector, x.dtype.bitwidth // 8, width).write(data, *args[5:])
            return context.get_dummy_value()

        return given, written

    return total


def _tools() -> Any:
    from numba.core import cgutils

    return cgutils


class _Row:
    """Writes the loop over the edges of one row."""

    def __init__(self, builder: Any, vector: Any, size: int, width: int) -> None:
        from llvmlite import ir

        self.ir, self.builder, self.vector, self.size, self.width = ir, builder, vector, size, width
        self.word = ir.IntType(64)
        self.parts = range(width // vector.count)

    def at(self, array: Any, row: Any, part: int) -> Any:
        """Where a vector of a row of (rows, width) stands."""
        flat = self.builder.mul(row, self.word(self.width))
        place = self.builder.gep(array, [self.builder.add(flat, self.word(part * self.vector.count))])
        return self.builder.bitcast(place, self.vector.as_pointer())

    def write(self, data: list[Any], i: Any, k: Any, end: Any) -> None:
        tools = _tools()
        amount, index, x, base, out = data
        builder, zero = self.builder, self.ir.Constant(self.vector, None)
        sums = [tools.alloca_once_value(builder, zero) for _ in self.parts]
        for place in sums:
            builder.store(zero, place)
        edge = tools.alloca_once(builder, self.word)
        builder.store(k, edge)
        check, body, done = (builder.append_basic_block(name) for name in ("check", "edge", "done"))
        builder.branch(check)
        builder.position_at_end(check)
        at = builder.load(edge)
        builder.cbranch(builder.icmp_unsigned("<", at, end), body, done)
        builder.position_at_end(body)
        self._ahead(index, x, at)
        self._add(sums, self._spread(builder.load(builder.gep(amount, [at]))), x, self._column(index, at))
        builder.store(builder.add(at, self.word(4)), edge)
        builder.branch(check)
        builder.position_at_end(done)
        for part, place in enumerate(sums):
            start = builder.load(self.at(base, i, part), align=self.size)
            builder.store(builder.fadd(start, builder.load(place)), self.at(out, i, part), align=self.size)

    def renew(self, data: list[Any], lane: Any, cap: Any, i: Any, based: bool) -> None:
        part, base, gain, x, change, told = data
        b, moved, along, square = self.builder, *(self.at(told, self.word(row), 0) for row in range(3))
        steep = self._spread(b.load(b.gep(gain, [i])))
        new = b.fmul(steep, self._load(self.at(part, lane, 0)))
        if based:
            new = b.fadd(self._load(self.at(base, i, 0)), new)
        most = self._spread(cap)
        new = b.select(b.fcmp_ordered("<", new, most), new, most)
        step = b.fsub(new, self._load(self.at(x, i, 0)))
        nothing = self.ir.Constant(self.vector, None)
        size = b.select(b.fcmp_ordered("<", step, nothing), b.fsub(nothing, step), step)
        largest = self._load(moved)
        self._store(b.select(b.fcmp_ordered(">", size, largest), size, largest), moved)
        before = self._load(self.at(change, i, 0))
        self._store(b.fadd(self._load(along), b.fmul(step, before)), along)
        self._store(b.fadd(self._load(square), b.fmul(step, step)), square)
        self._store(step, self.at(change, i, 0))
        self._store(new, self.at(x, i, 0))

    def _load(self, place: Any) -> Any:
        return self.builder.load(place, align=self.size)

    def _store(self, value: Any, place: Any) -> None:
        self.builder.store(value, place, align=self.size)

    def _column(self, index: Any, at: Any) -> Any:
        return self.builder.zext(self.builder.load(self.builder.gep(index, [at])), self.word)

    def _spread(self, number: Any) -> Any:
        """The number in every lane."""
        ir, undefined = self.ir, self.ir.Constant(self.vector, self.ir.Undefined)
        first = self.builder.insert_element(undefined, number, ir.IntType(32)(0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), self.vector.count), [0] * self.vector.count)
        return self.builder.shuffle_vector(first, undefined, lanes)

    def _add(self, sums: list[Any], weight: Any, x: Any, column: Any) -> None:
        for part, place in enumerate(sums):
            values = self.builder.load(self.at(x, column, part), align=self.size)
            self.builder.store(self.builder.fadd(self.builder.load(place), self.builder.fmul(weight, values)), place)

    def _ahead(self, index: Any, x: Any, at: Any) -> None:
        """Ask for the numbers of an edge that comes later, so that they are there by then."""
        tools = _tools()
        ir, builder = self.ir, self.builder
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        ask = tools.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [byte, word, word, word]), "llvm.prefetch.p0i8"
        )
        column = self._column(index, builder.add(at, self.word(AHEAD)))
        for part in self.parts:
            place = builder.bitcast(self.at(x, column, part), byte)
            builder.call(ask, [place, word(0), word(3), word(1)])
