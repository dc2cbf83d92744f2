"""Preview: the place a claim was found at, with what stands around it: the marked sentence, rows, page, seconds.

Nothing of a document is ever handed on as it is: text is text, a picture is decoded and encoded anew, sound is samples.
"""

from __future__ import annotations

import io
import re
import wave
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ingest.extract.filings.grid import of_page
from ingest.extract.formats.markup import find, parse
from ingest.extract.formats.table import read_table
from ingest.extract.news.article import document_text
from ingest.extract.pages.film import frame_at
from ingest.extract.pages.pdf import draw
from ingest.extract.pages.pdf_guard import is_pdf
from ingest.extract.pages.pixels import pixels
from ingest.extract.sound.sound import RATE, decode_sound
from ingest.locate import locate, text_of, within
from kg.errors import RecordError
from kg.files import Files

AROUND = 600
"""Characters shown on either side of a marked span."""
ROWS = 3
"""Rows shown on either side of a marked row."""
SECONDS = 1.0
"""Seconds played before and after a marked stretch."""
LONGEST = 60.0
"""Seconds played at most."""
_SPAN = re.compile(r"chars:(\d+)-(\d+)")
_PAGE = re.compile(r"(?:frame:(\d+\.\d\d) )?page:(\d+) (chars|box|shape):([\d,-]+)")
_TIME = re.compile(r"time:(\d+\.\d+)-(\d+\.\d+)")
_LINE = re.compile(r"rows?:([\d,]+)(?: .*)?", re.DOTALL)
_CELL = re.compile(r"table:(\d+) row:(\d+)(?: cell:(\d+))?")
Kind = Literal["text", "rows", "page", "sound", "quote"]


@dataclass(frozen=True)
class Place:
    """A marked place in a document. What a kind does not have is empty."""

    kind: Kind
    marked: str
    """What stands there, as text."""
    before: str = ""
    after: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()
    """Rows around: their number, cells, and whether marked."""
    page: int = 0
    second: float | None = None
    """Second of the frame of a video whose picture is the page."""
    box: tuple[int, int, int, int] | None = None
    """Pixels of the page drawn: left, top, right, bottom."""
    seconds: tuple[float, float] | None = None


def place(files: Files, document: str, locator: str, source: str = "filings") -> Place:
    """The place a locator names, with what stands around it. RecordError or LedgerError for what is not there."""
    content, inside = within(files.get(document), locator)
    marked = locate(content, inside, source, files.folder.parent / "cache")
    if match := _SPAN.fullmatch(inside):
        return _text(text_of(content, source), int(match[1]), int(match[2]))
    if match := _PAGE.fullmatch(inside):
        return _page(content, match, marked)
    if match := _TIME.fullmatch(inside):
        return Place("sound", marked, seconds=(float(match[1]), float(match[2])))
    if match := _CELL.fullmatch(inside):
        return _cell(content, int(match[1]), int(match[2]), int(match[3]) if match[3] else None, marked)
    if inside.startswith("xpath:"):
        return _element(content, inside.removeprefix("xpath:"), marked)
    if inside.startswith("field:"):
        return Place("text", marked, after=document_text(content)[:AROUND])
    if match := _LINE.fullmatch(inside):
        return _rows(content, [int(number) for number in match[1].split(",")], marked)
    return Place("quote", marked)


def _text(text: str, start: int, end: int) -> Place:
    return Place("text", text[start:end], text[max(0, start - AROUND) : start], text[end : end + AROUND])


def _page(content: bytes, match: re.Match[str], marked: str) -> Place:
    second, number, kind, where = match.groups()
    if kind == "chars":
        return Place("text", marked, page=int(number))
    box = tuple(int(corner) for corner in where.split(","))
    assert len(box) == 4  # the locator was read already
    return Place("page", marked, page=int(number), second=float(second) if second else None, box=box)


def _element(content: bytes, path: str, marked: str) -> Place:
    """The smallest element around the marked one that says enough, its text before and after it."""
    element = find(parse(content), path.partition("/@")[0])
    whole, before, after = element, "", ""
    while (parent := whole.getparent()) is not None and len(before) + len(after) < AROUND:
        lead = " ".join(_pieces(parent, until=whole))
        trail = " ".join(_pieces(parent, since=whole))
        before, after, whole = f"{lead} {before}".strip(), f"{after} {trail}".strip(), parent
    return Place("text", marked, before[-AROUND:] + " ", " " + after[:AROUND])


def _pieces(parent: Any, until: Any = None, since: Any = None) -> list[str]:
    """Texts of the children before one, or after one."""
    texts, on = [parent.text or ""] if since is None else [], since is None
    for child in parent:
        if child is until:
            break
        if on and isinstance(child.tag, str):
            texts.append(" ".join(str(piece) for piece in child.itertext()))
        on = on or child is since
        texts += [child.tail or ""] if on else []
    return [" ".join(text.split()) for text in texts if text.strip()]


def _cell(content: bytes, table: int, row: int, cell: int | None, marked: str) -> Place:
    grid = of_page(content)[table - 1]
    near = range(max(1, row - ROWS), min(len(grid.rows), row + ROWS) + 1)
    rows = tuple({"row": n, "cells": grid.texts(n - 1), "marked": n == row, "cell": cell} for n in near)
    return Place("rows", marked, rows=rows)


def _rows(content: bytes, numbers: list[int], marked: str) -> Place:
    """Rows of a table around the marked ones; of many marked rows the first are shown."""
    table = read_table(content)
    near = sorted({n + k for n in numbers[: 2 * ROWS] for k in range(-ROWS, ROWS + 1)})
    frame = table.frame
    rows = []
    for number in (n for n in near if 1 <= n <= frame.height):
        cells = [frame[name][number - 1] or "" for name in table.columns]
        rows.append({"row": number, "cells": cells, "marked": number in numbers})
    return Place("rows", marked, columns=table.columns, rows=tuple(rows))


def picture(files: Files, document: str, number: int = 1, second: float | None = None) -> bytes:
    """A page image, a page of a PDF or a frame of a video, decoded and encoded anew as PNG."""
    from PIL import Image

    content = files.get(document)
    if second is not None:
        content = frame_at(content, second).image
    if not is_pdf(content) and number != 1:
        raise RecordError(f"page {number} is not there: an image has one page")
    array = draw(content, number) if is_pdf(content) else pixels(content)
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG")
    return out.getvalue()


def sound(files: Files, document: str, begin: float, end: float) -> bytes:
    """The seconds of a recording with a moment around them, as a mono WAV file of 16-bit samples."""
    if not 0 <= begin < end:
        raise RecordError(f"seconds {begin:g} to {end:g}: expected a beginning before an end")
    samples = decode_sound(files.get(document))
    first, last = max(0.0, begin - SECONDS), min(end + SECONDS, begin + LONGEST)
    piece = samples[int(first * RATE) : int(last * RATE)]
    if not len(piece):
        raise RecordError(f"the recording has {len(samples) / RATE:.1f} s; {begin:g} s is after its end")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(piece, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()
