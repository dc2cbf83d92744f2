"""Messages along typed, directed edges, and the layer that sums them.

CompGCN with the multiplicative composition (Vashishth et al. 2020), normalised per relation as in R-GCN
(Schlichtkrull et al. 2018):

    m_v,dir = sum_{(u, r) in N_dir(v)} w_uvr (x_u * z_r)        w_uvr = 1 / |N_r(v)|
    x'_v    = m_v,out W_out + m_v,in W_in + (x_v * z_self) W_self + b
    z'_r    = z_r W_rel

The sum over edges is taken before the dense product: nodes x dim x dim work instead of edges x dim x dim. With
W_r = diag(z_r) W it is an R-GCN layer with mean aggregation. The plain update h_v = sum h_u (no weight, no
self-loop, no normalisation) that the article writes is `unweighted_sum`, kept so that a test can show that it
explodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gnn.tensors import RELATIONS, GraphTensors


@dataclass(frozen=True)
class Messages:
    """One direction of message passing: rows are edges."""

    source: Tensor
    relation: Tensor
    target: Tensor
    weight: Tensor
    """(edges, 1) float32, one over the number of messages of this relation that reach the target."""

    @classmethod
    def of(cls, source: Tensor, relation: Tensor, target: Tensor) -> Messages:
        if not len(source):
            return cls(source, relation, target, torch.zeros(0, 1))
        slot = target * (2 * len(RELATIONS)) + relation
        _, inverse, counts = torch.unique(slot, return_inverse=True, return_counts=True)
        return cls(source, relation, target, (1.0 / counts[inverse].to(torch.float32))[:, None])


def both_ways(graph: GraphTensors) -> tuple[Messages, Messages]:
    """Messages from heads to tails, and from tails to heads under the reciprocal relations."""
    head, relation, tail = graph.edges.unbind(1)
    return Messages.of(head, relation, tail), Messages.of(tail, relation + len(RELATIONS), head)


class Convolution(nn.Module):
    """One layer: (nodes, width) and relation vectors (2 R + 1, width) -> (nodes, dim) and (2 R + 1, dim)."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.out, self.back, self.self_loop, self.relation = (nn.Linear(width, dim, bias=False) for _ in range(4))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor, z: Tensor, messages: tuple[Messages, Messages]) -> tuple[Tensor, Tensor]:
        forth, back = (gathered(x, z, side) for side in messages)
        mixed = self.out(forth) + self.back(back) + self.self_loop(x * z[-1]) + self.bias
        return mixed, self.relation(z)


def gathered(x: Tensor, z: Tensor, messages: Messages) -> Tensor:
    """Sum over each target's messages of w (x_source * z_relation): (nodes, width)."""
    flow = x[messages.source] * z[messages.relation] * messages.weight
    return torch.zeros_like(x).index_add(0, messages.target, flow)


def unweighted_sum(x: Tensor, messages: Messages) -> Tensor:
    """The article's update: each node becomes the plain sum of its neighbours."""
    return torch.zeros_like(x).index_add(0, messages.target, x[messages.source])
