"""Ranked: clearing where debts have ranks and firms hold each other's equity.

Means V, of which rank after rank is paid and of which the holders of equity own what is left:

    V = e + sum_s P_s^T p_s + H max(V - pbar, 0),    p_s = min(pbar_s, max(V - sum of ranks above s, 0))

with H_ij the share of j's equity that i holds (Elsinger, "Financial Networks, Cross Holdings, and Limited
Liability", OeNB Working Paper 156, 2009). Every column of H must sum to less than 1, or equity could be made out
of nothing. Sweeps from full payment come down to the greatest solution. Within the ranks reached the system is
linear: its solution is taken where it stands in these ranks itself, and is then the greatest (`_finish`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.errors import MeasureError
from queries.contagion.clearing import CERTIFIED, TIE
from queries.exposures import Exposures
from queries.solve import ACCURATE, solve

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Matrix = sparse.csr_array

SWEEPS = 25
"""Sweeps between two tries to finish by a linear solve."""
ROUNDS = 800
STILL = 1e-15
"""Movement of a sweep, relative to the greatest means, that is rounding."""


@dataclass(frozen=True)
class Ranked:
    """A network to clear: debts by rank, best first, and who holds whose equity."""

    exposures: Exposures
    rank: Ints
    """(edges,) place of each exposure's rank among those there are."""
    outside: int
    """Place of the rank of debts to the outside."""
    debts: Floats
    """(ranks, n)."""
    holdings: Matrix[np.float64]
    """[i, j] share of j's equity that i holds."""

    @classmethod
    def of(cls, exposures: Exposures, ranks: Ints, outside: int, holdings: Matrix[np.float64]) -> Ranked:
        """From the rank of each exposure and of debts to the outside, smaller numbers paid first."""
        known, place = np.unique(np.append(ranks, outside), return_inverse=True)
        target, amount = exposures.edges["target"].to_numpy(), exposures.edges["amount"].to_numpy()
        debts = np.zeros((len(known), len(exposures)))
        np.add.at(debts, (place[:-1], target), amount)
        debts[place[-1]] += exposures.external_liabilities
        return cls(exposures, np.asarray(place[:-1], np.int64), int(place[-1]), debts, holdings)

    @property
    def total(self) -> Floats:
        """(n,) debts of all ranks."""
        return np.asarray(self.debts.sum(axis=0), float)

    def income(self, rank: int) -> Matrix[np.float64]:
        """Times what each pays in this rank: what each receives."""
        rows, edges = np.flatnonzero(self.rank == rank), self.exposures.edges
        source, target = (edges[name].to_numpy()[rows] for name in ("source", "target"))
        owed = self.debts[rank][target]
        part = edges["amount"].to_numpy()[rows] / np.where(owed > 0, owed, 1.0)
        n = len(self.exposures)
        return sparse.csr_array((part, (source, target)), shape=(n, n))

    def paid(self, means: Floats) -> Floats:
        """(ranks, n) of (n,) means, or (ranks, n, scenarios) of (n, scenarios)."""
        above = np.cumsum(self.debts, axis=0) - self.debts
        shape = (*self.debts.shape, *(1,) * (means.ndim - 1))
        return np.asarray(np.clip(means[None] - above.reshape(shape), 0.0, self.debts.reshape(shape)), float)

    def short(self, means: Floats) -> NDArray[np.bool_]:
        """(n, scenarios) whose means do not cover all its debts."""
        return np.asarray(means < self.total[:, None] * (1 - TIE))

    def left(self, means: Floats) -> Floats:
        """Equity that holders of it own: what is left of means when all debts are paid, and never less than 0."""
        return np.maximum(means - self.total.reshape(-1, *(1,) * (means.ndim - 1)), 0.0)


@dataclass(frozen=True)
class Settled:
    """Means of every scenario, (scenarios, n), and how they were come by."""

    means: Floats
    rounds: int
    moving: Ints
    """Rows of nodes that had not settled in some scenario."""
    fell: Ints
    """(scenarios, n) sweep in which the means of each first did not cover its debts; -1: they do."""


