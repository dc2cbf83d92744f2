"""Claims to resolved rows: the one place that knows how.

Claims of one group (one edge or property between canonical ids) are candidates for each other. At each (valid, known,
published) one of them wins: the more reliable source, then the later published, then the later valid_from, then the higher
confidence, then the smaller claim id; a claim that a judgement gave the key of another edge (kg.joins) wins only where
none of that key's own is visible, and is no conflict; what a document said open, it may say later with its end. A *version* is a maximal box of the three clocks in which one statement wins against
the same number of other values (`conflict`). What later commits add never changes a version but for its known_to, so a full build and any sequence of increments are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

import duckdb
import pyarrow as pa

from kg.identity import OPEN, RULE
from kg.joins import RULE as JOINING
from kg.judged import register_identity
from kg.memory import Need
from kg.model import LAST
from kg.ontology import HAS, PROPERTIES, RELIABILITY

Con = duckdb.DuckDBPyConnection
NEED: Final = Need(
    "resolving every version of",
    {"claims": 1_500},
    "use a machine with more memory, or let the store follow the ledger while it grows: a sync holds only what its "
    "commits changed",
)
"""Of claims in the ledger, where all are resolved: their versions lie in memory as a whole; above what
`pytest tests/test_kg_memory.py` found."""


@dataclass(frozen=True)
class Delta:
    """What a store has to do to get from one commit to another."""

    nodes: pa.Table
    """(id, label) of every node that an opened version touches."""
    opens: pa.Table
    """Versions to add; one that is closed within the same delta has its known_to already."""
    closes: pa.Table
    """(version, type, known_to) of versions opened earlier."""
    from_commit: int
    to_commit: int


def connect() -> Con:
    """A DuckDB connection that counts in UTC and never downloads anything."""
    con = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    con.execute("SET TimeZone='UTC'")
    return con


# ---- the vocabulary as SQL expressions over claim rows


def hashed(*columns: str) -> str:
    """SQL for the first 32 hex digits of the sha256 of columns that are never null."""
    return f"left(sha256(concat_ws(chr(31), {', '.join(columns)})), 32)"


def _case(column: str, pairs: Mapping[str, str], otherwise: str) -> str:
    names: dict[str, list[str]] = {}
    for name, value in pairs.items():
        names.setdefault(value, []).append(f"'{name}'")
    whens = " ".join(f"WHEN {column} IN ({', '.join(group)}) THEN {value}" for value, group in names.items())
    return f"CASE {whens} ELSE {otherwise} END"


_VALUES = "value_text, value_int, value_real, value_decimal, value_time, unit"
_VALUE_TEXTS = [
    "coalesce(value_text, '')",
    "coalesce(value_int::VARCHAR, '')",
    "coalesce(value_real::VARCHAR, '')",
    "coalesce(value_decimal::VARCHAR, '')",
    "coalesce(epoch_us(value_time)::VARCHAR, '')",
    "unit",
]
_SAID = f"concat_ws(chr(31), {', '.join(_VALUE_TEXTS)})"
STATEMENT = hashed(
    "kind", "subject", "name", "object", "key", *_VALUE_TEXTS, "epoch_us(valid_from)", "epoch_us(valid_to)"
)
"""What is said, whoever says it."""
CLAIM = hashed("statement", "document", "locator", "split_part(extractor, '@', 1)")
"""Who says it, and where."""
TYPE = f"CASE kind WHEN 'edge' THEN name WHEN 'node' THEN 'HAS_FACT' ELSE {_case('name', {n: repr(HAS[p.node]) for n, p in PROPERTIES.items()}, repr(''))} END"
PROPERTY = "CASE kind WHEN 'property' THEN name WHEN 'node' THEN 'label' ELSE '' END"
_MANY = ", ".join(repr(n) for n, p in PROPERTIES.items() if p.many)
MANY = f"CASE WHEN kind = 'property' AND name IN ({_MANY}) THEN coalesce(value_text, '') ELSE '' END"
GROUP = hashed(TYPE, "subject", "object", PROPERTY, "key", MANY)
"""Id of the resolved edge or property a claim speaks of, before any merge."""
RANK = _case("split_part(extractor, '.', 1)", {n: str(r) for n, r in RELIABILITY.items()}, "1")
BEST = "joined, rank DESC, published DESC, valid_from DESC, confidence DESC, claim"
"""Which claim of a group wins."""
_ENDS = " AND ".join(
    ["{0}.valid_to < {1}.valid_to", "{0}.published > {1}.published"]
    + [f"{{0}}.{c} IS NOT DISTINCT FROM {{1}}.{c}" for c in ("document", "valid_from", *_VALUES.split(", "))]
)
"""What the second says open, the first, published later by the same document, says with its end."""
RULES = sha256("".join([TYPE, PROPERTY, MANY, RANK, BEST, RULE, JOINING, _ENDS]).encode()).hexdigest()[:8]
"""Names the rules in force: what was resolved under others is not used again."""

_ALIVE = """SELECT * EXCLUDE (op) FROM {log} WHERE commit <= {end} AND op = 'assert'
  AND claim NOT IN (SELECT claim FROM {log} WHERE commit <= {end} AND op = 'retract')
