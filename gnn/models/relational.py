"""Multimodal relational network: fused features and structure, typed message passing, directional decoder."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.bilinear import Bilinear
from gnn.convolution import Convolution, both_ways
from gnn.decoder import query
from gnn.fusion import fuser
from gnn.model import Shape, seeded
from gnn.tensors import GraphTensors


class Relational(Bilinear):
    """Fusion -> CompGCN layers with residuals -> ComplEx.

    x_v = fuse(e_label(v) + e_v, modalities); per layer x <- LayerNorm(x + dropout(relu(conv(x)))); score by ComplEx
    between the final vectors, with relation vectors of their own for each direction (Lacroix et al. 2018).
    `table=False` leaves the row e_v of each single node out, so that the model also reads graphs with other nodes
    (inductive).
    """

    name = "relational"

    def __init__(
        self,
        shape: Shape,
        dim: int = 64,
        layers: int = 2,
        dropout: float = 0.2,
        table: bool = True,
        symmetric: bool = False,
        fusion: str = "attention",
        seed: int = 0,
    ) -> None:
        settings = {
            "dim": dim,
            "layers": layers,
            "dropout": dropout,
            "table": table,
            "symmetric": symmetric,
            "fusion": fusion,
            "seed": seed,
        }
        super().__init__(shape, settings)
        self.dropout, self.symmetric = dropout, symmetric
        with seeded(seed):
            self.label = nn.Embedding(shape.labels, dim)
            self.rows = nn.Embedding(shape.nodes if table else 0, dim)
            self.fusion = fuser(fusion)(dim, shape.modalities, dropout)
            self.layers = nn.ModuleList(Convolution(dim, dim) for _ in range(layers))
            self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(layers))
            self.message = nn.Parameter(
                torch.ones(2 * shape.relations + 1, dim) + 0.1 * torch.randn(2 * shape.relations + 1, dim)
            )
            self.relation = nn.Parameter(0.3 * torch.randn(2 * shape.relations, dim))
            nn.init.normal_(self.label.weight, std=0.3)
            nn.init.normal_(self.rows.weight, std=0.3)

    def check(self, graph: GraphTensors) -> None:
        """Any graph will do where no node has a row of its own."""
        if self.settings["table"]:
            super().check(graph)

    def fuse(self, graph: GraphTensors, rows: bool = True) -> tuple[Tensor, Tensor]:
        """Node vectors before message passing, and the shares of the modalities (nodes, modalities)."""
        self.check(graph)
        structure = self.label(graph.labels)
        if self.settings["table"] and rows:
            structure = structure + self.rows.weight
        fused: tuple[Tensor, Tensor] = self.fusion(structure, graph.features)
        return fused

    def embed(self, graph: GraphTensors) -> Tensor:
        """Vectors after message passing, each node's own row of the table included."""
        x, z = self.fuse(graph)[0], self.message
        messages = both_ways(graph)
        for layer, norm in self._stack():
            mixed, z = layer(x, z, messages)
            x = self._next(x, mixed, norm)
        return x

    def describe(self, graph: GraphTensors) -> Tensor:
        """(nodes, dim) as `embed`, but each node is met for the first time: its own row of the table is left out.

        What stays is what is said of it, so nodes of which the same is said lie together.
        """
        x, own, z = self.fuse(graph)[0], self.fuse(graph, rows=False)[0], self.message
        messages = both_ways(graph)
        for layer, norm in self._stack():
            heard = layer.heard(x, z, messages)
            own = self._next(own, layer.loop(own, z, heard), norm)
            x, z = self._next(x, layer.loop(x, z, heard), norm), layer.relation(z)
        return own

    def _stack(self) -> Iterator[tuple[Convolution, nn.Module]]:
        for layer, norm in zip(self.layers, self.norms, strict=True):
            assert isinstance(layer, Convolution)
            yield layer, norm

    def _next(self, x: Tensor, mixed: Tensor, norm: nn.Module) -> Tensor:
        after: Tensor = norm(x + F.dropout(F.relu(mixed), self.dropout, self.training))
        return after

    def query(self, head: Tensor, relation: Tensor) -> Tensor:
        return query(head, relation, self.symmetric)
