"""Fairness: how a score treats groups of entities, beside what happened to them.

Per group: the share called (score at or above the threshold), the true and the false positive rate, and calibration,
the mean score less the share that fell; shares with their Wilson (1927) intervals. Equal true and false positive rates
are equalised odds (Hardt, Price and Srebro 2016); equal calibration cannot be had beside them where groups fall at
different rates, unless nobody errs (Kleinberg, Mullainathan and Raghavan 2017). So all three are told. The share called
is told and not judged: where one country fares worse, its firms are called more often.

The gap of two groups has Newcombe's (1998) interval, at a level that is divided by the number of pairs compared
(Bonferroni). It is over the limit where it is larger and its interval leaves nothing out of doubt, that is excludes 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, hypot, sqrt
from statistics import NormalDist
from typing import Any, Final

import numpy as np

LEVEL: Final = 0.95
LEAST: Final = 5
"""Entities that a rate has to be of before it is judged."""
JUDGED: Final = ("true_positive_rate", "false_positive_rate", "calibration")


@dataclass(frozen=True, slots=True)
class Rate:
    """A share or a mean of so many, and its 95 % interval; of none it is not a number."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Group:
    """What became of one group."""

    name: str
    count: int
    fell: int
    called: Rate
    true_positive_rate: Rate
    false_positive_rate: Rate
    calibration: Rate


@dataclass(frozen=True, slots=True)
class Gap:
    """How far apart the two groups are that differ most in a measure."""

    measure: str
    most: str
    least: str
    gap: float
    low: float
    high: float
    over: bool


def measured(names: Sequence[str], values: np.ndarray, truth: np.ndarray, at: float, level: float) -> tuple[Group, ...]:
    """Every group, the largest first, with intervals of a level."""
    own = np.array(names, object)
    made = [group(name, values[own == name], truth[own == name], at, level) for name in sorted(set(names))]
    return tuple(sorted(made, key=lambda one: (-one.count, one.name)))


def group(name: str, values: np.ndarray, truth: np.ndarray, at: float, level: float = LEVEL) -> Group:
    """The measures of one group."""
    called = values >= at
    return Group(
        name,
        len(values),
        int(truth.sum()),
        wilson(called, level),
        wilson(called[truth], level),
        wilson(called[~truth], level),
        excess(values, truth, level),
    )


def wilson(hits: np.ndarray, level: float = LEVEL) -> Rate:
    """(p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)."""
    n = len(hits)
    if not n:
        return Rate(float("nan"), float("nan"), float("nan"), 0)
    p, z = float(np.mean(hits)), NormalDist().inv_cdf((1 + level) / 2)
    middle, half = (p + z * z / (2 * n)), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return Rate(p, max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale), n)


def excess(values: np.ndarray, truth: np.ndarray, level: float = LEVEL) -> Rate:
    """Mean score less the share that fell; as uncertain as that share is."""
    fell, said = wilson(truth, level), float(values.mean()) if len(values) else float("nan")
    return Rate(said - fell.value, said - fell.high, said - fell.low, len(values))


def gaps_of(again: Callable[[float], Sequence[Group]], limit: float | None) -> tuple[tuple[Gap, ...], tuple[str, ...]]:
    """The widest gap in each measure, and which groups were too small for it."""
    made, few = [], []
    for measure in JUDGED:
        small = [own.name for own in again(LEVEL) if getattr(own, measure).count < LEAST]
        if small:
            few.append(f"{measure.replace('_', ' ')} is not judged of {', '.join(small)}: fewer than {LEAST} each")
        pairs = comb(len(again(LEVEL)) - len(small), 2)
        if pairs:
            large = [own for own in again(1 - (1 - LEVEL) / pairs) if own.name not in small]
            made.append(widest(measure, large, limit))
    return tuple(made), tuple(few)


def widest(measure: str, groups: Sequence[Group], limit: float | None) -> Gap:
    """The pair that differs most; one whose gap is over the limit and real goes before one that may be chance."""
    found = []
    for pair in combinations(groups, 2):
        more, less = sorted(pair, key=lambda own: -getattr(own, measure).value)
        a, b = getattr(more, measure), getattr(less, measure)
        gap = a.value - b.value
        low, high = (gap - hypot(a.value - a.low, b.high - b.value), gap + hypot(a.high - a.value, b.value - b.low))
        over = limit is not None and gap > limit and low > 0
        found.append(Gap(measure, more.name, less.name, gap, low, high, over))
    return max(found, key=lambda own: (own.over, own.gap))


def by_group(groups: Sequence[str], by: str, probability: np.ndarray, truth: np.ndarray) -> list[dict[str, Any]]:
    """A row per group and measure for a manifest: called are as many as fell, and a rate of none is not told."""
    if not truth.any():
        return []
    at = float(np.sort(probability)[-int(truth.sum())])
    return [
        {"by": by, "group": own.name, "measure": measure, "value": rate.value, "low": rate.low, "high": rate.high}
        | {"count": rate.count}
        for own in measured(groups, probability, truth, at, LEVEL)
        for measure in ("called", *JUDGED)
        if (rate := getattr(own, measure)).count
    ]
