"""Graph convolution that knows neither type nor direction of an edge, under a scorer that does."""

from __future__ import annotations

from torch import Tensor, nn

from gnn.layer import Layer
from gnn.model import Shape
from gnn.neighbours import Neighbours, neighbours
from gnn.passing import LEARNED, Passing
from gnn.tensors import GraphTensors


class Normalised(Layer):
    """x' = D^-1/2 (A + I) D^-1/2 x W + b, before the non-linearity (Kipf and Welling 2017)."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, dim)

    def heard(self, x: Tensor, z: Tensor, along: Neighbours) -> Tensor:
        return along.normal @ x

    def loop(self, x: Tensor, z: Tensor, heard: Tensor, along: Neighbours) -> Tensor:
        mixed: Tensor = self.dense(heard + along.self_loop * x)
        return mixed


class Gcn(Passing):
    """GCN (Kipf and Welling 2017): normalised, with a self-loop, learned W and ReLU, in the stack of `Passing`.

    Every edge counts the same, whatever its relation and direction; only the scorer tells them apart. With
    `plain=True` it is the update the articles write, h_v = sum of h_u over the neighbours, layer after layer:
    no W, no normalisation, no self-loop, no non-linearity. It explodes with the layers and is there to show that.
    """

    name = "gcn"
    plan = LEARNED

    def __init__(
        self,
        shape: Shape,
        dim: int = 64,
        layers: int = 2,
        dropout: float = 0.2,
        table: bool = True,
        fusion: str = "attention",
        plain: bool = False,
        seed: int = 0,
    ) -> None:
        settings = {
            "dim": dim,
            "layers": layers,
            "dropout": dropout,
            "table": table,
            "fusion": fusion,
            "plain": plain,
            "seed": seed,
        }
        super().__init__(shape, settings)

    def layer(self, dim: int) -> Layer:
        return Normalised(dim, dim)

    def along(self, graph: GraphTensors) -> Neighbours:
        return neighbours(graph)

    def embed(self, graph: GraphTensors) -> Tensor:
        if not self.settings["plain"]:
            return super().embed(graph)
        return self._summed(self.fuse(graph)[0], graph, self.settings["layers"])

    def describe(self, graph: GraphTensors) -> Tensor:
        if not self.settings["plain"]:
            return super().describe(graph)
        return self._summed(self.fuse(graph, rows=False)[0], graph, self.settings["layers"])

    def _summed(self, x: Tensor, graph: GraphTensors, times: int) -> Tensor:
        for _ in range(times):
            x = neighbours(graph).plain @ x
        return x
