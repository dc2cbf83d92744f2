"""Features of daily prices that are known on their day: no value depends on one of a later session.

Arrays are one value per session, in order; a feature is nan until it has all the sessions it needs. Only ratios of
adjusted prices enter, since a later dividend rescales all prices before it and leaves their ratios as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
YEAR: Final = 252
"""Sessions of a year, by which volatility is annualised."""


def _windows(values: Floats, width: int) -> Floats:
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(values, width))


def _late(values: Floats, size: int) -> Floats:
    """Values of the last sessions, nan for those before."""
    out = np.full(size, np.nan)
    out[size - len(values) :] = values
    return out


def log_returns(prices: Floats) -> Floats:
    """ln(p_t / p_(t-1)); nan for the first session."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _late(np.log(prices[1:] / prices[:-1]), len(prices))


def change(prices: Floats, window: int) -> Floats:
    """p_t / p_(t-window) - 1."""
    if len(prices) <= window:
        return np.full(len(prices), np.nan)
    return _late(prices[window:] / prices[:-window] - 1, len(prices))


def volatility(prices: Floats, window: int) -> Floats:
    """Standard deviation (n - 1) of the last log returns, times the root of 252."""
    returns = log_returns(prices)[1:]
    if len(returns) < window:
        return np.full(len(prices), np.nan)
    return _late(_windows(returns, window).std(axis=1, ddof=1) * np.sqrt(YEAR), len(prices))


def drawdown(prices: Floats, window: int) -> Floats:
    """p_t over the highest price of the last sessions, itself among them, less 1: 0 at the top, -0.5 at half of it."""
    if len(prices) < window:
        return np.full(len(prices), np.nan)
    return _late(prices[window - 1 :] / _windows(prices, window).max(axis=1) - 1, len(prices))


def volume_z(volumes: Floats, window: int) -> Floats:
    """Volume in standard deviations from its mean over the last sessions, itself among them; 0 where it never moves."""
    if len(volumes) < window:
        return np.full(len(volumes), np.nan)
    windows = _windows(volumes, window)
    spread = windows.std(axis=1, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        score = (volumes[window - 1 :] - windows.mean(axis=1)) / spread
    return _late(np.where(spread == 0, 0.0, score), len(volumes))


def rsi(prices: Floats, window: int) -> Floats:
    """Relative strength index: 100 - 100 / (1 + mean gain / mean loss), means smoothed by (n - 1) / n.

    Wilder, New Concepts in Technical Trading Systems, 1978.
    """
    out = np.full(len(prices), np.nan)
    moves = np.diff(prices)
    if len(moves) < window:
        return out
    gain, loss = np.maximum(moves, 0), np.maximum(-moves, 0)
    up, down = float(gain[:window].mean()), float(loss[:window].mean())
    out[window] = _index(up, down)
    for t in range(window, len(moves)):
        up, down = (up * (window - 1) + gain[t]) / window, (down * (window - 1) + loss[t]) / window
        out[t + 1] = _index(up, down)
    return out


def _index(up: float, down: float) -> float:
    if up == down == 0:
        return 50.0
    return 100 * up / (up + down)


def beta(returns: Floats, market: Floats, window: int) -> Floats:
    """Covariance with the market over the market's variance, of the last returns; nan where one of them is missing."""
    if len(returns) < window:
        return np.full(len(returns), np.nan)
    own, index = _windows(returns, window), _windows(market, window)
    index = index - index.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (own * index).sum(axis=1) / (index * index).sum(axis=1)
    return _late(slope, len(returns))


def equal_weight(returns: Floats) -> Floats:
    """Mean return of all series there on each session: (sessions, series) -> (sessions,)."""
    there = np.isfinite(returns)
    total = np.where(there, returns, 0.0).sum(axis=1)
    count = there.sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


FEATURES: Final[Mapping[str, Callable[[Floats, Floats], Floats]]] = {
    "return|1": lambda prices, volumes: change(prices, 1),
    "return|5": lambda prices, volumes: change(prices, 5),
    "return|20": lambda prices, volumes: change(prices, 20),
    "volatility|20": lambda prices, volumes: volatility(prices, 20),
    "volatility|60": lambda prices, volumes: volatility(prices, 60),
    "drawdown|250": lambda prices, volumes: drawdown(prices, 250),
    "volume_z|20": lambda prices, volumes: volume_z(volumes, 20),
    "rsi|14": lambda prices, volumes: rsi(prices, 14),
}
"""Features of one series by name and window."""
BETA: Final = 60
"""Returns that the beta to the equal-weight index of the series read together is made from."""


def features(prices: Floats, volumes: Floats) -> dict[str, Floats]:
    """All features of one series, each an array of one value per session."""
    return {name: feature(prices, volumes) for name, feature in FEATURES.items()}


def betas(prices: Floats) -> Floats:
    """Beta of each series to the equal-weight index of all: (sessions, series) -> the same."""
    returns = np.column_stack([log_returns(column) for column in prices.T])
    market = equal_weight(returns)
    return np.column_stack([beta(column, market, BETA) for column in returns.T])
