"""Desk: the one open graph behind all doors of a server, asked by many threads at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock, RLock

from kg.errors import KgRiskError
from kg.model import AsOf
from kg.partial import PartialFiles
from kgrisk.api import Graph
from kgrisk.published import runs
from kgrisk.serve.keys import Holder
from kgrisk.serve.part import Hidden, PartialGraph
from kgrisk.serve.view import View

VIEWS = 8
"""Instants kept in memory; the one asked for least lately goes first."""
ASKED = 256
"""Questions of which it is remembered on which view they fall."""
PARTS = 8
"""Ways of hiding whose graphs are open; the one asked for least lately is closed first."""
NOTHING: Hidden = ((), ())
Question = tuple[int, Hidden, AsOf]


class UnknownError(KgRiskError):
    """What was asked for by id is not there at this instant."""


class ForbiddenError(KgRiskError):
    """What was asked for cannot be told to somebody who sees a part of the graph."""


class NotYetError(KgRiskError):
    """What an answer rests on is not there: nothing was trained, indexed or kept."""


class BusyError(KgRiskError):
    """Others are being answered and have been for longer than a question may take."""


class Desk:
    """A graph, a lock around what is not safe to share, and the views asked for last."""

    def __init__(self, graph: Graph, patience: float = 30.0, search: str = "at /v1/search?q=") -> None:
        self.graph, self.patience, self.search = graph, patience, search
        self._turn = RLock()
        self._views: OrderedDict[Question, View] = OrderedDict()
        self._parts: OrderedDict[Hidden, PartialGraph] = OrderedDict()
        self._asked: OrderedDict[Question, Question] = OrderedDict()
        self._short = Lock()  # around the two above; never held while anything is computed
        self.hits = self.misses = 0

    def turn(self) -> AbstractContextManager[object]:
        """Held while ledger or store are asked: neither is shared by threads. BusyError after a long wait."""
        return self._held()

    @contextmanager
    def _held(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=self.patience):
            raise BusyError(f"other questions have been worked on for {self.patience:g} s; ask again in a moment")
        try:
            yield
        finally:
            self._turn.release()

    def close(self) -> None:
        """Let go of the graphs of those who see a part; the whole graph stays open."""
        with self._turn:
            while self._parts:
                self._parts.popitem()[1].close()

    def graph_of(self, who: Holder | None = None) -> Graph:
        """The graph as somebody sees it; to be asked within `turn()`."""
        hidden = who.hidden if who else NOTHING
        if hidden == NOTHING:
            return self.graph
        with self.turn():
            if hidden not in self._parts:
                self._parts[hidden] = PartialGraph(self.graph, hidden)
            self._parts.move_to_end(hidden)
            while len(self._parts) > PARTS:
                self._parts.popitem(last=False)[1].close()
            return self._parts[hidden]

    def view(self, at: AsOf = AsOf(), who: Holder | None = None) -> View:
        """What somebody sees of the graph at an instant; the same one again is in memory, and needs no turn."""
        hidden = who.hidden if who else NOTHING
        version = self.graph.ledger.version
        known = self._known((version, hidden, at))
        if known is not None and not self.graph.ledger.place.newer(version):  # nobody has written since
            return known
        with self.turn():
            return self._viewed(at, who, hidden)

    def _known(self, asked: Question) -> View | None:
        """The view that a question fell on before, if it is still in memory."""
        with self._short:
            key = self._asked.get(asked)
            view = self._views.get(key) if key else None
            if key and view:
                self._views.move_to_end(key)
                self.hits += 1
            return view

    def _viewed(self, at: AsOf, who: Holder | None, hidden: Hidden) -> View:
        graph = self.graph_of(who)
        _ = self.graph.ledger.head  # reads what was written since
        version = self.graph.ledger.version
        key = version, hidden, graph.ledger.instant(at)[1]
        with self._short:
            view = self._views.get(key)
        if view is None:
            snapshot = graph.snapshot(key[2])
            view = View(snapshot, runs(graph.ledger, snapshot))
            self.misses += 1
        else:
            self.hits += 1
        with self._short:
            self._views[key], self._asked[version, hidden, at] = view, key
            self._views.move_to_end(key)
            for kept, most in ((self._views, VIEWS), (self._asked, ASKED)):
                while len(kept) > most:
                    kept.popitem(last=False)
        return view

    def document(self, who: Holder, digest: str) -> None:
        """UnknownError, the same as of none at all, unless something that somebody may see stands in a document."""
        if who.hidden == NOTHING:
            return
        with self.turn():
            files = self.graph_of(who).files
            if isinstance(files, PartialFiles) and not files.told_of(digest):
                raise UnknownError(f"no document {digest}; take digests from the evidence of a statement")

    def whole(self, who: Holder) -> None:
        """ForbiddenError unless somebody sees everything."""
        if who.hidden != NOTHING:
            raise ForbiddenError(
                f"{who.name} sees a part of the graph, and this is told of the whole alone; ask for a key without "
                "--hide-label and --hide-source"
            )

    def row(self, view: View, id: str) -> int:
        """Row of an entity. UnknownError names the instant at which it is not there."""
        row = view.snapshot.index.get(id)
        if row is None:
            at = view.clocks
            raise UnknownError(
                f"no entity {id!r} at valid {at['valid']}, known {at['known']}; search for it {self.search}, or move "
                "the clocks"
            )
        return row
