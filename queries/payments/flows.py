"""Flows: the payments of a snapshot as arrays in order of time, and which payments can follow which."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.errors import MeasureError
from kg.snapshot import Snapshot
from queries.payments.table import shaped

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_log = logging.getLogger(__name__)
DAY: Final = 86_400_000_000
"""Microseconds."""


class Ragged(NamedTuple):
    """What belongs to each of some questions: the question's place, and a row."""

    place: Ints
    row: Ints


@dataclass(frozen=True)
class Index:
    """Rows sorted by a key and then by time, with a search for a stretch of time within a key."""

    order: Ints
    keys: Ints
    width: int

    def stretch(self, key: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        """Positions low <= p < high in `order` of the rows of each key whose rank of time is first <= rank < last."""
        low = np.searchsorted(self.keys, key * self.width + first)
        return low, np.maximum(np.searchsorted(self.keys, key * self.width + last), low)


@dataclass(frozen=True)
class Flows:
    """Payments ascending by time, then payer, payee and id: their order does not depend on how they came in."""

    accounts: Sequence[str]
    """Ids by number; ascending."""
    source: Ints
    target: Ints
    amount: Floats
    each: Floats
    """Amount of a single transfer where the transfers of a day are summed in one edge."""
    count: Ints
    """How many transfers are summed."""
    unit: Ints
    units: Sequence[str]
    time: Ints
    """Microseconds since 1970."""
    ids: pa.Array = field(repr=False)
    statements: pa.Array = field(repr=False)
    unpriced: int = 0
    """Payments left out because no source states an amount."""

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot) -> Flows:
        """The PAID edges of a snapshot that have an amount."""
        edges = snapshot.edges_of("PAID")
        priced = edges.filter(pc.is_valid(edges["value_decimal"]))
        names = pa.array(snapshot.ids, pa.string())
        table = pa.table(
            {
                "id": priced["id"],
                "source": names.take(priced["source"].combine_chunks()),
                "target": names.take(priced["target"].combine_chunks()),
                "amount": pc.cast(priced["value_decimal"], pa.string()),  # Arrow's own cast is not the nearest float
                "time": priced["valid_from"],
                "count": priced["value_int"],
                "currency": priced["unit"],
                "statement": priced["statement"],
            }
        )
        return replace(cls.of(table), unpriced=edges.num_rows - priced.num_rows)

    @classmethod
    def of(cls, table: pa.Table) -> Flows:
        """From a table with the columns of `queries.payments.table`, in any order. MeasureError says what is wrong."""
        table = shaped(table)
        table = table.take(pc.sort_indices(table, [(n, "ascending") for n in ("time", "source", "target", "id")]))
        return cls._sorted(table)

    @classmethod
    def _sorted(cls, table: pa.Table) -> Flows:
        amount = table["amount"].to_numpy()
        ends = pa.chunked_array([*table["source"].chunks, *table["target"].chunks], pa.string())
        codes, names = _coded(ends)
        unit, units = _coded(pc.fill_null(table["currency"], ""))
        count = np.maximum(pc.fill_null(table["count"], 1).to_numpy(), 1)
        size = len(table)
        ids, statements = (table[n].combine_chunks() for n in ("id", "statement"))
        time = table["time"].cast(pa.int64()).to_numpy()
        return cls(names, codes[:size], codes[size:], amount, amount / count, count, unit, units, time, ids, statements)

    def __len__(self) -> int:
        return len(self.source)

    def rows(self, kept: NDArray[np.bool_] | Ints) -> Flows:
        """Some of the payments; accounts keep their numbers."""
        take = np.flatnonzero(kept) if kept.dtype == bool else kept
        arrays = {n: getattr(self, n)[take] for n in ("source", "target", "amount", "each", "count", "unit", "time")}
        texts = {name: getattr(self, name).take(pa.array(take)) for name in ("ids", "statements")}
        return replace(self, **arrays, **texts)

    @cached_property
    def rank(self) -> Ints:
        """Number of each payment's moment among all moments."""
        return np.searchsorted(self.moments, self.time)

    @cached_property
    def moments(self) -> Ints:
        """Every moment at which something is paid, ascending."""
        return np.unique(self.time)

    @cached_property
    def out(self) -> Index:
        """Payments by payer."""
        return self._index(self.source)

    @cached_property
    def into(self) -> Index:
        """Payments by payee."""
        return self._index(self.target)

    @cached_property
    def between(self) -> Index:
        """Payments by payer and payee."""
        return self._index(self.source * len(self.accounts) + self.target)

    def _index(self, key: Ints) -> Index:
        width = len(self.moments) + 1
        if len(key) and int(key.max()) >= 2**62 // width:
            raise MeasureError(f"{len(self.accounts)} accounts at {width} moments are too many; look at a shorter time")
        order = np.argsort(key, kind="stable")
        return Index(order, (key * width + self.rank)[order], width)

    def onward(self, rows: Ints, within: int, fan: int) -> tuple[Ragged, int]:
        """Payments out of each row's payee, later than it by at most `within`; and how many a cap of `fan` cut off.

        A cap keeps those that come first.
        """
        last = np.searchsorted(self.moments, self.time[rows] + within, "right")
        low, high = self.out.stretch(self.target[rows], self.rank[rows] + 1, last)
        return self.ragged(self.out, low, high, fan)

    def back(self, payer: Ints, payee: Ints, first: Ints, last: Ints, fan: int) -> tuple[Ragged, int]:
        """Payments from payer to payee at moments first <= rank < last."""
        low, high = self.between.stretch(payer * len(self.accounts) + payee, first, last)
        return self.ragged(self.between, low, high, fan)

    def ragged(self, index: Index, low: Ints, high: Ints, fan: int) -> tuple[Ragged, int]:
        size = np.minimum(high - low, fan)
        place = np.repeat(np.arange(len(low)), size)
        step = np.arange(len(place)) - np.repeat(np.cumsum(size) - size, size)
        return Ragged(place, index.order[low[place] + step]), int((high - low - size).sum())

    def keeps(self, first: Ints, second: Ints, tolerance: float) -> NDArray[np.bool_]:
        """True where two payments are in one currency and equal up to a share, as sums or as single transfers."""
        same = self.unit[first] == self.unit[second]
        near = np.maximum(_ratio(self.amount, first, second), _ratio(self.each, first, second)) >= 1 - tolerance
        return np.asarray(same & near)


def _ratio(values: Floats, first: Ints, second: Ints) -> Floats:
    one, other = values[first], values[second]
    return np.asarray(np.minimum(one, other) / np.maximum(one, other))


def _coded(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """Numbers of texts, in the order of the texts."""
    coded = column.combine_chunks().dictionary_encode()
    coded = coded if isinstance(coded, pa.DictionaryArray) else pa.concat_arrays(coded.chunks)
    order = pc.sort_indices(coded.dictionary).to_numpy()
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place[coded.indices.to_numpy()], coded.dictionary.take(pa.array(order)).to_pylist()


def told(pattern: str, cut: int, fan: int) -> tuple[str, ...]:
    """What a cap left out, logged and as remarks."""
    if not cut:
        return ()
    said = f"{pattern}: {cut} continuations beyond the first {fan} of an account were not followed; raise fan"
    _log.warning(said)
    return (said,)
