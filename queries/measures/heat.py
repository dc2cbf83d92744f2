"""Heat diffusion: attention that flows from the shocked to their creditors for a time, and is nowhere lost.

    x = e^{-t (I - P)} s,    P_ij = A_ij / sum_k A_kj

with s the distress of the shock, A_ij the claim of i on j, t the time (Kondor, Lafferty, "Diffusion Kernels on Graphs",
ICML 2002; Chung, "The heat kernel as the pagerank of a graph", PNAS 104(50), 2007). It counts no money: it ranks whom
distress reaches in how many steps, `time` of them on average. The sum of x is the sum of s.

It is summed as e^{-t} sum_k t^k / k! P^k s: every term is at least 0, so nothing cancels, and what is left out after K
terms is at most the chance that a Poisson variable of mean t exceeds K (uniformisation: Jensen, 1953), kept below
`TAIL` of the shock. Long times are taken in parts of at most `PART`. Who has no creditors keeps what it
gets, and what it keeps counts as `direct`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import pdtrc

from kg.errors import MeasureError
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks

Floats = NDArray[np.float64]
TAIL = 1e-17
PART = 16.0
LONGEST = 1e4


@dataclass(frozen=True)
class Heat(RiskMeasure):
    """Attention that flows from the shocked to their creditors for a time: a rank, not money (heat diffusion)."""

    name: ClassVar[str] = "heat"
    needs_equity: ClassVar[bool] = False
    time: float = 1.0
    """How long it flows: steps that a grain of it takes on average."""

    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Scores, not money (`unit` is `score`); `direct` is what came by no exposure."""
        owed = exposures.owed
        share = np.divide(1.0, owed, out=np.zeros_like(owed), where=owed > 0)
        walk = sparse.csr_array(exposures.claims @ sparse.diags_array(share))
        x, moved, steps = diffuse(walk, shocks.distress, self.time)
        passed = moved * share
        received = (exposures.claims @ passed.T).T
        direct = np.maximum(x - received, 0.0)  # rounding must not make less than nothing of who keeps nothing
        parts = (direct, passed, direct + received, np.minimum(x, 1.0))
        return Losses(self.name, exposures, shocks.names, "score", *parts, rounds=steps)


def diffuse(walk: sparse.csr_array[np.float64], start: Floats, time: float) -> tuple[Floats, Floats, int]:
    """(scenarios, n) heat after a time, how much of it took its last step from whom, and the steps summed.

    Columns of `walk` sum to 1, or to 0 for who keeps what it gets.
    """
    if not (np.isfinite(time) and 0 <= time <= LONGEST):
        raise MeasureError(f"time of a diffusion is a number from 0 to {LONGEST:g}, not {time}")
    if walk.data.size and walk.data.min() < 0:
        raise MeasureError(f"weights of a diffusion are at least 0, not {walk.data.min()}; drop or turn these edges")
    stuck = (np.asarray(walk.sum(axis=0), float) <= 0)[:, None]
    parts = max(ceil(time / PART), 1)
    x = np.atleast_2d(np.asarray(start, float)).T.copy()
    moved, steps = np.zeros_like(x), 0
    for _ in range(parts):
        stepped, taken = _stepped(walk, stuck, x, time / parts)
        steps += taken
        moved = exp(-time / parts) * moved + np.where(stuck, 0.0, stepped)
        x = exp(-time / parts) * x + walk @ stepped + np.where(stuck, stepped, 0.0)
    return np.asarray(x.T, float), np.asarray(moved.T, float), steps


def _stepped(
    walk: sparse.csr_array[np.float64], stuck: NDArray[np.bool_], x: Floats, time: float
) -> tuple[Floats, int]:
    """sum over k >= 0 of w_{k+1} P^k x with w the Poisson weights of this time, and its terms."""
    total, weight, k = np.zeros_like(x), exp(-time) * time, 1
    while pdtrc(k - 1, time) > TAIL:  # the chance of k steps or more
        total += weight * x
        x = walk @ x + np.where(stuck, x, 0.0)
        k += 1
        weight *= time / k
    return total, k - 1
