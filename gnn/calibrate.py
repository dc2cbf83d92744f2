"""Scores become probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kg.errors import ModelError


@dataclass(frozen=True)
class Platt:
    """p = 1 / (1 + exp(-(a s + b))), a >= 0 so that the order of the scores is kept (Platt 1999)."""

    a: float
    b: float

    def __call__(self, score: np.ndarray) -> np.ndarray:
        probability: np.ndarray = 1.0 / (1.0 + np.exp(-np.clip(self.a * score + self.b, -50.0, 50.0)))
        return probability


def platt(score: np.ndarray, truth: np.ndarray, steps: int = 100) -> Platt:
    """Fit by Newton steps on Platt's softened targets. ModelError unless both outcomes occur.

    The targets (n+ + 1) / (n+ + 2) and 1 / (n- + 2) keep the probabilities off 0 and 1 where there is little data.
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
        gradient = np.array([slope @ x + 1e-3 * a, slope.sum()])
        hessian = np.array([[weight @ (x * x) + 1e-3, weight @ x], [weight @ x, weight.sum()]])
        step = np.linalg.solve(hessian + 1e-9 * np.eye(2), gradient)
        a, b = max(a - step[0], 0.0), b - step[1]
        if np.abs(step).max() < 1e-10:
            break
    return Platt(a / spread, b - a * middle / spread)


def expected_error(probability: np.ndarray, truth: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: mean over equal-width bins of |mean probability - share of positives|."""
    if not len(truth):
        return float("nan")
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [abs(float((probability[place == k] - truth[place == k]).sum())) for k in range(bins)]
    return sum(gaps) / len(truth)
