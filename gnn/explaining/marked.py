"""Marked: the spans, boxes, days and seconds near a firm that its score rests on.

A value counts by what the log odds lose when its node lacks the modality; the values that count most are then taken
apart, each part away in turn (gnn/saliency.py). Figures and edges are parts already: gnn/explaining/firm.py tells them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch

from gnn.explaining.attention import bereft
from gnn.explaining.columns import evidence
from gnn.explaining.edges import near
from gnn.explaining.firm import SILENT, asking
from gnn.explaining.of_run import Told
from gnn.model import exact
from gnn.saliency import PARTS, Mark, in_graph, salient
from gnn.tensors import GraphTensors
from gnn.values import TEXTS, told
from kg.errors import ModelError

LOOKED: Final = 16
"""Nodes near a firm whose values are taken away, of each modality; the nearest."""
OPENED: Final = 2
"""Values taken apart, of each modality."""
MARKS: Final = 4
"""Parts told of a value."""


@dataclass(frozen=True)
class Part:
    """A part of a value, what it brings, and what was stated that it is a part of."""

    where: str
    """`chars:10-42` of the value of the statement, `box:0,30,60,60`, `day:2020-03-16` or `time:2.00-3.00`."""
    weight: float
    """By how much the log odds fall without it; below zero where it spoke against."""
    words: str
    """Of a text, the words themselves."""
    statement: str
    document: str
    """Of an image or a recording, the digest of its file; of others the evidence of the statement says it."""


@dataclass(frozen=True)
class Marked:
    """A value near a firm, and the parts of it that count."""

    modality: str
    node: str
    effect: float
    """What the log odds of the firm lose without the value."""
    parts: tuple[Part, ...]
    """What counts most first."""


def marked(run: Told, id: str) -> list[Marked]:
    """The values near a firm that count, by modality and effect, with their parts. ModelError if it has no score."""
    place, found = run.firm(id), list[Marked]()
    graph, facts = GraphTensors.with_facts(run.snapshot, run.cut)
    assert graph.ids == run.graph.ids
    with exact(1):
        for modality in sorted(set(run.graph.features) & set(PARTS)):
            values = told(modality)(facts, run.views.files)
            for node, effect in counting(run, place, modality):
                best = marks(run, place, modality, node, values[node])
                parts = stated(run, modality, graph.ids[node], best, values[node])
                found.append(Marked(modality, graph.ids[node], effect, parts))
    return found


def counting(run: Told, place: int, modality: str) -> list[tuple[int, float]]:
    """The nodes within two hops whose value of a modality counts most, and by how much."""
    own, tell = run.graph.features[modality], asking(run, place)
    firm = run.cohort.rows[place : place + 1]
    edges = run.graph.edges[near(run.graph, firm, limit=len(run.graph.edges))]
    reached = torch.cat([firm, edges[:, [0, 2]].flatten()])
    some = list(dict.fromkeys(node for node in reached.tolist() if node in set(own.rows.tolist())))[:LOOKED]
    whole = tell(run.graph)
    effect = {node: whole - tell(bereft(run.graph, modality, torch.tensor([node]))) for node in some}
    best = sorted(effect.items(), key=lambda pair: (-abs(pair[1]), pair[0]))[:OPENED]
    return [(node, value) for node, value in best if abs(value) > SILENT]


def marks(run: Told, place: int, modality: str, node: int, value: str | bytes) -> tuple[Mark, ...]:
    """The parts of a value that count most."""
    encoder = next(own for own in run.encoders if own.modality == modality)
    try:
        found = salient(encoder, value, in_graph(run.graph, modality, node, asking(run, place)))
    except ModelError:  # a value that is too small to have parts
        return ()
    order = np.argsort([-abs(mark.weight) for mark in found], kind="stable")[:MARKS]
    return tuple(found[at] for at in order if abs(found[at].weight) > SILENT)


def stated(run: Told, modality: str, id: str, best: tuple[Mark, ...], value: str | bytes) -> tuple[Part, ...]:
    """The marks with the statements that said what they are parts of."""
    rows = evidence(run.snapshot, id, modality)
    if modality == "text" and isinstance(value, str):
        first = {str(row["property"]): row for row in reversed(rows) if row["value"]}
        return tuple(part for mark in best if (part := spoken(mark, value, first)))
    by_day = {f"{row['valid_from']:%Y-%m-%d}": row for row in reversed(rows) if row["property"] == "close"}
    made = []
    for mark in best:
        row = by_day.get(mark.locator.removeprefix("day:")) if modality == "series" else next(iter(rows), None)
        document = {"image": str(row["value"]) if row else "", "audio": id}.get(modality, "").rpartition(":")[2]
        made.append(Part(mark.locator, mark.weight, "", str(row["statement"]) if row else "", document))
    return tuple(made)


def spoken(mark: Mark, value: str, said: Mapping[str, Mapping[str, Any]]) -> Part | None:
    """A span of the joined text as a span of the property that most of it stands in; None where it is none."""
    begin, end = (int(number) for number in mark.locator.removeprefix("chars:").split("-"))
    found = [
        (min(end, stop) - max(begin, start), name, max(begin, start) - start, min(end, stop) - start)
        for name, (start, stop) in spans({name: str(said[name]["value"]) for name in said}).items()
    ]
    length, name, first, last = max(found, default=(0, "", 0, 0))
    if length <= 0:
        return None
    words = str(said[name]["value"])[first:last]
    return Part(f"chars:{first}-{last}", mark.weight, words, str(said[name]["statement"]), "")


def spans(parts: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """Where each text property stands in the text that `gnn.values.texts` joins of them."""
    at, found = -(len(first) - len(first.lstrip())) if (first := _joined(parts)) else 0, dict[str, tuple[int, int]]()
    for name in TEXTS:
        if name in parts:
            found[name] = (at, at + len(parts[name]))
            at += len(parts[name]) + len(". ")
    return found


def _joined(parts: Mapping[str, str]) -> str:
    return ". ".join(parts[name] for name in TEXTS if name in parts)
