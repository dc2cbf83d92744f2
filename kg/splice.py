"""Splice: a sorted table with some rows taken out and others put in, each column copied once and in one piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from mmap import mmap

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Order:
    """Where the rows of a spliced table come from."""

    rows: Rows
    """(rows,) the old row that stands there; 0 where a new one does."""
    at: Rows
    """(new rows,) where each new row stands."""

    @classmethod
    def of(cls, old: int, gone: Rows, place: Rows) -> Order:
        """Of `old` rows those `gone` (sorted) leave, and each new row, in order, comes before the old row `place`."""
        before = place - np.searchsorted(gone, place)
        rows = np.insert(np.delete(np.arange(old), gone), before, 0)
        return cls(rows, before + np.arange(len(place)))

    def went(self, old: int) -> Rows:
        """(old rows,) where each old row stands now; -1 for one taken out."""
        found = np.full(old, -1, np.int64)
        stay = np.delete(np.arange(len(self.rows)), self.at)
        found[self.rows[stay]] = stay
        return found


@dataclass(frozen=True)
class Gather:
    """The values of one column, or the letters of its texts, each of which takes as many bytes."""

    old: NDArray[np.void]
    new: NDArray[np.void]
    order: Order

    def values(self) -> NDArray[np.void]:
        """All of them."""
        found = self.old.take(self.order.rows)
        found[self.order.at] = self.new
        return found

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The same as bytes, about `size` at a time; each stands in the place of the one before it."""
        step = max(1, size // self.old.dtype.itemsize)
        room = np.empty(step, self.old.dtype)
        for start in range(0, len(self.order.rows), step):
            rows = self.order.rows[start : start + step]
            piece = np.take(self.old, rows, out=room[: len(rows)], mode="clip")
            first, last = np.searchsorted(self.order.at, [start, start + len(rows)])
            piece[self.order.at[first:last] - start] = self.new[first:last]
            yield piece.view(np.uint8).data


@dataclass(frozen=True)
class Splice:
    """The old and new rows of a table in their order, each column in one piece."""

    old: pa.Table
    new: pa.Table
    order: Order

    def select(self, names: Sequence[str]) -> Splice:
        """The same with these columns alone."""
        return Splice(self.old.select(names), self.new.select(names), self.order)

    def table(self) -> pa.Table:
        """In memory."""
        return self._made(lambda gather: pa.py_buffer(gather.values()))

    def hollow(self) -> tuple[pa.Table, dict[int, Gather]]:
        """A table of the same form whose largest buffers are empty, and what belongs into each, by its address.

        Nothing is copied and no memory taken: whoever writes the table asks for what to write in their place.
        """
        left: dict[int, Gather] = {}

        def empty(gather: Gather) -> pa.Buffer:
            buffer = _zeros(len(gather.order.rows) * gather.old.dtype.itemsize)
            left[buffer.address] = gather
            return buffer

        return self._made(empty), left

    def _made(self, buffer: Callable[[Gather], pa.Buffer]) -> pa.Table:
        pairs = zip(self.old.columns, self.new.columns, strict=True)
        columns = [self._column(whole(old), whole(new), buffer) for old, new in pairs]
        return pa.Table.from_arrays(columns, schema=self.old.schema)

    def _column(self, old: pa.Array, new: pa.Array, buffer: Callable[[Gather], pa.Buffer]) -> pa.Array:
        size = len(self.order.rows)
        if not len(old) or not size:
            return new
        if old.null_count == len(old) and new.null_count == len(new):
            return pa.Array.from_buffers(old.type, size, [_zeros(16 * (size + 1))] * old.type.num_buffers, size)
        text = pa.types.is_string(old.type)
        ends = self._ends(old, new) if text else None
        if old.null_count or new.null_count or (text and ends is None):
            rows = self.order.rows.copy()
            rows[self.order.at] = len(old) + np.arange(len(new))
            return pc.take(pa.concat_arrays([old, new]), pa.array(rows))
        width = old.type.bit_width // 8 if ends is None else int(ends[1])
        cut = _letters if text else _bytes
        values = buffer(Gather(cut(old, width), cut(new, width), self.order)) if width else pa.py_buffer(b"")
        beside = [] if ends is None else [pa.py_buffer(ends)]
        return pa.Array.from_buffers(old.type, size, [None, *beside, values], 0)

    def _ends(self, old: pa.Array, new: pa.Array) -> NDArray[np.int32] | None:
        """Where each text ends if all are of one length, as hashes are, and can be moved like numbers; else None."""
        size, width = len(self.order.rows), int(np.diff(_ends(old)[:2])[0])
        if max(size, len(old)) * width >= 2**31:
            return None
        ends = np.arange(max(size, len(old)) + 1, dtype=np.int32) * np.int32(width)
        same = all(np.array_equal(own - own[0] if own[0] else own, ends[: len(own)]) for own in map(_ends, (old, new)))
        return ends[: size + 1] if same else None


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece; it is copied only if it was in several."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _zeros(size: int) -> pa.Buffer:
    """So many bytes that take no memory until they are written to."""
    return pa.py_buffer(mmap(-1, size))


def _ends(texts: pa.Array) -> NDArray[np.int32]:
    if not len(texts):
        return np.zeros(1, np.int32)
    return np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, 4 * texts.offset)


def _letters(texts: pa.Array, width: int) -> NDArray[np.void]:
    if not len(texts):
        return np.empty(0, f"V{width}")
    return np.frombuffer(texts.buffers()[2], f"V{width}", len(texts), int(_ends(texts)[0]))


def _bytes(numbers: pa.Array, width: int) -> NDArray[np.void]:
    """The numbers as bytes, whatever they are."""
    if not len(numbers):
        return np.empty(0, f"V{width}")
    return np.frombuffer(numbers.buffers()[1], f"V{width}", len(numbers), width * numbers.offset)
