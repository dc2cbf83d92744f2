"""Sorting: how the tables of a snapshot stand, and where in them rows are found that leave or come in."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.splice import Mask, Order, Rows, Splice, whole


def stretches(table: pa.Table, by: Sequence[str], asked: pa.Table) -> tuple[Rows, Rows]:
    """First row, and the one after the last, of those that equal each row of `asked` in the columns `by`.

    The table is sorted by them. Cost grows with its logarithm, so only the pages that are looked at are read.
    """
    low, high = np.zeros(asked.num_rows, np.int64), np.full(asked.num_rows, len(table), np.int64)
    for level, name in enumerate(by):
        column, value = whole(table[name]), whole(asked[name])
        if not level and len(value):  # all of one value are asked for at once
            each = pc.unique(value)
            same = pc.index_in(value, each).to_numpy()
            low, high = low[: len(each)], high[: len(each)]
            low, high = (_first(column, each, low, high, equal)[same] for equal in (False, True))
        else:
            low, high = (_first(column, value, low, high, equal) for equal in (False, True))
    return low, high


def _first(column: pa.Array, value: pa.Array, low: Rows, high: Rows, equal: bool) -> Rows:
    """The first row from `low` up to `high` that is not less than the value (or `equal` to it); `high` if all are."""
    low, high, left = low.copy(), high.copy(), np.flatnonzero(low < high)
    if not pa.types.is_string(column.type):
        column, value = column.to_numpy(), value.to_numpy()
    while len(left):
        middle = (low[left] + high[left]) // 2
        less = _less(column.take(middle), value.take(left), equal)
        low[left[less]], high[left[~less]] = middle[less] + 1, middle[~less]
        left = left[low[left] < high[left]]
    return low


def _less(a: Any, b: Any, equal: bool) -> Mask:
    if isinstance(a, np.ndarray):
        found: Mask = a <= b if equal else a < b
    else:
        found = (pc.less_equal if equal else pc.less)(a, b).to_numpy(zero_copy_only=False)
    return found


def within(low: Rows, high: Rows) -> Rows:
    """Every row of stretches, each once, sorted."""
    sizes = high - low
    starts = np.repeat(low - (np.cumsum(sizes) - sizes), sizes)
    found: Rows = np.unique(starts + np.arange(len(starts)))
    return found


@dataclass(frozen=True)
class Numbered:
    """Nodes in their order, and where each of the old ones went."""

    table: pa.Table
    went: Rows | None
    """(old nodes,) new row of each, -1 for one that is gone; None if all stay where they are."""
    spots: NDArray[np.float64] | None
    """(nodes,) the old row of each, of a new one a fraction between those of its neighbours; None likewise."""
    names: pa.Array
    place: Rows
    """(names,) row of each of these ids now; -1 for one that is no node."""

    def rows(self, ids: pa.ChunkedArray) -> pa.Array:
        """Row of each id, all of which are among `names`; null for one that is no node."""
        found = pc.fill_null(pc.index_in(ids, self.names), len(self.names)).to_numpy()
        place = np.append(self.place, -1)[found].astype(np.int32)
        return pa.array(place, mask=place < 0)

    def renumbered(self, table: pa.Table, names: Sequence[str]) -> pa.Table:
        """A table with the new rows of nodes in these columns for the old ones."""
        return table if self.went is None else _mapped(table, names, self.went.astype(np.int32))

    def spotted(self, table: pa.Table, names: Sequence[str]) -> pa.Table:
        """A table with the old rows of nodes, or fractions between them, in these columns for the new ones."""
        return table if self.spots is None else _mapped(table, names, self.spots)


def _mapped(table: pa.Table, names: Sequence[str], to: NDArray[np.generic]) -> pa.Table:
    for name in names:
        table = table.set_column(table.column_names.index(name), name, pa.array(to[table[name].to_numpy()]))
    return table


def numbered(old: pa.Table, gone: Rows, new: pa.Table, names: pa.Array, place: Rows) -> Numbered:
    """The old nodes less the rows gone, with the new ones (sorted by id) among them.

    `names` are ids that will be asked for, `place` the old row of each (-1 for none).
    """
    if not len(gone) and not new.num_rows:
        return Numbered(old, None, None, names, place)
    ids = whole(old["id"])
    found = [bisect_left(range(len(ids)), id, key=lambda row: ids[row].as_py()) for id in new["id"].to_pylist()]
    before = np.array(found, np.int64)
    order = Order.of(len(ids), gone, before)
    spots = order.rows.astype(np.float64)
    spots[order.at] = before - 1 + (np.arange(len(before)) + 1) / (len(before) + 1)
    went = order.went(len(ids))
    now = np.where(place < 0, -1, went[place])
    now[pc.index_in(new["id"], names).to_numpy()] = order.at
    return Numbered(Splice(old, new, order).table(), went, spots, names, now)


@dataclass(frozen=True)
class Sorting:
    """How the rows of a table stand."""

    nodes: tuple[str, ...]
    """Columns that are rows of nodes."""
    by: tuple[str, ...]
    ties: tuple[str, ...]
    """Columns by which rows are sorted that are equal in `by`."""

    def merged(self, old: pa.Table, gone: Rows, new: pa.Table, nodes: Numbered) -> pa.Table | Splice:
        """The old rows less those gone with new ones, which name nodes by their ids, among them; `old` if none differs.

        Old rows that tie with a new one are sorted with it. A new row of what is no node is left out.
        """
        new = self._placed(new, nodes, old.schema)
        if not new.num_rows and not len(gone):
            return nodes.renumbered(old, self.nodes)
        low, high = stretches(old, self.by, nodes.spotted(new, self.nodes))
        tied = np.setdiff1d(within(low, high), gone, assume_unique=True)
        beside = old.take(pa.array(tied))
        place = np.concatenate([low, stretches(old, self.by, beside)[0]])
        new = pa.concat_tables([new, nodes.renumbered(beside, self.nodes)]).append_column("place", pa.array(place))
        new = new.sort_by([(name, "ascending") for name in (*self.by, *self.ties)])
        order = Order.of(len(old), np.union1d(gone, tied), new["place"].to_numpy())
        return Splice(nodes.renumbered(old, self.nodes), new.drop_columns("place"), order)

    def _placed(self, new: pa.Table, nodes: Numbered, schema: pa.Schema) -> pa.Table:
        """The new rows with rows of nodes for ids."""
        for name in self.nodes:
            new = new.set_column(new.column_names.index(name), name, nodes.rows(new[name]))
        known = [pc.is_valid(new[name]) for name in self.nodes]
        return new.filter(reduce(pc.and_, known)).cast(schema)


SORTING: Final = {
    "edges": Sorting(("source", "target"), ("type", "source", "target"), ("id",)),
    "facts": Sorting(("subject",), ("subject", "property"), ("key", "statement")),
}
