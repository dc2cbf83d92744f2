"""Concentration of a portfolio: Herfindahl index, largest names, and the capital that a fine-grained model misses.

HHI = sum s_i^2 of shares s_i of exposure; 1 / HHI is how many equal names would be as concentrated. The granularity
adjustment is that of Gordy, Luetkebohmert, "Granularity Adjustment for Regulatory Capital Assessment", International
Journal of Central Banking 9(3), 2013, which adds to the capital of a portfolio of infinitely many names (per unit of
exposure)

    GA = 1 / (2 K*) sum s_i^2 [ d (C_i (K_i + R_i) + v_i (K_i + R_i)^2) - K_i (C_i + 2 v_i (K_i + R_i)) ]

with R_i = LGD PD, K_i = LGD (WCDR_q - PD), K* = sum s_i K_i, C_i = (LGD^2 + VLGD^2) / LGD, v_i = VLGD^2 / LGD^2,
VLGD^2 = g LGD (1 - LGD), d = (x - 1)(xi + (1 - xi) / x) and x the q-quantile of a gamma factor of mean 1 and shape
xi. `simplified` drops the products of K and R, as their equation for supervision does. Names of one id are one name.
Without `pd` and `lgd` the adjustment is not told; where nothing can be lost (K* = 0) it is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from queries.figure import Domain, Figure, Floats, Rows, by_group, noted
from queries.figures.vasicek import basel_correlation, worst_case


@dataclass(frozen=True)
class Concentration(Figure):
    """How far a portfolio hangs on few names (HHI; Gordy and Luetkebohmert 2013)."""

    name: ClassVar[str] = "concentration"
    columns: ClassVar[Mapping[str, Domain]] = {"id": "text", "ead": "amount"}
    optional: ClassVar[Mapping[str, Domain]] = {"pd": "share", "lgd": "share"}
    limits: ClassVar[Mapping[str, Domain]] = {"level": "level", "shape": "positive", "spread": "share", "top": "count"}

    level: float = 0.999
    """Confidence of the capital."""
    shape: float = 0.25
    """Shape of the gamma factor: the smaller, the wilder the economy."""
    spread: float = 0.25
    """Variance of the loss given default, as a part of its greatest, LGD (1 - LGD)."""
    simplified: bool = False
    """Leave out second-order terms, as supervisors do."""
    top: int = 10
    """How many largest names are told together."""

    def answer(self, rows: Rows) -> pa.Table:
        groups = by_group(rows.text("id"))
        ead = np.array([rows["ead"][at].sum() for at in groups.values()])
        total = float(ead.sum())
        share = ead / total if total else ead
        hhi = float((share**2).sum())
        told = {
            "names": len(groups),
            "exposure": total,
            "hhi": hhi,
            "effective_names": 1 / hhi if hhi else 0.0,
            "largest": float(share.max()),
            "top_share": float(np.sort(share)[::-1][: self.top].sum()),
        }
        if "pd" not in rows or "lgd" not in rows:
            made = pa.table({name: [value] for name, value in told.items()})
            return noted(made, "no columns pd and lgd, so no granularity adjustment")
        # several loans to one name default together: their mean PD and LGD, by exposure
        weight = rows["ead"] if total else np.ones(len(rows))
        pd, lgd = (np.array([_mean(rows[c][at], weight[at]) for at in groups.values()]) for c in ("pd", "lgd"))
        capital, adjustment = self.granularity(share, pd, lgd)
        told |= {"capital": capital, "granularity": adjustment, "granularity_amount": adjustment * total}
        return noted(pa.table({name: [value] for name, value in told.items()}))

    def granularity(self, share: Floats, pd: Floats, lgd: Floats) -> tuple[float, float]:
        """Capital of the infinitely fine portfolio and the adjustment, both per unit of exposure."""
        from scipy.stats import gamma

        x = float(gamma.ppf(self.level, self.shape, scale=1 / self.shape))
        d = (x - 1) * (self.shape + (1 - self.shape) / x)
        loss = lgd * pd
        capital = lgd * np.maximum(worst_case(pd, basel_correlation(pd), self.level) - pd, 0.0)
        whole = float((share * capital).sum())
        if whole <= 0:
            return 0.0, 0.0
        safe = np.where(lgd > 0, lgd, 1.0)
        variance = self.spread * lgd * (1 - lgd)
        c, v = (lgd**2 + variance) / safe, variance / safe**2
        v = np.zeros_like(v) if self.simplified else v
        reached = capital + loss
        terms = d * (c * reached + v * reached**2) - capital * (c + 2 * v * reached)
        return whole, float((share**2 * terms).sum() / (2 * whole))


def _mean(values: Floats, weight: Floats) -> float:
    return float(np.average(values, weights=weight)) if weight.sum() else float(values.mean())
