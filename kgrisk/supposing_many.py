"""Supposing many: scenarios by the thousand in one run, each with its id and its difference from no scenario."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from kg.errors import MeasureError
from kg.executor import Executor, Progress, quiet
from kg.memory import check_room
from kg.meter import Meter, Stage
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

ROWS: Final = 1 << 16
"""Differences that are made into rows of Python at a time."""
_FEWER: Final = "ask for those hit hardest alone (`most`; `kgrisk suppose-many` without --out), or for fewer scenarios"


@dataclass(frozen=True)
class Many:
    """What many scenarios cost."""

    summary: Result
    """One row a scenario, in the order given: id, total, how much more than without it, who is hit most."""
    difference: pa.Table
    """One row for each scenario and entity that it costs something: loss, and how much more than without it."""
    unit: str
    stages: tuple[Stage, ...] = field(default=(), compare=False)
    """What the answer took, stage by stage: of this process, not of those that worked on blocks for it."""

    def by_scenario(self, top: int) -> dict[str, list[dict[str, Any]]]:
        """Those of each scenario, by its id, whom it costs most."""
        found: dict[str, list[dict[str, Any]]] = {id: [] for id in self.summary["id"]}
        told = set()  # a scenario that is given twice has one id, and is told once
        for part in self.difference.to_batches(max_chunksize=ROWS):
            for row in part.to_pylist():
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
    progress: Progress = quiet,
    **more: Any,
) -> Many:
    """Ask one measure under every scenario of a list, of a YAML file, or so many drawn with a seed among a `label`.

    Scenarios that change edges alike share a graph, all others the graph as it is; no store is asked and nothing is
    written. `most` is how many entities are told of each at most, hardest hit first. `executor`, or else the setting,
    says where blocks of scenarios are worked on; no bit of the answer hangs on it. `progress` is called after each
    block with scenarios done and all; what it raises ends the run. `more` is as for `Graph.risk`. TooLargeError says
    what does not fit into memory, and what to ask instead.
    """
    s, meter = graph.settings, Meter()
    options: Mapping[str, Any] = {"currency": s.currency or None, "rates": s.rates or None, **more}
    asked = Question(measure or s.measure, "", **options)
    if asked.draws is not None:
        raise MeasureError("ranges over worlds are asked of one scenario at a time; leave out draws")
    with meter.stage("snapshot"):
        base = graph.snapshot(at)
    with meter.stage("scenarios"):
        given = _given(scenarios, base, seed, label)
    with meter.stage("without"):
        usual = World.of(base, asked)
        still = usual.still()
    with meter.stage("spread"), working(executor, s) as shared:
        apart = _Groups(graph, at, base, asked, usual, Without.of(still), progress)
        told = list(apart.told(shared, given, block, most))
        found = pa.concat_tables([table for _, table in told])
    summary = Result(pa.Table.from_pylist([row for row, _ in told]), f"{len(given)} scenarios by {asked.measure}")
    return Many(summary, found, still.unit, tuple(meter.stages))


@dataclass(frozen=True)
class _Groups:
    """Scenarios by what they change of the edges: those that change alike share a graph."""

    graph: Opened
    at: Instant
    base: Snapshot
    asked: Question
    usual: World
    without: Without
    progress: Progress

    def told(
        self, executor: Executor, given: Sequence[Scenario], block: int, most: int | None
    ) -> Iterator[tuple[Row, pa.Table]]:
        """The row and the differences of each scenario, in the order given."""
        found: dict[int, tuple[Row, pa.Table]] = {}
        order = sorted(range(len(given)), key=lambda number: _changed(given[number]))  # names may be the same
        for changes, group in groupby(order, key=lambda number: _changed(given[number])):
            numbers = list(group)
            some = [given[number] for number in numbers]
            world = self.usual if changes == "[]" else self._otherwise(some[0])
            parts = _fitting(over(executor, world.against(self.without), some, block, most), len(some))
            seen = self._seen(parts, len(found), len(given))
            found |= dict(zip(numbers, _apart(seen, most), strict=True))
        return (found[number] for number in range(len(given)))

    def _seen(self, parts: Iterable[Part], done: int, scenarios: int) -> Iterator[Part]:
        for rows, table in parts:
            done += len(rows)
            self.progress(done, scenarios)
            yield rows, table

    def _otherwise(self, scenario: Scenario) -> World:
        """The graph as if the changes of a scenario were made."""
        changes = suppositions(replace(scenario, shocks=()), self.base, shocks=False)
        ledger = Supposed(self.graph.ledger, changes.batch, changes.removed, instant(self.at))
        return World.of(ledger.view(), self.asked)


def _fitting(parts: Iterable[Part], scenarios: int) -> Iterator[Part]:
    """The blocks as they come. TooLargeError once the differences of the others, if they are as many, do not fit."""
    done, held = 0, 0
    for rows, table in parts:
        done, held = done + len(rows), held + table.nbytes
        left = scenarios - done
        check_room(held * left // done, f"telling the losses of {left:,} more scenarios", _FEWER)
        yield rows, table


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
