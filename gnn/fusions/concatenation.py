"""Concatenation: each modality is projected, the tokens are joined, and the whole is projected again.

u_vk = relu(LayerNorm(W_k x_vk));    h_v = s_v + O [u_v1 ... u_vn]        0 in the place of what is missing
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.fusion import Additive, Seen, projections, spread


class Concatenation(Additive):
    """Project, join, project."""

    name = "concatenation"

    def __init__(self, dim: int, modalities: Mapping[str, int], dropout: float = 0.0) -> None:
        super().__init__(dim, modalities, dropout)
        self.project = projections(dim, self.widths)
        bound = (dim * max(len(self.names), 1)) ** -0.5
        self.out = nn.Parameter(torch.empty(len(self.names), dim, dim).uniform_(-bound, bound))

    def last(self) -> Iterable[Tensor]:
        return [self.out]

    def parts(self, structure: Tensor, seen: Seen, present: Tensor) -> Tensor:
        tokens = F.relu(spread(self.project, seen, present, self.dim))
        return torch.einsum("vkd,kde->vke", tokens, self.out)
