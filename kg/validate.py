"""Which claims do not fit the vocabulary, and why."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from kg.ontology import EDGES, FIRMS, NODES, PROPERTIES, VALUE_COLUMNS
from kg.project import Con, connect

LABELS = pa.schema([pa.field("id", pa.string()), pa.field("label", pa.string())])


def violations(batch: pa.Table, labels: pa.Table) -> pa.Table:
    """Rows of a batch that may not be committed: (row, reason), each row once, in order.

    `labels` (id, label) are the labels that ids already have; node rows of the batch add theirs (the first row of an id
    counts). An edge or property whose node row is itself refused is refused too.
    """
    con = connect()
    con.register("rows_", batch.append_column("row", pa.array(range(batch.num_rows), pa.int64())))
    con.register("had", labels.select(["id", "label"]).cast(LABELS))
    _register_vocabulary(con)
    con.execute(
        """CREATE TEMP VIEW batch AS FROM rows_;
        CREATE TEMP TABLE labels AS SELECT id, label FROM had;
        INSERT INTO labels SELECT subject, arg_min(name, row) FROM batch
        WHERE kind = 'node' AND subject NOT IN (SELECT id FROM had)
        AND EXISTS (FROM node_types t WHERE t.label = name AND t.scheme = split_part(subject, ':', 1)) GROUP BY subject"""
    )
    reasons = " UNION ALL ".join([_EVERY, _NODE, _EDGE, _PROPERTY, _JUDGEMENT, _SAME_EDGE])
    return con.sql(f"SELECT row, min(reason) AS reason FROM ({reasons}) GROUP BY row ORDER BY row").to_arrow_table()


def _register_vocabulary(con: Con) -> None:
    nodes = [{"label": label, "scheme": s} for label, spec in NODES.items() for s in spec.schemes]
    edges = [
        {
            "type": name,
            "source": s,
            "target": t,
            "event": spec.time == "event",
            "money": "value_decimal" in _columns(name),
        }
        for name, spec in EDGES.items()
        for s in spec.source
        for t in spec.target
    ]
    properties = [
        {"name": name, "wanted": VALUE_COLUMNS[spec.type], "event": spec.time == "event", "type": spec.type}
        for name, spec in PROPERTIES.items()
    ]
    con.register("node_types", pa.Table.from_pylist(nodes))
    con.register("edge_types", pa.Table.from_pylist(edges))
    con.register("property_types", pa.Table.from_pylist(properties))
    con.register("firms", pa.table({"label": list(FIRMS)}))


def _columns(edge: str) -> set[str]:
    return {VALUE_COLUMNS[prop.type] for prop in EDGES[edge].props.values()}


LONGEST: Final = 4000
"""Bytes of an id: the constraint that keeps ids apart in Neo4j holds 8,167."""
_EVERY = """
SELECT row, CASE
  WHEN kind NOT IN ('node', 'edge', 'property', 'same', 'not_same', 'same_edge', 'not_same_edge') THEN 'kind ' || kind || ' is unknown; expected node, edge, property, same, not_same, same_edge or not_same_edge'
  WHEN document = '' OR locator = '' THEN 'no evidence: document and locator must be given'
  WHEN NOT regexp_matches(extractor, '^[^@]+@[^@]+$') THEN 'extractor ' || extractor || ' is not name@version'
  WHEN NOT (confidence BETWEEN 0 AND 1) THEN 'confidence ' || confidence || ' is not in 0..1'
  WHEN valid_from >= valid_to THEN 'valid_from is not before valid_to'
  WHEN NOT contains(subject, ':') THEN 'id ' || subject || ' is not scheme:value'
  WHEN greatest(octet_length(encode(subject)), octet_length(encode(object))) > LONGEST THEN 'an id that begins with ' || left(CASE WHEN octet_length(encode(subject)) > LONGEST THEN subject ELSE object END, 60) || ' has more than LONGEST bytes; a store cannot hold it'
  WHEN value_real IS NOT NULL AND NOT isfinite(value_real) THEN name || ' of ' || subject || ' is not a finite number'
  WHEN value_decimal IS NOT NULL AND NOT regexp_matches(unit, '^[A-Z]{3}$') THEN name || ' of ' || subject || ' has no ISO 4217 currency but ' || unit
