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
_DEEPEST = 20
_LONG = 1 << 63


def check_reading(text: str) -> None:
    """QueryError unless the text is one statement that only reads the graph."""
    if len(text) > _LONGEST:
        raise QueryError(f"the query has {len(text)} characters; at most {_LONGEST} are taken")
    _scalar("text", text)
    if re.search(r"\\u+[0-9a-fA-F]{4}", text):
        raise QueryError(r"the query holds a \u escape, which Neo4j decodes before it reads the text; use a parameter")
    plain = bare(text)
    if re.search(r"['\"`]|/\*", plain.replace("''", "")):
        raise QueryError("the query ends inside a string, a quoted name or a comment; close it")
    if ";" in plain.rstrip().removesuffix(";"):
        raise QueryError("the query holds more than one statement; ask them one by one")
    if found := _WRITE.search(plain):
        raise QueryError(
            f"{found[0].upper()} is refused: queries only read; data enters through the ledger. "
            f"If it is a name of yours, write it in backticks"
        )
    _check_calls(plain)


def bare(text: str) -> str:
    """The text with strings emptied, quoted names as `_`, and without comments."""
    return _SKIPPED.sub(lambda m: "''" if m[0][0] in "'\"" else "_" if m[0][0] == "`" else " ", text)


def masked(text: str) -> str:
    """The text with every character of a string, a quoted name and a comment masked, each where it was."""

    def mask(found: re.Match[str]) -> str:
        inner = len(found[0]) - 2
        return f"'{'x' * inner}'" if found[0][0] in "'\"" else ("_" if found[0][0] == "`" else " ") * len(found[0])

    return _SKIPPED.sub(mask, text)


def _check_calls(plain: str) -> None:
    calls = set()
    for call in _CALL.finditer(plain):
        what = call["what"] or ""
        if what not in ("(", "{") and what not in PROCEDURES:
            raise QueryError(f"CALL of {what or '?'} is refused; allowed: subqueries and {', '.join(PROCEDURES)}")
        calls.add(what)
    for name in _DOTTED.findall(plain):
        dotted = re.sub(r"\s", "", name)
        if dotted not in calls and dotted.rpartition(".")[0] not in NAMESPACES:
            raise QueryError(
                f"function {dotted} is refused; dotted functions allowed: those of {', '.join(NAMESPACES)}"
            )


def plain_parameters(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as both engines take them: clocks as fixed-width text, sequences as lists. QueryError for others."""
    if taken := sorted(set(params) & set(CLOCKS)):
        raise QueryError(f"parameters {', '.join(taken)} come from the AsOf of the question; give at=AsOf(...) instead")
    return {_scalar("name", name): _plain(name, value) for name, value in params.items()}


def _plain(name: str, value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise QueryError(f"a parameter nests lists or maps more than {_DEEPEST} deep; give it flatter")
    if value is None or isinstance(value, str | bool | int | float):
        return _scalar(name, value)
    if isinstance(value, date):
        return iso(value)
    if isinstance(value, Decimal):
        raise QueryError(
            f"parameter {name}: {value} is a Decimal; stores count money in minor units: give an int (cents)"
        )
    if isinstance(value, Mapping):
        return {_scalar("of a map", str(key)): _plain(name, item, depth + 1) for key, item in value.items()}
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return _plain(name, value.tolist(), depth)
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [_plain(name, item, depth + 1) for item in items]
    raise QueryError(f"parameter {name}: {type(value).__name__} is no text, number, bool, date or list of them")


def _scalar(name: str, value: Any) -> Any:
    """The value, if both engines can hold it: integers of 64 bits, text that can be written as UTF-8."""
    if isinstance(value, int) and not -_LONG <= value < _LONG:
        raise QueryError(f"parameter {name}: a number of {value.bit_length()} bits; integers have 64, give a float")
    try:
        if isinstance(value, str):
            value.encode()
    except UnicodeEncodeError as error:
        raise QueryError(f"parameter {name!a}: half of a character (a lone surrogate) in its text") from error
    return value
