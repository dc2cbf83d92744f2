"""Prose of pages: a document's pages read as one text, each finding cited on the page and in the lines it stands in.

A page that carries text is cited by its characters, one that OCR read by the box around the lines: the quote is what
stands in those lines, and the finding is as sure as they were read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.extract.pages.claims import Page
from ingest.extract.pages.running import Running
from ingest.extract.prose.assertions import Origin
from ingest.extract.prose.prose import prose
from ingest.source import Models
from kg.model import Claim, Evidence

GAP = "\n\n"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The running text of one page, and the page whose boxes cite it; `running` is None where characters do."""

    page: Page
    text: str
    running: Running | None = None


@dataclass(frozen=True, slots=True)
class Paged(Origin):
    """An origin whose text is that of several pages, with GAP between them."""

    sheets: Sequence[Sheet] = ()

    def evidence(self, text: str, span: tuple[int, int], confidence: float) -> Evidence:
        """Evidence on the page that the span begins on."""
        place, sheet = 0, self.sheets[0]
        for sheet in self.sheets:
            if span[0] < place + len(sheet.text) or sheet is self.sheets[-1]:
                break
            place += len(sheet.text) + len(GAP)
        start, end = span[0] - place, min(span[1] - place, len(sheet.text))
        if sheet.running is None:
            where = f"page:{sheet.page.number} chars:{start}-{end}"
            return Evidence(self.document, where, sheet.text[start:end], self.extractor, confidence)
        boxes = sheet.running.boxes(start, end)
        return sheet.page.evidence(boxes, round(confidence * min(box.score for box in boxes), 4))


def paged_prose(sheets: Sequence[Sheet], document: str, models: Models) -> Iterator[Claim]:
    """What the prose of a document's pages says, counted and toned for the whole document."""
    sheets = [sheet for sheet in sheets if sheet.text.strip()]
    if sheets:
        page = sheets[0].page
        origin = Paged(page.document, page.published, page.extractor, "", sheets)
        yield from prose(GAP.join(sheet.text for sheet in sheets), origin, document, models)