def settle(ranked: Ranked, e: Floats) -> Settled:
    """Greatest means for (scenarios, n) external assets of at least 0."""
    income = [ranked.income(rank) for rank in range(len(ranked.debts))]
    means = _upper(ranked, e)
    open_, rounds = np.arange(len(e)), 0
    fell = np.where(ranked.short(means), 0, -1)
    for _ in range(ROUNDS):
        for _ in range(SWEEPS):
            new = np.minimum(means[:, open_], _swept(ranked, income, e[open_].T, means[:, open_]))
            moved = np.abs(new - means[:, open_]).max(axis=0, initial=0.0)
            means[:, open_], rounds = new, rounds + 1
            fell[:, open_] = np.where((fell[:, open_] < 0) & ranked.short(new), rounds, fell[:, open_])
            if (moved <= STILL * np.maximum(new.max(axis=0, initial=0.0), 1e-300)).all():
                break
        open_ = np.array([s for s in open_ if not _finish(ranked, income, e[s], means[:, s])], np.int64)
        if not len(open_):
            return Settled(means.T, rounds, np.zeros(0, np.int64), _last(ranked, means, fell, rounds))
    gap = np.abs(_swept(ranked, income, e[open_].T, means[:, open_]) - means[:, open_])
    return Settled(means.T, rounds, np.flatnonzero(gap.max(axis=1) > 0), _last(ranked, means, fell, rounds))


def _last(ranked: Ranked, means: Floats, fell: Ints, rounds: int) -> Ints:
    """With those who fall only in the exact solution, and without who stands in it after all."""
    short = ranked.short(means)
    return np.asarray(np.where(short & (fell < 0), rounds + 1, np.where(short, fell, -1)).T, np.int64)


def _upper(ranked: Ranked, e: Floats) -> Floats:
    """(n, scenarios) means nobody can exceed: all debts are paid, and no equity is below 0."""
    certain = e.T + ranked.exposures.held[:, None]
    left = ranked.left(certain)
    worth = np.column_stack([solve(ranked.holdings, column, column) for column in left.T]) if len(e) else left
    return np.asarray(certain + ranked.holdings @ worth, float)


def _swept(ranked: Ranked, income: list[Matrix[np.float64]], e: Floats, means: Floats) -> Floats:
    """What everyone has when all pay out of these means."""
    received = sum(part @ paid for part, paid in zip(income, ranked.paid(means), strict=True))
    return np.asarray(e + received + ranked.holdings @ ranked.left(means), float)


def _finish(ranked: Ranked, income: list[Matrix[np.float64]], e: Floats, means: Floats) -> bool:
    """Put the exact solution within the ranks reached into `means`, if there is one right there.

    It is then the greatest. Say G were above it: of what one more coin in the means of those who differ brings, all
    would have to stay among them, or the sum of the difference would shrink from one side of G = F(G) to the other. So
    the system of the ranks reached would be singular, and `solve` would have found nothing.
    """
    reached = _reached(ranked, means)
    slopes = [part @ sparse.diags_array((reached == rank) * 1.0) for rank, part in enumerate(income)]
    slopes.append(ranked.holdings @ sparse.diags_array((reached == len(income)) * 1.0))
    slope = sparse.csr_array(sum(slopes[1:], slopes[0]))
    start, size = _swept(ranked, income, e, means), max(means.max(initial=0.0), 1e-300)
    before = np.abs(start - means).max(initial=0.0)
    try:
        exact = solve(slope, start - slope @ means, means)
    except MeasureError:  # a circle that only hands round what it has: the sweeps alone can tell
        return bool(before <= STILL * size)
    missed = np.abs(_swept(ranked, income, e, exact) - exact).max(initial=0.0)
    same = (_reached(ranked, exact) == reached).all() or np.abs(exact - means).max(initial=0.0) <= CERTIFIED * size
    if missed > ACCURATE * size or not same or (exact > means + CERTIFIED * size).any():
        return False
    if missed <= before:
        means[:] = exact
    return True


def _reached(ranked: Ranked, means: Floats) -> Ints:
    """(n,) the rank that the next coin goes to; one past the last rank is equity."""
    return np.asarray((means[None] >= np.cumsum(ranked.debts, axis=0) * (1 - TIE)).sum(axis=0), np.int64)
