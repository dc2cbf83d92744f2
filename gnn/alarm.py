"""An alarm for when answers are no longer as strange as they were: bets against exchangeability (Vovk et al. 2021)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Alarm:
    """Whether a stream of strangeness is no longer what the calibration was."""

    fired: bool
    at: int | None
    """Place in the stream at which it fired, from 0."""
    peak: float
    """log10 of the most that betting against exchangeability had earned."""
    level: float
    """Probability of a false alarm, ever, is at most this (Ville 1939)."""


def within(group: np.ndarray, stream: np.ndarray, seed: int = 0) -> np.ndarray:
    """(stream,) smoothed p-values, each among those of its group before it: uniform if each group is exchangeable."""
    found = np.empty(len(stream))
    for number in np.unique(group).tolist():
        mine = group == number
        found[mine] = online(np.zeros(0), stream[mine], seed + number + 1)
    return found


def online(calibration: np.ndarray, stream: np.ndarray, seed: int = 0) -> np.ndarray:
    """(stream,) smoothed p-values: each among the calibration and all before it; uniform if all are exchangeable."""
    bag, found = sorted(calibration.tolist()), []
    draws = np.random.default_rng(seed).random(len(stream))
    for value, draw in zip(stream.tolist(), draws.tolist(), strict=True):
        insort(bag, value)
        low, high = bisect_left(bag, value), bisect_right(bag, value)
        found.append((len(bag) - high + draw * (high - low)) / len(bag))
    return np.array(found)


def jumper(p: np.ndarray, jump: float = 0.01) -> np.ndarray:
    """(p,) log10 of the Simple Jumper martingale: bets of slope -1, 0, 1 on the p-values that change sides now and
    then (Vovk et al. 2021, "Retrain or not retrain").
    """
    slopes, capital, total, path = np.array([-1.0, 0.0, 1.0]), np.full(3, 1 / 3), 0.0, []
    for value in p.tolist():
        capital = (1 - jump) * capital + jump / 3
        capital = capital * (1 + slopes * (value - 0.5))
        total += float(np.log10(capital.sum()))
        capital = capital / capital.sum()
        path.append(total)
    return np.array(path)


def alarm(p: np.ndarray, level: float = 0.01) -> Alarm:
    """Fires when betting against uniform p-values has multiplied the stake by 1 / level."""
    path = jumper(p)
    over = np.flatnonzero(path >= -np.log10(level))
    return Alarm(bool(len(over)), int(over[0]) if len(over) else None, float(path.max(initial=0.0)), level)
