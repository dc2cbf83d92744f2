"""Walks: the paths along which a path-conditioned model came to a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gnn.explaining.edges import rivals
from gnn.models.paths import PathModel, Step
from gnn.sample import codes
from gnn.tensors import GraphTensors

Hop = tuple[int, int, int]
"""Node, relation (reciprocal ones from R on), node: an edge as it was walked."""


SHARES: Final = (0.125, 0.375, 0.625, 0.875)
"""Where the derivative is taken between no message and all: the mid-points of four parts."""


@dataclass(frozen=True)
class Walk:
    """A path from the head of a question to a candidate."""

    hops: tuple[Hop, ...]
    weight: float
    """Sum over its edges of the derivative by the edge's weight, of log p against the other candidates: how much it
    would fall, to first order, if the path were gone (after Zhu et al. 2021, section 4.4, who derive the raw score)."""


def derived(model: PathModel, graph: GraphTensors, triple: Hop, share: float = 1.0) -> list[tuple[Step, Tensor]]:
    """Per layer the edges walked, and the derivative by their weights of log p of the tail among its rivals.

    `share` weakens all messages alike before that.
    """
    head, relation, tail = triple
    scores, steps = model.traced(graph, head, relation, share)
    odds = scores.masked_fill(~rivals(graph, torch.tensor([triple]))[0], -torch.inf).log_softmax(0)
    found = torch.autograd.grad(odds[tail], [step.weight for step in steps], allow_unused=True)
    none = [torch.zeros(len(step.weight)) if own is None else own for step, own in zip(steps, found, strict=True)]
    return list(zip(steps, none, strict=True))


def walks(model: PathModel, graph: GraphTensors, triple: Hop, count: int = 3, beam: int = 8) -> list[Walk]:
    """The `count` heaviest walks from head to tail, by a search that keeps `beam` walks per node and layer.

    A walk may start in any layer, as the head speaks in each, and may wait at a node, as vectors are carried on.
    """
    head, _, tail = triple
    best: dict[int, list[Walk]] = {head: [Walk((), 0.0)]}
    for step, gain in leading(derived(model, graph, triple), tail):
        found: dict[int, set[Walk]] = {node: set(own) for node, own in best.items()}
        hops = zip(step.source.tolist(), step.relation.tolist(), step.target.tolist(), gain.tolist(), strict=True)
        for source, relation, target, value in hops:
            for walk in best.get(source, ()):
                longer = Walk((*walk.hops, (source, relation, target)), walk.weight + value)
                found.setdefault(target, set()).add(longer)
        best = {node: heaviest(own, beam) for node, own in found.items()}
        best[head] = [Walk((), 0.0), *(walk for walk in best[head] if walk.hops)]
    return heaviest({walk for walk in best.get(tail, ()) if walk.hops}, count)


def leading(layers: list[tuple[Step, Tensor]], tail: int) -> list[tuple[Step, Tensor]]:
    """The layers with those edges alone from which the tail can still be reached."""
    ends, kept = torch.tensor([tail]), list[tuple[Step, Tensor]]()
    for step, gain in reversed(layers):
        own = torch.isin(step.target, ends)
        parts = (step.question, step.source, step.relation, step.target, step.weight)
        kept.append((Step(*(part[own] for part in parts)), gain[own]))
        ends = torch.unique(torch.cat([ends, step.source[own]]))
    return kept[::-1]


def heaviest(found: set[Walk], count: int) -> list[Walk]:
    """The heaviest walk of each sequence of edges, heaviest first, then shorter, then by its nodes."""
    ordered = sorted(found, key=lambda walk: (-walk.weight, len(walk.hops), walk.hops))
    return list({walk.hops: walk for walk in reversed(ordered)}.values())[::-1][:count]


def along(model: PathModel, graph: GraphTensors, triple: Hop) -> Tensor:
    """(edges,) float32: what each edge of the graph brings to the log odds of a link, by integrated gradients.

    The derivative by the weight of the edge (over all layers and both ways of walking it) of the log odds, which are
    the mean over both questions (gnn.links.centred), is averaged while all messages grow from nothing to what they
    are (Sundararajan et al. 2017): where a model is sure, the derivative at the end alone says little.
    """
    count, total = len(graph.vocabulary.relations), torch.zeros(len(graph.edges))
    held = codes(graph.edges, len(graph), count)
    order = torch.argsort(held)
    head, relation, tail = triple
    questions = (triple, (tail, relation + count, head))
    sides = (derived(model, graph, one, share) for one in questions for share in SHARES)
    for step, gain in (layer for side in sides for layer in side):
        back = step.relation >= count
        start, end = (torch.where(back, *ends) for ends in ((step.target, step.source), (step.source, step.target)))
        asked = codes(torch.stack([start, step.relation % count, end], dim=1), len(graph), count)
        total.index_add_(0, order[torch.searchsorted(held[order], asked)], gain / (2 * len(SHARES)))
    return total
