"""Logistic regression on a firm's own facts: the credit analyst's baseline, without a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from gnn.head import Cohort, Head, facts, widths
from kg.errors import MissingExtraError

HINT = "this head needs scikit-learn; run: pip install 'kgrisk[learn]' (or: pip install scikit-learn)"
STRENGTHS: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Inverse L2 strengths tried on the validation cohort."""


class Logistic(Head):
    """P = sigmoid(w . facts + b) with an L2 penalty whose strength is chosen on the validation cohort."""

    name = "logistic"

    def blocks(self, cohort: Cohort) -> list[Block]:
        """What the regression reads, in parts that are scaled each in its way."""
        return [Block(facts(cohort, self.widths.get("numeric", 1)))]

    def fit(self, cohorts: Sequence[Cohort], valid: Cohort) -> None:
        """The strength of the penalty is the one of STRENGTHS with the least log loss on `valid`."""
        self.widths = widths([*cohorts, valid])
        self._scale(cohorts)
        x, y = self._stack(cohorts)
        tried = [(log_loss(valid.truth, Regression(x, y, c)(self._features(valid))), c) for c in STRENGTHS]
        self.strength = min(tried)[1]
        self._scale([*cohorts, valid])
        self.model = Regression(*self._stack([*cohorts, valid]), self.strength)

    def predict(self, cohort: Cohort) -> np.ndarray:
        return self.model(self._features(cohort))

    def kept(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        made = {f"scale.{n}.{part}": values for n, both in enumerate(self.scales) for part, values in enumerate(both)}
        if self.model.model is not None:
            made |= {"weights": self.model.model.coef_, "intercept": self.model.model.intercept_}
        told = {"widths": self.widths, "rate": float(self.model.rate), "blocks": len(self.scales)}
        return {name: torch.from_numpy(np.asarray(value, np.float64)) for name, value in made.items()}, told

    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        made = {name: value.numpy() for name, value in tensors.items()}
        self.widths = dict(facts["widths"])
        self.scales = [(made[f"scale.{n}.0"], made[f"scale.{n}.1"]) for n in range(facts["blocks"])]
        self.model = Regression.read(float(facts["rate"]), made.get("weights"), made.get("intercept"))

    def _scale(self, cohorts: Sequence[Cohort]) -> None:
        columns = zip(*(self.blocks(c) for c in cohorts), strict=True)
        self.scales = [scale_of(np.concatenate([b.values for b in parts]), parts[0].whole) for parts in columns]

    def _features(self, cohort: Cohort) -> np.ndarray:
        parts = zip(self.blocks(cohort), self.scales, strict=True)
        return np.concatenate([np.clip((b.values - mean) / spread, -5.0, 5.0) for b, (mean, spread) in parts], axis=1)

    def _stack(self, cohorts: Sequence[Cohort]) -> tuple[np.ndarray, np.ndarray]:
        return np.concatenate([self._features(c) for c in cohorts]), np.concatenate([c.truth for c in cohorts])


@dataclass(frozen=True)
class Block:
    """Columns of one kind."""

    values: np.ndarray
    """(firms, columns)."""
    whole: bool = False
    """True: the columns are one vector and keep their proportions; False: each is a figure of its own."""


def scale_of(values: np.ndarray, whole: bool) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread per column; a whole vector gets one spread, so that it weighs as about three figures do."""
    mean, spread = values.mean(0), values.std(0)
    if whole:
        spread = np.full(len(spread), 0.6 * np.sqrt(values.var(0).sum()))
    return mean, np.where(spread > 0, spread, 1.0)


class Regression:
    """A fitted regression; one outcome only in the data gives its constant rate."""

    def __init__(self, x: np.ndarray, y: np.ndarray, strength: float) -> None:
        try:
            from sklearn.linear_model import LogisticRegression
        except ImportError as error:
            raise MissingExtraError(HINT) from error
        self.rate = (y.sum() + 1) / (len(y) + 2)
        self.model = None
        if 0 < y.sum() < len(y):
            self.model = LogisticRegression(C=strength, max_iter=2000).fit(x, y)

    @classmethod
    def read(cls, rate: float, weights: np.ndarray | None, intercept: np.ndarray | None) -> Regression:
        """A regression as it was fitted; it says the same to the bit."""
        made = cls(np.zeros((0, 1)), np.zeros(0), 1.0)
        made.rate = rate
        if weights is not None:
            from sklearn.linear_model import LogisticRegression

            made.model = LogisticRegression()
            made.model.coef_, made.model.intercept_, made.model.classes_ = weights, intercept, np.array([0.0, 1.0])
        return made

    def __call__(self, x: np.ndarray) -> np.ndarray:
        if self.model is None:
            return np.full(len(x), self.rate)
        probability: np.ndarray = self.model.predict_proba(x)[:, 1]
        return probability


def log_loss(truth: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean negative log likelihood, weighed where weights are given."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return float(-np.average(truth * np.log(p) + (1 - truth) * np.log(1 - p), weights=weight))
