"""Early fusion: the scaled vectors are joined as they come, with a mark for each that is there, and projected once.

    h_v = s_v + W [x_v1 m_v1 ... x_vn m_vn]        m_vk = 1 where the modality is there; x_vk = 0 where it is not

One linear map reads all numbers at once. It can be read modality by modality, W_k x_vk + w_k m_vk, which is how it is
computed, so that widths of thousands are only touched for nodes that have them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from gnn.fusion import Additive, Seen, spread


class Early(Additive):
    """Raw vectors joined, one projection."""

    name = "early"

    def __init__(self, dim: int, modalities: Mapping[str, int], dropout: float = 0.0) -> None:
        super().__init__(dim, modalities, dropout)
        joined = sum(self.widths.values()) + len(self.names)
        self.project = nn.ModuleDict({name: nn.Linear(width, dim) for name, width in self.widths.items()})
        for module in self.project.values():  # as wide as one layer over the whole joined vector would begin
            for parameter in module.parameters():
                nn.init.uniform_(parameter, -(joined**-0.5), joined**-0.5)

    def last(self) -> Iterable[Tensor]:
        return self.project.parameters()

    def parts(self, structure: Tensor, seen: Seen, present: Tensor) -> Tensor:
        return spread(self.project, seen, present, self.dim)
