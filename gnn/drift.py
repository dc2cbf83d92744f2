"""Drift: how far figures have moved from those that a model was made with, and whether its probabilities still hold.

Population stability index of shares e (then) and a (now) over bins (Siddiqi 2006; the symmetric divergence of Jeffreys
1946):

    PSI = sum_b (a_b - e_b) ln(a_b / e_b)

Bins are the tenths of what was seen then, and one for what is missing. Shares are (count + 1/2) / (n + bins / 2), so
that an empty bin counts as much as half a firm. Where nothing moved PSI is near (1/n + 1/m) times a chi-square of
bins - 1 degrees (Yurdakul and Naranjo 2020): below the 99.9th percentile of that it is chance, as among few firms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import chi2

from gnn.calibrate import expected_error
from gnn.encoders.table import NAMES
from gnn.head import Cohort
from gnn.vocabulary import RELATIONS

TENTHS: Final = 10
SURE: Final = 0.999
DRAWS: Final = 500


@dataclass(frozen=True)
class Bins:
    """Where one figure was cut into tenths, and how many lay in each; the last count is of those without a value."""

    edges: tuple[float, ...]
    """Ascending inner edges: a value belongs to the bin of the edges not above it."""
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: np.ndarray) -> Bins:
        """Tenths of the values; equal ones are never parted, so there may be fewer bins. NaN is a missing value."""
        known = values[np.isfinite(values)]
        cuts = np.quantile(known, np.arange(1, TENTHS) / TENTHS, method="higher") if len(known) else np.zeros(0)
        edges = tuple(np.unique(cuts[cuts > known.min()]).tolist()) if len(known) else ()
        return cls(edges, _counts(edges, values))

    def moved(self, values: np.ndarray) -> tuple[float, float]:
        """PSI of other values against these, and what chance alone stays below."""
        return psi(self.counts, _counts(self.edges, values))


def _counts(edges: Sequence[float], values: np.ndarray) -> tuple[int, ...]:
    known = np.isfinite(values)
    place = np.searchsorted(np.array(edges), values[known], side="right")
    return (*np.bincount(place, minlength=len(edges) + 1).tolist(), int((~known).sum()))


def psi(then: Sequence[int], now: Sequence[int]) -> tuple[float, float]:
    """The index of two rows of counts, and what chance alone stays below; bins empty in both do not count."""
    both = np.array([then, now], dtype=np.float64)
    both = both[:, both.sum(0) > 0]
    n, m = both.sum(1)
    bins = both.shape[1]
    if bins < 2 or not n or not m:
        return 0.0, 0.0
    e, a = ((row + 0.5) / (row.sum() + bins / 2) for row in both)
    chance = float(chi2.ppf(SURE, bins - 1)) * (1 / n + 1 / m)
    return float(np.sum((a - e) * np.log(a / e))), chance


def columns(cohort: Cohort) -> dict[str, np.ndarray]:
    """(firms,) by name: each scaled figure with NaN where it is missing, the number of edges by relation, and for the
    other modalities whether the firm has them. Figures and relations that no firm has are left out."""
    graph, rows = cohort.graph, cohort.rows
    found: dict[str, np.ndarray] = {}
    if (own := graph.features.get("numeric")) is not None and len(rows):
        dense = own.dense(len(graph))[rows].double().numpy()
        for column, name in enumerate(NAMES):
            known = dense[:, len(NAMES) + column] > 0
            if known.any():
                found[name] = np.where(known, dense[:, column], np.nan)
    for name in sorted(set(graph.features) - {"numeric"}):
        has = graph.features[name].mask(len(graph))[rows].double().numpy()
        found[f"has {name}"] = np.where(has > 0, 1.0, np.nan)
    for relation, name in enumerate(RELATIONS):
        edges = graph.edges[graph.edges[:, 1] == relation].numpy()
        count = np.bincount(edges[:, [0, 2]].reshape(-1), minlength=len(graph))[rows.numpy()]
        if count.any():
            found[f"edges {name}"] = count.astype(np.float64)
    return found


def by_then(probability: np.ndarray, share: float) -> np.ndarray:
    """Probability of falling within a share of the window, the hazard being the same all along: 1 - (1 - p)^share."""
    found: np.ndarray = 1.0 - (1.0 - np.clip(probability, 0.0, 1.0)) ** share
    return found


def decay(probability: np.ndarray, truth: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """Expected calibration error, its 99th percentile were the probabilities true, and the Brier score.

    The percentile is over outcomes drawn from the probabilities themselves (consistency resampling, Broecker and Smith
    2007): a small sample of true probabilities has an error above 0 as well.
    """
    draw = np.random.default_rng(seed)
    would = [expected_error(probability, (draw.random(len(probability)) < probability) * 1.0) for _ in range(DRAWS)]
    brier = float(np.mean((probability - truth) ** 2)) if len(truth) else float("nan")
    return expected_error(probability, truth), float(np.quantile(would, 0.99)) if len(truth) else 0.0, brier
