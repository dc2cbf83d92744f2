"""Report: how well alerts are ranked and how true their probabilities are, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from gnn.calibrate import expected_error
from gnn.evaluate import auprc, brier
from kg.errors import ModelError

BUDGET: Final = 0.01
"""Share of the harmless transfers that may be alerted on."""
TOP: Final = 100
ROUNDS: Final = 100


@dataclass(frozen=True)
class Judged:
    """Scored transfers and what they were."""

    truth: np.ndarray
    score: np.ndarray
    """(transfers,) log odds, or anything of that order."""
    probability: np.ndarray
    threshold: float
    """The score from which on a transfer is alerted, chosen on validation."""

    def of(self, rows: np.ndarray) -> Judged:
        return Judged(self.truth[rows], self.score[rows], self.probability[rows], self.threshold)


@dataclass(frozen=True)
class Measured:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def f1(judged: Judged) -> float:
    """2 tp / (2 tp + fp + fn) at the threshold."""
    alert, bad = judged.score >= judged.threshold, judged.truth > 0
    both = float((alert & bad).sum())
    return 2 * both / max(float(alert.sum() + bad.sum()), 1.0)


def recall(judged: Judged) -> float:
    """Share of the laundering transfers above all but BUDGET of the harmless ones; a tie with the budget is missed."""
    bad, good = judged.score[judged.truth > 0], np.sort(judged.score[judged.truth == 0])[::-1]
    if not len(bad) or not len(good):
        return float("nan")
    limit = good[min(int(BUDGET * len(good)), len(good) - 1)]
    return float((bad > limit).mean())


def precision(judged: Judged) -> float:
    """Share that launders among the TOP scores; what ties with the last of them counts by its share."""
    count = min(TOP, len(judged.score))
    limit = np.sort(judged.score)[-count]
    above, tied = judged.score > limit, judged.score == limit
    return float((judged.truth[above].sum() + (count - above.sum()) * judged.truth[tied].mean()) / count)


FIGURES: Final[Mapping[str, Callable[[Judged], float]]] = {
    "AUPRC": lambda judged: auprc(judged.truth, judged.score),
    "F1": f1,
    "recall at 1 % false positives": recall,
    "precision at 100": precision,
    "Brier": lambda judged: brier(judged.truth, judged.probability),
    "ECE": lambda judged: expected_error(judged.probability, judged.truth),
}


def measure(judged: Judged, senders: np.ndarray, seed: int = 0) -> dict[str, Measured]:
    """Each of FIGURES with a 95 % interval over resampled senders: transfers of one scheme come in groups."""
    draws = resampled(senders, seed)
    told = {}
    for name, figure in FIGURES.items():
        found = [figure(judged.of(rows)) for rows in draws]
        low, high = np.nanpercentile(found, [2.5, 97.5])
        told[name] = Measured(figure(judged), float(low), float(high))
    return told


def gap(one: Judged, other: Judged, senders: np.ndarray, figure: Callable[[Judged], float], seed: int = 0) -> Measured:
    """A figure of the one less that of the other, on the same resampled senders."""
    found = [figure(one.of(rows)) - figure(other.of(rows)) for rows in resampled(senders, seed)]
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return Measured(figure(one) - figure(other), float(low), float(high))


def resampled(senders: np.ndarray, seed: int = 0) -> list[np.ndarray]:
    """Rows of ROUNDS resampled sets of senders, each with all of its transfers."""
    draw, order = np.random.default_rng(seed), np.argsort(senders, kind="stable")
    starts = np.append(np.flatnonzero(np.diff(senders[order], prepend=-1)), len(senders))
    groups = [order[low:high] for low, high in pairwise(starts)]
    return [np.concatenate([groups[k] for k in draw.integers(0, len(groups), len(groups))]) for _ in range(ROUNDS)]


def best_threshold(truth: np.ndarray, score: np.ndarray) -> float:
    """The score that gives the best F1 if it and all above it are alerts. ModelError where nothing launders."""
    if not truth.sum():
        raise ModelError(
            "a threshold needs laundering transfers in the validation part; choose an earlier start for it"
        )
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(truth[order])[ends]
    return float(score[order][ends[int(np.argmax(2 * hits / (ends + 1 + truth.sum())))]])


def ties(score: np.ndarray, top: int = 1000, alike: np.ndarray | None = None) -> float:
    """Share of the `top` scores that another one of them equals.

    With `alike`, a number per transfer that is the same for transfers that nothing tells apart: equal scores of those
    are no fault of the ranking and are not counted.
    """
    best = np.argsort(-score, kind="stable")[:top]
    own = score[best]
    same = own[:, None] == own[None, :]
    np.fill_diagonal(same, False)
    if alike is not None:
        same &= alike[best][:, None] != alike[best][None, :]
    return float(same.any(1).mean())
