"""Valuation: what a claim on somebody is worth per unit, given its equity; one class per paper.

Network valuation (NEVA) asks for V from 0 to 1 that never falls when equity grows (Barucca, Bardoscia, Caccioli,
D'Errico, Visentin, Caldarelli, Battiston, "Network valuation in financial systems", Mathematical Finance 30(4),
2020). What each class needs beside the equity stands in `Books`. Who owes nothing is worth 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from queries.contagion.clearing import TIE

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Books:
    """Balance sheets before anything is valued; the shape of `outside` is (scenarios, n), of the rest (n,)."""

    outside: Floats
    """External assets after the shock."""
    before: Floats
    """External assets before it."""
    equity: Floats
    """At face value before the shock; NaN where no source states it."""
    debts: Floats
    """What shares in a default: debts inside and, where they are of the same rank, outside."""
    senior: Floats
    """Debts that are paid before those."""

    @property
    def size(self) -> Floats:
        """(scenarios, n) how large the balance sheet is, for what counts as a tie."""
        return np.maximum(np.maximum(np.abs(self.outside), self.debts + self.senior), 1e-300)

    def part(self, rows: NDArray[np.int64]) -> Books:
        """Some of the scenarios."""
        return Books(self.outside[rows], self.before, self.equity, self.debts, self.senior)


class Valuation(ABC):
    """Value of one unit of a claim, by the equity of who owes it."""

    at_zero: ClassVar[bool] = False
    """Does equity of just 0 count as default? Else only less than that."""

    @abstractmethod
    def value(self, equity: Floats, books: Books) -> Floats:
        """(scenarios, n) from 0 to 1."""

    def failed(self, equity: Floats, books: Books) -> Flags:
        """(scenarios, n) who defaults; within rounding of 0 is a tie."""
        edge = TIE * books.size
        return np.asarray(equity <= edge if self.at_zero else equity < -edge, bool)

    def pays(self, value: Floats, books: Books) -> Floats | None:
        """(scenarios, n) what is paid on all debts, where the value is a payment and no expectation."""
        return None


@dataclass(frozen=True)
class EisenbergNoe(Valuation):
    """What there is, shared in proportion: V = max(0, (E + pbar) / pbar) below 0 (Eisenberg, Noe 2001)."""

    def value(self, equity: Floats, books: Books) -> Floats:
        """1 where equity is not below 0."""
        return _shared(self.failed(equity, books), equity + books.debts, books)

    def pays(self, value: Floats, books: Books) -> Floats:
        """Senior debts first, as far as the means go."""
        return _paid(value, books)


@dataclass(frozen=True)
class RogersVeraart(Valuation):
    """What bankruptcy leaves, shared: V = (alpha e + beta income - senior) / pbar below 0 (Rogers, Veraart 2013)."""

    alpha: float
    beta: float

    def value(self, equity: Floats, books: Books) -> Floats:
        """1 where equity is not below 0."""
        income = equity + books.debts + books.senior - books.outside
        kept = np.where(books.outside > 0, self.alpha, 1.0) * books.outside  # a hole in the assets stays whole
        return _shared(self.failed(equity, books), kept + self.beta * income - books.senior, books)

    def pays(self, value: Floats, books: Books) -> Floats:
        """Senior debts first, as far as the means go."""
        return _paid(value, books)


@dataclass(frozen=True)
class Furfine(Valuation):
    """A fixed recovery once equity is below 0 (Furfine, Journal of Money, Credit and Banking 35(1), 2003)."""

    recovery: float

    def value(self, equity: Floats, books: Books) -> Floats:
        """1 or the recovery."""
        return np.where(self.failed(equity, books), self.recovery, 1.0)


@dataclass(frozen=True)
class LinearDebtRank(Valuation):
    """V = 1 - (1 - R)(1 - E / E_0): value falls with each one's own equity (Bardoscia et al., PLOS ONE 10(6), 2015)."""

    at_zero: ClassVar[bool] = True
    recovery: float

    def value(self, equity: Floats, books: Books) -> Floats:
        """Who started at 0 or below is worth the recovery at the first loss; unknown equity passes nothing on."""
        start = np.broadcast_to(books.equity, equity.shape)
        edge = TIE * books.size
        lost = np.where(equity < start - edge, 1.0, 0.0)
        fall = np.divide(start - equity, start, out=lost, where=start > edge)
        return np.where(np.isnan(start), 1.0, 1 - (1 - self.recovery) * np.clip(fall, 0.0, 1.0))


