"""Counting, without training: what happened before happens again, and what is popular stays popular."""

from __future__ import annotations

import torch
from torch import Tensor

from gnn.model import Model, Shape
from gnn.tensors import YEAR, GraphTensors, microseconds


class Frequency(Model):
    """Recurrency baseline, after Gastinger et al. 2024 ("History repeats itself"):

        score(h, r, t) = c(h, r, t) + 0.1 c(h, t) + 0.01 p(r, t)

    with c decayed counts exp(-age / decay) of the triple and of the pair under any relation in either direction,
    and p the decayed share of r's edges that end at t. Any learned model has to be shown beside it.
    """

    name = "frequency"
    trained = False

    def __init__(self, shape: Shape, decay: float = 1.0) -> None:
        super().__init__(shape, {"decay": decay})
        self.decay = decay

    def embed(self, graph: GraphTensors) -> Tensor:
        """(nodes, 2 R) decayed degree of each node by relation and direction."""
        _, relation, tail, weight = self._events(graph)
        table = torch.zeros(len(graph), 2 * len(graph.vocabulary.relations))
        return table.index_put((tail, relation), weight, accumulate=True)

    def score_tails(self, graph: GraphTensors, heads: Tensor, relations: Tensor) -> Tensor:
        """The formula above; with a reciprocal relation it counts heads."""
        head, relation, tail, weight = self._events(graph)
        degree = self.embed(graph)
        popular = degree / degree.sum(0).clamp(min=1e-9)
        scores = 0.01 * popular.T[relations]
        for row, (h, r) in enumerate(zip(heads.tolist(), relations.tolist(), strict=True)):
            own = head == h
            gain = torch.where(relation[own] == r, 1.1, 0.1) * weight[own]
            scores[row].index_add_(0, tail[own], gain)
        return scores

    def _events(self, graph: GraphTensors) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Head, relation, tail and decayed count of every edge in both directions."""
        h, r, t = graph.edges.unbind(1)
        age = (microseconds(graph.cut) - graph.last).to(torch.float32) / (YEAR * self.decay)
        weight = graph.counts.to(torch.float32).log1p() * torch.exp(-age)
        return (
            torch.cat([h, t]),
            torch.cat([r, r + len(graph.vocabulary.relations)]),
            torch.cat([t, h]),
            torch.cat([weight, weight]),
        )
