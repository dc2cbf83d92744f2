"""Which source-side ids were one entity, and what it was called, at each commit.

Clusters are the connected components of the pairs judged `same`, but that a pair judged `not_same` is never in one
cluster, not even by way of third ids: judgements are taken in the order of their commits, then by their ids, and one
that would bring such a pair together does not count. The canonical id of a cluster is the one of the strongest
scheme, then the smallest string. Identity depends on the known clock alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import pyarrow as pa

from kg.ontology import SCHEMES, scheme

RULE = "apart by way of third ids too"
"""Names how clusters are made: what was resolved under another rule is not used again."""
OPEN = 2**62
"""Commit number of an open end."""
CANON = pa.schema(
    [
        pa.field("raw", pa.string()),
        pa.field("canon", pa.string()),
        pa.field("c_from", pa.int64()),
        pa.field("c_to", pa.int64()),
        pa.field("component", pa.string()),  # smallest raw id ever connected with this one
    ]
)
_RANK = {name: rank for rank, name in enumerate(SCHEMES)}

Span = tuple[str, str, str, int, int]
"""(kind, a, b, first commit, commit of the end) of one judgement."""


def strength(id: str) -> tuple[int, str]:
    """Sort key: the canonical id of a cluster is its least."""
    return _RANK.get(scheme(id), len(_RANK)), id


def identities(spans: Iterable[Span]) -> pa.Table:
    """Canonical id of every id that was ever judged, per interval of commits (CANON, half-open)."""
    import networkx as nx

    judged = list(spans)
    ever = nx.Graph((a, b) for _, a, b, _, _ in judged)
    home = {id: (least, c) for c in nx.connected_components(ever) for least in [min(c)] for id in c}
    by_least: dict[str, list[Span]] = {}
    for span in judged:
        by_least.setdefault(home[span[1]][0], []).append(span)
    rows = [row for group in by_least.values() for row in _component(group, *home[group[0][1]])]
    return pa.Table.from_pylist([dict(zip(CANON.names, row, strict=True)) for row in sorted(rows)], schema=CANON)


def _component(spans: Sequence[Span], least: str, members: set[str]) -> list[tuple[str, str, int, int, str]]:
    """Intervals of one ever-connected component; neighbouring ones with the same name are joined."""
    bounds = sorted({0, *(s[3] for s in spans), *(s[4] for s in spans if s[4] < OPEN)})
    rows: list[tuple[str, str, int, int, str]] = []
    last: dict[str, int] = {}
    for start, end in zip(bounds, [*bounds[1:], OPEN], strict=True):
        for raw, canon in _clusters(spans, members, start).items():
            before = last.get(raw)
            if before is not None and rows[before][1] == canon:
                rows[before] = (raw, canon, rows[before][2], end, least)
            else:
                last[raw] = len(rows)
                rows.append((raw, canon, start, end, least))
    return rows


def _clusters(spans: Sequence[Span], members: set[str], commit: int) -> dict[str, str]:
    """Canonical id of each member at one commit."""
    alive = [s for s in spans if s[3] <= commit < s[4]]
    same = sorted((since, min(a, b), max(a, b)) for kind, a, b, since, _ in alive if kind == "same")
    apart = {frozenset((a, b)) for kind, a, b, _, _ in alive if kind == "not_same"}
    return clusters(((a, b) for _, a, b in same), apart, members)


def clusters(
    same: Iterable[tuple[str, str]], apart: Collection[frozenset[str]], members: Iterable[str] = ()
) -> dict[str, str]:
    """Canonical id of every id named, from pairs judged one in the order they count and pairs that are two."""
    others: dict[str, set[str]] = {}
    for pair in apart:
        for id in pair:
            others.setdefault(id, set()).update(pair - {id})
    groups: dict[str, set[str]] = {id: {id} for id in members}
    for a, b in same:
        right, left = sorted((groups.setdefault(a, {a}), groups.setdefault(b, {b})), key=len)
        if left is right or any(others[id] & left for id in right & others.keys()):
            continue
        for id in right:
            groups[id] = left
        left |= right
    return {id: min(group, key=strength) for id, group in groups.items()}
