"""Eisenberg-Noe: who can pay what when everyone's means depend on everyone's payments.

The greatest clearing vector p solves

    p = min(pbar, e + P^T p),    P_ij = L_ij / pbar_i,    pbar_i = sum_j L_ij + external liabilities_i

where L = claims^T are the debts and e >= 0 the external assets after the shock (Eisenberg, Noe, "Systemic
Risk in Financial Systems", Management Science 47(2), 2001). Debts to the network and to the outside are of
one seniority. Picard sweeps from pbar come down to the greatest solution; the fictitious default algorithm
of the same paper then solves for the defaulters exactly, which certifies it and tells the waves in which
they fail. A tie (means equal to debts) is solvent.

Loss is equity without the shock less equity with it, equity being e + P^T p - pbar: what one cannot pay
counts as negative equity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.errors import MeasureError
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks
from queries.solve import solve

Floats = NDArray[np.float64]
Waves = tuple[tuple[int, ...], ...]

SWEEPS = 300
TIE = 1e-12
"""Means within this share of the debts count as enough: rounding must not make a default."""
CERTIFIED = 1e-9


@dataclass(frozen=True)
class Clearing:
    """Payments of every scenario, (scenarios, n), and who defaults in which wave."""

    payments: Floats
    equity: Floats
    waves: tuple[Waves, ...]


@dataclass(frozen=True)
class EisenbergNoe(RiskMeasure):
    """Payments that clear all debts at once, defaulters paying in proportion (Eisenberg and Noe 2001)."""

    name: ClassVar[str] = "eisenberg_noe"

    def spread(self, exposures: Exposures, shocks: Shocks) -> Losses:
        """Losses in money beside the same system without the shock; `distress` is the share of debts unpaid."""
        before = clear(exposures, exposures.external_assets[None, :])
        after = clear(exposures, exposures.external_assets[None, :] - shocks.outside)
        debts = exposures.owed + exposures.external_liabilities
        safe = np.where(debts > 0, debts, 1.0)
        passed = np.maximum(before.payments - after.payments, 0.0) / safe
        received = (exposures.claims @ passed.T).T
        unpaid = np.where(debts > 0, 1 - after.payments / safe, 0.0)
        waves = tuple(tuple(tuple(exposures.ids[i] for i in wave) for wave in run) for run in after.waves)
        loss = shocks.outside + received
        return Losses(
            self.name, exposures, shocks.names, exposures.currency, shocks.outside, passed, loss, unpaid, waves
        )


def clear(exposures: Exposures, external_assets: Floats) -> Clearing:
    """Greatest clearing payments for (scenarios, n) external assets; MeasureError if some are below 0."""
    e = np.atleast_2d(np.asarray(external_assets, float))
    scale = np.maximum(exposures.external_assets, 1.0)
    if (e < -TIE * scale).any():
        row, node = (int(i[0]) for i in np.nonzero(e < -TIE * scale))
        raise MeasureError(
            f"{exposures.ids[node]} would have {e[row, node]:.2f} {exposures.currency} outside: "
            "Eisenberg-Noe needs at least 0; take a smaller shock, or kind='external' (a part of what it has outside)"
        )
    e = np.maximum(e, 0.0)
    debts = exposures.owed + exposures.external_liabilities
    share = np.divide(1.0, debts, out=np.zeros_like(debts), where=debts > 0)
    income = sparse.csr_array(exposures.claims @ sparse.diags_array(share))  # income @ p: what each receives
    start = picard(income, debts, e)
    runs = [fictitious_default(income, debts, e[s], start[s]) for s in range(len(e))]
    payments = np.array([p for p, _ in runs]).reshape(e.shape)
    equity = e + (income @ payments.T).T - debts
    return Clearing(payments, equity, tuple(waves for _, waves in runs))


def picard(income: sparse.csr_array[np.float64], debts: Floats, e: Floats) -> Floats:
    """Sweeps from full payment downwards, (scenarios, n): never below the greatest clearing vector."""
    p = np.repeat(debts[:, None], len(e), axis=1)
    for _ in range(SWEEPS):
        new = np.minimum(debts[:, None], e.T + income @ p)
        moved = np.abs(new - p).max(initial=0.0)
        p = new
        if moved <= TIE * debts.max(initial=0.0):
            break
    return np.asarray(p.T, float)


def fictitious_default(
    income: sparse.csr_array[np.float64], debts: Floats, e: Floats, upper: Floats
) -> tuple[Floats, Waves]:
    """Exact payments of one scenario and the waves of default.

    Each round takes as defaulted whoever cannot pay though all others outside the set pay in full, and
    solves for what the set pays. Starting from full payment the set never contains a whole closed circle of
    debts, so the system is regular even where the circle's members have nothing outside. `upper` (from
    Picard) is the check from above.
    """
    p, failed, waves = debts.copy(), np.zeros(len(debts), bool), []
    while True:
        new = (e + income @ p < debts * (1 - TIE)) & ~failed
        if not new.any():
            break
        waves.append(tuple(int(i) for i in np.flatnonzero(new)))
        failed |= new
        p = _paid_by(income, debts, e, failed, upper)
    residual = np.abs(p - np.minimum(debts, e + income @ p)).max(initial=0.0)
    size = max(debts.max(initial=0.0), 1e-300)
    if residual > CERTIFIED * size or (p > upper + CERTIFIED * size).any():
        raise MeasureError(
            f"clearing payments could not be certified: they miss the equation by {residual:.3g} of {size:.3g}; "
            "check exposures of very different size"
        )
    return p, tuple(waves)


def _paid_by(
    income: sparse.csr_array[np.float64], debts: Floats, e: Floats, failed: NDArray[np.bool_], upper: Floats
) -> Floats:
    """Payments when exactly `failed` pay all they have and the others all they owe."""
    inside = np.flatnonzero(failed)
    p = np.where(failed, 0.0, debts)
    means = (e + income @ p)[inside]
    p[inside] = solve(sparse.csr_array(income[inside][:, inside]), means, upper[inside])
    return p
