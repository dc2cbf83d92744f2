"""Evidence: every claim that stands behind what an edge or property says."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from kg.judged import register_identity, register_joins
from kg.project import ALIVE, Con

_SAYING = "SELECT * FROM ({alive}) WHERE statement = $statement AND published <= $published ORDER BY claim"
_BESIDE = """WITH alive AS ({alive}), keyed AS (
  SELECT c.claim, c.statement, c.name, coalesce(j.key, c.key) AS key, j.key IS NOT NULL AS joined,
    coalesce(a.canon, c.subject) AS source, coalesce(b.canon, c.object) AS target
  FROM alive c
  LEFT JOIN joins j ON j.statement = c.statement AND j.subject = c.subject AND j.c_from <= {end} AND j.c_to > {end}
  LEFT JOIN canon a ON a.raw = c.subject AND a.c_from <= {end} AND a.c_to > {end}
  LEFT JOIN canon b ON b.raw = c.object AND b.c_from <= {end} AND b.c_to > {end}
  WHERE c.kind = 'edge' AND (c.statement = $statement OR c.statement IN (SELECT statement FROM joins)))
SELECT * FROM alive WHERE published <= $published AND (statement = $statement OR claim IN (
  SELECT k.claim FROM keyed k JOIN keyed s ON (k.name, k.key, k.source, k.target) = (s.name, s.key, s.source, s.target)
  WHERE k.joined AND s.statement = $statement)) ORDER BY claim"""


def evidence(con: Con, commit: int, statement: str, published: datetime) -> pa.Table:
    """Claims alive at a commit that say a statement, and those judged to tell of the same edge under another key."""
    sql = _SAYING
    if register_joins(con, commit):
        register_identity(con, commit)
        sql = _BESIDE
    params = {"statement": statement, "published": published}
    return con.sql(sql.format(alive=ALIVE.format(end=commit), end=commit), params=params).to_arrow_table()
