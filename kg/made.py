"""Made: a snapshot before it is written, of which tables may be no more than told how to be had from older ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from kg.contest import Contest
from kg.model import AsOf
from kg.snapshot import Snapshot
from kg.splice import Splice

TABLES = ("nodes", "edges", "facts")
CONTEST = ("edge_ranks", "fact_ranks", "lost")
"""The tables of a snapshot, and those beside of one of which a contest is kept."""


@dataclass(frozen=True)
class Made:
    """What becomes a snapshot when it is written, or when it is taken into memory."""

    tables: Mapping[str, pa.Table | Splice]
    """TABLES, and CONTEST or none of those."""
    at: AsOf
    commit: int
    ledger: str

    @classmethod
    def of(cls, snapshot: Snapshot) -> Made:
        """The tables of a snapshot that there is."""
        tables, kept = {name: getattr(snapshot, name) for name in TABLES}, snapshot.contest
        beside = {} if kept is None else dict(zip(CONTEST, (kept.edges, kept.facts, kept.lost), strict=True))
        return cls(tables | beside, snapshot.at, snapshot.commit, snapshot.ledger)

    def snapshot(self) -> Snapshot:
        """The snapshot in memory; tables that are there already are not copied."""
        found = {name: table.table() if isinstance(table, Splice) else table for name, table in self.tables.items()}
        kept = Contest(found["edge_ranks"], found["fact_ranks"], found["lost"]) if "lost" in found else None
        return Snapshot(found["nodes"], found["edges"], found["facts"], self.at, self.commit, self.ledger, kept)
