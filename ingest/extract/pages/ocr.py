"""Words on a page image, box by box in reading order, and the locator of a box.

The result depends on the bytes of the image alone, so boxes are kept by digest: reading a locator back runs no OCR
again. Coordinates are whole pixels from the top left corner of the image as shown. Lines are told apart as they stand
on the page: a scan that is turned a little, or by quarters, is levelled for that, while boxes keep their place.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from ingest.extract.pages.pixels import pixels
from ingest.extract.pages.words import Line, read_lines, turn
from kg.errors import RecordError
from kg.files import write_whole
from kg.model import digest

ENGINE: Final = "rapidocr-ppocr6s-2"
"""Part of the name of every kept result: raise the number when settings change what is read."""
BOX: Final = re.compile(r"page:(\d+) box:(\d+),(\d+),(\d+),(\d+)")
_FINE: Final = 16_000_000
"""Pixels of a page at 400 dots an inch; more are not read more surely."""
_POOR: Final = 0.8
"""Mean sureness below which the page may stand on its head."""


@dataclass(frozen=True, slots=True)
class Box:
    """A run of words in one rectangle of the page."""

    x0: int
    y0: int
    x1: int
    y1: int
    text: str
    score: float
    """How sure the reader is, 0 to 1."""
    line: int = -1
    """Number of its line on the page from the top; -1 where only its place tells."""

    @property
    def middle(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2


class PageReader:
    """Reads page images; with a folder given, boxes are kept there between runs."""

    def __init__(self, cache: Path | None = None) -> None:
        self.folder = cache / "ocr" if cache else None

    def read(self, content: bytes) -> tuple[Box, ...]:
        """Boxes of a picture in reading order; RecordError if the bytes are no image."""
        return self.keep(digest(content), lambda: _read(content))

    def keep(self, name: str, make: Callable[[], tuple[Box, ...]]) -> tuple[Box, ...]:
        """Boxes that are kept under the name, else made and kept."""
        kept = self.folder / f"{name}.{ENGINE}.json" if self.folder else None
        if kept and kept.exists():
            return tuple(Box(**row) for row in json.loads(kept.read_text()))
        boxes = make()
        if kept:
            write_whole(kept, json.dumps([asdict(b) for b in boxes], ensure_ascii=False).encode(), lasting=False)
        return boxes


def read_box(content: bytes, locator: str, reader: PageReader | None = None) -> str:
    """The words in the rectangle of a `page:1 box:x0,y0,x1,y1` locator, in reading order."""
    match = BOX.fullmatch(locator)
    if not match or match[1] != "1":
        raise RecordError(f"locator {locator!r}: expected page:1 box:x0,y0,x1,y1 in whole pixels")
    return words_in((reader or PageReader()).read(content), locator)


def words_in(boxes: Sequence[Box], locator: str) -> str:
    """The words of those boxes whose middle lies in the rectangle of a locator."""
    x0, y0, x1, y1 = (int(n) for n in locator.rpartition(":")[2].split(","))
    inside = [b for b in boxes if x0 <= b.middle[0] <= x1 and y0 <= b.middle[1] <= y1]
    if not inside:
        raise RecordError(f"no words in {locator}; the image has other words or another size")
    return join(inside)


def locator(boxes: Sequence[Box], page: int = 1) -> str:
    """The locator of the smallest rectangle around these boxes."""
    return (
        f"page:{page} box:{min(b.x0 for b in boxes)},{min(b.y0 for b in boxes)},"
        f"{max(b.x1 for b in boxes)},{max(b.y1 for b in boxes)}"
    )


def join(boxes: Sequence[Box]) -> str:
    return " ".join(b.text for b in boxes)


def lines(boxes: Sequence[Box]) -> list[list[Box]]:
    """Boxes that stand side by side, line by line from the top, each line from the left."""
    if boxes and all(b.line >= 0 for b in boxes):
        return [[b for b in boxes if b.line == number] for number in sorted({b.line for b in boxes})]
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda b: (b.middle[1], b.x0)):
        row = rows[-1] if rows else []
        if row and row[0].y0 < box.middle[1] < row[0].y1 and not any(_over(box, other) for other in row):
            row.append(box)
        else:
            rows.append([box])
    return [sorted(row, key=lambda b: b.x0) for row in rows]


def page_text(boxes: Sequence[Box]) -> str:
    """The words of a page, one line of text for each line of the page."""
    return "\n".join(join(line) for line in lines(boxes))


def _over(a: Box, b: Box) -> bool:
    """True if one stands above the other, not beside it."""
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 0.3 * min(a.x1 - a.x0, b.x1 - b.x0)


@lru_cache(maxsize=64)
def _read(content: bytes) -> tuple[Box, ...]:
    return read_pixels(pixels(content))


def read_pixels(image: Any) -> tuple[Box, ...]:
    """Boxes of a picture given as height x width x 3, in reading order."""
    image, scale = _reduced(image)
    quarters, found = _upright(image)
    if not found:
        return ()
    angle = turn(found)
    levelled = [_box(line, lambda x, y: _turned(x, y, angle)) for line in found]
    order = {id(box): number for number, row in enumerate(lines(levelled)) for box in row}
    size = (image.shape[1], image.shape[0])
    boxes = [
        (
            order[id(flat)],
            flat.x0,
            replace(_box(line, lambda x, y: _back(x, y, quarters, size, scale)), line=order[id(flat)]),
        )
        for line, flat in zip(found, levelled, strict=True)
    ]
    return tuple(box for _, _, box in sorted(boxes, key=lambda row: row[:2]))


def _upright(image: Any) -> tuple[int, list[Line]]:
    """Lines of the picture turned until most lie level and read well, and by how many quarters to the left."""
    import numpy as np

    found = read_lines(image)
    standing = sum(_tall(line) for line in found) > len(found) / 2
    if not standing and _sure(found) >= _POOR:
        return 0, found
    tried = [(quarters, read_lines(np.rot90(image, quarters))) for quarters in ((1, 3) if standing else (2,))]
    return max([(0, found), *tried], key=lambda one: _read_well(one[1]) * (0.5 if standing and not one[0] else 1))


def _tall(line: Line) -> bool:
    (x0, y0), (x1, y1), _, (x3, y3) = line.corners
    return len(line.text) > 2 and math.hypot(x3 - x0, y3 - y0) > 1.5 * math.hypot(x1 - x0, y1 - y0)


def _read_well(found: Sequence[Line]) -> float:
    """Letters read, those read surely counting most."""
    return sum(max(0.0, line.score - 0.5) * len(line.text) for line in found)


def _sure(found: Sequence[Line]) -> float:
    """Mean sureness by letter."""
    letters = sum(len(line.text) for line in found)
    return sum(line.score * len(line.text) for line in found) / letters if letters else 0.0


def _turned(x: float, y: float, angle: float) -> tuple[float, float]:
    return x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)


def _reduced(image: Any) -> tuple[Any, float]:
    """The picture, smaller if it is finer than print needs, and by how much."""
    import cv2

    scale = min(1.0, math.sqrt(_FINE / (image.shape[0] * image.shape[1])))
    return (
        (image, 1.0)
        if scale == 1
        else (cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), scale)
    )


def _back(x: float, y: float, quarters: int, size: tuple[int, int], scale: float) -> tuple[float, float]:
    """A point of the turned and reduced picture in the picture as it was."""
    width, height = size
    x, y = ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[quarters]
    return x / scale, y / scale


def _box(line: Line, place: Callable[[float, float], tuple[float, float]]) -> Box:
    points = [place(x, y) for x, y in line.corners]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return Box(int(min(xs)), int(min(ys)), round(max(xs)), round(max(ys)), line.text, round(line.score, 4))
