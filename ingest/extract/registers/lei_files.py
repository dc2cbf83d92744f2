"""Files of GLEIF are tables whatever they are written in: the golden copy's CSV, and the XML and JSON of the
concatenated files brought to the golden copy's column names.

A row of a CSV is cited by the cells a claim rests on, an XML or JSON record by the element that holds the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl
from lxml import etree

from ingest.extract.formats.markup import inner, local, parse
from ingest.extract.formats.pointer import pointer, read_json, written
from ingest.extract.formats.table import QUOTE, ROW, Table, read_table
from kg.errors import RecordError

RECORDS: Final[Mapping[str, str]] = {
    "LEIRecord": "LEIRecords",
    "RelationshipRecord": "RelationshipRecords",
    "Exception": "ReportingExceptions",
}
_LISTS = frozenset(
    (
        *("OtherEntityName", "TransliteratedOtherEntityName", "SuccessorEntity", "LegalEntityEvent"),
        *("RelationshipPeriod", "RelationshipQuantifier", "RelationshipQualifier"),
    )
)
"""Elements the golden copy numbers."""
_SHORT = (
    ("Relationship.RelationshipPeriods.RelationshipPeriod.", "Relationship.Period."),
    ("Relationship.RelationshipQuantifiers.RelationshipQuantifier.", "Relationship.Quantifiers."),
    ("Relationship.RelationshipQualifiers.RelationshipQualifier.", "Relationship.Qualifiers."),
)
"""Where the golden copy's columns are called otherwise than the elements."""
_LEAVES: Final[Mapping[str, str]] = {"StartDate": "startDate", "EndDate": "endDate", "PeriodType": "periodType"}
Cells = dict[str, str]


def read_lei_table(content: bytes) -> Table:
    """Rows of any file of GLEIF; those of XML and JSON have their `locator` and `quote` instead of a row number."""
    head = content[:2000].lstrip()
    if head[:1] == b"<" or head[3:4] == b"<":
        return _table(_xml_rows(content))
    return _table(_json_rows(content)) if head[:1] in (b"{", b"[") else read_table(content)


def _table(rows: Iterator[tuple[Cells, str, str]]) -> Table:
    cells = list(rows)
    if not cells:
        raise RecordError("no records of GLEIF in the file; expected LEIRecord, RelationshipRecord or Exception")
    columns = tuple(dict.fromkeys(name for row, _, _ in cells for name in row))
    data = {name: [row.get(name) or None for row, _, _ in cells] for name in columns}
    data |= {"locator": [where for _, where, _ in cells], "quote": [quote for _, _, quote in cells]}
    return Table(pl.DataFrame(data, schema=dict.fromkeys(data, pl.String)), columns)


def _xml_rows(content: bytes) -> Iterator[tuple[Cells, str, str]]:
    root = parse(content)
    for group in root:
        if local(group) in RECORDS.values():
            number: dict[str, int] = {}
            for record in group.iterchildren(tag=etree.Element):
                name = local(record)
                number[name] = number.get(name, 0) + 1
                where = f"xpath:/{local(root)}[1]/{local(group)}[1]/{name}[{number[name]}]"
                yield {_column(path): text for path, text in _leaves(record, "")}, where, inner(record)


def _leaves(element: etree._Element, path: str) -> Iterator[tuple[str, str]]:
    seen: dict[str, int] = {}
    for child in element.iterchildren(tag=etree.Element):
        name = local(child)
        seen[name] = seen.get(name, 0) + 1
        step = f"{path}{name}.{seen[name]}" if name in _LISTS else f"{path}{name}"
        for attribute, value in child.attrib.items():
            short = str(attribute).rpartition("}")[2]
            yield f"{step}.{'xmllang' if short == 'lang' else short}", str(value)
        if len(child):
            yield from _leaves(child, f"{step}.")
        else:
            yield step, inner(child)


def _column(path: str) -> str:
    for long, short in _SHORT:
        if path.startswith(long):
            head, dot, leaf = path.removeprefix(long).partition(".")
            return f"{short}{head}{dot}{_LEAVES.get(leaf, leaf)}"
    return path


def _json_rows(content: bytes) -> Iterator[tuple[Cells, str, str]]:
    value = read_json(content)
    steps: list[str | int] = []
    if isinstance(value, dict):
        name = next((k for k, v in value.items() if isinstance(v, list) and v and isinstance(v[0], dict)), "")
        if not name:
            raise RecordError("no list of records in the JSON; expected that of a GLEIF concatenated file")
        value, steps = value[name], [name]
    for number, record in enumerate(value if isinstance(value, list) else []):
        inside: list[str | int] = []
        if isinstance(record, dict) and len(record) == 1 and (name := next(iter(record))) in RECORDS:
            record, inside = record[name], [name]
        if isinstance(record, dict):
            cells = {_column(path): text for path, text in _members(record, "")}
            yield cells, pointer([*steps, number, *inside]), written(record)


def _members(record: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        each = value if isinstance(value, list) else [value]
        for number, one in enumerate(each, 1):
            step = f"{path}{name}.{number}" if name in _LISTS else f"{path}{name}"
            if not isinstance(one, dict):
                yield f"{path}{name.removeprefix('@').replace('xml:lang', 'xmllang')}", written(one)
                continue
            if "$" in one:
                yield step, written(one["$"])
            yield from _members({key: inside for key, inside in one.items() if key != "$"}, f"{step}.")


def cited(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The frame with the evidence narrowed to these cells (of XML and JSON: to the one element, else the record)."""
    there = [name for name in columns if name in frame.columns]
    if ROW in frame.columns:
        quote = pl.concat_str([pl.col(name).fill_null("") for name in there], separator=",")
        return frame.with_columns(pl.format(f"row:{{}} cells:{','.join(there)}", ROW).alias("locator"), quote=quote)
    if len(there) != 1 or not frame.height:
        return frame
    inside = _inside(there[0], frame["locator"][0].startswith("json:"))
    return frame.with_columns(pl.format(f"{{}}{inside}", "locator").alias("locator"), quote=pl.col(there[0]))


def _inside(column: str, of_json: bool) -> str:
    """Path of a column's element below its record."""
    path = ""
    for step in column.split("."):
        if of_json:
            path += f"/{int(step) - 1}" if step.isdigit() else f"/{step}"
        else:
            path = f"{path[:-3]}[{step}]" if step.isdigit() else f"{path}/{step}[1]"
    return f"{path}/$" if of_json else path


def as_row(table: Table) -> pl.DataFrame:
    """The frame of a table, whose quote of the whole row is kept only where the row is the evidence."""
    return table.frame.drop(QUOTE, strict=False) if "locator" in table.frame.columns else table.frame
