"""Resolved: the tables of a snapshot from all claims of a ledger, and what its increments have to know beside them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import pyarrow as pa

from kg.contest import HEARD, RANK, RANKS, Contest, losing
from kg.errors import TooLargeError
from kg.judged import register_identity
from kg.made import Made
from kg.memory import check_room
from kg.model import AsOf
from kg.project import LABELS, REST, Con, candidates
from kg.snapshot import EDGES, FACTS, NODES, Snapshot

Tables = tuple[pa.Table, pa.Table, pa.Table]
"""Nodes, edges, facts."""


EACH: Final = 800
BUFFERS: Final = 1 << 29
"""Bytes that a claim takes while everything is resolved, and what is taken beside as buffers at most: above what
`python -m benchmarks.scale` found at every size."""
TEXTS: Final = (1 << 31) - 1
"""Bytes of text that a column of a snapshot can hold, as its offsets have 32 bits."""


def built(con: Con, commit: int, at: AsOf, ledger: str) -> Made:
    """The snapshot of an instant, resolved from all claims. TooLargeError if that takes more memory than is free."""
    assert at.valid is not None and at.published is not None
    claims = con.execute("SELECT count(*) FROM events").fetchall()[0][0]
    check_room(
        claims * EACH + min(claims * EACH, BUFFERS),
        f"a snapshot of {claims:,} claims",
        "stop other programs, use a machine with more memory, or ask for an instant of which a snapshot is kept",
    )
    tables, contest = resolve(con, commit, at.valid, at.published)
    return Made.of(Snapshot(*tables, at, commit, ledger, contest))


def resolve(con: Con, commit: int, valid: datetime, published: datetime) -> tuple[Tables, Contest | None]:
    """The resolved graph at one point of the three clocks, as kg.snapshot holds it."""
    register_identity(con, commit)
    candidates(con, commit, valid, published)
    con.execute(
        f"""CREATE TEMP TABLE numbered AS SELECT id, label, (row_number() OVER (ORDER BY id) - 1)::INTEGER AS row
        FROM ({LABELS.format(end=commit)})
        WHERE id IN (SELECT source FROM candidates UNION ALL SELECT target FROM candidates WHERE kind = 'edge')"""
    )
    nodes = con.sql("SELECT id, label FROM numbered ORDER BY row").to_arrow_table()
    edges = con.sql(
        f"""SELECT v.id, type, s.row AS source, t.row AS target, {REST}, rank FROM visible v
        JOIN numbered s ON s.id = v.source JOIN numbered t ON t.id = v.target WHERE kind = 'edge'
        ORDER BY type, s.row, t.row, v.id"""
    ).to_arrow_table()
    facts = con.sql(
        f"""SELECT s.row AS subject, property, {REST}, rank FROM visible v JOIN numbered s ON s.id = v.source
        WHERE kind = 'property' ORDER BY s.row, property, key, statement"""
    ).to_arrow_table()
    edges, facts = (table.cast(pa.schema([*schema, RANK])) for table, schema in ((edges, EDGES), (facts, FACTS)))
    tables = nodes.cast(NODES), edges.select(EDGES.names), facts.select(FACTS.names)
    _check_texts(tables)
    return tables, _contest(con, edges.select(RANKS.names), facts.select(RANKS.names))


def _check_texts(tables: Tables) -> None:
    """TooLargeError for a column whose texts do not fit into one."""
    for table in tables:
        for name, column in zip(table.column_names, table.columns, strict=True):
            size = column.nbytes - 4 * len(column) if pa.types.is_string(column.type) else 0
            if size > TEXTS:
                raise TooLargeError(
                    f"column {name} of a snapshot has {size:,} bytes of text in {len(column):,} rows, {TEXTS:,} fit: "
                    "ask for an earlier instant, or keep the graph in several homes"
                )


def _contest(con: Con, edges: pa.Table, facts: pa.Table) -> Contest | None:
    judged = con.execute("SELECT (SELECT count(*) FROM canon) + (SELECT count(*) FROM joins)").fetchall()[0][0]
    return None if judged else Contest(edges, facts, losing(con.sql(f"FROM ({HEARD}) WHERE lost").to_arrow_table()))
