"""Scene: what a question of a known kind is asked of, with the reading of edges that its answers share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from kgrisk.opened import Opened
from kgrisk.questions.cited import Cited, joined
from kgrisk.questions.clock_words import Times
from kgrisk.questions.saying import days, name, number, of_edge
from kgrisk.questions.wanted import one
from kgrisk.serve.view import View

CLAIMS: Final = ("LENDS_TO", "EXPOSED_TO")
MOST: Final = 10
"""Sentences of an answer at most."""
Edge = dict[str, Any]
Finder = Callable[["Scene"], list[Cited]]


@dataclass(frozen=True)
class Scene:
    """A view, who is asked about, and when."""

    graph: Opened
    view: View
    times: Times
    text: str
    """The question, entities as E1, E2."""
    a: int = -1
    b: int = -1
    figure: str = ""

    def edges(self, row: int, end: str, *types: str) -> list[Edge]:
        """Edges of these types that have a node at this end, by amount or share, largest first."""
        found = [self.view.edge_row(place) for place in self.view.edges(row, end).tolist()]
        return sorted((edge for edge in found if edge["type"] in types), key=_order)

    def between(self, source: int, target: int, *types: str) -> list[Edge]:
        """Edges of these types from one node to another."""
        return [edge for edge in self.edges(source, "source", *types) if edge["target"] == target]

    def said(self, edges: Iterable[Edge]) -> list[Cited]:
        return [of_edge(self.view, edge) for edge in edges]

    def within(self, moment: datetime | date) -> bool:
        """True for a time in the days spoken of, or if none were."""
        day = moment.date() if isinstance(moment, datetime) else moment
        since, until = self.times.since, self.times.until
        return (since is None or day >= since) and (until is None or day < until)

    def claims(self, edges: Iterable[Edge], by: str) -> list[Cited]:
        """One sentence per entity at an end of claims, who has most in all first; sums order, and are not written."""
        groups: dict[int, list[Edge]] = defaultdict(list)
        for edge in edges:
            groups[edge[by]].append(edge)
        whole = {row: sum((e["value_decimal"] or Decimal(0) for e in own), Decimal(0)) for row, own in groups.items()}
        order = sorted(groups, key=lambda row: (-whole[row], self.view.snapshot.ids[row]))
        units = {edge["unit"] for own in groups.values() for edge in own}
        if one(self.text) and len(units) == 1:  # amounts in two currencies have no largest one
            order = [row for row in order if whole[row] == whole[order[0]]]
        return [self._claims_of(groups[row]) for row in order]

    def _claims_of(self, edges: list[Edge]) -> Cited:
        if len(edges) == 1:
            return of_edge(self.view, edges[0])
        first, parts = edges[0], []
        for edge in edges:
            worth = (
                f"{number(edge['value_decimal'])} {edge['unit']}" if edge["value_decimal"] is not None else "a claim"
            )
            parts.append(f"{worth} ({edge['key'] or edge['type']}{days(edge)})")
        source, target = (name(self.view, first[end]) for end in ("source", "target"))
        return joined([of_edge(self.view, e) for e in edges], f"{source} has claims on {target}: {', '.join(parts)}.")


def _order(edge: Edge) -> tuple[Decimal, float, str]:
    return -(edge["value_decimal"] or Decimal(0)), -(edge["value_real"] or 0.0), edge["id"]
