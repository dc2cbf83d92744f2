"""Structure alone: a complex vector for each node and relation, without features or message passing."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gnn.bilinear import Bilinear
from gnn.decoder import query
from gnn.model import Plan, Shape, seeded
from gnn.tensors import GraphTensors


class Complex(Bilinear):
    """ComplEx factorisation (Trouillon et al. 2016), with a relation vector for each direction (Lacroix et al. 2018).

    `symmetric=True` is DistMult (Yang et al. 2015), the real case, which cannot tell direction. `dim` counts real
    numbers: the rank of the literature is half of it. `spread` is the standard deviation vectors start with, `dropout`
    the share of each query's numbers that is blanked in training.
    """

    name = "complex"
    plan = Plan(
        settings={"dim": 1024, "spread": 1e-3},
        lesson={"batch": 1000, "n3": 0.01},
        recipe={
            "epochs": 30,
            "optimiser": "adagrad",
            "rate": 0.1,
            "schedule": "linear",
            "weight_decay": 0.0,
            "every": 3,
        },
        alone=True,
        over={"steps": 16},
    )

    def __init__(
        self,
        shape: Shape,
        dim: int = 64,
        *,
        symmetric: bool = False,
        spread: float = 0.1,
        dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        settings = {"dim": dim, "symmetric": symmetric, "spread": spread, "dropout": dropout, "seed": seed}
        super().__init__(shape, settings)
        self.symmetric, self.dropout = symmetric, dropout
        with seeded(seed):
            self.rows = nn.Parameter(spread * torch.randn(shape.nodes, dim))
            self.relation = nn.Parameter(spread * torch.randn(2 * shape.relations, dim))

    def embed(self, graph: GraphTensors) -> Tensor:
        """The table itself: what is linked to what is in the training alone."""
        self.check(graph)
        return self.rows

    def query(self, head: Tensor, relation: Tensor) -> Tensor:
        return functional.dropout(query(head, relation, self.symmetric), self.dropout, self.training)
