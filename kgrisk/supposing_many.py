"""Supposing many: scenarios by the thousand in one run, each with its id and its difference from no scenario."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kg.errors import MeasureError
from kg.snapshot import Snapshot
from kg.supposed import Supposed
from kgrisk.opened import Instant, Opened, instant
from kgrisk.result import Result
from kgrisk.risk import Question
from queries.exposures import Exposures
from queries.many import drawn, identity, read_many
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks
from queries.suppose import suppositions
from queries.whatif import Scenario

BLOCK = 128
"""Scenarios in one call of a measure: memory grows with it, answers do not depend on it."""
LEAST = 1e-9
"""Relative difference from no scenario below which an entity is not touched by one."""
DIFF = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "scenario", "entity")),
        ("loss", pa.float64()),
        ("more", pa.float64()),
        ("fails", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Many:
    """What many scenarios cost."""

    summary: Result
    """One row a scenario, in the order given: id, total, how much more than without it, who is hit most."""
    difference: pa.Table
    """One row for each scenario and entity that it costs something: loss, and how much more than without it."""
    unit: str

    def by_scenario(self, top: int) -> dict[str, list[dict[str, Any]]]:
        """Those of each scenario, by its id, whom it costs most."""
        found: dict[str, list[dict[str, Any]]] = {id: [] for id in self.summary["id"]}
        told = set()  # a scenario that is given twice has one id, and is told once
        for row in self.difference.to_pylist():
            if len(found[row["id"]]) < top and (row["id"], row["entity"]) not in told:
                told.add((row["id"], row["entity"]))
                found[row["id"]].append({name: row[name] for name in ("entity", "loss", "more", "fails")})
        return found


@dataclass(frozen=True)
class _World:
    """A graph over which some of the scenarios are asked."""

    snapshot: Snapshot
    exposures: Exposures
    measure: RiskMeasure

    @classmethod
    def of(cls, snapshot: Snapshot, asked: Question) -> _World:
        types = asked.types or asked.asks.over
        exposures = Exposures.from_snapshot(snapshot, types, asked.currency, asked.include_predicted, asked.rates)
        return cls(snapshot, exposures, asked.asks.fitted(snapshot, exposures))

    def still(self) -> Losses:
        """Losses without any shock."""
        x = self.exposures
        return self.measure.spread(x, Shocks.of(x, np.zeros(len(x)), names=("no scenario",)))

    def asked(self, scenarios: Sequence[Scenario], block: int) -> Iterator[tuple[Scenario, Losses, int]]:
        """Each scenario with the losses of its block and its place there; one that does not settle is taken apart."""
        for start in range(0, len(scenarios), block):
            some = scenarios[start : start + block]
            shocks = Shocks.stack([one.losses(self.exposures, self.snapshot) for one in some])
            losses = self.measure.spread(self.exposures, shocks)
            if losses.converged or len(some) == 1:
                yield from ((one, losses, place) for place, one in enumerate(some))
            else:
                yield from self.asked(some, 1)


@dataclass(frozen=True)
class _Without:
    """Everyone without any scenario: what a scenario is compared with."""

    loss: Mapping[str, float]
    failing: frozenset[str]
    total: float

    @classmethod
    def of(cls, losses: Losses) -> _Without:
        loss = dict(zip(losses.exposures.ids, losses.loss[0].tolist(), strict=True))
        return cls(loss, frozenset(losses.defaults()), float(losses.loss[0].sum()))


def suppose_many(
    graph: Opened,
    scenarios: Sequence[Scenario] | Path | str | int,
    measure: str | None = None,
    at: Instant = None,
    *,
    seed: int = 0,
    label: str = "Bank",
    block: int = BLOCK,
    **more: Any,
) -> Many:
    """Ask one measure under every scenario of a list, of a YAML file, or so many drawn with a seed among a `label`.

    Scenarios that change edges alike share a graph, all others the graph as it is; no store is asked and nothing is
    written. `more` is as for `Graph.risk`.
    """
    s, base = graph.settings, graph.snapshot(at)
    given = _given(scenarios, base, seed, label)
    options: Mapping[str, Any] = {"currency": s.currency or None, "rates": s.rates or None, **more}
    asked = Question(measure or s.measure, "", **options)
    if asked.draws is not None:
        raise MeasureError("ranges over worlds are asked of one scenario at a time; leave out draws")
    usual = _World.of(base, asked)
    still = usual.still()
    without, found = _Without.of(still), {}
    order = sorted(range(len(given)), key=lambda number: _changed(given[number]))  # names may be the same
    for changes, group in groupby(order, key=lambda number: _changed(given[number])):
        numbers = list(group)
        some = [given[number] for number in numbers]
        world = usual if changes == "[]" else _World.of(_otherwise(graph, some[0], base, at), asked)
        for number, (one, losses, place) in zip(numbers, world.asked(some, block), strict=True):
            found[number] = _told(one, losses, place, without)
    parts = [found[number] for number in range(len(given))]
    summary = Result(pa.Table.from_pylist([row for row, _ in parts]), f"{len(given)} scenarios by {asked.measure}")
    return Many(summary, pa.Table.from_pylist([row for _, rows in parts for row in rows], DIFF), still.unit)


def _given(scenarios: Sequence[Scenario] | Path | str | int, base: Snapshot, seed: int, label: str) -> list[Scenario]:
    if isinstance(scenarios, int):
        return drawn(base, scenarios, seed, label)
    if isinstance(scenarios, (str, Path)):
        return read_many(Path(scenarios))
    return list(scenarios)


def _changed(scenario: Scenario) -> str:
    return json.dumps([dict(line) for line in scenario.changes], sort_keys=True, default=str)


def _otherwise(graph: Opened, scenario: Scenario, base: Snapshot, at: Instant) -> Snapshot:
    """The graph as if the changes of a scenario were made."""
    changes = suppositions(replace(scenario, shocks=()), base, shocks=False)
    return Supposed(graph.ledger, changes.batch, changes.removed, instant(at)).view()


def _told(
    scenario: Scenario, losses: Losses, place: int, without: _Without
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of a scenario, and its difference from no scenario by entity, largest first."""
    head, ids = {"id": identity(scenario), "scenario": scenario.name}, losses.exposures.ids
    loss, before = losses.loss[place], np.array([without.loss.get(one, 0.0) for one in ids])
    more, fails = loss - before, frozenset(losses.defaults(place)) - without.failing
    touched = np.flatnonzero(np.abs(more) > LEAST * np.maximum(1.0, np.abs(before))).tolist()
    diff = [
        head | {"entity": ids[row], "loss": float(loss[row]), "more": float(more[row]), "fails": ids[row] in fails}
        for row in sorted(touched, key=lambda row: (-abs(more[row]), ids[row]))
    ]
    worst = diff[0] if diff else {"entity": "", "more": 0.0}
    told: dict[str, Any] = {"total": float(loss.sum()), "more": float(loss.sum()) - without.total, "touched": len(diff)}
    told |= {"failing": len(fails), "worst": worst["entity"], "worst_more": worst["more"]}
    return head | told | {"converged": losses.converged}, diff
