"""Operational loss: a year's losses as a random number of random losses, and the capital against a very bad year.

    S = X_1 + ... + X_N,    N Poisson of rate lambda,    ln X normal (mu, s)

Frachot, Georges, Roncalli, "Loss Distribution Approach for Operational Risk", 2001. lambda is events by year. With a
`threshold` below which losses were not collected, mu and s maximise the likelihood of a lognormal cut off there, and
lambda counts the losses that were not seen too (Baud, Frachot, Roncalli, 2002). Negative binomial where `frequency`
asks for it and counts by year vary more than their mean.

The sum is worked out by `fft` with exponential tilting (Embrechts, Frei, "Panjer recursion versus FFT for compound
distributions", Mathematical Methods of Operations Research 69, 2009), by `panjer` (ASTIN Bulletin 12, 1981), both on
`points` equal steps, or by `monte_carlo`. Capital is the level-quantile of S; `ul` is what it exceeds the mean by. Of
several categories the sum takes them as failing together, as Basel II does (paragraph 669). A category with one
amount has s = 0: every loss is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa

from kg.errors import MeasureError
from queries.figure import Domain, Figure, Rows, by_group, noted
from queries.operational.compound import Frequency, aggregate, fit_severity, simulated

YEAR = np.timedelta64(31_556_952, "s")
FEW = 30


@dataclass(frozen=True)
class OperationalLoss(Figure):
    """Capital for operational losses from dated events: frequency, severity, and their sum over a year."""

    name: ClassVar[str] = "operational_loss"
    columns: ClassVar[Mapping[str, Domain]] = {"date": "time", "amount": "positive"}
    optional: ClassVar[Mapping[str, Domain]] = {"category": "text"}
    limits: ClassVar[Mapping[str, Domain]] = {
        "level": "level",
        "years": "amount",
        "threshold": "amount",
        "points": "count",
        "draws": "count",
        "seed": "count",
    }

    level: float = 0.999
    """Confidence of capital."""
    years: float = 0.0
    """Years over which events were collected; 0: from the first event to the last."""
    threshold: float = 0.0
    """Smallest loss that was collected."""
    frequency: Literal["poisson", "negative_binomial"] = "poisson"
    """Of the number of events in a year."""
    method: Literal["fft", "panjer", "monte_carlo"] = "fft"
    """How the sum is worked out."""
    points: int = 65_536
    """Steps of the grid of losses, for fft and panjer."""
    draws: int = 200_000
    """Years simulated, for monte_carlo."""
    seed: int = 0
    """The same seed gives the same years."""

    def answer(self, rows: Rows) -> pa.Table:
        if (rows["amount"] < self.threshold).any():
            raise MeasureError(
                f"operational_loss: a loss of {rows['amount'].min():g} is below the threshold {self.threshold:g}; "
                "leave such losses out, or lower the threshold"
            )
        days = rows.times("date")
        years = self.years or max(float((days.max() - days.min()) / YEAR), 1.0)
        groups = by_group(rows.text("category")) if "category" in rows else {"": np.arange(len(rows))}
        made = [self.category(name, rows["amount"][at], days[at], years) for name, at in groups.items()]
        if len(made) > 1:
            added = {name: sum(row[name] for row in made) for name in ("events", "rate", "el", "var", "ul", "es")}
            made.append({"category": "all", **added, "mu": None, "sigma": None})
        few = min(row["events"] for row in made) < FEW
        return noted(
            pa.Table.from_pylist(made),
            f"fewer than {FEW} events in a category: its tail is a guess" if few else "",
            f"events of {years:.2f} years",
            "categories are added as if their worst years came together" if len(groups) > 1 else "",
        )

    def category(self, name: str, amounts: np.ndarray, days: np.ndarray, years: float) -> dict[str, Any]:
        """One category's rate, severity, mean and capital."""
        severity = fit_severity(amounts, self.threshold)
        seen = severity.above(self.threshold)
        counts = np.bincount(np.floor((days - days.min()) / YEAR).astype(int), minlength=int(np.ceil(years)))
        rate = len(amounts) / years / seen
        spread = float(np.var(counts)) / float(np.mean(counts)) if self.frequency != "poisson" else 1.0
        many = Frequency(rate, max(spread, 1.0))
        if self.method == "monte_carlo":
            var, es, el = simulated(many, severity, self.level, self.draws, self.seed)
        else:
            var, es, el = aggregate(many, severity, self.level, self.points, self.method)
        told = {"category": name, "events": len(amounts), "rate": rate, "mu": severity.mu, "sigma": severity.sigma}
        return {**told, "el": el, "var": var, "ul": var - el, "es": es}
