"""Locators, read back: where a claim stands in a document, and exactly what stands there.

    chars:120-188                characters of the document's text
    part:2 chars:0-50            the same in the 2nd document of an SGML submission (with any locator after it)
    attachment:1 xpath:/a[1]     the same in the 1st base64 file inside a submission's XML (with any locator after it)
    table:3 row:5 cell:2         a cell of the 3rd table of an HTML page; without cell: all cells of the row
    xpath:/a[1]/b[3]             all text of an XML element, white space collapsed; /@x at its end: that attribute
    row:17                       cells of the 17th data row of a CSV or Parquet file
    row:17 cells:LEI,ISIN        those cells of the row only
    rows:17,20 cells:LEI         those cells of several rows, the rows parted by semicolons
    json:/3/interests/0          what stands at a path of a JSON file; the lines of a JSON lines file are a list from 0
    rows:17,20,31 sum:amount     count of those rows and the exact sum of one column (mean: its mean to six digits)
    feature:return|20|A@XNYS row:57       a feature of a price series on the day of a row, computed again
    correlation:pearson|60|A|B row:90     the same of two series of a table of many
    page:1 box:x0,y0,x1,y1       the words that OCR reads in a box of a page image, or that stand there in a PDF
    page:1 shape:x0,y0,x1,y1     what stands there without words: table, signature, stamp, bar; on scanned PDF pages too
    page:3 chars:120-188         characters of the text that the 3rd page of a PDF carries
    frame:12.00 page:1 box:...   the words in a box of the picture of a video at that second
    time:12.40-15.92             the words heard between these seconds of a recording
    field:author                 a field beside the text of an article, post or feed item, as its carrier gives it
    run:<id> row:3               row 3 of the rows of a run's manifest, counted from 0

The text of a document is made from its bytes alone: of a news article as the `article` extractor says, of an HTML
page its blocks, of anything else the decoded bytes.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

from ingest.clean import decode
from ingest.extract.filings.attachment import read_attachment
from ingest.extract.filings.grid import read_cell
from ingest.extract.filings.submission import is_submission, parts
from ingest.extract.formats.markup import find, inner, page_text, parse
from ingest.extract.formats.pointer import read_pointer
from ingest.extract.formats.table import read_cells, read_mean, read_row, read_rows
from ingest.extract.market.series_together import read_correlation, read_feature
from ingest.extract.news.article import document_text, field_text
from ingest.extract.pages.film import read_frame
from ingest.extract.pages.ocr import PageReader
from ingest.extract.pages.pdf import read_place
from ingest.extract.sound.speech import Listener, read_time
from kg.errors import RecordError

_CHARS = re.compile(r"chars:(\d+)-(\d+)")
_PART = re.compile(r"part:(\d+) (.+)", re.DOTALL)
_ATTACHMENT = re.compile(r"attachment:(\d+) (.+)", re.DOTALL)
_TABLE = re.compile(r"table:(\d+) row:(\d+)(?: cell:(\d+))?")
_CELLS = re.compile(r"row:(\d+) cells:(.+)", re.DOTALL)
_ROWS = re.compile(r"rows:([\d,]+) (sum|mean):(.+)", re.DOTALL)
_LINES = re.compile(r"rows:([\d,]+) cells:(.+)", re.DOTALL)
_DERIVED = re.compile(r"(feature|correlation):(.+) row:(\d+)", re.DOTALL)
_RUN = re.compile(r"run:\S+ row:(\d+)")


def locate(content: bytes, locator: str, source: str = "filings", cache: Path | None = None) -> str:
    """What stands at the locator in these bytes; RecordError if it points nowhere.

    `source` is the first part of the extractor's name: it says how the text of the document is made.
    `cache` is the folder where words read on pages and heard in recordings are kept (`Models.cache`).
    """
    content, locator = within(content, locator)
    if match := _TABLE.fullmatch(locator):
        return read_cell(content, int(match[1]), int(match[2]), int(match[3]) if match[3] else None)
    if match := _CHARS.fullmatch(locator):
        return _slice(text_of(content, source), int(match[1]), int(match[2]), locator)
    if locator.startswith("xpath:"):
        return _element(content, locator[len("xpath:") :])
    if locator.startswith("json:"):
        return read_pointer(content, locator[len("json:") :])
    if match := _CELLS.fullmatch(locator):
        return read_cells(content, int(match[1]), match[2].split(","))
    if locator.startswith("field:"):
        return field_text(content, locator[len("field:") :])
    if locator.startswith("row:"):
        return read_row(content, int(locator[len("row:") :]))
    if match := _ROWS.fullmatch(locator):
        numbers = [int(row) for row in match[1].split(",")]
        return (read_rows if match[2] == "sum" else read_mean)(content, numbers, match[3])
    if match := _LINES.fullmatch(locator):
        return "; ".join(read_cells(content, int(row), match[2].split(",")) for row in match[1].split(","))
    if match := _DERIVED.fullmatch(locator):
        return (read_feature if match[1] == "feature" else read_correlation)(content, match[2], int(match[3]))
    if locator.startswith("page:"):
        return read_place(content, locator, PageReader(cache))
    if locator.startswith("frame:"):
        return read_frame(content, locator, PageReader(cache))
    if locator.startswith("time:"):
        return read_time(content, locator, Listener(cache))
    if match := _RUN.fullmatch(locator):
        return _manifest_row(content, int(match[1]))
    raise RecordError(f"locator {locator!r} is of no known kind; see the list at the head of ingest/locate.py")


def within(content: bytes, locator: str) -> tuple[bytes, str]:
    """The document inside a submission that a locator leads into, and the rest of the locator; else both as given."""
    if match := _PART.fullmatch(locator):
        return within(_part(content, int(match[1])), match[2])
    if match := _ATTACHMENT.fullmatch(locator):
        return within(read_attachment(content, int(match[1])), match[2])
    return content, locator


@lru_cache(maxsize=8)
def text_of(content: bytes, source: str = "filings") -> str:
    """The text that `chars:` locators of a document count in."""
    if source == "news":
        return document_text(content)
    if is_submission(content):
        return decode(content)[0]
    return page_text(content) if is_page(content) else decode(content)[0]


def is_page(content: bytes) -> bool:
    """True for an HTML page (XHTML with inline XBRL is one)."""
    head = content[:3000].lower()
    return b"<html" in head or b"<!doctype html" in head or b"<body" in head or b"<div" in head


def _slice(text: str, start: int, end: int, locator: str) -> str:
    if not 0 <= start <= end <= len(text):
        raise RecordError(f"{locator} is outside the text of {len(text)} characters")
    return text[start:end]


def _element(content: bytes, path: str) -> str:
    path, at, attribute = path.partition("/@")
    element = find(parse(content), path)
    if not at:
        return inner(element)
    if (value := element.get(attribute)) is None:
        raise RecordError(f"no attribute {attribute!r} at {path}")
    return str(value)


def _part(content: bytes, number: int) -> bytes:
    found = parts(content)
    if not 1 <= number <= len(found):
        raise RecordError(f"part {number} is not there: the submission has {len(found)} documents")
    return found[number - 1].content


def _manifest_row(content: bytes, number: int) -> str:
    rows = json.loads(content)["details"]["rows"]
    if not 0 <= number < len(rows):
        raise RecordError(f"row {number} is not there: the run's manifest has {len(rows)} rows")
    return str(rows[number])
