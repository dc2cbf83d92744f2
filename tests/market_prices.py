"""Fictional daily prices: a random walk with a common factor, on real sessions of New York."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from ingest.extract.market.calendar import sessions

HEAD = "Date,Open,High,Low,Close,Adj Close,Volume"


def days(count: int, first: date = date(2019, 1, 2)) -> list[date]:
    """So many sessions of New York."""
    found: list[date] = sessions("XNYS", first, date(first.year + 1 + count // 200, 12, 31))["day"].to_list()
    return found[:count]


def walk(count: int, seed: int, factor: float = 0.7) -> list[float]:
    """Prices that share a market move with every other walk."""
    market = np.random.default_rng(1).normal(0, 0.01, count)
    own = np.random.default_rng(seed).normal(0, 0.01, count)
    prices: list[float] = (50 * np.exp(np.cumsum(factor * market + (1 - factor) * own))).round(4).tolist()
    return prices


def ohlcv(dates: Sequence[date], prices: Sequence[float]) -> bytes:
    """A file of one ticker, adjusted closes half the closes."""
    lines = [
        f"{day},{price},{price + 1:.4f},{price - 1:.4f},{price},{price / 2:.6f},{1000 + (7 * n) % 300}"
        for n, (day, price) in enumerate(zip(dates, prices, strict=True))
    ]
    return "\n".join([HEAD, *lines, ""]).encode()
