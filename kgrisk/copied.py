"""Copied: a question as a Cypher text with its values and clocks written into it, to be run anywhere as it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from kg.errors import CatalogError
from kg.model import EVER, AsOf, iso
from kg.store import CLOCK_TEXT
from queries.catalog import NamedQuery

NEIGHBOURHOOD: Final = f"""// What stands around an entity.
MATCH (n:Entity {{id: $id}})-[r]-(o:Entity)
WHERE {CLOCK_TEXT}
RETURN DISTINCT r.id AS edge, type(r) AS type, startNode(r).id AS source, endNode(r).id AS target,
  r.amount_minor AS amount_minor, r.currency AS currency, r.statement AS statement
ORDER BY type, source, target, edge"""
_WORDS = re.compile(
    r"""(?P<kept>//[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`]|``)*`)|\$(?P<name>\w+)""", re.DOTALL
)


def neighbourhood(id: str, at: AsOf) -> str:
    """All edges between an entity and others at an instant."""
    return filled(NEIGHBOURHOOD, {"id": id}, at)


def written(query: NamedQuery, given: Mapping[str, Any], at: AsOf) -> str:
    """A named query with what was given, in the text that every engine takes. CatalogError for a wrong parameter."""
    return filled(query.text(), query.values(given), at)


def filled(cypher: str, values: Mapping[str, Any], at: AsOf) -> str:
    """The text with every `$name` outside of strings and comments replaced by its value.

    CatalogError for one without.
    """
    clocks = {"valid": at.valid, "known": at.known, "published": at.published or EVER}
    known = {name: iso(moment) for name, moment in clocks.items() if moment} | dict(values)

    def literal(found: re.Match[str]) -> str:
        name = found["name"]
        if name is None:
            return found[0]
        if name not in known:
            raise CatalogError(f"${name} has no value; known: {', '.join(sorted(known))}")
        return told(known[name])

    return _WORDS.sub(literal, cypher)


def told(value: Any) -> str:
    """A value as Cypher writes it; a text can never end its own quotes."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return told(iso(value))
    if isinstance(value, date):
        return told(value.isoformat())
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r") + "'"
    if isinstance(value, Sequence):
        return f"[{', '.join(told(part) for part in value)}]"
    raise CatalogError(f"{type(value).__name__} has no form in Cypher")
