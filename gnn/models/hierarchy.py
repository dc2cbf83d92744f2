"""Structure with levels: a complex vector for each node and relation, and a place on ladders of parents and sectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.bilinear import Bilinear
from gnn.decoder import query
from gnn.model import Plan, Shape, seeded
from gnn.tensors import GraphTensors


class Hierarchy(Bilinear):
    """ComplEx beside levels, after the polar form of HAKE (Zhang et al. 2020):

        score(h, r, t) = ComplEx(h, r, t) - s_r |m_h + d_r - m_t|^2        s_r >= 0

    HAKE keeps the level of a node in the modulus of its complex numbers, which a relation scales, and tells nodes of
    one level apart by phase. Here m is the logarithm of the modulus, so scaling is a step d_r; the distance is squared,
    so the whole score is a dot product; and s_r is learned for each relation, so one that has no levels turns them
    off. As s_r and the step are shared by a relation and its reciprocal (with the sign turned), both directions speak
    of one ladder: whoever is a step above cannot be a step below.
    """

    name = "hierarchy"
    plan = Plan(
        settings={"dim": 256, "levels": 8, "spread": 0.01},
        lesson={"batch": 1000},
        recipe={"epochs": 40, "rate": 0.01, "schedule": "linear", "weight_decay": 1e-5, "every": 5},
        alone=True,
        over={"steps": 16},
    )

    def __init__(
        self, shape: Shape, dim: int = 64, levels: int = 4, spread: float = 0.1, weight: float = 1.0, seed: int = 0
    ) -> None:
        settings = {"dim": dim, "levels": levels, "spread": spread, "weight": weight, "seed": seed}
        super().__init__(shape, settings)
        self.dim, self.levels = dim, levels
        with seeded(seed):
            self.rows = nn.Parameter(spread * torch.randn(shape.nodes, dim))
            self.phase = nn.Parameter(spread * torch.randn(2 * shape.relations, dim))
            self.level = nn.Parameter(0.1 * torch.randn(shape.nodes, levels))
            self.step = nn.Parameter(0.1 * torch.randn(shape.relations, levels))
            self.strictness = nn.Parameter(torch.full((shape.relations, 1), weight).expm1().log())

    @property
    def relation(self) -> Tensor:  # type: ignore[override]  # put together anew from its parts
        """(2 R, dim + levels + 2): phase, step, how strict, and an unused column."""
        strict, step = F.softplus(self.strictness), self.step
        ladder = torch.cat([torch.cat([step, strict], 1), torch.cat([-step, strict], 1)])
        return torch.cat([self.phase, ladder, torch.zeros(len(ladder), 1)], dim=1)

    def embed(self, graph: GraphTensors) -> Tensor:
        """(nodes, dim + levels + 2): the complex vector, m, |m|^2 and 1."""
        self.check(graph)
        square = self.level.square().sum(1, keepdim=True)
        return torch.cat([self.rows, self.level, square, torch.ones_like(square)], dim=1)

    def query(self, head: Tensor, relation: Tensor) -> Tensor:
        parts = [self.dim, self.levels, 2]
        h, m, _ = torch.split(head, parts, dim=-1)
        z, d, rest = torch.split(relation, parts, dim=-1)
        strict, place = rest[..., :1], m + d
        square = place.square().sum(-1, keepdim=True)
        return torch.cat([query(h, z), 2.0 * strict * place, -strict, -strict * square], dim=-1)
