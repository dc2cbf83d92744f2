"""Tables, signatures and stamps on a page, found by their shape: ruled lines, loose ink, coloured rings.

A table is where level and upright lines cross; a stamp is a round patch of saturated colour; a signature is the
largest stroke of ink that is neither of these, no straight line and no printed word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from ingest.extract.pages.bars import bars
from ingest.extract.pages.ocr import Box
from ingest.extract.pages.shape import Shape
from kg.errors import RecordError

_SATURATED: Final = 70
_INK: Final = 110
"""Grey level below which a pixel is ink."""
_RIM: Final = 5
"""Pixels within which a shape touches the edge of the picture."""


def seen(found: Sequence[Shape], kind: str) -> list[Shape]:
    """Shapes that belong on a page of a kind: bars on a chart, none on a photograph, else the others."""
    return [] if kind == "photograph" else [s for s in found if (s.kind == "bar") == (kind == "chart")]


def read_shape(found: Sequence[Shape], locator: str) -> str:
    """Kind of the shape that was found in exactly the rectangle of a locator."""
    place = locator.rpartition(" ")[2]
    for shape in found:
        if shape.on().endswith(f" {place}"):
            return shape.kind
    raise RecordError(f"no table, signature, stamp or bar is found at {locator}; the page has others or another size")


def shapes(image: Any, boxes: Sequence[Box] = ()) -> list[Shape]:
    """Shapes on a picture (height x width x 3, red green blue) whose words are known."""
    ruled, lines = _tables(image)
    stamps = list(_stamps(image))
    return [*ruled, *stamps, *_signature(image, [*ruled, *stamps], lines, boxes), *bars(image)]


def _tables(image: Any) -> tuple[list[Shape], Any]:
    """Grids of lines, and the mask of all lines."""
    import cv2
    import numpy as np

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    ink = (cv2.GaussianBlur(grey, (3, 3), 0) < 160).astype(np.uint8)
    high, wide = ink.shape
    slack = cv2.dilate(ink, np.ones((3, 3), np.uint8))
    level = cv2.morphologyEx(slack, cv2.MORPH_OPEN, np.ones((1, max(30, wide // 20)), np.uint8))
    upright = cv2.morphologyEx(slack, cv2.MORPH_OPEN, np.ones((max(25, high // 40), 1), np.uint8))
    lines = cv2.dilate(np.maximum(level, upright), np.ones((5, 5), np.uint8))
    crossed = np.minimum(level, upright)
    found = []
    _, _, stats, _ = cv2.connectedComponentsWithStats(lines)
    for x, y, w, h, _ in stats[1:]:
        crossings, _ = cv2.connectedComponents(crossed[y : y + h, x : x + w])
        table = Shape("table", int(x + 3), int(y + 3), int(x + w - 3), int(y + h - 3))
        if w > wide / 5 and h > 40 and crossings - 1 >= 9 and _edges(table, image) < 3:
            found.append(table)
    return found, lines


def _stamps(image: Any) -> Iterator[Shape]:
    import cv2
    import numpy as np

    colours = cv2.cvtColor(cv2.GaussianBlur(image, (5, 5), 0), cv2.COLOR_RGB2HSV)
    mask = ((colours[:, :, 1] > _SATURATED) & (colours[:, :, 2] > 60)).astype(np.uint8)
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    for number, (x, y, w, h, area) in enumerate(stats[1:], 1):
        if min(w, h) < 60 or not 0.75 < w / h < 1.33 or area < 0.1 * w * h or w > image.shape[1] / 2:
            continue
        part = labels[y : y + h, x : x + w] == number
        corners = [
            part[: h // 8, : w // 8],
            part[: h // 8, -w // 8 :],
            part[-h // 8 :, : w // 8],
            part[-h // 8 :, -w // 8 :],
        ]
        if not any(corner.mean() > 0.15 for corner in corners):  # a ring leaves its corners free
            yield Shape("stamp", int(x), int(y), int(x + w), int(y + h))


def _signature(image: Any, taken: Sequence[Shape], lines: Any, boxes: Sequence[Box]) -> Iterator[Shape]:
    import cv2
    import numpy as np

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    ink = (grey < _INK).astype(np.uint8)
    for shape in taken:
        ink[max(0, shape.y0 - 4) : shape.y1 + 4, max(0, shape.x0 - 4) : shape.x1 + 4] = 0
    for box in boxes:
        if box.score > 0.8 and sum(c.isalnum() for c in box.text) > 2:
            ink[max(0, box.y0) : box.y1, max(0, box.x0) : box.x1] = 0
    joined = cv2.dilate(ink, np.ones((3, 5), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    loose = [
        (int(w), Shape("signature", int(x + 2), int(y + 1), int(x + w - 2), int(y + h - 1)))
        for x, y, w, h, area in stats[1:]
        if w > 90 and 20 < h < w and area < 0.5 * w * h and w < 0.5 * image.shape[1]
    ]
    loose = [pair for pair in loose if not _edges(pair[1], image)]
    if loose:
        yield max(loose, key=lambda pair: pair[0])[1]


def _edges(shape: Shape, image: Any) -> int:
    """How many edges of the picture a shape touches: there lies the dark rim of a scan, not what is on the page."""
    high, wide = image.shape[:2]
    return sum(gap <= _RIM for gap in (shape.x0, shape.y0, wide - shape.x1, high - shape.y1))
