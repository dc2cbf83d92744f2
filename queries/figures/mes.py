"""Marginal expected shortfall: what a firm loses on the market's worst days.

    MES_i = -E[ r_i | r_m <= the tail-quantile of r_m ]

Acharya, Pedersen, Philippon, Richardson, "Measuring Systemic Risk", Review of Financial Studies 30(1), 2017. The worst
days are the floor(tail T) of smallest market return, at least one; a tie at the edge counts whole. Losses are
positive; a firm that gains on these days has a negative one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from kg.errors import MeasureError
from queries.figure import Domain, Figure, Floats, Rows, by_group, noted

FEW = 5
"""Worst days below which the mean says little."""


@dataclass(frozen=True)
class Mes(Figure):
    """Mean loss of each firm on the market's worst days (Acharya et al. 2017)."""

    name: ClassVar[str] = "mes"
    columns: ClassVar[Mapping[str, Domain]] = {"id": "text", "date": "time", "return": "real", "market": "real"}
    limits: ClassVar[Mapping[str, Domain]] = {"tail": "level"}

    tail: float = 0.05
    """Share of days that count as the worst."""

    def answer(self, rows: Rows) -> pa.Table:
        made: list[dict[str, Any]] = []
        for id, at in firm_days(self.name, rows).items():
            worst = worst_days(rows["market"][at], self.tail)
            loss = -float(rows["return"][at][worst].mean())
            made.append({"id": id, "mes": loss, "days": len(at), "worst_days": int(worst.sum())})
        few = min(row["worst_days"] for row in made) < FEW
        return noted(pa.Table.from_pylist(made), f"fewer than {FEW} worst days: give a longer past" if few else "")


def worst_days(market: Floats, share: float) -> np.ndarray:
    """(days,) true on the days of the smallest market return."""
    count = max(int(np.floor(share * len(market) + 1e-9)), 1)
    return np.asarray(market <= np.sort(market)[count - 1])


def firm_days(figure: str, rows: Rows) -> dict[str, np.ndarray]:
    """Rows of each firm; MeasureError where a day of one is there twice."""
    groups = by_group(rows.text("id"))
    for id, at in groups.items():
        days = rows.times("date")[at]
        if len(np.unique(days)) < len(days):
            raise MeasureError(f"{figure}: {id} has a day twice; give one return for each day of a firm")
    return groups
