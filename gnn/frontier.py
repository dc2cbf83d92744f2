"""Frontier: the nodes a question has reached, of which only the most promising are walked on from.

A question (head, relation) starts at its head and spreads along edges, both ways. What is reached is kept as pairs of
question and node, so work and memory follow what was walked and not questions x nodes. From each question's pairs at
most `nodes` walk on, best first, and together over at most `edges` edges (A*Net, Zhu et al. 2023, which bounds both):
the work of a question is bounded whatever the size of the graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gnn.convolution import freshness
from gnn.tensors import GraphTensors


@dataclass(frozen=True)
class Adjacency:
    """Edges by the node they leave, reciprocal ones included."""

    start: Tensor
    """(nodes + 1,) int64: the edges that leave node v are start[v] .. start[v + 1] - 1."""
    relation: Tensor
    """(2 edges,) int64, reciprocal relations from R on."""
    target: Tensor
    """(2 edges,) int64."""
    weight: Tensor
    """(2 edges,) float32: 1 for a state, what is left of it by age for an event."""

    @classmethod
    def of(cls, graph: GraphTensors) -> Adjacency:
        head, relation, tail = graph.edges.unbind(1)
        source = torch.cat([head, tail])
        order = torch.argsort(source, stable=True)
        kind = torch.cat([relation, relation + len(graph.vocabulary.relations)])[order]
        start = torch.zeros(len(graph) + 1, dtype=torch.int64)
        start[1:] = torch.bincount(source, minlength=len(graph)).cumsum(0)
        return cls(start, kind, torch.cat([tail, head])[order], freshness(graph).repeat(2)[order])

    @property
    def degree(self) -> Tensor:
        """(nodes,) int64, how many edges leave each node."""
        return self.start[1:] - self.start[:-1]

    def leaving(self, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """Places in `nodes`, and numbers of the edges that leave them."""
        sizes = self.degree[nodes]
        place = torch.repeat_interleave(torch.arange(len(nodes)), sizes)
        offset = torch.arange(len(place)) - torch.repeat_interleave(sizes.cumsum(0) - sizes, sizes)
        return place, self.start[nodes][place] + offset


@dataclass(frozen=True)
class Reached:
    """Pairs of question and node, sorted by question, then node."""

    question: Tensor
    node: Tensor

    def __len__(self) -> int:
        return len(self.node)

    def with_(self, question: Tensor, node: Tensor, nodes: int) -> tuple[Reached, Tensor, Tensor]:
        """These pairs and others as one; where each of the old ones went, and where each of the others is."""
        old, new = self.question * nodes + self.node, question * nodes + node
        both = torch.unique(torch.cat([old, new]))
        found = Reached(both // nodes, both % nodes)
        return found, torch.searchsorted(both, old), torch.searchsorted(both, new)


def best(reached: Reached, priority: Tensor, degree: Tensor, nodes: int, edges: int) -> Tensor:
    """Rows of the pairs that walk on: per question the first `nodes` by priority, with at most `edges` edges in all.

    Nodes without edges are passed over, and so is one whose edges no longer fit; of equals the smaller node is first.
    A question always walks on from its best pair, so its work is bounded by `edges` or by the largest degree.
    """
    rows = torch.nonzero(degree[reached.node] > 0).squeeze(1)
    rows = rows[torch.sort(priority[rows], descending=True, stable=True).indices]
    rows = rows[torch.argsort(reached.question[rows], stable=True)]
    question, size = reached.question[rows], degree[reached.node[rows]]
    place = torch.arange(len(rows)) - torch.searchsorted(question, question)
    rows, question, size = (column[place < nodes] for column in (rows, question, size))
    first = torch.searchsorted(question, question)
    walked = size.cumsum(0)
    sofar = walked - (walked - size)[first] if len(rows) else walked
    return rows[(sofar <= edges) | (torch.arange(len(rows)) == first)]
