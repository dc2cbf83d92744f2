"""The share of firms that got into distress before: what any model has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gnn.head import Cohort, Head


class BaseRate(Head):
    """(positives + 1) / (firms + 2) over all cohorts given (Laplace's rule of succession)."""

    name = "base_rate"
    rate = 0.5

    def fit(self, cohorts: Sequence[Cohort], valid: Cohort) -> None:
        every = [*cohorts, valid]
        self.rate = (sum(c.positives for c in every) + 1) / (sum(map(len, every)) + 2)

    def predict(self, cohort: Cohort) -> np.ndarray:
        return np.full(len(cohort), self.rate)
