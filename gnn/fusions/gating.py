"""Gated average: learned weights for each node, from what its modalities themselves say.

    a_vk = softmax_k(b_k + g_k . u_vk)  over the modalities that node v has;    h_v = s_v + O sum_k a_vk u_vk

with u_vk = LayerNorm(W_k x_vk), after the gated unit of Arevalo et al. 2017, whose gates need not sum to one. With
g = 0 it is the weighted average. The weights are the shares.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gnn.fusions.weighted import Weighted


class Gating(Weighted):
    """An average of the tokens in which each node has weights of its own."""

    name = "gating"

    def __init__(self, dim: int, modalities: Mapping[str, int], dropout: float = 0.0) -> None:
        super().__init__(dim, modalities, dropout)
        self.gate = nn.Parameter(torch.zeros(len(self.names), dim))

    def scores(self, tokens: Tensor) -> Tensor:
        return self.say + (self.gate * tokens).sum(-1)
