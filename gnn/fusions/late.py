"""Late fusion: each modality has a scorer of its own, and only their logits are added.

    t_vk = W'_k relu(W_k x_vk)             in coordinates that belong to modality k alone
    h_v  = s_v + [t_v1 | ... | t_vn]

The coordinates of the fused vector are dealt out among the modalities, in its first and its second half alike. A scorer
that reads coordinate by coordinate, linear, DistMult or ComplEx, then has weights of its own for each modality and adds
up their scores; no modality meets another before that. (Layers of messages in between mix coordinates again.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from gnn.fusion import Additive, Seen, spread
from kg.errors import ModelError


class Late(Additive):
    """A scorer per modality, logits added."""

    name = "late"
    places: Tensor

    def __init__(self, dim: int, modalities: Mapping[str, int], dropout: float = 0.0) -> None:
        super().__init__(dim, modalities, dropout)
        count = max(len(self.names), 1)
        if dim // 2 < count:
            raise ModelError(f"late fusion of {count} modalities needs vectors of {2 * count} numbers, not {dim}")
        self.score = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Linear(width, dim), nn.ReLU(), nn.Linear(dim, dim))
                for name, width in self.widths.items()
            }
        )
        half = torch.arange(dim - dim // 2) * count // (dim - dim // 2)
        owner = torch.cat([half, half])[:dim]
        self.register_buffer("places", (owner == torch.arange(count)[:, None]).float(), persistent=False)

    def last(self) -> Iterable[Tensor]:
        return [
            weight for name, weight in self.score.named_parameters() if name.split(".")[1] == "2"
        ]  # of the second map

    def parts(self, structure: Tensor, seen: Seen, present: Tensor) -> Tensor:
        return spread(self.score, seen, present, self.dim) * self.places
