"""Threshold cascade: nothing is passed on until somebody fails, and then the claims on it are lost at once.

    i fails when lost_i + sum over failed j of A_ij (1 - R) >= E_i

with A_ij the claim of i on j, E_i equity and R the recovery rate (Furfine, "Interbank Exposures: Quantifying the Risk
of Contagion", Journal of Money, Credit and Banking 35(1), 2003). The least set of failures, found in rounds: whoever
fails in one round hits the others in the next, so each claim is looked at once. A tie (loss equal to equity) is a
failure, within rounding.

Who has equity of 0 or less fails at the first loss; who has no known equity fails only by a direct shock of 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kg.errors import MeasureError
from queries.contagion.failures import cascade, distress, waves_of
from queries.contagion.leverage import remarks, supposed
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks


@dataclass(frozen=True)
class Threshold(RiskMeasure):
    """Failures that set off failures, each claim on a failed debtor lost at once (Furfine 2003)."""

    name: ClassVar[str] = "threshold"
    recovery: float = 0.0
    """Share of a claim got back when its debtor fails."""
    assumed: float = 0.0
    """Equity, as a share of its known assets, of who has none stated; 0: it stays unknown."""

    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Losses in money; `distress` is the share of equity lost, 1 for the failed; `waves` is who fails when."""
        if not 0 <= self.recovery <= 1:
            raise MeasureError(f"recovery is a share from 0 to 1, not {self.recovery}")
        stated, exposures = exposures, supposed(exposures, self.assumed)
        failed, rounds = cascade(exposures, shocks, 1 - self.recovery, lambda _: shocks.lost)
        passed = np.asarray((1 - self.recovery) * failed, float)
        loss = shocks.lost + (exposures.claims @ passed.T).T
        return Losses(
            self.name,
            exposures,
            shocks.names,
            exposures.currency,
            shocks.lost,
            passed,
            loss,
            distress(exposures, loss, failed, shocks),
            waves_of(exposures, rounds),
            rounds=int(rounds.max(initial=-1)) + 1,
            remarks=remarks(exposures, stated=stated),
        )
