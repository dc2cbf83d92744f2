"""Multimodal relational network: fused features and structure, typed message passing, directional decoder."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from gnn.convolution import Convolution, Messages, both_ways
from gnn.layer import Layer
from gnn.model import Shape
from gnn.passing import LEARNED, Passing
from gnn.tensors import GraphTensors
from gnn.trainable import Composed

Sides = tuple[Messages, Messages]


class Relational(Passing):
    """Fusion -> CompGCN layers with residuals -> ComplEx (see `Passing` and gnn/convolution.py)."""

    name = "relational"
    plan = LEARNED

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
        reads: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        settings = {
            "dim": dim,
            "layers": layers,
            "dropout": dropout,
            "table": table,
            "symmetric": symmetric,
            "fusion": fusion,
            "seed": seed,
            "reads": dict(reads),
        }
        read = Composed(reads, seed)
        super().__init__(read.of(shape), settings)
        self.read = read
        """The encoders that learn with the model; of their modalities the graph carries prepared values."""

    def fuse(self, graph: GraphTensors, rows: bool = True) -> tuple[Tensor, Tensor]:
        return super().fuse(self.read(graph) if self.read.prepared else graph, rows)

    def layer(self, dim: int) -> Layer:
        return Convolution(dim, dim)

    def along(self, graph: GraphTensors) -> Sides:
        return both_ways(graph)

    def begin(self, dim: int) -> Tensor:
        count = 2 * self.shape.relations + 1
        return torch.ones(count, dim) + 0.1 * torch.randn(count, dim)
