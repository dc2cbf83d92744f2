"""Eisenberg-Noe: who can pay what when everyone's means depend on everyone's payments.

The greatest clearing vector p solves

    p = min(pbar, e + P^T p),    P_ij = L_ij / pbar_i,    pbar_i = sum_j L_ij + external liabilities_i

where L = claims^T are the debts and e >= 0 the external assets after the shock (Eisenberg, Noe, "Systemic
Risk in Financial Systems", Management Science 47(2), 2001). Debts to the network and to the outside are of
one seniority. `queries.contagion.clearing` finds it; a tie (means equal to debts) is solvent.

Loss is equity without the shock less equity with it, equity being e + P^T p - pbar: what one cannot pay
counts as negative equity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from queries.contagion.clearing import losses
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks


@dataclass(frozen=True)
class EisenbergNoe(RiskMeasure):
    """Payments that clear all debts at once, defaulters paying in proportion (Eisenberg and Noe 2001)."""

    name: ClassVar[str] = "eisenberg_noe"

    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Losses in money beside the same system without the shock; `distress` is the share of debts unpaid."""
        return losses(self.name, exposures, shocks)
