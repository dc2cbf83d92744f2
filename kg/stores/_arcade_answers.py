"""What ArcadeDB answers, as plain values and our errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jpype
from arcadedb_embedded import ArcadeDBError

from kg.errors import QueryError, QueryTimeoutError
from kg.stores._jvm import java

_TIMEOUT = "TimeoutException"


@contextmanager
def plain_errors(timeout: float) -> Iterator[None]:
    """Turn the engine's errors into QueryError and QueryTimeoutError."""
    try:
        yield
    except (ArcadeDBError, jpype.JException) as error:
        if _TIMEOUT in str(error):
            raise QueryTimeoutError(
                f"the query took more than {timeout:g} s; narrow it, bound its paths, or give a longer timeout"
            ) from error
        raise QueryError(f"ArcadeDB refused the query: {error}") from error


def columns(cypher: str) -> list[str]:
    """Column names of a query that returned no row: the engine gives names with rows only, so its parser is asked."""
    parsed = java("com.arcadedb.query.opencypher.parser.Cypher25AntlrParser")().parse(cypher)
    if str(parsed.getClass().getSimpleName()) == "UnionStatement":
        parsed = parsed.getFirstQuery()
    clause = parsed.getReturnClause()
    return [str(item.getOutputName()) for item in clause.getReturnItems()] if clause is not None else []


def plain(value: Any) -> Any:
    """A value as Python knows it: nodes and relationships are maps of properties, paths lists of those."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, java("com.arcadedb.database.Document")):
        values = {str(name): _property(value.get(name)) for name in value.getPropertyNames()}
        return {name: found for name, found in sorted(values.items()) if found is not None}
    if hasattr(value, "getVertices") and hasattr(value, "getEdges"):
        nodes, edges = list(value.getVertices()), list(value.getEdges())
        mixed = [item for pair in zip(nodes, edges, strict=False) for item in pair] + nodes[len(edges) :]
        return [plain(item) for item in mixed]
    return str(value) if isinstance(value, jpype.JObject) else value


def _property(value: Any) -> Any:
    """A property value read straight from a Java record."""
    if isinstance(value, jpype.JString):
        return str(value)
    if isinstance(value, java("java.lang.Boolean")):
        return bool(value)
    if isinstance(value, java("java.lang.Integer") | java("java.lang.Long")):
        return int(value)
    if isinstance(value, java("java.lang.Number")):
        return float(value)
    if isinstance(value, java("java.util.List")):
        return [_property(item) for item in value]
    return value if value is None else str(value)
