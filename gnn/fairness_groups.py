"""Groups: what an entity is counted under when a score is looked at by an attribute of its entities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import numpy as np
import pyarrow.compute as pc

from kg.errors import KgRiskError
from kg.ontology import PROPERTIES
from kg.snapshot import Snapshot

NONE: Final = "not told"
"""The group of those of whom the graph does not say."""
BANDS: Final = ("small", "middling", "large")
"""Thirds by total assets."""


def groups_of(snapshot: Snapshot, rows: Sequence[int], by: str, cut: datetime) -> list[str]:
    """Group of each entity. KgRiskError where nobody of them has the attribute."""
    names = told_groups(snapshot, rows, by, cut)
    if set(names) == {NONE}:
        raise KgRiskError(f"the graph tells {by} of none of those scored; known: {', '.join(KINDS)}, or a property")
    return names


def told_groups(snapshot: Snapshot, rows: Sequence[int], by: str, cut: datetime) -> list[str]:
    """Group of each entity, where need be that of those of whom nothing is told."""
    found = KINDS[by](snapshot, rows, cut) if by in KINDS else _stated(snapshot, by)
    return [found.get(row, NONE) for row in rows]


def _label(snapshot: Snapshot, rows: Sequence[int], cut: datetime) -> dict[int, str]:
    return {row: snapshot.labels[row] for row in rows}


def _end(type: str) -> Callable[[Snapshot, Sequence[int], datetime], dict[int, str]]:
    """Name of what an edge of a type leads to; of several the first."""

    def found(snapshot: Snapshot, rows: Sequence[int], cut: datetime) -> dict[int, str]:
        edges = snapshot.edges_of(type)
        ends = zip(edges["source"].to_pylist(), edges["target"].to_pylist(), strict=True)
        told: dict[int, str] = {}
        for source, target in ends:
            name = snapshot.names[target]
            told[source] = min(told.get(source, name), name)
        return told

    return found


def _size(snapshot: Snapshot, rows: Sequence[int], cut: datetime) -> dict[int, str]:
    """Third by total assets as published by the cut, among those scored; currencies are not converted."""
    facts = snapshot.facts_of("assets")
    facts = facts.filter(pc.less_equal(facts["published"], cut)).sort_by([("valid_from", "ascending")])
    told = zip(facts["subject"].to_pylist(), facts["value_decimal"].to_pylist(), strict=True)
    latest = {row: float(value) for row, value in told if value is not None}
    scored = [row for row in rows if row in latest]
    ends = np.quantile([latest[row] for row in scored], [1 / 3, 2 / 3]) if scored else np.zeros(2)
    return {row: BANDS[int(np.searchsorted(ends, latest[row], side="left"))] for row in scored}


def _language(snapshot: Snapshot, rows: Sequence[int], cut: datetime) -> dict[int, str]:
    """Language of most documents published by the cut that mention it."""
    spoken = _stated(snapshot, "language")
    edges = snapshot.edges_of("MENTIONED_IN")
    edges = edges.filter(pc.less_equal(edges["published"], cut))
    counts: dict[int, Counter[str]] = {}
    for source, target in zip(edges["source"].to_pylist(), edges["target"].to_pylist(), strict=True):
        if target in spoken:
            counts.setdefault(source, Counter())[spoken[target]] += 1
    return {row: min(own, key=lambda name: (-own[name], name)) for row, own in counts.items()}


def _stated(snapshot: Snapshot, property: str) -> dict[int, str]:
    """What a property of text says of each entity. KgRiskError if there is no such property."""
    if property not in PROPERTIES or PROPERTIES[property].type != "text":
        raise KgRiskError(f"{property!r} is no attribute to group by; known: {', '.join(KINDS)}, or a property of text")
    facts = snapshot.facts_of(property)
    return dict(zip(facts["subject"].to_pylist(), facts["value_text"].to_pylist(), strict=True))


KINDS: Final = {
    "country": _end("IN_COUNTRY"),
    "sector": _end("IN_SECTOR"),
    "size": _size,
    "language": _language,
    "label": _label,
}
