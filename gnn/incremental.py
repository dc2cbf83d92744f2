"""Refresh: after a change of the graph, only the vectors that it can reach are made again, layer by layer.

    A_0 = nodes that are new or whose label or features changed
    A_l = A_(l-1) + ends of edges that came, went or were published again + neighbours of A_(l-1)

Rows outside of A_l have the same inputs in layer l as before, so their old vectors stand. A row of A_l is computed from
all of its edges, so the weights that its messages share are whole.

The cut may move. The weight of a message is w_uvr = d_uvr / sum_u' d_u'vr, and d = exp(-(cut - last) / year) for the
events of a relation. A cut that is D years later multiplies every d of that relation at v by exp(-D), which falls out
of the quotient; the weights of states do not depend on the cut, and no relation has both. So time that passes touches
no row, only what is published does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gnn.changes import new_inputs, rows_before, touched
from gnn.convolution import Messages, both_ways, every_way, left
from gnn.layer import Layer
from gnn.passing import Passing
from gnn.tensors import Features, GraphTensors
from kg.errors import ModelError

LOCAL: Final = ("relational", "autoencoder", "rgcn", "sage")
"""Models whose messages are weighed among those that reach one node, which is what the above rests on."""


SPOKEN: Final = {"relational": both_ways, "rgcn": every_way}
"""Those of them that read messages, by direction or all as one: such can be made for some rows alone."""


@dataclass(frozen=True)
class Refreshed:
    """The vectors of every layer of a graph, and how many rows of each were computed for it."""

    graph: GraphTensors
    table: Tensor
    """(nodes,) int64 row of the model's table, -1 for a node that the model was not fitted on."""
    embedded: tuple[Tensor, ...]
    """Per layer, from 0, (nodes, dim): what `Model.embed` computes."""
    described: tuple[Tensor, ...]
    """The same of `Model.describe`, in which a node's own row of the table is left out."""
    recomputed: tuple[int, ...]
    """Rows computed per layer, from 0."""

    @property
    def vectors(self) -> Tensor:
        """(nodes, dim) as they are published."""
        return self.described[-1]


@torch.no_grad()
def whole(model: Passing, graph: GraphTensors, table: Tensor | None = None) -> Refreshed:
    """A full pass that keeps every layer. `table` says which row of the model's table is whose, if not all in order.

    ModelError if the graph has other nodes than the model and nothing says which is which.
    """
    _check(model)
    if table is None:
        model.check(graph)
        table = torch.arange(len(graph)) if model.settings["table"] else torch.full((len(graph),), -1)
    every = torch.arange(len(graph))
    x, own = _fused(model, graph, table, every)
    embedded, described, z, along = [x], [own], _relations(model), model.along(graph)
    for layer, norm in zip(model.layers, model.norms, strict=True):
        assert isinstance(layer, Layer)
        heard = layer.heard(x, z, along)
        own = norm(own + F.relu(layer.loop(own, z, heard, along)))
        x, z = norm(x + F.relu(layer.loop(x, z, heard, along))), layer.onward(z)
        embedded.append(x)
        described.append(own)
    return Refreshed(graph, table, tuple(embedded), tuple(described), (len(graph),) * len(embedded))


@torch.no_grad()
def refreshed(model: Passing, old: Refreshed, graph: GraphTensors, keep: bool = True) -> Refreshed:
    """The vectors of a changed graph, equal to those of `whole` but for rounding.

    A node that is new gets its vector from what is said of it: label, features and neighbours. Without `keep` the
    vectors of `old` may be written over, which saves copying them. ModelError if the graph speaks another vocabulary
    or the model's messages are no local matter.
    """
    _check(model)
    if graph.vocabulary.relations != old.graph.vocabulary.relations:
        raise ModelError("the graphs have other relations; a refresh needs one vocabulary: run a full pass")
    before = rows_before(old.graph, graph)
    table = _moved_table(old.table, before)
    now, ends = new_inputs(old.graph, graph, before), touched(old.graph, graph, before)
    kept = [[_moved(part, before, keep) for part in parts] for parts in (old.embedded, old.described)]
    rows = torch.nonzero(now).squeeze(1)
    kept[0][0][rows], kept[1][0][rows] = _fused(model, graph, table, rows)
    z, counts = _relations(model), [len(rows)]
    head, tail = graph.edges[:, 0].clone(), graph.edges[:, 2].clone()  # read often, so each lies by itself
    reached = _with_neighbours(now, head, tail)
    for number, (layer, norm) in enumerate(zip(model.layers, model.norms, strict=True)):
        assert isinstance(layer, Layer)
        now = reached | ends
        rows = torch.nonzero(now).squeeze(1)
        if model.name in SPOKEN:
            along, speaks = _messages(model, graph, now, (head, tail))
            heard = layer.heard(kept[0][number], z, along)
        else:
            part, speaks = _around(graph, now, head, tail)
            along = model.along(part)
            heard = layer.heard(kept[0][number].index_select(0, speaks), z, along)[: len(rows)]
        for side in kept:
            x = side[number].index_select(0, rows)
            side[number + 1][rows] = norm(x + F.relu(layer.loop(x, z, heard, along)))
        z = layer.onward(z)
        counts.append(len(rows))
        if len(counts) <= len(model.layers):
            reached = now.index_fill(0, speaks, True)
    return Refreshed(graph, table, tuple(kept[0]), tuple(kept[1]), tuple(counts))


