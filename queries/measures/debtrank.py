"""DebtRank 2015: distress spreads in proportion, before anyone defaults.

Relative equity loss h is the least solution of

    h_i = min(1, s_i + sum_j A_ij (1 - R) h_j / E_i)

with s the direct shock, A_ij the claim of i on j, E_i equity and R the recovery rate: the linear DebtRank
of Bardoscia, Battiston, Caccioli, Caldarelli, "DebtRank: A Microscopic Foundation for Shock Propagation",
PLOS ONE 10(6), 2015, whose steps h(t+1) = min(1, h(t) + L (h(t) - h(t-1))) sum up to this. Loss in money is
lost_i + sum_j A_ij (1 - R) h_j: it is not capped at equity, only the distress that is passed on is.

Who has equity of 0 or less fails at the first loss, however small (the limit of ever smaller equity). Who
has no known equity passes on its own direct shock only, since its relative loss cannot be told. Both are named in the
remarks of the result, as is every circle with a spectral radius of L of 1 or more: without the cap it would not settle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.errors import MeasureError
from queries.contagion.leverage import leverage, remarks, steepness, supposed
from queries.exposures import Exposures
from queries.kernels.fixed_block import LANES, least_each
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks
from queries.solve import solve

Floats = NDArray[np.float64]
Matrix = sparse.csr_array

LARGE = 2_000
"""Entities from which compiled sweeps are worth their start."""
SWEEPS = 200
"""Sweeps between two tries to finish by a linear solve, for the scenarios that converge slowly."""
ROUNDS = 500
TOLERANCE = 4e-16


@dataclass(frozen=True)
class DebtRank(RiskMeasure):
    """Distress spreads in proportion to exposure over equity, before anyone defaults (Bardoscia et al. 2015)."""

    name: ClassVar[str] = "debtrank"
    recovery: float = 0.0
    """Share of a claim got back when its debtor fails."""
    assumed: float = 0.0
    """Equity, as a share of its known assets, of who has none stated; 0: it stays unknown."""

    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Losses in money; `distress` is h."""
        if not 0 <= self.recovery <= 1:
            raise MeasureError(f"recovery is a share from 0 to 1, not {self.recovery}")
        stated, exposures = exposures, supposed(exposures, self.assumed)
        h, sweeps = climbed(exposures, 1 - self.recovery, shocks.distress)
        passed = (1 - self.recovery) * h
        loss = np.empty_like(passed)
        for some in (slice(at, at + LANES) for at in range(0, len(h), LANES)):  # so few stay in the caches
            loss[some] = np.asarray(exposures.claims @ passed[some].T).T
        loss += shocks.lost
        return Losses(
            self.name,
            exposures,
            shocks.names,
            exposures.currency,
            shocks.lost,
            passed,
            loss,
            h,
            rounds=sweeps,
            remarks=exposures.remembered(("remarks", self.recovery), lambda: self._remarks(exposures, stated)),
        )

    def _remarks(self, exposures: Exposures, stated: Exposures) -> tuple[str, ...]:
        return remarks(exposures, leverage(exposures, 1 - self.recovery), stated)


def settled(exposures: Exposures, lost: float, shock: Floats) -> Floats:
    """The least distress for (scenarios, n) shocks."""
    return climbed(exposures, lost, shock)[0]


def climbed(exposures: Exposures, lost: float, shock: Floats) -> tuple[Floats, int]:
    """The least distress and the sweeps it took: compiled ones where the network is large."""
    if len(exposures) > LARGE:
        gain = exposures.remembered(("steepness", lost), lambda: steepness(exposures, lost))
        runs = least_each(exposures.rows, np.clip(shock, 0.0, 1.0), gain)
        if all(run.settled for run in runs):
            return np.array([run.x for run in runs]), max((run.sweeps for run in runs), default=0)
    return _climb(leverage(exposures, lost), shock)


def least_distress(relative: Matrix[np.float64], shock: Floats) -> Floats:
    """Least h with h = min(1, shock + relative h), for (scenarios, n) shocks in 0..1."""
    return _climb(relative, shock)[0]


def _climb(relative: Matrix[np.float64], shock: Floats) -> tuple[Floats, int]:
    """The least distress and the sweeps it took.

    Sweeps climb from the shock and so never pass the least solution. Scenarios that climb slowly are
    finished by solving for those not yet at 1, and the solution is taken only if it is one and lies within
    0..1.
    """
    h = np.clip(shock, 0.0, 1.0).T.copy()
    start, climbing = h.copy(), np.arange(h.shape[1])
    for done in range(ROUNDS):
        for sweep in range(SWEEPS):
            new = np.minimum(1.0, start[:, climbing] + relative @ h[:, climbing])
            moved = np.abs(new - h[:, climbing]).max(axis=0, initial=0.0)
            h[:, climbing] = new
            climbing = climbing[moved > TOLERANCE]
            if not len(climbing):
                return np.asarray(h.T, float), done * SWEEPS + sweep + 1
        climbing = np.array([s for s in climbing if not _finish(relative, start[:, s], h[:, s])], np.int64)
        if not len(climbing):
            return np.asarray(h.T, float), (done + 1) * SWEEPS
    raise MeasureError(f"DebtRank did not settle in {ROUNDS * SWEEPS} sweeps; check exposures of very different size")


def _finish(relative: Matrix[np.float64], shock: Floats, h: Floats) -> bool:
    """Solve for all nodes below 1 and put the solution into h, if it is one."""
    free = np.flatnonzero(h < 1.0)
    if not len(free):
        return True
    at_one = (h >= 1.0).astype(float)
    known = shock[free] + (relative @ at_one)[free]
    try:
        solved = solve(sparse.csr_array(relative[free][:, free]), known, h[free])
    except MeasureError:  # the free nodes amplify without end, so some of them are still to reach 1
        return False
    if (solved > 1).any() or (solved < h[free] - 1e-9).any():
        return False
    h[free] = solved
    return True
