"""What a chart prints: title, axis labels, legend, and values only where they stand as numbers beside a bar or point.

The scales are found first (figures at even steps); what is left inside them is legend, annotation or a printed value.
Heights of bars and lines are never measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.extract.pages.fields import Field, first_date
from ingest.extract.pages.kind import is_figure, ticks, value_of
from ingest.extract.pages.ocr import Box, join, lines


def chart(boxes: Sequence[Box]) -> tuple[dict[str, Field], dict[str, tuple[float, tuple[Box, ...]]]]:
    """Fields (title, x label, y label, legend|name, category|name) and printed values by category."""
    scale = ticks(boxes, upright=True)
    left = max((b.x1 for b in scale), default=min(b.x0 for b in boxes))
    bottom = max((b.middle[1] for b in scale), default=max(b.y1 for b in boxes))
    words = [b for b in boxes if b not in scale and sum(c.isalpha() for c in b.text) > 1]
    categories = _categories(boxes, scale, left, bottom)
    bottom = min((b.y0 for b in categories), default=bottom)
    found: dict[str, Field] = {}
    found |= _title(words, scale)
    found |= _labels([b for b in words if b not in categories], left, bottom, categories)
    taken = {box for field in found.values() for box in field.boxes}
    for box in words:
        if box not in taken and box not in categories and box.x0 > left and box.y1 < bottom:
            found[f"legend|{box.text}"] = Field(f"legend|{box.text}", box.text, (box,))
    for box in categories:
        found[f"category|{box.text}"] = Field(f"category|{box.text}", box.text, (box,))
    if date := first_date(lines(boxes)):
        found["date"] = date
    return found, _values(boxes, scale, categories, (left, bottom))


def _title(words: Sequence[Box], scale: Sequence[Box]) -> dict[str, Field]:
    """The words above the scale."""
    top = min((b.y0 for b in scale), default=0)
    above = [b for b in words if b.y1 <= top + (b.y1 - b.y0) and not _tall(b)]
    if not above:
        return {}
    first = max(above, key=lambda b: (b.y1 - b.y0) * len(b.text))
    same = [b for b in above if abs(b.middle[1] - first.middle[1]) < (first.y1 - first.y0)]
    return {"title": Field("title", join(sorted(same, key=lambda b: b.x0)), tuple(same))}


def _labels(words: Sequence[Box], left: float, bottom: float, categories: Sequence[Box]) -> dict[str, Field]:
    """The words below the scale, and those turned up beside it."""
    floor = max((b.y1 for b in categories), default=bottom)
    found: dict[str, Field] = {}
    below = [b for b in words if b.middle[1] > floor and not _tall(b) and b.x0 > left - (b.x1 - b.x0)]
    beside = [b for b in words if b.x1 <= left and _tall(b)]
    if below:
        lowest = max(below, key=lambda b: b.middle[1])
        found["x label"] = Field("x label", lowest.text, (lowest,))
    if beside:
        found["y label"] = Field("y label", beside[0].text, (beside[0],))
    return found


def _tall(box: Box) -> bool:
    return box.y1 - box.y0 > 1.5 * (box.x1 - box.x0)


def _categories(boxes: Sequence[Box], scale: Sequence[Box], left: float, bottom: float) -> list[Box]:
    """Boxes in one row just under the scale."""
    under = sorted(
        (b for b in boxes if b not in scale and b.y0 > bottom - 4 and b.x1 > left), key=lambda b: b.middle[1]
    )
    if not under:
        return []
    first = under[0]
    row = [b for b in under if abs(b.middle[1] - first.middle[1]) < 0.7 * (first.y1 - first.y0)]
    return row if len(row) >= 2 else []


def _values(
    boxes: Sequence[Box], scale: Sequence[Box], categories: Sequence[Box], corner: tuple[float, float]
) -> dict[str, tuple[float, tuple[Box, ...]]]:
    """Figures inside the scales, each with the category below it."""
    found: dict[str, tuple[float, tuple[Box, ...]]] = {}
    for box in boxes:
        value = value_of(box.text)
        inside = box.x0 > corner[0] and box.y1 < corner[1]
        if value is None or not inside or box in scale or not is_figure(box.text):
            continue
        near = [c for c in categories if abs(c.middle[0] - box.middle[0]) < max(c.x1 - c.x0, box.x1 - box.x0)]
        if near:
            nearest = min(near, key=lambda c: abs(c.middle[0] - box.middle[0]))
            found[nearest.text] = (value, (box,))
    return found
