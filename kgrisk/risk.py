"""Risk: the answer to one shock, with who loses what, over which exposures, and the path that carries most."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.files import Files
from kg.ledger import Ledger
from kg.meter import Stage
from kg.snapshot import Snapshot
from kgrisk.result import Result, plain
from queries.explain import Path, explain
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure, build, with_and_without_predicted
from queries.publish import Told, manifest
from queries.publish import publish as publish_losses
from queries.scenario import Kind, Shocks, Spec
from queries.uncertainty import Uncertain
from queries.whatif import Scenario

if TYPE_CHECKING:
    import networkx as nx

SOUGHT = 10
"""How many of those who lose most over exposures are asked for their heaviest path."""

PATHS = 25
"""Heaviest paths looked at for each of them."""
HOPS = 4
"""Most exposures of such a path."""


@dataclass(frozen=True)
class Question:
    """What is asked of a snapshot: a measure, a shock, and over which exposures."""

    measure: str
    shock: Spec
    kind: Kind | None = None
    include_predicted: float | None = None
    """Least score of a predicted exposure that counts; None: only what sources state."""
    types: tuple[str, ...] | None = None
    """Edge types that count as exposures; None: those that the measure reads."""
    currency: str | None = None
    rates: Mapping[str, float] | None = None
    draws: int | None = None
    """Worlds over which each loss gets a range; None: no range is asked for."""
    scenario: Scenario | None = None
    """A scenario whose shocks are spread in place of `shock`."""
    params: Mapping[str, Any] | None = None
    """Parameters of the measure by name, as values or as text; what is not named has its default."""

    @cached_property
    def asks(self) -> RiskMeasure:
        """The measure with its parameters. MeasureError if there is none of that name, or a parameter is wrong."""
        return build(RiskMeasure, self.measure, self.params)  # type: ignore[type-abstract]  # a role is asked for


@dataclass(frozen=True)
class Risk:
    """Losses of one or more scenarios, in money or as a score."""

    losses: Losses
    without: Losses | None
    """The same shock over stated exposures alone, where predicted ones were included."""
    snapshot: Snapshot
    question: Question
    uncertain: Uncertain | None = None
    """Losses of the first scenario over worlds in which each exposure is as sure as its evidence."""
    stages: tuple[Stage, ...] = field(default=(), compare=False)
    """What the answer took, stage by stage."""

    @property
    def unit(self) -> str:
        """Currency of the losses, or `score` for a measure that counts no money."""
        return self.losses.unit

    @cached_property
    def total(self) -> float:
        """Sum over everyone in the first scenario."""
        return float(self.losses.total[0])

    @property
    def range(self) -> dict[str, Any]:
        """Mean, deviation, 5 % and 95 % quantile of the total over worlds; empty where no range was asked for."""
        if self.uncertain is None:
            return {}
        total = {name: float(getattr(self.uncertain.total, name)[0]) for name in ("mean", "sd", "low", "high")}
        return {**total, "worlds": len(self.uncertain.weights), "exact": self.uncertain.exact}

    def name(self, id: str) -> str:
        """Name of an entity, to show."""
        return self.snapshot.names[self.snapshot.index[id]]

    def label(self, id: str) -> str:
        """Kind of an entity, such as Bank."""
        return self.snapshot.labels[self.snapshot.index[id]]

    def named(self, table: Result) -> Result:
        """The table for people: of a measure that counts no money, scores are called scores and nothing is direct."""
        if self.unit != "score":
            return table
        kept = table.table.drop_columns(["direct"])
        return replace(table, table=kept.rename_columns([{"loss": "score"}.get(one, one) for one in kept.column_names]))

    def table(self, label: str = "", scenario: int = 0) -> Result:
        """Who loses, most first; `label` keeps one kind of entity, such as Bank."""
        table = self.losses.table(scenario)
        ids = table["id"].to_pylist()
        table = table.add_column(1, "name", pa.array([self.name(id) for id in ids], pa.string()))
        table = table.add_column(2, "label", pa.array([self.label(id) for id in ids], pa.string()))
        if self.without is not None:
            stated = dict(zip(self.without.exposures.ids, self.without.loss[scenario].tolist(), strict=True))
            table = table.append_column("loss_without_predicted", pa.array([stated.get(id, 0.0) for id in ids]))
        if self.uncertain is not None and scenario == 0:
            each, rows = self.uncertain.each, [self.losses.exposures.index[id] for id in ids]
            for place, column in enumerate(("low", "high"), table.column_names.index("loss") + 1):
                table = table.add_column(place, column, pa.array(getattr(each, column)[rows]))
        if label:
            table = table.filter(pc.equal(table["label"], label))
        return Result(table, self.losses.scenarios[scenario], self.losses.notes)

    def edges(self, scenario: int = 0) -> Result:
        """Exposures that carry loss, most first, with the statement that leads to their evidence."""
        table = self.losses.edges(scenario)
        for place, column in ((2, "creditor"), (4, "debtor")):
            names = [self.name(id) for id in table[column].to_pylist()]
            table = table.add_column(place, f"{column}_name", pa.array(names, pa.string()))
        return Result(table, self.losses.scenarios[scenario], self.losses.notes)

    def path(self, scenario: int = 0, hops: int = 1) -> Path | None:
        """The heaviest way a loss came to somebody over at least `hops` exposures; None if nothing was passed on."""
        table = self.losses.table(scenario).to_pylist()
        passed = sorted(table, key=lambda row: (row["direct"] - row["loss"], row["id"]))[:SOUGHT]
        asked = [explain(self.losses, row["id"], scenario=scenario, top=PATHS, hops=HOPS) for row in passed]
        found = [path for paths in asked for path in paths if len(path.edges) >= hops]
        return max(found, key=lambda path: (path.loss, -len(path.edges), path.entities), default=None)

    def steps(self, path: Path | None, scenario: int = 0) -> list[dict[str, Any]]:
        """The exposures of a path from who was shocked to who loses, with names; none where there is no path."""
        if path is None:
            return []
        rows = {row["id"]: row for row in self.edges(scenario)}
        return [rows[edge] for edge in reversed(path.edges)]

    def to_networkx(self, scenario: int = 0) -> nx.MultiDiGraph:
        """Everyone hit, and the exposures over which losses came, from debtor to creditor."""
        import networkx as nx

        graph = nx.MultiDiGraph()
        for row in self.table(scenario=scenario):
            graph.add_node(row["id"], **{name: row[name] for name in ("name", "label", "direct", "loss", "distress")})
        for row in self.edges(scenario):
            graph.add_edge(
                row["debtor"], row["creditor"], key=row["id"], carried=row["carried"], predicted=row["predicted"]
            )
        return graph

    def adds_up(self) -> float:
        """Greatest difference of a loss from its direct part and what its exposures carry: should be rounding."""
        worst = 0.0
        exposures = self.losses.exposures
        for scenario in range(len(self.losses.scenarios)):
            total = self.losses.direct[scenario].copy()
            np.add.at(total, exposures.edges["source"].to_numpy(), self.losses.carried(scenario))
            worst = max(worst, float(np.abs(total - self.losses.loss[scenario]).max(initial=0.0)))
        return worst


def assess(snapshot: Snapshot, asked: Question) -> Risk:
    """Answer the question on the snapshot. MeasureError or KgRiskError says what cannot be answered and why."""
    asked = replace(asked, types=asked.types or asked.asks.over)
    exposures = Exposures.from_snapshot(
        snapshot, asked.types or (), asked.currency, asked.include_predicted, asked.rates
    )
    measure = asked.asks.fitted(snapshot, exposures)
    shocks = shocks_of(asked, exposures, snapshot)
    if asked.include_predicted is None:
        return Risk(told(measure.spread(exposures, shocks), shocks), None, snapshot, asked)
    both = with_and_without_predicted(measure, exposures, shocks)
    return Risk(told(both[0], shocks), both[1], snapshot, asked)


def told(losses: Losses, shocks: Shocks) -> Losses:
    """The losses with a remark on whom the shock took nothing from."""
    unfelt = shocks.unfelt(losses.exposures) if losses.unit != "score" else ()
    return replace(losses, remarks=(*losses.remarks, *unfelt)) if unfelt else losses


def shortened(remark: str, most: int = 8) -> str:
    """A remark for people: of a long list of names the first ones, and how many more there are."""

    def few(found: re.Match[str]) -> str:
        names = found[0].split(", ")
        return f"{', '.join(names[:most])} and {len(names) - most} more"

    name = r"[^\s,;]*[^\s,;:]"
    return re.sub(rf"{name}(?:, {name}){{{most},}}", few, remark)


def for_people(result: Result) -> Result:
    """The answer with shortened remarks; JSON has them whole."""
    return replace(result, remarks=tuple(shortened(remark) for remark in result.remarks))


def shocks_of(asked: Question, exposures: Exposures, snapshot: Snapshot) -> Shocks:
    """What is lost before any contagion."""
    if asked.scenario is not None:
        return asked.scenario.losses(exposures, snapshot)
    return Shocks.parse(exposures, asked.shock, kind=asked.kind, snapshot=snapshot)


def asked_of(risk: Risk) -> dict[str, Any]:
    """What was asked for, as the manifest of the run keeps it."""
    return {name: value for name, value in asdict(risk.question).items() if value is not None}


def told_of(risk: Risk, over: float = 0.0) -> Told:
    """What of an answer its run tells besides the losses."""
    return Told(plain(asked_of(risk)), over, risk.uncertain)


def run_of(risk: Risk, over: float = 0.0) -> str:
    """sha256 of the run by which an answer is, or would be, published."""
    return manifest(risk.losses, risk.snapshot, told_of(risk, over)).id


def publish(ledger: Ledger, files: Files, risk: Risk, over: float = 0.0) -> int:
    """Put the run and its losses of more than `over` into the ledger as claims; returns the commit."""
    return publish_losses(risk.losses, ledger, files, snapshot=risk.snapshot, told=told_of(risk, over))
