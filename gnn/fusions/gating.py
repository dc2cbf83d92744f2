"""Gated average: learned weights for each node, from what its modalities themselves say.

    a_vk = softmax_k(b_k + g_k . u_vk)  over the modalities that node v has;    h_v = s_v + O sum_k a_vk u_vk

with u_vk = LayerNorm(W_k x_vk), after the gated unit of Arevalo et al. 2017, whose gates need not sum to one. With
g = 0 it is the weighted average. The weights are the shares.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gnn.fusion import Fusion, Seen, masked_softmax, projections, spread


class Gating(Fusion):
    """An average of the tokens in which each node has weights of its own."""

    name = "gating"

    def __init__(self, dim: int, modalities: Mapping[str, int], dropout: float = 0.0) -> None:
        super().__init__(dim, modalities, dropout)
        self.project = projections(dim, self.widths)
        self.say = nn.Parameter(torch.zeros(len(self.names)))
        self.gate = nn.Parameter(torch.zeros(len(self.names), dim))
        self.out = nn.Linear(dim, dim, bias=False)

    def mix(self, structure: Tensor, seen: Seen, present: Tensor) -> tuple[Tensor, Tensor]:
        weighted, shares = self._weighted(seen, present)
        return self.out(weighted.sum(1)), shares

    def parts(self, structure: Tensor, seen: Seen, present: Tensor) -> Tensor:
        parts: Tensor = self.out(self._weighted(seen, present)[0])
        return parts

    def _weighted(self, seen: Seen, present: Tensor) -> tuple[Tensor, Tensor]:
        tokens = spread(self.project, seen, present, self.dim)
        weights = masked_softmax(self.say + (self.gate * tokens).sum(-1), present)
        return weights[..., None] * tokens, weights
