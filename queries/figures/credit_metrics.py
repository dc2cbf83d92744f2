"""Rating migration: what a portfolio is worth in a year, by simulation over correlated obligors (CreditMetrics).

The table has one row per obligor and state: its `probability`, the `value` there, and `rank` (0 the best). Gupton,
Finger, Bhatia, "CreditMetrics Technical Document", J.P. Morgan, 1997: a normal return X_i = w_i Z_f + sqrt(1 - w_i^2)
e_i of obligor i, Z_f the factor it belongs to, and thresholds N^-1 of the cumulated probabilities from the worst
state up. Mean and standard deviation of one obligor are exact sums over states; those of the portfolio, value at
risk and expected shortfall (of the loss against the mean) come from `draws` years of the seed, with the standard
error of the mean beside them.

`w_i` is the column `loading`, else sqrt(rho). `correlation` says how factors move together, such as
"banks~steel=0.3, banks~oil=0.1"; pairs not named do not. A correlation that is not positive semidefinite cannot be
and is refused. Probabilities of 0 and 1 and loadings of 0 and 1 are defined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import ndtri

from kg.errors import MeasureError
from queries.figure import Domain, Figure, Floats, Rows, by_group, noted
from queries.market.returns import tail

BLOCK = 4_000_000
"""Obligor-years simulated at once."""
WHOLE = 1e-6
"""How far probabilities of an obligor may be from 1; printed tables are rounded."""


@dataclass(frozen=True)
class Obligors:
    """Every obligor with its states from worst to best."""

    ids: list[str]
    thresholds: list[Floats]
    """Upper ends, in standard deviations, of all states but the best."""
    values: list[Floats]
    probabilities: list[Floats]
    loading: Floats
    factor: NDArray[np.intp]


@dataclass(frozen=True)
class CreditMetrics(Figure):
    """Value of a portfolio in a year under correlated rating changes (CreditMetrics 1997)."""

    name: ClassVar[str] = "credit_metrics"
    columns: ClassVar[Mapping[str, Domain]] = {
        "id": "text",
        "rank": "count",
        "state": "text",
        "probability": "share",
        "value": "real",
    }
    optional: ClassVar[Mapping[str, Domain]] = {"loading": "correlation", "factor": "text"}
    limits: ClassVar[Mapping[str, Domain]] = {"rho": "share", "level": "level", "draws": "count", "seed": "count"}

    rho: float = 0.2
    """Asset correlation of two obligors of one factor, where the table has no column `loading`."""
    correlation: str = ""
    """Correlation of factors: "a~b=0.3, a~c=0.1"."""
    level: float = 0.99
    """Confidence of value at risk and expected shortfall."""
    draws: int = 20_000
    """Years simulated."""
    seed: int = 0
    """The same seed gives the same years."""

    def answer(self, rows: Rows) -> pa.Table:
        if self.draws < 2:
            raise MeasureError(f"credit_metrics: draws is a number of years of at least 2, not {self.draws}")
        factors = sorted(set(rows.text("factor"))) if "factor" in rows else [""]
        obligors = self.obligors(rows, factors)
        worth, fallen = self.years(obligors, psd_root(factors, self.correlation))
        means = [float(p @ v) for p, v in zip(obligors.probabilities, obligors.values, strict=True)]
        parts = zip(obligors.probabilities, obligors.values, means, strict=True)
        sds = [float(np.sqrt(max(float(p @ (v - mean) ** 2), 0.0))) for p, v, mean in parts]
        total = sum(means)
        var, shortfall = tail(total - worth, self.level)
        n = len(obligors.ids)
        made = {
            "level": ["obligor"] * n + ["portfolio"],
            "id": [*obligors.ids, ""],
            "mean": [*means, total],
            "sd": [*sds, float(worth.std(ddof=1))],
            "default_probability": [*(float(p[0]) for p in obligors.probabilities), float((fallen > 0).mean())],
            "var": [*[None] * n, var],
            "es": [*[None] * n, shortfall],
            "simulated_mean": [*[None] * n, float(worth.mean())],
            "standard_error": [*[None] * n, float(worth.std(ddof=1) / np.sqrt(self.draws))],
            "all_default": [*[None] * n, float((fallen == n).mean())],
        }
        return noted(pa.table(made), "the worst state of each obligor counts as its default")

    def obligors(self, rows: Rows, factors: Sequence[str]) -> Obligors:
        """Obligors by id; MeasureError where probabilities are not 1 in all or states share a rank."""
        groups = by_group(rows.text("id"))
        loading: list[float] = []
        factor: list[int] = []
        every = rows.get("loading", float(np.sqrt(self.rho)))
        named = rows.text("factor") if "factor" in rows else [""] * len(rows)
        thresholds, values, probabilities = [], [], []
        for id, at in groups.items():
            at = at[np.argsort(-rows["rank"][at], kind="stable")]
            p, rank = rows["probability"][at], rows["rank"][at]
            if abs(p.sum() - 1) > WHOLE:
                raise MeasureError(f"credit_metrics: probabilities of {id} add up to {p.sum():.8g}; they must make 1")
            if len(set(rank)) < len(rank) or len(set(every[at])) > 1 or len({named[i] for i in at}) > 1:
                raise MeasureError(f"credit_metrics: {id} has a rank twice, or more than one loading or factor")
            p = p / p.sum()
            with np.errstate(divide="ignore"):
                thresholds.append(np.asarray(ndtri(np.clip(np.cumsum(p)[:-1], 0.0, 1.0)), float))
            values.append(rows["value"][at])
            probabilities.append(p)
            loading.append(every[at[0]])
            factor.append(factors.index(named[at[0]]))
        return Obligors(list(groups), thresholds, values, probabilities, np.array(loading), np.array(factor, np.intp))

    def years(self, obligors: Obligors, root: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """(draws,) value of the portfolio, and how many obligors are in their worst state."""
        random = np.random.default_rng(self.seed)
        n, size = len(obligors.ids), max(BLOCK // len(obligors.ids), 1)
        own = np.sqrt(1 - obligors.loading**2)
        worth, fallen = np.zeros(self.draws), np.zeros(self.draws, np.int64)
        for start in range(0, self.draws, size):
            count = min(size, self.draws - start)
            common = random.standard_normal((count, len(root))) @ root.T
            x = common[:, obligors.factor] * obligors.loading + random.standard_normal((count, n)) * own
            for i in range(n):
                state = np.searchsorted(obligors.thresholds[i], x[:, i], side="left")
                worth[start : start + count] += obligors.values[i][state]
                fallen[start : start + count] += state == 0
        return worth, fallen


def psd_root(factors: Sequence[str], text: str) -> Floats:
    """A matrix whose product with its transpose is the correlation of factors; MeasureError if there is none."""
    matrix = np.eye(len(factors))
    for part in (part.strip() for part in text.split(",") if part.strip()):
        pair, _, value = part.partition("=")
        names = [name.strip() for name in pair.split("~")]
        if len(names) != 2 or not set(names) <= set(factors) or names[0] == names[1]:
            raise MeasureError(
                f"credit_metrics: correlation {part!r} names no pair of factors; write a~b=0.3 with two of "
                f"{', '.join(factors)}"
            )
        i, j = (factors.index(name) for name in names)
        try:
            matrix[i, j] = matrix[j, i] = float(value)
        except ValueError as error:
            raise MeasureError(f"credit_metrics: correlation {part!r} has no number; write a~b=0.3") from error
        if not abs(matrix[i, j]) <= 1:
            raise MeasureError(f"credit_metrics: correlation {part!r} is not from -1 to 1")
    size, turn = np.linalg.eigh(matrix)
    if size[0] < -1e-10:
        raise MeasureError(
            f"credit_metrics: the correlation of {', '.join(factors)} is not positive semidefinite (least eigenvalue "
            f"{size[0]:.3g}), so no factors move like that; weaken the strongest pairs"
        )
    return np.asarray(turn * np.sqrt(np.maximum(size, 0.0)), float)
