"""Partition: which process of a team has which nodes of a graph, so that few edges run between two of them.

Nodes that lie close are numbered one after the other by the reverse Cuthill-McKee order (Cuthill and McKee 1969; as
scipy has it), a walk in breadth from the rim, and the row is cut into pieces of equal work: a node counts as one and as
the edges that reach it. Then pairs of nodes of two parts change places where that cuts fewer edges (after Kernighan and
Lin 1970, many pairs at once). There is no chance in it, so every process finds the same parts by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from gnn.mapped import chance
from gnn.tensors import GraphTensors
from kg.errors import ModelError

ROUNDS: Final = 24
UNEVEN: Final = 1.05
"""How much more work the largest part may have than an equal share."""


@dataclass(frozen=True)
class Partition:
    """A part for every node."""

    owner: Tensor
    """(nodes,) int64 from 0 to parts - 1."""
    parts: int

    def cut(self, graph: GraphTensors) -> float:
        """Share of the edges whose ends are in two parts; random parts cut (parts - 1) / parts of them."""
        if not len(graph.edges):
            return 0.0
        return float((self.owner[graph.edges[:, 0]] != self.owner[graph.edges[:, 2]]).double().mean())

    def balance(self, graph: GraphTensors) -> float:
        """Work of the largest part beside an equal share of all; 1 is even."""
        each = torch.bincount(self.owner, work(graph).double(), minlength=self.parts)
        return float(each.max() * self.parts / each.sum().clamp(min=1.0))


def work(graph: GraphTensors) -> Tensor:
    """(nodes,) int64 what a node counts: itself and the edges that reach it."""
    return 1 + torch.bincount(graph.edges[:, [0, 2]].flatten(), minlength=len(graph))


def near(graph: GraphTensors, parts: int) -> Partition:
    """Parts of nodes that lie close to one another."""
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    _check(parts)
    head, tail = graph.edges[:, 0].numpy(), graph.edges[:, 2].numpy()
    ends = np.concatenate([head, tail]), np.concatenate([tail, head])
    linked = csr_array(coo_array((np.ones(2 * len(head), dtype=np.int8), ends), shape=(len(graph), len(graph))))
    order = torch.from_numpy(reverse_cuthill_mckee(linked, symmetric_mode=True).astype(np.int64))
    each = work(graph)[order]
    middle = each.cumsum(0) - each // 2
    owner = torch.empty(len(graph), dtype=torch.int64)
    owner[order] = (middle * parts // max(int(each.sum()), 1)).clamp(max=parts - 1)
    return _exchanged(Partition(owner, parts), graph, linked)


def _exchanged(made: Partition, graph: GraphTensors, linked: Any) -> Partition:
    """The parts after rounds of exchange: the best that was met, and no more uneven than UNEVEN."""
    best, owner, cut = made, made.owner, made.cut(graph)
    for number in range(ROUNDS):
        owner = _round(owner, made.parts, linked, number)
        now = Partition(owner, made.parts)
        if now.cut(graph) < cut and now.balance(graph) <= max(UNEVEN, made.balance(graph)):
            best, cut = now, now.cut(graph)
    return best


def _round(owner: Tensor, parts: int, linked: Any, number: int) -> Tensor:
    """Between every two parts as many nodes change places as gain by it; half of all may move at a time."""
    rows = torch.arange(len(owner))
    near = torch.from_numpy(linked @ torch.nn.functional.one_hot(owner, parts).numpy().astype(np.float32))
    own, may = near.gather(1, owner[:, None])[:, 0], chance(rows, rows, number) < 0.5
    new = owner.clone()
    for one in range(parts):
        for other in range(one + 1, parts):
            sides = []
            for here, there in ((one, other), (other, one)):
                some = torch.nonzero(may & (owner == here) & (new == here)).squeeze(1)
                gain = near[some, there] - own[some]
                best = torch.argsort(gain, descending=True, stable=True)
                sides.append((some[best], gain[best], there))
            count = min(len(side[0]) for side in sides)
            count = int((sides[0][1][:count] + sides[1][1][:count] > 0).sum())
            for some, _, there in sides:
                new[some[:count]] = there
    return new


def scattered(graph: GraphTensors, parts: int) -> Partition:
    """Parts drawn by a hash of the node's row: even ones, which know nothing of edges. For comparison."""
    _check(parts)
    rows = torch.arange(len(graph))
    return Partition((chance(rows, torch.zeros_like(rows), 0) * parts).long(), parts)


def _check(parts: int) -> None:
    if parts < 1:
        raise ModelError(f"{parts} parts are none; ask for as many as there are processes, at least 1")
