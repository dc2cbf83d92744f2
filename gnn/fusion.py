"""Fusion: how the modalities that a node has become one vector beside its structural token.

For node v with structural token s_v and scaled vectors x_vk of the modalities k it has, a way to fuse gives

    h_v = s_v + f(s_v, {x_vk})        and shares a_vk >= 0 of the modalities, which sum to one

A missing modality has a share of exactly zero, a node without any is its structural token alone, and no node sees
another. The structural token is never overwritten: what the modalities add can be read off. Where the ways differ is f:
one file each in gnn/fusions/, chosen by name with `fuser`.

In a model of the graph f begins near zero (`soften`), as new branches beside a working one do (Fixup, Zhang et al.
2019; LayerScale, Touvron et al. 2021): training starts from the structural model and modalities earn their part. At
full strength the random maps of the start are noise as large as the structural token, and drown it in the first epochs.

The article that proposes attention over such data scores `v_i . u_j` over the rows i and j of one *batch* and takes no
softmax: samples mix, and a batch of 4 gives (4, 4, 3) where (4, 3) is meant. Its formula is `batch_mixing` below,
kept so that a test can show the difference; nothing else uses it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from gnn.scale import Scale
from gnn.tensors import Features
from kg import plugins
from kg.errors import ModelError

START: Final = 0.01
"""What is left of what the modalities add at the start of a model of the graph. Not 0: each weight has a gradient."""

Seen = Mapping[str, Features]
"""Scaled vectors of the modalities that are there."""


class Fusion(nn.Module, ABC):
    """A way to fuse. It is one file in gnn/fusions/ and is found by its file name."""

    name: ClassVar[str]

    def __init__(self, dim: int, modalities: Mapping[str, int], dropout: float = 0.0) -> None:
        super().__init__()
        self.dim, self.widths = dim, dict(sorted(modalities.items()))
        self.names = tuple(self.widths)
        self.dropout = dropout
        """In training, the probability that a node's modality is hidden: the model must live without any of them."""
        self.scale = nn.ModuleDict({name: Scale(name, width) for name, width in self.widths.items()})

    @abstractmethod
    def mix(self, structure: Tensor, seen: Seen, present: Tensor) -> tuple[Tensor, Tensor]:
        """What the modalities add (nodes, dim), and their shares (nodes, modalities), where `present` says which count.

        `present` (nodes, modalities) may leave out some that are in `seen`: those hidden in training.
        """

    @abstractmethod
    def last(self) -> Iterable[Tensor]:
        """The weights that what is added is in proportion to: those of the last linear map."""

    @torch.no_grad()
    def soften(self, left: float = START) -> None:
        """Leave this share of what the modalities add."""
        for weight in self.last():
            weight.mul_(left)

    def parts(self, structure: Tensor, seen: Seen, present: Tensor) -> Tensor:
        """(nodes, modalities, dim) what each modality adds, summing to what `mix` adds. ModelError where none does."""
        raise ModelError(
            f"fusion {self.name}: modalities act on each other, so no part belongs to one; use Shapley values, or "
            "one of the ways whose parts add up"
        )

    def forward(self, structure: Tensor, features: Mapping[str, Features]) -> tuple[Tensor, Tensor]:
        """Fused vectors (nodes, dim) and shares (nodes, modalities) in the order of `names`."""
        if not self.names:
            return structure, structure.new_zeros(len(structure), 0)
        added, shares = self.mix(structure, *self.ready(features, len(structure)))
        return structure + added, shares

    def contributions(self, structure: Tensor, features: Mapping[str, Features]) -> Tensor:
        """(nodes, modalities, dim) what each modality adds to the structural token: under a linear scorer its part of
        the logit, exactly. ModelError for a way in which none has a part of its own."""
        if not self.names:
            return structure.new_zeros(len(structure), 0, self.dim)
        return self.parts(structure, *self.ready(features, len(structure)))

    def ready(self, features: Mapping[str, Features], nodes: int) -> tuple[dict[str, Features], Tensor]:
        """Scaled vectors, and which modality of which node counts."""
        seen = {
            name: Features(features[name].rows, self.scale[name](features[name].values))
            for name in self.names
            if name in features
        }
        return seen, torch.stack([self._present(name, features, nodes) for name in self.names], dim=1)

    def _present(self, name: str, features: Mapping[str, Features], nodes: int) -> Tensor:
        if name not in features:
            return torch.zeros(nodes, dtype=torch.bool)
        mask = features[name].mask(nodes)
        if self.training and self.dropout:
            mask = mask & (torch.rand(nodes) >= self.dropout)
        return mask


class Additive(Fusion):
    """A way in which each modality adds a part of its own; its share is the length of its part among the others'."""

    def mix(self, structure: Tensor, seen: Seen, present: Tensor) -> tuple[Tensor, Tensor]:
        parts = self.parts(structure, seen, present)
        return parts.sum(1), shared_out(parts.detach().norm(dim=-1), present)

    @abstractmethod
    def parts(self, structure: Tensor, seen: Seen, present: Tensor) -> Tensor:
        """(nodes, modalities, dim) what each modality adds; 0 where it is not present."""


def fuser(name: str) -> type[Fusion]:
    """The way to fuse of this name. KgRiskError names the known ones if there is none."""
    return plugins.load("gnn.fusions", name, Fusion)  # type: ignore[type-abstract]  # load gives a concrete one


def projections(dim: int, widths: Mapping[str, int]) -> nn.ModuleDict:
    """For each modality a linear map into one space and a LayerNorm: u_k = LayerNorm(W_k x_k)."""
    return nn.ModuleDict(
        {name: nn.Sequential(nn.Linear(width, dim), nn.LayerNorm(dim)) for name, width in widths.items()}
    )


def spread(made: nn.ModuleDict, seen: Seen, present: Tensor, dim: int) -> Tensor:
    """(nodes, modalities, dim) what the module of each modality makes of its vectors; 0 where it is not present."""
    empty, columns = torch.zeros(len(present), dim), []
    for name, module in made.items():
        own = seen.get(name)
        columns.append(empty if own is None else empty.index_copy(0, own.rows, module(own.values)))
    return torch.stack(columns, dim=1) * present[..., None]


def shared_out(sizes: Tensor, present: Tensor) -> Tensor:
    """Shares (rows, columns) in proportion to sizes; 0 where not present, alike where all sizes are 0."""
    own = sizes.masked_fill(~present, 0.0)
    total = own.sum(-1, keepdim=True)
    even = present.float() / present.sum(-1, keepdim=True).clamp(min=1)
    return torch.where(total > 0, own / total.masked_fill(total == 0, 1.0), even)


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
