"""R-GCN: a matrix for each relation and direction, mixed from a few bases."""

from __future__ import annotations

from gnn.convolution import BasisConvolution, Messages, every_way
from gnn.layer import Layer
from gnn.model import Shape
from gnn.passing import LEARNED, Passing
from gnn.tensors import GraphTensors


class Rgcn(Passing):
    """R-GCN with basis decomposition (Schlichtkrull et al. 2018), in the stack of `Passing`.

    x'_v = sum_r (mean over u in N_r(v) of x_u) W_r + x_v W_self + b with W_r = sum_b a_rb V_b, over both directions
    of each relation. Unlike the paper the mean is weighed by how fresh an event is, and the scorer is ComplEx.
    """

    name = "rgcn"
    plan = LEARNED

    def __init__(
        self,
        shape: Shape,
        dim: int = 64,
        layers: int = 2,
        dropout: float = 0.2,
        table: bool = True,
        fusion: str = "attention",
        bases: int = 4,
        seed: int = 0,
    ) -> None:
        settings = {
            "dim": dim,
            "layers": layers,
            "dropout": dropout,
            "table": table,
            "fusion": fusion,
            "bases": bases,
            "seed": seed,
        }
        super().__init__(shape, settings)

    def layer(self, dim: int) -> Layer:
        return BasisConvolution(dim, dim, 2 * self.shape.relations, self.settings["bases"])

    def along(self, graph: GraphTensors) -> Messages:
        return every_way(graph)
