"""Fusion network: a small network over all tokens at once, told which are missing.

    u_vk = LayerNorm(W_k x_vk);    h_v = s_v + MLP([s_v, u_v1 ... u_vn, m_v1 ... m_vn])        m marks what is there

Modalities act on each other in it, so none has a part of its own. The share of one is how far the fused vector moves
without it, among the moves of the others: |f(all) - f(all but k)|, from one more pass for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from gnn.fusion import Fusion, Seen, projections, shared_out, spread


class Network(Fusion):
    """An MLP over structure, tokens and masks."""

    name = "network"

    def __init__(self, dim: int, modalities: Mapping[str, int], dropout: float = 0.0) -> None:
        super().__init__(dim, modalities, dropout)
        self.project = projections(dim, self.widths)
        count = len(self.names)
        self.layers = nn.Sequential(
            nn.Linear((count + 1) * dim + count, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim, bias=False)
        )

    def last(self) -> Iterable[Tensor]:
        return self.layers[-1].parameters()

    def mix(self, structure: Tensor, seen: Seen, present: Tensor) -> tuple[Tensor, Tensor]:
        tokens = spread(self.project, seen, present, self.dim)
        added = self._through(structure, tokens, present)
        with torch.no_grad():
            moves = [
                (added - self._through(structure, tokens, without(present, place))).norm(dim=-1)
                for place in range(len(self.names))
            ]
        return added, shared_out(torch.stack(moves, dim=1), present)

    def _through(self, structure: Tensor, tokens: Tensor, present: Tensor) -> Tensor:
        joined = torch.cat([structure, (tokens * present[..., None]).flatten(1), present.float()], dim=1)
        added: Tensor = self.layers(joined) * present.any(1, keepdim=True)
        return added


def without(present: Tensor, place: int) -> Tensor:
    """The same with one modality left out everywhere."""
    left = present.clone()
    left[:, place] = False
    return left
