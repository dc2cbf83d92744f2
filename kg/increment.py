"""Increment: a snapshot made from an earlier one, by what lies between the two instants.

A claim counts in one group: the edge or property it speaks of, under the names that ids and keys have at the commit.
A group can differ only if one of its claims is of a later commit, begins, ends or was published between the two
instants, or is called otherwise than before. Such groups are resolved again from all of their claims, by the rules of
a full build, and their rows take the place of the old ones; every other row is copied. So both ways give the same
tables, row for row.

The claims a group had before stand in its row and in what is kept of those that lost (`kg.contest`). The log is asked
for them only where a claim of the group is over, or where ids or keys were ever judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.clocks import as_time, iso
from kg.contest import CLAIMS, HEARD, KIND, RANK, claims, losing
from kg.identity import CANON
from kg.joins import JOINS
from kg.judged import register_identity
from kg.made import CONTEST, Made
from kg.model import AsOf
from kg.project import CALLED, LABELS, NAMED, Con, candidates
from kg.resolved import built
from kg.snapshot import Snapshot
from kg.sorting import SORTING, Numbered, numbered, stretches, within
from kg.splice import Rows, Splice, whole

SHARE: Final = 0.2
"""Changed claims, as a share of the rows there were, from which everything is resolved anew."""
_KINDS = "kind IN ('node', 'edge', 'property')"
_JUDGED = "kind IN ('same', 'not_same', 'same_edge', 'not_same_edge')"
_LOG = f"SELECT * EXCLUDE (locator, quote, run) FROM events WHERE {_KINDS}"
_NAME = "CASE kind WHEN 'node' THEN '' ELSE name END AS name"
_TOLD = {
    "edges": {"type": "name", "source": "source", "target": "target"},
    "facts": {"subject": "source", "property": "name"},
}
"""What stands of a group in the columns that each table is sorted by."""


def made(con: Con, base: Snapshot | None, commit: int, at: AsOf, ledger: str) -> Made:
    """The snapshot of an instant, from another one of the same ledger where that is less work."""
    found = None if base is None else Increment(con, base, commit, at).made()
    return built(con, commit, at, ledger) if found is None else found


class Increment:
    """The way from a snapshot to another instant of its ledger. `con` has the view `events`, and is used once."""

    def __init__(self, con: Con, base: Snapshot, commit: int, at: AsOf) -> None:
        assert at.valid is not None and at.published is not None
        self.con, self.base, self.at, self.start, self.end = con, base, at, base.commit, commit
        self.valid, self.published = as_time(at.valid), as_time(at.published)
        self.contest = base.contest
        """What is known of the old claims beside the rows; None where the log has to be asked."""
        self.held: list[pa.Table] = []
        self.judged = False
        """Whether ids or keys were ever judged: what a claim is called then hangs on the commit."""

    def made(self) -> Made | None:
        """The snapshot; None if too much lies between, if something was erased, or if the commit is an earlier one."""
        erased, judged, changed = self._later()
        if self.start > self.end or not len(self.base) or erased:
            return None
        self._judge(judged)
        spans = [f"commit <= {self.start} AND {way}" for way in self._ways()]
        changed += sum(self._one(f"SELECT count(*) FROM events WHERE {_KINDS} AND {span}")[0] for span in spans)
        if changed > SHARE * (len(self.base) + self.base.edges.num_rows + self.base.facts.num_rows):
            return None
        if not changed:
            return Made.of(replace(self.base, at=self.at, commit=self.end, contest=self.contest))
        spans.append(f"commit > {self.start} AND commit <= {self.end}")
        self.con.execute(f"CREATE TEMP TABLE near AS {' UNION ALL '.join(f'{_LOG} AND {span}' for span in spans)}")
        self._ask()
        gone = self._gone()
        self._near()
        candidates(self.con, self.end, self.valid, self.published, "near", "id IN (SELECT id FROM asked)")
        return self._spliced(gone)

    def _one(self, sql: str) -> tuple[int, ...]:
        return tuple(self.con.execute(sql).fetchall()[0])

    def _table(self, sql: str) -> pa.Table:
        return self.con.sql(sql).to_arrow_table()

    def _later(self) -> tuple[int, ...]:
        """How many rows of later commits are erasures, judgements and claims."""
        within = f"commit <= {self.end}"
        return self._one(
            f"""SELECT count(*) FILTER (op = 'erase'), count(*) FILTER ({within} AND {_JUDGED}),
            count(*) FILTER ({within} AND {_KINDS}) FROM events WHERE commit > {self.start}"""
        )

    def _judge(self, later: int) -> None:
        """Register what was judged up to the commit; nothing was before where the base has kept its contest."""
        if self.contest and not later:
            self.con.register("canon", CANON.empty_table())
            self.con.register("joins", JOINS.empty_table())
            return
        self.contest = None
        register_identity(self.con, self.end)
        self.judged = self._one("SELECT (SELECT count(*) FROM canon) + (SELECT count(*) FROM joins)")[0] > 0

    def _ways(self) -> Iterator[str]:
        """The ways in which an older claim may count otherwise; no claim meets two.

        Each is a condition of its own, so that files and parts of them are left out by what they hold at most.
        """
        before: list[str] = []
        for way in self._conditions():
            yield way + (f" AND NOT ({' OR '.join(before)})" if before else "")
            before.append(f"({way})")

    def _conditions(self) -> Iterator[str]:
        for column, (low, high) in self._clocks.items():
            if low < high:
                yield f"{column} > TIMESTAMPTZ '{iso(low)}' AND {column} <= TIMESTAMPTZ '{iso(high)}'"
        if self.judged:
            moved = " OR ".join(f"({c} > {self.start} AND {c} <= {self.end})" for c in ("c_from", "c_to"))
            yield f"subject IN (SELECT raw FROM canon WHERE {moved})"
            yield f"object IN (SELECT raw FROM canon WHERE {moved})"
            yield f"statement IN (SELECT statement FROM joins WHERE {moved})"

    @cached_property
    def _clocks(self) -> dict[str, tuple[datetime, datetime]]:
        """Between which moments each column of a claim decides whether it counts otherwise."""
        assert self.base.at.valid is not None and self.base.at.published is not None
        valid, other = sorted((as_time(self.base.at.valid), self.valid))
        published, last = sorted((as_time(self.base.at.published), self.published))
        return {"valid_from": (valid, other), "valid_to": (valid, other), "published": (published, last)}

    def _ask(self) -> None:
        """Leave the groups that may differ as table `asked`: those that these claims counted in, and count in now."""
        sql = f'SELECT DISTINCT "group" AS id, kind, {_NAME}, subject AS source, object AS target FROM near'
        if self.judged:
            columns = "SELECT id, kind, name, source, target FROM"
            sql = " UNION ".join(f"{columns} {_named('FROM near', end)}" for end in (self.start, self.end))
        self.con.execute(f"CREATE TEMP TABLE asked AS {sql}")
        self.asked = self._table("FROM asked")
        self.names = _ids(self.asked)
        self.place = self._rows(self.names)

    def _rows(self, ids: pa.Array) -> Rows:
        """The old row of each id; -1 for one that has none."""
        rows = pc.fill_null(pc.index_in(ids, whole(self.base.nodes["id"])), -1)
        return rows.to_numpy().astype(np.int64)  # type: ignore[no-any-return]  # pyarrow is untyped

    def _gone(self) -> dict[str, Rows]:
        """Which rows of each table are of these groups, sorted; what they tell is left in `held`."""
        found = {}
        for name, sorting in SORTING.items():
            asked = self.asked.filter(pc.equal(self.asked["kind"], KIND[name]))
            columns = _TOLD[name].items()
            told = {column: asked[own] if own == "name" else self._at(asked[own]) for column, own in columns}
            known = np.all([told[node] >= 0 for node in sorting.nodes], axis=0)
            rows = within(*stretches(getattr(self.base, name), sorting.by, pa.table(told).filter(pa.array(known))))
            held = claims(self.con, self.base, name, rows)
            again = pc.is_in(held["group"], whole(self.asked["id"]))
            found[name] = rows[again.to_numpy()]
            self.held.append(held.filter(again))
        return found

    def _at(self, names: pa.ChunkedArray) -> Rows:
        """The old row of each of the ids asked; -1 for one that has none."""
        where = pc.fill_null(pc.index_in(names, self.names), len(self.names)).to_numpy()
        found: Rows = np.append(self.place, -1)[where]
        return found

    def _ranked(self, name: str) -> pa.Table:
        """A table of the base with the rank of the source of each row, null where it is not known."""
        table = getattr(self.base, name)
        known = pa.nulls(len(table), RANK.type) if self.contest is None else getattr(self.contest, name)[RANK.name]
        return table.append_column(RANK, known)

    def _near(self) -> None:
        """Leave every row of the log of the claims of these groups as table `near`, or what says the same."""
        log = f"{_LOG} AND commit <= {self.end}"
        if self.contest is None:
            self._asked_of(log)
            return
        self.again = pc.is_in(self.contest.lost["group"], whole(self.asked["id"]))
        self.con.register("held", pa.concat_tables([*self.held, self.contest.lost.filter(self.again)]))
        there = f"(SELECT claim FROM near WHERE commit <= {self.start})"
        self.con.execute(f"INSERT INTO near BY NAME {CLAIMS.format(rows='held')} WHERE claim NOT IN {there}")
        over = f"valid_to <= TIMESTAMPTZ '{iso(self._clocks['valid_to'][1])}'"
        aged = f'SELECT DISTINCT "group" AS id FROM ({log} AND {over}) WHERE "group" IN (SELECT id FROM asked)'
        self.con.execute(f"CREATE TEMP TABLE aged AS {aged}")
        if self._one("SELECT count(*) FROM aged")[0]:  # on a claim that is over may hang which others are heard
            self.con.execute('DELETE FROM near WHERE "group" IN (FROM aged)')
            self.con.execute(f'INSERT INTO near {log} AND "group" IN (FROM aged)')

    def _asked_of(self, log: str) -> None:
        self.con.execute(f'CREATE OR REPLACE TEMP TABLE near AS {log} AND "group" IN (SELECT id FROM asked)')
        if self.judged:
            raw, rekeyed = "(SELECT raw FROM canon)", "(SELECT statement FROM joins)"
            called = _named(f"{log} AND (subject IN {raw} OR object IN {raw} OR statement IN {rekeyed})", self.end)
            self.con.execute(
                f"""INSERT INTO near {log} AND claim IN (SELECT claim FROM {called} WHERE id IN (SELECT id FROM asked))
                AND claim NOT IN (SELECT claim FROM near)"""
            )

    def _spliced(self, gone: dict[str, Rows]) -> Made:
        """The old tables, with what the groups came to in the place of what they were.

        A table of which no row differs is the old one itself, of which no copy is written.
        """
        heard, old = self._table(HEARD), Made.of(replace(self.base, contest=self.contest)).tables
        nodes = self._nodes(gone, heard)
        tables: dict[str, pa.Table | Splice] = {"nodes": nodes.table}
        for (name, sorting), beside in zip(SORTING.items(), CONTEST, strict=False):
            ranked = self._ranked(name)
            new = heard.filter(pc.and_not(pc.equal(heard["kind"], KIND[name]), heard["lost"]))
            merged = sorting.merged(ranked, gone[name], _called(new, ranked.schema), nodes)
            names = getattr(self.base, name).column_names
            tables[name] = old[name] if merged is ranked else merged.select(names)
            if self.contest is not None:
                tables[beside] = old[beside] if merged is ranked else merged.select([RANK.name])
        if self.contest is not None:
            tables["lost"] = self._lost(self.contest.lost, heard)
        return Made(tables, self.at, self.end, self.base.ledger)

    def _lost(self, before: pa.Table, heard: pa.Table) -> pa.Table:
        """The claims that lose now, of those that lost before and those that lose of the groups asked."""
        stay, now = before.filter(pc.invert(self.again)), losing(heard)
        return before if len(stay) == len(before) and not len(now) else pa.concat_tables([stay, now])

    def _nodes(self, gone: dict[str, Rows], heard: pa.Table) -> Numbered:
        """The nodes that anything heard speaks of, in their new order."""
        spoken = pc.is_in(self.names, _ids(heard)).to_numpy(zero_copy_only=False)
        ends = [self._at(self.asked.filter(pc.equal(self.asked["kind"], "node"))["source"])]
        for name, sorting in SORTING.items():
            ends += [getattr(self.base, name)[node].to_numpy()[gone[name]] for node in sorting.nodes]
        unsure = np.setdiff1d(np.concatenate(ends), np.append(self.place[spoken], -1))
        dead = self._unheard(self._bare(unsure.astype(np.int32), gone))
        added = self._labelled(self.names.filter(pa.array(spoken & (self.place < 0))))
        return numbered(self.base.nodes, dead, added, self.names, self.place)

    def _bare(self, nodes: Rows, gone: dict[str, Rows]) -> Rows:
        """Those of the nodes of which no row is left."""
        subjects = self.base.facts["subject"].to_numpy()
        low, high = (np.searchsorted(subjects, nodes, side) for side in ("left", "right"))
        left = high - low - np.diff(np.searchsorted(gone["facts"], [low, high]), axis=0)[0]
        nodes = nodes[left == 0]
        for name in ("source", "target"):
            if not len(nodes):
                break
            asked = np.zeros(len(self.base), bool)
            asked[nodes] = True
            rows = self.base.edges[name].to_numpy()
            hit = asked[rows]
            hit[gone["edges"]] = False
            asked[rows[hit]] = False
            nodes = np.flatnonzero(asked)
        return nodes

    def _unheard(self, unsure: Rows) -> Rows:
        """Those of the nodes that no edge and no fact speaks of whose existence nothing claims either."""
        if not len(unsure):
            return unsure
        self.con.register("unsure", pa.table({"id": self.base.nodes["id"].take(pa.array(unsure))}))
        self.con.execute(
            f"""CREATE TEMP TABLE existing AS {_LOG} AND commit <= {self.end} AND kind = 'node' AND subject IN
            (SELECT id FROM unsure UNION SELECT raw FROM canon WHERE canon IN (SELECT id FROM unsure))"""
        )
        candidates(self.con, self.end, self.valid, self.published, "existing")
        return np.setdiff1d(unsure, self._rows(self._table("SELECT DISTINCT source FROM candidates")["source"]))

    def _labelled(self, ids: pa.Array) -> pa.Table:
        """(id, label) of new nodes, sorted; an id without a node row is left out, as everywhere."""
        if not len(ids):
            return self.base.nodes.slice(0, 0)
        self.con.register("added", pa.table({"id": ids}))
        found = f"SELECT * FROM ({LABELS.format(end=self.end)}) WHERE id IN (SELECT id FROM added) ORDER BY id"
        return self._table(found).cast(self.base.nodes.schema)


def _ids(table: pa.Table) -> pa.Array:
    """The ids of nodes that rows of the log, or groups, have as their ends."""
    found = pc.unique(pa.chunked_array([*table["source"].chunks, *table["target"].chunks], pa.string()))
    return found.filter(pc.not_equal(found, ""))


def _called(heard: pa.Table, schema: pa.Schema) -> pa.Table:
    """Claims heard with the columns of a table, but for ids of nodes in the place of their rows."""
    return pa.table([heard["source" if name == "subject" else name] for name in schema.names], schema.names)


def _named(rows: str, commit: int) -> str:
    """SQL of rows of the log with the group that each counts in at a commit, and its ends."""
    return f"(SELECT claim, kind, {_NAME}, {NAMED} FROM {CALLED.format(rows=rows, end=commit, where='true')})"
