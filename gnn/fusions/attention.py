"""Cross-modal attention: the structural token asks, the tokens of the modalities answer.

    u_vk = LayerNorm(W_k x_vk)                                 a token of each modality in one space
    a_vk = softmax_k( (Q s_v) . (K u_vk) / sqrt(d) )           over the present modalities only
    h_v  = s_v + O sum_k a_vk V u_vk                           after Vaswani et al. 2017

The shares are the weights a. What a modality adds under these weights adds up; but the weights hang on all of them,
so what would change without it is another question, which Shapley values answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from gnn.fusion import Fusion, Seen, masked_softmax, projections, spread


class Attention(Fusion):
    """One token per modality, one attention over them per node."""

    name = "attention"

    def __init__(self, dim: int, modalities: Mapping[str, int], dropout: float = 0.0) -> None:
        super().__init__(dim, modalities, dropout)
        self.project = projections(dim, self.widths)
        self.query, self.key, self.value = (nn.Linear(dim, dim, bias=False) for _ in range(3))
        self.out = nn.Linear(dim, dim, bias=False)

    def last(self) -> Iterable[Tensor]:
        return [self.out.weight]

    def mix(self, structure: Tensor, seen: Seen, present: Tensor) -> tuple[Tensor, Tensor]:
        weighted, shares = self._weighted(structure, seen, present)
        return self.out(weighted.sum(1)), shares

    def parts(self, structure: Tensor, seen: Seen, present: Tensor) -> Tensor:
        parts: Tensor = self.out(self._weighted(structure, seen, present)[0])
        return parts

    def _weighted(self, structure: Tensor, seen: Seen, present: Tensor) -> tuple[Tensor, Tensor]:
        """Values times weights (nodes, modalities, dim), and the weights."""
        tokens = spread(self.project, seen, present, self.dim)
        score = (self.query(structure)[:, None] * self.key(tokens)).sum(-1) / math.sqrt(self.dim)
        weights = masked_softmax(score, present)
        return weights[..., None] * self.value(tokens), weights
