"""Personalised PageRank: how much of the shock's attention ends at whom, walking from debtors to creditors.

    x = (1 - a) s + a W^T x,    W_ji = A_ij / sum_i A_ij

with s the distress of the shock and A_ij the claim of i on j (Page, Brin, Motwani, Winograd, "The PageRank
Citation Ranking", 1999; Haveliwala, "Topic-Sensitive PageRank", WWW 2002). It counts no money: it ranks who
stands in the way of distress when balance sheets are unknown. The sum of x is the sum of s.

Who has no creditors is dangling, and the policy is named: `stay` keeps the attention there (the default:
the answer is then linear in the shock), `restart` sends it back to s, `uniform` spreads it over all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.errors import MeasureError
from queries.exposures import Exposures
from queries.kernels.fixed import Fixed, least
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks

Floats = NDArray[np.float64]
Dangling = Literal["stay", "restart", "uniform"]
POLICIES = ("stay", "restart", "uniform")
LARGE = 2_000
"""Entities from which compiled sweeps are worth their start."""
SWEEPS = 500
"""Compiled sweeps after which plain ones are tried."""


@dataclass(frozen=True)
class PageRank(RiskMeasure):
    """Attention of a random walk from the shocked to their creditors: a rank, not money (personalised PageRank)."""

    name: ClassVar[str] = "pagerank"
    needs_equity: ClassVar[bool] = False
    alpha: float = 0.85
    """Probability of walking on at each step."""
    dangling: Dangling = "stay"

    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Scores, not money (`unit` is `score`); `direct` is what came by no exposure."""
        owed = exposures.owed
        x, sweeps = self._scores(exposures, shocks.distress)
        passed = self.alpha * np.divide(x, owed, out=np.zeros_like(x), where=owed > 0)
        received = (exposures.claims @ passed.T).T
        parts = (x - received, passed, x, np.minimum(x, 1.0))
        return Losses(self.name, exposures, shocks.names, "score", *parts, rounds=sweeps)

    def _scores(self, exposures: Exposures, restart: Floats) -> tuple[Floats, int]:
        """Scores and the sweeps they took; compiled where the network is large and attention stays with the stuck."""
        _check(self.alpha, self.dangling)
        if len(exposures) > LARGE and self.dangling == "stay":
            runs = [walked(exposures, one, self.alpha) for one in restart]
            if all(run.settled for run in runs):
                return np.array([run.x for run in runs]), max(run.sweeps for run in runs)
        return walks(sparse.csr_array(exposures.claims.T), restart, self.alpha, self.dangling)


def walked(exposures: Exposures, restart: Floats, alpha: float) -> Fixed:
    """(n,) scores for (n,) restart masses, attention staying with who owes nothing.

    What is swept is x over what each owes, in units of the mean, so that claims need no scaling.
    """
    owed = exposures.owed
    stuck, scale = owed <= 0, max(float(owed.mean()), 1e-300)
    size = np.where(stuck, 1.0, owed / scale)
    gain = alpha / scale / size / np.where(stuck, 1 - alpha, 1.0)
    run = least(exposures.rows, np.where(stuck, 1.0, 1 - alpha) * restart / size, gain, np.inf, most=SWEEPS)
    return replace(run, x=run.x * size)


def personalised_pagerank(
    weights: sparse.csr_array[np.float64], restart: Floats, alpha: float = 0.85, dangling: Dangling = "stay"
) -> Floats:
    """(scenarios, n) scores for (scenarios, n) restart masses; `weights[i, j]` is the pull from i to j."""
    return walks(weights, restart, alpha, dangling)[0]


def walks(
    weights: sparse.csr_array[np.float64], restart: Floats, alpha: float, dangling: Dangling
) -> tuple[Floats, int]:
    """The same, and the sweeps they took.

    Each sweep cuts the error by alpha; it stops when what is left is below rounding. MeasureError on
    negative weights, an unknown policy, or alpha outside [0, 1).
    """
    _check(alpha, dangling)
    if weights.data.size and weights.data.min() < 0:
        raise MeasureError(
            f"weights of a random walk are at least 0, not {weights.data.min()}; drop or turn these edges"
        )
    s = np.atleast_2d(np.asarray(restart, float)).T
    out = np.asarray(weights.sum(axis=1), float).reshape(-1)
    stuck = out <= 0
    walk = sparse.csr_array(weights.T @ sparse.diags_array(np.divide(1.0, out, out=np.zeros_like(out), where=~stuck)))
    mass = s.sum(axis=0)
    back = np.divide(s, mass, out=np.zeros_like(s), where=mass > 0)
    x = s.copy()
    most, sweeps = 1 if alpha == 0 else int(np.ceil(np.log(1e-16) / np.log(alpha))) + 1, 0
    while sweeps < most:
        sweeps += 1
        new = (1 - alpha) * s + alpha * (walk @ x)
        loose = alpha * np.where(stuck[:, None], x, 0.0)
        if dangling == "stay":
            new += loose
        elif dangling == "restart":
            new += back * loose.sum(axis=0)
        else:
            new += loose.sum(axis=0) / len(out)
        moved = np.abs(new - x).max(initial=0.0)
        x = new
        if moved <= 1e-17 * max(mass.max(initial=0.0), 1e-300):
            break
    return np.asarray(x.T, float), sweeps


def _check(alpha: float, dangling: str) -> None:
    if dangling not in POLICIES:
        raise MeasureError(f"policy for dangling nodes {dangling!r} is unknown; known: {', '.join(POLICIES)}")
    if not 0 <= alpha < 1:
        raise MeasureError(f"alpha is a probability of at least 0 and below 1, not {alpha}")
