"""Cancels and corrections: which rows counted from when until when, and what each day's edge was as of each time.

A row that is cancelled or corrected counts until the time of the row that says so; a corrected row takes its place, on
the day of the first. An edge is public with the last new row of its day; what was void by then never stood in it, and
what becomes void later restates it with that later time, so that the earlier sum stays what was known before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Row = Mapping[str, Any]
"""A typed row of `ingest.extract.payments.layouts`, as a mapping."""
Group = tuple[str, str, str, str, datetime, str]
"""a, b, side, unit, day and part of an edge."""


@dataclass(slots=True)
class Version:
    """One row while it counts."""

    row: Row
    day: datetime
    since: datetime
    part: str
    """Part of a set whose edges it is summed with."""
    chain: int
    """Number of the transaction that it is a version of."""
    until: datetime | None = None
    ended_by: int = 0
    """Number of the row that made it void."""

    @property
    def group(self) -> Group:
        row = self.row
        return (row["a"], row["b"], row["side"], row["unit"], self.day, self.part)

    def counts(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or self.until > at)


@dataclass(slots=True)
class Traced:
    """What became of the rows."""

    versions: list[Version] = field(default_factory=list)
    changes: list[tuple[Row, int]] = field(default_factory=list)
    """Cancels and corrections, each with the chain it belongs to."""
    lost: list[Row] = field(default_factory=list)
    """Cancels and corrections of a transaction that no row tells of."""
    void: int = 0
    """Rows made void."""
    corrected: int = 0
    repeated: int = 0
    """Cancels and corrections of what was void already."""


def trace(rows: Iterable[Row]) -> Traced:
    """Follow each transaction through its cancels and corrections, in the order of their times."""
    found, current = Traced(), dict[str, Version]()
    every = list(rows)
    for row in (row for row in every if row["act"] == "N"):
        version = Version(row, day_of(row["t"]), row["t"], row.get("part") or "", len(found.versions))
        found.versions.append(version)
        if row["id"]:
            current[row["id"]] = version
    for row in sorted((row for row in every if row["act"] != "N"), key=lambda row: (row["t"], row["n"])):
        _apply(row, current, found)
    return found


def _apply(row: Row, current: dict[str, Version], found: Traced) -> None:
    target = row["ref"] or row["id"]
    version = current.get(target)
    if version is None:
        found.lost.append(row)
        return
    found.changes.append((row, version.chain))
    if version.until is not None or version.row["body"] == row["body"]:
        found.repeated += 1
        return
    version.until, version.ended_by = max(row["t"], version.since), row["n"]
    found.void += 1
    if row["act"] == "R":
        found.corrected += 1
        after = Version(row, version.day, version.until, version.part, version.chain)
        found.versions.append(after)
        current[target] = after
        if row["id"]:
            current[row["id"]] = after


def restated(versions: Iterable[Version]) -> Iterator[dict[str, Any]]:
    """What each edge was and from when, as rows of sums; one of nothing where all its rows became void."""
    groups = defaultdict[Group, list[Version]](list)
    for version in versions:
        groups[version.group].append(version)
    for group, members in groups.items():
        before: list[int] = []
        for at in _times(members):
            here = sorted((v for v in members if v.counts(at)), key=lambda v: v.row["n"])
            numbers = [v.row["n"] for v in here]
            if numbers != before:
                yield _sum(group, here, at, [v.ended_by for v in members if v.until == at])
            before = numbers


def _times(members: Sequence[Version]) -> list[datetime]:
    """Times at which the edge of these rows may be another."""
    first = max((v.since for v in members if v.row["act"] == "N"), default=min(v.since for v in members))
    later = {v.since for v in members} | {v.until for v in members if v.until is not None}
    return [first, *sorted(at for at in later if at > first)]


def _sum(group: Group, here: Sequence[Version], at: datetime, ended_by: Sequence[int]) -> dict[str, Any]:
    a, b, side, unit, day, part = group
    rows = [v.row for v in here]
    total = sum((row["amount"] for row in rows), Decimal(0)).quantize(Decimal("1e-9"), ROUND_HALF_UP)
    quantity = sum((row["quantity"] for row in rows if row["quantity"] is not None), Decimal(0))
    return {
        "a": a,
        "b": b,
        "side": side,
        "unit": unit,
        "day": day,
        "part": part,
        "count": len(rows),
        "total": total,
        "quantity": quantity,
        "raw": sum((row["raw"] for row in rows), Decimal(0)),
        "published": at,
        "rows": [row["n"] for row in rows] or sorted(ended_by)[-1:],
    }


def day_of(moment: datetime) -> datetime:
    """Midnight of the day of a moment."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
