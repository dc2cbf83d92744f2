"""The relational network trained end to end on distress; it has no table of nodes, so it reads the graph of any cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.balance import weights
from gnn.distributed import portion
from gnn.evaluate import auprc
from gnn.head import TIES, Cohort, Head, contagion, widths
from gnn.heads.logistic import log_loss
from gnn.model import Shape, exact, seeded
from gnn.models.relational import Relational
from gnn.tensors import Features
from gnn.train import Recipe, fit
from gnn.trainable import Composed


class Network(Head):
    """P = sigmoid(w . [embedding, facts, contagion] + b); the embedding brings documents, pages and partners.

    Each cohort is read on the graph of its own cut, so no label can flow in. Rows of single nodes are left out: a
    row trained on an earlier cut would remember who failed, not why.
    """

    name = "network"
    balance: float = 0.0
    """How much more firms with a scarce modality weigh in the loss, from 0 (nothing) to 1: see gnn/balance.py."""
    reads: Mapping[str, str] = MappingProxyType({})
    """Encoder by modality for those that learn with the head; the cohorts then carry their prepared values."""
    fusion: str = "attention"
    """Way to fuse, of gnn/fusions/."""
    recipe = Recipe(epochs=40, rate=0.01, decay=0.97, weight_decay=3e-2, patience=12)

    def fit(self, cohorts: Sequence[Cohort], valid: Cohort) -> None:
        """The number of epochs is chosen on `valid`; then the network is fitted anew for as many on all cohorts."""
        recipe = Recipe(**{**vars(self.recipe), "seed": self.seed, "threads": self.threads})
        first = self._build([*cohorts, valid])
        run = fit(first, DistressTask(cohorts, valid, self.balance), recipe, self.state and self.state / "choose")
        self.model = self._build([*cohorts, valid])
        again = Recipe(**{**vars(recipe), "epochs": max(run.best, 1)})
        fit(self.model, DistressTask([*cohorts, valid], None, self.balance), again, self.state and self.state / "all")

    def predict(self, cohort: Cohort) -> np.ndarray:
        with torch.no_grad(), exact(self.threads):
            probability: np.ndarray = torch.sigmoid(self.model(cohort)).double().numpy()
        return probability

    @property
    def reach(self) -> int:
        return max(1, len(self.model.encoder.layers))

    def kept(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        told = {"widths": self.widths, "reads": dict(self.reads), "fusion": self.fusion}
        return self.model.state_dict(), told

    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        self.reads, self.fusion, self.widths = facts["reads"], facts["fusion"], facts["widths"]
        self.model = Distress(Shape(0, self.widths), 0.5, self.seed, self.reads, self.fusion)
        self.model.load_state_dict(dict(tensors))
        self.model.eval()

    def _build(self, cohorts: Sequence[Cohort]) -> Distress:
        rate = sum(c.positives for c in cohorts) / max(sum(map(len, cohorts)), 1)
        self.widths = widths(cohorts)
        return Distress(Shape(0, self.widths), rate, self.seed, self.reads, self.fusion)


class Distress(nn.Module):
    """Logit of distress for each firm of a cohort."""

    def __init__(
        self,
        shape: Shape,
        rate: float,
        seed: int,
        reads: Mapping[str, str] = MappingProxyType({}),
        fusion: str = "attention",
    ) -> None:
        super().__init__()
        self.read = Composed(reads, seed)
        shape_read = self.read.of(shape)
        self.encoder = Relational(shape_read, 24, dropout=0.3, table=False, fusion=fusion, seed=seed)
        self.width = shape.modalities.get("numeric", 0)
        with seeded(seed):
            self.out = nn.Linear(24 + self.width + 2 * len(TIES), 1)
            nn.init.normal_(self.out.weight, std=0.05)
            nn.init.constant_(self.out.bias, float(np.log(max(rate, 1e-3) / (1 - min(rate, 0.999)))))

    def forward(self, cohort: Cohort) -> Tensor:
        x = self.encoder.embed(self.read(cohort.graph))[cohort.rows]
        own = cohort.graph.features.get("numeric")
        facts = torch.zeros(len(cohort), self.width)
        if own is not None and self.width:
            scaled = Features(own.rows, self.encoder.fusion.scale["numeric"](own.values))
            facts = scaled.dense(len(cohort.graph))[cohort.rows]
        near = torch.from_numpy(contagion(cohort)).to(torch.float32)
        logit: Tensor = self.out(torch.cat([F.dropout(x, 0.3, self.training), facts, near], dim=1)).squeeze(1)
        return logit


class DistressTask:
    """Cross-entropy over the firms of each cohort, weighed by the modalities they have; validated on a later cohort."""

    def __init__(self, cohorts: Sequence[Cohort], valid: Cohort | None, balance: float = 0.0) -> None:
        self.cohorts = [c for c in cohorts if len(c)]
        self.valid = valid
        self.weights = [say(c, balance) for c in self.cohorts]
        self.valid_weight = say(valid, balance).double().numpy() if valid is not None else None

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        """One step per cohort, in random order."""
        return self.portions(model, 0, 1)

    def portions(self, model: nn.Module, rank: int, size: int) -> Iterator[Tensor]:
        """The same, of each cohort only some firms; all ranks read its whole graph, as their surroundings overlap."""
        for number in torch.randperm(len(self.cohorts)).tolist():
            own, truth = self.cohorts[number], torch.from_numpy(self.cohorts[number].truth).to(torch.float32)
            mine, share = portion(len(own), rank, size)
            said, weight = model(own)[mine], self.weights[number][mine]
            lost = F.binary_cross_entropy_with_logits(said, truth[mine].to(said.dtype), weight)
            yield lost if size == 1 else lost * share

    def validate(self, model: nn.Module) -> float | None:
        """AUPRC less log loss: firms in the right order, and probabilities of the right size."""
        if self.valid is None or not len(self.valid):
            return None
        probability = torch.sigmoid(model(self.valid)).double().numpy()
        ranked = auprc(self.valid.truth, probability) if self.valid.positives else 0.0
        return ranked - log_loss(self.valid.truth, probability, self.valid_weight)


def say(cohort: Cohort, balance: float) -> Tensor:
    """(firms,) weight of each firm in the loss."""
    return weights(cohort.graph.present(sorted(cohort.graph.features))[cohort.rows], balance)
