"""Long-run marginal expected shortfall: what a firm's equity would lose in a crisis of half a year.

    by `mes`:   LRMES = 1 - exp(-18 MES)
    by `beta`:  LRMES = 1 - exp(ln(1 - d) beta),   d the fall of the market, beta = Cov(r_i, r_m) / Var(r_m)

Acharya, Engle, Richardson, "Capital Shortfall: A New Approach to Ranking and Regulating Systemic Risks", American
Economic Review 102(3), 2012, for the first (MES of a 2 % day); Brownlees, Engle, "SRISK", Review of Financial Studies
30(1), 2017, and NYU's V-Lab for the second. A market that never moves has no beta and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from kg.errors import MeasureError
from queries.figure import Domain, Figure, Floats, Rows
from queries.figures.mes import firm_days, worst_days

DAYS = 18.0


@dataclass(frozen=True)
class Lrmes(Figure):
    """Share of equity each firm would lose in a market crisis (from MES, or from beta)."""

    name: ClassVar[str] = "lrmes"
    columns: ClassVar[Mapping[str, Domain]] = {"id": "text", "date": "time", "return": "real", "market": "real"}
    limits: ClassVar[Mapping[str, Domain]] = {"tail": "level", "crisis": "level"}

    method: Literal["mes", "beta"] = "mes"
    """From the loss on the market's worst days, or from beta."""
    tail: float = 0.05
    """Share of days that count as the worst, for `mes`."""
    crisis: float = 0.4
    """Fall of the market, for `beta`."""

    def answer(self, rows: Rows) -> pa.Table:
        made: list[dict[str, Any]] = []
        for id, at in firm_days(self.name, rows).items():
            own, market = rows["return"][at], rows["market"][at]
            mes = -float(own[worst_days(market, self.tail)].mean())
            if self.method == "mes":
                made.append({"id": id, "mes": mes, "lrmes": float(from_mes(mes))})
                continue
            spread = float(np.var(market))
            if spread <= 0:
                raise MeasureError(f"lrmes: the market does not move over the days of {id}, so it has no beta")
            beta = float(np.mean((own - own.mean()) * (market - market.mean()))) / spread
            made.append({"id": id, "mes": mes, "beta": beta, "lrmes": float(from_beta(beta, self.crisis))})
        return pa.Table.from_pylist(made)


def from_mes(mes: ArrayLike) -> Floats:
    """Share of equity lost in a crisis, from the mean loss on a bad day."""
    return np.asarray(-np.expm1(-DAYS * np.asarray(mes, float)), float)


def from_beta(beta: ArrayLike, crisis: float) -> Floats:
    """Share of equity lost where the market falls by `crisis`."""
    return np.asarray(-np.expm1(np.log1p(-crisis) * np.asarray(beta, float)), float)
