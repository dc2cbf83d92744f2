"""What models say: scores, expected links with their paths, and vectors."""

from __future__ import annotations

from bisect import bisect_right
from typing import Annotated

import pyarrow as pa
from fastapi import Path, Query, Request, Response

from kg.errors import KgRiskError
from kg.model import AsOf
from kgrisk import published
from kgrisk.serve import answer
from kgrisk.serve.desk import Desk, NotYetError, UnknownError
from kgrisk.serve.door import PAGE, At, Cursor, Limit, Routes, The, Who, from_cursor, to_cursor
from kgrisk.serve.keys import Holder
from kgrisk.serve.names import Property, Relation
from kgrisk.serve.view import View

router = Routes(tags=["learned"])
Edge = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of the edge, as /v1/links tells it.")]
Entity = Annotated[str, Path(max_length=500, description="Id of an entity.")]
Marked = Annotated[bool, Query(description="Also the marked places; takes longer.")]


@router.on("GET", "/v1/scores/{property}", "read", responses=answer.TABLE)
def scores(
    request: Request, the: The, who: Who, at: At, property: Property, cursor: Cursor = "", limit: Limit = PAGE
) -> Response:
    """Latest score of every entity that has one, highest first; its `statement` leads to evidence and the run."""
    view = the.view(at, who)
    return _page(request, view, view.ranking(property), (property, "id"), cursor, limit)


@router.on("GET", "/v1/links", "read", responses=answer.TABLE)
def links(
    request: Request, the: The, who: Who, at: At, relation: Relation = "", cursor: Cursor = "", limit: Limit = PAGE
) -> Response:
    """Links a model expects and no source states, best first; their `edge` leads to evidence and the run."""
    view = the.view(at, who)
    table = published.links(view.snapshot, relation)
    return _page(request, view, table, ("score", "edge"), cursor, limit)


@router.on("GET", "/v1/embeddings", "read", responses=answer.TABLE)
def embeddings(request: Request, the: The, who: Who, at: At) -> Response:
    """The published vector of every entity, with run, model version and commits. Ask for Arrow: JSON is long."""
    view = the.view(at, who)
    with the.turn():
        table = the.graph_of(who).embeddings(view.snapshot.at).table
    return answer.rows(request, view, table)


@router.on("GET", "/v1/links/{id}/why", "read")
def why_link(request: Request, the: The, who: Who, at: At, id: Edge) -> Response:
    """What made a model expect a link: shares of the log odds that add up, paths, figures, each with its place."""
    return _why(request, the, who, at, id, "PREDICTED")


@router.on("GET", "/v1/scores/{property}/{id}/why", "read")
def why_score(
    request: Request, the: The, who: Who, at: At, property: Property, id: Entity, saliency: Marked = False
) -> Response:
    """What made a model give a score, likewise; with `saliency` also words, boxes, seconds and days it rests on."""
    return _why(request, the, who, at, f"{property}:{id}", property, saliency)


def _why(request: Request, the: Desk, who: Holder, at: AsOf, what: str, kind: str, saliency: bool = False) -> Response:
    """The story of a model's claim. Models have learned from everything, so it is told to who sees everything."""
    the.whole(who)
    view = the.view(at, who)
    moment = view.snapshot.at
    with the.turn():
        try:
            found = the.graph.explain(what, moment)
        except KgRiskError as error:
            raise UnknownError(str(error)) from error
        if kind not in (found.what.get("type"), found.what.get("property")):
            raise UnknownError(f"{what!r} is no {kind}; take links from /v1/links and scores from /v1/scores")
        try:
            told = the.graph.why(what, moment, saliency=saliency)
        except KgRiskError as error:
            raise NotYetError(str(error)) from error
    if not told:
        raise NotYetError(f"{what!r} was given by no model that tells why; see its evidence at /v1/evidence/{what}")
    return answer.told(request, view, what=found.what, run=found.run, why=told)


def _page(request: Request, view: View, table: pa.Table, keys: tuple[str, str], cursor: str, limit: int) -> Response:
    """The rows after a cursor of a table that is sorted by a falling number, then by a rising id."""
    value, id = (table[name] for name in keys)

    def place(row: int) -> tuple[float, str]:
        return -value[row].as_py(), id[row].as_py()

    key = from_cursor(cursor, float, str)
    begin = bisect_right(range(len(table)), (-key[0], key[1]), key=place) if key else 0
    end = begin + limit
    more = to_cursor(value[end - 1].as_py(), id[end - 1].as_py()) if end < len(table) else None
    return answer.rows(request, view, table.slice(begin, limit), next_cursor=more)
