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

from ingest.extract.pages.claims import Page, caption_claims, page_claims, shape_claims, unsure
from ingest.extract.pages.fields import currency_of, day_of, first_date
from ingest.extract.pages.kind import value_of
from ingest.extract.pages.ocr import Box, PageReader, lines, locator, page_text
from ingest.extract.pages.pdf import MAX_PAGES, Table, head, page, read_place, things, words
from ingest.extract.pages.per_kind import PICTURED, Reading, read_page
from ingest.extract.pages.register import page_records, told, when_published
from ingest.extract.pages.running import running
from ingest.extract.pages.stamps import seen
from ingest.extract.prose.paged import Sheet, paged_prose
from ingest.extract.text.names import Gazetteer
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

    extractor: ClassVar[str] = "pdf.page@2"
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
        sheets: list[Sheet] = []
        for number in range(1, min(count, MAX_PAGES) + 1):
            try:
                read = _page(document, number)
            except RecordError as error:
                read = _Read(refused=[Refusal(f"page:{number}", str(error))])
            claims += read.claims
            refused += read.refused
            sheets += read.sheets
        if count > MAX_PAGES:
            refused.append(Refusal(f"page:{MAX_PAGES + 1}", f"{count} pages; the first {MAX_PAGES} are read; split it"))
        if not claims:
            raise RecordError(f"{record.path}: no words on any page; {refused[0].reason if refused else 'it is empty'}")
        claims += paged_prose(sheets, document.id, models)
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


@dataclass(frozen=True)
class _Read:
    """What one page gave; its prose is read with that of the other pages."""

    claims: Sequence[Claim] = ()
    refused: Sequence[Refusal] = ()
    sheets: Sequence[Sheet] = ()


def _page(document: _Document, number: int) -> _Read:
    """Claims of one page, and its running text."""
    boxes = document.boxes(number)
    if not boxes:
        return _Read()
    reading = read_page(boxes)
    sheet = Page(
        document.record.document,
        f"page:{document.record.document}#{number}",
        boxes,
        lambda inside: document.quote(inside, number),
        document.published,
        document.extractor,
        number,
    )
    claims = list(page_claims(sheet, reading, document.models.gazetteer or Gazetteer()))
    of = Edge("PAGE_OF", sheet.id, document.id)
    claims.append(Claim(of, sheet.evidence(boxes, 1.0), document.published, document.published))
    carried = page(document.record.content, number)
    for place, table in enumerate(carried.tables, 1):
        claims += _table(sheet, table, place, number)
    shapes = [] if carried.text else seen(things(document.record.content, number, boxes), reading.kind)
    claims += [*shape_claims(sheet, shapes), *caption_claims(sheet, reading, shapes)]
    refused = [unsure(locator(f.boxes, number), reason) for f, reason in reading.doubtful]
    return _Read(claims, refused, list(_running(sheet, reading, carried.text)))


def _running(sheet: Page, reading: Reading, carried: str) -> Iterator[Sheet]:
    """The prose of a page: what it carries as text, else the paragraphs that OCR read."""
    if carried and reading.kind not in _FORMS:
        yield Sheet(sheet, carried)
    elif not carried and reading.kind not in PICTURED:
        text = running(sheet.boxes)
        yield Sheet(sheet, text.text, text)


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
