"""Rogers-Veraart: clearing payments where a bankruptcy destroys part of what there was.

    p_i = pbar_i                          where e_i + (P^T p)_i >= pbar_i
    p_i = alpha e_i + beta (P^T p)_i      elsewhere

The greatest solution (Rogers, Veraart, "Failure and Rescue in an Interbank Network", Management Science
59(4), 2013); alpha = beta = 1 is Eisenberg-Noe. There may be several solutions, as payments jump where
means fall below debts; a tie is solvent.

Loss is equity without the shock less equity with it, equity being e + P^T p - pbar before the costs of the
bankruptcy, which fall on creditors: (1 - alpha) e and (1 - beta) of what was received are lost to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kg.errors import MeasureError
from queries.contagion.clearing import Costs, losses
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks


@dataclass(frozen=True)
class RogersVeraart(RiskMeasure):
    """Clearing payments where bankruptcy leaves only a part of what there was (Rogers and Veraart 2013)."""

    name: ClassVar[str] = "rogers_veraart"
    alpha: float = 1.0
    """What a bankruptcy leaves of external assets, 0 to 1."""
    beta: float = 1.0
    """What a bankruptcy leaves of payments received, 0 to 1."""

    def __post_init__(self) -> None:
        for name in ("alpha", "beta"):
            if not 0 <= getattr(self, name) <= 1:
                raise MeasureError(f"{name} of rogers_veraart is a share from 0 to 1, not {getattr(self, name)}")

    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Losses in money beside the same system without the shock; `distress` is the share of debts unpaid."""
        return losses(self.name, exposures, shocks, Costs(self.alpha, self.beta))
