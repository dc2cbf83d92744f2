"""Paths: how two entities hang together, edge by edge."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

from fastapi import Query, Request, Response

from kgrisk.serve import answer
from kgrisk.serve.deadline import within
from kgrisk.serve.door import At, Routes, The, Who
from kgrisk.serve.finding import Walk
from kgrisk.serve.names import Types

router = Routes(tags=["paths"])
End = Annotated[str, Query(max_length=200, description="Id of an entity.")]
Hops = Annotated[int, Query(ge=1, le=6, description="Edges of a path at most.")]
Most = Annotated[int, Query(ge=1, le=100, description="Paths at most.")]


@router.on("GET", "/v1/paths", "read")
def paths(
    request: Request,
    the: The,
    who: Who,
    at: At,
    source: End,
    target: End,
    hops: Hops = 4,
    k: Most = 10,
    types: Types = (),
) -> Response:
    """Shortest paths between two entities, in either direction of each edge, with the amount every edge carries.

    Not through a sector, a country or a document that both are in, nor over edges that a model expects (`PREDICTED`),
    unless `types` names such an edge: the same default as that of the tool `path` for agents and of questions.
    """
    view = the.view(at, who)
    ends = the.row(view, source), the.row(view, target)
    walk = Walk(view, types)
    found = within(the.graph.settings.serve_seconds, lambda: list(islice(walk.between(*ends, hops), k)))
    shown = [[view.edge(view.edge_row(edge)) for edge in path] for path in found]
    nodes = {view.ends[end][edge] for path in found for edge in path for end in ("source", "target")}
    told = [view.entity(row) for row in sorted(nodes)]
    return answer.told(request, view, paths=shown, nodes=told, given_up=walk.left <= 0)
