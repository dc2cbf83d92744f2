"""Logistic regression on a firm's own facts: the credit analyst's baseline, without a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from gnn.head import Cohort, Head, facts
from kg.errors import MissingExtraError

HINT = "this head needs scikit-learn; run: pip install 'kgrisk[learn]' (or: pip install scikit-learn)"
STRENGTHS: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Inverse L2 strengths tried on the validation cohort."""


class Logistic(Head):
    """P = sigmoid(w . facts + b) with an L2 penalty whose strength is chosen on the validation cohort."""

    name = "logistic"

    def features(self, cohort: Cohort) -> np.ndarray:
        """(firms, columns) what the regression reads."""
        return facts(cohort)

    def prepare(self, cohorts: Sequence[Cohort]) -> None:
        """Learn what `features` needs from the cohorts of the train window; nothing here."""

    def fit(self, cohorts: Sequence[Cohort], valid: Cohort) -> None:
        self.prepare(cohorts)
        x, y = self._stack(cohorts)
        tried = [(log_loss(valid.truth, self._train(x, y, c)(self.features(valid))), c) for c in STRENGTHS]
        self.strength = min(tried)[1]
        self.model = self._train(*self._stack([*cohorts, valid]), self.strength)

    def predict(self, cohort: Cohort) -> np.ndarray:
        return self.model(self.features(cohort))

    def _stack(self, cohorts: Sequence[Cohort]) -> tuple[np.ndarray, np.ndarray]:
        return np.concatenate([self.features(c) for c in cohorts]), np.concatenate([c.truth for c in cohorts])

    @staticmethod
    def _train(x: np.ndarray, y: np.ndarray, strength: float) -> Regression:
        return Regression(x, y, strength)


class Regression:
    """A fitted regression; one outcome only in the data gives its constant rate."""

    def __init__(self, x: np.ndarray, y: np.ndarray, strength: float) -> None:
        try:
            from sklearn.linear_model import LogisticRegression
        except ImportError as error:
            raise MissingExtraError(HINT) from error
        self.mean, self.spread = x.mean(0), np.where(x.std(0) > 0, x.std(0), 1.0)
        self.rate = (y.sum() + 1) / (len(y) + 2)
        self.model = None
        if 0 < y.sum() < len(y):
            self.model = LogisticRegression(C=strength, max_iter=1000, tol=1e-8).fit(self._scaled(x), y)

    def _scaled(self, x: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = np.clip((x - self.mean) / self.spread, -5.0, 5.0)
        return scaled

    def __call__(self, x: np.ndarray) -> np.ndarray:
        if self.model is None:
            return np.full(len(x), self.rate)
        probability: np.ndarray = self.model.predict_proba(self._scaled(x))[:, 1]
        return probability


def log_loss(truth: np.ndarray, probability: np.ndarray) -> float:
    """Mean negative log likelihood."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return float(-np.mean(truth * np.log(p) + (1 - truth) * np.log(1 - p)))
