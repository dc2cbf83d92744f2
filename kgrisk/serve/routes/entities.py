"""Entities: list them, look at one, and go from one to those around it."""

from __future__ import annotations

from bisect import bisect_right

import pyarrow as pa
from fastapi import Request, Response

from kgrisk.result import dicts
from kgrisk.serve import answer
from kgrisk.serve.door import PAGE, At, Cursor, Limit, Routes, The, Who, from_cursor, to_cursor
from kgrisk.serve.finding import around
from kgrisk.serve.names import By, Label, Types
from kgrisk.serve.view import stated

router = Routes(tags=["entities"])
ROWS = pa.schema([(name, pa.string()) for name in ("id", "label", "name")])


@router.on("GET", "/v1/entities", "read", responses=answer.TABLE)
def entities(
    request: Request, the: The, who: Who, at: At, label: Label = "", cursor: Cursor = "", limit: Limit = PAGE
) -> Response:
    """Entities in the order of their ids."""
    view = the.view(at, who)
    s, key = view.snapshot, from_cursor(cursor, str)
    begin = bisect_right(s.ids, key[0]) if key else 0
    found = []
    for row in range(begin, len(s)):
        if not label or s.labels[row] == label:
            found.append(row)
        if len(found) > limit:
            break
    more = to_cursor(s.ids[found[limit - 1]]) if len(found) > limit else None
    table = pa.Table.from_pylist([view.entity(row) for row in found[:limit]], ROWS)
    return answer.rows(request, view, table, next_cursor=more)


@router.on("GET", "/v1/entities/{id}", "read")
def entity(request: Request, the: The, who: Who, at: At, id: str) -> Response:
    """One entity: names, facts and scores, each with the statement that leads to its evidence."""
    view = the.view(at, who)
    row = the.row(view, id)
    facts = [{"property": f["property"], "key": f["key"], **stated(f)} for f in dicts(view.facts(row))]
    return answer.told(request, view, **view.entity(row), degree=view.degree(row), facts=facts)


@router.on("GET", "/v1/entities/{id}/neighbours", "read")
def neighbours(
    request: Request, the: The, who: Who, at: At, id: str, types: Types = (), by: By = "distress", limit: Limit = PAGE
) -> Response:
    """Those an entity has edges with, the riskiest first, at most `limit`, and how many more there are."""
    view = the.view(at, who)
    row = the.row(view, id)
    edges = around(view, row, types)
    score, s = view.score(by), view.snapshot
    others = {end for edge in edges for end in (edge["source"], edge["target"])} - {id}
    places = sorted((-score.get(s.index[other], -1.0), other) for other in others)
    kept = {other for _, other in places[:limit]} | {id}
    shown = [edge for edge in edges if edge["source"] in kept and edge["target"] in kept]
    nodes = [{**view.entity(s.index[other]), by: score.get(s.index[other])} for _, other in places[:limit]]
    centre = {**view.entity(row), by: score.get(row)}
    return answer.told(request, view, centre=centre, nodes=nodes, edges=shown, more=max(0, len(places) - limit))
