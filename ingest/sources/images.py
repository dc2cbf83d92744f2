"""Page images: scanned or rendered PNG and JPEG pages read by OCR; loans, invoices and receipts with their boxes.

A `pages.csv` beside the images (file, document, page, published, subject_id) says which document a page belongs to,
when it was made public and whom it concerns. Without it the date printed on the page counts as its publication.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from ingest.extract.pages.claims import Page, caption_claims, page_claims, shape_claims, unsure
from ingest.extract.pages.fields import day_of
from ingest.extract.pages.ocr import Box, PageReader, locator, read_box
from ingest.extract.pages.pdf import things
from ingest.extract.pages.per_kind import PICTURED, Reading, read_page
from ingest.extract.pages.register import page_records, told, when_published
from ingest.extract.pages.running import running
from ingest.extract.pages.stamps import seen
from ingest.extract.prose.paged import Sheet, paged_prose
from ingest.extract.text.names import Gazetteer
from ingest.source import Extract, Models, Record, Source
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch


class Images(Source):
    """Page scans: text, kind, key fields and the relations that notices, invoices and cheques state."""

    extractor: ClassVar[str] = "images.ocr@3"
    patterns: ClassVar[Sequence[str]] = ("*.png", "*.jpg", "*.jpeg", "*.PNG", "*.JPG", "*.JPEG")

    def records(self) -> Iterator[Record]:
        yield from page_records("images", self.folder, self.files)

    def claims(self, record: Record, models: Models) -> Extract:
        """Claims of one page, pure given its bytes, its row in the register and the names known."""
        gazetteer = models.gazetteer or Gazetteer()
        reader = PageReader(models.cache)
        boxes = reader.read(record.content)
        if not boxes:
            raise RecordError(f"{record.path}: no words were read on the page; give a sharper scan")
        reading = read_page(boxes)

        def quote(inside: Sequence[Box]) -> tuple[str, str]:
            where = locator(inside)
            return where, read_box(record.content, where, reader)

        date = reading.fields.get("date")
        when = when_published(record, day_of(date) if date else None)
        page = Page(record.document, f"page:{record.document}", boxes, quote, when, self.extractor)
        said, refused = told(record, page.id, when, self.extractor, gazetteer)
        refused += [unsure(locator(field.boxes), reason) for field, reason in reading.doubtful]
        shapes = seen(things(record.content, 0, boxes), reading.kind)
        claims = [*page_claims(page, reading, gazetteer), *shape_claims(page, shapes)]
        claims += [*caption_claims(page, reading, shapes), *_prose(page, reading, models)]
        return Extract(ClaimBatch.of([*claims, *said]), refused)


def _prose(page: Page, reading: Reading, models: Models) -> Iterator[Claim]:
    """What the sentences of a letter or notice say."""
    if reading.kind not in PICTURED:
        text = running(page.boxes)
        yield from paged_prose([Sheet(page, text.text, text)], page.id, models)
