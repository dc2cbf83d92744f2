"""Edges near a link and what the score loses without each of them: an explanation for any model."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from gnn.evaluate import answered
from gnn.model import Model
from gnn.sample import allowed, codes, reciprocal
from gnn.tensors import GraphTensors

NEAR: Final = 64
"""Edges whose effect is asked for: each costs a pass over the graph."""


@torch.no_grad()
def log_odds(model: Model, graph: GraphTensors, triples: Tensor, shown: GraphTensors | None = None) -> Tensor:
    """`derivable` without its gradient."""
    return derivable(model, graph, triples, shown)


def derivable(model: Model, graph: GraphTensors, triples: Tensor, shown: GraphTensors | None = None) -> Tensor:
    """(triples,) log odds against chance as in gnn.links.centred, of a model that is shown another graph.

    Which nodes may answer is read off `graph` in either case, so that scores of different views can be compared.
    """
    seen, parts = graph if shown is None else shown, []
    for side in (triples, reciprocal(triples, len(graph.vocabulary.relations))):
        open_ = rivals(graph, side)
        scores = model.score_tails(seen, side[:, 0], side[:, 1]).double().masked_fill(~open_, -torch.inf)
        odds = scores.log_softmax(1) + open_.sum(1, keepdim=True).log()
        parts.append(odds.gather(1, side[:, 2:]).squeeze(1))
    return (parts[0] + parts[1]) / 2


def rivals(graph: GraphTensors, triples: Tensor) -> Tensor:
    """(triples, nodes) bool: the tail itself and the nodes of a right label that the graph holds no answer for."""
    count = len(graph.vocabulary.relations)
    held = torch.unique(codes(torch.cat([graph.edges, reciprocal(graph.edges, count)]), len(graph), count))
    open_ = allowed(graph)[triples[:, 1]] & ~answered(held, triples, graph)
    return open_.scatter(1, triples[:, 2:], True)


def near(graph: GraphTensors, nodes: Tensor, hops: int = 2, limit: int = NEAR) -> Tensor:
    """Rows of the edges within so many hops of the nodes, nearest first; of equally near ones those of nodes with
    fewer edges, at most `limit`."""
    head, tail = graph.edges[:, 0], graph.edges[:, 2]
    degree = torch.bincount(torch.cat([head, tail]), minlength=len(graph))
    away = torch.full((len(graph),), hops + 1).index_fill(0, nodes, 0)
    for step in range(1, hops):
        touched = torch.minimum(away[head], away[tail]) < step
        reached = torch.unique(torch.cat([head[touched], tail[touched]]))
        away[reached] = away[reached].clamp(max=step)
    rank = torch.minimum(away[head], away[tail]).double() + (degree[head] + degree[tail]) / (1.0 + 2 * degree.sum())
    rows = torch.argsort(rank, stable=True)
    return rows[rank[rows] < hops][:limit]


def without(graph: GraphTensors, rows: Tensor) -> GraphTensors:
    """The graph less some of its edges, given by row."""
    return graph.without(torch.zeros(len(graph.edges), dtype=torch.bool).index_fill_(0, rows, True))


def effects(model: Model, graph: GraphTensors, triple: Tensor, rows: Tensor) -> Tensor:
    """(rows,) what the log odds of a triple (3,) lose when one edge is taken out."""
    model.eval()
    whole = log_odds(model, graph, triple[None])
    lost = [whole - log_odds(model, graph, triple[None], without(graph, row[None])) for row in rows]
    return torch.cat(lost) if lost else torch.zeros(0, dtype=torch.float64)
