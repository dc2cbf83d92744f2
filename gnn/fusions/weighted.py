"""Weighted average: learned weights, one for each modality, the same for every node.

    a_vk = softmax_k(b_k)  over the modalities that node v has;    h_v = s_v + O sum_k a_vk u_vk

with u_vk = LayerNorm(W_k x_vk). The weights of a node sum to one whatever it lacks. They are the shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from gnn.fusion import Fusion, Seen, masked_softmax, projections, spread


class Weighted(Fusion):
    """A learned average of the tokens."""

    name = "weighted"

    def __init__(self, dim: int, modalities: Mapping[str, int], dropout: float = 0.0) -> None:
        super().__init__(dim, modalities, dropout)
        self.project = projections(dim, self.widths)
        self.say = nn.Parameter(torch.zeros(len(self.names)))
        self.out = nn.Linear(dim, dim, bias=False)

    def last(self) -> Iterable[Tensor]:
        return [self.out.weight]

    def mix(self, structure: Tensor, seen: Seen, present: Tensor) -> tuple[Tensor, Tensor]:
        weighted, shares = self._weighted(seen, present)
        return self.out(weighted.sum(1)), shares

    def parts(self, structure: Tensor, seen: Seen, present: Tensor) -> Tensor:
        parts: Tensor = self.out(self._weighted(seen, present)[0])
        return parts

    def _weighted(self, seen: Seen, present: Tensor) -> tuple[Tensor, Tensor]:
        tokens = spread(self.project, seen, present, self.dim)
        weights = masked_softmax(self.scores(tokens), present)
        return weights[..., None] * tokens, weights

    def scores(self, tokens: Tensor) -> Tensor:
        """(nodes, modalities) what the weights are the softmax of, from tokens (nodes, modalities, dim)."""
        return self.say.expand(len(tokens), -1)
