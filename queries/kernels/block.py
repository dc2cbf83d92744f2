"""Block: Y = B + A X for many scenarios at once, in blocks of scenarios that fit the cache.

Each scenario is summed by itself, in the order of a lone sweep, so the answer has the same bits for any width of block
and any number of workers, and those of `sweep.pull`. A block holds X and Y only: two blocks beside the network.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from queries.kernels.compiled import compiled
from queries.kernels.rows import Rows
from queries.kernels.sweep import each
from queries.kernels.vector import block_kernel

Floats = NDArray[Any]
WIDTHS = (16, 32, 64, 128)
"""Scenarios of a block: the kernel is made for each of these."""


def lanes(dtype: np.dtype[Any]) -> int:
    """Numbers in a vector of 64 bytes."""
    return 64 // dtype.itemsize


def pull_block(rows: Rows, base: Floats, x: Floats, out: Floats, workers: int = 1) -> Floats:
    """base + A x for (places, width) blocks in rows of C order, into `out`, which may be `base`."""
    kernel = block_kernel(x.shape[1], lanes(x.dtype))
    layout = (rows.starts, rows.slices, rows.index, rows.amount)
    each(rows, workers, lambda *part: kernel(*layout, base, x, out, *part))
    return out


def sweep_many(
    rows: Rows, x: Floats, base: Floats | None = None, width: int = 64, workers: int = 1, out: Floats | None = None
) -> Floats:
    """(scenarios, nodes) base + A x for (scenarios, nodes) x, block by block, into `out` if given."""
    made = np.empty(x.shape, rows.amount.dtype) if out is None else out
    shape = (rows.places, width)
    block, result = (np.zeros(shape, rows.amount.dtype) for _ in range(2))
    for first in range(0, len(x), width):
        part = slice(first, first + width)
        _gathered(x[part], rows.order, block)
        result[:] = 0
        if base is not None:
            _gathered(base[part], rows.order, result)
        pull_block(rows, result, block, result, workers)
        _scattered(result, rows.order, made[part])
    return made


@compiled
def _gathered(x: Any, order: Any, block: Any) -> None:  # pragma: no cover - machine code
    """Scenarios by node into the rows of a block by place."""
    for place in range(len(order)):
        for scenario in range(len(x)):
            block[place, scenario] = x[scenario, order[place]]


@compiled
def _scattered(block: Any, order: Any, x: Any) -> None:  # pragma: no cover - machine code
    for place in range(len(order)):
        for scenario in range(len(x)):
            x[scenario, order[place]] = block[place, scenario]
