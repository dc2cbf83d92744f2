"""A score explained: its log odds in shares that add up, the figures, edges and documents near the firm, and evidence.

Figures of a head with gradients are told by integrated gradients; those of a regression by taking each away, which is
exact there. Edges and documents are told by taking each away, whatever the head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from gnn.explaining.columns import behind, deleted, evidence, integrated
from gnn.explaining.edges import near, without
from gnn.explaining.link import edge_ids, key
from gnn.explaining.of_run import Told
from gnn.explaining.shares import of_firms
from gnn.head import Cohort
from gnn.heads.network import Network
from gnn.missing import log_odds
from gnn.model import exact
from gnn.tensors import GraphTensors

FIGURES: Final = 8
EDGES: Final = 8
"""Told; those of the greatest effect."""
ASKED: Final = 48
"""Edges whose effect is asked for."""
SILENT: Final = 1e-9
"""Effects below this are none."""


@dataclass(frozen=True)
class FigureShare:
    """A figure of the firm and what it brings to the log odds."""

    name: str
    """A property, or the ratio of two: `equity/assets`."""
    effect: float
    evidence: tuple[dict[str, Any], ...]
    """The statements it was made of, with their values."""


@dataclass(frozen=True)
class EdgeShare:
    """An edge near the firm and what the log odds lose without it."""

    edge: str
    """Id of the edge; of parallel ones that of the one published last."""
    words: str
    parallel: int
    """How many edges of this type between these two were taken away together."""
    effect: float


@dataclass(frozen=True)
class ScoreStory:
    """Why a firm has the score it has."""

    id: str
    run: str
    head: str
    cut: str
    probability: float
    """As computed again: the published score, but for rounding on another machine."""
    log_odds: float
    base: float
    """The log odds with no modality and no edge."""
    shares: dict[str, float]
    """What each modality and the structure brings, greatest first; with `base` they add up to `log_odds`."""
    figures: tuple[FigureShare, ...]
    edges: tuple[EdgeShare, ...]


def told(run: Told, id: str) -> ScoreStory:
    """The story of a firm's score by the published head. ModelError if it has no score, or the run keeps no head."""
    judge, place = run.judge, run.firm(id)
    with exact(1):
        parts = of_firms([judge], run.cohort)
        figures, edges = figure_shares(run, place), edge_shares(run, place)
        probability = float(judge.predict(run.cohort)[place])
    return ScoreStory(
        id,
        run.checkpoint.name,
        judge.head.name,
        run.cut.isoformat(),
        probability,
        float(parts.logit[place]),
        float(parts.base[place]),
        parts.of(place),
        figures,
        edges,
    )


def figures(run: Told, id: str) -> tuple[FigureShare, ...]:
    """The figures of its story alone, which is a tenth of the work. ModelError as for the whole."""
    place = run.firm(id)
    with exact(1):
        return figure_shares(run, place)


def asking(run: Told, place: int) -> Callable[[GraphTensors], float]:
    """The published log odds of one firm, of whatever graph is shown in place of the run's own."""
    alone = replace(run.cohort, rows=run.cohort.rows[place : place + 1], truth=run.cohort.truth[place : place + 1])

    def tell(graph: GraphTensors) -> float:
        return float(log_odds([run.judge], replace(alone, graph=graph))[0, 0])

    return tell


def figure_shares(run: Told, place: int) -> tuple[FigureShare, ...]:
    """The figures of the firm that bring most."""
    node = int(run.cohort.rows[place])
    found = figure_values(run, place)
    said: dict[str, dict[str, Any]] = {}
    for row in evidence(run.snapshot, run.graph.ids[node], "numeric") if found else ():
        said.setdefault(str(row["property"]), row)
    return tuple(
        FigureShare(name, value, tuple(said[part] for part in behind(name) if part in said))
        for name, value in list(found.items())[:FIGURES]
        if abs(value) > SILENT
    )


def figure_values(run: Told, place: int) -> dict[str, float]:
    """What each known figure of the firm brings to the log odds, greatest first; empty where it has none."""
    node, own, head = int(run.cohort.rows[place]), run.graph.features.get("numeric"), run.judge.head
    if own is None or node not in own.rows:
        return {}
    if not isinstance(head, Network):
        return deleted(asking(run, place), run.graph, node)
    alone = replace(run.cohort, rows=run.cohort.rows[place : place + 1], truth=run.cohort.truth[place : place + 1])

    def score(graph: GraphTensors) -> Tensor:
        logit: Tensor = head.model(Cohort(graph, alone.rows, alone.truth, alone.stricken))[0]
        return run.judge.scale.a * logit

    return integrated(score, run.graph, node, "numeric").by_name()


def edge_shares(run: Told, place: int) -> tuple[EdgeShare, ...]:
    """The edges near the firm that it would miss, or be rid of, most."""
    graph, ids = run.graph, edge_ids(run.snapshot)
    rows = near(graph, run.cohort.rows[place : place + 1], limit=ASKED)
    effect = edge_effects(run, place, rows)
    names = dict(zip(run.snapshot.ids, run.snapshot.names, strict=True))
    found = []
    for at in np.argsort(-np.abs(effect), kind="stable")[:EDGES]:
        row = int(rows[at])
        source, relation, target = key(graph, graph.edges[row].tolist())
        if abs(effect[at]) > SILENT:
            words = f"{names[source]} -{relation}-> {names[target]}"
            edge = ids[source, relation, target]
            found.append(EdgeShare(edge, words, int(graph.counts[row]), float(effect[at])))
    return tuple(found)


def edge_effects(run: Told, place: int, rows: Tensor) -> np.ndarray:
    """(rows,) what the log odds of a firm lose without each edge."""
    tell = asking(run, place)
    whole = tell(run.graph)
    return np.array([whole - tell(without(run.graph, row[None])) for row in torch.unbind(rows)], dtype=np.float64)
