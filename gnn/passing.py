"""Networks that pass messages: a representation of nodes by layers, and the ComplEx scorer on top of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.bilinear import Bilinear
from gnn.decoder import query
from gnn.fusion import fuser
from gnn.layer import Layer
from gnn.model import Plan, Shape, seeded
from gnn.tensors import GraphTensors

LEARNED: Final = Plan(
    settings={"dim": 128, "layers": 1, "dropout": 0.1},
    lesson={"steps": 48},
    recipe={"epochs": 60, "rate": 0.01, "schedule": "linear", "weight_decay": 0.0, "patience": 10, "every": 3},
)
"""How such networks are trained on plain triples."""


class Passing(Bilinear):
    """Fusion -> layers with residuals -> ComplEx.

    x_v = fuse(e_label(v) + e_v, modalities); per layer x <- LayerNorm(x + dropout(relu(layer(x)))); score by ComplEx
    between the final vectors, with relation vectors of their own for each direction (Lacroix et al. 2018).
    `table=False` leaves the row e_v of each single node out, so that the model also reads graphs with other nodes
    (inductive).
    """

    def __init__(self, shape: Shape, settings: Mapping[str, Any]) -> None:
        super().__init__(shape, settings)
        dim, layers, seed = settings["dim"], settings["layers"], settings["seed"]
        self.dropout, self.symmetric = settings["dropout"], settings.get("symmetric", False)
        with seeded(seed):
            self.label = nn.Embedding(shape.labels, dim)
            self.rows = nn.Embedding(shape.nodes if settings["table"] else 0, dim)
            self.fusion = fuser(settings.get("fusion", "attention"))(dim, shape.modalities, self.dropout)
            self.fusion.soften()
            self.layers = nn.ModuleList(self.layer(dim) for _ in range(layers))
            self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(layers))
            if (message := self.begin(dim)) is not None:
                self.message = nn.Parameter(message)
            self.relation = nn.Parameter(0.3 * torch.randn(2 * shape.relations, dim))
            nn.init.normal_(self.label.weight, std=0.3)
            nn.init.normal_(self.rows.weight, std=0.3)

    message: nn.Parameter

    @abstractmethod
    def layer(self, dim: int) -> Layer:
        """A new layer."""

    @abstractmethod
    def along(self, graph: GraphTensors) -> Any:
        """The edges of a graph as the layers want them; prepared once per graph."""

    def begin(self, dim: int) -> Tensor | None:
        """What relation vectors of messages start from; None where messages have none."""
        return None

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
        x, z, along = self.fuse(graph)[0], self._vectors(), self.along(graph)
        for layer, norm in self._stack():
            x = self._next(x, layer.loop(x, z, layer.heard(x, z, along), along), norm)
            z = layer.onward(z)
        return x

    def describe(self, graph: GraphTensors) -> Tensor:
        """(nodes, dim) as `embed`, but each node is met for the first time: its own row of the table is left out.

        What stays is what is said of it, so nodes of which the same is said lie together.
        """
        x, own, z = self.fuse(graph)[0], self.fuse(graph, rows=False)[0], self._vectors()
        along = self.along(graph)
        for layer, norm in self._stack():
            heard = layer.heard(x, z, along)
            own = self._next(own, layer.loop(own, z, heard, along), norm)
            x, z = self._next(x, layer.loop(x, z, heard, along), norm), layer.onward(z)
        return own

    def _vectors(self) -> Tensor:
        """Relation vectors of messages before the first layer; none where messages have none."""
        return self.message if "message" in self._parameters else self.relation[:0]

    def _stack(self) -> Iterator[tuple[Layer, nn.Module]]:
        for layer, norm in zip(self.layers, self.norms, strict=True):
            assert isinstance(layer, Layer)
            yield layer, norm

    def _next(self, x: Tensor, mixed: Tensor, norm: nn.Module) -> Tensor:
        after: Tensor = norm(x + F.dropout(F.relu(mixed), self.dropout, self.training))
        return after

    def query(self, head: Tensor, relation: Tensor) -> Tensor:
        return query(head, relation, self.symmetric)
