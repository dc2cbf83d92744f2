"""Clearing: the greatest payments that settle all debts at once, and the waves in which those who cannot pay fail.

    p_i = pbar_i                          where e_i + (P^T p)_i >= pbar_i
    p_i = alpha e_i + beta (P^T p)_i      elsewhere

with P_ij = L_ij / pbar_i, pbar_i all debts of i inside and outside the network, of one seniority, and e >= 0 the
external assets (Rogers, Veraart, "Failure and Rescue in an Interbank Network", Management Science 59(4), 2013; with
alpha = beta = 1 Eisenberg, Noe, "Systemic Risk in Financial Systems", Management Science 47(2), 2001). Below 1,
alpha and beta are what a bankruptcy leaves of external assets and of what is received, and payments jump where
means fall below debts: only sweeps from full payment downwards lead to the greatest of several solutions.

The fictitious default algorithm of both papers solves for the defaulters exactly, wave by wave, and what it finds
is checked against the sweeps from above. A tie (means equal to debts) is solvent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.errors import MeasureError
from queries.exposures import Exposures
from queries.kernels.block import sweep_many
from queries.kernels.fixed import greatest
from queries.kernels.fixed_block import greatest_each
from queries.kernels.rows import Rows
from queries.kernels.sweep import sweep
from queries.measure import Losses
from queries.scenario import Shocks
from queries.solve import solve

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Matrix = sparse.csr_array
Waves = tuple[tuple[int, ...], ...]

LARGE = 2_000
"""Entities from which compiled sweeps are worth their start."""
WIDTH = 16
"""Scenarios of a block."""
SWEEPS = 300
TIE = 1e-12
"""Means within this share of the debts count as enough: rounding must not make a default."""
CERTIFIED = 1e-9


@dataclass(frozen=True)
class Costs:
    """What a bankruptcy leaves."""

    alpha: float = 1.0
    """Of external assets."""
    beta: float = 1.0
    """Of what is received from others."""


@dataclass(frozen=True)
class Clearing:
    """Payments of every scenario, (scenarios, n), and who defaults in which wave."""

    payments: Floats
    equity: Floats
    """What there is and comes in, less all debts; costs of a bankruptcy fall on its creditors and are not in it."""
    waves: tuple[Waves, ...]


@dataclass(frozen=True)
class Debts:
    """One scenario to clear: what each owes, from where it has what, and what bankruptcy costs."""

    income: Matrix[np.float64]
    """income @ p is what each receives."""
    debts: Floats
    e: Floats
    """(n,) or (n, scenarios) external assets."""
    costs: Costs
    rows: Rows | None = None
    """The claims laid out for compiled sweeps, where the network is large."""

    @cached_property
    def share(self) -> Floats:
        """(n,) one over what each owes, 0 where that is nothing."""
        return np.divide(1.0, self.debts, out=np.zeros_like(self.debts), where=self.debts > 0)

    def paid(self, p: Floats) -> Floats:
        """What each pays when it receives what p gives it."""
        return self.pays(self.received(p))

    def received(self, p: Floats) -> Floats:
        """What each gets of these payments: by a compiled sweep, where there is one, in less than half the time."""
        if self.rows is not None and p.ndim == 1:
            return sweep(self.rows, p * self.share)
        return np.asarray(self.income @ p, float)

    def pays(self, received: Floats) -> Floats:
        """What each pays when it receives this."""
        debts = self.debts if self.e.ndim == 1 else self.debts[:, None]
        means = self.e + received
        if self.costs == Costs():
            return np.minimum(debts, means)
        short = means < debts * (1 - TIE)
        return np.where(short, self.costs.alpha * self.e + self.costs.beta * received, debts)

    def short(self, received: Floats) -> Flags:
        """Who cannot pay its debts when it receives this."""
        return np.asarray(self.e + received < self.debts * (1 - TIE), bool)


def clear(exposures: Exposures, external_assets: Floats, costs: Costs = Costs()) -> Clearing:
    """Greatest clearing payments for (scenarios, n) external assets; MeasureError if some are below 0."""
    e = not_negative(exposures, np.atleast_2d(np.asarray(external_assets, float)))
    debts = exposures.owed + exposures.external_liabilities
    share = np.divide(1.0, debts, out=np.zeros_like(debts), where=debts > 0)
    income = exposures.remembered("income", lambda: sparse.csr_array(exposures.claims @ sparse.diags_array(share)))
    rows = exposures.rows if len(exposures) > LARGE else None
    start = _above(Debts(income, debts, e.T, costs, rows))
    runs = [fictitious_default(Debts(income, debts, e[s], costs, rows), start[s]) for s in range(len(e))]
    payments, received = (np.array([run[part] for run in runs]).reshape(e.shape) for part in (0, 1))
    return Clearing(payments, e + received - debts, tuple(waves for *_, waves in runs))


def not_negative(exposures: Exposures, e: Floats) -> Floats:
    """The (scenarios, n) external assets. MeasureError names who would have less than nothing."""
    scale = np.maximum(exposures.external_assets, 1.0)
    if (e < -TIE * scale).any():
        row, node = (int(i[0]) for i in np.nonzero(e < -TIE * scale))
        money = f" {exposures.currency}" if exposures.currency else ""
        raise MeasureError(
            f"{exposures.ids[node]} would have {e[row, node]:.2f}{money} outside: clearing needs "
            "at least 0; take a smaller shock, give it more, use kind='external' (a part of what it has there), "
            "or measure neva, which takes less than nothing"
        )
    return np.maximum(e, 0.0)


def _above(system: Debts) -> Floats:
    """(scenarios, n) payments that are the greatest, or not below them."""
    if system.rows is None or system.costs != Costs():
        return picard(system)
    share, debts = system.share, system.debts
    runs = greatest_each(system.rows, np.where(debts > 0, system.e.T * share, 1.0), share)
    return np.array([run.x * debts for run in runs]) if all(run.settled for run in runs) else picard(system)


def picard(system: Debts) -> Floats:
    """Sweeps from full payment downwards, (scenarios, n): never below the greatest clearing vector."""
    p = np.repeat(system.debts[:, None], system.e.shape[1], axis=1)
    for _ in range(SWEEPS):
        new = system.paid(p)
        moved = np.abs(new - p).max(initial=0.0)
        p = new
        if moved <= TIE * system.debts.max(initial=0.0):
            break
    return np.asarray(p.T, float)


def fictitious_default(system: Debts, upper: Floats) -> tuple[Floats, Floats, Waves]:
    """Exact payments of one scenario, what each receives of them, and the waves of default.

    Each round takes as defaulted whoever cannot pay though all others outside the set pay in full, and
    solves for what the set pays. Starting from full payment the set never contains a whole closed circle of
    debts, so the system is regular even where the circle's members have nothing outside. `upper` (from
    Picard) is the check from above.
    """
    debts = system.debts
    p, failed, waves = debts.copy(), np.zeros(len(debts), bool), []
    while True:
        received = system.received(p)
        new = system.short(received) & ~failed
        if not new.any():
            break
        waves.append(tuple(int(i) for i in np.flatnonzero(new)))
        failed |= new
        p = _paid_by(system, failed, upper)
    residual = np.abs(p - system.pays(received)).max(initial=0.0)
    size = max(debts.max(initial=0.0), 1e-300)
    if residual > CERTIFIED * size or (p > upper + CERTIFIED * size).any():
        raise MeasureError(
            f"clearing payments could not be certified: they miss the equation by {residual:.3g} of {size:.3g}; "
            "check exposures of very different size"
        )
    return p, received, tuple(waves)


def _paid_by(system: Debts, failed: Flags, upper: Floats) -> Floats:
    """Payments when exactly `failed` pay all they have and the others all they owe."""
    inside, costs = np.flatnonzero(failed), system.costs
    if system.rows is not None:
        base = np.where(failed, costs.alpha * system.e * system.share, 1.0)
        run = greatest(system.rows, base, np.where(failed, costs.beta * system.share, 0.0))
        if run.settled:
            return np.asarray(run.x * system.debts, float)
    p = np.where(failed, 0.0, system.debts)
    means = (costs.alpha * system.e + costs.beta * (system.income @ p))[inside]
    within = sparse.csr_array(system.income[inside][:, inside] * costs.beta)
    p[inside] = solve(within, means, upper[inside])
    return p


def lost_by(exposures: Exposures, passed: Floats) -> Floats:
    """(scenarios, n) what creditors lose when each unit of claim on a node loses `passed`."""
    if len(exposures) <= LARGE:
        return np.asarray((exposures.claims @ passed.T).T, float)
    if len(passed) == 1:
        return sweep(exposures.rows, passed[0])[None, :]
    return sweep_many(exposures.rows, passed, width=WIDTH)


def losses(name: str, exposures: Exposures, shocks: Shocks, costs: Costs = Costs()) -> Losses:
    """Losses in money beside the same system without the shock; `distress` is the share of debts unpaid."""
    outside = exposures.external_assets[None, :]
    before = exposures.remembered(("unshocked", costs), lambda: clear(exposures, outside, costs))
    after = clear(exposures, outside - shocks.outside, costs)
    debts = exposures.owed + exposures.external_liabilities
    safe = np.where(debts > 0, debts, 1.0)
    passed = np.maximum(before.payments - after.payments, 0.0) / safe
    received = lost_by(exposures, passed)
    return Losses(
        name,
        exposures,
        shocks.names,
        exposures.currency,
        direct=shocks.outside,
        passed=passed,
        loss=shocks.outside + received,
        distress=np.where(debts > 0, 1 - after.payments / safe, 0.0),
        waves=tuple(tuple(tuple(exposures.ids[i] for i in wave) for wave in run) for run in after.waves),
        payments=after.payments,
        worth=after.equity,
        rounds=max(map(len, after.waves), default=0),
    )
