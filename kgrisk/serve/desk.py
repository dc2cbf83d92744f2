"""Desk: the one open graph behind all doors of a server, asked by many threads at once."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import AbstractContextManager
from threading import RLock

from kg.errors import KgRiskError
from kg.model import AsOf
from kgrisk.api import Graph
from kgrisk.serve.view import View

VIEWS = 8
"""Instants kept in memory; the one asked for least lately goes first."""


class UnknownError(KgRiskError):
    """What was asked for by id is not there at this instant."""


class Desk:
    """A graph, a lock around what is not safe to share, and the views asked for last."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._turn = RLock()
        self._views: OrderedDict[tuple[int, AsOf], View] = OrderedDict()

    def turn(self) -> AbstractContextManager[object]:
        """Held while ledger or store are asked: neither is shared by threads."""
        return self._turn

    def view(self, at: AsOf = AsOf()) -> View:
        """The graph at an instant; the same one again is in memory."""
        with self._turn:
            key = self.graph.ledger.instant(at)
            if key not in self._views:
                self._views[key] = View(self.graph.snapshot(key[1]))
            self._views.move_to_end(key)
            while len(self._views) > VIEWS:
                self._views.popitem(last=False)
            return self._views[key]

    def row(self, view: View, id: str) -> int:
        """Row of an entity. UnknownError names the instant at which it is not there."""
        row = view.snapshot.index.get(id)
        if row is None:
            at = view.clocks
            raise UnknownError(
                f"no entity {id!r} at valid {at['valid']}, known {at['known']}; search for it at /v1/search?q=, or "
                "move the clocks"
            )
        return row
