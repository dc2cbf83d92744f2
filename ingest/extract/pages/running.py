"""Running text of a page that OCR read: its lines joined to paragraphs, each stretch with the boxes it stands in.

A line that only ran out of room goes on in the next; a hyphen at its end that parts a word is dropped. Rows of forms
and tables, short lines and lines that were read unsurely are no prose and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ingest.extract.pages.ocr import Box, lines

SURE: Final = 0.8
"""Sureness from which a line is believed as prose."""
_FEWEST: Final = 6
"""Words from which a paragraph is read."""
_PARTED: Final = re.compile(r"[a-z]-$")


@dataclass(frozen=True, slots=True)
class Running:
    """Paragraphs of a page as one text, and where each line of it stands."""

    text: str = ""
    places: tuple[tuple[int, int, Box], ...] = ()
    """Start and end in the text, and the box."""

    def boxes(self, start: int, end: int) -> tuple[Box, ...]:
        """Boxes that hold any of text[start:end]."""
        return tuple(box for a, b, box in self.places if a < end and start < b)


def running(boxes: Sequence[Box]) -> Running:
    """The prose of a page; empty where it has none."""
    text, places = "", []
    for paragraph in _paragraphs(boxes):
        text += "\n\n" if text else ""
        for at, box in enumerate(paragraph):
            if at and _PARTED.search(text) and box.text[:1].islower():
                text = text[:-1]
            elif at:
                text += " "
            places.append((len(text), len(text) + len(box.text), box))
            text += box.text
    return Running(text, tuple(places))


def _paragraphs(boxes: Sequence[Box]) -> Iterator[list[Box]]:
    rows = lines(boxes)
    if not rows:
        return
    left, right = min(b.x0 for b in boxes), max(b.x1 for b in boxes)
    paragraph = list(rows[0])
    for above, row in pairwise(rows):
        if not (
            _goes_on(above, row, left + 0.7 * (right - left))
            and _close(above, row)
            and _is_prose(above)
            and _is_prose(row)
        ):
            yield from _kept(paragraph)
            paragraph = []
        paragraph += row
    yield from _kept(paragraph)


def _goes_on(above: Sequence[Box], row: Sequence[Box], full: float) -> bool:
    """True if the line above ran out of room, or stopped amid a sentence."""
    return above[-1].x1 > full or (row[0].text[:1].islower() and above[-1].text[-1:] not in ".!?:;")


def _kept(paragraph: Sequence[Box]) -> Iterator[list[Box]]:
    if _is_prose(paragraph) and sum(len(box.text.split()) for box in paragraph) >= _FEWEST:
        yield list(paragraph)


def _is_prose(row: Sequence[Box]) -> bool:
    """True for words that stand close together and were read surely."""
    return all(box.score >= SURE for box in row) and all(
        b.x0 - a.x1 < 2 * (a.y1 - a.y0) or b.middle[1] > a.y1 for a, b in pairwise(row)
    )


def _close(above: Sequence[Box], row: Sequence[Box]) -> bool:
    """True if a line stands as near below another as lines of one paragraph do."""
    high = _high(above)
    return min(b.y0 for b in row) - max(b.y1 for b in above) < 0.8 * high and abs(_high(row) - high) < 0.5 * high


def _high(row: Sequence[Box]) -> int:
    return min(b.y1 - b.y0 for b in row)
