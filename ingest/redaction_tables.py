"""Redaction of tables: cells of the rows that speak of an erased person are covered, all others stay as they are."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.blot import BLOCK, PLAIN_BLOCK, Blot, covered
from ingest.clean import decode
from ingest.extract.formats.table import separator
from kg.errors import RecordError

if TYPE_CHECKING:
    from ingest.redaction import Cite

_PLACE = re.compile(r"rows?:([\d,]+)(?: (cells|sum|mean):(.+))?", re.DOTALL)
Cells = dict[int, set[str] | None]
"""Columns by row that are covered; None: all of the row."""


def blank_csv(content: bytes, alone: Sequence[Cite], shared: Sequence[Cite], kept: Sequence[Cite]) -> bytes:
    """The file with cells covered. Of a row that others stand on as well, what they say stays."""
    text, encoding = decode(content)
    block = BLOCK if encoding.startswith("utf") else PLAIN_BLOCK
    wanted, said = _cells(alone), _said(shared, kept)
    lines = text.splitlines(keepends=True)
    if not lines:
        return content
    parted = separator(lines[0])
    reader = csv.reader(lines, delimiter=parted, strict=True)
    names = [name.strip() for name in next(reader)]
    kept_lines, number, begin = lines[: reader.line_num], 0, reader.line_num
    for row in reader:
        raw, begin = lines[begin : reader.line_num], reader.line_num
        number += bool(row)
        if row and (number in wanted or number in said):
            row = [
                covered(cell, block) if _goes(name, cell, number, wanted, said) else cell
                for name, cell in zip(names, row, strict=False)
            ]
            raw = [_line(row, parted, raw[-1])]
        kept_lines += raw
    mark = "﻿" if content[:3] == b"\xef\xbb\xbf" else ""
    return (mark + "".join(kept_lines)).encode(encoding)


def blank_parquet(
    content: bytes, alone: Sequence[Cite], shared: Sequence[Cite], kept: Sequence[Cite], blot: Blot
) -> bytes:
    """The same of a Parquet file: texts are covered, other values are gone."""
    table, wanted, said = pq.read_table(io.BytesIO(content)), _cells(alone), _said(shared, kept)
    rows = sorted({*wanted, *said})
    if rows and rows[-1] > table.num_rows:
        raise RecordError(f"row {rows[-1]} is not there: the table has {table.num_rows} rows")
    for place, field in enumerate(table.schema):
        values = table.column(place).to_pylist()
        for number in rows:
            cell = values[number - 1]
            if cell is not None and _goes(field.name, str(cell), number, wanted, said):
                values[number - 1] = covered(cell) if isinstance(cell, str) else None
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            values = [value and blot.cover(value) for value in values]
        table = table.set_column(place, field, pa.array(values, field.type))
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _cells(cites: Iterable[Cite]) -> Cells:
    """Which cells the places are."""
    found: Cells = {}
    for cite in cites:
        if not (match := _PLACE.fullmatch(cite.locator)):
            continue
        columns = set(match[3].split(",")) if match[3] else None
        for number in map(int, match[1].split(",")):
            before = found.get(number, set())
            found[number] = None if columns is None or before is None else before | columns
    return found


def _said(shared: Sequence[Cite], kept: Sequence[Cite]) -> dict[int, set[str]]:
    """By row that others share: the ids and values that they take from it, folded."""
    found: dict[int, set[str]] = {number: {""} for number in _cells(shared)}
    for cite in kept:
        for number in found.keys() & _cells([cite]).keys():
            for word in cite.words:
                found[number] |= {_folded(word), _folded(word.partition(":")[2])}
    return found


def _folded(text: str) -> str:
    """A text as it is compared: an id has no leading noughts where a file has them."""
    return text.strip().casefold().lstrip("0")


def _goes(name: str, cell: str, number: int, wanted: Cells, said: dict[int, set[str]]) -> bool:
    """Is this cell to be covered? In a shared row all are but those that others speak of."""
    if number in said:
        return _folded(cell) not in said[number]
    columns = wanted[number]
    return columns is None or name in columns


def _line(row: Sequence[str], parted: str, raw: str) -> str:
    sink = io.StringIO()
    csv.writer(sink, delimiter=parted, lineterminator="").writerow(row)
    return sink.getvalue() + raw[len(raw.rstrip("\r\n")) :]
