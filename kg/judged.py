"""What judgements say up to a commit, as tables beside the log: what each id is called, which key an edge is given."""

from __future__ import annotations

import duckdb

from kg.identity import CANON, OPEN, identities
from kg.joins import JOINS, joins

Con = duckdb.DuckDBPyConnection


def register_identity(con: Con, end: int) -> None:
    """Register the canonical ids up to a commit as table `canon`, and the keys that edges are given."""
    spans = con.execute(
        f"""SELECT kind, subject, object, c_from, c_to FROM (
        SELECT *, commit AS c_from, coalesce(lead(commit) OVER (PARTITION BY claim ORDER BY commit), {OPEN}) AS c_to
        FROM events WHERE commit <= {end} AND kind IN ('same', 'not_same')) WHERE op = 'assert' ORDER BY ALL"""
    ).fetchall()
    con.register("canon", identities(spans) if spans else CANON.empty_table())
    register_joins(con, end)


def register_joins(con: Con, end: int) -> int:
    """Register the keys that edges are given up to a commit as table `joins`; returns how many rows it has."""
    judged = con.execute(
        f"""SELECT kind, value_text, subject, key, c_from, c_to, claim FROM (
        SELECT *, commit AS c_from, coalesce(lead(commit) OVER (PARTITION BY claim ORDER BY commit), {OPEN}) AS c_to
        FROM events WHERE commit <= {end} AND kind IN ('same_edge', 'not_same_edge'))
        WHERE op = 'assert' ORDER BY ALL"""
    ).fetchall()
    given = joins(judged) if judged else JOINS.empty_table()
    con.register("joins", given)
    return int(given.num_rows)
