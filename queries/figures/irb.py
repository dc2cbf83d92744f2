"""Risk weights of the internal ratings based approach, Basel II and III.

    K = LGD (N( (G(PD) + sqrt(R) G(0.999)) / sqrt(1 - R) ) - PD) (1 + (M - 2.5) b) / (1 - 1.5 b)
    b = (0.11852 - 0.05478 ln PD)^2,    RW = 12.5 K

Basel Committee, "International Convergence of Capital Measurement", June 2006, paragraphs 272-273 (corporates, with
the discount for firms with sales of 5 to 50 million euro) and 328-330 (mortgages, revolving and other retail, which
have no maturity adjustment); "Basel III: Finalising post-crisis reforms", December 2017, CRE31 (correlation of large
or unregulated financial firms times 1.25) and CRE32 (least PD 0.05 %, 0.03 % in Basel II). M is held within 1 to 5
years. A defaulted obligor (PD 1) has K = max(0, LGD - best estimate of its loss), column `best_estimate`; without
one it is 0, as in the foundation approach. `scaling` is Basel II's factor on assets (1.06); Basel III has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from queries.figure import Domain, Figure, Floats, Rows, noted
from queries.figures.vasicek import basel_correlation, worst_case

LEVEL = 0.999
FLOOR = {"basel2": 0.0003, "basel3": 0.0005}
RETAIL = {"mortgage": 0.15, "revolving": 0.04}


@dataclass(frozen=True)
class Irb(Figure):
    """Risk weight, capital and risk-weighted assets of each obligor (Basel II and III, internal ratings)."""

    name: ClassVar[str] = "irb"
    columns: ClassVar[Mapping[str, Domain]] = {"id": "text", "pd": "share", "lgd": "share"}
    optional: ClassVar[Mapping[str, Domain]] = {
        "ead": "amount",
        "maturity": "amount",
        "sales": "amount",
        "financial": "flag",
        "best_estimate": "share",
    }
    limits: ClassVar[Mapping[str, Domain]] = {"maturity": "amount", "scaling": "positive"}

    accord: Literal["basel2", "basel3"] = "basel3"
    """Which floor of PD, and whether large financial firms correlate more."""
    asset_class: Literal["corporate", "mortgage", "revolving", "retail"] = "corporate"
    """Which curve of correlation; all but corporate have no maturity adjustment."""
    maturity: float = 2.5
    """Effective maturity in years where the table has no column of that name."""
    scaling: float = 1.0
    """Factor on risk-weighted assets: 1.06 under Basel II."""

    def answer(self, rows: Rows) -> pa.Table:
        lgd, ead = rows["lgd"], rows.get("ead", 1.0)
        defaulted = rows["pd"] >= 1
        pd = np.where(defaulted, 1.0, np.maximum(rows["pd"], FLOOR[self.accord]))
        rho = self.correlation(pd, rows)
        adjustment = self.by_maturity(pd, rows)
        k = lgd * (worst_case(pd, rho, LEVEL) - pd) * adjustment
        best = rows.get("best_estimate", lgd)
        # the curves fall below 0 close to PD 1, and capital is never less than none
        k = np.maximum(np.where(defaulted, lgd - best, k), 0.0)
        weight = 12.5 * k * self.scaling
        made = {"id": rows.text("id"), "pd": pd, "correlation": rho, "maturity_adjustment": adjustment, "k": k}
        made |= {"rw": weight, "ead": ead, "rwa": weight * ead, "capital": 0.08 * weight * ead, "el": pd * lgd * ead}
        raised = int((rows["pd"] < FLOOR[self.accord]).sum())
        return noted(
            pa.table(made),
            f"{raised} PDs are raised to the floor of {FLOOR[self.accord]:.2%}" if raised else "",
            "" if "ead" in rows else "no column ead: taken as 1",
            f"{int(defaulted.sum())} defaulted have no best estimate of loss, so K is 0"
            if defaulted.any() and "best_estimate" not in rows
            else "",
        )

    def correlation(self, pd: Floats, rows: Rows) -> Floats:
        """Asset correlation of each obligor."""
        if self.asset_class in RETAIL:
            return np.full(len(pd), RETAIL[self.asset_class])
        if self.asset_class == "retail":
            fall = np.expm1(-35 * pd) / np.expm1(-35.0)
            return np.asarray(0.03 * fall + 0.16 * (1 - fall), float)
        sales = np.clip(rows.get("sales", 50.0), 5.0, 50.0)
        rho = basel_correlation(pd) - 0.04 * (1 - (sales - 5) / 45)
        large = rows.get("financial", 0.0) if self.accord == "basel3" else np.zeros(len(pd))
        return np.asarray(np.where(large == 1, 1.25 * rho, rho), float)

    def by_maturity(self, pd: Floats, rows: Rows) -> Floats:
        """Factor by which a longer loan needs more capital."""
        if self.asset_class != "corporate":
            return np.ones(len(pd))
        m = np.clip(rows.get("maturity", self.maturity), 1.0, 5.0)
        b = (0.11852 - 0.05478 * np.log(pd)) ** 2
        return np.asarray((1 + (m - 2.5) * b) / (1 - 1.5 * b), float)
