"""Blocks of scenarios: what each costs over one graph, the same in this process, in others, or on other machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kg.executor import Executor, Here, Pool
from kg.snapshot import Snapshot
from kgrisk.risk import Question
from queries.exposures import Exposures
from queries.many import identity
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks
from queries.whatif import MEMBERSHIP, Scenario

BLOCK = 64
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
Row = dict[str, Any]
Part = tuple[list[Row], pa.Table]
"""Of some scenarios: one row each, and their differences from no scenario in DIFF."""


@dataclass(frozen=True)
class Without:
    """Everyone without any scenario: what a scenario is compared with."""

    loss: Mapping[str, float]
    failing: frozenset[str]
    total: float

    @classmethod
    def of(cls, losses: Losses) -> Without:
        loss = dict(zip(losses.exposures.ids, losses.loss[0].tolist(), strict=True))
        return cls(loss, frozenset(losses.defaults()), float(losses.loss[0].sum()))


@dataclass(frozen=True)
class World:
    """A graph over which some of the scenarios are asked."""

    snapshot: Snapshot
    exposures: Exposures
    measure: RiskMeasure

    @classmethod
    def of(cls, snapshot: Snapshot, asked: Question) -> Self:
        types = asked.types or asked.asks.over
        exposures = Exposures.from_snapshot(snapshot, types, asked.currency, asked.include_predicted, asked.rates)
        # a scenario names entities and what they are members of; all other edges are in the exposures
        members = replace(snapshot, edges=snapshot.edges_of(*MEMBERSHIP.values()))
        return cls(members, exposures, asked.asks.fitted(snapshot, exposures))

    def still(self) -> Losses:
        """Losses without any shock; parts of the measure that hang on no shock are made here, once for every block."""
        x = self.exposures
        return self.measure.spread(x, Shocks.of(x, np.zeros(len(x)), names=("no scenario",)))

    def against(self, without: Without) -> Compared:
        """The world beside what happens without any scenario."""
        ids = self.exposures.ids
        loss = np.array([without.loss.get(one, 0.0) for one in ids])
        return Compared(self, loss, frozenset(without.failing), without.total)


@dataclass(frozen=True)
class Compared:
    """A world with what everyone in it loses without any scenario: all that a worker needs."""

    world: World
    loss: NDArray[np.float64]
    """(n,) in the order of the exposures."""
    failing: frozenset[str]
    total: float

    @cached_property
    def entities(self) -> pa.Array:
        """Id of each of the exposures."""
        return pa.array(self.world.exposures.ids, pa.string())

    def told(self, scenarios: Sequence[Scenario], most: int | None) -> Part:
        """Rows and differences of some scenarios; those that do not settle together are asked one by one."""
        world = self.world
        world.exposures.check_block(len(scenarios), measure=world.measure.name)
        shocks = Shocks.stack([one.losses(world.exposures, world.snapshot) for one in scenarios])
        losses = world.measure.spread(world.exposures, shocks)
        if losses.converged or len(scenarios) == 1:
            return _joined([self._told(one, losses, place, most) for place, one in enumerate(scenarios)])
        return _joined([self.told([one], most) for one in scenarios])

    def _told(self, scenario: Scenario, losses: Losses, place: int, most: int | None) -> Part:
        """The row of a scenario, and its difference from no scenario by entity, largest first, at most so many."""
        loss, head = losses.loss[place], {"id": identity(scenario), "scenario": scenario.name}
        more, fails = loss - self.loss, frozenset(losses.defaults(place)) - self.failing
        touched = np.flatnonzero(np.abs(more) > LEAST * np.maximum(1.0, np.abs(self.loss)))
        first = touched[_largest(np.abs(more[touched]), most)]
        worst = (self.entities[first[0]].as_py(), float(more[first[0]])) if len(first) else ("", 0.0)
        row: Row = {"total": float(loss.sum()), "more": float(loss.sum()) - self.total, "touched": len(touched)}
        row |= {"failing": len(fails), "worst": worst[0], "worst_more": worst[1], "converged": losses.converged}
        return [head | row], self._differences(head, first[:most], (loss, more), fails)

    def _differences(
        self, head: Row, rows: NDArray[np.intp], numbers: tuple[NDArray[Any], NDArray[Any]], fails: frozenset[str]
    ) -> pa.Table:
        index = self.world.exposures.index
        failing = np.isin(rows, [index[one] for one in fails])
        names = [pa.repeat(pa.scalar(head[name], pa.string()), len(rows)) for name in ("id", "scenario")]
        values = [pa.array(part[rows]) for part in numbers]
        return pa.table([*names, self.entities.take(pa.array(rows)), *values, pa.array(failing)], schema=DIFF)


def over(
    executor: Executor, world: Compared, scenarios: Sequence[Scenario], block: int = BLOCK, most: int | None = None
) -> Iterator[Part]:
    """What each block of the scenarios costs, in their order: the graph goes to every worker once.

    TooLargeError before the first, if those that are worked on here at a time do not fit; a worker elsewhere looks
    at its own memory.
    """
    if isinstance(executor, Here | Pool):
        own = world.world
        own.exposures.check_block(min(block, len(scenarios)), executor.workers, own.measure.name)
    shards = [list(scenarios[start : start + block]) for start in range(0, len(scenarios), block)]
    return executor.map(ask, shards, executor.put(world), most)


def ask(scenarios: Sequence[Scenario], world: Compared, most: int | None) -> Part:
    """In a worker: rows and differences of a block."""
    return world.told(scenarios, most)


def _largest(sizes: NDArray[np.float64], most: int | None) -> NDArray[np.intp]:
    """Rows of at least the first, at most so many, largest first; who is hit alike stands in the order of the ids."""
    count = len(sizes) if most is None else min(max(most, 1), len(sizes))
    if not count:
        return np.empty(0, np.intp)
    rows = np.flatnonzero(sizes >= np.partition(sizes, -count)[-count])  # with all that are as large as the last
    return np.asarray(rows[np.argsort(-sizes[rows], kind="stable")][:count])


def _joined(parts: Sequence[Part]) -> Part:
    return [row for rows, _ in parts for row in rows], pa.concat_tables([table for _, table in parts])
