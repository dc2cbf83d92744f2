"""Reversing: the smallest shock that brings about what must not happen, on a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from kgrisk.opened import Instant, Opened
from kgrisk.result import Result
from kgrisk.risk import Question
from kgrisk.supposing import Supposition
from queries.exposures import Exposures
from queries.reverse import Target, culprits, smallest_scale
from queries.whatif import Scenario


def reverse(
    graph: Opened,
    target: str,
    measure: str | None = None,
    scenario: Scenario | str | None = None,
    at: Instant = None,
    params: Mapping[str, Any] | None = None,
) -> Result:
    """One row: the scale of the scenario, or who must fail, with what they and everyone lose then."""
    settings = graph.settings
    if scenario is not None:
        return _scale(Supposition(graph, scenario, at), target, measure, params)
    snapshot = graph.snapshot(at)
    own: Mapping[str, Any] = {"currency": settings.currency or None, "rates": settings.rates or None}
    asked = Question(measure or settings.measure, "", params=params, **own)
    exposures = Exposures.from_snapshot(snapshot, asked.asks.over, asked.currency, rates=asked.rates)
    found = culprits(asked.asks.fitted(snapshot, exposures), exposures, Target.read(target, exposures))
    names = [snapshot.names[snapshot.index[id]] for id in found.ids]
    row = {"fails": ", ".join(names), "ids": list(found.ids), "own_loss": found.own, "smallest": found.proven}
    doubt = () if found.proven else ("a set that is enough; a smaller or cheaper one may have been missed",)
    return Result(pa.Table.from_pylist([row]), f"enough for {target}, by {asked.measure}", doubt)


def _scale(what_if: Supposition, target: str, measure: str | None, params: Mapping[str, Any] | None) -> Result:
    risk = what_if.risk(measure, params=params)
    exposures, snapshot = risk.losses.exposures, risk.snapshot
    shocks = what_if.scenario.losses(exposures, snapshot)
    asks = risk.question.asks.fitted(snapshot, exposures)
    found = smallest_scale(asks, exposures, shocks, Target.read(target, exposures))
    row = {"scenario": what_if.scenario.name, "scale": found.enough, "loss": float(found.losses.total[0])}
    return Result(pa.Table.from_pylist([row]), f"enough for {target}, by {risk.question.measure}", what_if.remarks)
