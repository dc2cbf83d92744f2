"""Types, properties and indexes of an ArcadeDB store, made from the ontology, and its format number."""

from __future__ import annotations

from collections.abc import Iterator

from arcadedb_embedded import Database

from kg.migrations import FORMAT, checked
from kg.ontology import EDGES, HAS, NODES, VALUE_NODES

UNIQUE = {"Entity": "id", "Ledger": "id", **dict.fromkeys(VALUE_NODES, "id")}
"""The unique key of each vertex type; every edge type is unique by version."""
_NUMBERS = {"amount_minor": "LONG", "amount": "DOUBLE", "number": "DOUBLE"}
_EDGE_COLUMNS = {
    "version": "STRING",
    "claims": "LIST OF STRING",
    "conflict": "LONG",
    "confidence": "DOUBLE",
}
_EDGE_TYPES = {"int": "LONG", "real": "DOUBLE", "text": "STRING", "money": "DOUBLE"}


def type_statements() -> Iterator[str]:
    """SQL that declares what must have one type whatever JSON makes of it. Labels are subtypes of Entity."""
    for label, key in UNIQUE.items():
        yield f"CREATE VERTEX TYPE {label} IF NOT EXISTS"
        yield f"CREATE PROPERTY {label}.{key} IF NOT EXISTS STRING"
    for label in NODES:
        yield f"CREATE VERTEX TYPE {label} IF NOT EXISTS EXTENDS Entity"
    for label in ("Fact", "Score"):
        for name, type in _NUMBERS.items():
            yield f"CREATE PROPERTY {label}.{name} IF NOT EXISTS {type}"
    yield "CREATE PROPERTY Embedding.vector IF NOT EXISTS ARRAY_OF_FLOATS"
    for edge in edge_types():
        yield f"CREATE EDGE TYPE {edge} IF NOT EXISTS"
        for name, type in _edge_columns(edge).items():
            yield f"CREATE PROPERTY {edge}.{name} IF NOT EXISTS {type}"


def _edge_columns(edge: str) -> dict[str, str]:
    columns = dict(_EDGE_COLUMNS)
    for name, prop in EDGES[edge].props.items() if edge in EDGES else ():
        columns[name] = _EDGE_TYPES[prop.type]
        if prop.type == "money":
            columns["amount_minor"] = "LONG"
    return columns


def index_statements() -> Iterator[str]:
    """SQL of the indexes, the same in every format; a bulk build runs it after loading."""
    for label, key in UNIQUE.items():
        yield f"CREATE INDEX IF NOT EXISTS ON {label} ({key}) UNIQUE"
    for edge in edge_types():
        yield f"CREATE INDEX IF NOT EXISTS ON {edge} (version) UNIQUE"
    yield "CREATE PROPERTY Name.text IF NOT EXISTS STRING"
    yield "CREATE INDEX IF NOT EXISTS ON Name (text) NOTUNIQUE"


def edge_types() -> list[str]:
    """Every relationship type of a store: the ontology's and those of the value nodes."""
    return [*EDGES, *HAS.values()]


def declare(database: Database, place: str) -> int:
    """Make what is missing; gives the format, this version's if nothing was written yet. FormatError if it is newer."""
    for statement in (*type_statements(), *index_statements()):
        database.command("sql", statement)
    text = "MATCH (l:Ledger {id: 'main'}) RETURN l.format AS format, l.ledger AS ledger"
    rows = database.query("opencypher", text).to_list()
    fresh = not rows or (rows[0].get("format") is None and rows[0].get("ledger") is None)
    return checked(FORMAT if fresh else int(rows[0].get("format") or 1), f"the store in {place}")


def write_format(database: Database, format: int) -> None:
    """Write another format number, in a transaction of its own."""
    with database.transaction():
        database.command("opencypher", "MERGE (l:Ledger {id: 'main'}) SET l.format = $format", {"format": format})
