"""Christoffersen's tests: do breaches of a value at risk come alone, or in clusters?

n_ij days went from state i to j (1 is a breach); pi_i = n_i1 / (n_i0 + n_i1), pi = (n_01 + n_11) / (T - 1):

    LR_independence = 2 ln( (1-pi_0)^n00 pi_0^n01 (1-pi_1)^n10 pi_1^n11 / ((1-pi)^(n00+n10) pi^(n01+n11)) )

chi-squared with one degree of freedom; conditional coverage adds Kupiec's statistic and has two. Christoffersen,
"Evaluating Interval Forecasts", International Economic Review 39(4), 1998. 0 ln 0 = 0, so a series without breaches,
or with nothing else, has statistic 0. Days are taken as they follow each other: leave none out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from scipy.special import xlog1py, xlogy

from kg.errors import MeasureError
from queries.figure import Domain, Figure, Floats, Rows, by_group, noted
from queries.figures.kupiec import likelihood_ratio


@dataclass(frozen=True)
class Christoffersen(Figure):
    """Tests of independence and conditional coverage of breaches (Christoffersen 1998)."""

    name: ClassVar[str] = "christoffersen"
    columns: ClassVar[Mapping[str, Domain]] = {"date": "time", "breach": "flag"}
    optional: ClassVar[Mapping[str, Domain]] = {"id": "text"}
    limits: ClassVar[Mapping[str, Domain]] = {"level": "level", "significance": "level"}

    level: float = 0.99
    """Confidence of the value at risk that was broken."""
    significance: float = 0.05
    """Probability of rejecting a right model."""

    def answer(self, rows: Rows) -> pa.Table:
        from scipy.stats import chi2

        groups = by_group(rows.text("id")) if "id" in rows else {"": np.arange(len(rows))}
        made: list[dict[str, Any]] = []
        for id, at in groups.items():
            days = rows.times("date")[at]
            if len(days) < 2 or len(np.unique(days)) < len(days):
                raise MeasureError(f"christoffersen: {id or 'the table'} needs at least two days, each once")
            breach = rows["breach"][at]
            counts = transitions(breach)
            coverage = likelihood_ratio(float(breach.sum()), len(breach), 1 - self.level)
            alone = independence(counts)
            values = {
                "p_unconditional": float(chi2.sf(coverage, 1)),
                "p_independence": float(chi2.sf(alone, 1)),
                "p_conditional": float(chi2.sf(coverage + alone, 2)),
            }
            told = {"id": id, "days": len(breach), "breaches": int(breach.sum()), "after_breach": int(counts[1, 1])}
            ratios = {"lr_unconditional": coverage, "lr_independence": alone, "lr_conditional": coverage + alone}
            made.append({**told, **ratios, **values, "rejected": values["p_conditional"] < self.significance})
        rare = min(row["breaches"] for row in made) < 2
        return noted(pa.Table.from_pylist(made), "fewer than two breaches show no clusters" if rare else "")


def transitions(breach: Floats) -> Floats:
    """(2, 2) how often state i was followed by state j."""
    counts = np.zeros((2, 2))
    np.add.at(counts, (breach[:-1].astype(int), breach[1:].astype(int)), 1)
    return counts


def independence(counts: Floats) -> float:
    """Twice how much likelier the days are if a breach changes the odds of the next."""
    total = counts.sum(axis=1)
    own = np.divide(counts[:, 1], total, out=np.zeros(2), where=total > 0)
    split = xlogy(counts[:, 1], own) + xlog1py(counts[:, 0], -own)
    rate = counts[:, 1].sum() / counts.sum()
    whole = xlogy(counts[:, 1].sum(), rate) + xlog1py(counts[:, 0].sum(), -rate)
    return max(float(2 * (split.sum() - whole)), 0.0)
