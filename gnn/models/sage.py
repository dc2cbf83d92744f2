"""GraphSAGE: a node's own vector beside the mean of its neighbours, each with weights of its own."""

from __future__ import annotations

from torch import Tensor, nn

from gnn.layer import Layer
from gnn.model import Shape
from gnn.neighbours import Neighbours, neighbours
from gnn.passing import LEARNED, Passing
from gnn.tensors import GraphTensors


class Mean(Layer):
    """x'_v = x_v W_self + (mean of x_u over neighbours u) W_near + b (Hamilton, Ying and Leskovec 2017)."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.own, self.near = nn.Linear(width, dim), nn.Linear(width, dim, bias=False)

    def heard(self, x: Tensor, z: Tensor, along: Neighbours) -> Tensor:
        said: Tensor = self.near(along.mean @ x)
        return said

    def loop(self, x: Tensor, z: Tensor, heard: Tensor, along: Neighbours) -> Tensor:
        mixed: Tensor = heard + self.own(x)
        return mixed


class Sage(Passing):
    """GraphSAGE with the mean aggregator over all neighbours, in the stack of `Passing`.

    The stack's LayerNorm stands where the paper divides by the length of the vector. Type and direction of edges are
    left to the scorer. As a node's own part is apart from its neighbours', it also does where these are unlike it.
    """

    name = "sage"
    plan = LEARNED

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
        super().__init__(
            shape, {"dim": dim, "layers": layers, "dropout": dropout, "table": table, "fusion": fusion, "seed": seed}
        )

    def layer(self, dim: int) -> Layer:
        return Mean(dim, dim)

    def along(self, graph: GraphTensors) -> Neighbours:
        return neighbours(graph)
