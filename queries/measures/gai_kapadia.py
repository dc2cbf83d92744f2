"""Gai-Kapadia cascade: failures spread over claims, and failing banks press the price of what all of them hold.

    i fails when (1 - phi_i) A_i^IB + q A_i^M - L_i^IB - D_i <= 0

with A^IB the claims of i, phi_i the part of them on failed banks (nothing is recovered from these), A^M its illiquid
assets, q their price, L^IB + D all it owes (Gai, Kapadia, "Contagion in Financial Networks", Proceedings of the Royal
Society A 466, 2010). The paper calls a bank solvent while the left side is above 0, so a tie is a failure. In equity:
the loss phi_i A_i^IB + (1 - q) A_i^M and the shock's reach E_i. The price is

    q = price * exp(-depth * x),    x = share of all illiquid assets that failed banks have put up for sale

(`depth` 0 leaves it as given). What the price takes comes by no claim, so it is part of `direct`: with a `price` below
1 there is a loss without any shock. With price 1, depth 0 it is `threshold` with nothing recovered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from queries.contagion.failures import Flags, cascade, distress, waves_of
from queries.contagion.leverage import remarks
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GaiKapadia(RiskMeasure):
    """Failures over claims and over the falling price of illiquid assets (Gai and Kapadia 2010)."""

    name: ClassVar[str] = "gai_kapadia"
    illiquid: float = 1.0
    """Share of what each has outside the network that is illiquid."""
    price: float = 1.0
    """q before anybody fails, above 0 and at most 1."""
    depth: float = 0.0
    """How fast q falls with the share of illiquid assets that failed banks sell; 0: not at all."""

    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Losses in money; `distress` is the share of equity lost, 1 for the failed; `waves` is who fails when."""
        self._check()
        failed, rounds = cascade(exposures, shocks, 1.0, lambda set: shocks.lost + self.marked(exposures, set))
        direct = shocks.lost + self.marked(exposures, failed)
        passed = failed.astype(float)
        loss = direct + (exposures.claims @ passed.T).T
        return Losses(
            self.name,
            exposures,
            shocks.names,
            exposures.currency,
            direct,
            passed,
            loss,
            distress(exposures, loss, failed, shocks),
            waves_of(exposures, rounds),
            rounds=int(rounds.max(initial=-1)) + 1,
            remarks=remarks(exposures),
        )

    def prices(self, exposures: Exposures, failed: Flags) -> Floats:
        """(scenarios,) q when these have failed."""
        held = exposures.external_assets
        sold = failed @ held / held.sum() if held.sum() > 0 else np.zeros(len(failed))
        return np.asarray(self.price * np.exp(-self.depth * sold), float)

    def marked(self, exposures: Exposures, failed: Flags) -> Floats:
        """(scenarios, n) what the price takes from the illiquid assets of each when these have failed."""
        fall = 1 - self.prices(exposures, failed)
        return np.asarray(fall[:, None] * self.illiquid * exposures.external_assets, float)

    def vulnerable(self, exposures: Exposures) -> Flags:
        """(n,) whom the failure of a single debtor would bring down at the given price; (K - (1-q) A^M) / A^IB < 1/j
        where all j claims are equal."""
        self._check()
        largest = np.asarray(exposures.claims.max(axis=1).toarray(), float).reshape(-1)
        reserve = exposures.equity - (1 - self.price) * self.illiquid * exposures.external_assets
        return np.asarray((largest > 0) & (largest >= reserve))

    def _check(self) -> None:
        if not (0 <= self.illiquid <= 1 and 0 < self.price <= 1 and self.depth >= 0):
            raise MeasureError(
                f"illiquid {self.illiquid}, price {self.price}, depth {self.depth}: expected shares from 0 to 1, "
                "a price above 0, and a depth of at least 0"
            )
