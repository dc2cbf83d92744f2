"""Odds: scores of a model that all but separates the classes become probabilities."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from gnn.calibrate import Platt
from kg.errors import ModelError

RIDGE = 1e-3
"""Draws the slope to 0 a little, so that it is finite where the classes are separated."""


def scaled(score: np.ndarray, truth: np.ndarray) -> Platt:
    """Platt's a and b (1999) on his softened targets, by a search that goes down at every step (Lin et al. 2007).

    ModelError unless both outcomes occur.
    """
    positives, negatives = int((truth > 0).sum()), int((truth <= 0).sum())
    if not positives or not negatives:
        raise ModelError(f"calibration needs both outcomes, got {positives} positive and {negatives} negative")
    middle, spread = float(score.mean()), float(score.std()) or 1.0
    x = (score - middle) / spread
    target = np.where(truth > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        logit = at[0] * x + at[1]
        slope = expit(logit) - target
        value = np.sum(np.logaddexp(0, logit) - target * logit) + RIDGE * at[0] ** 2 / 2
        return float(value), np.array([slope @ x + RIDGE * at[0], slope.sum()])

    begin = np.array([1.0, np.log((positives + 1) / (negatives + 1))])
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=[(0.0, None), (None, None)])
    a, b = (float(value) for value in found.x)
    return Platt(a / spread, b - a * middle / spread)
