"""Pages of a PDF: the text it carries with its places (pdfplumber), else the words OCR reads on it (pypdfium2).

A page that carries text is measured in points and its text has `page:3 chars:a-b`; one that is a picture is drawn at
200 dots an inch and measured in those pixels. Both have `page:3 box:x0,y0,x1,y1` from the top left corner.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, TypeVar

from ingest.extract.pages.ocr import BOX, Box, PageReader, lines, read_box, read_pixels, words_in
from ingest.extract.pages.pdf_guard import check, is_pdf
from ingest.extract.pages.pixels import pixels
from ingest.extract.pages.shape import Shape
from ingest.extract.pages.stamps import read_shape, shapes
from kg.errors import MissingExtraError, RecordError
from kg.model import digest

_T = TypeVar("_T")
MAX_PAGES: Final = 300
MAX_CHARS: Final = 200_000
"""Characters on one page."""
PIXELS: Final = 9_000_000
"""Pixels of a drawn page; larger ones are drawn smaller."""
DOTS: Final = 200
_CHARS: Final = re.compile(r"page:(\d+) chars:(\d+)-(\d+)")
SHAPE: Final = re.compile(r"page:(\d+) shape:\d+,\d+,\d+,\d+")
_CARRIES: Final = 20
"""Letters from which a page is taken to carry its text."""


@dataclass(frozen=True, slots=True)
class Table:
    """A ruled table of a page: the texts of its cells and where they stand."""

    cells: Sequence[Sequence[str]]
    boxes: Sequence[Sequence[tuple[int, int, int, int] | None]]


@dataclass(frozen=True, slots=True)
class PdfPage:
    """One page that carries its text; `text` is "" where OCR has to read it."""

    text: str
    boxes: tuple[Box, ...]
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class PdfHead:
    """What a PDF says of itself."""

    pages: int
    metadata: Mapping[str, str]


@lru_cache(maxsize=4)
def head(content: bytes) -> PdfHead:
    """Number of pages and metadata; RecordError for what cannot be opened."""
    with _opened(content) as pdf:
        count = _guarded(lambda: len(pdf.pages), "has no list of pages that can be read")
        told = {str(k): str(v) for k, v in (pdf.metadata or {}).items()}
    if not count:
        raise RecordError("the PDF has no pages")
    return PdfHead(count, told)


@lru_cache(maxsize=64)
def page(content: bytes, number: int) -> PdfPage:
    """The text layer of a page, counted from 1."""
    with _opened(content) as pdf:
        if not 1 <= number <= len(pdf.pages):
            raise RecordError(f"page {number} is not there: the PDF has {len(pdf.pages)} pages")
        return _guarded(lambda: _page(pdf.pages[number - 1]), f"page {number} cannot be read")


def words(content: bytes, number: int, reader: PageReader) -> tuple[Box, ...]:
    """Boxes of a page: of its text if it carries one, else as OCR reads them."""
    if page(content, number).text:
        return page(content, number).boxes
    return reader.keep(f"{digest(content)}-{number}", lambda: _read(content, number))


@lru_cache(maxsize=64)
def _read(content: bytes, number: int) -> tuple[Box, ...]:
    return read_pixels(draw(content, number))


def read_place(content: bytes, locator: str, reader: PageReader) -> str:
    """What stands at a `page:` locator of a page image or PDF."""
    if not is_pdf(content):
        if SHAPE.fullmatch(locator):
            return read_shape(things(content, 0, reader.read(content)), locator)
        return read_box(content, locator, reader)
    if match := _CHARS.fullmatch(locator):
        number, start, end = (int(n) for n in match.groups())
        text = page(content, number).text
        if not start <= end <= len(text):
            raise RecordError(f"{locator} is outside the page's text of {len(text)} characters")
        return text[start:end]
    if match := BOX.fullmatch(locator):
        return words_in(words(content, int(match[1]), reader), locator)
    if match := SHAPE.fullmatch(locator):
        number = int(match[1])
        return read_shape(things(content, number, words(content, number, reader)), locator)
    raise RecordError(f"locator {locator!r}: expected page:3 with chars:10-20, box:x0,y0,x1,y1 or shape:x0,y0,x1,y1")


@lru_cache(maxsize=16)
def things(content: bytes, number: int, boxes: tuple[Box, ...]) -> tuple[Shape, ...]:
    """Shapes on a page of a PDF whose words are known, or on a page image (number 0)."""
    return tuple(shapes(draw(content, number) if number else pixels(content), boxes))


def draw(content: bytes, number: int) -> Any:
    """The page as a picture (height x width x 3), at most PIXELS large."""
    import numpy as np
    import pypdfium2

    def drawn() -> Any:
        document = pypdfium2.PdfDocument(content)
        try:
            sheet = document[number - 1]
            wide, high = sheet.get_size()
            scale = min(DOTS / 72, (PIXELS / max(wide * high, 1.0)) ** 0.5)
            if min(wide, high) * scale < 8:
                raise RecordError(f"page {number} is {wide:.0f} x {high:.0f} points; nothing can be read on it")
            return np.ascontiguousarray(sheet.render(scale=scale).to_numpy()[:, :, 2::-1])
        finally:
            document.close()

    return _guarded(drawn, f"page {number} cannot be drawn")


@contextmanager
def _opened(content: bytes) -> Iterator[Any]:
    import io

    try:
        import pdfplumber
        from pdfplumber.utils.exceptions import PdfminerException
    except ImportError as error:
        raise MissingExtraError("reading PDF needs pdfplumber; install kgrisk[images]") from error
    check(content)
    try:
        pdf = pdfplumber.open(io.BytesIO(content))
    except PdfminerException as error:
        cause = type(error.args[0]).__name__ if error.args else "unknown"
        if "Password" in cause or "Encryption" in cause:
            raise RecordError("the PDF is encrypted; give a copy without password") from error
        raise RecordError(f"the PDF is broken and cannot be opened ({cause}: {error})") from error
    except Exception as error:  # pdfminer lets many kinds through on damaged files
        raise RecordError(f"the PDF is broken and cannot be opened ({type(error).__name__}: {error})") from error
    try:
        yield pdf
    finally:
        with suppress(Exception):  # closing builds every page once more, which fails where reading failed
            pdf.close()


def _guarded(work: Callable[[], _T], what: str) -> _T:
    """The result; RecordError where a damaged file makes a library fail."""
    try:
        return work()
    except RecordError:
        raise
    except Exception as error:  # pdfminer and pdfium fail in many ways on damaged pages
        raise RecordError(f"the PDF is damaged: {what} ({type(error).__name__}: {error})") from error


def _page(sheet: Any) -> PdfPage:
    if len(sheet.chars) > MAX_CHARS:
        raise RecordError(f"the page has {len(sheet.chars)} characters; at most {MAX_CHARS} are read")
    if sum(char["text"].isalnum() for char in sheet.chars) < _CARRIES:
        return PdfPage("", ())
    rows = sheet.extract_text_lines(strip=True, return_chars=False)
    return PdfPage(_unwrapped(rows), _boxes(sheet), tuple(_tables(sheet)))


def _unwrapped(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lines of the page; those that only ran out of room are joined by a blank."""
    right = max(row["x1"] for row in rows)
    left = min(row["x0"] for row in rows)
    text = str(rows[0]["text"])
    for above, row in pairwise(rows):
        high = above["bottom"] - above["top"]
        close = row["top"] - above["bottom"] < 0.8 * high and abs(row["bottom"] - row["top"] - high) < 0.2 * high
        full = above["x1"] - left > 0.75 * (right - left)
        text += (" " if close and full else "\n") + str(row["text"])
    return text


