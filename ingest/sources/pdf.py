"""PDF documents: prose, forms and tables of pages that carry text, and OCR of pages that are pictures.

Published is what `pages.csv` beside it says, else the day the file says it was last changed, else a date on its first
page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Final

from ingest.extract.pages.claims import Page, page_claims, unsure
from ingest.extract.pages.fields import currency_of, day_of, first_date
from ingest.extract.pages.kind import value_of
from ingest.extract.pages.ocr import Box, PageReader, lines, locator, page_text
from ingest.extract.pages.pdf import MAX_PAGES, Table, head, page, read_place, words
from ingest.extract.pages.per_kind import read_page
from ingest.extract.pages.register import page_records, told, when_published
from ingest.extract.prose.assertions import Origin, names_to_claims, to_claims
from ingest.extract.prose.relations import relations
from ingest.extract.text.names import Gazetteer
from ingest.extract.text.recognise import written_names
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, Value, day

_STAMP: Final = re.compile(r"D:(\d{4})(\d{2})(\d{2})")
_FORMS: Final = ("receipt", "invoice", "cheque")
_MONEY: Final = re.compile(r"[€$£]|\b(?:EUR|USD|GBP|CHF)\b")


@dataclass(frozen=True)
class _Document:
    """A PDF while it is read."""

    record: Record
    models: Models
    reader: PageReader
    published: datetime
    extractor: str

    @property
    def id(self) -> str:
        return f"doc:{self.record.document}"

    def boxes(self, number: int) -> tuple[Box, ...]:
        return words(self.record.content, number, self.reader)

    def quote(self, inside: Sequence[Box], number: int) -> tuple[str, str]:
        where = locator(inside, number)
        return where, read_place(self.record.content, where, self.reader)


class Pdf(Source):
    """PDF documents: their text and what it says, page by page; scanned pages as page images are read."""

    extractor: ClassVar[str] = "pdf.page@1"
    patterns: ClassVar[Sequence[str]] = ("*.pdf", "*.PDF")

    def records(self) -> Iterator[Record]:
        yield from page_records("pdf", self.folder, self.files)

    def claims(self, record: Record, models: Models) -> Extract:
        """Claims of one PDF, pure given its bytes, its row in the register and the names known."""
        count = head(record.content).pages
        reader = PageReader(models.cache)
        document = _Document(record, models, reader, _when(record, reader), self.extractor)
        claims: list[Claim] = []
        refused: list[Refusal] = []
        for number in range(1, min(count, MAX_PAGES) + 1):
            try:
                said, doubtful = _page(document, number)
            except RecordError as error:
                said, doubtful = [], [Refusal(f"page:{number}", str(error))]
            claims += said
            refused += doubtful
        if count > MAX_PAGES:
            refused.append(Refusal(f"page:{MAX_PAGES + 1}", f"{count} pages; the first {MAX_PAGES} are read; split it"))
        if not claims:
            raise RecordError(f"{record.path}: no words on any page; {refused[0].reason if refused else 'it is empty'}")
        said, doubtful = told(record, document.id, document.published, self.extractor, models.gazetteer or Gazetteer())
        return Extract(ClaimBatch.of([*_titled(document), *claims, *said]), [*refused, *doubtful])


def _when(record: Record, reader: PageReader) -> datetime:
    told_by_file = head(record.content).metadata
    stamp = _STAMP.match(told_by_file.get("ModDate", "") or told_by_file.get("CreationDate", ""))
    if record.published or "published" in record.meta or not stamp:
        date = None if record.published else first_date(lines(words(record.content, 1, reader)))
        return when_published(record, day_of(date) if date else None)
    try:
        return day(f"{stamp[1]}-{stamp[2]}-{stamp[3]}")
    except ValueError as error:
        raise RecordError(f"{record.path}: the file dates itself {stamp[0]!r}; give its date in pages.csv") from error


def _titled(document: _Document) -> Iterator[Claim]:
    """The document with its opening words."""
    for number in range(1, head(document.record.content).pages + 1):
        boxes = document.boxes(number)
        if boxes:
            where, quote = document.quote(boxes, number)
            title = head(document.record.content).metadata.get("Title", "").strip()
            props: dict[str, Value] = {"text": page_text(boxes)[:2000]}
            if title:
                props["title"] = title
            evidence = Evidence(document.record.document, where, quote, document.extractor, 1.0)
            yield Claim(Node("Document", document.id, props), evidence, document.published)
            return


def _page(document: _Document, number: int) -> tuple[list[Claim], list[Refusal]]:
    """Claims of one page; what it carries as text is read as prose too."""
    boxes = document.boxes(number)
    if not boxes:
        return [], []
    reading = read_page(boxes)
    sheet = Page(
        document.record.document,
        f"page:{document.record.document}#{number}",
        boxes,
        lambda inside: document.quote(inside, number),
        document.published,
        document.extractor,
    )
    gazetteer = document.models.gazetteer or Gazetteer()
    claims = list(page_claims(sheet, reading, gazetteer))
    evidence = sheet.evidence(boxes, 1.0)
    claims.append(Claim(Edge("PAGE_OF", sheet.id, document.id), evidence, document.published, document.published))
    carried = page(document.record.content, number)
    if reading.kind not in _FORMS:
        claims += _prose(document, number, carried.text or page_text(boxes)) if carried.text else []
    for place, table in enumerate(carried.tables, 1):
        claims += _table(sheet, table, place, number)
    return claims, [unsure(locator(f.boxes, number), reason) for f, reason in reading.doubtful]


def _prose(document: _Document, number: int, text: str) -> Iterator[Claim]:
    """Names in the page's text and what its sentences say of them."""
    origin = Origin(document.record.document, document.published, document.extractor, f"page:{number} ")
    found = relations(text, document.models, document.published)
    mentions = written_names(text, document.models.gazetteer or Gazetteer())
    yield from names_to_claims(mentions, text, origin)
    first = {m.id: m for m in reversed(mentions)}
    for id, mention in first.items():
        edge = Edge("MENTIONED_IN", id, document.id, {"count": sum(m.id == id for m in mentions)})
        evidence = origin.evidence(text, (mention.start, mention.end), 0.9 if mention.entity else 0.7)
        yield Claim(edge, evidence, document.published, document.published)
    yield from to_claims(found, text, origin)


def _table(sheet: Page, table: Table, place: int, number: int) -> Iterator[Claim]:
    """Each figure of a ruled table, keyed by the words that head its row and column."""
    heading = table.cells[0]
    for cells, boxes in zip(table.cells[1:], table.boxes[1:], strict=True):
        for column, text, box in zip(heading[1:], cells[1:], boxes[1:], strict=True):
            value = value_of(text)
            if value is None or box is None or not cells[0] or not column:
                continue
            cell = Box(*box, text, 1.0)
            props: dict[str, Value] = {"measure": value}
            if _MONEY.search(f"{column} {text} {cells[0]}"):
                props = {"fact": Decimal(str(value)), "currency": currency_of(f"{column} {text} {cells[0]}")}
            node = Node("Page", sheet.id, props, f"{cells[0]}|{column}" + (f"|{place}" if place > 1 else ""))
            yield Claim(node, sheet.evidence([cell], 0.95), sheet.published, sheet.published)
