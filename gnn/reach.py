"""Reach: whose score a change of the graph can move, and the part of the graph that is enough to say it anew.

A head of k layers hears a firm's surroundings of k hops. So a score can move only within k hops of what changed: nodes
that are new or have other features, ends of edges that came, went or were published again, and nodes of which other
distress is known. And it comes out the same from the nodes within k hops of the firm, with every edge at those within
k - 1. Time that passes changes no edge; what fades with it is told anew where something changed, and by a full scoring.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from gnn.changes import new_inputs, rows_before, touched
from gnn.tensors import Features, GraphTensors


def changed(old: GraphTensors, new: GraphTensors) -> Tensor:
    """(nodes of new,) bool: new, with another label or other features, or an end of an edge that is not as it was.

    Neighbours of a node that is gone had an edge to it, so they are among the ends.
    """
    before = rows_before(old, new)
    return new_inputs(old, new, before) | touched(old, new, before)


def within(graph: GraphTensors, rows: Tensor, hops: int) -> Tensor:
    """(nodes,) bool: the rows given so, and all that so many edges lead to."""
    head, tail = graph.edges[:, 0], graph.edges[:, 2]
    found = rows.clone()
    for _ in range(hops):
        wider = found.clone()
        wider[tail[found[head]]] = True
        wider[head[found[tail]]] = True
        found = wider
    return found


def around(graph: GraphTensors, rows: Tensor, hops: int) -> tuple[GraphTensors, Tensor]:
    """The graph near the rows given as (nodes,) bool, and which of its rows are theirs; order stays as it was."""
    inner = within(graph, rows, hops - 1)
    inside = within(graph, inner, 1)
    place = inside.cumsum(0) - 1
    stay = inner[graph.edges[:, 0]] | inner[graph.edges[:, 2]]
    part = graph.without(~stay)
    edges = torch.stack([place[part.edges[:, 0]], part.edges[:, 1], place[part.edges[:, 2]]], dim=1)
    some = torch.nonzero(inside).squeeze(1)
    made = replace(
        part,
        ids=tuple(graph.ids[row] for row in some.tolist()),
        labels=graph.labels[some],
        edges=edges,
        features={name: _kept(own, inside, place) for name, own in graph.features.items()},
    )
    return made, place[rows]


def _kept(own: Features, inside: Tensor, place: Tensor) -> Features:
    """The vectors of those inside, under their new numbers."""
    here = inside[own.rows]
    return Features(place[own.rows[here]], own.values[here])
