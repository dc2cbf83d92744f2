"""Named queries: list them, get the form of one, run it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Request, Response

from kg.errors import CatalogError
from kg.store import truncated
from kgrisk.serve import answer
from kgrisk.serve.desk import Desk, UnknownError
from kgrisk.serve.door import At, Routes, The, Who
from kgrisk.unknown import unknown
from queries.catalog import NamedQuery
from queries.parameter import Parameter

router = Routes(tags=["queries"])
Given = Annotated[dict[str, Any] | None, Body(description="Parameters by name, as values or as text.")]


def form(query: NamedQuery) -> dict[str, Any]:
    """What a page needs to ask for the parameters of a query."""
    fields = []
    for name, item in query.inputs.items():
        kind, default = (item.type, item.default) if isinstance(item, Parameter) else ("time", None)
        fields.append({"name": name, "type": kind, "default": default, "about": item.doc})
    return {"name": query.name, "tells": query.tells, "parameters": fields, "examples": list(query.examples)}


@router.on("GET", "/v1/queries", "read")
def queries(the: The) -> dict[str, Any]:
    """All named queries with their parameters."""
    return {"queries": [form(query) for query in the.graph.catalog]}


@router.on("GET", "/v1/queries/{name}", "read")
def query(the: The, name: str) -> dict[str, Any]:
    """One named query: its parameters and its Cypher."""
    found = _named(the, name)
    return {**form(found), "cypher": found.text()}


def _named(the: Desk, name: str) -> NamedQuery:
    """The query of a name. UnknownError if there is none, with what is near."""
    try:
        return the.graph.catalog[name]
    except CatalogError as error:
        raise UnknownError(str(error)) from error


@router.on("POST", "/v1/queries/{name}", "read", responses=answer.TABLE)
def run(request: Request, the: The, who: Who, at: At, name: str, given: Given = None) -> Response:
    """Rows of a named query; where there are none, `remarks` say which parameter names what is not known."""
    view, _ = the.view(at, who), _named(the, name)
    with the.turn():
        graph, s = the.graph_of(who), the.graph.settings
        rows, seconds = min(s.serve_rows, s.row_limit), min(s.serve_seconds, s.timeout)
        table = graph.catalog.run(graph.store, name, given, view.snapshot.at, limit=rows, timeout=seconds)
        tells = not table.num_rows and answer.form_of(request) == "json"  # remarks hold what was given: no header does
        more = {"remarks": list(unknown(graph.ledger, given or {}))} if tells else {}
    if not truncated(table):
        return answer.rows(request, view, table, truncated=False, **more)
    cap = f"these are the first {rows:,} rows; narrow the question, or raise serve_rows and row_limit of the server"
    return answer.rows(request, view, table, truncated=True, cap=cap)
