"""Views: the ledger as of a row of dates, each read and made into tensors once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import pyarrow.compute as pc

from gnn.encoder import Encoder
from gnn.tensors import GraphTensors, stated
from kg.files import Files
from kg.model import AsOf, as_time
from kg.snapshot import Snapshot


class Ledgerlike(Protocol):
    """What a ledger offers here."""

    def view(self, at: AsOf) -> Snapshot: ...


BEFORE = timedelta(microseconds=1)
"""What holds until a date is seen at it: yearly figures end at midnight, and the next are published later."""


class Views:
    """Snapshots and tensors by date: what held up to then, as published by then."""

    def __init__(self, source: Ledgerlike | Callable[[AsOf], Snapshot], files: Files, cache: Path | None) -> None:
        self._view = source if callable(source) else source.view
        self.files, self.cache = files, cache
        self._snapshots: dict[AsOf, Snapshot] = {}
        self._tensors: dict[tuple[datetime, tuple[str, ...]], GraphTensors] = {}

    def snapshot(self, date: datetime | None) -> Snapshot:
        """The graph as of a date; None is everything known today."""
        return self._at(AsOf() if date is None else AsOf(valid=date - BEFORE, published=date))

    def public(self, date: datetime) -> Snapshot:
        """What had been published by a date of what had happened by it, that very instant included: for events."""
        return self._at(AsOf(valid=date, published=date))

    def _at(self, at: AsOf) -> Snapshot:
        if at not in self._snapshots:
            self._snapshots[at] = self._view(at)
        return self._snapshots[at]

    def tensors(self, date: datetime, encoders: Sequence[Encoder] = ()) -> GraphTensors:
        """Tensors as of a date, with the features of these encoders."""
        key = (date, tuple(encoder.fingerprint for encoder in encoders))
        if key not in self._tensors:
            snapshot = self.snapshot(date)
            self._tensors[key] = GraphTensors.from_snapshot(snapshot, self.files, encoders, date, self.cache)
        return self._tensors[key]

    def last(self) -> datetime | None:
        """When the newest thing known today was published by a source.

        What models and stress runs said does not count: a run would move the end of the next run's test.
        """
        snapshot = self.snapshot(None)
        tables = [stated(table) for table in (snapshot.edges, snapshot.facts)]
        return max((as_time(pc.max(table["published"]).as_py()) for table in tables if len(table)), default=None)


def months(moment: datetime, count: int) -> datetime:
    """The same day and hour `count` months later; the day is cut down to 28 so that every month has it."""
    number = moment.year * 12 + moment.month - 1 + count
    return moment.replace(year=number // 12, month=number % 12 + 1, day=min(moment.day, 28))


def quarters(start: datetime, end: datetime) -> list[datetime]:
    """Every third month after `start`, and `end` itself."""
    dates, at = [], months(start, 3)
    while at < end:
        dates.append(at)
        at = months(at, 3)
    return [*dates, end]
