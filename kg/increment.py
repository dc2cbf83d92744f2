"""Increment: the tables of a snapshot made from those of an earlier one, by what lies between the two instants.

A claim counts in one group: the edge or property it speaks of, under the names that ids and keys have at the commit.
A group can differ only if one of its claims is of a later commit, begins, ends or was published between the two
instants, or is called otherwise than before. Such groups are resolved again from all of their claims, by the rules of
a full build, and their rows take the place of the old ones; every other row is copied. So both ways give the same
tables, row for row.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.clocks import as_time, iso
from kg.judged import register_identity
from kg.memory import check_room
from kg.project import CALLED, LABELS, NAMED, REST, Con, candidates, resolve
from kg.snapshot import Snapshot
from kg.splice import Mask, Numbered, Rows, edge_rows, fact_rows, numbered, whole

SHARE: Final = 0.2
"""Changed claims, as a share of the rows there were, from which everything is resolved anew."""
LARGEST: Final = 2**28
"""Nodes up to which two of them and a type make one number of 63 bits."""
EACH: Final = 800
BUFFERS: Final = 1 << 29
"""Bytes that a claim takes while everything is resolved, and what is taken beside as buffers at most: above what
`python -m benchmarks.scale` found at every size."""
Tables = tuple[pa.Table, pa.Table, pa.Table]
"""Nodes, edges, facts."""
_KINDS = "kind IN ('node', 'edge', 'property')"
_LOG = f"SELECT * EXCLUDE (locator, quote, run) FROM events WHERE commit <= {{end}} AND {_KINDS}"
_CHANGED = f'SELECT claim, statement, "group", kind, name, subject, object, key, value_text FROM events WHERE {_KINDS}'


def tables(con: Con, base: Snapshot | None, commit: int, valid: datetime, published: datetime) -> Tables:
    """Nodes, edges and facts at an instant, from a snapshot of the same ledger where that is less work."""
    found = None if base is None else Increment(con, base, commit, valid, published).tables()
    if found is not None:
        return found
    claims = con.execute("SELECT count(*) FROM events").fetchall()[0][0]
    check_room(
        claims * EACH + min(claims * EACH, BUFFERS),
        f"a snapshot of {claims:,} claims",
        "stop other programs, use a machine with more memory, or ask for an instant of which a snapshot is kept",
    )
    return resolve(con, commit, valid, published)


class Increment:
    """The way from a snapshot to another instant of its ledger. `con` has the view `events`, and is used once."""

    def __init__(self, con: Con, base: Snapshot, commit: int, valid: datetime, published: datetime) -> None:
        self.con, self.base, self.start, self.end = con, base, base.commit, commit
        self.valid, self.published = as_time(valid), as_time(published)
        self.judged = False
        """Whether ids or keys were ever judged: what a claim is called then hangs on the commit."""

    def tables(self) -> Tables | None:
        """The tables; None if too much lies between, if something was erased, or if the commit is an earlier one."""
        if self.start > self.end or not 0 < len(self.base) < LARGEST or self._erased():
            return None
        register_identity(self.con, self.end)
        self.judged = self._one("SELECT (SELECT count(*) FROM canon) + (SELECT count(*) FROM joins)") > 0
        changed = self._changed()
        if changed > SHARE * (len(self.base) + self.base.edges.num_rows + self.base.facts.num_rows):
            return None
        if not changed:
            return self.base.nodes, self.base.edges, self.base.facts
        self._near()
        candidates(self.con, self.end, self.valid, self.published, "near", "id IN (FROM asked)")
        return self._spliced()

    def _one(self, sql: str) -> int:
        return int(self.con.execute(sql).fetchall()[0][0])

    def _table(self, sql: str) -> pa.Table:
        return self.con.sql(sql).to_arrow_table()

    def _erased(self) -> bool:
        return self._one(f"SELECT count(*) FROM events WHERE commit > {self.start} AND op = 'erase'") > 0

    def _changed(self) -> int:
        """Leave the claims that may count otherwise as table `changed`; how many rows of the log they have."""
        parts = [f"{_CHANGED} AND commit > {self.start} AND commit <= {self.end}"]
        if ways := list(self._ways()):
            parts.append(f"{_CHANGED} AND commit <= {self.start} AND ({' OR '.join(ways)})")
        self.con.execute(f"CREATE TEMP TABLE changed AS {' UNION ALL '.join(parts)}")
        return self._one("SELECT count(*) FROM changed")

    def _ways(self) -> Iterator[str]:
        """The ways in which an older claim may count otherwise."""
        assert self.base.at.valid is not None and self.base.at.published is not None
        valid = sorted((as_time(self.base.at.valid), self.valid))
        published = sorted((as_time(self.base.at.published), self.published))
        for column, (low, high) in (("valid_from", valid), ("valid_to", valid), ("published", published)):
            if low < high:
                yield f"{column} > TIMESTAMPTZ '{iso(low)}' AND {column} <= TIMESTAMPTZ '{iso(high)}'"
        if self.judged:
            moved = " OR ".join(f"({c} > {self.start} AND {c} <= {self.end})" for c in ("c_from", "c_to"))
            yield f"subject IN (SELECT raw FROM canon WHERE {moved})"
            yield f"object IN (SELECT raw FROM canon WHERE {moved})"
            yield f"statement IN (SELECT statement FROM joins WHERE {moved})"

    def _near(self) -> None:
        """Leave the groups that may differ as table `asked`, and every row of their claims as table `near`."""
        log = _LOG.format(end=self.end)
        groups = 'SELECT DISTINCT "group" AS id FROM changed'
        if self.judged:  # what a claim counted in before, and what it counts in now
            groups = " UNION ".join(f"SELECT id FROM {_named('FROM changed', end)}" for end in (self.start, self.end))
        self.con.execute(f"CREATE TEMP TABLE asked AS {groups}")
        self.con.execute(f'CREATE TEMP TABLE near AS {log} AND "group" IN (FROM asked)')
        if self.judged:
            raw, rekeyed = "(SELECT raw FROM canon)", "(SELECT statement FROM joins)"
            called = _named(f"{log} AND (subject IN {raw} OR object IN {raw} OR statement IN {rekeyed})", self.end)
            self.con.execute(
                f"""INSERT INTO near {log} AND claim IN (SELECT claim FROM {called} WHERE id IN (FROM asked))
                AND claim NOT IN (SELECT claim FROM near)"""
            )

    def _spliced(self) -> Tables:
        """The old tables, with what the groups came to in the place of what they were."""
        edges = self._table(f"SELECT id, type, source, target, {REST} FROM visible WHERE kind = 'edge'")
        facts = self._table(f"SELECT source AS subject, property, {REST} FROM visible WHERE kind = 'property'")
        log = f"{_named('FROM near', self.end)} WHERE id IN (FROM asked)" if self.judged else "near"
        again = whole(self._table(f"SELECT DISTINCT claim FROM {log}")["claim"])
        gone = tuple(_among(table["claim"], again) for table in (self.base.edges, self.base.facts))
        nodes = self._nodes(*gone)
        new_edges = edge_rows(self.base.edges, gone[0], edges, nodes)
        return nodes.table, new_edges, fact_rows(self.base.facts, gone[1], facts, nodes)

    def _nodes(self, gone_edges: Mask, gone_facts: Mask) -> Numbered:
        """The nodes that anything heard speaks of, in their new order."""
        seen = "SELECT source AS id FROM candidates UNION SELECT target FROM candidates WHERE kind = 'edge'"
        heard = whole(self._table(seen)["id"])
        place = self._rows(heard)
        touched, kept = (np.zeros(len(self.base), bool) for _ in range(2))
        for table, gone, names in (
            (self.base.edges, gone_edges, ("source", "target")),
            (self.base.facts, gone_facts, ("subject",)),
        ):
            for name in names:
                rows = table[name].to_numpy()
                touched[rows[gone]] = True
                kept[rows[~gone]] = True
        kept[place[place >= 0]] = True
        before = _named("FROM near WHERE kind = 'node'", self.start)
        named = self._rows(whole(self._table(f"SELECT DISTINCT source FROM {before}")["source"]))
        touched[named[named >= 0]] = True
        dead = self._unheard(touched & ~kept)
        return numbered(self.base.nodes, dead, self._labelled(heard.filter(pa.array(place < 0))))

    def _rows(self, ids: pa.Array) -> Rows:
        """The old row of each id; -1 for one that has none."""
        rows = pc.fill_null(pc.index_in(ids, whole(self.base.nodes["id"])), -1)
        return rows.to_numpy().astype(np.int64)  # type: ignore[no-any-return]  # pyarrow is untyped

    def _unheard(self, unsure: Mask) -> Mask:
        """Those of the nodes that no edge and no fact speaks of whose existence nothing claims either."""
        if not unsure.any():
            return unsure
        ids = self.base.nodes["id"].filter(pa.array(unsure))
        self.con.register("unsure", pa.table({"id": ids}))
        self.con.execute(
            f"""CREATE TEMP TABLE existing AS {_LOG.format(end=self.end)} AND kind = 'node' AND subject IN
            (SELECT id FROM unsure UNION SELECT raw FROM canon WHERE canon IN (SELECT id FROM unsure))"""
        )
        candidates(self.con, self.end, self.valid, self.published, "existing")
        there = self._rows(whole(self._table("SELECT DISTINCT source FROM candidates")["source"]))
        unsure[there[there >= 0]] = False
        return unsure

    def _labelled(self, ids: pa.Array) -> pa.Table:
        """(id, label) of new nodes, sorted; an id without a node row is left out, as everywhere."""
        if not len(ids):
            return self.base.nodes.slice(0, 0)
        self.con.register("added", pa.table({"id": ids}))
        found = f"SELECT * FROM ({LABELS.format(end=self.end)}) WHERE id IN (SELECT id FROM added) ORDER BY id"
        return self._table(found).cast(self.base.nodes.schema)


def _named(rows: str, commit: int) -> str:
    """SQL of rows of the log with the group that each counts in at a commit, and its ends."""
    return f"(SELECT claim, {NAMED} FROM {CALLED.format(rows=rows, end=commit, where='true')})"


def _among(column: pa.ChunkedArray, values: pa.Array) -> Mask:
    return pc.is_in(column, values).to_numpy()  # type: ignore[no-any-return]  # pyarrow is untyped
