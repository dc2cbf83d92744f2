"""History of a fact: every value it was ever said to have, when each was recorded, and when it was taken back."""

from __future__ import annotations

from typing import Any

from kg.judged import register_identity
from kg.ledger import Ledger
from kg.model import LAST, AsOf
from kgrisk.evidence import first_value

SQL = """SELECT e.claim, e.statement, e.key, e.value_text, e.value_int, e.value_real, e.value_decimal, e.value_time,
  e.unit, e.valid_from, e.valid_to, e.published, e.extractor, e.confidence, e.document,
  min(e.known_from) FILTER (e.op = 'assert') OVER spoken AS known_from,
  max(e.known_from) FILTER (e.op = 'retract') OVER spoken AS taken_back, e.op
FROM events e LEFT JOIN canon c ON c.raw = e.subject AND c.c_from <= ? AND ? < c.c_to
WHERE e.commit <= ? AND e.kind = 'property' AND e.name = ? AND coalesce(c.canon, e.subject) = ? AND e.published <= ?
WINDOW spoken AS (PARTITION BY e.claim)
QUALIFY row_number() OVER (PARTITION BY e.claim ORDER BY e.commit DESC) = 1
ORDER BY e.valid_from, known_from, e.published, e.claim LIMIT ?"""
"""The last row of each claim, with the first commit that said it and the last that took it back."""
MOST = 500
"""Values told at most."""


def history(ledger: Ledger, id: str, property: str, at: AsOf = AsOf()) -> list[dict[str, Any]]:
    """Values of a property of an entity by valid time, as recorded up to `at.known` and published by `at.published`.

    `taken_back` is None while a claim stands.
    """
    commit, asked = ledger.instant(at)
    con = ledger.cursor()
    register_identity(con, commit)
    given = [commit, commit, commit, property, id, asked.published, MOST]
    found = con.sql(SQL, params=given).to_arrow_table()
    return [_told(row) for row in found.to_pylist()]


def _told(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("key", "unit", "valid_from", "published", "known_from", "statement", "claim", "document", "extractor")
    told = {name: row[name] for name in kept}
    ends = {
        "valid_to": None if row["valid_to"] == LAST else row["valid_to"],
        "taken_back": row["taken_back"] if row["op"] == "retract" else None,
    }
    return {**told, "value": first_value(row), "confidence": row["confidence"], **ends}
