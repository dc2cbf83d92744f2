"""Pre-training on the unlabelled graph, and fine-tuning on the few labels there are.

Two things are learned without any label, each from a graph of which a share of edges and features is hidden:

    masked     the hidden edges are told among all nodes (full softmax), and hidden features by mean squared error,
               where the model has decoders for them (gnn/models/autoencoder.py)
    contrast   the vectors of a node in two such views are alike, and unlike those of other nodes: InfoNCE between
               the views (van den Oord et al. 2018; for graphs GRACE, Zhu et al. 2020)

A `Classifier` then puts a linear layer on the vectors. Frozen, only that layer learns (a linear probe) and nothing is
forgotten. Otherwise all of it learns, and `anchor` times the squared distance from where it started is added (L2-SP,
Li, Grandvalet and Davoine 2018), which bounds how much is forgotten of what was learned before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.bilinear import Bilinear
from gnn.evaluate import rank
from gnn.model import seeded
from gnn.models.autoencoder import Autoencoder
from gnn.sample import allowed, predictable, reciprocal
from gnn.softmax import full_softmax
from gnn.tensors import Features, GraphTensors
from kg.errors import ModelError

NODES = 512
"""Most nodes that are set against each other in one step of contrast."""


@dataclass(frozen=True)
class Hiding:
    """What share of a graph is hidden in a view, and how much each part of the loss counts."""

    edges: float = 0.3
    features: float = 0.3
    masked: float = 1.0
    contrast: float = 0.5
    temperature: float = 0.5


class View:
    """A graph with some edges and features hidden, by draws of torch's generator."""

    def __init__(self, graph: GraphTensors, hiding: Hiding) -> None:
        self.edges = torch.rand(len(graph.edges)) < hiding.edges
        self.features = {
            name: torch.rand(len(own.rows)) < hiding.features for name, own in sorted(graph.features.items())
        }
        seen = {
            name: Features(own.rows[~self.features[name]], own.values[~self.features[name]])
            for name, own in graph.features.items()
        }
        self.graph = graph.without(self.edges).with_features(seen)


class Pretraining:
    """The task of `fit` that needs no labels: masked edges and features, and two views of each node."""

    def __init__(
        self, graph: GraphTensors, hiding: Hiding | None = None, valid: Tensor | None = None, steps: int = 4
    ) -> None:
        self.graph, self.hiding, self.valid, self.steps = graph, hiding or Hiding(), valid, steps
        self.asked = predictable(graph)
        self.fits = None if bool(graph.vocabulary.fits.all()) else allowed(graph)
        if not bool(self.asked.any()):
            raise ModelError(f"nothing to learn: the graph has no edge of {', '.join(graph.vocabulary.asked)}")

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        """One step per pair of views."""
        assert isinstance(model, Bilinear)
        for _ in range(self.steps):
            yield self.loss(model)

    def loss(self, model: Bilinear) -> Tensor:
        """The loss of freshly drawn views."""
        one = View(self.graph, self.hiding)
        x = model.embed(one.graph)
        loss = self.hiding.masked * self._masked(model, x, one)
        if self.hiding.contrast:
            other = model.embed(View(self.graph, self.hiding).graph)
            some = torch.randperm(len(x))[:NODES]
            loss = loss + self.hiding.contrast * info_nce(x[some], other[some], self.hiding.temperature)
        return loss

    def validate(self, model: nn.Module) -> float | None:
        """Filtered MRR of edges that were held back."""
        assert isinstance(model, Bilinear)
        return None if self.valid is None or not len(self.valid) else rank(model, self.graph, self.valid).mrr

    def _masked(self, model: Bilinear, x: Tensor, view: View) -> Tensor:
        loss, hidden = x.new_zeros(()), self.graph.edges[view.edges & self.asked]
        if len(hidden):
            loss = loss + self._edges(model, x, hidden)
        if isinstance(model, Autoencoder):
            for name, away in view.features.items():
                own = self.graph.features[name]
                if bool(away.any()):
                    loss = loss + model.feature_loss(x, name, own.rows[away], own.values[away])
        return loss

    def _edges(self, model: Bilinear, x: Tensor, triples: Tensor) -> Tensor:
        both = torch.cat([triples, reciprocal(triples, len(self.graph.vocabulary.relations))])
        asked, place = torch.unique(both[:, :2], dim=0, return_inverse=True)
        open_ = None if self.fits is None else self.fits[asked[:, 1]]
        return full_softmax(model.ask(x, *asked.T), x, (place, both[:, 2]), open_) / len(both)


def info_nce(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    """Mean negative log softmax of each row's partner among all rows, by cosine, from both sides."""
    scores = F.normalize(one, dim=1) @ F.normalize(other, dim=1).T / temperature
    partner = torch.arange(len(scores))
    return (F.cross_entropy(scores, partner) + F.cross_entropy(scores.T, partner)) / 2


class Classifier(nn.Module):
    """A linear layer over a model's vectors, to tell classes of nodes; the model itself learns too unless frozen."""

    def __init__(self, model: Bilinear, width: int, classes: int, frozen: bool = False, seed: int = 0) -> None:
        super().__init__()
        self.model, self.frozen = model, frozen
        self.start = [own.detach().clone() for own in model.parameters()]
        model.requires_grad_(not frozen)
        with seeded(seed):
            self.out = nn.Linear(width, classes)

    def train(self, mode: bool = True) -> Classifier:
        super().train(mode)
        if self.frozen:
            self.model.eval()
        return self

    def forward(self, graph: GraphTensors) -> Tensor:
        """Logits (nodes, classes)."""
        logits: Tensor = self.out(self.model.embed(graph))
        return logits

    def moved(self) -> Tensor:
        """Squared distance of the model's weights from where they started."""
        parts = [(own - begun).square().sum() for own, begun in zip(self.model.parameters(), self.start, strict=True)]
        return torch.stack(parts).sum()


class Labels:
    """The task of `fit` that tells the classes of labelled nodes."""

    def __init__(self, graph: GraphTensors, rows: Tensor, classes: Tensor, anchor: float = 0.0, steps: int = 4) -> None:
        if not len(rows):
            raise ModelError("no node has a label; expected at least one of each class")
        self.graph, self.rows, self.classes, self.anchor, self.steps = graph, rows, classes, anchor, steps

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        """Cross-entropy over all labelled nodes, with what keeps the model near its start."""
        assert isinstance(model, Classifier)
        for _ in range(self.steps):
            loss = F.cross_entropy(model(self.graph)[self.rows], self.classes)
            yield loss + self.anchor * model.moved() if self.anchor and not model.frozen else loss

    def validate(self, model: nn.Module) -> float | None:
        """Nothing to stop by: labels are too few to hold any back."""
        return None


def forgotten(before: float, model: Bilinear, graph: GraphTensors, held: Tensor) -> float:
    """How much of the filtered MRR on held-back edges, `before` fine-tuning, is gone after it."""
    return before - rank(model, graph, held).mrr
