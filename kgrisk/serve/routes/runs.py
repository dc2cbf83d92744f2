"""Runs of risk that were published: list them, and read one with its losses, paths and figures."""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
from fastapi import Path, Query, Request, Response

from kg.model import AsOf
from kgrisk.result import dicts
from kgrisk.serve import answer
from kgrisk.serve.desk import Desk, UnknownError
from kgrisk.serve.door import PAGE, At, Cursor, Limit, Routes, The, Who, from_cursor, to_cursor
from kgrisk.serve.keys import Holder
from queries.recorded import SHORT

router = Routes(tags=["risk"])
MOST = 1000
"""Runs that are looked through, and losses of one that are told."""
Id = Annotated[str, Path(pattern="^([0-9a-f]{12}|[0-9a-f]{64})$", description="Its first 12 digits, or all of them.")]
Name = Annotated[str, Query(max_length=60, description="Only of this measure, figure or index; empty: of all.")]
Top = Annotated[int, Query(ge=1, le=MOST, description="Losses, paths and figures told at most.")]


@router.on("GET", "/v1/risk/runs", "read", responses=answer.TABLE)
def runs(
    request: Request, the: The, who: Who, at: At, name: Name = "", cursor: Cursor = "", limit: Limit = PAGE
) -> Response:
    """Published runs, the last one first: what was computed, of which commit, asked what, and the loss in all."""
    view = the.view(at, who)
    table, key = _rows(the, who, "risk_runs", view.snapshot.at, name=name, top=MOST), from_cursor(cursor, str)
    marks = [f"{row['run']} {row['kind']} {row['scenario']}" for row in dicts(table)]
    begin = marks.index(key[0]) + 1 if key and key[0] in marks else 0
    end = begin + limit
    more = to_cursor(marks[end - 1]) if end < len(marks) else None
    return answer.rows(request, view, table.slice(begin, limit), next_cursor=more)


@router.on("GET", "/v1/risk/runs/{id}", "read")
def run(request: Request, the: The, who: Who, at: At, id: Id, top: Top = 100) -> Response:
    """One run: who loses what and by which paths, each with the statement that leads to its evidence."""
    view = the.view(at, who)
    moment, short = view.snapshot.at, id[:SHORT]
    listed = _rows(the, who, "risk_runs", moment, top=MOST)
    own = listed.filter(pc.equal(listed["run"], short)) if len(listed) else listed
    if not len(own):
        raise UnknownError(f"no run {id!r} was published at this instant; see /v1/risk/runs")
    names = {"losses": "losses_of_run", "paths": "attribution_of_run", "figures": "figures_of_run"}
    told = {kind: dicts(_rows(the, who, query, moment, run=short, top=top)) for kind, query in names.items()}
    return answer.told(request, view, run=short, asked=dicts(own), **told)


def _rows(the: Desk, who: Holder, query: str, at: AsOf, **given: object) -> pa.Table:
    """Rows of a named query."""
    with the.turn():
        graph = the.graph_of(who)
        seconds = min(graph.settings.serve_seconds, graph.settings.timeout)
        return graph.catalog.run(graph.store, query, given, at, limit=MOST, timeout=seconds)
