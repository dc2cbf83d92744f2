"""The register of pages beside scans: `pages.csv` with file, document, page, published, subject_id.

It says which document a page belongs to, when it was made public and whom it concerns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ingest.extract.formats.table import QUOTE, ROW, read_table
from ingest.extract.text.names import Gazetteer
from ingest.source import Record, Refusal
from kg.errors import RecordError, SourceError
from kg.model import Claim, Edge, Evidence, Node, as_time, digest

REGISTER: Final = "pages.csv"


def page_records(source: str, folder: Path, files: Sequence[Path]) -> Iterator[Record]:
    """A record for each file, with its row of the register beside it."""
    registers: dict[Path, tuple[bytes, Mapping[str, Mapping[str, str]]]] = {}
    for file in files:
        if file.parent not in registers:
            registers[file.parent] = _register(file.parent / REGISTER)
        content, rows = registers[file.parent]
        row = rows.get(file.name, {})
        path = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name
        try:
            read = file.read_bytes()
        except OSError as error:
            raise SourceError(f"{file} cannot be read ({error.strerror}); check its permissions") from error
        yield Record(source, path, read, _published(row), dict(row), content if row else b"")


def _register(file: Path) -> tuple[bytes, Mapping[str, Mapping[str, str]]]:
    """Bytes of pages.csv and its rows by file name, with row numbers and quotes; nothing if there is no such file."""
    if not file.exists():
        return b"", {}
    content = file.read_bytes()
    frame = read_table(content).frame
    missing = {"file", "published"} - set(frame.columns)
    if missing:
        raise SourceError(
            f"{file}: column {', '.join(sorted(missing))} is missing; expected file,document,page,published,subject_id"
        )
    return content, {str(row["file"]): {k: str(v) for k, v in row.items() if v is not None} for row in frame.to_dicts()}


def _published(row: Mapping[str, str]) -> datetime | None:
    """Publication in the register: a date is its midnight and a time without a zone is UTC, as in every table."""
    try:
        moment = datetime.fromisoformat(row.get("published", "").strip())
        return as_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None  # claims() refuses the page, for here it would stop the run


def when_published(record: Record, printed: datetime | None) -> datetime:
    """The register's time, else the date printed on the page."""
    if record.published:
        return record.published
    if "published" in record.meta:
        raise RecordError(
            f"{record.path}: published {record.meta['published']!r} in {REGISTER} is no ISO date or time; write it "
            "like 2023-04-06 or 2023-04-06T09:00:00Z"
        )
    if printed is None:
        raise RecordError(
            f"{record.path}: no date on the page and no row in {REGISTER}; add one with its publication time"
        )
    return printed


def told(
    record: Record, id: str, published: datetime, extractor: str, gazetteer: Gazetteer
) -> tuple[list[Claim], list[Refusal]]:
    """What the register says of the page or document with this id: the document it is of, and whom it concerns."""
    meta = record.meta
    if not record.sidecar:
        return [], []
    row = Evidence(digest(record.sidecar), f"row:{meta[ROW]}", meta[QUOTE], extractor, 1.0)
    claims: list[Claim] = []
    refused: list[Refusal] = []
    if (name := meta.get("document", "")) and id.startswith("page:"):
        whole = f"doc:{name if len(name) == 64 else digest(name.encode())}"
        claims.append(Claim(Node("Document", whole, {"title": name}), row, published))
        claims.append(Claim(Edge("PAGE_OF", id, whole), row, published, published))
    if subject := meta.get("subject_id", ""):
        if label := gazetteer.labels.get(subject):
            claims.append(Claim(Node(label, subject), row, published))
            claims.append(Claim(Edge("MENTIONED_IN", subject, id), row, published, published))
        else:
            reason = f"subject {subject} is not known; read the register that lists it in the same run or before"
            refused.append(Refusal(row.locator, reason))
    return claims, refused
