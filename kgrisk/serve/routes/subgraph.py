"""Subgraph: many entities at once with the edges between them, laid out; as tables to take away; and as Cypher."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fastapi import Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from kgrisk.copied import neighbourhood, written
from kgrisk.layout import layout
from kgrisk.result import plain
from kgrisk.serve import answer
from kgrisk.serve.door import At, Routes, The, Who
from kgrisk.serve.names import By, ScoreInBody
from kgrisk.serve.view import View

router = Routes(tags=["graph"])
MOST_NODES, MOST_EDGES = 5_000, 20_000
"""What a canvas draws in a few seconds; more is no picture that anybody reads."""
Nodes = Annotated[int, Query(ge=1, le=MOST_NODES, description="Entities at most.")]
Edges = Annotated[int, Query(ge=0, le=MOST_EDGES, description="Edges at most.")]
Part = Annotated[Literal["nodes", "edges"], Path(description="Which table.")]
Name = Annotated[str, Path(max_length=100, description="Name of a query.")]
Given = Annotated[dict[str, Any] | None, Body(description="Parameters by name, as values or as text.")]


class Shown(BaseModel):
    """Entities that are shown."""

    model_config = ConfigDict(extra="forbid")
    ids: list[Annotated[str, Field(max_length=300)]] = Field(max_length=MOST_NODES)
    by: ScoreInBody = Field("distress", description="Score told of each.")


Asked = Annotated[Shown, Body()]


@router.on("GET", "/v1/subgraph", "read")
def subgraph(
    request: Request,
    the: The,
    who: Who,
    at: At,
    by: By = "distress",
    limit: Nodes = MOST_NODES,
    edges: Edges = MOST_EDGES,
) -> Response:
    """The entities of the highest score, then of the most edges, with the edges between them and their places."""
    view = the.view(at, who)
    s, score = view.snapshot, view.score(by)
    ends = [s.edges[end].to_numpy() for end in ("source", "target")]
    degree = np.bincount(np.concatenate(ends), minlength=len(s))
    order = sorted(range(len(s)), key=lambda row: (-score.get(row, -1.0), -int(degree[row]), row))[:limit]
    place = np.full(len(s), -1)
    place[order] = np.arange(len(order))
    inside = np.flatnonzero((place[ends[0]] >= 0) & (place[ends[1]] >= 0))[:edges]
    at_plane = layout(len(order), place[ends[0][inside]], place[ends[1][inside]])
    nodes = [
        {**view.entity(row), by: score.get(row), "x": round(float(x), 4), "y": round(float(y), 4)}
        for row, (x, y) in zip(order, at_plane, strict=True)
    ]
    shown = _light(view, inside)
    return answer.told(request, view, nodes=nodes, edges=shown, more=len(s) - len(order))


def _light(view: View, places: np.ndarray) -> list[dict[str, Any]]:
    """Edges with no more than a canvas needs."""
    s = view.snapshot
    table = s.edges.select(["id", "type", "source", "target", "statement"]).take(pa.array(places))
    return [{**row, "source": s.ids[row["source"]], "target": s.ids[row["target"]]} for row in table.to_pylist()]


@router.on("POST", "/v1/subgraph/{part}", "read")
def part(request: Request, the: The, who: Who, at: At, part: Part, asked: Asked) -> Response:
    """The entities, or the edges between them, as a table: JSON, CSV, NDJSON, Arrow or Parquet."""
    view = the.view(at, who)
    s = view.snapshot
    rows = sorted({s.index[id] for id in asked.ids if id in s.index})
    if part == "nodes":
        score = view.score(asked.by)
        made = [{**view.entity(row), "edges": view.degree(row), asked.by: score.get(row)} for row in rows]
        return answer.rows(request, view, pa.Table.from_pylist(made, _nodes(asked.by)))
    own = pa.array(rows, pa.int32())
    both = pc.and_(pc.is_in(s.edges["source"], own), pc.is_in(s.edges["target"], own))
    edges = s.edges.filter(both).slice(0, MOST_EDGES).to_pylist()
    return answer.rows(request, view, pa.Table.from_pylist([_told(view, row) for row in edges], EDGES))


_TEXTS = ("id", "type", "source", "source_name", "target", "target_name", "key", "value", "unit")
EDGES = pa.schema(
    [(name, pa.string()) for name in (*_TEXTS, "valid_from", "valid_to", "published", "known_from")]
    + [("confidence", pa.float64()), ("statement", pa.string())]
)


def _nodes(by: str) -> pa.Schema:
    texts = [(name, pa.string()) for name in ("id", "label", "name")]
    return pa.schema([*texts, ("edges", pa.int64()), (by, pa.float64())])


def _told(view: View, row: dict[str, Any]) -> dict[str, Any]:
    s = view.snapshot
    names = {f"{end}_name": s.names[row[end]] for end in ("source", "target")}
    told: dict[str, Any] = plain({**view.edge(row), **names})
    value = told["value"]
    return {**told, "value": None if value is None else str(value)}


@router.on("GET", "/v1/entities/{id}/cypher", "read")
def around(the: The, who: Who, at: At, id: str) -> dict[str, str]:
    """The neighbourhood of an entity at these clocks as a Cypher text that runs as it stands."""
    view = the.view(at, who)
    the.row(view, id)
    return {"cypher": neighbourhood(id, view.snapshot.at)}


@router.on("POST", "/v1/queries/{name}/cypher", "read")
def query(the: The, who: Who, at: At, name: Name, given: Given = None) -> dict[str, str]:
    """A named query with these parameters and clocks as a Cypher text that runs as it stands."""
    view = the.view(at, who)
    return {"cypher": written(the.graph.catalog[name], given or {}, view.snapshot.at)}
