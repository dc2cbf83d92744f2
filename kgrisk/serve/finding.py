"""Finding: entities by their name, those around one, and the paths between two, in a view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from rapidfuzz import fuzz, process

from kgrisk.serve.view import View

TELLING: Final = (
    *("OWNS", "SUBSIDIARY_OF", "LENDS_TO", "EXPOSED_TO", "SUPPLIES", "OFFICER_OF", "HOLDS", "ISSUED", "PAID"),
    *("HAS_ACCOUNT", "COMPETES_WITH", "OBLIGED_TO", "ASSOCIATED_WITH", "SHARES_IDENTIFIER", "USES", "AFFECTED_BY"),
)
"""Relations that tie two entities; a sector, a country or a document that both are in does not, nor what a model
expects; paths follow these unless they are told which."""
LIKE: Final = 60.0
"""Likeness of names, of 100, below which a hit is none."""
LOOKED_AT: Final = 200_000
"""Edges followed before a search is given up as too wide."""
ROWS: Final = pa.schema([*((name, pa.string()) for name in ("id", "label", "name")), ("score", pa.float64())])


def named(view: View, words: str, label: str, k: int) -> pa.Table:
    """Entities whose name or id is most like the words: equal first, then those that begin so, then by likeness."""
    s, sought = view.snapshot, words.casefold().strip()
    rows = {row: text for row, text in enumerate(view.folded) if not label or s.labels[row] == label}
    hits: dict[int, float] = {}
    if (row := s.index.get(words.strip())) in rows:
        hits[row] = 1.0
    for _, likeness, row in process.extract(sought, rows, scorer=fuzz.WRatio, limit=k * 4, score_cutoff=LIKE):
        begins = rows[row].startswith(sought)
        hits.setdefault(row, 1.0 if rows[row] == sought else (90 + likeness / 11 if begins else likeness * 0.9) / 100)
    best = sorted(hits.items(), key=lambda hit: (-hit[1], len(rows[hit[0]]), s.ids[hit[0]]))[:k]
    return pa.Table.from_pylist([{**view.entity(row), "score": score} for row, score in best], ROWS)


def around(view: View, row: int, types: Sequence[str]) -> list[dict[str, Any]]:
    """Edges at a node, of these types or of all."""
    places = np.unique(np.concatenate([view.edges(row, end) for end in ("source", "target")]))
    return [view.edge(edge) for edge in view.edge_rows(places) if not types or edge["type"] in types]


class Walk:
    """A search in rings from one end, bounded by the edges it may look at."""

    def __init__(self, view: View, types: Sequence[str]) -> None:
        self.view, self.types, self.left = view, frozenset(types or TELLING), LOOKED_AT

    def between(self, source: int, target: int, hops: int) -> Iterator[list[int]]:
        """Simple paths as rows of edges, shortest first; what cannot reach the target in time is not followed."""
        far = self.distances(target, hops)
        if source == target or source not in far:
            return
        ring: list[tuple[list[int], list[int]]] = [([source], [])]
        for done in range(hops):
            wider = []
            for nodes, edges in ring:
                for edge, other in self.steps(nodes[-1]):
                    if other in nodes or far.get(other, hops) > hops - done - 1:
                        continue
                    if other == target:
                        yield [*edges, edge]
                    else:
                        wider.append(([*nodes, other], [*edges, edge]))
            ring = wider

    def distances(self, target: int, hops: int) -> dict[int, int]:
        """Edges from each node near the target to it."""
        far, ring = {target: 0}, [target]
        for step in range(1, hops + 1):
            ring = sorted({other for node in ring for _, other in self.steps(node)} - far.keys())
            far |= dict.fromkeys(ring, step)
        return far

    def steps(self, node: int) -> Iterator[tuple[int, int]]:
        """Edges at a node and who stands at their other end; none any more once the search is too wide."""
        for end, other in (("source", "target"), ("target", "source")):
            for edge in self.view.edges(node, end).tolist():
                self.left -= 1
                if self.left <= 0:
                    return
                if self.view.types[edge] in self.types:
                    yield edge, self.view.ends[other][edge]
