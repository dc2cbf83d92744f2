"""Joint default: how likely two obligors are to fail together, and what correlation of defaults that is.

    P(i and j) = N2(N^-1(PD_i), N^-1(PD_j), rho),    corr = (P - PD_i PD_j) / sqrt(PD_i (1 - PD_i) PD_j (1 - PD_j))

the Gaussian copula of Li, "On Default Correlation", Journal of Fixed Income 9(4), 2000. The bivariate normal is
N(a) N(b) plus the integral over the correlation of its density (Drezner, Wesolowsky, Journal of Statistical
Computation and Simulation 35, 1990). rho is `rho`, or the product of the two loadings where the table has them. With
rho 1 it is the smaller PD, with rho -1 what the two exceed 1 by; the correlation of a default that is sure (PD 0 or
1) is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from kg.errors import MeasureError
from queries.figure import Domain, Figure, Floats, Rows

POINTS = 200
MOST = 2_000
"""Obligors whose pairs are told; more would be millions of rows."""


@dataclass(frozen=True)
class JointDefault(Figure):
    """Probability that two obligors default together, for every pair (Gaussian copula)."""

    name: ClassVar[str] = "joint_default"
    columns: ClassVar[Mapping[str, Domain]] = {"id": "text", "pd": "share"}
    optional: ClassVar[Mapping[str, Domain]] = {"loading": "correlation"}
    limits: ClassVar[Mapping[str, Domain]] = {"rho": "correlation"}

    rho: float = 0.2
    """Asset correlation of every pair, where the table has no column `loading`."""

    def answer(self, rows: Rows) -> pa.Table:
        if not 2 <= len(rows) <= MOST:
            raise MeasureError(f"joint_default: pairs of 2 to {MOST} obligors are told, not of {len(rows)}")
        i, j = np.triu_indices(len(rows), 1)
        pd, ids = rows["pd"], rows.text("id")
        rho = rows["loading"][i] * rows["loading"][j] if "loading" in rows else np.full(len(i), self.rho)
        both = together(pd[i], pd[j], rho)
        spread = np.sqrt(pd[i] * (1 - pd[i]) * pd[j] * (1 - pd[j]))
        correlation = np.divide(both - pd[i] * pd[j], spread, out=np.full(len(i), np.nan), where=spread > 0)
        made = {"a": [ids[k] for k in i], "b": [ids[k] for k in j], "rho": rho, "probability": both}
        return pa.table({**made, "correlation": pa.array(correlation, from_pandas=True)})


def together(p: ArrayLike, q: ArrayLike, rho: ArrayLike) -> Floats:
    """Probability that both default, to about 1e-14."""
    p, q, rho = np.broadcast_arrays(*(np.asarray(part, float) for part in (p, q, rho)))
    unsure = (p > 0) & (p < 1) & (q > 0) & (q < 1) & (np.abs(rho) < 1)
    a, b, r = (np.where(unsure, part, rest) for part, rest in ((p, 0.5), (q, 0.5), (rho, 0.0)))
    a, b = ndtri(a), ndtri(b)
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    half = np.arcsin(r) / 2
    total = np.zeros(a.shape)
    for node, weight in zip(nodes, weights, strict=True):  # the density over rho = sin(angle) has no pole
        sine = np.sin(half * (node + 1))
        total += weight * np.exp(-(a**2 + b**2 - 2 * a * b * sine) / (2 * (1 - sine**2)))
    inside = ndtr(a) * ndtr(b) + half * total / (2 * np.pi)
    edge = np.where(rho >= 1, np.minimum(p, q), np.where(rho <= -1, np.maximum(p + q - 1, 0.0), p * q))
    return np.asarray(np.where(unsure, inside, edge), float)
