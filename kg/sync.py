"""Brings a store to the ledger's head: each transaction carries the watermark, so nothing is lost or doubled.

The commit that a reader may see is told in a transaction of its own, after the last rows. A database that is read while
it applies a transaction may show the watermark of that one before its relationships (Neo4j does, see
tests/test_store_acid.py); rows that nobody may see yet harm nobody.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kg.errors import StoreError
from kg.ledger import Ledger, OnIO
from kg.model import iso
from kg.rows import Plan, Step, Vectors, plan
from kg.store import SyncReport, Watermark
from kg.supposed import Supposed

_LOG = logging.getLogger(__name__)


class Writer(Protocol):
    """The writing half of a store."""

    @property
    def mark(self) -> Watermark | None: ...

    def write(self, before: Watermark | None, steps: Sequence[Step], after: Watermark) -> None:
        """Write rows and watermark in one transaction. StoreError if the watermark is not `before` any more."""


@dataclass(frozen=True)
class Stage:
    """One stretch of a sync: from the last complete commit to `target`, of which `offset` rows are written."""

    plan: Plan
    before: Watermark | None
    start: Watermark
    end: Watermark


def stage(mark: Watermark | None, ledger: Ledger | Supposed, vectors: Vectors) -> Stage | None:
    """What is to be written next; None at the head. A stretch that was broken off is finished first, as begun."""
    head = ledger.head
    if mark is not None:
        ledger.check(mark.ledger)
        if mark.target > head:
            raise StoreError(
                f"the store holds commit {mark.target}, the ledger ends at {head}: an older copy; rebuild the store"
            )
    start = mark or Watermark(ledger.uuid)
    target = start.target if start.target > start.commit else head
    if mark is not None and target == start.commit:
        return None
    rows = plan(ledger.delta(start.commit, target), vectors)
    end = Watermark(ledger.uuid, target, iso(ledger.known(target)) if target else start.known, target)
    return Stage(rows, mark, start, end)


def advance(writer: Writer, next: Stage, size: int, on_io: OnIO) -> None:
    """Write one stage in transactions of at most `size` rows, and one that says that all are there."""
    before, offset, start = next.before, next.start.offset, next.start
    while True:
        steps = next.plan.cut(offset, size)
        offset += sum(step.rows.num_rows for step in steps)
        done = not steps
        after = next.end if done else Watermark(start.ledger, start.commit, start.known, next.end.commit, offset)
        on_io("sync:before")
        writer.write(before, steps, after)
        on_io("sync:after")
        if done:
            return
        before = after


def synchronise(writer: Writer, ledger: Ledger, vectors: Vectors, size: int, on_io: OnIO) -> SyncReport:
    """Write all stages up to the ledger's head."""
    began, opened, closed = time.monotonic(), 0, 0
    first = writer.mark
    while (next := stage(writer.mark, ledger, vectors)) is not None:
        advance(writer, next, size, on_io)
        opened += next.plan.count("edge")
        closed += next.plan.count("close")
    last = writer.mark
    report = SyncReport(
        first.commit if first else 0, last.commit if last else 0, opened, closed, time.monotonic() - began
    )
    _LOG.info("synced: %s", report)
    return report
