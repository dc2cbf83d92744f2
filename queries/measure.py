"""RiskMeasure, Figure, Pattern: the three kinds of answer computed outside the store, and how they are found.

A risk measure is one file in `queries/measures/`, found by its file name; its first docstring line is its
help.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from queries.exposures import Exposures
from queries.scenario import Shocks

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Losses:
    """Scenarios x nodes: what each loses, and over which exposure it came.

    `loss = direct + sum over i's exposures e of amount_e * passed[debtor of e]`, exactly: every number can
    be taken apart into edges. A loss is not capped at equity: what exceeds it falls on creditors outside
    the network.
    """

    measure: str
    exposures: Exposures
    scenarios: tuple[str, ...]
    unit: str
    """ISO 4217 code, or `score` for a measure that counts no money."""
    direct: Floats
    """(scenarios, n) lost by the shock itself."""
    passed: Floats
    """(scenarios, n) lost per unit of claim on each node."""
    loss: Floats
    """(scenarios, n) lost in all."""
    distress: Floats
    """(scenarios, n) 0 to 1; 1 is default."""
    waves: tuple[tuple[tuple[str, ...], ...], ...] = ()
    """By scenario, who defaults in which round, where the measure tells."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know about the exposures before believing a number."""
        exposures, unknown = self.exposures, int(np.isnan(self.exposures.equity).sum())
        found = {
            "exposures have no stated amount and are left out": len(exposures.unpriced),
            "exposures are predicted, at score times a typical loan": exposures.predicted.num_rows,
            "entities have outside assets that no source states, so they are assumed": len(exposures.assumed),
            "entities have no known equity, so losses stop at them": unknown,
        }
        size = f"{exposures.edges.num_rows} exposures among {len(exposures)} entities"
        return (size, *(f"{count} {what}" for what, count in found.items() if count))

    def carried(self, scenario: int = 0) -> Floats:
        """(edges,) what each row of `exposures.edges` carries from its debtor to its creditor."""
        edges = self.exposures.edges
        return np.asarray(edges["amount"].to_numpy() * self.passed[scenario, edges["target"].to_numpy()], float)

    @property
    def total(self) -> Floats:
        """(scenarios,) sum over nodes."""
        return np.asarray(self.loss.sum(axis=1), float)

    def table(self, scenario: int = 0) -> pa.Table:
        """Everyone who loses, most first: id, direct, loss, equity, distress."""
        made = pa.table(
            {
                "id": list(self.exposures.ids),
                "direct": self.direct[scenario],
                "loss": self.loss[scenario],
                "equity": self.exposures.equity,
                "distress": self.distress[scenario],
            }
        )
        hit = made.filter(pa.array((self.loss[scenario] != 0) | (self.distress[scenario] > 0)))
        return hit.sort_by([("loss", "descending"), ("id", "ascending")])

    def edges(self, scenario: int = 0) -> pa.Table:
        """Every exposure that carries loss, most first: id, creditor, debtor, amount, carried, predicted, statement."""
        edges, ids = self.exposures.edges, self.exposures.ids
        made = pa.table(
            {
                "id": edges["id"],
                "creditor": [ids[row] for row in edges["source"].to_pylist()],
                "debtor": [ids[row] for row in edges["target"].to_pylist()],
                "amount": edges["amount"],
                "carried": self.carried(scenario),
                "predicted": edges["predicted"],
                "statement": edges["statement"],
            }
        )
        hit = made.filter(pa.array(self.carried(scenario) != 0))
        return hit.sort_by([("carried", "descending"), ("id", "ascending")])


class RiskMeasure(ABC):
    """How losses spread over exposures. A measure is one file in queries/measures/."""

    name: ClassVar[str]
    """File name of the measure."""

    @abstractmethod
    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Losses of every scenario at once. MeasureError for what the measure does not support."""


class Figure(ABC):
    """A risk figure computed from a table, such as a value at risk."""

    @abstractmethod
    def compute(self, table: pa.Table, **params: Any) -> pa.Table:
        """The figure, with its parameters in the result."""


class Pattern(ABC):
    """A shape looked for in a whole snapshot, such as layering of payments."""

    @abstractmethod
    def find(self, snapshot: Snapshot, **params: Any) -> pa.Table:
        """Findings, one per row, with the edge ids that make each."""


def with_and_without_predicted(measure: RiskMeasure, exposures: Exposures, shocks: Shocks) -> tuple[Losses, Losses]:
    """Losses over all exposures, and over those alone that sources state; the same money is lost in the shock."""
    return measure.spread(exposures, shocks), measure.spread(exposures.without_predicted(), shocks)
