"""A multilayer perceptron on a firm's own facts: the tabular baseline of every network that reads a graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.head import Cohort, Head, facts, widths
from gnn.heads.logistic import Block, log_loss, scale_of
from gnn.model import exact, seeded
from gnn.train import Recipe, fit

HIDDEN = 32


class Mlp(Head):
    """P = sigmoid(w . relu(W2 relu(W1 x + b1) + b2) + b) over scaled facts and their masks of what is missing.

    Rumelhart, Hinton and Williams 1986. The number of epochs is chosen on `valid`; then all cohorts are learned from.
    """

    name = "mlp"
    recipe = Recipe(epochs=60, rate=0.01, decay=0.97, weight_decay=1e-2, patience=12)

    def fit(self, cohorts: Sequence[Cohort], valid: Cohort) -> None:
        """Scale, learn and choose the epoch on `valid`; then scale and learn anew on everything."""
        self.width = widths([*cohorts, valid]).get("numeric", 1)
        recipe = replace(self.recipe, seed=self.seed, threads=self.threads)
        run = self._learn(cohorts, valid, recipe, "choose")
        self._learn([*cohorts, valid], None, replace(recipe, epochs=max(run, 1)), "all")

    def predict(self, cohort: Cohort) -> np.ndarray:
        with torch.no_grad(), exact(self.threads):
            probability: np.ndarray = torch.sigmoid(self.model(self._columns(cohort))).double().numpy()
        return probability

    def _learn(self, cohorts: Sequence[Cohort], valid: Cohort | None, recipe: Recipe, stage: str) -> int:
        self.scale = scale_of(np.concatenate([facts(own, self.width) for own in cohorts]), Block.whole)
        x = torch.cat([self._columns(own) for own in cohorts])
        y = torch.from_numpy(np.concatenate([own.truth for own in cohorts])).float()
        rate = float(np.clip(y.mean() if len(y) else 0.5, 1e-3, 0.999))
        self.model = Perceptron(self.width, rate, self.seed)
        later = (self._columns(valid), valid.truth) if valid is not None and len(valid) else None
        return fit(self.model, Rows(x, y, later), recipe, self.state and self.state / stage).best

    def _columns(self, cohort: Cohort) -> Tensor:
        mean, spread = self.scale
        return torch.from_numpy(np.clip((facts(cohort, self.width) - mean) / spread, -5.0, 5.0)).float()


class Perceptron(nn.Module):
    """Two hidden layers; before it has learned it says the rate of the past."""

    def __init__(self, width: int, rate: float, seed: int) -> None:
        super().__init__()
        with seeded(seed):
            self.layers = nn.Sequential(
                nn.Linear(width, HIDDEN), nn.ReLU(), nn.Dropout(0.3), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()
            )
            self.out = nn.Linear(HIDDEN, 1)
            nn.init.normal_(self.out.weight, std=0.05)
            nn.init.constant_(self.out.bias, float(np.log(rate / (1 - rate))))

    def forward(self, x: Tensor) -> Tensor:
        """(firms, width) -> (firms,) log odds."""
        odds: Tensor = self.out(self.layers(x)).squeeze(1)
        return odds


class Rows:
    """Cross-entropy over rows in batches drawn anew each epoch; validated by the log loss of a later cohort."""

    def __init__(self, x: Tensor, y: Tensor, later: tuple[Tensor, np.ndarray] | None, batch: int = 256) -> None:
        self.x, self.y, self.later, self.batch = x, y, later, batch

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        order = torch.randperm(len(self.x))
        for at in range(0, len(order), self.batch):
            part = order[at : at + self.batch]
            yield F.binary_cross_entropy_with_logits(model(self.x[part]), self.y[part])

    def validate(self, model: nn.Module) -> float | None:
        if self.later is None:
            return None
        x, truth = self.later
        return -log_loss(truth, torch.sigmoid(model(x)).double().numpy())
