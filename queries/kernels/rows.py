"""Rows: a weighted directed network in 8 or 12 bytes an edge, laid out for summing over each row.

Rows stand in places by falling length (counting sort), so that neighbours are equally long and the end of a row is no
surprise to the processor. The longest stand one by one; all others in slices of four of about one length, whose edges
alternate: first edge of each, second edge of each, and so on. A slice is as wide as its longest row, and what a shorter
row lacks is an edge of amount 0 to place 0. Columns are places too, so a vector stays in places from sweep to sweep.

Every row is summed in one fixed order, whichever worker does it and however many scenarios go together: edges in the
order given; a row that stands alone, in four interleaved sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import sparse

from kg.errors import MeasureError
from queries.kernels.compiled import compiled

Floats = NDArray[Any]
Stretch = tuple[int, int, int, int]
"""First and last long row, first and last slice."""
U = np.uint64
LONG = 64
"""A row with more edges than this stands alone."""
AHEAD = 16
"""Edges by which a kernel may read ahead in `index`."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The sums y_i = sum_j amount_ij x_j of a network, ready to be swept."""

    nodes: int
    order: NDArray[np.int32]
    """(nodes,) node at each place."""
    starts: NDArray[np.int64]
    """(long rows + 1,) first edge of each row that stands alone."""
    slices: NDArray[np.int64]
    """(slices + 1,) first edge of each slice of four rows."""
    index: NDArray[np.uint32]
    """(edges with padding + AHEAD,) place of the column; 0 at the end."""
    amount: Floats
    """(edges with padding + 1,) float32 or float64, 0 at the end; of the other direction, if they are shared."""
    where: NDArray[np.uint32] | None = None
    """(edges with padding,) place of the amount in `amount`, if the edges are shared with the other direction."""

    @classmethod
    def of(
        cls, rows: NDArray[Any], columns: NDArray[Any], amounts: Floats, nodes: int, dtype: DTypeLike = np.float64
    ) -> Rows:
        """From edge arrays; parallel edges stay apart. MeasureError for ends outside 0..nodes-1."""
        rows, columns = np.ascontiguousarray(rows, np.int64), np.ascontiguousarray(columns, np.int64)
        if any(len(end) and (end.min() < 0 or end.max() >= nodes) for end in (rows, columns)):
            raise MeasureError(f"an edge ends outside the {nodes} nodes; give rows and columns from 0 to {nodes - 1}")
        order, starts, slices = _layout(np.bincount(rows, minlength=nodes))
        index = np.zeros(int(slices[-1]) + AHEAD, np.uint32)
        amount = np.zeros(int(slices[-1]) + 1, dtype)
        _place(rows, columns, np.ascontiguousarray(amounts, float), _inverse(order), starts, slices, index, amount)
        return cls(nodes, order, starts, slices, index, amount)

    @classmethod
    def of_matrix(cls, matrix: Any, dtype: DTypeLike = np.float64) -> Rows:
        """From a square scipy matrix."""
        found = sparse.coo_array(matrix)
        rows, columns = found.coords
        return cls.of(rows, columns, found.data, found.shape[0], dtype)

    @cached_property
    def turned(self) -> Rows:
        """The other direction, over the same amounts: 8 bytes an edge more."""
        rows, columns, slot = _edges(self.order, self.starts, self.slices, self.index, self.amount)
        order, starts, slices = _layout(np.bincount(columns, minlength=self.nodes))
        index = np.zeros(int(slices[-1]) + AHEAD, np.uint32)
        where = np.full(int(slices[-1]), len(self.amount) - 1, np.uint32)
        _place(columns, rows, slot, _inverse(order), starts, slices, index, where)
        return Rows(self.nodes, order, starts, slices, index, self.amount, where)

    @property
    def places(self) -> int:
        """Length of a vector in places: nodes, and what fills the last slice."""
        return len(self.starts) - 1 + 4 * (len(self.slices) - 1)

    @property
    def nbytes(self) -> int:
        """Bytes held; what is shared counts in the direction that was there first, and `turned` by itself."""
        last = self.amount if self.where is None else self.where
        return sum(part.nbytes for part in (self.order, self.starts, self.slices, self.index, last))

    @cached_property
    def _cut(self) -> dict[int, list[Stretch]]:
        return {}

    def stretches(self, workers: int) -> list[Stretch]:
        """Places cut into at most `workers` stretches of about equally many edges."""
        if workers not in self._cut:
            ends, long = np.concatenate([self.starts, self.slices[1:]]), len(self.starts) - 1
            inner = np.searchsorted(ends, np.linspace(0, ends[-1], workers + 1)[1:-1])
            cuts = np.unique(np.concatenate([[0], inner, [len(ends) - 1]])).tolist()
            self._cut[workers] = [
                (min(a, long), min(b, long), max(a - long, 0), max(b - long, 0)) for a, b in pairwise(cuts)
            ] or [(0, 0, 0, 0)]
        return self._cut[workers]

    def placed(self, x: Floats, fill: float = 0.0) -> Floats:
        """(nodes, ...) by node to (places, ...) by place."""
        out = np.full((self.places, *x.shape[1:]), fill, np.result_type(self.amount.dtype, np.float32))
        out[: self.nodes] = x[self.order]
        return out

    def by_node(self, x: Floats) -> Floats:
        """(places, ...) by place to (nodes, ...) by node."""
        out = np.empty((self.nodes, *x.shape[1:]), x.dtype)
        out[self.order] = x[: self.nodes]
        return out


def _layout(lengths: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    """Node at each place, and where the edges of long rows and of slices begin."""
    order = np.argsort(-lengths, kind="stable").astype(np.int32)
    lengths = lengths[order]
    long = int(np.searchsorted(-lengths, -LONG))
    starts = np.concatenate([[0], np.cumsum(lengths[:long])])
    slices = np.concatenate([[0], np.cumsum(4 * lengths[long::4])]) + starts[-1]
    return order, starts.astype(np.int64), slices.astype(np.int64)


def _inverse(order: NDArray[np.int32]) -> NDArray[np.int64]:
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place


@compiled
def _place(
    rows: Any, columns: Any, what: Any, place: Any, starts: Any, slices: Any, index: Any, into: Any
) -> None:  # pragma: no cover - machine code
    """Put each edge's column and what goes with it where the layout wants it."""
    long = len(starts) - 1
    done = np.zeros(len(place), np.int64)
    for k in range(len(rows)):
        row = place[rows[k]]
        short = row - long
        at = starts[row] + done[row] if short < 0 else slices[short // 4] + 4 * done[row] + short % 4
        done[row] += 1
        index[at] = place[columns[k]]
        into[at] = what[k]


@compiled
def _edges(order: Any, starts: Any, slices: Any, index: Any, amount: Any) -> Any:  # pragma: no cover - machine code
    """Row, column and position of every edge; padding has amount 0 and is left out, like any edge of amount 0."""
    long, nodes, edges = len(starts) - 1, len(order), 0
    for k in range(len(amount)):
        edges += amount[k] != 0
    rows, columns, slot = np.empty(edges, np.int64), np.empty(edges, np.int64), np.empty(edges, np.int64)
    at = 0
    for row in range(nodes):
        if row < long:
            first, last, step = starts[row], starts[row + 1], 1
        else:
            first, last, step = slices[(row - long) // 4] + (row - long) % 4, slices[(row - long) // 4 + 1], 4
        for k in range(first, last, step):
            if amount[k] != 0:
                rows[at], columns[at], slot[at] = order[row], order[index[k]], k
                at += 1
    return rows, columns, slot
