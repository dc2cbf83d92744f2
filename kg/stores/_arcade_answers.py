"""What ArcadeDB answers, as plain values and our errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import jpype
from arcadedb_embedded import ArcadeDBError, ResultSet

from kg.errors import QueryError, QueryMemoryError, QueryTimeoutError
from kg.stores._jvm import java

_TIMEOUT = "TimeoutException"
_CLASS = re.compile(r"(?:\b[a-z]\w*\.)+[A-Z][\w$]*(?:Exception|Error)\b:?\s*")
"""A Java class of an error, as it stands in front of what the error says."""
_PLACE = re.compile(r"Syntax error at line (\d+):(\d+) - ")
"""Its columns begin with 0."""
_LONGEST = 600
ENGINE = (ArcadeDBError, jpype.JException)
"""What the engine raises, through its bindings or past them."""
BATCH = 2_000
"""Rows of a stream that cross from Java at once."""
_MEMORY = ("OutOfMemoryError", "HeapLimitExceeded", "StackOverflowError")


@contextmanager
def plain_errors(timeout: float) -> Iterator[None]:
    """Turn the engine's errors into QueryError, QueryTimeoutError and QueryMemoryError."""
    try:
        yield
    except ENGINE as error:
        if _TIMEOUT in str(error):
            raise QueryTimeoutError(
                f"the query took more than {timeout:g} s; narrow it, bound its paths, or give a longer timeout"
            ) from error
        if any(word in str(error) for word in _MEMORY):
            raise QueryMemoryError(
                "the query needs more memory than ArcadeDB gives to one; aggregate, or LIMIT, earlier"
            ) from error
        raise QueryError(f"ArcadeDB refused the query: {said(error)}; correct that and ask again") from error


def said(error: BaseException) -> str:
    """What the engine says is wrong, in its words, and where: the innermost cause that has any, without classes."""
    texts, cause = [str(error)], error
    if isinstance(error, ArcadeDBError) and isinstance(error.__cause__, jpype.JException):
        cause = error.__cause__
    while isinstance(cause, jpype.JException):
        if cause.getMessage() is not None:
            texts.append(str(cause.getMessage()))
        cause = cause.getCause()
    text = _CLASS.sub("", texts[-1]).strip()
    if place := _PLACE.match(text):
        text = f"line {place[1]}, column {int(place[2]) + 1}: {text[place.end() :]}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def streamed(result: ResultSet) -> Iterator[list[Any]]:
    """The rows of a result, a batch in memory at a time."""
    try:
        for batch in result.iter_json_batches(BATCH):
            yield from (list(row.values()) for row in batch)
    finally:
        result.close()


@lru_cache(maxsize=256)
def columns(cypher: str) -> tuple[str, ...]:
    """Column names of a query that returned no row: the engine gives names with rows only, so its parser is asked."""
    parsed = java("com.arcadedb.query.opencypher.parser.Cypher25AntlrParser")().parse(cypher)
    if str(parsed.getClass().getSimpleName()) == "UnionStatement":
        parsed = parsed.getFirstQuery()
    clause = parsed.getReturnClause()
    return tuple(str(item.getOutputName()) for item in clause.getReturnItems()) if clause is not None else ()


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
