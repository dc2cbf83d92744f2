"""Messages along typed, directed edges, and the layer that sums them.

CompGCN with the multiplicative composition (Vashishth et al. 2020), normalised per relation as in R-GCN
(Schlichtkrull et al. 2018):

    m_v,dir = sum_{(u, r) in N_dir(v)} w_uvr (x_u * z_r)        w_uvr = d_uvr / sum_u' d_u'vr
    x'_v    = m_v,out W_out + m_v,in W_in + (x_v * z_self) W_self + b
    z'_r    = z_r W_rel

with d = 1 for a state, such as a loan, and d = exp(-age in years) for an event, such as an article: old news fades.
The sum over edges is taken before the dense product: nodes x dim x dim work instead of edges x dim x dim. With
W_r = diag(z_r) W it is an R-GCN layer with mean aggregation. The plain update h_v = sum h_u (no weight, no
self-loop, no normalisation) that the article writes is `unweighted_sum`, kept so that a test can show that it
explodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gnn.tensors import YEAR, GraphTensors, microseconds


@dataclass(frozen=True)
class Messages:
    """One direction of message passing: rows are edges."""

    source: Tensor
    relation: Tensor
    target: Tensor
    weight: Tensor
    """(edges, 1) float32; those of one relation that reach one target add up to 1."""

    @classmethod
    def of(cls, source: Tensor, relation: Tensor, target: Tensor, say: Tensor) -> Messages:
        """Messages whose say (edges,) is shared out among those of one relation at one target."""
        kinds = int(relation.max()) + 1 if len(relation) else 1
        slots, inverse = torch.unique(target * kinds + relation, return_inverse=True)
        total = torch.zeros(len(slots)).index_add(0, inverse, say)
        return cls(source, relation, target, (say / total[inverse])[:, None])


def both_ways(graph: GraphTensors) -> tuple[Messages, Messages]:
    """Messages from heads to tails, and from tails to heads under the reciprocal relations."""
    head, relation, tail = graph.edges.unbind(1)
    say = freshness(graph)
    return Messages.of(head, relation, tail, say), Messages.of(
        tail, relation + len(graph.vocabulary.relations), head, say
    )


def freshness(graph: GraphTensors) -> Tensor:
    """(edges,) float32: 1 for states, exp(-age in years) at the cut for events."""
    years = (microseconds(graph.cut) - graph.last).to(torch.float64) / YEAR
    event = graph.vocabulary.events[graph.edges[:, 1]]
    return torch.where(event, torch.exp(-years), 1.0).to(torch.float32)


class Convolution(nn.Module):
    """One layer: (nodes, width) and relation vectors (2 R + 1, width) -> (nodes, dim) and (2 R + 1, dim)."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.out, self.back, self.self_loop, self.relation = (nn.Linear(width, dim, bias=False) for _ in range(4))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor, z: Tensor, messages: tuple[Messages, Messages]) -> tuple[Tensor, Tensor]:
        return self.loop(x, z, self.heard(x, z, messages)), self.relation(z)

    def heard(self, x: Tensor, z: Tensor, messages: tuple[Messages, Messages]) -> Tensor:
        """What the neighbours say: m_out W_out + m_in W_in."""
        forth, back = (gathered(x, z, side) for side in messages)
        said: Tensor = self.out(forth) + self.back(back)
        return said

    def loop(self, x: Tensor, z: Tensor, heard: Tensor) -> Tensor:
        """What the neighbours say with the node's own part: + (x * z_self) W_self + b."""
        mixed: Tensor = heard + self.self_loop(x * z[-1]) + self.bias
        return mixed


def gathered(x: Tensor, z: Tensor, messages: Messages) -> Tensor:
    """Sum over each target's messages of w (x_source * z_relation): (nodes, width)."""
    flow = x[messages.source] * z[messages.relation] * messages.weight
    return torch.zeros_like(x).index_add(0, messages.target, flow)


def unweighted_sum(x: Tensor, messages: Messages) -> Tensor:
    """The article's update: each node becomes the plain sum of its neighbours."""
    return torch.zeros_like(x).index_add(0, messages.target, x[messages.source])
