"""Temporal neighbours: what reached a node before a moment, drawn in plain torch.

Edges lie sorted by (target, time). With T different times, the edges that reached node v before moment t are those
between two places of one sorted array of keys

    key = v (T + 1) + rank of the time        before(v, t) = [ start of v,  searchsorted(key, v (T + 1) + rank(t)) )

where rank(t) counts the times strictly below t. An edge at t itself, or later, lies outside of that range: nothing has
to be filtered afterwards, and nothing can be forgotten in filtering. Draws are uniform, with replacement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from kg.errors import MissingExtraError, ModelError

HINT = "torch-geometric is not installed; run: pip install torch-geometric"


class Timeline:
    """Events at nodes, in order: a range of places for every node and moment."""

    def __init__(self, target: Tensor, time: Tensor, nodes: int) -> None:
        if target.shape != time.shape or target.ndim != 1:
            raise ModelError(
                f"targets have the shape {tuple(target.shape)} and times {tuple(time.shape)}; give a time for each edge"
            )
        if len(target) and (int(target.min()) < 0 or int(target.max()) >= nodes):
            raise ModelError(
                f"targets run from {int(target.min())} to {int(target.max())}; give rows of 0 to {nodes - 1}"
            )
        self.nodes = nodes
        self.moments, rank = torch.unique(time, return_inverse=True)
        """The different times, ascending."""
        self.width = len(self.moments) + 1
        keys = target * self.width + rank
        self.order = torch.argsort(keys, stable=True)
        """Which edge lies at which place."""
        self.keys = keys[self.order]
        self.start = torch.searchsorted(self.keys, torch.arange(nodes + 1) * self.width)

    def rank(self, times: Tensor) -> Tensor:
        """How many of the different times lie strictly before each of these."""
        return torch.searchsorted(self.moments, times.contiguous())

    def before(self, nodes: Tensor, ranks: Tensor) -> tuple[Tensor, Tensor]:
        """First place, and the place after the last one, of what reached these nodes before moments of these ranks."""
        return self.start[nodes], torch.searchsorted(self.keys, nodes * self.width + ranks)


@dataclass(frozen=True)
class Hop:
    """Edges drawn at one distance from the seeds."""

    parent: Tensor
    """(drawn,) place of the node that the edge reaches in the hop before, or among the seeds."""
    edge: Tensor
    """(drawn,) number of the edge as the sampler was given it."""
    node: Tensor
    """(drawn,) where the edge comes from."""
    seed: Tensor
    """(drawn,) the seed in whose tree it stands."""


class Sampler:
    """Draws the past of nodes: per hop at most so many edges into each, all of them older than the seed's moment."""

    def __init__(self, edges: Tensor, nodes: int, time: Tensor | None = None) -> None:
        """`edges` (2, edges) int64 sources and targets; `time` (edges,) or None for a graph without time."""
        if edges.ndim != 2 or len(edges) != 2 or edges.dtype != torch.int64:
            raise ModelError(f"edges are {tuple(edges.shape)} of {edges.dtype}; give (2, edges) of int64")
        if edges.shape[1] and (int(edges[0].min()) < 0 or int(edges[0].max()) >= nodes):
            raise ModelError(f"edges come from nodes that are not 0 to {nodes - 1}; give the rows of the graph")
        self.timed = time is not None
        self.line = Timeline(edges[1], torch.zeros_like(edges[1]) if time is None else time, nodes)
        self.source = edges[0][self.line.order]

    def sample(
        self, seeds: Tensor, times: Tensor | None, counts: Sequence[int], generator: torch.Generator | None = None
    ) -> list[Hop]:
        """A hop for each of `counts`; every node that is met is met anew, so each seed has a tree of its own.

        ModelError if edges have times and seeds have none: their past would not be defined.
        """
        if self.timed and times is None:
            raise ModelError("seeds have no time, edges have one: give the moment each seed is asked at (input_time)")
        if any(count < 1 for count in counts):
            raise ModelError(f"counts per hop are {list(counts)}; each must be 1 or more")
        rank = torch.full_like(seeds, self.line.width) if times is None or not self.timed else self.line.rank(times)
        hops, nodes, tree = [], seeds, torch.arange(len(seeds))
        for count in counts:
            parent, place = self._drawn(nodes, rank, count, generator)
            rank, tree, nodes = rank[parent], tree[parent], self.source[place]
            hops.append(Hop(parent, self.line.order[place], nodes, tree))
        return hops

    def _drawn(
        self, nodes: Tensor, rank: Tensor, count: int, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """Rows of `nodes`, `count` times each that has a past, and the places drawn for them."""
        low, high = self.line.before(nodes, rank)
        parent = torch.nonzero(high > low).squeeze(1)
        low, size = low[parent], (high - low)[parent]
        share = torch.rand(len(parent), count, generator=generator, dtype=torch.float64)
        offset = (share * size[:, None]).long()
        return parent.repeat_interleave(count), (low[:, None] + offset).reshape(-1)


def base_sampler(sampler: Sampler, counts: Sequence[int]) -> Any:
    """The sampler as PyG's loaders take it: `NodeLoader(data, node_sampler=base_sampler(...), input_time=...)`.

    Subgraphs are disjoint trees, as PyG has them for edges with times. MissingExtraError without torch-geometric.
    """
    try:
        from torch_geometric.sampler import BaseSampler, SamplerOutput
        from torch_geometric.sampler.neighbor_sampler import edge_sample, node_sample
    except ImportError as error:
        raise MissingExtraError(HINT) from error

    def trees(seed: Tensor, times: Tensor | None) -> Any:
        hops = sampler.sample(seed, times, counts)
        sizes = [len(seed), *(len(hop.node) for hop in hops)]
        starts = torch.tensor([0, *sizes]).cumsum(0).tolist()
        targets = [hop.parent + starts[level] for level, hop in enumerate(hops)]
        return SamplerOutput(
            node=torch.cat([seed, *(hop.node for hop in hops)]),
            row=torch.arange(len(seed), starts[-1]),
            col=torch.cat(targets),
            edge=torch.cat([hop.edge for hop in hops]),
            batch=torch.cat([torch.arange(len(seed)), *(hop.seed for hop in hops)]),
            num_sampled_nodes=sizes,
            num_sampled_edges=sizes[1:],
        )

    class Past(BaseSampler):  # type: ignore[misc]  # torch-geometric is untyped
        """Draws from the past of seed nodes and of the ends of seed edges."""

        def sample_from_nodes(self, index: Any, **_: Any) -> Any:
            return node_sample(index, trees)

        def sample_from_edges(self, index: Any, neg_sampling: Any = None) -> Any:
            return edge_sample(index, trees, sampler.line.nodes, True, None, neg_sampling)

    return Past()
