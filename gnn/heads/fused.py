"""Distress from what a firm's own modalities say, through any way to fuse them; no edges, and parts that add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gnn.fusion import fuser
from gnn.head import Cohort, Head, widths
from gnn.heads.network import DistressTask
from gnn.model import Shape, exact, seeded
from gnn.train import Recipe, fit
from gnn.vocabulary import LABELS

DIM = 20
"""Length of the fused vector: five modalities have two complex numbers each in late fusion."""


@dataclass(frozen=True)
class Parts:
    """What each modality brought to the log odds of each firm."""

    names: tuple[str, ...]
    base: np.ndarray
    """(firms,) log odds of a firm of this label of which nothing is said."""
    parts: np.ndarray
    """(firms, modalities) what each adds; base and parts sum to the log odds. Exactly 0 where it is missing."""
    shares: np.ndarray
    """(firms, modalities) shares of the fusion; they sum to 1 where anything is said."""


class Fused(Head):
    """P = sigmoid(w . h_v + b) with h_v fused from the vectors of firm v alone, by the way named in `way`."""

    name = "fused"
    way: str = "attention"
    """A file of gnn/fusions/."""
    value: float
    """How well it did on the later cohort by which its epochs were chosen: what ways to fuse may be chosen by."""
    recipe = Recipe(epochs=150, rate=0.01, decay=0.99, weight_decay=1e-3, patience=25)

    def fit(self, cohorts: Sequence[Cohort], valid: Cohort) -> None:
        """The number of epochs is chosen on `valid`; then it is fitted anew for as many on all cohorts."""
        recipe = Recipe(**{**vars(self.recipe), "seed": self.seed, "threads": self.threads})
        first = self._build([*cohorts, valid])
        run = fit(first, DistressTask(cohorts, valid), recipe, self.state and self.state / "choose")
        self.value = run.value
        self.model = self._build([*cohorts, valid])
        again = Recipe(**{**vars(recipe), "epochs": max(run.best, 1)})
        fit(self.model, DistressTask([*cohorts, valid], None), again, self.state and self.state / "all")

    def predict(self, cohort: Cohort) -> np.ndarray:
        with torch.no_grad(), exact(self.threads):
            probability: np.ndarray = torch.sigmoid(self.model(cohort)).double().numpy()
        return probability

    def explain(self, cohort: Cohort) -> Parts:
        """The parts of each firm's log odds. ModelError for a way to fuse in which they do not add up."""
        with torch.no_grad(), exact(self.threads):
            return self.model.explain(cohort)

    def shares(self, cohort: Cohort) -> np.ndarray:
        """(firms, modalities) shares of the fusion, in the order of its names."""
        with torch.no_grad(), exact(self.threads):
            found: np.ndarray = self.model.fused(cohort)[1].double().numpy()
        return found

    def _build(self, cohorts: Sequence[Cohort]) -> Scorer:
        rate = sum(c.positives for c in cohorts) / max(sum(map(len, cohorts)), 1)
        return Scorer(Shape(0, widths(cohorts)), self.way, rate, self.seed)


class Scorer(nn.Module):
    """Log odds of each firm of a cohort: a token of its label, fused with its modalities, and one linear map."""

    def __init__(self, shape: Shape, way: str, rate: float, seed: int) -> None:
        super().__init__()
        with seeded(seed):
            self.label = nn.Embedding(len(LABELS), DIM)
            self.fusion = fuser(way)(DIM, shape.modalities, dropout=0.1)
            self.out = nn.Linear(DIM, 1)
            nn.init.normal_(self.label.weight)
            nn.init.constant_(self.out.bias, float(np.log(max(rate, 1e-3) / (1 - min(rate, 0.999)))))

    def forward(self, cohort: Cohort) -> Tensor:
        logit: Tensor = self.out(self.fused(cohort)[0]).squeeze(1)
        return logit

    def fused(self, cohort: Cohort) -> tuple[Tensor, Tensor]:
        """(firms, DIM) vectors and (firms, modalities) shares."""
        vectors, shares = self.fusion(self.label(cohort.graph.labels), cohort.graph.features)
        return vectors[cohort.rows], shares[cohort.rows]

    def explain(self, cohort: Cohort) -> Parts:
        structure, features = self.label(cohort.graph.labels), cohort.graph.features
        parts = self.fusion.contributions(structure, features)[cohort.rows] @ self.out.weight[0]
        base = self.out(structure[cohort.rows]).squeeze(1)
        shares = self.fused(cohort)[1]
        names: tuple[str, ...] = self.fusion.names
        return Parts(names, *(found.double().numpy() for found in (base, parts, shares)))
