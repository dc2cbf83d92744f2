"""Correlation of returns over a window: Pearson and Spearman, their p-values, and which of all pairs stand out.

t = r sqrt((n - 2) / (1 - r^2)) has Student's distribution with n - 2 degrees of freedom where returns are independent.
Of the pairs of one window those are kept that the procedure of Benjamini and Hochberg (1995) rejects at the given rate
of false discoveries.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
METHODS: Final = ("pearson", "spearman")
RATE: Final = 0.05
"""Share of false discoveries allowed among the pairs kept."""


def matrix(returns: Floats, method: str) -> Floats:
    """Correlations of the columns: (n, series) -> (series, series); nan for a column that never moves."""
    values = ranks(returns) if method == "spearman" else returns
    centred = values - values.mean(axis=0)
    length = np.sqrt((centred * centred).sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = np.where(length > 0, centred / length, np.nan)
    found: Floats = np.clip(scaled.T @ scaled, -1.0, 1.0)
    return found


def ranks(values: Floats) -> Floats:
    """Rank of each value in its column; equal values share the mean of theirs."""
    return pl.DataFrame(values).select(pl.all().rank("average")).to_numpy()


def p_values(correlations: Floats, n: int) -> Floats:
    """Two-sided p of correlations over n pairs of values."""
    from scipy.special import stdtr

    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(correlations) * np.sqrt((n - 2) / (1 - correlations**2))
    found: Floats = 2 * stdtr(n - 2, -t)
    return found


def discoveries(p: Floats, rate: float = RATE) -> npt.NDArray[np.bool_]:
    """Which tests are rejected: all up to the largest k with p_(k) <= k / m * rate."""
    kept = np.zeros(len(p), dtype=bool)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    below = p[order] <= np.arange(1, len(order) + 1) / max(len(order), 1) * rate
    if below.any():
        kept[order[: int(np.flatnonzero(below)[-1]) + 1]] = True
    return kept


def pairs(returns: Floats, method: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats, Floats]:
    """The pairs of columns that stand out: first, second, correlation, p."""
    first, second = np.triu_indices(returns.shape[1], 1)
    r = matrix(returns, method)[first, second]
    p = p_values(r, len(returns))
    kept = discoveries(p)
    return first[kept], second[kept], r[kept], p[kept]


def told(method: str, r: float, p: float, n: int) -> str:
    """How a correlation is quoted."""
    return f"{method} {r:.6f}, p {p:.3g}, {n} returns"
