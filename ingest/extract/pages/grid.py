"""A table on a page image: words in columns under a heading, each figure a fact of the page named by row and column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.extract.pages.kind import value_of
from ingest.extract.pages.ocr import Box

Rows = Sequence[Sequence[Box]]
_YEAR: Final = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure in a table with the words that head its row and its column."""

    row: str
    column: str
    value: float
    boxes: tuple[Box, ...]

    @property
    def key(self) -> str:
        return f"{self.row}|{self.column}"


def cells(rows: Rows) -> Iterator[Cell]:
    """Figures of the longest run of lines with several columns, under the last heading line above them."""
    body, heading = _body(rows)
    for row in body:
        if value_of(row[0].text) is not None and not row[0].text.isdigit():
            continue
        for box in row[1:]:
            value = value_of(box.text)
            if value is not None and (above := _above(box, heading)):
                yield Cell(row[0].text, above.text, -abs(value) if box.text.startswith("(") else value, (box,))


def area(rows: Rows) -> tuple[int, int, int, int] | None:
    """Rectangle of the table; None if the page has none."""
    body, heading = _body(rows)
    boxes = [box for row in [*body, heading] for box in row]
    if not body or not boxes:
        return None
    return min(b.x0 for b in boxes), min(b.y0 for b in boxes), max(b.x1 for b in boxes), max(b.y1 for b in boxes)


def _body(rows: Rows) -> tuple[list[Sequence[Box]], Sequence[Box]]:
    best: tuple[int, int] = (0, 0)
    start = 0
    for i in range(len(rows) + 1):
        if i == len(rows) or not _is_row(rows[i]):
            if i - start > best[1] - best[0]:
                best = (start, i)
            start = i + 1
    first, last = best
    if last - first < 2:
        return [], ()
    if all(_YEAR.fullmatch(box.text) for box in rows[first][1:]):
        return [list(row) for row in rows[first + 1 : last]], rows[first]
    heading = next((row for row in reversed(rows[:first]) if len(row) >= 2), ())
    return [list(row) for row in rows[first:last]], heading


def _is_row(row: Sequence[Box]) -> bool:
    """True for a line with words first and figures after."""
    return len(row) >= 2 and sum(value_of(b.text) is not None for b in row[1:]) >= max(1, (len(row) - 1) // 2)


def _above(box: Box, heading: Sequence[Box]) -> Box | None:
    """The heading word over a cell: the one it overlaps, else the nearest within a column's width."""
    if not heading:
        return None
    nearest = min(heading, key=lambda h: min(abs(h.middle[0] - box.middle[0]), abs(h.x1 - box.x1)))
    overlaps = min(nearest.x1, box.x1) - max(nearest.x0, box.x0) > 0
    near = abs(nearest.x1 - box.x1) < 2 * (box.x1 - box.x0)
    return nearest if overlaps or near else None
