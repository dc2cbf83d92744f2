"""Volatility: how far tomorrow's return may stray, from the returns before it (EWMA, GARCH)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from queries.figure import Floats

SEED_DAYS = 20
"""First returns whose mean square starts the recursion."""


@dataclass(frozen=True)
class Variance:
    """s2(t+1) = omega + alpha r(t)^2 + beta s2(t)."""

    omega: float
    alpha: float
    beta: float

    def path(self, returns: Floats) -> Floats:
        """(days + 1,) variance forecast for each day from the days before it, and for the day after the last."""
        from scipy.signal import lfilter

        start = float(np.mean(returns[:SEED_DAYS] ** 2))
        made, _ = lfilter([1.0], [1.0, -self.beta], self.omega + self.alpha * returns**2, zi=[self.beta * start])
        floor = np.finfo(float).tiny
        return np.asarray(np.maximum(np.concatenate([[start], made]), floor), float)


def ewma(decay: float) -> Variance:
    """Exponentially weighted squares (RiskMetrics Technical Document, J.P. Morgan, 1996)."""
    return Variance(0.0, 1 - decay, decay)


def garch(returns: Floats) -> Variance:
    """GARCH(1,1) of greatest Gaussian likelihood (Bollerslev, Journal of Econometrics 31, 1986).

    Searched over persistence and the part of it that is news, from several starts, with the long-run variance that of
    the sample (Engle, Mezrich, "GARCH for Groups", Risk 9, 1996).
    """
    from scipy.optimize import minimize

    long_run = float(np.mean(returns**2))
    if long_run <= 0:
        return Variance(0.0, 0.0, 0.0)
    scaled = returns / np.sqrt(long_run)

    def model(x: Floats) -> Variance:
        persistence, news = 1 / (1 + np.exp(-x))
        persistence *= 0.9999
        return Variance(1 - persistence, persistence * news, persistence * (1 - news))

    def unlikely(x: Floats) -> float:
        variance = model(x).path(scaled)[:-1]
        return float(np.sum(np.log(variance) + scaled**2 / variance))

    starts = ((3.0, -2.5), (4.5, -3.0), (1.0, -1.0))
    found = [minimize(unlikely, np.array(start), method="Nelder-Mead", options={"xatol": 1e-4}) for start in starts]
    best = model(min(found, key=lambda one: float(one.fun)).x)
    return Variance(best.omega * long_run, best.alpha, best.beta)
