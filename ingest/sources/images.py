"""Page images: scanned or rendered PNG and JPEG pages read by OCR; loans, invoices and receipts with their boxes.

A `pages.csv` beside the images (file, document, page, published, subject_id) says which document a page belongs to,
when it was made public and whom it concerns. Without it the date printed on the page counts as its publication.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final

from ingest.extract.fields import Field, day_of
from ingest.extract.names import Gazetteer
from ingest.extract.ocr import Box, PageReader, locator, read_box
from ingest.extract.pageclaims import Page, page_claims, unsure
from ingest.extract.pagefields import read_page
from ingest.extract.table import QUOTE, ROW, read_table
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError, SourceError
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, as_time, digest

SIDECAR: Final = "pages.csv"


class Images(Source):
    """Page scans: text, kind, key fields and the relations that notices, invoices and cheques state."""

    extractor: ClassVar[str] = "images.ocr@2"
    patterns: ClassVar[Sequence[str]] = ("*.png", "*.jpg", "*.jpeg", "*.PNG", "*.JPG", "*.JPEG")

    def records(self) -> Iterator[Record]:
        sidecars: dict[Path, tuple[bytes, Mapping[str, Mapping[str, str]]]] = {}
        for file in self.files:
            if file.parent not in sidecars:
                sidecars[file.parent] = _sidecar(file.parent / SIDECAR)
            content, rows = sidecars[file.parent]
            row = rows.get(file.name, {})
            path = file.relative_to(self.folder).as_posix() if file.is_relative_to(self.folder) else file.name
            try:
                image = file.read_bytes()
            except OSError as error:
                raise SourceError(f"{file} cannot be read ({error.strerror}); check its permissions") from error
            yield Record("images", path, image, _published(row), dict(row), content if row else b"")

    def claims(self, record: Record, models: Models) -> Extract:
        """Claims of one page, pure given its bytes, its sidecar row and the names known."""
        gazetteer = models.gazetteer or Gazetteer()
        reader = PageReader(models.cache)
        boxes = reader.read(record.content)
        if not boxes:
            raise RecordError(f"{record.path}: no words were read on the page; give a sharper scan")
        reading = read_page(boxes)

        def quote(inside: Sequence[Box]) -> tuple[str, str]:
            where = locator(inside)
            return where, read_box(record.content, where, reader)

        when = _when(record, reading.fields)
        page = Page(record.document, f"page:{record.document}", boxes, quote, when, self.extractor)
        told, refused = _told(page, record, gazetteer)
        refused += [unsure(locator(field.boxes), reason) for field, reason in reading.doubtful]
        return Extract(ClaimBatch.of([*page_claims(page, reading, gazetteer), *told]), refused)


def _sidecar(file: Path) -> tuple[bytes, Mapping[str, Mapping[str, str]]]:
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
    """Publication in the sidecar: a date is its midnight and a time without a zone is UTC, as in every table."""
    try:
        moment = datetime.fromisoformat(row.get("published", "").strip())
        return as_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None  # claims() refuses the page, for here it would stop the run


def _when(record: Record, found: Mapping[str, Field]) -> datetime:
    if record.published:
        return record.published
    if "published" in record.meta:
        raise RecordError(
            f"{record.path}: published {record.meta['published']!r} in {SIDECAR} is no ISO date or time; write it "
            "like 2023-04-06 or 2023-04-06T09:00:00Z"
        )
    day = day_of(found["date"]) if "date" in found else None
    if day is None:
        raise RecordError(
            f"{record.path}: no date on the page and no row in {SIDECAR}; add one with its publication time"
        )
    return day


def _told(page: Page, record: Record, gazetteer: Gazetteer) -> tuple[list[Claim], list[Refusal]]:
    """What the sidecar says: the document of the page, and whom it concerns."""
    meta = record.meta
    if not record.sidecar:
        return [], []
    row = Evidence(digest(record.sidecar), f"row:{meta[ROW]}", meta[QUOTE], page.extractor, 1.0)
    claims: list[Claim] = []
    refused: list[Refusal] = []
    if name := meta.get("document", ""):
        id = f"doc:{name if len(name) == 64 else digest(name.encode())}"
        claims.append(Claim(Node("Document", id, {"title": name}), row, page.published))
        claims.append(Claim(Edge("PAGE_OF", page.id, id), row, page.published, page.published))
    if subject := meta.get("subject_id", ""):
        if label := gazetteer.labels.get(subject):
            claims.append(Claim(Node(label, subject), row, page.published))
            claims.append(Claim(Edge("MENTIONED_IN", subject, page.id), row, page.published, page.published))
        else:
            reason = f"subject {subject} is not known; read the register that lists it in the same run or before"
            refused.append(Refusal(row.locator, reason))
    return claims, refused