UNION ALL
SELECT * EXCLUDE (op) FROM (SELECT * FROM {log} WHERE commit <= {end}
  AND claim IN (SELECT claim FROM {log} WHERE commit <= {end} AND op = 'retract')
  QUALIFY row_number() OVER (PARTITION BY claim ORDER BY commit DESC) = 1) WHERE op = 'assert'"""
ALIVE = _ALIVE.replace("{log}", "events")
"""Claims whose last row up to a commit is an assert."""

_SPANS = f"""CREATE TEMP TABLE spans AS
SELECT * EXCLUDE (op), commit AS c_from, {OPEN} AS c_to FROM events WHERE commit <= {{end}} AND op = 'assert' AND {{only}}
  AND claim NOT IN (SELECT claim FROM events WHERE commit <= {{end}} AND op = 'retract')
UNION ALL
SELECT * EXCLUDE (op) FROM (
  SELECT *, commit AS c_from, coalesce(lead(commit) OVER (PARTITION BY claim ORDER BY commit), {OPEN}) AS c_to FROM events
  WHERE commit <= {{end}} AND {{only}} AND claim IN (SELECT claim FROM events WHERE commit <= {{end}} AND op = 'retract')
) WHERE op = 'assert'"""
"""From which commit to which each claim was alive."""

_PIECES = f"""CREATE TEMP TABLE pieces AS
WITH keyed AS (SELECT s.* REPLACE (coalesce(j.key, s.key) AS key, greatest(s.c_from, coalesce(j.c_from, 0)) AS c_from,
    least(s.c_to, coalesce(j.c_to, {OPEN})) AS c_to), j.key IS NOT NULL AS joined
  FROM spans s LEFT JOIN joins j ON j.statement = s.statement AND j.subject = s.subject AND j.c_from < s.c_to AND s.c_from < j.c_to)
SELECT * EXCLUDE (id), CASE WHEN source = subject AND target = object AND NOT joined THEN "group" ELSE id END AS id FROM (
  SELECT s.* EXCLUDE (c_from, c_to), {TYPE} AS type, {PROPERTY} AS property, {RANK} AS rank,
    coalesce(a.canon, s.subject) AS source, coalesce(b.canon, s.object) AS target,
    {hashed(TYPE, "source", "target", "property", "key", MANY)} AS id,
    greatest(s.c_from, coalesce(a.c_from, 0), coalesce(b.c_from, 0)) AS k_from,
    least(s.c_to, coalesce(a.c_to, {OPEN}), coalesce(b.c_to, {OPEN})) AS k_to
  FROM keyed s
  LEFT JOIN canon a ON a.raw = s.subject AND a.c_from < s.c_to AND s.c_from < a.c_to
  LEFT JOIN canon b ON b.raw = s.object AND b.c_from < s.c_to AND s.c_from < b.c_to
  WHERE s.kind IN ('node', 'edge', 'property')
) WHERE k_from < k_to"""
"""Alive intervals of the claims, cut where the canonical id of an end or the key given to them changes."""

_TIMES = f"TIMESTAMPTZ '{LAST:%Y-%m-%d} 00:00:00+00'"

_VERSIONS = f"""CREATE TEMP TABLE versions AS
WITH crowded AS (SELECT id FROM pieces GROUP BY id HAVING count(*) > 1),
crowd AS (SELECT * FROM pieces WHERE id IN (FROM crowded)),
-- per group: intervals of commits in which the same claims are alive
ks AS (SELECT id, k, lead(k) OVER (PARTITION BY id ORDER BY k) AS k_end FROM (SELECT DISTINCT id, unnest([k_from, k_to]) AS k FROM crowd)
  QUALIFY k_end IS NOT NULL),
