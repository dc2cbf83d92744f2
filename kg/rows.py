"""The projection's rows as stores hold them: nodes, value nodes, relationships and closings, in one fixed order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kg.ontology import EDGES, HAS
from kg.project import Delta, connect

Vectors = Callable[[str], list[float]]
"""Gives the row of a vector file that an address such as `vectors:<digest>#<row>` names."""

Kind = Literal["node", "value", "edge", "close"]
KINDS: Final[tuple[Kind, ...]] = ("node", "value", "edge", "close")

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

    kind: Kind
    name: str
    """Label of nodes, type of relationships."""
    rows: pa.Table


@dataclass(frozen=True)
class Section:
    """All rows of one kind and name, in order. They are made when they are asked for: as text they are many times as
    large as in the projection."""

    kind: Kind
    name: str
    size: int
    made: Callable[[int, int], pa.Table]
    """Rows from a place up to another one."""

    def step(self, start: int, stop: int) -> Step:
        return Step(self.kind, self.name, self.made(start, stop))


@dataclass(frozen=True)
class Plan:
    """Everything one sync writes. Nodes come before the relationships that need them, closings last."""

    sections: tuple[Section, ...]

    def __len__(self) -> int:
        return sum(one.size for one in self.sections)

    def count(self, kind: Kind) -> int:
        return sum(one.size for one in self.sections if one.kind == kind)

    def steps(self, rows: int, kinds: Sequence[Kind] = KINDS) -> Iterator[Step]:
        """All rows of some kinds, in steps of at most `rows`."""
        for one in self.sections:
            if one.kind in kinds:
                for start in range(0, one.size, rows):
                    yield one.step(start, min(start + rows, one.size))

    def cut(self, offset: int, size: int) -> list[Step]:
        """The steps of rows `offset` up to `offset + size`."""
        found, at = [], 0
        for one in self.sections:
            start, end = max(offset - at, 0), min(offset + size - at, one.size)
            if start < end:
                found.append(one.step(start, end))
            at += one.size
        return found


def plan(delta: Delta, vectors: Vectors) -> Plan:
    """Turn a projection delta into steps. Equal deltas give equal plans, row for row.

    Relationships and closings of a delta are in the order of type, id and version already.
    """
    con = connect()
    opens = [(type, delta.opens.slice(start, size)) for type, start, size in _runs(delta.opens)]
    sections = [*_nodes(con, delta.nodes), *_values(con, dict(opens), vectors)]
    for type, rows in opens:
        sections.append(Section("edge", type, rows.num_rows, _text_of(con, rows, _edge_sql(type))))
    for type, start, size in _runs(delta.closes):
        sql = f"SELECT version, {_clock('known_to')} FROM rows ORDER BY version"
        sections.append(Section("close", type, size, _text_of(con, delta.closes.slice(start, size), sql)))
    return Plan(tuple(one for one in sections if one.size))


def _runs(table: pa.Table, column: str = "type") -> list[tuple[str, int, int]]:
    """Value, start and length of each stretch of equal values in a column."""
    runs = pc.run_end_encode(table[column].combine_chunks())
    values, ends = runs.values.to_pylist(), runs.run_ends.to_pylist()
    return [(one, start, end - start) for one, start, end in zip(values, [0, *ends], ends, strict=False)]


def _text_of(con: duckdb.DuckDBPyConnection, rows: pa.Table, sql: str) -> Callable[[int, int], pa.Table]:
    return lambda start, stop: _fetch(con, rows.slice(start, stop - start), sql)


def _fetch(con: duckdb.DuckDBPyConnection, rows: pa.Table, sql: str) -> pa.Table:
    """What a text says of the table `rows`."""
    con.register("rows", rows)
    try:
        return con.sql(sql).to_arrow_table()
    finally:
        con.unregister("rows")


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
    return f"SELECT {columns} FROM rows ORDER BY id, version"


def _nodes(con: duckdb.DuckDBPyConnection, nodes: pa.Table) -> Iterator[Section]:
    rows = _fetch(con, nodes, "SELECT id, label FROM rows ORDER BY label, id")
    for label, start, size in _runs(rows, "label"):
        yield Section("node", label, size, _slices(rows.slice(start, size)))


def _slices(rows: pa.Table) -> Callable[[int, int], pa.Table]:
    return lambda start, stop: rows.slice(start, stop - start)


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


def _values(con: duckdb.DuckDBPyConnection, opens: Mapping[str, pa.Table], vectors: Vectors) -> Iterator[Section]:
    """What value nodes say: of several relationships to one, the first version does."""
    for label, type in HAS.items():
        if type in opens:
            columns = f"target AS id, {VALUE_COLUMNS[label]}"
            sql = f"SELECT DISTINCT ON (target) {columns} FROM rows ORDER BY target, version"
            rows = _fetch(con, opens[type], sql)
            made = _with_vectors(rows, vectors) if label == "Embedding" else _slices(rows)
            yield Section("value", label, rows.num_rows, made)


def _with_vectors(rows: pa.Table, vectors: Vectors) -> Callable[[int, int], pa.Table]:
    """Rows with the vector that each names; vectors are read when they are asked for."""

    def made(start: int, stop: int) -> pa.Table:
        part = rows.slice(start, stop - start)
        found = [vectors(text) for text in part["text"].to_pylist()]
        return part.append_column("vector", pa.array(found, pa.list_(pa.float32())))

    return made
