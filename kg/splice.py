"""Splice: a sorted table with some rows taken out and others put in, copied column by column as whole stretches."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


def order(gone: Mask, place: Rows) -> Rows:
    """Which row stands where, of the old rows followed by the new ones.

    `gone` are the old rows taken out; `place` is, for each new row in order, before which of the rows that stay it
    comes.
    """
    stay = np.flatnonzero(~gone)
    found: Rows = np.insert(stay, place, len(gone) + np.arange(len(place)))
    return found


def moved(index: Rows, rows: int) -> Rows:
    """Where each of the rows that `order` was given went; -1 for one taken out."""
    place = np.full(rows, -1, np.int64)
    place[index] = np.arange(len(index))
    return place


def spliced(old: pa.Table, new: pa.Table, index: Rows) -> pa.Table:
    """Rows `index` of the old ones followed by the new, each column in one piece."""
    columns = [_picked(whole(a), whole(b), index) for a, b in zip(old.columns, new.columns, strict=True)]
    return pa.Table.from_arrays(columns, schema=old.schema)


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece; it is copied only if it was in several."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _picked(old: pa.Array, new: pa.Array, index: Rows) -> pa.Array:
    if old.null_count == len(old) and new.null_count == len(new):
        return pa.nulls(len(index), old.type)
    if old.null_count or new.null_count:
        return pc.take(pa.concat_arrays([old, new]), pa.array(index))
    if pa.types.is_string(old.type):
        return _texts(old, new, index)
    width = old.type.bit_width // 8
    values = np.concatenate([_bytes(old, width), _bytes(new, width)]).take(index)
    return pa.Array.from_buffers(old.type, len(index), [None, pa.py_buffer(values)], null_count=0)


def _texts(old: pa.Array, new: pa.Array, index: Rows) -> pa.Array:
    """Texts, which as hashes are all of one length and can be moved like numbers."""
    width = _width(old) if len(old) else _width(new)
    if not width or (len(old) and _width(old) != width) or (len(new) and _width(new) != width):
        return pc.take(pa.concat_arrays([old, new]), pa.array(index))
    values = np.concatenate([_letters(old, width), _letters(new, width)]).take(index)
    ends = np.arange(0, (len(index) + 1) * width, width, dtype=np.int64)
    if ends[-1] >= 2**31:
        return pc.take(pa.concat_arrays([old, new]), pa.array(index))
    return pa.StringArray.from_buffers(
        len(index), pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(values), null_count=0
    )


def _width(texts: pa.Array) -> int:
    """Bytes of each text where all have the same, else 0."""
    ends = _ends(texts)
    width = int(ends[1] - ends[0])
    return width if (np.diff(ends) == width).all() else 0


def _ends(texts: pa.Array) -> NDArray[np.int32]:
    return np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, 4 * texts.offset)


def _letters(texts: pa.Array, width: int) -> NDArray[np.void]:
    start = int(_ends(texts)[0]) if len(texts) else 0
    if not len(texts):
        return np.empty(0, f"V{width}")
    return np.frombuffer(texts.buffers()[2], f"V{width}", len(texts), start)


def _bytes(numbers: pa.Array, width: int) -> NDArray[np.void]:
    """The numbers as bytes, whatever they are."""
    if not len(numbers):
        return np.empty(0, f"V{width}")
    return np.frombuffer(numbers.buffers()[1], f"V{width}", len(numbers), width * numbers.offset)


@dataclass(frozen=True)
class Numbered:
    """Nodes in their order, and where each of the old ones went."""

    table: pa.Table
    went: Rows
    """(old nodes,) new row of each; -1 for one that is gone."""

    def rows(self, ids: pa.ChunkedArray) -> pa.ChunkedArray:
        """Row of each id; null for one that is no node."""
        return pc.index_in(ids, whole(self.table["id"]))

    def renumbered(self, table: pa.Table, names: Sequence[str]) -> pa.Table:
        """A table with the new rows of nodes in these columns for the old ones."""
        if len(self.went) == self.table.num_rows and (self.went == np.arange(len(self.went))).all():
            return table
        for name in names:
            column = pa.array(self.went[table[name].to_numpy()].astype(np.int32))
            table = table.set_column(table.column_names.index(name), table.field(name), column)
        return table


def numbered(old: pa.Table, gone: Mask, new: pa.Table) -> Numbered:
    """The old nodes less those gone, with the new ones (sorted by id) among them."""
    ids = whole(old["id"])
    place = [bisect_left(range(len(ids)), id, key=lambda row: ids[row].as_py()) for id in new["id"].to_pylist()]
    before = np.concatenate([[0], np.cumsum(gone)])
    index = order(gone, np.array(place, np.int64) - before[place] if place else np.zeros(0, np.int64))
    return Numbered(spliced(old, new, index), moved(index, len(ids) + new.num_rows)[: len(ids)])


def edge_rows(old: pa.Table, gone: Mask, new: pa.Table, nodes: Numbered) -> pa.Table:
    """Edges less those gone, with new ones (whose ends are ids), by (type, source, target, id)."""
    new = _placed(new, ("source", "target"), nodes, old.schema)
    old = nodes.renumbered(old, ("source", "target"))
    return _merged(old, gone, new, ("type", "source", "target"), ("id",), len(nodes.table))


def fact_rows(old: pa.Table, gone: Mask, new: pa.Table, nodes: Numbered) -> pa.Table:
    """Facts less those gone, with new ones (whose subjects are ids), by (subject, property, key, statement)."""
    new = _placed(new, ("subject",), nodes, old.schema)
    old = nodes.renumbered(old, ("subject",))
    return _merged(old, gone, new, ("subject", "property"), ("key", "statement"), len(nodes.table))


def _placed(new: pa.Table, names: Sequence[str], nodes: Numbered, schema: pa.Schema) -> pa.Table:
    """The new rows with rows of nodes for ids."""
    for name in names:
        new = new.set_column(new.column_names.index(name), name, nodes.rows(new[name]))
    known = [pc.is_valid(new[name]) for name in names]
    return new.filter(reduce(pc.and_, known)).cast(schema)


def _merged(old: pa.Table, gone: Mask, new: pa.Table, by: Sequence[str], ties: Sequence[str], nodes: int) -> pa.Table:
    """Two tables sorted by `by`, then by `ties`, as one. Old rows that tie with a new one are sorted with it."""
    if not new.num_rows and not gone.any():
        return old
    there, asked = _keys((old, new), by, nodes)
    low, high = (np.searchsorted(there[~gone], asked, side) for side in ("left", "right"))
    steps = np.zeros(len(gone) - int(gone.sum()) + 1, np.int64)
    np.add.at(steps, low, 1)
    np.add.at(steps, high, -1)
    tied = np.flatnonzero(~gone)[np.cumsum(steps)[:-1] > 0]
    gone = gone.copy()
    gone[tied] = True
    new = pa.concat_tables([new, old.take(pa.array(tied))])
    new = new.append_column("place", pa.array(np.concatenate([asked, there[tied]])))
    new = new.sort_by([(name, "ascending") for name in ("place", *ties)])
    place = np.searchsorted(there[~gone], new["place"].to_numpy())
    return spliced(old, new.drop_columns("place"), order(gone, place))


def _keys(parts: Sequence[pa.Table], by: Sequence[str], nodes: int) -> list[Rows]:
    """One number for each row of each part that sorts as these columns do: texts, and rows of nodes."""
    keys = [np.zeros(part.num_rows, np.int64) for part in parts]
    for name in by:
        columns, size = [part[name] for part in parts], nodes
        if pa.types.is_string(columns[0].type):
            words = sorted(set().union(*(pc.unique(column).to_pylist() for column in columns)))
            columns, size = [pc.index_in(column, pa.array(words, pa.string())) for column in columns], len(words)
        keys = [key * size + column.to_numpy() for key, column in zip(keys, columns, strict=True)]
    return keys
