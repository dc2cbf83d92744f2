"""Risk: measures, shocks, scenarios and what they cost whom, with the paths the losses took."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from kg import plugins
from kg.meter import Meter
from kg.model import AsOf
from kgrisk.api import Graph
from kgrisk.risk import Risk
from kgrisk.serve import answer
from kgrisk.serve.deadline import within
from kgrisk.serve.desk import UnknownError
from kgrisk.serve.door import At, Routes, The, Who
from kgrisk.serve.names import InBody
from queries.whatif import Scenario, library

router = Routes(tags=["risk"])
TOP = 100


class Asked(BaseModel):
    """A question of risk."""

    model_config = ConfigDict(extra="forbid", strict=True)
    measure: str = Field("debtrank", max_length=60, description="See /v1/measures.")
    shock: str | dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        "score:distress", description="An id that fails, fractions by id, or `score:distress`."
    )
    scenario: str = Field("", max_length=100, description="A scenario of /v1/scenarios, in place of a shock.")
    params: dict[str, Any] = Field({}, description="Parameters of the measure by name.")
    include_predicted: float | None = Field(None, ge=0, le=1, description="Least probability of predicted loans.")
    draws: int | None = Field(None, ge=1, le=10_000, description="Worlds over which each loss gets a range.")
    label: InBody = Field("", description="Kind of entity shown, such as Bank.")
    top: int = Field(TOP, ge=1, le=1000, description="Losers shown; the total is of all.")


@router.on("GET", "/v1/measures", "read")
def measures() -> dict[str, Any]:
    """Risk measures, and what each is."""
    return {"measures": plugins.summaries("queries.measures")}


@router.on("GET", "/v1/scenarios", "read")
def scenarios() -> dict[str, Any]:
    """Scenarios of the library."""
    shown = ("name", "date", "narrative", "source")
    return {"scenarios": [{name: getattr(own, name) for name in shown} for own in library().values()]}


@router.on("POST", "/v1/risk", "assess")
def risk(request: Request, the: The, who: Who, at: At, asked: Annotated[Asked, Body()]) -> Response:
    """Losses after a shock or scenario, largest first, the exposures that carry them, and the heaviest path.

    `stages` tells what each step took, and the most memory that the server held meanwhile. Nothing is written.
    """
    view = the.view(at, who)
    with the.turn():
        graph = the.graph_of(who)
        found = within(graph.settings.serve_seconds, lambda: ask(graph, asked, view.snapshot.at))
    meter = Meter(list(found.stages))
    with meter.stage("tables"):
        content = told(found, asked)
    return answer.told(request, view, **content, stages=meter.rows())


def ask(graph: Graph, asked: Asked, at: AsOf) -> Risk:
    """The answer. Of scenarios only those of the library are asked: a name from outside is never a path."""
    more: dict[str, Any] = {"params": asked.params or None, "draws": asked.draws}
    if asked.include_predicted is not None:
        more["include_predicted"] = asked.include_predicted
    if asked.scenario:
        return graph.suppose(_scenario(asked.scenario), at).risk(asked.measure, **more)
    return graph.risk(asked.measure, asked.shock, at=at, **more)


def told(found: Risk, asked: Asked) -> dict[str, Any]:
    table, edges = found.table(asked.label).table, found.edges().table
    return {
        "measure": found.losses.measure,
        "unit": found.unit,
        "total": found.total,
        "range": found.range or None,
        "losses": table.slice(0, asked.top).to_pylist(),
        "losers": table.num_rows,
        "edges": edges.slice(0, asked.top).to_pylist(),
        "remarks": list(found.losses.notes),
    }


def _scenario(name: str) -> Scenario:
    known = library()
    if name not in known:
        raise UnknownError(f"no scenario {name!r}; known: {', '.join(known)}; see /v1/scenarios")
    return known[name]
