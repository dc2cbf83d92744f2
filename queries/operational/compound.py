"""Compound sums: how a year's total of a random number of random losses is distributed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from kg.errors import MeasureError
from queries.figure import Floats
from queries.market.returns import tail

TILT = 10.0
"""By how many powers of e the last point of the grid is damped, so that what lies beyond does not fold back."""
TRIES = 12
BLOCK = 4_000_000
DAMPED_OUT = 700.0


@dataclass(frozen=True)
class Frequency:
    """Number of losses in a year: Poisson, or negative binomial where `spread` is above 1."""

    rate: float
    spread: float = 1.0
    """Variance over mean."""

    def generating(self, z: np.ndarray) -> np.ndarray:
        """E z^N."""
        beta = self.spread - 1
        if beta <= 1e-9:
            return np.asarray(np.exp(self.rate * (z - 1)))
        return np.asarray((1 - beta * (z - 1)) ** (-self.rate / beta))

    def drawn(self, random: np.random.Generator, years: int) -> np.ndarray:
        """Losses in each of so many years."""
        beta = self.spread - 1
        rates = self.rate if beta <= 1e-9 else random.gamma(self.rate / beta, beta, years)
        return random.poisson(rates, years)


@dataclass(frozen=True)
class Severity:
    """Size of one loss: its logarithm is normal."""

    mu: float
    sigma: float

    @property
    def mean(self) -> float:
        return float(np.exp(self.mu + self.sigma**2 / 2))

    def beyond(self, x: Floats) -> tuple[Floats, Floats]:
        """Probability of a loss of at least x, and the part of the mean that such losses make."""
        if self.sigma == 0:
            reached = np.where(x <= self.mean * (1 + 1e-12), 1.0, 0.0)
            return reached, self.mean * reached
        with np.errstate(divide="ignore"):
            z = (self.mu - np.log(x)) / self.sigma
        return np.asarray(ndtr(z), float), np.asarray(self.mean * ndtr(z + self.sigma), float)

    def above(self, threshold: float) -> float:
        """Part of all losses that exceeds a threshold."""
        if threshold <= 0 or self.sigma == 0:
            return 1.0
        return float(ndtr((self.mu - np.log(threshold)) / self.sigma))

    def quantile(self, level: float) -> float:
        return float(np.exp(self.mu + self.sigma * ndtri(level)))


def fit_severity(amounts: Floats, threshold: float) -> Severity:
    """Lognormal of greatest likelihood, given that losses below the threshold were not collected."""
    logs = np.log(amounts)
    mu, sigma = float(logs.mean()), float(logs.std())
    if threshold <= 0 or sigma <= 1e-12:
        return Severity(mu, sigma if sigma > 1e-12 else 0.0)
    from scipy.optimize import minimize

    cut = float(np.log(threshold))

    def unlikely(x: Floats) -> float:
        m, s = x[0], np.exp(x[1])
        z = (logs - m) / s
        return float(np.mean(z**2) / 2 + x[1] + log_ndtr((m - cut) / s))

    # no further down than ten deviations: a tail alone does not tell where its body is
    bounds = [(mu - 10 * sigma - abs(mu - cut), mu), (np.log(sigma) - 3, np.log(sigma) + 3)]
    found = minimize(unlikely, np.array([mu, np.log(sigma)]), method="L-BFGS-B", bounds=bounds)
    return Severity(float(found.x[0]), float(np.exp(found.x[1])))


def aggregate(
    many: Frequency, severity: Severity, level: float, points: int, method: Literal["fft", "panjer"]
) -> tuple[float, float, float]:
    """VaR, ES and mean of a year's total, on a grid that is widened until it holds the quantile."""
    if points < 64:
        raise MeasureError(f"points is a number of steps of at least 64, not {points}")
    mean = many.rate * severity.mean
    # one very large loss makes a very bad year of heavy tails (Boecker, Klueppelberg, Risk, December 2005)
    reach = 2 * (severity.quantile(1 - (1 - level) / max(many.rate, 1.0)) + mean)
    for _ in range(TRIES):
        step = reach / points
        density = on_grid(many, severity, step, points, method)
        reached = np.cumsum(density)
        place = int(np.searchsorted(reached, level - 1e-12))
        if place < 0.9 * points:
            var = step * place
            inner = step * float(np.arange(place) @ density[:place])
            mass = reached[place - 1] if place else 0.0
            beyond = mean - inner - var * (level - mass)
            return var, max(beyond / (1 - level), var), mean
        reach *= 2
    raise MeasureError(
        f"the {level:.4%} year is beyond {reach:.3g}: a severity of sigma {severity.sigma:.2f} has too heavy a tail "
        "for this level; lower the level, or look at the largest losses"
    )


