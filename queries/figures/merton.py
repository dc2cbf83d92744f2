"""Structural default: a firm fails when its assets end below its debts (Merton, KMV).

Equity is a call on the assets V, so with D due at T and d1,2 = (ln(V/D) + (r +- s^2/2) T) / (s sqrt T)

    E = V N(d1) - D exp(-rT) N(d2),    s_E E = N(d1) s V

Merton, "On the Pricing of Corporate Debt", Journal of Finance 29, 1974; both unknowns V and s from E and s_E: Jones,
Mason, Rosenfeld, Journal of Finance 39, 1984, and Crosbie, Bohn, "Modeling Default Risk", KMV 2003. PD = N(-d2),
distance to default d2, expected loss 1 - debt / (D exp(-rT)). Newton runs on ln(V/D) and ln(s) with the call written
by scaled complementary error functions, so that equity far below debt keeps its digits; rows where it does not settle
are solved by bisection. Limits: no debt, no volatility or no time to go: V = E + D exp(-rT) and PD 0, as E > 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from scipy.special import erfcx, log_ndtr, ndtr

from kg.errors import MeasureError
from queries.figure import Domain, Figure, Floats, Rows, noted

TINY = 1e-6
"""Volatility over the whole time below which a firm is as good as certain."""
ROUNDS = 60
SETTLED = 1e-13
HALVINGS = 200


@dataclass(frozen=True)
class Merton(Figure):
    """Assets, their volatility, distance to default and PD of each firm from its equity (Merton 1974)."""

    name: ClassVar[str] = "merton"
    columns: ClassVar[Mapping[str, Domain]] = {
        "id": "text",
        "equity": "positive",
        "equity_volatility": "amount",
        "debt": "amount",
    }
    limits: ClassVar[Mapping[str, Domain]] = {"horizon": "amount"}

    rate: float = 0.0
    """Riskless rate by year, continuous."""
    horizon: float = 1.0
    """Years until the debt is due."""

    def answer(self, rows: Rows) -> pa.Table:
        equity, debt = rows["equity"], rows["debt"]
        owed = debt * np.exp(-self.rate * self.horizon)
        total = rows["equity_volatility"] * np.sqrt(self.horizon)
        assets, volatility = equity + owed, rows["equity_volatility"] * equity / (equity + owed)
        distance = np.full(len(rows), np.inf)
        risky = np.flatnonzero((owed > 0) & (total > TINY))
        if len(risky):
            x, s = implied(equity[risky] / owed[risky], total[risky])
            bad = ~np.isfinite(x)
            if bad.any():
                names = ", ".join(rows.text("id")[i] for i in risky[bad][:5])
                raise MeasureError(f"merton: no assets fit equity, volatility and debt of {names}; check their units")
            assets[risky] = owed[risky] * np.exp(x)
            volatility[risky] = s / np.sqrt(self.horizon)
            distance[risky] = x / s - s / 2
        pd = ndtr(-distance)
        value = assets - equity
        loss = np.where(owed > 0, np.maximum(1 - value / np.where(owed > 0, owed, 1.0), 0.0), 0.0)
        made = {"id": rows.text("id"), "assets": assets, "asset_volatility": volatility}
        made |= {"distance_to_default": distance, "pd": pd, "debt_value": value, "expected_loss": loss}
        made |= {"recovery": np.where(pd > 0, 1 - loss / np.where(pd > 0, pd, 1.0), np.nan)}
        certain = len(rows) - len(risky)
        return noted(pa.table(made), f"{certain} firms have no debt, volatility or time to fail" if certain else "")


def implied(leverage: Floats, total: Floats) -> tuple[Floats, Floats]:
    """ln(V / owed) and volatility over the whole time, from equity / owed and its volatility; NaN where none fits."""
    goal, x = np.log(leverage), np.log1p(leverage)
    s = total * leverage / (1 + leverage)
    with np.errstate(all="ignore"):
        for _ in range(ROUNDS):
            step_x, step_s, off = _newton(x, s, goal, np.log(total))
            if not (off > SETTLED).any():
                break
            x, s = x + np.clip(step_x, -1, 1), s * np.exp(np.clip(step_s, -1, 1))
        left = np.flatnonzero(~(_newton(x, s, goal, np.log(total))[2] <= 1e-9))
        if len(left):
            x[left], s[left] = _halved(goal[left], np.log(total[left]))
    return x, s


def _newton(x: Floats, s: Floats, goal: Floats, total: Floats) -> tuple[Floats, Floats, Floats]:
    """Steps of x and ln s towards both equations in logs, and how far both are off."""
    call = log_call(x, s)
    d1 = x / s + s / 2
    delta = x + log_ndtr(d1) - call  # ln of V N(d1) / E, the elasticity of equity
    first, second = call - goal, np.log(s) + delta - total
    elasticity = np.exp(delta)
    vega = np.exp(x - d1**2 / 2 - call) / np.sqrt(2 * np.pi)
    hazard = np.exp(-(d1**2) / 2 - log_ndtr(d1)) / np.sqrt(2 * np.pi)
    # d second / d x and d ln s
    by_x = 1 + hazard / s - elasticity
    by_s = 1 + hazard * (s / 2 - x / s) - vega * s
    determinant = elasticity * by_s - vega * s * by_x
    step_x = (-first * by_s + second * vega * s) / determinant
    step_s = (-second * elasticity + first * by_x) / determinant
    return step_x, step_s, np.abs(first) + np.abs(second)


def log_call(x: Floats, s: Floats) -> Floats:
    """ln of E / owed for assets exp(x) times what is owed, without loss of digits far below it."""
    d1, d2 = x / s + s / 2, x / s - s / 2
    # exp(x) phi(d1) = phi(d2), so the call is phi(d2) times a difference of Mills ratios
    root = np.sqrt(0.5)
    far = np.log(np.sqrt(np.pi / 2) * (erfcx(-d1 * root) - erfcx(-d2 * root))) - d2**2 / 2 - np.log(2 * np.pi) / 2
    near = np.log(np.exp(np.minimum(x, 700.0)) * ndtr(d1) - ndtr(d2))
    return np.asarray(np.where(d1 < 1, far, near), float)


def _halved(goal: Floats, total: Floats) -> tuple[Floats, Floats]:
    """Bisection on the volatility; at each, bisection on the assets. Slow, and sure where a solution exists."""
    low, high = total - 60.0, total.copy()  # equity is at least as volatile as assets
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        x = _assets(goal, np.exp(middle))
        s = np.exp(middle)
        over = middle + x + log_ndtr(x / s + s / 2) - goal > total
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    s = np.exp((low + high) / 2)
    x = _assets(goal, s)
    off = np.abs(np.log(s) + x + log_ndtr(x / s + s / 2) - goal - total)
    return np.where(off < 1e-6, x, np.nan), s


def _assets(goal: Floats, s: Floats) -> Floats:
    """ln of the assets whose call is worth exp(goal) at that volatility."""
    low, high = goal - 1.0, np.logaddexp(0.0, goal)  # E <= V <= E + owed
    low = np.minimum(low, goal)
    for _ in range(100):
        middle = (low + high) / 2
        over = log_call(middle, s) > goal
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    return np.asarray((low + high) / 2, float)
