"""Kupiec's test: were there as many breaches of a value at risk as its level promises?

    LR = -2 ln( (1 - p)^(T - x) p^x / ((1 - x/T)^(T - x) (x/T)^x) ),   chi-squared with one degree of freedom

with x breaches in T days and p = 1 - level: Kupiec, "Techniques for Verifying the Accuracy of Risk Measurement
Models", Journal of Derivatives 3(2), 1995. `zone` is that of the Basel Committee's "Supervisory Framework for the Use
of Backtesting", January 1996: green while the binomial probability of so many breaches or fewer is below 95 %, red
from 99.99 % on. No breach and all breaches are defined, as 0 ln 0 = 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from scipy.special import xlog1py, xlogy

from queries.figure import Domain, Figure, Rows, by_group, noted


@dataclass(frozen=True)
class Kupiec(Figure):
    """Count of breaches beside what the level promises, with p-value and Basel zone (Kupiec 1995)."""

    name: ClassVar[str] = "kupiec"
    columns: ClassVar[Mapping[str, Domain]] = {"date": "time", "breach": "flag"}
    optional: ClassVar[Mapping[str, Domain]] = {"id": "text"}
    limits: ClassVar[Mapping[str, Domain]] = {"level": "level", "significance": "level"}

    level: float = 0.99
    """Confidence of the value at risk that was broken."""
    significance: float = 0.05
    """Probability of rejecting a right model."""

    def answer(self, rows: Rows) -> pa.Table:
        from scipy.stats import binom, chi2

        groups = by_group(rows.text("id")) if "id" in rows else {"": np.arange(len(rows))}
        made: list[dict[str, Any]] = []
        for id, at in groups.items():
            days, hits, p = len(at), int(rows["breach"][at].sum()), 1 - self.level
            ratio = likelihood_ratio(hits, days, p)
            value = float(chi2.sf(ratio, 1))
            below = float(binom.cdf(hits, days, p))
            zone = "green" if below < 0.95 else "yellow" if below < 0.9999 else "red"
            told = {"id": id, "days": days, "breaches": hits, "expected": days * p, "rate": hits / days}
            made.append({**told, "lr": ratio, "p_value": value, "rejected": value < self.significance, "zone": zone})
        few = min(row["expected"] for row in made) < 1
        return noted(
            pa.Table.from_pylist(made), "less than one breach is expected: the test says little" if few else ""
        )


def likelihood_ratio(hits: float, days: float, p: float) -> float:
    """Twice how much likelier the breaches are at their own rate than at p."""
    if not days:
        return 0.0
    rate = hits / days
    own = xlogy(hits, rate) + xlog1py(days - hits, -rate)
    return max(float(2 * (own - xlogy(hits, p) - xlog1py(days - hits, -p))), 0.0)
