"""Supposing many: scenarios by the thousand in one run, each with its id and its difference from no scenario."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from kg.errors import MeasureError
from kg.executor import Executor
from kg.snapshot import Snapshot
from kg.supposed import Supposed
from kgrisk.executors import working
from kgrisk.opened import Instant, Opened, instant
from kgrisk.result import Result
from kgrisk.risk import Question
from kgrisk.supposing_blocks import BLOCK, Part, Row, Without, World, over
from queries.many import drawn, read_many
from queries.suppose import suppositions
from queries.whatif import Scenario


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


def suppose_many(
    graph: Opened,
    scenarios: Sequence[Scenario] | Path | str | int,
    measure: str | None = None,
    at: Instant = None,
    *,
    seed: int = 0,
    label: str = "Bank",
    block: int = BLOCK,
    most: int | None = None,
    executor: Executor | str | None = None,
    **more: Any,
) -> Many:
    """Ask one measure under every scenario of a list, of a YAML file, or so many drawn with a seed among a `label`.

    Scenarios that change edges alike share a graph, all others the graph as it is; no store is asked and nothing is
    written. `most` is how many entities are told of each at most, hardest hit first. `executor`, or else the setting,
    says where blocks of scenarios are worked on; no bit of the answer hangs on it. `more` is as for `Graph.risk`.
    """
    s, base = graph.settings, graph.snapshot(at)
    given = _given(scenarios, base, seed, label)
    options: Mapping[str, Any] = {"currency": s.currency or None, "rates": s.rates or None, **more}
    asked = Question(measure or s.measure, "", **options)
    if asked.draws is not None:
        raise MeasureError("ranges over worlds are asked of one scenario at a time; leave out draws")
    usual = World.of(base, asked)
    still = usual.still()
    without = Without.of(still)
    found: dict[int, tuple[Row, pa.Table]] = {}
    order = sorted(range(len(given)), key=lambda number: _changed(given[number]))  # names may be the same
    with working(executor, s) as shared:
        for changes, group in groupby(order, key=lambda number: _changed(given[number])):
            numbers = list(group)
            some = [given[number] for number in numbers]
            world = usual if changes == "[]" else World.of(_otherwise(graph, some[0], base, at), asked)
            parts = over(shared, world.against(without), some, block, most)
            found |= dict(zip(numbers, _apart(parts, most), strict=True))
    told = [found[number] for number in range(len(given))]
    summary = Result(pa.Table.from_pylist([row for row, _ in told]), f"{len(given)} scenarios by {asked.measure}")
    return Many(summary, pa.concat_tables([table for _, table in told]), still.unit)


def _apart(parts: Iterable[Part], most: int | None) -> Iterator[tuple[Row, pa.Table]]:
    """The row of each scenario of all blocks, and its differences."""
    for rows, table in parts:
        start = 0
        for row in rows:
            count = row["touched"] if most is None else min(most, row["touched"])
            yield row, table.slice(start, count)
            start += count


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
