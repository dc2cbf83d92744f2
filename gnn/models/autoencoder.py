"""Masked autoencoder of a graph: what is hidden of edges and features is told from what is left."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.model import Shape, seeded
from gnn.models.relational import Relational


class Autoencoder(Relational):
    """The relational network (encoder, and ComplEx for edges) with a linear decoder of each modality.

    After GraphMAE (Hou et al. 2022) for features and masked edges as in MaskGAE (Li et al. 2023); it is trained by
    `gnn.pretrain.Pretraining`, and ranks links as any model does. What is rebuilt was not in the input: a modality
    hidden in training is missing for the encoder too, so nothing can be copied.
    """

    name = "autoencoder"

    def __init__(
        self,
        shape: Shape,
        dim: int = 64,
        layers: int = 2,
        dropout: float = 0.2,
        table: bool = True,
        fusion: str = "attention",
        seed: int = 0,
    ) -> None:
        super().__init__(shape, dim, layers, dropout, table, fusion=fusion, seed=seed)
        self.settings = {
            "dim": dim,
            "layers": layers,
            "dropout": dropout,
            "table": table,
            "fusion": fusion,
            "seed": seed,
        }
        with seeded(seed):
            self.rebuild = nn.ModuleDict({name: nn.Linear(dim, width) for name, width in shape.modalities.items()})

    def feature_loss(self, x: Tensor, modality: str, rows: Tensor, values: Tensor) -> Tensor:
        """Mean squared error of the vectors of one modality, in spreads, at nodes (rows) where it was hidden."""
        wanted = self.fusion.scale[modality](values).detach()
        return F.mse_loss(self.rebuild[modality](x[rows]), wanted)


class Endpoints(nn.Module):
    """The reconstruction that the articles write: 1/2 |h_v - f(h_source, h_target, h_edge)|^2, v an end of the edge.

    Nothing is hidden: h_v stands among the inputs of f, so f learns to copy it, from any two nodes. The loss falls to
    nothing on pairs without an edge as well and tells nothing about edges. Kept so that a test can show it.
    """

    def __init__(self, nodes: int, relations: int, dim: int, seed: int = 0) -> None:
        super().__init__()
        with seeded(seed):
            self.node, self.edge = nn.Embedding(nodes, dim), nn.Embedding(relations, dim)
            self.f = nn.Sequential(nn.Linear(3 * dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))

    def forward(self, triples: Tensor) -> Tensor:
        """(triples,) loss of each with v its target."""
        source, edge, target = self.node(triples[:, 0]), self.edge(triples[:, 1]), self.node(triples[:, 2])
        told = self.f(torch.cat([source, target, edge], dim=1))
        loss: Tensor = 0.5 * (target - told).square().sum(1)
        return loss
