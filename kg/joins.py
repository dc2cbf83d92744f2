"""Which edges that sources tell under different keys, or under none, are one edge, at each commit.

A loan in a register has its facility as key; an article about it has none. A judgement gives the edge that one
statement tells the key of another edge between the same two. Like identity it depends on the known clock alone, and
taking it back restores what was before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from kg.identity import OPEN

RULE = "a joined statement loses to one of the key's own and is no conflict"
"""Names how joined statements count: what was resolved under another rule is not used again."""
JOINS = pa.schema(
    [
        pa.field("statement", pa.string()),
        pa.field("subject", pa.string()),
        pa.field("key", pa.string()),  # null where none is given
        pa.field("c_from", pa.int64()),
        pa.field("c_to", pa.int64()),
    ]
)

Span = tuple[str, str, str, str, int, int, str]
"""(kind, statement, its subject, key, first commit, commit of the end, claim) of one judgement."""


def joins(spans: Iterable[Span]) -> pa.Table:
    """The key that every judged statement is given, per interval of commits (JOINS, half-open, without gaps)."""
    judged: dict[tuple[str, str], list[Span]] = {}
    for span in spans:
        judged.setdefault((span[1], span[2]), []).append(span)
    rows = [(*what, *interval) for what, group in sorted(judged.items()) for interval in _intervals(group)]
    return pa.Table.from_pylist([dict(zip(JOINS.names, row, strict=True)) for row in rows], schema=JOINS)


def _intervals(spans: Sequence[Span]) -> list[tuple[str | None, int, int]]:
    """(key, from, to); neighbours of one key are joined."""
    bounds = sorted({0, *(s[4] for s in spans), *(s[5] for s in spans if s[5] < OPEN)})
    found: list[tuple[str | None, int, int]] = []
    for start, end in zip(bounds, [*bounds[1:], OPEN], strict=True):
        key = _key(spans, start)
        if found and found[-1][0] == key:
            found[-1] = (key, found[-1][1], end)
        else:
            found.append((key, start, end))
    return found


def _key(spans: Sequence[Span], commit: int) -> str | None:
    """The key judged last and not denied; of two in one commit that of the smaller claim."""
    alive = [s for s in spans if s[4] <= commit < s[5]]
    denied = {s[3] for s in alive if s[0] == "not_same_edge"}
    given = [(-s[4], s[6], s[3]) for s in alive if s[0] == "same_edge" and s[3] not in denied]
    return min(given)[2] if given else None
