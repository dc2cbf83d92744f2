"""Page images: scanned or rendered PNG and JPEG pages read by OCR; loans, invoices and receipts with their boxes.

A `pages.csv` beside the images (file, document, page, published, subject_id) says which document a page belongs to,
when it was made public and whom it concerns. Without it the date printed on the page counts as its publication.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final

from ingest.extract.fields import Field, amount_of, day_of, fields
from ingest.extract.names import Gazetteer, collapse, label_of, text_id
from ingest.extract.ocr import Box, PageReader, locator, page_text, read_box
from ingest.extract.table import QUOTE, ROW, read_table
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError, SourceError
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, Value, as_time, digest, next_day

SIDECAR: Final = "pages.csv"
_RELATIONS: Final = (
    ("LENDS_TO", "lender", "borrower"),
    ("SUPPLIES", "supplier", "customer"),
    ("PAID", "payer", "payee"),
)
"""Edge type with the fields of its source and target."""
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Page:
    """One page as it is being turned into claims."""

    record: Record
    boxes: Sequence[Box]
    reader: PageReader
    published: datetime
    extractor: str

    @property
    def id(self) -> str:
        return f"page:{self.record.document}"

    def evidence(self, boxes: Sequence[Box], confidence: float) -> Evidence:
        """Evidence in the rectangle around these boxes, quoted as reading it back gives it."""
        where = locator(boxes)
        quote = read_box(self.record.content, where, self.reader)
        return Evidence(self.record.document, where, quote, self.extractor, confidence)


class Images(Source):
    """Page scans: text, key fields and the relations that loan notices, invoices and payment orders state."""

    extractor: ClassVar[str] = "images.ocr@1"
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
        found = fields(boxes)
        page = _Page(record, boxes, reader, _when(record, found), self.extractor)
        claims = [*_page(page, found), *_relations(page, found, gazetteer)]
        told, refused = _told(page, gazetteer)
        return Extract(ClaimBatch.of([*claims, *told]), refused)


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
    day = day_of(found["date"], _LATEST) if "date" in found else None
    if day is None:
        raise RecordError(
            f"{record.path}: no date on the page and no row in {SIDECAR}; add one with its publication time"
        )
    return day


def _page(page: _Page, found: Mapping[str, Field]) -> Iterator[Claim]:
    """The page with its text, its bytes, and each key field."""
    text = page_text(page.boxes)
    sure = sum(b.score for b in page.boxes) / len(page.boxes)
    node = Node("Page", page.id, {"text": text[:4000], "path": page.record.document})
    yield Claim(node, page.evidence(page.boxes, round(sure, 4)), page.published)
    for field in found.values():
        amount = amount_of(field, text) if field.name in ("amount", "total") else None
        props: dict[str, Value] = {"statement": field.text}
        if amount:
            props = {"fact": amount.amount, "currency": amount.currency}
        evidence = page.evidence(field.boxes, field.score)
        yield Claim(Node("Page", page.id, props, field.name), evidence, page.published, page.published)


def _relations(page: _Page, found: Mapping[str, Field], gazetteer: Gazetteer) -> Iterator[Claim]:
    named: dict[str, str] = {}
    for name in ("lender", "borrower", "supplier", "customer", "payer", "payee", "company"):
        if name in found:
            named[name], claims = _firm(page, found[name], gazetteer, bank=name == "lender")
            yield from claims
    for type, source, target in _RELATIONS:
        if source in named and target in named and named[source] != named[target]:
            yield _edge(page, found, (type, source, target), named)


def _firm(page: _Page, field: Field, gazetteer: Gazetteer, bank: bool) -> tuple[str, list[Claim]]:
    """Id and claims of a firm; a name that OCR bent is set right where one known name is near."""
    known = gazetteer.nearest(field.text)
    name = collapse(known or field.text)
    label = gazetteer.label(name) if known else label_of(name)
    id = text_id(name, label)
    sure = round(field.score * (1.0 if known == field.text else 0.8), 4)
    evidence = page.evidence(field.boxes, sure)
    mentioned = Edge("MENTIONED_IN", id, page.id, {"count": 1})
    claim = Claim(Node(label, id, {"name": name}), evidence, page.published)
    return id, [claim, Claim(mentioned, evidence, page.published, page.published)]


def _edge(page: _Page, found: Mapping[str, Field], relation: tuple[str, str, str], named: Mapping[str, str]) -> Claim:
    type, source, target = relation
    parts = [found[n] for n in (source, target, "amount", "date") if n in found]
    amount = amount_of(found["amount"], "") if "amount" in found else None
    props: dict[str, Value] = {"amount": amount.amount, "currency": amount.currency} if amount else {}
    start = (day_of(found["date"], _LATEST) if "date" in found else None) or page.published
    end = day_of(found["maturity"], _LATEST) if "maturity" in found else None
    key = found["facility"].text.casefold() if type == "LENDS_TO" and "facility" in found else ""
    key = start.date().isoformat() if type == "PAID" else key
    evidence = page.evidence([b for f in parts for b in f.boxes], min(f.score for f in parts))
    edge = Edge(type, named[source], named[target], props, key)
    return Claim(edge, evidence, page.published, start, next_day(end) if end and end > start else None)


def _told(page: _Page, gazetteer: Gazetteer) -> tuple[list[Claim], list[Refusal]]:
    """What the sidecar says: the document of the page, and whom it concerns."""
    meta = page.record.meta
    if not page.record.sidecar:
        return [], []
    row = Evidence(digest(page.record.sidecar), f"row:{meta[ROW]}", meta[QUOTE], page.extractor, 1.0)
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
