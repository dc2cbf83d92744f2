"""SRISK: the capital a firm would be short of in a crisis.

    SRISK = k D - (1 - k) W (1 - LRMES)

with D book debt, W market equity and k the prudential ratio: Acharya, Engle, Richardson, American Economic Review
102(3), 2012; Brownlees, Engle, Review of Financial Studies 30(1), 2017. A negative one is a surplus: it is kept for
the firm, and counts as 0 in the sum over firms, since nobody hands a surplus to a rival in a crisis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from queries.figure import Domain, Figure, Rows, noted


@dataclass(frozen=True)
class Srisk(Figure):
    """Capital shortfall of each firm in a crisis, and the sum of shortfalls (SRISK)."""

    name: ClassVar[str] = "srisk"
    columns: ClassVar[Mapping[str, Domain]] = {"id": "text", "debt": "amount", "equity": "amount", "lrmes": "real"}
    limits: ClassVar[Mapping[str, Domain]] = {"k": "level"}

    k: float = 0.08
    """Equity a firm must hold, as a part of its assets."""

    def answer(self, rows: Rows) -> pa.Table:
        short = self.k * rows["debt"] - (1 - self.k) * rows["equity"] * (1 - rows["lrmes"])
        positive = np.maximum(short, 0.0)
        total = float(positive.sum())
        made = {
            "level": ["firm"] * len(rows) + ["system"],
            "id": [*rows.text("id"), ""],
            "srisk": [*short, total],
            "share": [*(positive / total if total else positive), 1.0 if total else 0.0],
        }
        surplus = int((short < 0).sum())
        return noted(pa.table(made), f"{surplus} firms have a surplus, which counts as 0 in the sum" if surplus else "")
