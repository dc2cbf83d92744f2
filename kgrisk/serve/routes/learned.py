"""What models say: scores, expected links with their paths, and vectors."""

from __future__ import annotations

from bisect import bisect_right
from typing import Annotated

import pyarrow as pa
from fastapi import Path, Query, Request, Response

from kgrisk import published
from kgrisk.serve import answer
from kgrisk.serve.door import PAGE, At, Cursor, Limit, Routes, The, from_cursor, to_cursor
from kgrisk.serve.view import View

router = Routes(tags=["learned"])
Property = Annotated[str, Path(pattern="^[a-z_]+$", max_length=60, description="Score, such as distress.")]
Relation = Annotated[str, Query(pattern="^[A-Z_]*$", max_length=60, description="Edge type; empty: all.")]


@router.on("GET", "/v1/scores/{property}", "read")
def scores(
    request: Request, the: The, at: At, property: Property, cursor: Cursor = "", limit: Limit = PAGE
) -> Response:
    """Latest score of every entity that has one, highest first."""
    view = the.view(at)
    table = published.scores(view.snapshot, property)
    return _page(request, view, table, (property, "id"), cursor, limit)


@router.on("GET", "/v1/links", "read")
def links(
    request: Request, the: The, at: At, relation: Relation = "", cursor: Cursor = "", limit: Limit = PAGE
) -> Response:
    """Links a model expects and no source states, best first; their `edge` leads to evidence and the run."""
    view = the.view(at)
    table = published.links(view.snapshot, relation)
    return _page(request, view, table, ("score", "edge"), cursor, limit)


@router.on("GET", "/v1/embeddings", "read")
def embeddings(request: Request, the: The, at: At) -> Response:
    """The published vector of every entity, with run, model version and commits. Ask for Arrow: JSON is long."""
    view = the.view(at)
    with the.turn():
        table = the.graph.embeddings(view.snapshot.at).table
    return answer.rows(request, view, table)


def _page(request: Request, view: View, table: pa.Table, keys: tuple[str, str], cursor: str, limit: int) -> Response:
    """The rows after a cursor of a table that is sorted by a falling number, then by a rising id."""
    value, id = (table[name].to_pylist() for name in keys)
    order = [(-number, name) for number, name in zip(value, id, strict=True)]
    key = from_cursor(cursor, float, str)
    begin = bisect_right(order, (-key[0], key[1])) if key else 0
    end = begin + limit
    more = to_cursor(value[end - 1], id[end - 1]) if end < len(order) else None
    return answer.rows(request, view, table.slice(begin, limit), next_cursor=more)
