"""Structure alone: a complex vector for each node and relation, without features or message passing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn.bilinear import Bilinear
from gnn.decoder import query
from gnn.model import Shape, seeded
from gnn.tensors import GraphTensors


class Complex(Bilinear):
    """ComplEx factorisation (Trouillon et al. 2016), with a relation vector for each direction (Lacroix et al. 2018).

    `symmetric=True` is DistMult (Yang et al. 2015), the real case, which cannot tell direction. `dim` counts real
    numbers: the rank of the literature is half of it. `spread` is the standard deviation vectors start with.
    """

    name = "complex"

    def __init__(
        self, shape: Shape, dim: int = 64, symmetric: bool = False, spread: float = 0.1, seed: int = 0
    ) -> None:
        super().__init__(shape, {"dim": dim, "symmetric": symmetric, "spread": spread, "seed": seed})
        self.symmetric = symmetric
        with seeded(seed):
            self.rows = nn.Parameter(spread * torch.randn(shape.nodes, dim))
            self.relation = nn.Parameter(spread * torch.randn(2 * shape.relations, dim))

    def embed(self, graph: GraphTensors) -> Tensor:
        """The table itself: what is linked to what is in the training alone."""
        self.check(graph)
        return self.rows

    def ask(self, x: Tensor, heads: Tensor, relations: Tensor) -> Tensor:
        return query(x[heads], self.relation[relations], self.symmetric)
