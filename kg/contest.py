"""Contest: what the rows of a snapshot do not tell of the claims behind them, and an increment has to know.

A group that changes is resolved again from all of its claims. The claim that won stands in its row, but for how
reliable its source is; claims that lost stand nowhere. With both kept beside the rows nobody has to look for them in
the log. They are kept only where nothing was ever judged: a claim then counts under the names that it was told with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from kg.ontology import RELIABILITY
from kg.project import GROUP, REST, Con
from kg.snapshot import CLOCKS, EVIDENCE, VALUES, Snapshot
from kg.splice import Rows, whole

RANK: Final = pa.field("rank", pa.int8())
RANKS: Final = pa.schema([RANK])
KIND: Final = {"edges": "edge", "facts": "property"}
"""What the rows of each table are in the log."""
SUBJECT: Final = {"edges": "source", "facts": "subject"}
_NAMES: Final = ("kind", "subject", "name", "object", "group", "key")
LOST: Final = pa.schema([*(pa.field(name, pa.string()) for name in _NAMES), *VALUES, *CLOCKS, *EVIDENCE, RANK])


@dataclass(frozen=True)
class Contest:
    """Ranks of the sources of the claims in the rows of a snapshot, and the claims heard that lost."""

    edges: pa.Table
    """RANKS, one row for each edge."""
    facts: pa.Table
    """RANKS, one row for each fact."""
    lost: pa.Table
    """LOST, in no order. Of a group with a claim that is over it may lack some."""


HEARD: Final = f"""SELECT kind, type, property, source, target, id, {REST}, rank::TINYINT AS rank,
  claim IN (SELECT claim FROM losers) AS lost FROM candidates"""
"""What `kg.project.candidates` leaves: the claims heard, and whether another one of their group won."""


def losing(heard: pa.Table) -> pa.Table:
    """LOST of claims that are heard; of those that only say that something exists nobody asks."""
    heard = heard.filter(pc.and_not(heard["lost"], pc.equal(heard["kind"], "node")))
    named = {"name": pc.if_else(pc.equal(heard["kind"], "edge"), heard["type"], heard["property"])}
    own = {"subject": "source", "object": "target", "group": "id"}
    return pa.table([named[n] if n in named else heard[own.get(n, n)] for n in LOST.names], LOST.names).cast(LOST)


def claims(con: Con, base: Snapshot, name: str, rows: Rows) -> pa.Table:
    """Rows of a table as LOST, with the group of each; without rank where that is not known."""
    taken, ids, size = pa.array(rows), whole(base.nodes["id"]), len(rows)
    table = getattr(base, name).take(taken)
    known = None if base.contest is None else getattr(base.contest, name)[RANK.name].take(taken)
    told = {
        "rank": pa.nulls(size, RANK.type) if known is None else known,
        "kind": pa.repeat(KIND[name], size),
        "subject": ids.take(whole(table[SUBJECT[name]])),
    }
    if name == "edges":
        told |= {"name": table["type"], "object": ids.take(whole(table["target"])), "group": table["id"]}
    else:
        told |= {"name": table["property"], "object": pa.repeat("", size), "group": pa.nulls(size, pa.string())}
    found = pa.table([told.get(n, table[n] if n in table.column_names else None) for n in LOST.names], schema=LOST)
    if name == "edges" or not size:
        return found
    con.register("told", found.drop_columns(["group"]).append_column("row", pa.array(range(size))))
    groups = con.sql(f"SELECT {GROUP} AS id FROM told ORDER BY row").to_arrow_table()["id"]
    return found.set_column(found.column_names.index("group"), LOST.field("group"), groups)


_SOURCES: Final = {rank: name for name, rank in RELIABILITY.items()}
_SOURCE: Final = " ".join(f"WHEN {rank} THEN '{name}'" for rank, name in _SOURCES.items())
CLAIMS: Final = f"""SELECT 0 AS commit, 'assert' AS op, kind, subject, name, object, "group", {REST},
  CASE rank {_SOURCE} ELSE '' END AS extractor, '' AS document FROM {{rows}}"""
"""Rows of the log, from rows like LOST: told before any commit, of some document, by a source of the same rank."""
