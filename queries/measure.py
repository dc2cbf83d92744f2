"""RiskMeasure: how losses spread over exposures, what it answers with, and how any role is built by name.

A risk measure is one file in `queries/measures/`, found by its file name; its first docstring line is its
help, and the fields of its dataclass are its parameters. Figures (`queries.figure`) and patterns
(`queries.pattern`) are found and built alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar, TypeVar, get_type_hints

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kg import plugins
from kg.errors import KgRiskError, MeasureError
from kg.snapshot import Snapshot
from queries.exposures import Exposures
from queries.field import read
from queries.parameter import suggestion
from queries.scenario import Shocks

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Role = TypeVar("Role")

FULL = 1e-12
"""Distress within this of 1 is default: rounding must not undo one."""


@dataclass(frozen=True)
class Losses:
    """Scenarios x nodes: what each loses, and over which exposure it came.

    `loss = direct + sum over i's exposures e of amount_e * passed[debtor of e]` (`carried()`), exactly: every
    number can be taken apart into edges. A loss is not capped at equity: what exceeds it falls on creditors outside
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
    payments: Floats | None = None
    """(scenarios, n) what each pays on its debts, where the measure clears them."""
    worth: Floats | None = None
    """(scenarios, n) equity after the shock as the measure values it; None: equity less loss."""
    defaulted: Flags | None = None
    """(scenarios, n) who defaults; None: whoever is in a wave, or has a distress of 1 where there are no waves."""
    rounds: int = 0
    """Sweeps, or waves of default, until nothing moved any more."""
    converged: bool = True
    """False: it was still moving when its rounds were used up, so the numbers are bounds at best."""
    remarks: tuple[str, ...] = ()
    """What the measure itself found that a reader must know, naming the nodes."""
    carries: Floats | None = None
    """(scenarios, edges) what each exposure carries, where debts of one debtor do not all pass on the same share."""

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
        moving = () if self.converged else (f"{self.measure} had not settled after {self.rounds} rounds",)
        return (size, *(f"{count} {what}" for what, count in found.items() if count), *moving, *self.remarks)

    def defaults(self, scenario: int = 0) -> tuple[str, ...]:
        """Ids of those who default in a scenario, in the order of the exposures."""
        ids = self.exposures.ids
        if self.defaulted is not None:
            return tuple(ids[row] for row in np.flatnonzero(self.defaulted[scenario]))
        if self.waves:
            failed = {id for wave in self.waves[scenario] for id in wave}
            return tuple(id for id in ids if id in failed)
        return tuple(ids[row] for row in np.flatnonzero(self.distress[scenario] >= 1 - FULL))

    def carried(self, scenario: int = 0) -> Floats:
        """(edges,) what each row of `exposures.edges` carries from its debtor to its creditor."""
        if self.carries is not None:
            return np.asarray(self.carries[scenario], float)
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
    over: ClassVar[tuple[str, ...]] = ("LENDS_TO", "EXPOSED_TO")
    """Edge types that it reads from a graph when nobody says otherwise."""
    needs_equity: ClassVar[bool] = True
    """Is it wrong without the equity of everyone? Plain files that state none are then refused."""

    def fitted(self, snapshot: Snapshot, exposures: Exposures) -> RiskMeasure:
        """The measure with what it takes from the graph besides exposures; most take nothing."""
        return self

    def in_worlds(self, exposures: Exposures, names: Sequence[tuple[str, ...]]) -> RiskMeasure:
        """The measure for a network of several worlds that do not touch; `names` are the ids of each world there."""
        return self

    @abstractmethod
    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Losses of every scenario at once. MeasureError for what the measure does not support."""


def build(role: type[Role], name: str, params: Mapping[str, Any] | None = None) -> Role:
    """The plug-in of that name with these parameters, given as text or as values.

    The folder is the plural of the module that defines the role: `queries.measure` has `queries/measures/`.
    MeasureError names what is known where a name or parameter is not, and what is expected where a value does
    not fit.
    """
    try:
        kind: Any = plugins.load(f"{role.__module__}s", name, role)
    except MeasureError:
        raise
    except KgRiskError as error:
        raise MeasureError(str(error)) from error
    known = {field.name for field in fields(kind) if field.init} if is_dataclass(kind) else set()
    hints, given = get_type_hints(kind), dict(params or {})
    for one in given:
        if one not in known:
            told = f"; known: {', '.join(sorted(known))}" if known else "; it has none"
            raise MeasureError(f"{name} has no parameter {one!r}{told}{suggestion(one, sorted(known))}")
    values = {one: read(f"{one} of {name}", hints[one], value) for one, value in given.items()}
    try:
        made: Role = kind(**values)
    except MeasureError:
        raise
    except (TypeError, ValueError) as error:
        raise MeasureError(f"{name} cannot be built from {given}: {error}") from error
    return made


def with_and_without_predicted(measure: RiskMeasure, exposures: Exposures, shocks: Shocks) -> tuple[Losses, Losses]:
    """Losses over all exposures, and over those alone that sources state; the same money is lost in the shock."""
    return measure.spread(exposures, shocks), measure.spread(exposures.without_predicted(), shocks)
