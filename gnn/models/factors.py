"""Structure alone: a vector for each node and relation, without features or message passing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn.decoder import query
from gnn.decoder import score as decode
from gnn.model import Model, Shape, seeded
from gnn.tensors import GraphTensors


class Factors(Model):
    """ComplEx factorisation (Trouillon et al. 2016); `symmetric=True` is DistMult, which cannot tell direction."""

    name = "factors"

    def __init__(self, shape: Shape, dim: int = 64, symmetric: bool = False, seed: int = 0) -> None:
        super().__init__(shape, {"dim": dim, "symmetric": symmetric, "seed": seed})
        self.symmetric = symmetric
        with seeded(seed):
            self.rows = nn.Parameter(0.1 * torch.randn(shape.nodes, dim))
            self.relation = nn.Parameter(0.3 * torch.randn(2 * shape.relations, dim))

    def embed(self, graph: GraphTensors) -> Tensor:
        """The table itself: what is linked to what is in the training alone."""
        self.check(graph)
        return self.rows

    def score_tails(self, graph: GraphTensors, heads: Tensor, relations: Tensor) -> Tensor:
        x = self.embed(graph)
        return query(x[heads], self.relation[relations], self.symmetric) @ x.T

    def score(self, graph: GraphTensors, triples: Tensor) -> Tensor:
        x = self.embed(graph)
        return decode(x[triples[:, 0]], self.relation[triples[:, 1]], x[triples[:, 2]], self.symmetric)
