"""Ranks and holdings as a graph states them: which loan is paid first, and who holds whose equity."""

from __future__ import annotations

import re

import pyarrow.compute as pc

from kg.snapshot import Snapshot
from queries.exposures import Exposures

SAID = ((3, re.compile(r"subordinat|junior|mezzanine", re.I)), (1, re.compile(r"(?<!un)secured|collateral", re.I)))
"""Rank by words in the role of a loan; where neither stands, it is an ordinary senior debt and nothing is stated."""


def ranks_of(snapshot: Snapshot, exposures: Exposures) -> dict[str, int]:
    """Rank by edge id, for the exposures whose role says one."""
    ids = set(exposures.edges["id"].to_pylist())
    edges = snapshot.edges.filter(pc.is_valid(snapshot.edges["value_text"]))
    found: dict[str, int] = {}
    for id, role in zip(edges["id"].to_pylist(), edges["value_text"].to_pylist(), strict=True):
        said = next((rank for rank, words in SAID if words.search(role)), None) if id in ids else None
        if said is not None:
            found[id] = said
    return found


def held_in(snapshot: Snapshot, exposures: Exposures) -> dict[str, float]:
    """Share of equity by `holder>firm`, from OWNS among those who have exposures; share classes are summed."""
    edges = snapshot.edges_of("OWNS")
    edges = edges.filter(pc.is_valid(edges["value_real"]))
    found: dict[str, float] = {}
    columns = (edges[name].to_pylist() for name in ("source", "target", "value_real"))
    for source, target, share in zip(*columns, strict=True):
        holder, firm = snapshot.ids[source], snapshot.ids[target]
        if holder != firm and holder in exposures.index and firm in exposures.index:
            found[f"{holder}>{firm}"] = found.get(f"{holder}>{firm}", 0.0) + share
    return found
