"""Payments: the transfers of a table in order of time, as whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import ModelError

COLUMNS: Final = ("id", "source", "target", "amount", "time")
DAY: Final = 86_400_000_000
"""Microseconds."""
MOST: Final = 10.0**15
"""Amounts are below this, so that they are held in hundredths without loss."""


@dataclass(frozen=True)
class Payments:
    """Transfers between accounts, ascending by time; those of one time stay in the order of the table.

    Amounts are whole hundredths of one currency: sums are exact, so no order of adding can change a feature.
    """

    ids: tuple[str, ...]
    source: np.ndarray
    """(payments,) int64 account numbers, in the order in which accounts are first seen: what comes later moves none."""
    target: np.ndarray
    cents: np.ndarray
    """(payments,) int64, above 0."""
    time: np.ndarray
    """(payments,) int64 microseconds since 1970."""
    accounts: int
    """How many accounts there are."""
    truth: np.ndarray | None = None
    """(payments,) 1.0 laundering, 0.0 not; None where nobody knows."""

    def __len__(self) -> int:
        return len(self.source)

    @classmethod
    def of(cls, table: pa.Table) -> Payments:
        """From a table with the columns COLUMNS and, where known, `truth`; with `currency` if it is one and the same.

        ModelError names the column and the first bad row: amounts are positive numbers, times carry a zone.
        """
        _check(table)
        time = table["time"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
        order = np.argsort(time, kind="stable")
        ends = [table[name].cast(pa.string()).take(pa.array(order)).combine_chunks() for name in ("source", "target")]
        turn = np.arange(2 * len(table)).reshape(2, -1).T.ravel()  # sender, receiver, sender, receiver ...
        both = pa.concat_arrays(ends).take(pa.array(turn)).dictionary_encode()
        codes = both.indices.to_numpy().astype(np.int64)
        amount = np.rint(table["amount"].cast(pa.float64()).to_numpy() * 100).astype(np.int64)
        ids = table["id"].cast(pa.string()).to_pylist()
        known = "truth" in table.column_names
        return cls(
            tuple(ids[k] for k in order),
            codes[::2],
            codes[1::2],
            amount[order],
            time[order],
            len(both.dictionary),
            table["truth"].cast(pa.float64()).to_numpy()[order] if known else None,
        )

    def labels(self) -> np.ndarray:
        """The truth; ModelError where nobody knows it."""
        if self.truth is None:
            raise ModelError("these payments carry no column `truth`; give 1 for laundering and 0 for the others")
        return self.truth

    def between(self, start: datetime | None, end: datetime | None) -> np.ndarray:
        """Rows with start <= time < end."""
        low = 0 if start is None else int(np.searchsorted(self.time, micro(start)))
        high = len(self) if end is None else int(np.searchsorted(self.time, micro(end)))
        return np.arange(low, high)


def micro(when: datetime) -> int:
    """Microseconds since 1970; ModelError for a time without a zone."""
    if when.tzinfo is None:
        raise ModelError(f"time {when} has no zone; give one, such as UTC")
    return int(pa.scalar(when, pa.timestamp("us", "UTC")).value)


def _check(table: pa.Table) -> None:
    if lost := [name for name in COLUMNS if name not in table.column_names]:
        raise ModelError(f"payments need the columns {', '.join(COLUMNS)}; {', '.join(lost)} is missing")
    if not len(table):
        raise ModelError("there are no payments: the table has no rows")
    for name in [*COLUMNS, *(["truth"] if "truth" in table.column_names else [])]:
        _refuse(table, name, pc.is_null(table[name], nan_is_null=True), "is empty")
    kind = table["time"].type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        raise ModelError(f"column time is {kind}; payments need times with a zone, such as timestamp[us, tz=UTC]")
    amount = table["amount"].cast(pa.float64())
    wrong = pc.or_(pc.less(amount, 0.005), pc.greater_equal(amount, MOST))
    _refuse(table, "amount", wrong, "is no positive amount of at least a hundredth")
    if "truth" in table.column_names:
        known = table["truth"].cast(pa.float64())
        _refuse(table, "truth", pc.invert(pc.is_in(known, pa.array([0.0, 1.0]))), "is neither 0 nor 1")
    _one_currency(table)
    if pc.count_distinct(table["id"]).as_py() != len(table):
        raise ModelError("column id names some payments twice; scores go back by id, so give each its own")


def _refuse(table: pa.Table, name: str, wrong: pa.ChunkedArray, why: str) -> None:
    rows = pc.indices_nonzero(pc.fill_null(wrong, True))
    if len(rows):
        row = rows[0].as_py()
        raise ModelError(
            f"column {name} {why} in {len(rows)} of {len(table)} rows, first in row {row}: "
            f"{table[name][row].as_py()!r}; leave such rows out"
        )


def _one_currency(table: pa.Table) -> None:
    if "currency" in table.column_names:
        found: Mapping[str, object] = {str(v): v for v in pc.unique(table["currency"]).to_pylist()}
        if len(found) > 1:
            raise ModelError(f"amounts are in {', '.join(sorted(found))}; convert them to one currency first")
