"""Reading for the tests of ingest: one file of tests/data through a source, as rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ingest.locate import locate
from ingest.source import Extract, Models, Record, Source
from kg.model import digest

DATA = Path(__file__).parent / "data"
Row = dict[str, Any]


def read(source: type[Source], name: str, folder: Path = DATA) -> tuple[Record, Extract]:
    """The one record of a file, and what it gives."""
    made = source(folder, [folder / name])
    (record,) = made.records()
    return record, Extract.of(made.claims(record, Models()))


def rows(extract: Extract, name: str = "", kind: str = "") -> list[Row]:
    """Claims of an extract, of one name or kind."""
    table: list[Row] = extract.claims.table.to_pylist()
    return [row for row in table if name in ("", row["name"]) and kind in ("", row["kind"])]


def misquoted(record: Record, extract: Extract) -> list[Row]:
    """Claims whose locator, read back, does not give their quote."""
    contents = {record.document: record.whole(), digest(record.sidecar): record.sidecar}
    return [
        row
        for row in rows(extract)
        if locate(contents[row["document"]], row["locator"], row["extractor"].partition(".")[0]) != row["quote"]
    ]


def copies(*names: str) -> dict[str, bytes]:
    """Bytes of files of tests/data by name."""
    return {name: (DATA / name).read_bytes() for name in names}
