"""Columns: which figure of a node a score rests on, and the statements that a vector was made of.

Which sentence, region or second it rests on is told by gnn/saliency.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc
import torch
from torch import Tensor

from gnn.encoders.table import NAMES
from gnn.tensors import Features, GraphTensors
from gnn.values import RECORDED, SILENT, TEXTS
from kg.errors import ModelError
from kg.ontology import PROPERTIES
from kg.snapshot import Snapshot

Scorer = Callable[[GraphTensors], Tensor]
"""A scalar, with gradients, from a graph with some features."""
TOLD: Final = ("property", "statement", "claim", "unit", "valid_from", "published")
VALUES: Final = ("value_text", "value_int", "value_real", "value_decimal", "value_time")
MADE_OF: Final = {"text": TEXTS, "series": ("close", "volume"), "audio": (RECORDED,)}
"""Properties behind a vector, where the ontology does not say it by their modality."""
STEPS = 32
"""Points of the integral: the mid-point rule is then off by some thousandths."""


@dataclass(frozen=True)
class Integrated:
    """What each number of a node's vector brings to a score."""

    values: np.ndarray
    """(dim,)."""
    gain: float
    """Score with the vector less that with the baseline: what `values` add up to, but for the error of the rule."""

    def by_name(self, names: Sequence[str] = NAMES) -> dict[str, float]:
        """Of a vector of the table encoder: per figure, its value and whether it is known taken together."""
        if len(self.values) != 2 * len(names):
            raise ModelError(
                f"a vector of {len(self.values)} numbers is none of the table encoder, which makes {2 * len(names)}"
            )
        both = self.values[: len(names)] + self.values[len(names) :]
        found = {name: value for name, value in zip(names, both.tolist(), strict=True) if value}
        return dict(sorted(found.items(), key=lambda pair: -abs(pair[1])))


def integrated(
    score: Scorer, graph: GraphTensors, node: int, modality: str, baseline: Tensor | None = None
) -> Integrated:
    """Integrated gradients (Sundararajan et al. 2017) along the line from a baseline to the node's vector.

    The baseline of figures is that none is known, of other vectors the mean of the modality. ModelError if the node
    lacks the modality.
    """
    own = graph.features.get(modality)
    place = torch.nonzero(own.rows == node).flatten() if own is not None else torch.zeros(0)
    if own is None or not len(place):
        raise ModelError(f"{graph.ids[node]} has no {modality}: there is nothing to attribute to")
    vector, row = own.values[place[0]], int(place[0])
    start = baseline if baseline is not None else none_known(modality, own.values)

    def at(share: float) -> tuple[Tensor, Tensor]:
        mixed = (start + share * (vector - start)).detach().requires_grad_()
        values = own.values.index_copy(0, torch.tensor([row]), mixed[None])
        return score(graph.with_features({**graph.features, modality: Features(own.rows, values)})), mixed

    total = torch.zeros_like(vector)
    for step in range(STEPS):
        value, mixed = at((step + 0.5) / STEPS)
        if not value.requires_grad:  # a model that counts reads no values
            break
        if (slope := torch.autograd.grad(value, mixed, allow_unused=True)[0]) is not None:
            total += slope  # a model that reads no such vector has none
    with torch.no_grad():
        gain = float(at(1.0)[0] - at(0.0)[0])
    return Integrated(((vector - start) * total / STEPS).double().numpy(), gain)


def deleted(tell: Callable[[GraphTensors], float], graph: GraphTensors, node: int) -> dict[str, float]:
    """What a score loses without each known figure of a node, greatest first: exact where figures add up, as in a
    regression, and no more than an effect of one at a time elsewhere. Empty where the node has no figures."""
    own = graph.features.get("numeric")
    place = torch.nonzero(own.rows == node).flatten() if own is not None else torch.zeros(0)
    if own is None or not len(place) or own.values.shape[1] != 2 * len(NAMES):
        return {}
    row, width = int(place[0]), len(NAMES)
    whole, found = tell(graph), dict[str, float]()
    for column in torch.nonzero(own.values[row, width:]).flatten().tolist():
        values = own.values.clone()
        values[row, [column, width + column]] = 0.0
        rest = graph.with_features({**graph.features, "numeric": Features(own.rows, values)})
        found[NAMES[column]] = whole - tell(rest)
    return dict(sorted(found.items(), key=lambda pair: -abs(pair[1])))


def behind(name: str) -> tuple[str, ...]:
    """The properties that a figure of the table encoder is made of: one, or both parts of a ratio."""
    return tuple(name.split("/"))


def none_known(modality: str, values: Tensor) -> Tensor:
    return torch.zeros(values.shape[1]) if modality == "numeric" else values.mean(0)


def evidence(snapshot: Snapshot, node: str, modality: str) -> list[dict[str, Any]]:
    """Statements that a node's vector of a modality was made of, in columns TOLD and `value`; of each property the
    first is the one that counted.

    `kgrisk explain` reads a statement back from the page or sentence it was found on.
    """
    row = snapshot.index.get(node)
    if row is None:
        raise ModelError(f"{node} is not in the graph at this instant")
    if modality == "text" and snapshot.labels[row] == SILENT:
        return []
    names = MADE_OF.get(modality, tuple(n for n, spec in PROPERTIES.items() if spec.modality == modality))
    own = snapshot.facts.filter(pc.equal(snapshot.facts["subject"], row))
    own = own.filter(pc.is_in(own["property"], pc.cast(list(names), "string")))
    order = [
        ("valid_from", "descending"),
        ("published", "descending"),
        ("property", "ascending"),
        ("key", "descending"),
    ]
    rows = own.sort_by([*order, ("statement", "descending")]).select([*TOLD, *VALUES]).to_pylist()
    return [
        {name: row[name] for name in TOLD} | {"value": next((row[v] for v in VALUES if row[v] is not None), None)}
        for row in rows
    ]
