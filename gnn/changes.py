"""Changes: what differs between two graphs of one vocabulary, as rows of the newer one."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

from gnn.spmm import once
from gnn.tensors import Features, GraphTensors

BLOCK: Final = 4096
"""Edges of two graphs that are compared at once."""


def rows_before(old: GraphTensors, new: GraphTensors) -> Tensor | None:
    """(nodes of new,) row in the old graph, -1 for a node that is new; None where every node stayed where it was."""
    if old.ids == new.ids:
        return None
    return torch.tensor([old.index.get(id, -1) for id in new.ids], dtype=torch.int64)


def new_inputs(old: GraphTensors, new: GraphTensors, before: Tensor | None) -> Tensor:
    """(nodes,) bool: new, or with another label or other features."""
    if before is None:
        changed, rows = new.labels != old.labels, torch.arange(len(new))
        was = rows
    else:
        changed = before < 0
        rows, was = torch.nonzero(~changed).squeeze(1), before[~changed]
        changed[rows] |= new.labels[rows] != old.labels[was]
    for name in {*old.features, *new.features}:
        one, other = old.features.get(name), new.features.get(name)
        if one is not other:
            changed[rows] |= _unlike(one, other, len(old), len(new), (was, rows))
    return changed


def _unlike(one: Features | None, other: Features | None, olds: int, news: int, pairs: tuple[Tensor, Tensor]) -> Tensor:
    """(pairs,) bool: rows of old and new nodes whose vectors differ, or of which one has none."""
    places = []
    for own, nodes, rows in ((one, olds, pairs[0]), (other, news, pairs[1])):
        place = torch.full((nodes,), -1)
        if own is not None:
            place[own.rows] = torch.arange(len(own.rows))
        places.append(place[rows])
    unlike = (places[0] >= 0) != (places[1] >= 0)
    both = torch.nonzero((places[0] >= 0) & (places[1] >= 0)).squeeze(1)
    if one is not None and other is not None:
        same_width = one.values.shape[1] == other.values.shape[1]
        left, right = one.values[places[0][both]], other.values[places[1][both]]
        unlike[both] = (left != right).any(1) if same_width else torch.ones(len(both), dtype=torch.bool)
    return unlike


def touched(old: GraphTensors, new: GraphTensors, before: Tensor | None) -> Tensor:
    """(nodes,) bool: ends of edges that came or went, or of events that were published again."""
    ends, last = torch.zeros(len(new), dtype=torch.bool), old.last
    if before is None:
        codes, order = _sorted(old)
    else:
        now = torch.full((max(len(old), 1),), -1)
        known = before >= 0
        now[before[known]] = torch.nonzero(known).squeeze(1)
        was = torch.stack([now[old.edges[:, 0]], old.edges[:, 1], now[old.edges[:, 2]]], dim=1)
        stands = (was[:, 0] >= 0) & (was[:, 2] >= 0)
        _mark(ends, was[~stands])
        last = last[stands]
        codes, order = _ordered(was[stands], len(new))
    other, place = _sorted(new)
    single = _singles(codes, other)
    _mark(ends, _decoded(single, len(new)))
    if bool(new.vocabulary.events.any()):
        stays = [torch.nonzero(~torch.isin(own, single)).squeeze(1) for own in (codes, other)]
        order, place = (own if at is None else at[own] for own, at in zip(stays, (order, place), strict=True))
        edges = new.edges[place[last[order] != new.last[place]]]  # both are in the same order now
        _mark(ends, edges[new.vocabulary.events[edges[:, 1]]])
    return ends


def _singles(one: Tensor, other: Tensor) -> Tensor:
    """Codes that only one of two ascending lists has; where changes lie together most blocks are equal at once."""
    left, right = one.numpy(), other.numpy()
    begin = np.arange(0, len(left), BLOCK)
    match = np.searchsorted(right, left[begin])
    match[:1] = 0
    pairs = zip(begin, (*begin[1:], len(left)), match, (*match[1:], len(right)), strict=True)
    unlike = [(left[a:b], right[c:d]) for a, b, c, d in pairs if not np.array_equal(left[a:b], right[c:d])]
    both = np.concatenate([right[:0] if len(left) else right, *(part for pair in unlike for part in pair)])
    both.sort(kind="stable")  # runs that are in order are merged (timsort)
    twice = np.zeros(len(both) + 1, dtype=bool)
    twice[1:-1] = both[1:] == both[:-1]
    return torch.from_numpy(both[~(twice[1:] | twice[:-1])])


def _decoded(codes: Tensor, nodes: int) -> Tensor:
    """(edges, 3) from their codes."""
    pair = codes // nodes
    return torch.stack([pair % nodes, pair // nodes, codes % nodes], dim=1)


def _mark(ends: Tensor, edges: Tensor) -> None:
    """Set both ends of edges, of which those that are no longer nodes are -1."""
    rows = edges[:, [0, 2]].reshape(-1)
    ends[rows[rows >= 0]] = True


@once
def _sorted(graph: GraphTensors) -> tuple[Tensor, Tensor | None]:
    """Codes of a graph's edges; kept with it, as what is new in one refresh is old in the next."""
    return _ordered(graph.edges, len(graph))


def _ordered(edges: Tensor, nodes: int) -> tuple[Tensor, Tensor | None]:
    """Ascending codes of edges, and the places of the edges in that order if it is not their own."""
    codes = edges @ torch.tensor([nodes, nodes * nodes, 1])
    if bool((codes[1:] >= codes[:-1]).all()):  # as graphs hold them
        return codes, None
    codes, order = torch.sort(codes)
    return codes, order