def _boxes(sheet: Any) -> tuple[Box, ...]:
    """Runs of words that stand close together."""
    runs: list[list[Mapping[str, Any]]] = []
    for word in sheet.extract_words(use_text_flow=False):
        last = runs[-1][-1] if runs else None
        high = word["bottom"] - word["top"]
        beside = last is not None and abs(last["top"] - word["top"]) < 0.5 * high
        if last is not None and beside and 0 <= word["x0"] - last["x1"] < 0.9 * high:
            runs[-1].append(word)
        else:
            runs.append([word])
    found = [
        Box(
            int(run[0]["x0"]),
            int(min(w["top"] for w in run)),
            round(run[-1]["x1"]),
            round(max(w["bottom"] for w in run)),
            " ".join(w["text"] for w in run),
            1.0,
        )
        for run in runs
    ]
    return tuple(box for row in lines(found) for box in row)


def _tables(sheet: Any) -> Iterator[Table]:
    for table in sheet.find_tables():
        texts = [[" ".join((cell or "").split()) for cell in row] for row in table.extract()]
        boxes = [[_whole(cell) if cell else None for cell in row.cells] for row in table.rows]
        if len(texts) > 1 and len(texts[0]) > 1:
            yield Table(texts, boxes)


def _whole(cell: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    return int(cell[0]), int(cell[1]), round(cell[2]), round(cell[3])
