"""Paths: how two entities hang together, edge by edge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated

from fastapi import Query, Request, Response

from kgrisk.serve import answer
from kgrisk.serve.door import At, Routes, The
from kgrisk.serve.view import View

router = Routes(tags=["paths"])
LOOKED_AT = 200_000
"""Edges followed before a search is given up as too wide."""
End = Annotated[str, Query(max_length=200, description="Id of an entity.")]
Hops = Annotated[int, Query(ge=1, le=6, description="Edges of a path at most.")]
Most = Annotated[int, Query(ge=1, le=100, description="Paths at most.")]
Types = Annotated[tuple[str, ...], Query(description="Edge types to follow; none: all.")]


@router.on("GET", "/v1/paths", "read")
def paths(
    request: Request, the: The, at: At, source: End, target: End, hops: Hops = 4, k: Most = 10, types: Types = ()
) -> Response:
    """Shortest paths between two entities, in either direction of each edge, with the amount every edge carries."""
    view = the.view(at)
    ends = the.row(view, source), the.row(view, target)
    walk = Walk(view, types)
    found = list(islice(walk.between(*ends, hops), k))
    shown = [[view.edge(view.edge_row(edge)) for edge in path] for path in found]
    nodes = {view.ends[end][edge] for path in found for edge in path for end in ("source", "target")}
    told = [view.entity(row) for row in sorted(nodes)]
    return answer.told(request, view, paths=shown, nodes=told, given_up=walk.left <= 0)


class Walk:
    """A search in rings from one end, bounded by the edges it may look at."""

    def __init__(self, view: View, types: Sequence[str]) -> None:
        self.view, self.types, self.left = view, frozenset(types), LOOKED_AT

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
                if not self.types or self.view.types[edge] in self.types:
                    yield edge, self.view.ends[other][edge]
