"""Worst-case default rate: the share of a large portfolio that defaults in a year that bad (Vasicek).

    WCDR = N( (N^-1(PD) + sqrt(rho) N^-1(q)) / sqrt(1 - rho) )

Vasicek, "The Distribution of Loan Portfolio Value", Risk, December 2002. Without `rho` it is the correlation that
Basel gives to corporates of that PD (paragraph 272 of Basel II: 0.12 e + 0.24 (1 - e), e = (1 - exp(-50 PD)) /
(1 - exp(-50))). With rho 0 the rate is PD whatever the year; with rho 1 all default or none, so it is 1 where
PD > 1 - q. PD 0 and 1 are themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from queries.figure import Domain, Figure, Floats, Rows, noted


@dataclass(frozen=True)
class Vasicek(Figure):
    """Worst-case default rate and credit VaR of each obligor in a large portfolio (Vasicek 2002)."""

    name: ClassVar[str] = "vasicek"
    columns: ClassVar[Mapping[str, Domain]] = {"id": "text", "pd": "share"}
    optional: ClassVar[Mapping[str, Domain]] = {"lgd": "share", "ead": "amount", "rho": "share"}
    limits: ClassVar[Mapping[str, Domain]] = {"level": "level", "rho": "share"}

    level: float = 0.999
    """Confidence: one year in 1 / (1 - level) is worse."""
    rho: float | None = None
    """Asset correlation of all; None: a column `rho`, else what Basel gives to corporates of that PD."""

    def answer(self, rows: Rows) -> pa.Table:
        pd = rows["pd"]
        rho = basel_correlation(pd) if self.rho is None else np.full(len(pd), self.rho)
        rho = rows["rho"] if "rho" in rows and self.rho is None else rho
        rate = worst_case(pd, rho, self.level)
        size = rows.get("lgd", 1.0) * rows.get("ead", 1.0)
        made = {"id": rows.text("id"), "pd": pd, "rho": rho, "wcdr": rate}
        made |= {"el": size * pd, "credit_var": size * rate, "ul": size * (rate - pd)}
        absent = [name for name in ("lgd", "ead") if name not in rows]
        return noted(pa.table(made), f"no column {' and '.join(absent)}: taken as 1" if absent else "")


def worst_case(pd: ArrayLike, rho: ArrayLike, level: float) -> Floats:
    """Default rate that is exceeded with probability 1 - level."""
    p, r = np.broadcast_arrays(np.asarray(pd, float), np.asarray(rho, float))
    inside = (p > 0) & (p < 1) & (r < 1)
    safe_p, safe_r = np.where(inside, p, 0.5), np.where(inside, r, 0.0)
    rate = ndtr((ndtri(safe_p) + np.sqrt(safe_r) * ndtri(level)) / np.sqrt(1 - safe_r))
    together = np.where(p > 1 - level, 1.0, 0.0)  # rho 1: everyone's fate is one
    return np.asarray(np.where(inside, rate, np.where((p > 0) & (p < 1), together, p)), float)


def basel_correlation(pd: ArrayLike) -> Floats:
    """Asset correlation of corporates by PD (Basel II, paragraph 272)."""
    fall = np.expm1(-50 * np.asarray(pd, float)) / np.expm1(-50.0)
    return np.asarray(0.12 * fall + 0.24 * (1 - fall), float)
