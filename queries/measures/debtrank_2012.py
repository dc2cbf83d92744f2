"""DebtRank 2012: distress is passed on once by each, so that no loss runs in circles.

Everyone is undistressed (U), distressed (D) or inactive (I). With W_ij = min(1, A_ij (1 - R) / E_i)

    h_i(t+1) = min(1, h_i(t) + sum over j in D of W_ij h_j(t)),    U -> D once h_i > 0,    D -> I after one step

from h(1) = the direct shock, whoever has one being D (Battiston, Puliga, Kaushik, Tasca, Caldarelli, "DebtRank: Too
Central to Fail?", Scientific Reports 2:541, 2012). It ends after at most diameter + 1 sweeps. DebtRank itself is
sum h(T) v - sum h(1) v with v each one's share of the claims (`debtrank_value`). Loss in money is lost_i + sum_j A_ij
(1 - R) h_j with h_j as it was when j passed it on.

What reaches j after its one turn goes no further: losses over circles are missed, and a bank that was hit a little at
first may pass on less than one that was not (`debtrank`, of 2015, mends both). Who has no known equity passes on its
own direct shock only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from queries.contagion.leverage import leverage, remarks, supposed
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DebtRank2012(RiskMeasure):
    """Distress that each passes on once (Battiston et al. 2012)."""

    name: ClassVar[str] = "debtrank_2012"
    recovery: float = 0.0
    """Share of a claim got back when its debtor fails."""
    assumed: float = 0.0
    """Equity, as a share of its known assets, of who has none stated; 0: it stays unknown."""

    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Losses in money; `distress` is h(T)."""
        if not 0 <= self.recovery <= 1:
            raise MeasureError(f"recovery is a share from 0 to 1, not {self.recovery}")
        stated, exposures = exposures, supposed(exposures, self.assumed)
        h, turn, sweeps = single_hit(exposures, shocks.distress, 1 - self.recovery)
        passed = (1 - self.recovery) * turn
        loss = shocks.lost + (exposures.claims @ passed.T).T
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
            remarks=remarks(exposures, stated=stated),
        )


def single_hit(exposures: Exposures, shock: Floats, lost: float = 1.0) -> tuple[Floats, Floats, int]:
    """h(T) and what each had of it at its one turn, both (scenarios, n), and the sweeps it took."""
    weights = leverage(exposures, lost)
    weights.data = np.minimum(weights.data, 1.0)
    h = np.clip(np.atleast_2d(shock), 0.0, 1.0).T.copy()
    turn = np.zeros_like(h)
    done = np.zeros(h.shape, bool)
    active, sweeps = h > 0, 0
    while active.any():
        sweeps += 1
        turn[active] = h[active]
        done |= active
        h = np.minimum(1.0, h + weights @ np.where(active, turn, 0.0))
        active = (h > 0) & ~done
    return np.asarray(h.T, float), np.asarray(turn.T, float), sweeps


def debtrank_value(losses: Losses, shocks: Shocks) -> Floats:
    """(scenarios,) DebtRank: distress beyond the direct one, each entity weighing by its share of all claims."""
    held = losses.exposures.held
    value = held / held.sum() if held.sum() > 0 else held
    return np.asarray((losses.distress - np.clip(shocks.distress, 0, 1)) @ value, float)
