"""Words on a page image: OCR by PP-OCRv6 (its weights lie in the rapidocr wheel), box by box, on one thread.

The result depends on the bytes of the image alone, so boxes are kept by digest: reading a locator back runs no OCR
again. Coordinates are whole pixels from the top left corner of the image as stored.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from kg.errors import MissingExtraError, RecordError
from kg.model import digest

ENGINE: Final = "rapidocr-ppocr6s-1"
"""Part of the name of every kept result: raise the number when settings change what is read."""
MAX_PIXELS: Final = 60_000_000
_LOCATOR: Final = re.compile(r"page:1 box:(\d+),(\d+),(\d+),(\d+)")


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

    @property
    def middle(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2


class PageReader:
    """Reads page images; with a folder given, boxes are kept there between runs."""

    def __init__(self, cache: Path | None = None) -> None:
        self.folder = cache / "ocr" if cache else None

    def read(self, content: bytes) -> tuple[Box, ...]:
        """Boxes in reading order; RecordError if the bytes are no image."""
        kept = self.folder / f"{digest(content)}.{ENGINE}.json" if self.folder else None
        if kept and kept.exists():
            return tuple(Box(**row) for row in json.loads(kept.read_text()))
        boxes = _read(content)
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            part = kept.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps([asdict(b) for b in boxes], ensure_ascii=False))
            part.replace(kept)
        return boxes


def read_box(content: bytes, locator: str, reader: PageReader | None = None) -> str:
    """The words in the rectangle of a `page:1 box:x0,y0,x1,y1` locator, in reading order."""
    match = _LOCATOR.fullmatch(locator)
    if not match:
        raise RecordError(f"locator {locator!r}: expected page:1 box:x0,y0,x1,y1 in whole pixels")
    x0, y0, x1, y1 = (int(n) for n in match.groups())
    inside = [b for b in (reader or PageReader()).read(content) if x0 <= b.middle[0] <= x1 and y0 <= b.middle[1] <= y1]
    if not inside:
        raise RecordError(f"no words in {locator}; the image has other words or another size")
    return join(inside)


def locator(boxes: Sequence[Box]) -> str:
    """The locator of the smallest rectangle around these boxes."""
    return (
        f"page:1 box:{min(b.x0 for b in boxes)},{min(b.y0 for b in boxes)},"
        f"{max(b.x1 for b in boxes)},{max(b.y1 for b in boxes)}"
    )


def join(boxes: Sequence[Box]) -> str:
    return " ".join(b.text for b in boxes)


def lines(boxes: Sequence[Box]) -> list[list[Box]]:
    """Boxes that stand side by side, line by line from the top, each line from the left."""
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


@lru_cache(maxsize=1)
def _engine() -> Any:
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise MissingExtraError("reading page images needs rapidocr; install kgrisk[images]") from error
    one = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    return RapidOCR(params={**one, "Global.log_level": "error", "Global.use_cls": False})


@lru_cache(maxsize=64)
def _read(content: bytes) -> tuple[Box, ...]:
    result = _engine()(_pixels(content))
    if result.boxes is None:
        return ()
    found = list(_boxes(result))
    return tuple(box for line in lines(found) for box in line)


def _boxes(result: Any) -> Iterator[Box]:
    for corners, text, score in zip(result.boxes, result.txts, result.scores, strict=True):
        xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
        if words := " ".join(str(text).split()):
            yield Box(int(min(xs)), int(min(ys)), round(max(xs)), round(max(ys)), words, round(float(score), 4))


def _pixels(content: bytes) -> Any:
    """The image as an array of blue, green, red; RecordError for what is no picture."""
    import cv2
    import numpy as np

    if not content:
        raise RecordError("the image has no bytes; expected PNG or JPEG")
    if content[:4] != b"\x89PNG" and content[:3] != b"\xff\xd8\xff":
        raise RecordError(f"the file begins with {content[:8]!r}; expected PNG or JPEG")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # a broken file is told by our error
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise RecordError(
            f"the {len(content)} bytes begin like a picture but cannot be decoded; it is cut off or damaged"
        )
    if image.shape[0] * image.shape[1] > MAX_PIXELS:
        raise RecordError(f"the image has {image.shape[1]} x {image.shape[0]} pixels; at most {MAX_PIXELS} are read")
    return image
