"""Opened: a graph in a home folder with its ledger, its files and its store, and the questions all doors share."""

from __future__ import annotations

import logging
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kg.errors import KgRiskError
from kg.files import Files
from kg.ledger import Ledger
from kg.migrations import FORMAT, opened
from kg.model import AsOf, as_time
from kg.snapshot import Snapshot
from kg.store import GraphStore, SyncReport, open_store
from kgrisk import __version__
from kgrisk.free_cypher import Asked, ask
from kgrisk.result import Result
from kgrisk.settings import Settings
from kgrisk.unknown import unknown
from queries.catalog import Catalog

Instant = AsOf | date | datetime | str | None
_LOG = logging.getLogger(__name__)


class Opened:
    """A home folder that is open: a context manager. `Graph` adds what can be done with it."""

    def __init__(self, home: Path, settings: Settings) -> None:
        self.home = home
        self.settings = settings
        self.url = settings.url(home)
        self.format = opened(home, __version__)
        if self.format < FORMAT:
            _LOG.warning("%s has format %d, this version makes %d; %s", home, self.format, FORMAT, self._remedy)
        self.ledger = Ledger.open(settings.ledger or home / "ledger", beside=home / "ledger")
        self.files = Files(home / "files")
        self._store: GraphStore | None = None
        self._synced = -1
        self._catalog: Catalog | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store and the ledger."""
        if self._store is not None:
            self._store.close()
            self._store = None
        self.ledger.close()

    @property
    def store(self) -> GraphStore:
        """The graph store with everything committed so far; it is brought up to date on first use after a commit."""
        self.sync()
        assert self._store is not None
        return self._store

    def sync(self) -> SyncReport | None:
        """Bring the store up to the ledger's head; None if it was there already."""
        store, head = self._opened_store(), self.ledger.head
        if self._synced == head:
            return None
        report = store.sync(self.ledger)
        self._synced = head
        return report

    def _opened_store(self) -> GraphStore:
        if self._store is None:
            self._store = open_store(self.url, self.home)
            if self._store.format < self.format:
                _LOG.warning("the store has format %d, its home %d; %s", self._store.format, self.format, self._remedy)
        return self._store

    @property
    def _remedy(self) -> str:
        return f"it works as it is, and `kgrisk migrate --home {self.home}` brings it up to date"

    @property
    def synced(self) -> int:
        """The commit that the store was last seen at; 0 before it was first asked."""
        return max(0, self._synced)

    def rebuild(self) -> None:
        """Empty the store and fill it anew from the ledger; nothing of what it held stays."""
        self._opened_store().rebuild(self.ledger)
        self._synced = self.ledger.head

    @property
    def catalog(self) -> Catalog:
        """The named queries."""
        if self._catalog is None:
            self._catalog = Catalog()
        return self._catalog

    def query(self, name: str, /, at: Instant = None, **params: Any) -> Result:
        """Rows of a named query. `at` is an AsOf, or the valid time of the question.

        Where there are none because a parameter names a run, entity, scenario, pattern or measure that the ledger does
        not know, a remark says so.
        """
        table = self.catalog.run(self.store, name, params, instant(at), **self._caps())
        return Result(table, name, () if table.num_rows else unknown(self.ledger, params))

    def cypher(self, text: str, /, at: Instant = None, **params: Any) -> Result:
        """Rows of a read-only Cypher text, which sees the three clocks as $valid, $known and $published.

        What a text from outside may hold is told by `kg.free`. A remark says which relationships no clock binds.
        """
        return ask(self.store, Asked(text, params, **self._caps()), instant(at))

    def _caps(self) -> dict[str, Any]:
        """Rows and seconds that a query may take."""
        return {"limit": self.settings.row_limit, "timeout": self.settings.timeout}

    def snapshot(self, at: Instant = None) -> Snapshot:
        """The resolved graph at an instant, as Arrow tables; `.to_networkx()` makes a graph of it."""
        return self.ledger.view(instant(at))


def instant(at: Instant) -> AsOf:
    """An AsOf of what the caller gave: itself, a valid time, or nothing."""
    if isinstance(at, AsOf):
        return at
    return AsOf(valid=as_time(day(at))) if at else AsOf()


def day(moment: date | datetime | str) -> date | datetime:
    """The moment itself, or what its text says. KgRiskError if that is no date."""
    if not isinstance(moment, str):
        return moment
    try:
        return datetime.fromisoformat(moment) if len(moment) > 10 else date.fromisoformat(moment)
    except ValueError as error:
        raise KgRiskError(f"{moment!r} is no date; write 2024-09-28 or 2024-09-28T12:00:00+00:00") from error
