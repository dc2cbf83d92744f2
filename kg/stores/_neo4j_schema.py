"""Constraints and indexes of a Neo4j store, made from the ontology and from the format that the store carries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from neo4j import Driver

from kg.ledger import OnIO, no_io
from kg.migrations import FORMAT, checked
from kg.ontology import EDGES, HAS, VALUE_NODES

VECTOR_INDEX: Final = "embedding_vector"
LATER: Final = {2: "CREATE INDEX has_score_property IF NOT EXISTS FOR ()-[r:HAS_SCORE]-() ON (r.property)"}
"""What a format adds: questions about runs and findings begin with the scores of one property, whoever has them."""

GONE: Final = ("name_text",)
"""Indexes of earlier versions. That of names holds none of more than 8 kB, and one such name stopped every sync."""


def schema_statements(format: int = FORMAT) -> Iterator[str]:
    """Uniqueness of ids and versions, and the indexes, of a format."""
    for label in ("Entity", "Ledger", *VALUE_NODES):
        yield f"CREATE CONSTRAINT {label.lower()}_id IF NOT EXISTS FOR (n:{label}) REQUIRE n.id IS UNIQUE"
    for type in (*EDGES, *HAS.values()):
        yield f"CREATE CONSTRAINT {type.lower()}_version IF NOT EXISTS FOR ()-[r:{type}]-() REQUIRE r.version IS UNIQUE"
    options = "{indexConfig: {`vector.similarity_function`: 'cosine', `vector.quantization.enabled`: false}}"
    yield f"CREATE VECTOR INDEX {VECTOR_INDEX} IF NOT EXISTS FOR (e:Embedding) ON e.vector OPTIONS {options}"
    yield from (text for number, text in LATER.items() if number <= format)


def _name(statement: str) -> str:
    return statement.split(" IF NOT")[0].split()[-1]


def declare(driver: Driver, database: str) -> int:
    """Make what the store's format asks for and drop what only later ones do; gives the format.

    What is there costs no statement each. FormatError if a newer version made the store.
    """
    text = "MATCH (l:Ledger {id: 'main'}) RETURN l.format, l.ledger"
    rows = driver.execute_query(text, database_=database).records
    fresh = not rows or (rows[0][0] is None and rows[0][1] is None)
    format = checked(FORMAT if fresh else int(rows[0][0] or 1), f"the store in Neo4j, database {database},")
    there = "SHOW INDEXES YIELD name RETURN collect(name)"  # a constraint has an index of its name
    names = set(driver.execute_query(there, database_=database).records[0][0])
    for name in {*GONE, *(_name(text) for number, text in LATER.items() if number > format)} & names:
        driver.execute_query(f"DROP INDEX {name} IF EXISTS", database_=database)
    if missing := [text for text in schema_statements(format) if _name(text) not in names]:
        for statement in missing:
            driver.execute_query(statement, database_=database)
        driver.execute_query("CALL db.awaitIndexes(300)", database_=database)
    return format


def move(driver: Driver, database: str, to: int, on_io: OnIO = no_io) -> int:
    """Write another format number, then make the schema follow it; cut off between, the next opening does the rest."""
    driver.execute_query("MERGE (l:Ledger {id: 'main'}) SET l.format = $to", to=to, database_=database)
    on_io(f"store to {to}: number")
    return declare(driver, database)