live AS (SELECT ks.k, ks.k_end, c.* FROM ks JOIN crowd c ON c.id = ks.id AND c.k_from <= ks.k AND c.k_to > ks.k),
ended AS (SELECT l.id, l.k, l.claim, m.valid_to, m.published FROM live l JOIN live m ON {_ENDS.format("m", "l")} AND m.id = l.id AND m.k = l.k),
-- per group and such interval: the cells of valid x published, and who wins each
vs AS (SELECT id, k, v, lead(v) OVER (PARTITION BY id, k ORDER BY v) AS v_end FROM (SELECT DISTINCT id, k, unnest([valid_from, valid_to]) AS v FROM live)
  QUALIFY v_end IS NOT NULL),
ps AS (SELECT id, k, p, coalesce(lead(p) OVER (PARTITION BY id, k ORDER BY p), {_TIMES}) AS p_end FROM (SELECT DISTINCT id, k, published AS p FROM live)),
cells AS (SELECT vs.id, vs.k, any_value(k_end) AS k_end, v, v_end, p, any_value(p_end) AS p_end,
    first(claim ORDER BY {BEST}) AS claim, first(statement ORDER BY {BEST}) AS statement, greatest(count(DISTINCT {_SAID}) FILTER (WHERE NOT joined), 1) - 1 AS conflict
  FROM vs JOIN ps ON ps.id = vs.id AND ps.k = vs.k
  JOIN live l ON l.id = vs.id AND l.k = vs.k AND l.valid_from <= v AND l.valid_to >= v_end AND l.published <= p
  WHERE NOT EXISTS (FROM ended e WHERE e.id = l.id AND e.k = l.k AND e.claim = l.claim AND e.valid_to <= v AND e.published <= p)
  GROUP BY vs.id, vs.k, v, v_end, p),
-- join neighbouring cells of one winner: along published, along valid, along commits
p_runs AS (SELECT *, sum(new) OVER (PARTITION BY id, k, v ORDER BY p) AS run FROM (
  SELECT *, CASE WHEN (statement, conflict, p) IS DISTINCT FROM lag((statement, conflict, p_end)) OVER (PARTITION BY id, k, v ORDER BY p) THEN 1 ELSE 0 END AS new FROM cells)),
p_joined AS (SELECT id, k, any_value(k_end) AS k_end, v, any_value(v_end) AS v_end, statement, conflict, min(p) AS p, max(p_end) AS p_end,
  arg_min(claim, p) AS claim FROM p_runs GROUP BY id, k, v, statement, conflict, run),
v_runs AS (SELECT *, sum(new) OVER (PARTITION BY id, k, statement, conflict, p, p_end ORDER BY v) AS run FROM (
  SELECT *, CASE WHEN v IS DISTINCT FROM lag(v_end) OVER (PARTITION BY id, k, statement, conflict, p, p_end ORDER BY v) THEN 1 ELSE 0 END AS new FROM p_joined)),
v_joined AS (SELECT id, k, any_value(k_end) AS k_end, statement, conflict, p, p_end, min(v) AS v, max(v_end) AS v_end,
  arg_min(claim, v) AS claim FROM v_runs GROUP BY id, k, statement, conflict, p, p_end, run),
k_runs AS (SELECT *, sum(new) OVER (PARTITION BY id, statement, conflict, p, p_end, v, v_end ORDER BY k) AS run FROM (
  SELECT *, CASE WHEN k IS DISTINCT FROM lag(k_end) OVER (PARTITION BY id, statement, conflict, p, p_end, v, v_end ORDER BY k) THEN 1 ELSE 0 END AS new FROM v_joined)),
k_joined AS (SELECT id, statement, conflict, p, p_end, v, v_end, min(k) AS k_from, max(k_end) AS k_to, arg_min(claim, k) AS claim
  FROM k_runs GROUP BY id, statement, conflict, p, p_end, v, v_end, run),
