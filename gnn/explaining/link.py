"""A predicted link explained: its log odds in shares, the paths behind it and what each is worth, figures, evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow.compute as pc
import torch
from torch import Tensor

from gnn.encoders.table import NAMES
from gnn.explain import EvidencePath, Paths, sentence
from gnn.explaining.columns import evidence, integrated
from gnn.explaining.edges import derivable, log_odds, without
from gnn.explaining.shares import of_links
from gnn.explaining.walks import walks
from gnn.model import Model
from gnn.models.paths import PathModel
from gnn.tensors import GraphTensors
from kg.errors import ModelError
from kg.snapshot import Snapshot

FIGURES = 5
"""Figures told per end."""


@dataclass(frozen=True)
class Reason:
    """A path between the ends of a link, and what the link loses without it."""

    edges: tuple[str, ...]
    """Ids of the edges, for `kgrisk explain`."""
    words: str
    effect: float
    """Log odds lost when all edges of the path are taken out of the graph together; below zero if it spoke against."""


@dataclass(frozen=True)
class LinkStory:
    """Why a model expects a link."""

    source: str
    relation: str
    target: str
    log_odds: float
    """Against chance, as in gnn.links.centred; what the calibrated score is made of."""
    base: float
    """The log odds with no modality and no edge: of label, and of rows of the table where the model has one."""
    shares: dict[str, float]
    """What each modality and the structure brings, greatest first; with `base` they add up to `log_odds`."""
    reasons: tuple[Reason, ...]
    """Paths, the one that is missed most first."""
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    """Per end that has figures, what the greatest few bring by integrated gradients."""
    evidence: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)
    """Per end and modality the statements its vector was made of; `kgrisk explain` reads them back."""


def explained(
    model: Model, graph: GraphTensors, snapshot: Snapshot, triple: tuple[str, str, str], count: int = 3
) -> LinkStory:
    """The story of a link given as ids of source, relation, target.

    `graph` are the tensors that the model was given, `snapshot` the graph at the same cut. ModelError where an end or
    the relation is not among them.
    """
    source, relation, target = triple
    if unknown := [name for name in (source, target) if name not in graph.index or name not in snapshot.index]:
        raise ModelError(f"{', '.join(unknown)}: nothing was published of it by {graph.cut:%Y-%m-%d}, the model's cut")
    if relation not in graph.vocabulary.relations:
        raise ModelError(f"{relation}: no relation of the model; it has {', '.join(graph.vocabulary.relations)}")
    row = (graph.index[source], graph.vocabulary.relations.index(relation), graph.index[target])
    asked = torch.tensor([row])
    parts = of_links(model, graph, asked)
    return LinkStory(
        source,
        relation,
        target,
        float(parts.logit[0]),
        float(parts.base[0]),
        parts.of(0),
        reasons(model, graph, snapshot, row, count),
        {id: found for id in (source, target) if (found := figures(model, graph, asked, id))},
        {id: sources(graph, snapshot, id) for id in (source, target)},
    )


def reasons(
    model: Model, graph: GraphTensors, snapshot: Snapshot, row: tuple[int, int, int], count: int
) -> tuple[Reason, ...]:
    """Paths by their effect: those the model walked if it walks, else the least crowded ones of the graph."""
    ids, asked = edge_ids(snapshot), torch.tensor([row])
    if isinstance(model, PathModel):
        found = [
            EvidencePath(
                tuple(ids[key(graph, hop)] for hop in walk.hops),
                (*(graph.ids[hop[0]] for hop in walk.hops), graph.ids[row[2]]),
                walk.weight,
            )
            for walk in walks(model, graph, row, count)
        ]
    else:
        found = Paths(snapshot).between(graph.ids[row[0]], graph.ids[row[2]], count)
    kind = {id: name for name, id in ids.items()}
    rows = {key(graph, edge): number for number, edge in enumerate(graph.edges.tolist())}
    whole, told = float(log_odds(model, graph, asked)), []
    for path in found:
        gone = torch.tensor([rows[kind[id]] for id in path.edges if kind.get(id) in rows], dtype=torch.int64)
        lost = whole - float(log_odds(model, graph, asked, without(graph, gone)))
        told.append(Reason(path.edges, sentence(snapshot, path), lost))
    return tuple(sorted(told, key=lambda reason: (-reason.effect, reason.edges)))


def key(graph: GraphTensors, hop: Sequence[int]) -> tuple[str, str, str]:
    """Source, type and target of an edge as it stands in the graph, however it was walked."""
    start, relation, end = hop
    count = len(graph.vocabulary.relations)
    head, tail = (start, end) if relation < count else (end, start)
    return graph.ids[head], graph.vocabulary.relations[relation % count], graph.ids[tail]


def edge_ids(snapshot: Snapshot) -> dict[tuple[str, str, str], str]:
    """Of parallel edges the id of the one published last, by source, type and target."""
    edges = snapshot.edges.filter(pc.not_equal(snapshot.edges["type"], "PREDICTED"))
    edges = edges.sort_by([("published", "ascending"), ("id", "ascending")])
    columns = (edges[name].to_pylist() for name in ("source", "type", "target", "id"))
    return {(snapshot.ids[a], kind, snapshot.ids[b]): id for a, kind, b, id in zip(*columns, strict=True)}


def figures(model: Model, graph: GraphTensors, asked: Tensor, id: str) -> dict[str, float]:
    """What the greatest figures of an end bring to the log odds; empty where it has none."""
    own, node = graph.features.get("numeric"), graph.index[id]
    if own is None or own.values.shape[1] != 2 * len(NAMES) or node not in own.rows:
        return {}
    model.eval()
    found = integrated(lambda seen: derivable(model, graph, asked, seen)[0], graph, node, "numeric").by_name()
    return dict(list(found.items())[:FIGURES])


def sources(graph: GraphTensors, snapshot: Snapshot, id: str) -> dict[str, list[dict[str, Any]]]:
    """Statements behind each vector of a node."""
    node = graph.index[id]
    held = [name for name, own in sorted(graph.features.items()) if node in own.rows]
    return {name: rows for name in held if (rows := evidence(snapshot, id, name))}
