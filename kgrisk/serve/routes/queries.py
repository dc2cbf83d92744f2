"""Named queries: list them, get the form of one, run it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Request, Response

from kg.store import truncated
from kgrisk.serve import answer
from kgrisk.serve.door import At, Routes, The
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
    found = the.graph.catalog[name]
    return {**form(found), "cypher": found.text()}


@router.on("POST", "/v1/queries/{name}", "read")
def run(request: Request, the: The, at: At, name: str, given: Given = None) -> Response:
    """Rows of a named query."""
    view = the.view(at)
    with the.turn():
        table = the.graph.query(name, view.snapshot.at, **(given or {})).table
    return answer.rows(request, view, table, truncated=truncated(table))
