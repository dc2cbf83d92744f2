"""A change of one edge in a hundred at a million edges: what a refresh computes and what it costs beside a full pass.

Where the changes lie decides. Firms of one sector or country are linked to each other (clusters of a thousand, one
edge in a hundred leads elsewhere), and one day's filings speak of some of them: the changes then lie in a hundredth of
the clusters. The worst case stands beside it: changes anywhere in a graph without clusters.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import torch
from torch import Tensor

from benchmarks.figure import Figure
from gnn.incremental import Refreshed, refreshed, whole
from gnn.model import Shape
from gnn.models.relational import Relational
from gnn.tensors import Features, GraphTensors, microseconds
from gnn.vocabulary import Vocabulary

NODES, EDGES, KINDS, CLUSTER, AWAY, DIM = 100_000, 1_000_000, 10, 1_000, 0.01, 64
NOW = datetime(2024, 1, 1, tzinfo=UTC)


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    near = "clusters, changes in one of a hundred"
    return [
        *compared(f"{near}, structure alone", AWAY, CLUSTER / NODES, False, 0.05),
        *compared(f"{near}, text on every other node", AWAY, CLUSTER / NODES, True, 0.05),
        *compared("clusters, changes anywhere, structure alone", AWAY, 1.0, False, None),
        *compared("no clusters, changes anywhere, structure alone", 1.0, 1.0, False, None),
    ]


def compared(name: str, away: float, share: float, text: bool, aim: float | None) -> list[Figure]:
    draw = torch.Generator().manual_seed(0)
    before = graph(triples(EDGES, away, 1.0, draw))
    gone = torch.zeros(len(before.edges), dtype=torch.bool)
    near = torch.nonzero(before.edges[:, 0] < share * NODES).squeeze(1)
    gone[near[torch.randperm(len(near), generator=draw)[: EDGES // 200]]] = True
    after = graph(torch.cat([before.edges[~gone], triples(EDGES // 200, away, share, draw)]))
    if text:
        told = {"text": Features(torch.arange(0, NODES, 2), torch.randn(NODES // 2, 384, generator=draw))}
        before, after = before.with_features(told), after.with_features(told)
    model = Relational(Shape.of(before), dim=DIM)
    old = whole(model, before)
    found = refreshed(model, old, replace(after))
    # every round takes a graph of its own: edges prepared for messages are kept with the graph they were prepared for
    full, state = timed(lambda: whole(model, replace(after), old.table))
    apart = max(float((a - b).abs().max()) for a, b in zip(found.described, state.described, strict=True))
    moved = int((found.vectors != old.vectors).any(1).sum())
    part, _ = timed(lambda: refreshed(model, old, replace(after), keep=False))
    reached = ", ".join(f"{rows / NODES:.1%}" for rows in found.recomputed[1:])
    note = f"full pass {full:.2f} CPU seconds, refresh {part:.3f}; rows computed in layers 1 and 2: {reached}"
    return [
        Figure(f"refresh of 1 % of the edges, share of a full pass: {name}", part / full, aim, False, note=note),
        Figure(f"largest difference from a full pass: {name}", apart, 1e-5, False, note=f"{moved} vectors moved"),
    ]


def triples(count: int, away: float, share: float, draw: torch.Generator) -> Tensor:
    """Edges whose head lies in the first `share` of the nodes and whose tail in the same cluster, but for some."""
    head = torch.randint(0, int(share * NODES), (count,), generator=draw)
    near = head // CLUSTER * CLUSTER + torch.randint(0, CLUSTER, (count,), generator=draw)
    far = torch.randint(0, NODES, (count,), generator=draw)
    tail = torch.where(torch.rand(count, generator=draw) < away, far, near)
    return torch.stack([head, torch.randint(0, KINDS, (count,), generator=draw), tail], dim=1)


def graph(edges: Tensor) -> GraphTensors:
    """The edges in the order graphs hold them, each once, published at the cut."""
    once = torch.unique(edges[:, [1, 0, 2]], dim=0)[:, [1, 0, 2]].contiguous()
    when = torch.full((len(once),), microseconds(NOW))
    ids, labels = tuple(f"n{n:06d}" for n in range(NODES)), torch.zeros(NODES, dtype=torch.int64)
    words = Vocabulary.plain([f"r{k}" for k in range(KINDS)])
    return GraphTensors(ids, labels, once, when, when, torch.ones_like(when), NOW, vocabulary=words)


def timed(run: Callable[[], Refreshed], rounds: int = 3) -> tuple[float, Refreshed]:
    """Least CPU seconds of some rounds, and what came out."""
    found, least = run(), float("inf")
    for _ in range(rounds):
        began = time.process_time()
        found = run()
        least = min(least, time.process_time() - began)
    return least, found