@dataclass(frozen=True)
class Merton(Valuation):
    """Expected payment at maturity while external assets follow a geometric Brownian motion without drift.

    V = (1 - PD) + R ((1 + (E - A)/pbar)(PD - PD') + C / pbar), PD the chance that equity ends below 0, PD' that it ends
    below -pbar, C what external assets are expected to be between (Barucca et al. 2020; Merton, Journal of Finance
    29(2), 1974). The volatility of assets is that of equity times E_0 / A_0.
    """

    recovery: float
    volatility: float
    maturity: float

    def value(self, equity: Floats, books: Books) -> Floats:
        """1 less what is expected to be lost; where nothing moves, payment in proportion times the recovery."""
        sigma = _sigma(books, self.volatility, self.maturity)
        owed, assets = np.where(books.debts > 0, books.debts, 1.0), books.outside
        moves = (sigma > 0) & (assets > 0)
        low, high = (_depth(equity + more, assets, sigma, moves) for more in (0.0, owed))
        fails, ruined = ndtr(low + sigma / 2), ndtr(high + sigma / 2)
        between = assets * (ndtr(low - sigma / 2) - ndtr(high - sigma / 2))
        moving = (1 - fails) + self.recovery * ((1 + (equity - assets) / owed) * (fails - ruined) + between / owed)
        still = np.where(self.failed(equity, books), self.recovery * np.clip(1 + equity / owed, 0.0, 1.0), 1.0)
        return _known(np.where(moves, moving, still), books)


@dataclass(frozen=True)
class BlackCox(Valuation):
    """V = 1 - (1 - R) PD, PD the chance that equity touches 0 before maturity, assets as for Merton.

    Black, Cox, Journal of Finance 31(2), 1976, as in Bardoscia, Barucca, Brinley Codd, Hill, "The decline of solvency
    contagion risk", Bank of England Staff Working Paper 662, 2017.
    """

    at_zero: ClassVar[bool] = True
    recovery: float
    volatility: float
    maturity: float

    def value(self, equity: Floats, books: Books) -> Floats:
        """The recovery where equity is 0 or less; 1 above it where nothing moves."""
        sigma = _sigma(books, self.volatility, self.maturity)
        assets = books.outside
        moves = (sigma > 0) & (assets > 0)
        depth = _depth(equity, assets, sigma, moves)
        barrier = np.where(moves & (equity < assets), assets - equity, 1.0)
        touched = ndtr(depth + sigma / 2) + np.where(moves, assets / barrier, 0.0) * ndtr(depth - sigma / 2)
        fails = np.where(self.failed(equity, books), 1.0, np.where(moves, np.minimum(touched, 1.0), 0.0))
        return _known(1 - (1 - self.recovery) * fails, books)


def _shared(failed: Flags, there: Floats, books: Books) -> Floats:
    owed = np.where(books.debts > 0, books.debts, 1.0)
    part = np.where(failed, np.clip(there / owed, 0.0, 1.0), 1.0)
    return np.asarray(np.where(books.debts > 0, part, 1.0), float)


def _paid(value: Floats, books: Books) -> Floats:
    return np.asarray(value * books.debts, float)


def _sigma(books: Books, volatility: float, maturity: float) -> Floats:
    """(n,) deviation of the logarithm of assets until maturity; 0 where equity or assets are 0, less, or unknown."""
    alive = (books.equity > 0) & (books.before > 0)
    ratio = np.divide(books.equity, books.before, out=np.zeros_like(books.before), where=alive)
    return np.asarray(volatility * np.sqrt(maturity) * ratio, float)


def _depth(equity: Floats, assets: Floats, sigma: Floats, moves: Flags) -> Floats:
    """log(1 - equity / assets) over sigma: how far it is to zero equity; minus infinity where it cannot be reached."""
    left = np.where(moves, 1 - np.divide(equity, assets, out=np.zeros_like(equity), where=moves), 1.0)
    log = np.log(left, out=np.full_like(left, -np.inf), where=left > 0)
    return np.asarray(np.divide(log, np.broadcast_to(sigma, log.shape), out=np.zeros_like(log), where=moves), float)


def _known(value: Floats, books: Books) -> Floats:
    """Between 0 and 1, and 1 for whom equity is unknown: it passes nothing on."""
    return np.asarray(np.where(np.isnan(books.equity), 1.0, np.clip(value, 0.0, 1.0)), float)
