"""Messages along typed, directed edges, and the layers that sum them.

CompGCN with the multiplicative composition (Vashishth et al. 2020), normalised per relation as in R-GCN
(Schlichtkrull et al. 2018):

    m_v,dir = sum_{(u, r) in N_dir(v)} w_uvr (x_u * z_r)        w_uvr = d_uvr / sum_u' d_u'vr
    x'_v    = m_v,out W_out + m_v,in W_in + (x_v * z_self) W_self + b
    z'_r    = z_r W_rel

with d = 1 for a state, such as a loan, and d = exp(-age in years) for an event, such as an article: old news fades.
With W_r = diag(z_r) W it is an R-GCN layer with mean aggregation. R-GCN itself, with matrices of its own for each
relation that are mixed from a few bases:

    x'_v = sum_r (sum_u w_uvr x_u) W_r + x_v W_self + b        W_r = sum_b a_rb V_b

All sums over edges are taken before any dense product, so the work is nodes x dim x dim and not edges x dim x dim, and
in two steps: per slot, the pair of a target and a relation, s_vr = sum_u w_uvr x_u, then over the slots of each target.
What depends on the relation is applied in between, to slots, of which there are fewer than edges. The matrices of both
steps are sorted once per graph (gnn/spmm.py).

The plain update h_v = sum h_u (no weight, no self-loop, no normalisation) that the article writes is `unweighted_sum`,
kept so that a test can show that it explodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.bound import blocks, held
from gnn.layer import Layer
from gnn.spmm import Sparse, once
from gnn.tensors import YEAR, GraphTensors, microseconds

NUMBERS: Final = 1 << 24
"""Numbers of slots x width held at once by default."""


@dataclass(frozen=True)
class Messages:
    """One direction of message passing: rows are edges."""

    source: Tensor
    relation: Tensor
    target: Tensor
    weight: Tensor
    """(edges, 1) float32; those of one relation that reach one target add up to 1."""
    slot: Tensor
    """(edges,) int64: the slot, a pair of target and relation, that each message goes to."""
    slots: Tensor
    """(slots,) int64, ascending: target * kinds + relation of each slot."""
    nodes: int
    kinds: int
    """Number of relations, reciprocals included."""

    @classmethod
    def of(cls, ends: tuple[Tensor, Tensor], relation: Tensor, say: Tensor, nodes: int, kinds: int) -> Messages:
        """Messages from one end to the other whose say (edges,) is shared out among those of one slot.

        A slot of events so old that nothing is left of any of them hears them alike.
        """
        source, target = ends
        slots, slot = torch.unique(target * kinds + relation, return_inverse=True)
        total = say.new_zeros(len(slots)).index_add(0, slot, say)
        faded = total == 0
        each = torch.bincount(slot, minlength=len(slots)).to(say.dtype)
        share = torch.where(faded[slot], 1.0, say) / torch.where(faded, each, total)[slot]
        return cls(source, relation, target, share.to(torch.float32)[:, None], slot, slots, nodes, kinds)

    @cached_property
    def shared(self) -> Sparse:
        """(slots, nodes): the weighted mean of what reaches each slot."""
        return Sparse(self.slot, self.source, self.weight[:, 0], (len(self.slots), self.nodes))

    @cached_property
    def summed(self) -> Sparse:
        """(nodes, slots): the sum over each target's slots."""
        return self._ones(self.slots // self.kinds, self.nodes, turned=True)

    @cached_property
    def named(self) -> Sparse:
        """(slots, kinds): each slot's relation."""
        return self._ones(self.slots % self.kinds, self.kinds)

    def _ones(self, place: Tensor, count: int, turned: bool = False) -> Sparse:
        each = torch.arange(len(place), device=place.device)
        one = torch.ones(len(place), device=place.device)
        return (
            Sparse(place, each, one, (count, len(place))) if turned else Sparse(each, place, one, (len(place), count))
        )


@once
def both_ways(graph: GraphTensors) -> tuple[Messages, Messages]:
    """Messages from heads to tails, and from tails to heads under the reciprocal relations."""
    head, relation, tail = graph.edges.unbind(1)
    say, count = left(graph), len(graph.vocabulary.relations)
    return (
        Messages.of((head, tail), relation, say, len(graph), 2 * count),
        Messages.of((tail, head), relation + count, say, len(graph), 2 * count),
    )


@once
def every_way(graph: GraphTensors) -> Messages:
    """The messages of both directions as one."""
    head, relation, tail = graph.edges.unbind(1)
    say, count = left(graph), len(graph.vocabulary.relations)
    ends = torch.cat([head, tail]), torch.cat([tail, head])
    return Messages.of(ends, torch.cat([relation, relation + count]), torch.cat([say, say]), len(graph), 2 * count)


def freshness(graph: GraphTensors) -> Tensor:
    """(edges,) float32: 1 for states, exp(-age in years) at the cut for events."""
    return left(graph).to(torch.float32)


def left(graph: GraphTensors) -> Tensor:
    """(edges,) float64 of the same: what is left after centuries can still be shared out, which float32 rounds to 0."""
    years = (microseconds(graph.cut) - graph.last).to(torch.float64) / YEAR
    event = graph.vocabulary.events[graph.edges[:, 1]]
    return torch.where(event, torch.exp(-years), 1.0)


class Convolution(Layer):
    """One CompGCN layer: (nodes, width) and relation vectors (2 R + 1, width) -> (nodes, dim) and (2 R + 1, dim)."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.out, self.back, self.self_loop, self.relation = (nn.Linear(width, dim, bias=False) for _ in range(4))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor, z: Tensor, messages: tuple[Messages, Messages]) -> tuple[Tensor, Tensor]:
        return self.loop(x, z, self.heard(x, z, messages), messages), self.onward(z)

    def heard(self, x: Tensor, z: Tensor, along: tuple[Messages, Messages]) -> Tensor:
        """What the neighbours say: m_out W_out + m_in W_in."""
        forth, back = (gathered(x, z, side) for side in along)
        said: Tensor = self.out(forth) + self.back(back)
        return said

    def loop(self, x: Tensor, z: Tensor, heard: Tensor, along: tuple[Messages, Messages]) -> Tensor:
        """What the neighbours say with the node's own part: + (x * z_self) W_self + b."""
        mixed: Tensor = heard + self.self_loop(x * z[-1]) + self.bias
        return mixed

    def onward(self, z: Tensor) -> Tensor:
        """z W_rel."""
        after: Tensor = self.relation(z)
        return after


class BasisConvolution(Layer):
    """One R-GCN layer with shared bases: (nodes, width) -> (nodes, dim)."""

    def __init__(self, width: int, dim: int, relations: int, bases: int) -> None:
        super().__init__()
        self.bases = nn.Parameter(nn.init.xavier_uniform_(torch.empty(bases, width, dim)))
        self.share = nn.Parameter(nn.init.xavier_uniform_(torch.empty(relations, bases)))
        """(relations, bases) a_rb."""
        self.self_loop = nn.Linear(width, dim)

    def forward(self, x: Tensor, messages: Messages) -> Tensor:
        return self.loop(x, x[:0], self.heard(x, x[:0], messages), messages)

    def heard(self, x: Tensor, z: Tensor, along: Messages) -> Tensor:
        """What the neighbours say: the sums over slots by the shares of each basis, then the bases."""
        mixed: Tensor = _Mixed.apply(along.shared @ x, along.named @ self.share, along.summed)
        return mixed.flatten(1) @ self.bases.flatten(0, 1)

    def loop(self, x: Tensor, z: Tensor, heard: Tensor, along: Messages) -> Tensor:
        """What the neighbours say with the node's own part: + x W_self + b."""
        mixed: Tensor = heard + self.self_loop(x)
        return mixed


class _Mixed(torch.autograd.Function):
    """(nodes, bases, dim) sums over each target's slots, each slot by its shares (slots, bases)."""

    @staticmethod
    def forward(ctx: Any, slots: Tensor, shares: Tensor, summed: Sparse) -> Tensor:
        ctx.summed = summed
        ctx.save_for_backward(slots, shares)
        return torch.stack([summed.forth.sums(slots, part.contiguous()) for part in shares.unbind(1)], dim=1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        slots, shares = ctx.saved_tensors
        target, bases = ctx.summed.rows, shares.shape[1]
        place = (target[:, None] * bases + torch.arange(bases, device=target.device)).flatten()
        each = torch.arange(0, len(place) + 1, bases, device=target.device)
        flat = grad.contiguous().flatten(0, 1)
        to_slots = F.embedding_bag(
            place, flat, each, mode="sum", per_sample_weights=shares.flatten(), include_last_offset=True
        )
        to_shares = [(slots * part[target]).sum(1) for part in grad.unbind(1)]
        return to_slots, torch.stack(to_shares, dim=1), None


def gathered(x: Tensor, z: Tensor, messages: Messages) -> Tensor:
    """Sum over each target's messages of w (x_source * z_relation): (nodes, width).

    Where slots x width numbers are more than may be held (gnn/bound.py) they are made for some columns at a time, and
    made again for the gradient instead of being kept.
    """
    kinds = z[: messages.kinds]
    if len(messages.slots) * x.shape[1] > held(NUMBERS):
        found: Tensor = _Gathered.apply(x, kinds, messages)
        return found
    return messages.summed @ ((messages.shared @ x) * (messages.named @ kinds))


class _Gathered(torch.autograd.Function):
    """Column by column a sum over slots is its own, so columns are worked through in blocks."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, z: Tensor, messages: Messages) -> Tensor:
        ctx.messages = messages
        ctx.save_for_backward(x, z)
        found = x.new_empty(messages.nodes, x.shape[1])
        for part in blocks(x.shape[1], len(messages.slots), held(NUMBERS)):
            heard = messages.shared.forth.sums(x[:, part]).mul_(messages.named.forth.sums(z[:, part]))
            found[:, part] = messages.summed.forth.sums(heard)
        return found

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x, z), messages = ctx.saved_tensors, ctx.messages
        to_x, to_z = torch.empty_like(x), torch.empty_like(z)
        for part in blocks(x.shape[1], len(messages.slots), held(NUMBERS)):
            back = messages.summed.back.sums(grad[:, part])
            to_z[:, part] = messages.named.back.sums(messages.shared.forth.sums(x[:, part]).mul_(back))
            to_x[:, part] = messages.shared.back.sums(back.mul_(messages.named.forth.sums(z[:, part])))
        return to_x, to_z, None


def unweighted_sum(x: Tensor, messages: Messages) -> Tensor:
    """The article's update: each node becomes the plain sum of its neighbours."""
    return torch.zeros_like(x).index_add(0, messages.target, x[messages.source])