said AS (SELECT id, k, statement, list(DISTINCT claim ORDER BY claim) AS claims FROM live GROUP BY id, k, statement),
beside AS (SELECT id, k, list(DISTINCT claim) AS claims FROM live WHERE joined GROUP BY id, k)
SELECT j.id, c.type, c.source, c.target, c.key, c.property, {", ".join("c." + v for v in _VALUES.split(", "))},
  j.v AS valid_from, j.v_end AS valid_to,
  j.k_from, j.k_to, j.p AS published, j.p_end AS published_to, j.statement, list_sort(list_distinct(list_concat(said.claims, coalesce(beside.claims, [])))) AS claims, j.conflict::INTEGER AS conflict,
  c.document, c.locator, c.quote, c.extractor, c.confidence
FROM k_joined j JOIN live c ON c.id = j.id AND c.k = j.k_from AND c.claim = j.claim
JOIN said ON said.id = j.id AND said.k = j.k_from AND said.statement = j.statement
LEFT JOIN beside ON beside.id = j.id AND beside.k = j.k_from
UNION ALL
SELECT id, type, source, target, key, property, {_VALUES}, valid_from, valid_to, k_from, k_to, published, {_TIMES} AS published_to,
  statement, [claim] AS claims, 0 AS conflict, document, locator, quote, extractor, confidence
FROM pieces WHERE id NOT IN (FROM crowded)"""

_OPENS = f"""SELECT {hashed("v.id", "v.statement", "k_from", "epoch_us(valid_from)", "epoch_us(published)")} AS version, v.id, type, source,
  CASE property WHEN '' THEN target WHEN 'label' THEN 'fact:' || v.id ELSE 'fact:' || v.statement END AS target, key, property,
  CASE WHEN property = 'label' THEN l.label ELSE value_text END AS value_text, {_VALUES.removeprefix("value_text, ")}, valid_from, valid_to,
  f.known AS known_from, coalesce(t.known, {_TIMES}) AS known_to, published, published_to, statement, claims, conflict,
  document, locator, quote, extractor, confidence
