"""Scores become probabilities, relation by relation where there is enough to learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import isotonic_regression

from kg.errors import ModelError

Calibration = Callable[[np.ndarray], np.ndarray]
"""Scores to probabilities, never turning their order round."""
FOLDS: Final = 5
"""Parts of the validation scores; each is judged by a calibration learned on the others."""
MANY: Final = 100
"""Of each outcome, below which isotonic steps follow chance rather than the scores (Niculescu-Mizil, Caruana 2005)."""
LEAST: Final = 200
"""Scores of a relation, right and wrong together, below which it is calibrated with all the others."""


@dataclass(frozen=True)
class Platt:
    """p = 1 / (1 + exp(-(a s + b))), a >= 0 so that the order of the scores is kept (Platt 1999)."""

    a: float
    b: float

    def __call__(self, score: np.ndarray) -> np.ndarray:
        probability: np.ndarray = 1.0 / (1.0 + np.exp(-np.clip(self.a * score + self.b, -50.0, 50.0)))
        return probability


RIDGE = 1e-3
"""Draws the slope to 0 a little, so that it is finite where the outcomes are separated."""


def platt(score: np.ndarray, truth: np.ndarray, steps: int = 100) -> Platt:
    """Fit by Newton steps on Platt's softened targets. ModelError unless both outcomes occur.

    The targets (n+ + 1) / (n+ + 2) and 1 / (n- + 2) keep the probabilities off 0 and 1 where there is little data. A
    step that would not go down is halved until it does (Lin, Lin and Weng 2007): where scores all but separate a rare
    outcome, whole steps overshoot.
    """
    positives, negatives = int((truth > 0).sum()), int((truth <= 0).sum())
    if not positives or not negatives:
        raise ModelError(f"calibration needs both outcomes, got {positives} positive and {negatives} negative")
    middle, spread = float(score.mean()), float(score.std()) or 1.0
    x = (score - middle) / spread
    target = np.where(truth > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    a, b = 0.0, float(np.log((positives + 1) / (negatives + 1)))
    for _ in range(steps):
        p = 1.0 / (1.0 + np.exp(-np.clip(a * x + b, -50.0, 50.0)))
        slope, weight = p - target, np.maximum(p * (1 - p), 1e-12)
        gradient = np.array([slope @ x + RIDGE * a, slope.sum()])
        hessian = np.array([[weight @ (x * x) + RIDGE, weight @ x], [weight @ x, weight.sum()]])
        step = np.linalg.solve(hessian + 1e-9 * np.eye(2), gradient)
        before = _softened(x, target, a, b)
        while _softened(x, target, max(a - step[0], 0.0), b - step[1]) > before and np.abs(step).max() >= 1e-10:
            step = step / 2
        a, b = max(a - step[0], 0.0), b - step[1]
        if np.abs(step).max() < 1e-10:
            break
    return Platt(a / spread, b - a * middle / spread)


def _softened(x: np.ndarray, target: np.ndarray, a: float, b: float) -> float:
    """Log loss on softened targets, with the ridge."""
    logit = a * x + b
    return float(np.sum(np.logaddexp(0.0, logit) - target * logit) + RIDGE * a * a / 2)


@dataclass(frozen=True)
class Isotonic:
    """The rising step function nearest to the outcomes, with straight lines between (Zadrozny and Elkan 2002)."""

    score: tuple[float, ...]
    probability: tuple[float, ...]

    def __call__(self, score: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.interp(score, self.score, self.probability)
        return found


def isotonic(score: np.ndarray, truth: np.ndarray) -> Isotonic:
    """Pool adjacent violators (scipy), kept as far off 0 and 1 as one more wrong and one more right would."""
    if not len(score):
        raise ModelError("calibration needs scores, got none")
    levels, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    share = np.bincount(place, truth) / counts
    fitted = np.clip(isotonic_regression(share, weights=counts).x, 1 / (len(score) + 2), 1 - 1 / (len(score) + 2))
    return Isotonic(tuple(levels.tolist()), tuple(fitted.tolist()))


def losses(truth: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """(n,) negative log likelihood of each outcome."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    each: np.ndarray = -np.where(truth > 0, np.log(p), np.log(1 - p))
    return each


def folds(truth: np.ndarray) -> np.ndarray:
    """(n,) fold of each score, both outcomes dealt out evenly."""
    place = np.zeros(len(truth), dtype=np.int64)
    for side in (truth > 0, truth <= 0):
        place[side] = np.arange(int(side.sum())) % FOLDS
    return place


def unseen(
    fit: Callable[[np.ndarray, np.ndarray], Calibration], score: np.ndarray, truth: np.ndarray, fold: np.ndarray
) -> np.ndarray:
    """(n,) probability of each score by a calibration that did not learn from it."""
    found = np.empty(len(score))
    for k in range(FOLDS):
        mine = fold == k
        if mine.any():
            found[mine] = fit(score[~mine], truth[~mine])(score[mine])
    return found


def best(score: np.ndarray, truth: np.ndarray) -> tuple[Calibration, np.ndarray]:
    """Platt or isotonic, whichever has the lower log loss out of fold, and its probabilities out of fold.

    Where there are few of an outcome it is Platt, and below two a fold the probabilities are those of the fit itself.
    """
    fewer = min((truth > 0).sum(), (truth <= 0).sum())
    if fewer < 2 * FOLDS:
        plain = platt(score, truth)
        return plain, plain(score)
    fold, kinds = folds(truth), (platt, isotonic) if fewer >= MANY else (platt,)
    tried = [(kind, unseen(kind, score, truth, fold)) for kind in kinds]
    kind, out = min(tried, key=lambda one: float(losses(truth, one[1]).mean()))
    return kind(score, truth), out


@dataclass(frozen=True)
class ByRelation:
    """A calibration for all relations together, and one for each relation that is better off with its own."""

    pooled: Calibration
    own: Mapping[int, Calibration]

    def __call__(self, score: np.ndarray, relation: np.ndarray) -> np.ndarray:
        found = np.asarray(self.pooled(score), dtype=np.float64).copy()
        for number, calibration in self.own.items():
            mine = relation == number
            found[mine] = calibration(score[mine])
        return found


UNLEARNED: Final = ByRelation(Platt(1.0, 0.0), {})
"""Log odds as they are: where there is nothing to learn from."""


def by_relation(score: np.ndarray, truth: np.ndarray, relation: np.ndarray, least: int = LEAST) -> ByRelation:
    """A relation gets its own where it has `least` scores, both outcomes, and a lower log loss out of fold by it."""
    pooled, together = best(score, truth)
    own: dict[int, Calibration] = {}
    for number in np.unique(relation).tolist():
        mine = relation == number
        if mine.sum() < least or not 0 < truth[mine].sum() < mine.sum():
            continue
        found, alone = best(score[mine], truth[mine])
        if losses(truth[mine], alone).mean() < losses(truth[mine], together[mine]).mean():
            own[number] = found
    return ByRelation(pooled, own)


def expected_error(probability: np.ndarray, truth: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: mean over equal-width bins of |mean probability - share of positives|."""
    if not len(truth):
        return float("nan")
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [abs(float((probability[place == k] - truth[place == k]).sum())) for k in range(bins)]
    return sum(gaps) / len(truth)