def on_grid(many: Frequency, severity: Severity, step: float, points: int, method: Literal["fft", "panjer"]) -> Floats:
    """(points,) probability of each multiple of the step."""
    one = severity_on_grid(severity, step, points)
    if method == "panjer":
        return panjer(many, one)
    damp = np.exp(-TILT * np.arange(points) / points)
    spectrum = np.fft.rfft(one * damp, 2 * points)
    total = np.fft.irfft(many.generating(spectrum), 2 * points)[:points]
    return np.maximum(total / damp, 0.0)


def severity_on_grid(severity: Severity, step: float, points: int) -> Floats:
    """(points,) probability of each multiple of the step, with the mean of every cell kept.

    Each cell's losses are split over its two ends (Gerber, "On the numerical evaluation of the distribution of
    aggregate claims", Insurance: Mathematics and Economics 1, 1982), so that many small losses are not rounded away.
    """
    reached, made = severity.beyond(np.asarray(np.arange(points + 1) * step, float))
    inside, moment = -np.diff(reached), -np.diff(made) / step
    up = moment - np.arange(points) * inside
    one = inside - up
    one[1:] += up[:-1]
    return np.maximum(one, 0.0)


def panjer(many: Frequency, one: Floats) -> Floats:
    """(points,) probabilities of the sum by recursion (Panjer, ASTIN Bulletin 12, 1981)."""
    beta = many.spread - 1
    poisson = beta <= 1e-9
    a = 0.0 if poisson else beta / (1 + beta)
    b = many.rate if poisson else (many.rate / beta - 1) * a
    start = float(many.generating(one[:1])[0])
    if start <= np.exp(-DAMPED_OUT):
        raise MeasureError(f"with {many.rate:.0f} losses a year the recursion starts at 0; take method fft")
    found = np.zeros(len(one))
    found[0] = start
    weighted = np.arange(len(one)) * one
    last = int(np.flatnonzero(one).max(initial=0))
    for k in range(1, len(one)):
        j = min(k, last)
        back = found[k - j : k][::-1]  # of k-1, ..., k-j
        found[k] = (a * (one[1 : j + 1] @ back) + b / k * (weighted[1 : j + 1] @ back)) / (1 - a * one[0])
    return found


def simulated(many: Frequency, severity: Severity, level: float, years: int, seed: int) -> tuple[float, float, float]:
    """VaR, ES and mean of so many years drawn."""
    if years < 100:
        raise MeasureError(f"draws is a number of years of at least 100, not {years}")
    random = np.random.default_rng(seed)
    counts = many.drawn(random, years)
    total, size = np.zeros(years), max(int(BLOCK / max(many.rate, 1.0)), 1)
    for start in range(0, years, size):
        part = counts[start : start + size]
        losses = np.exp(severity.mu + severity.sigma * random.standard_normal(int(part.sum())))
        year = np.repeat(np.arange(len(part)), part)
        total[start : start + size] = np.bincount(year, losses, minlength=len(part))
    var, es = tail(total, level)
    return var, es, many.rate * severity.mean