END AS reason FROM batch WHERE reason IS NOT NULL""".replace("LONGEST", str(LONGEST))

_NODE = """
SELECT row, CASE
  WHEN b.name NOT IN (SELECT label FROM node_types) THEN 'label ' || b.name || ' is unknown'
  WHEN NOT EXISTS (FROM node_types t WHERE t.label = b.name AND t.scheme = split_part(b.subject, ':', 1)) THEN 'id ' || b.subject || ' has a scheme that ' || b.name || ' does not take'
  WHEN l.label <> b.name THEN b.subject || ' is a ' || l.label || ' already, said here to be a ' || b.name
END AS reason FROM batch b LEFT JOIN labels l ON l.id = b.subject WHERE b.kind = 'node' AND reason IS NOT NULL"""

_EDGE = """
SELECT row, CASE
  WHEN b.name NOT IN (SELECT type FROM edge_types) THEN 'edge type ' || b.name || ' is unknown'
  WHEN s.label IS NULL THEN 'source ' || b.subject || ' of ' || b.name || ' has no node row'
  WHEN t.label IS NULL THEN 'target ' || b.object || ' of ' || b.name || ' has no node row'
  WHEN e.type IS NULL THEN b.name || ' may not run from ' || s.label || ' ' || b.subject || ' to ' || t.label || ' ' || b.object
  WHEN e.event AND b.valid_to < TIMESTAMPTZ '9999-12-31 00:00:00+00' THEN b.name || ' is an event and must have an open valid_to'
  WHEN b.value_decimal IS NOT NULL AND NOT e.money THEN b.name || ' takes no amount'
END AS reason FROM batch b LEFT JOIN labels s ON s.id = b.subject LEFT JOIN labels t ON t.id = b.object
LEFT JOIN edge_types e ON e.type = b.name AND e.source = s.label AND e.target = t.label
WHERE b.kind = 'edge' AND reason IS NOT NULL"""

_PROPERTY = """
SELECT row, CASE
  WHEN p.name IS NULL THEN 'property ' || b.name || ' is unknown'
  WHEN l.label IS NULL THEN 'subject ' || b.subject || ' of ' || b.name || ' has no node row'
  WHEN p.event AND b.valid_to < TIMESTAMPTZ '9999-12-31 00:00:00+00' THEN b.name || ' is a measurement and must have an open valid_to'
  WHEN (CASE p.wanted WHEN 'value_text' THEN b.value_text IS NULL WHEN 'value_int' THEN b.value_int IS NULL WHEN 'value_real' THEN b.value_real IS NULL
        WHEN 'value_decimal' THEN b.value_decimal IS NULL ELSE b.value_time IS NULL END) THEN b.name || ' of ' || b.subject || ' has no ' || p.type || ' value'
END AS reason FROM batch b LEFT JOIN property_types p ON p.name = b.name LEFT JOIN labels l ON l.id = b.subject
WHERE b.kind = 'property' AND reason IS NOT NULL"""

_JUDGEMENT = """
SELECT row, CASE
  WHEN a.label IS NULL THEN b.subject || ' has no node row' WHEN o.label IS NULL THEN b.object || ' has no node row'
  WHEN b.subject = b.object THEN 'a judgement needs two ids, both are ' || b.subject
  WHEN a.label <> o.label AND NOT (a.label IN (FROM firms) AND o.label IN (FROM firms)) THEN a.label || ' ' || b.subject || ' and ' || o.label || ' ' || b.object || ' cannot be one entity'
END AS reason FROM batch b LEFT JOIN labels a ON a.id = b.subject LEFT JOIN labels o ON o.id = b.object
WHERE b.kind IN ('same', 'not_same') AND reason IS NOT NULL"""

_SAME_EDGE = """
SELECT row, CASE
  WHEN b.name NOT IN (SELECT type FROM edge_types) THEN 'edge type ' || b.name || ' is unknown'
  WHEN s.label IS NULL THEN b.subject || ' has no node row' WHEN t.label IS NULL THEN b.object || ' has no node row'
  WHEN NOT coalesce(regexp_matches(b.value_text, '^[0-9a-f]{32}$'), false) THEN 'a judgement of an edge needs the statement that is judged'
  WHEN b.key = '' THEN 'a judgement of an edge needs the key it is given'
END AS reason FROM batch b LEFT JOIN labels s ON s.id = b.subject LEFT JOIN labels t ON t.id = b.object
WHERE b.kind IN ('same_edge', 'not_same_edge') AND reason IS NOT NULL"""
