"""Sweep: y = base + A x once over every edge, for one vector, on one core or several.

Workers take stretches of places with about equally many edges. Each row is summed whole by one worker and always in the
same order, so the answer has the same bits for any number of workers.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from queries.kernels.compiled import compiled
from queries.kernels.rows import Rows, U

Floats = NDArray[Any]


def sweep(rows: Rows, x: Floats, base: Floats | None = None, workers: int = 1) -> Floats:
    """(nodes,) base + A x by node."""
    placed = rows.placed(x)
    start = np.zeros_like(placed) if base is None else rows.placed(base)
    return rows.by_node(pull(rows, start, placed, np.empty_like(placed), workers))


def pull(rows: Rows, base: Floats, x: Floats, out: Floats, workers: int = 1) -> Floats:
    """The same for (places,) vectors, into `out`."""
    each(rows, workers, stretch(rows, base, x, out))
    return out


def stretch(rows: Rows, base: Floats, x: Floats, out: Floats) -> Callable[[int, int, int, int], Any]:
    """The sweep of one stretch of the rows: first and last row that stands alone, first and last slice."""
    layout = (rows.starts, rows.slices, rows.index, rows.amount)
    if rows.where is None:
        return lambda *part: _pull(*layout, base, x, out, *part)
    shared = rows.where
    return lambda *part: _pull_shared(*layout, shared, base, x, out, *part)


def each(rows: Rows, workers: int, work: Callable[[int, int, int, int], Any]) -> list[Any]:
    """The answers of `work` over stretches of the rows, each in a thread of its own."""
    parts = rows.stretches(max(workers, 1))
    if len(parts) == 1:
        return [work(*parts[0])]
    others = [_threads(len(parts) - 1).submit(work, *part) for part in parts[1:]]
    first = work(*parts[0])
    return [first, *(other.result() for other in others)]


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="sweep")


@compiled
def _pull(
    starts: Any, slices: Any, index: Any, amount: Any, base: Any, x: Any, out: Any, a0: Any, a1: Any, s0: Any, s1: Any
) -> None:  # pragma: no cover - machine code
    for alone in range(a0, a1):
        i = U(alone)
        a = b = c = d = x.dtype.type(0)
        k, end = U(starts[i]), U(starts[i + U(1)])
        while k + U(4) <= end:
            a += amount[k] * x[index[k]]
            b += amount[k + U(1)] * x[index[k + U(1)]]
            c += amount[k + U(2)] * x[index[k + U(2)]]
            d += amount[k + U(3)] * x[index[k + U(3)]]
            k += U(4)
        if k < end:
            a += amount[k] * x[index[k]]
        if k + U(1) < end:
            b += amount[k + U(1)] * x[index[k + U(1)]]
        if k + U(2) < end:
            c += amount[k + U(2)] * x[index[k + U(2)]]
        out[i] = base[i] + ((a + b) + (c + d))
    for part in range(s0, s1):
        s = U(part)
        a = b = c = d = x.dtype.type(0)
        k, end = U(slices[s]), U(slices[s + U(1)])
        while k < end:
            a += amount[k] * x[index[k]]
            b += amount[k + U(1)] * x[index[k + U(1)]]
            c += amount[k + U(2)] * x[index[k + U(2)]]
            d += amount[k + U(3)] * x[index[k + U(3)]]
            k += U(4)
        i = U(len(starts) - 1) + U(4) * s
        out[i] = base[i] + a
        out[i + U(1)] = base[i + U(1)] + b
        out[i + U(2)] = base[i + U(2)] + c
        out[i + U(3)] = base[i + U(3)] + d


@compiled
def _pull_shared(
    starts: Any,
    slices: Any,
    index: Any,
    amount: Any,
    where: Any,
    base: Any,
    x: Any,
    out: Any,
    a0: Any,
    a1: Any,
    s0: Any,
    s1: Any,
) -> None:  # pragma: no cover - machine code
    for alone in range(a0, a1):
        i: Any = U(alone)
        a = x.dtype.type(0)
        k, end = U(starts[i]), U(starts[i + U(1)])
        while k < end:
            a += amount[where[k]] * x[index[k]]
            k += U(1)
        out[i] = base[i] + a
    for part in range(s0, s1):
        s = U(part)
        a = b = c = d = x.dtype.type(0)
        k, end = U(slices[s]), U(slices[s + U(1)])
        while k < end:
            a += amount[where[k]] * x[index[k]]
            b += amount[where[k + U(1)]] * x[index[k + U(1)]]
            c += amount[where[k + U(2)]] * x[index[k + U(2)]]
            d += amount[where[k + U(3)]] * x[index[k + U(3)]]
            k += U(4)
        i = U(len(starts) - 1) + U(4) * s
        out[i] = base[i] + a
        out[i + U(1)] = base[i + U(1)] + b
        out[i + U(2)] = base[i + U(2)] + c
        out[i + U(3)] = base[i + U(3)] + d
