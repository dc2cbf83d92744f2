"""Cross-modal attention over whichever modalities a node has, added to its structural token.

For node v with structural token s_v and vectors x_vk of the modalities k it has:

    u_vk = LayerNorm(W_k scale_k(x_vk))           a token of each modality in one space
    a_vk = softmax_k( (Q s_v) . (K u_vk) / sqrt(d) )   over the present modalities only
    h_v  = s_v + O sum_k a_vk V u_vk

after Vaswani et al. 2017. The weights of a row sum to one, a missing modality has exactly zero, and a node without
any is its structural token alone. The structural token is never overwritten: what a modality adds can be read off.

The article that proposes attention for such data scores `v_i . u_j` over the rows i and j of one *batch* and takes no
softmax: samples mix, and a batch of 4 gives (4, 4, 3) where (4, 3) is meant. Its formula is `batch_mixing` below,
kept so that a test can show the difference; nothing else uses it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gnn.scale import Scale
from gnn.tensors import Features


class Fusion(nn.Module):
    """One token per modality, one attention over them per node."""

    def __init__(self, dim: int, modalities: Mapping[str, int], dropout: float = 0.0) -> None:
        super().__init__()
        self.names = tuple(sorted(modalities))
        self.dropout = dropout
        """In training, the probability that a node's modality is hidden: the model must live without any of them."""
        self.scale = nn.ModuleDict({name: Scale(name, modalities[name]) for name in self.names})
        self.project = nn.ModuleDict({name: nn.Linear(modalities[name], dim) for name in self.names})
        self.norm = nn.ModuleDict({name: nn.LayerNorm(dim) for name in self.names})
        self.query, self.key, self.value = (nn.Linear(dim, dim, bias=False) for _ in range(3))
        self.out = nn.Linear(dim, dim, bias=False)

    def forward(self, structure: Tensor, features: Mapping[str, Features]) -> tuple[Tensor, Tensor]:
        """Fused vectors (nodes, dim) and attention weights (nodes, modalities) in the order of `names`."""
        nodes, dim = structure.shape
        if not self.names:
            return structure, structure.new_zeros(nodes, 0)
        tokens = torch.stack([self._token(name, features, nodes) for name in self.names], dim=1)
        present = torch.stack([self._present(name, features, nodes) for name in self.names], dim=1)
        score = (self.query(structure)[:, None] * self.key(tokens)).sum(-1) / math.sqrt(dim)
        weights = masked_softmax(score, present)
        joint = (weights[..., None] * self.value(tokens)).sum(1)
        return structure + self.out(joint), weights

    def _token(self, name: str, features: Mapping[str, Features], nodes: int) -> Tensor:
        dim = self.out.out_features
        if name not in features:
            return torch.zeros(nodes, dim)
        own = features[name]
        token = self.norm[name](self.project[name](self.scale[name](own.values)))
        return torch.zeros(nodes, dim).index_copy(0, own.rows, token)

    def _present(self, name: str, features: Mapping[str, Features], nodes: int) -> Tensor:
        if name not in features:
            return torch.zeros(nodes, dtype=torch.bool)
        mask = features[name].mask(nodes)
        if self.training and self.dropout:
            mask = mask & (torch.rand(nodes) >= self.dropout)
        return mask


def masked_softmax(score: Tensor, present: Tensor) -> Tensor:
    """Softmax of each row over its present columns; the others are exactly 0, and so is a row without any."""
    highest = score.masked_fill(~present, -torch.inf).amax(dim=-1, keepdim=True)
    weight = (score - highest.nan_to_num(neginf=0.0)).masked_fill(~present, -torch.inf).exp()
    total = weight.sum(dim=-1, keepdim=True)
    return weight / total.masked_fill(total == 0.0, 1.0)


def batch_mixing(left: Tensor, right: Tensor) -> Tensor:
    """The article's formula: (batch, dim) x (batch, dim) -> (batch, batch, dim), without softmax, across samples."""
    score: Tensor = left @ right.T
    return score[..., None] * right[None]
