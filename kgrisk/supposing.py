"""Supposition: a graph as it would be if a scenario came true; nothing of it is written unless it is saved.

with kgrisk.open(home) as graph:
    what_if = graph.suppose("banks_of_a_country.yaml", at="2023-01-01")
    what_if.risk("eisenberg_noe").table("Bank")
    what_if.query("exposure_to_distressed")
    what_if.changed("concentration_by_sector", id="lei:...")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from kg.errors import StoreError
from kg.meter import Meter
from kg.model import AsOf
from kg.snapshot import Snapshot
from kg.store import GraphStore
from kg.supposed import Supposed, Supposing
from kgrisk.opened import Instant, Opened, instant
from kgrisk.result import Result, plain
from kgrisk.risk import Question, Risk, assess, publish
from queries.suppose import Suppositions, suppositions
from queries.whatif import Scenario, find

CHANGE = "change"
"""Column that says whether a row is gone or new."""


class Supposition:
    """A scenario over a graph at an instant."""

    def __init__(self, graph: Opened, scenario: Scenario | str | Path, at: Instant = None) -> None:
        self.graph = graph
        self.scenario = scenario if isinstance(scenario, Scenario) else find(str(scenario))
        self.at = instant(at)
        self.meter = Meter()
        """What the graph as it is took; the stages of an answer begin with it."""
        with self.meter.stage("snapshot"):
            self.base = graph.snapshot(self.at)
        self.whole = suppositions(self.scenario, self.base)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What of the scenario could not be supposed, and why."""
        return self.whole.remarks

    @cached_property
    def supposed(self) -> Supposed:
        """The ledger as if the scenario had come true."""
        return self._ledger(self.whole)

    def _ledger(self, what: Suppositions) -> Supposed:
        return Supposed(self.graph.ledger, what.batch, what.removed, self.at)

    @cached_property
    def snapshot(self) -> Snapshot:
        """The resolved graph as if the scenario had come true."""
        return self.supposed.view()

    def risk(self, measure: str | None = None, **more: Any) -> Risk:
        """Losses that the scenario's shocks cause over its changed edges. `more` is as for `Graph.risk`."""
        meter = Meter(list(self.meter.stages))
        with meter.stage("change"):
            changes = suppositions(self.scenario, self.base, shocks=False)
            untouched = not len(changes.batch) and not changes.removed
            graph = self.base if untouched else self._ledger(changes).view()
        s = self.graph.settings
        options: Mapping[str, Any] = {"currency": s.currency or None, "rates": s.rates or None, **more}
        asked = Question(measure or s.measure, "", scenario=self.scenario, **options)
        with meter.stage("spread"):
            found = assess(graph, asked)
        return replace(found, snapshot=self.base, stages=tuple(meter.stages))

    def save(self, risk: Risk, over: float = 0.0) -> int:
        """Put the run and its losses of more than `over` into the ledger, not what was supposed; gives the commit."""
        return publish(self.graph.ledger, self.graph.files, risk, over)

    def query(self, name: str, /, **params: Any) -> Result:
        """Rows of a named query as if the scenario had come true; in a transaction that is rolled back."""
        catalog, limit = self.graph.catalog, self.graph.settings.row_limit
        table = self._asked(lambda store, at: catalog.run(store, name, params, at, limit=limit))
        return Result(table, f"{name} if {self.scenario.name}", self.remarks)

    def cypher(self, text: str, /, **params: Any) -> Result:
        """Rows of a read-only Cypher text as if the scenario had come true; in a transaction that is rolled back."""
        s = self.graph.settings
        ask = lambda store, at: store.query(text, params, at, limit=s.row_limit, timeout=s.timeout)  # noqa: E731
        return Result(self._asked(ask), f"cypher if {self.scenario.name}", self.remarks)

    def changed(self, name: str, /, **params: Any) -> Result:
        """Rows of a named query that the scenario takes away (`gone`) or brings (`new`)."""
        before = self.graph.catalog.run(self.graph.store, name, params, self._clocks())
        after = self.query(name, **params).table
        return Result(difference(before, after), f"{name}: {self.scenario.name} beside today", self.remarks)

    def _clocks(self) -> AsOf:
        at = self.base.at
        return AsOf(valid=at.valid, published=at.published)

    def _asked(self, ask: Callable[[GraphStore, AsOf], pa.Table]) -> pa.Table:
        store = self.graph.store
        if not isinstance(store, Supposing):
            raise StoreError(
                f"{type(store).__name__} is shared, so nothing is supposed in it; open the graph with the embedded "
                "store (without NEO4J_URI and --store), or ask `risk`, which needs no store"
            )
        with store.supposing(self.supposed):
            return ask(store, self._clocks())


def compared(one: Risk, other: Risk) -> Result:
    """Losses of everyone in two answers, and the second less the first, largest difference first, ties by id."""
    sides = [dict(zip(risk.losses.exposures.ids, risk.losses.loss[0].tolist(), strict=True)) for risk in (one, other)]
    names = [risk.losses.scenarios[0] for risk in (one, other)]
    rows = []
    for id in sorted({*sides[0], *sides[1]}):
        first, second = (side.get(id, 0.0) for side in sides)
        if first or second:
            known = one if id in one.snapshot.index else other
            rows.append({"id": id, "name": known.name(id), "one": first, "other": second, "more": second - first})
    schema = pa.schema(
        [("id", pa.string()), ("name", pa.string()), *((n, pa.float64()) for n in ("one", "other", "more"))]
    )
    table = pa.Table.from_pylist(sorted(rows, key=lambda row: (-abs(row["more"]), row["id"])), schema=schema)
    totals = f"in all {one.total:,.0f} and {other.total:,.0f} {one.unit}"
    return Result(table, f"one is {names[0]}, other is {names[1]}", (totals,))


def difference(before: pa.Table, after: pa.Table) -> pa.Table:
    """Rows of one table that the other has not, `gone` before `new`, each in its order; equal rows are matched once."""
    sides = [[(repr(plain(row)), row) for row in table.to_pylist()] for table in (before, after)]
    counts: dict[str, int] = {}
    for key, _ in sides[1]:
        counts[key] = counts.get(key, 0) + 1
    gone = [row for key, row in sides[0] if not _take(counts, key)]
    counts = {}
    for key, _ in sides[0]:
        counts[key] = counts.get(key, 0) + 1
    new = [row for key, row in sides[1] if not _take(counts, key)]
    rows = [{CHANGE: word} | row for word, found in (("gone", gone), ("new", new)) for row in found]
    schema = pa.schema([pa.field(CHANGE, pa.string()), *(after if after.num_rows else before).schema])
    return pa.Table.from_pylist(rows, schema=schema)


def _take(counts: dict[str, int], key: str) -> bool:
    """Use up one of a kind, if there is one."""
    if not counts.get(key):
        return False
    counts[key] -= 1
    return True
