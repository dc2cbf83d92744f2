"""What a question to a store may be: one reading Cypher statement, and parameters of plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from kg.errors import QueryError
from kg.model import iso

CLOCKS = ("valid", "known", "published")
"""Parameters that a store fills in itself, from the AsOf of the question."""
WRITES = (
    "CREATE|MERGE|DELETE|DETACH|SET|REMOVE|FOREACH|INSERT|DROP|ALTER|LOAD|GRANT|REVOKE|DENY|RENAME|"
    "SHOW|TERMINATE|USE|ENABLE|DEALLOCATE|REALLOCATE|DRYRUN"
)
"""Words that change data, schema or server, or read what is not the graph."""
PROCEDURES = (
    "db.labels",
    "db.relationshipTypes",
    "db.propertyKeys",
    "db.index.vector.queryNodes",
    "db.index.fulltext.queryNodes",
)
NAMESPACES = ("date", "datetime", "localdatetime", "time", "localtime", "duration", "point", "vector.similarity")
"""Prefixes of the dotted functions that only compute."""

_SKIPPED = re.compile(
    r"""'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | `(?:[^`]|``)*` | //[^\n]* | /\*.*?\*/""", re.DOTALL | re.VERBOSE
)
_WRITE = re.compile(rf"(?<![\w.$:])(?:{WRITES})(?![\w.:])", re.IGNORECASE)
_CALL = re.compile(r"(?<![\w.$])CALL(?!\w)\s*(?P<what>[({]|[\w.]+)?", re.IGNORECASE)
_DOTTED = re.compile(r"(?<![\w.$])([A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)+)\s*\(")
_LONGEST = 100_000


def check_reading(text: str) -> None:
    """QueryError unless the text is one statement that only reads the graph."""
    if len(text) > _LONGEST:
        raise QueryError(f"the query has {len(text)} characters; at most {_LONGEST} are taken")
    if re.search(r"\\u+[0-9a-fA-F]{4}", text):
        raise QueryError(r"the query holds a \u escape, which Neo4j decodes before it reads the text; use a parameter")
    bare = _SKIPPED.sub(lambda m: "''" if m[0][0] in "'\"" else "_" if m[0][0] == "`" else " ", text)
    if re.search(r"['\"`]|/\*", bare.replace("''", "")):
        raise QueryError("the query ends inside a string, a quoted name or a comment; close it")
    if ";" in bare.rstrip().removesuffix(";"):
        raise QueryError("the query holds more than one statement; ask them one by one")
    if found := _WRITE.search(bare):
        raise QueryError(
            f"{found[0].upper()} is refused: queries only read; data enters through the ledger. "
            f"If it is a name of yours, write it in backticks"
        )
    _check_calls(bare)


def _check_calls(bare: str) -> None:
    calls = set()
    for call in _CALL.finditer(bare):
        what = call["what"] or ""
        if what not in ("(", "{") and what not in PROCEDURES:
            raise QueryError(f"CALL of {what or '?'} is refused; allowed: subqueries and {', '.join(PROCEDURES)}")
        calls.add(what)
    for name in _DOTTED.findall(bare):
        plain = re.sub(r"\s", "", name)
        if plain not in calls and plain.rpartition(".")[0] not in NAMESPACES:
            raise QueryError(f"function {plain} is refused; dotted functions allowed: those of {', '.join(NAMESPACES)}")


def plain_parameters(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as both engines take them: clocks as fixed-width text, sequences as lists. QueryError for others."""
    if taken := sorted(set(params) & set(CLOCKS)):
        raise QueryError(f"parameters {', '.join(taken)} come from the AsOf of the question; give at=AsOf(...) instead")
    return {name: _plain(name, value) for name, value in params.items()}


def _plain(name: str, value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, date):
        return iso(value)
    if isinstance(value, Decimal):
        raise QueryError(
            f"parameter {name}: {value} is a Decimal; stores count money in minor units: give an int (cents)"
        )
    if isinstance(value, Mapping):
        return {str(key): _plain(name, item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return _plain(name, value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [_plain(name, item) for item in items]
    raise QueryError(f"parameter {name}: {type(value).__name__} is no text, number, bool, date or list of them")