def _check(model: Passing) -> None:
    if model.name not in LOCAL:
        raise ModelError(
            f"model {model.name} weighs messages by the degrees of both ends, so a change reaches further than its "
            f"neighbours; refresh {', '.join(LOCAL)}, or run a full pass"
        )
    if model.settings.get("reads"):
        raise ModelError("encoders that learn with a model read each value anew at each pass: run a full pass")
    model.eval()


def _relations(model: Passing) -> Tensor:
    """Relation vectors of messages before the first layer; none where messages have none."""
    return model.message if hasattr(model, "message") else model.relation[:0]


def _fused(model: Passing, graph: GraphTensors, table: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors of some rows before message passing: with their rows of the table, and without."""
    own = model.label(graph.labels[rows])
    features = _of_rows(graph.features, rows)
    described: Tensor = model.fusion(own, features)[0]
    if not model.settings["table"]:
        return described, described.clone()
    place = table[rows]
    extra = torch.where((place >= 0)[:, None], model.rows.weight[place.clamp(min=0)], 0.0)
    return model.fusion(own + extra, features)[0], described


def _of_rows(features: Mapping[str, Features], rows: Tensor) -> dict[str, Features]:
    """The features of some nodes, numbered by their place among them; `rows` ascend."""
    found = {}
    for name, own in features.items():
        place = torch.searchsorted(rows, own.rows).clamp(max=max(len(rows) - 1, 0))
        here = torch.nonzero(rows[place] == own.rows).squeeze(1) if len(rows) else place[:0]
        found[name] = Features(place[here], own.values[here])
    return found


def _moved_table(table: Tensor, before: Tensor | None) -> Tensor:
    """Rows of the model's table under new numbers, -1 for what is new."""
    if before is None or not len(table):
        return table if before is None else before
    return torch.where(before >= 0, table[before.clamp(min=0)], -1)


def _moved(vectors: Tensor, before: Tensor | None, keep: bool) -> Tensor:
    """Old vectors under new numbers, zeros for what is new; `before` is None where the numbers stay."""
    if before is None:
        return vectors.clone() if keep else vectors
    if not len(vectors):
        return torch.zeros(len(before), vectors.shape[1])
    return vectors[before.clamp(min=0)].masked_fill_((before < 0)[:, None], 0.0)


def _with_neighbours(now: Tensor, head: Tensor, tail: Tensor) -> Tensor:
    """The rows, and those an edge links to them."""
    wider = now.clone()
    if not bool(now.any()):
        return wider
    wider[tail[now[head]]] = True
    wider[head[now[tail]]] = True
    return wider


def _messages(model: Passing, graph: GraphTensors, now: Tensor, ends: tuple[Tensor, Tensor]) -> tuple[Any, Tensor]:
    """The messages that reach these rows, by their place among them, and who speaks, once for each message."""
    place, count = now.cumsum(0) - 1, len(graph.vocabulary.relations)
    sides: list[tuple[Tensor, ...]] = []
    for (source, target), shift in ((ends, 0), (ends[::-1], count)):
        here = torch.from_numpy(np.flatnonzero(now.index_select(0, target).numpy()))
        part = replace(graph, edges=graph.edges.index_select(0, here), last=graph.last.index_select(0, here))
        speaks, hears = source.index_select(0, here), place.index_select(0, target.index_select(0, here))
        sides.append((speaks, hears, part.edges[:, 1] + shift, left(part)))
    if SPOKEN[model.name] is every_way:
        sides = [tuple(torch.cat(parts) for parts in zip(*sides, strict=True))]
    made = [Messages.of((a, b), kind, say, int(now.sum()), 2 * count) for a, b, kind, say in sides]
    return made[0] if len(made) == 1 else tuple(made), torch.cat([side[0] for side in sides])


def _around(graph: GraphTensors, now: Tensor, head: Tensor, tail: Tensor) -> tuple[GraphTensors, Tensor]:
    """The graph of all edges at these rows; and its nodes, these rows first."""
    # index_select is several times as fast here as indexing with brackets
    chosen = torch.nonzero(now.index_select(0, head) | now.index_select(0, tail)).squeeze(1)
    source, target = head.index_select(0, chosen), tail.index_select(0, chosen)
    mask = now.clone()
    mask[source] = True
    mask[target] = True
    inside = torch.cat([torch.nonzero(now).squeeze(1), torch.nonzero(mask & ~now).squeeze(1)])
    local = torch.empty_like(mask, dtype=torch.int64)
    local[inside] = torch.arange(len(inside))
    kinds = graph.edges.index_select(0, chosen)[:, 1]
    edges = torch.stack([local.index_select(0, source), kinds, local.index_select(0, target)], dim=1)
    ids: Sequence[str] = ("",) * len(inside)
    part = replace(
        graph,
        ids=tuple(ids),
        labels=graph.labels[inside],
        edges=edges,
        first=graph.first.index_select(0, chosen),
        last=graph.last.index_select(0, chosen),
        counts=graph.counts.index_select(0, chosen),
        features={},
    )
    return part, inside
