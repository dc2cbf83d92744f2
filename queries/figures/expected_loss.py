"""Expected and unexpected loss: what a portfolio of loans costs on average, and how far a year strays from it.

    EL_i = PD_i LGD_i EAD_i
    UL_i^2 = EAD_i^2 (PD_i (1 - PD_i) LGD_i^2 + PD_i s_i^2)

with s_i the standard deviation of the loss given default (column `lgd_sd`, 0 without it): Ong, "Internal Credit Risk
Models", Risk Books, 1999. Defaults of a portfolio hang together over one normal factor of asset correlation rho
(Vasicek, Risk, December 2002), so

    UL^2 = Var E[L | z] + E Var[L | z],    p_i(z) = N((N^-1(PD_i) - sqrt(rho) z) / sqrt(1 - rho))

integrated over z; `contribution` is Cov(L_i, L) / UL, which adds up to the portfolio's UL. Columns `pd_low`,
`pd_high`, `lgd_low`, `lgd_high` carry doubt about PD and LGD into `el_low` and `el_high`: exact per obligor, as EL
rises in both. Of the portfolio they hold where all are wrong together; with `doubt` "independent" deviations are
added as squares. PD 0 and 1 and rho 0 and 1 are defined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from scipy.special import ndtr, ndtri

from kg.errors import MeasureError
from queries.figure import Domain, Figure, Floats, Rows, noted

REACH = 9.0
"""Standard deviations of the factor that are integrated over; what lies beyond is below rounding."""
BLOCK = 2_000_000


@dataclass(frozen=True)
class ExpectedLoss(Figure):
    """EL and UL of each obligor and of the portfolio, with ranges where PD or LGD have one."""

    name: ClassVar[str] = "expected_loss"
    columns: ClassVar[Mapping[str, Domain]] = {"id": "text", "pd": "share", "lgd": "share", "ead": "amount"}
    optional: ClassVar[Mapping[str, Domain]] = {
        "lgd_sd": "share",
        "pd_low": "share",
        "pd_high": "share",
        "lgd_low": "share",
        "lgd_high": "share",
    }
    limits: ClassVar[Mapping[str, Domain]] = {"rho": "share"}

    rho: float = 0.0
    """Asset correlation of any two obligors."""
    doubt: Literal["together", "independent"] = "together"
    """Are all PDs and LGDs wrong in the same direction, or each for itself?"""

    def answer(self, rows: Rows) -> pa.Table:
        pd, lgd, ead, sd = rows["pd"], rows["lgd"], rows["ead"], rows.get("lgd_sd", 0.0)
        el = pd * lgd * ead
        ul = ead * np.sqrt(pd * (1 - pd) * lgd**2 + pd * sd**2)
        covariance = contributions(pd, lgd * ead, sd * ead, self.rho)
        whole = float(np.sqrt(max(covariance.sum(), 0.0)))
        contribution = covariance / whole if whole else np.zeros_like(el)
        low, high = self._ends(rows)
        # doubt spreads as squares where each is wrong for itself
        spread = [float(np.sqrt(((end - el) ** 2).sum())) for end in (low, high)]
        ends = (float(low.sum()), float(high.sum()))
        ends = ends if self.doubt == "together" else (float(el.sum()) - spread[0], float(el.sum()) + spread[1])
        total = [float(part.sum()) for part in (ead, el)]
        made = {
            "level": ["obligor"] * len(rows) + ["portfolio"],
            "id": [*rows.text("id"), ""],
            "pd": [*pd, total[1] / float((lgd * ead).sum()) if (lgd * ead).any() else 0.0],
            "ead": [*ead, total[0]],
            "el": [*el, total[1]],
            "el_low": [*low, ends[0]],
            "el_high": [*high, ends[1]],
            "ul": [*ul, whole],
            "contribution": [*contribution, whole],
        }
        known = any(name in rows for name in ("pd_low", "pd_high", "lgd_low", "lgd_high"))
        return noted(pa.table(made), "" if known else "PD and LGD have no range, so el_low and el_high are el")

    def _ends(self, rows: Rows) -> tuple[Floats, Floats]:
        """Least and greatest EL of each obligor; MeasureError where a range does not hold its value."""
        made: list[Floats] = []
        for end, sign in (("low", 1), ("high", -1)):
            product = rows["ead"].copy()
            for name in ("pd", "lgd"):
                value = rows.get(f"{name}_{end}", rows[name])
                bad = np.flatnonzero(sign * (rows[name] - value) < 0)
                if len(bad):
                    id, own, beyond = rows.text("id")[bad[0]], rows[name][bad[0]], value[bad[0]]
                    raise MeasureError(
                        f"expected_loss: {name}_{end} {beyond} of {id} is beyond its {name} {own}; "
                        f"a range holds its value: {name}_low <= {name} <= {name}_high"
                    )
                product = product * value
            made.append(product)
        return made[0], made[1]


def contributions(pd: Floats, lost: Floats, spread: Floats, rho: float) -> Floats:
    """(n,) Cov(L_i, L) of default losses `lost` with standard deviation `spread`; their sum is the variance of L."""
    own = pd * (1 - pd) * lost**2 + pd * spread**2
    if rho == 0 or len(pd) == 1:
        return np.asarray(own, float)
    if rho == 1:
        return _all_or_none(pd, lost) + own - pd * (1 - pd) * lost**2
    z, weight = factor_grid(rho)
    safe = np.clip(pd, 1e-300, 1 - 1e-16)
    threshold = np.where(pd <= 0, -np.inf, np.where(pd >= 1, np.inf, ndtri(safe)))
    size, common, alone = max(BLOCK // len(pd), 1), np.zeros(len(pd)), np.zeros(len(pd))
    for start in range(0, len(z), size):
        part, w = z[start : start + size, None], weight[start : start + size]
        p = ndtr((threshold - np.sqrt(rho) * part) / np.sqrt(1 - rho))
        expected = (p - pd) * lost
        common += w @ (expected * expected.sum(axis=1, keepdims=True))
        alone += w @ (p * (1 - p)) * lost**2
    return np.asarray(common + alone + pd * spread**2, float)


def factor_grid(rho: float) -> tuple[Floats, Floats]:
    """Points and weights of a normal factor: the trapezoid rule, fine enough for the steepest p(z).

    For a smooth integrand that dies out at both ends it converges faster than any power of the step (Trefethen,
    Weideman, SIAM Review 56(3), 2014).
    """
    steep = np.sqrt((1 - rho) / rho) if rho else 1.0
    count = int(np.clip(np.ceil(2 * REACH * 8 / steep), 1_001, 200_001)) | 1
    z = np.linspace(-REACH, REACH, count)
    weight = np.exp(-(z**2) / 2) * (z[1] - z[0]) / np.sqrt(2 * np.pi)
    return z, weight / weight.sum()


def _all_or_none(pd: Floats, lost: Floats) -> Floats:
    """Cov(L_i, L) where one draw decides for all: two default with the smaller of their PDs."""
    order = np.argsort(pd, kind="stable")
    p, x = pd[order], lost[order]
    upto = np.cumsum(p * x)
    smaller = upto + p * (x.sum() - np.cumsum(x))
    found = np.empty_like(p)
    found[order] = x * (smaller - p * (p * x).sum())
    return found
