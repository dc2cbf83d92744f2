"""Part: the graph as somebody sees it to whom some labels and sources are hidden."""

from __future__ import annotations

import json
from hashlib import sha256

from kg.files import write_whole
from kg.partial import PartialFiles, PartialLedger
from kg.store import SyncReport, open_store
from kgrisk.api import Graph
from kgrisk.settings import embedded

Hidden = tuple[tuple[str, ...], tuple[str, ...]]
"""Labels and sources that are hidden, in order."""


class PartialGraph(Graph):
    """A graph over a partial ledger and an embedded store of its own, which never held what is hidden."""

    ledger: PartialLedger
    files: PartialFiles

    def __init__(self, whole: Graph, hidden: Hidden) -> None:
        self.home, self.settings = whole.home, whole.settings
        self.ledger = PartialLedger(whole.ledger, *hidden)
        self.files = PartialFiles(whole.files, self.ledger)
        name = sha256(json.dumps(hidden).encode()).hexdigest()[:16]
        self.folder = whole.home.resolve() / "cache" / f"access-{name}"
        self.url = embedded(self.folder / "store")
        self._store, self._synced, self._catalog = None, -1, whole.catalog

    def sync(self) -> SyncReport | None:
        """Bring the store up to the ledger's head.

        A commit may hide more of the past than it was before (a name that becomes known stands in older texts) or less.
        The store is then built anew.
        """
        if self._store is None:
            self._store = open_store(self.url, self.home)
        head = self.ledger.head
        if self._synced == head:
            return None
        mark, note = self._store.mark, self.folder / "past.json"
        past = json.loads(note.read_text()) if note.exists() else {}
        same = mark is None or past == {"commit": mark.commit, "mark": self.ledger.mark(mark.commit)}
        report = self._store.sync(self.ledger) if same else self._store.rebuild(self.ledger)
        write_whole(note, json.dumps({"commit": head, "mark": self.ledger.mark(head)}).encode(), alone=True)
        self._synced = head
        return report