FROM versions v JOIN times f ON f.commit = v.k_from LEFT JOIN times t ON t.commit = v.k_to
LEFT JOIN labels l ON v.property = 'label' AND l.id = v.source"""


def project(con: Con, from_commit: int, to_commit: int) -> Delta:
    """The resolved rows that appear or end after `from_commit` up to `to_commit`.

    `con` has a view `events` (the ledger's rows). Cost grows with what the commits touch, not with the ledger, beyond one
    scan of a few columns. TooLargeError before a store is filled from nothing, if the versions do not fit into memory.
    """
    if not from_commit:
        NEED.check(claims=int(con.execute(f"SELECT count(*) FROM events WHERE commit <= {to_commit}").fetchall()[0][0]))
    register_identity(con, to_commit)
    con.execute(
        f"CREATE TEMP TABLE times AS SELECT commit, min(known_from) AS known FROM events WHERE commit <= {to_commit} GROUP BY commit"
    )
    if from_commit:
        _affected(con, from_commit, to_commit)
    con.execute(_SPANS.format(end=to_commit, only="subject IN (SELECT raw FROM affected)" if from_commit else "true"))
    con.execute(_PIECES)
    con.execute("DROP TABLE spans")
    con.execute(_VERSIONS)
    con.execute("DROP TABLE pieces")
    con.execute(f"CREATE TEMP TABLE labels AS {LABELS.format(end=to_commit)}")
    opens = con.sql(f"{_OPENS} WHERE k_from > {from_commit} ORDER BY type, v.id, version").to_arrow_table()
    closes = con.sql(
        f"SELECT version, type, known_to FROM ({_OPENS} WHERE k_from <= {from_commit} AND k_to > {from_commit} AND k_to < {OPEN}) ORDER BY type, version"
    ).to_arrow_table()
    con.register("opened", opens)
    nodes = con.sql(
        """SELECT id, label FROM labels
        WHERE id IN (SELECT source FROM opened UNION ALL SELECT target FROM opened WHERE property = '') ORDER BY id"""
    ).to_arrow_table()
    return Delta(nodes, opens, closes, from_commit, to_commit)


LABELS = "SELECT subject AS id, arg_min(name, commit) AS label FROM events WHERE kind = 'node' AND op = 'assert' AND commit <= {end} GROUP BY subject"


def _affected(con: Con, start: int, end: int) -> None:
    """Ids whose groups may have changed: subjects of new rows, ids that moved, and all ever connected with them."""
    con.execute(
        f"""CREATE TEMP TABLE moved AS SELECT DISTINCT raw FROM canon
          WHERE (c_from > {start} AND c_from <= {end}) OR (c_to > {start} AND c_to <= {end});
        CREATE TEMP TABLE seeds AS
          SELECT DISTINCT subject AS raw FROM events WHERE commit > {start} AND commit <= {end} AND kind IN ('node', 'edge', 'property', 'same_edge', 'not_same_edge')
          UNION FROM moved
          UNION SELECT subject FROM events WHERE commit <= {end} AND kind = 'edge' AND object IN (FROM moved);
        CREATE TEMP TABLE affected AS FROM seeds UNION
          SELECT raw FROM canon WHERE component IN (SELECT component FROM canon WHERE raw IN (FROM seeds))"""
    )


REST = f"key, {_VALUES}, valid_from, valid_to, known_from, published, statement, claim, confidence"
CALLED = """(SELECT c.* REPLACE (coalesce(j.key, c.key) AS key), j.key IS NOT NULL AS joined FROM ({rows}) c
    LEFT JOIN joins j ON j.statement = c.statement AND j.subject = c.subject AND j.c_from <= {end} AND j.c_to > {end}
    WHERE {where}) c
  LEFT JOIN canon a ON a.raw = c.subject AND a.c_from <= {end} AND a.c_to > {end}
  LEFT JOIN canon b ON b.raw = c.object AND b.c_from <= {end} AND b.c_to > {end}"""
"""Rows of the log with what their ends and their key are called at a commit."""
NAMED = f"""{PROPERTY} AS property, coalesce(a.canon, c.subject) AS source, coalesce(b.canon, c.object) AS target,
    CASE WHEN NOT joined AND a.canon IS NULL AND b.canon IS NULL THEN "group"
      WHEN NOT joined AND source = subject AND target = object THEN "group"
      ELSE {hashed(TYPE, "source", "target", "property", "key", MANY)} END AS id"""
"""Ends of such a row, and the id of the resolved edge or property it speaks of."""
_CANDIDATES = f"""CREATE OR REPLACE TEMP TABLE candidates AS
SELECT *, hash(id) AS bucket FROM (
  SELECT kind, {TYPE} AS type, {RANK} AS rank, {REST}, joined, document, valid_to <= $valid AS over, {NAMED}
  FROM {CALLED.replace("{rows}", _ALIVE)}) WHERE {{only}}"""
_SPOKEN = "kind IN ('node', 'edge', 'property') AND published <= $published AND valid_from <= $valid"
# The bucket is a cheap stand-in for the id: it only tells which few groups may have more than one candidate.
_OVER = f"""DELETE FROM candidates WHERE over OR claim IN (SELECT l.claim FROM candidates l JOIN candidates m
  ON m.over AND m.id = l.id AND {_ENDS.format("m", "l")})"""
_LOSERS = f"""CREATE OR REPLACE TEMP TABLE losers AS SELECT claim, id FROM candidates
WHERE bucket IN (SELECT bucket FROM candidates GROUP BY bucket HAVING count(*) > 1)
QUALIFY row_number() OVER (PARTITION BY id ORDER BY {BEST}) > 1"""


def candidates(
    con: Con, commit: int, valid: datetime, published: datetime, log: str = "events", only: str = "true"
) -> None:
    """Leave on `con` the tables of claims that are heard at a point of the three clocks: `candidates`, `visible`.

    A group of which `log` holds a claim and `only` (a condition on `id`) lets through must be whole in `log`.
    """
    asked = {"valid": valid, "published": published}
    con.execute(_CANDIDATES.format(end=commit, log=log, only=only, where=_SPOKEN), asked)
    con.execute(_OVER)
    con.execute(_LOSERS)
    con.execute("CREATE OR REPLACE TEMP VIEW visible AS FROM candidates WHERE claim NOT IN (SELECT claim FROM losers)")
