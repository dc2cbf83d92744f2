"""The projection's rows as stores hold them: nodes, value nodes, relationships and closings, in one fixed order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import duckdb
import pyarrow as pa

from kg.ontology import EDGES, HAS
from kg.project import Delta, connect

Vectors = Callable[[str], list[float]]
"""Gives the row of a vector file that an address such as `vectors:<digest>#<row>` names."""

MINOR_DIGITS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI"), 0),
    **dict.fromkeys(("VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""Decimal places of the minor unit where they are not 2 (ISO 4217)."""


def minor_digits(currency: str) -> int:
    """Decimal places of a currency's minor unit: 2 for EUR, 0 for JPY, 3 for KWD."""
    return MINOR_DIGITS.get(currency, 2)


@dataclass(frozen=True)
class Step:
    """Rows of one kind that one statement writes."""

    kind: Literal["node", "value", "edge", "close"]
    name: str
    """Label of nodes, type of relationships."""
    rows: pa.Table


@dataclass(frozen=True)
class Plan:
    """Everything one sync writes. Nodes come before the relationships that need them, closings last."""

    steps: tuple[Step, ...]

    def __len__(self) -> int:
        return sum(step.rows.num_rows for step in self.steps)

    def count(self, kind: str) -> int:
        return sum(step.rows.num_rows for step in self.steps if step.kind == kind)

    def cut(self, offset: int, size: int) -> list[Step]:
        """The steps of rows `offset` up to `offset + size`."""
        found, at = [], 0
        for step in self.steps:
            start, end = max(offset - at, 0), min(offset + size - at, step.rows.num_rows)
            if start < end:
                found.append(replace(step, rows=step.rows.slice(start, end - start)))
            at += step.rows.num_rows
        return found


def plan(delta: Delta, vectors: Vectors) -> Plan:
    """Turn a projection delta into steps. Equal deltas give equal plans, row for row."""
    con = connect()
    con.register("nodes", delta.nodes)
    con.register("opens", delta.opens)
    con.register("closes", delta.closes)
    try:
        types = _names(con, "SELECT DISTINCT type FROM opens ORDER BY type")
        steps = [*_node_steps(con), *_value_steps(con, types, vectors)]
        steps += [Step("edge", type, _fetch(con, _edge_sql(type), [type])) for type in types]
        for type in _names(con, "SELECT DISTINCT type FROM closes ORDER BY type"):
            sql = f"SELECT version, {_clock('known_to')} FROM closes WHERE type = ? ORDER BY version"
            steps.append(Step("close", type, _fetch(con, sql, [type])))
    finally:
        con.close()
    return Plan(tuple(step for step in steps if step.rows.num_rows))


def _fetch(con: duckdb.DuckDBPyConnection, sql: str, params: list[str]) -> pa.Table:
    return con.sql(sql, params=params).to_arrow_table()


def _names(con: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    return [row[0] for row in con.sql(sql).fetchall()]


def _clock(column: str) -> str:
    """SQL of a clock as fixed-width UTC text, as kg.model.iso writes it."""
    return f"strftime({column}, '%Y-%m-%dT%H:%M:%S.%fZ') AS {column}"


def _minor() -> str:
    """SQL of an amount in minor units, rounded half away from 0; null where 64 bits do not hold it."""

    def cast(digits: int) -> str:
        return f"TRY_CAST(replace(CAST(value_decimal AS DECIMAL(38, {digits}))::VARCHAR, '.', '') AS BIGINT)"

    groups: dict[int, list[str]] = {}
    for currency, digits in MINOR_DIGITS.items():
        groups.setdefault(digits, []).append(f"'{currency}'")
    whens = " ".join(f"WHEN unit IN ({', '.join(names)}) THEN {cast(n)}" for n, names in groups.items())
    return f"CASE {whens} ELSE {cast(2)} END"


_MONEY = f"""{_minor()} AS amount_minor, CASE WHEN value_decimal IS NOT NULL THEN nullif(unit, '') END AS currency,
  value_decimal::DOUBLE AS amount"""
_CLOCK_COLUMNS = ("valid_from", "valid_to", "known_from", "known_to", "published", "published_to")
_CLOCKS = ", ".join(_clock(column) for column in _CLOCK_COLUMNS)
_EVIDENCE = "statement, claims, conflict::BIGINT AS conflict, document, locator, quote, extractor, confidence"
_EDGE_VALUES: Final[Mapping[str, str]] = {"text": "value_text", "int": "value_int", "real": "value_real"}


def _edge_sql(type: str) -> str:
    """One relationship type as a store holds it: ends first, then its properties by their ontology names."""
    if type in EDGES:
        extra = []
        for name, prop in EDGES[type].props.items():
            extra.append(_MONEY if prop.type == "money" else f"{_EDGE_VALUES[prop.type]} AS {name}")
    else:
        extra = ["property"]
    columns = ", ".join(["source, target, id, version, key", _CLOCKS, _EVIDENCE, *extra])
    return f"SELECT {columns} FROM opens WHERE type = ? ORDER BY id, version"


def _node_steps(con: duckdb.DuckDBPyConnection) -> Iterator[Step]:
    for label in _names(con, "SELECT DISTINCT label FROM nodes ORDER BY label"):
        sql = "SELECT id, label FROM nodes WHERE label = ? ORDER BY id"
        yield Step("node", label, _fetch(con, sql, [label]))


_TIME = "CASE WHEN value_time IS NOT NULL THEN strftime(value_time, '%Y-%m-%dT%H:%M:%S.%fZ') END AS time"
_UNIT = "CASE WHEN value_decimal IS NULL THEN nullif(unit, '') END AS unit"
_NUMBER = "coalesce(value_real, value_int::DOUBLE) AS number"
VALUE_COLUMNS: Final[Mapping[str, str]] = {
    "Fact": f"property, key, value_text AS text, {_NUMBER}, {_MONEY}, {_TIME}, {_UNIT}",
    "Name": "value_text AS text",
    "Score": f"property, key, value_text AS text, {_NUMBER}, {_MONEY}, {_UNIT}",
    "Embedding": "key AS model, value_text AS text",
}
"""Columns of each kind of value node, beside its id."""


def _value_steps(con: duckdb.DuckDBPyConnection, types: list[str], vectors: Vectors) -> Iterator[Step]:
    for label, type in HAS.items():
        if type in types:
            columns = f"target AS id, {VALUE_COLUMNS[label]}"
            sql = f"SELECT DISTINCT ON (target) {columns} FROM opens WHERE type = ? ORDER BY target, version"
            rows = _fetch(con, sql, [type])
            if label == "Embedding":
                found = [vectors(text) for text in rows["text"].to_pylist()]
                rows = rows.append_column("vector", pa.array(found, pa.list_(pa.float32())))
            yield Step("value", label, rows)
