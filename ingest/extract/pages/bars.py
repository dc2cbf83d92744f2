"""Bars of a chart: filled rectangles of one colour that stand on one line.

Only what makes them bars is looked at, their number and place: heights are not measured against the scale.
"""

from __future__ import annotations

from statistics import median
from typing import Any, Final

from ingest.extract.pages.shape import Shape

_SATURATED: Final = 60
_FILLED: Final = 0.85
"""Share of its rectangle that a bar fills."""


def bars(image: Any) -> list[Shape]:
    """Bars on a picture (height x width x 3, red green blue) from the left; [] if there are fewer than two."""
    import cv2
    import numpy as np

    colours = cv2.cvtColor(cv2.medianBlur(image, 5), cv2.COLOR_RGB2HSV)
    mask = ((colours[:, :, 1] > _SATURATED) & (colours[:, :, 2] > 50)).astype(np.uint8)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 7), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(opened)
    solid = [
        Shape("bar", int(x), int(y), int(x + w), int(y + h))
        for x, y, w, h, area in stats[1:]
        if w >= 12 and h >= 6 and area > _FILLED * w * h and w < image.shape[1] / 2
    ]
    solid = [bar for bar in solid if bar.y1 > image.shape[0] / 2]  # above stand legends
    if len(solid) < 2:
        return []
    wide = median(bar.x1 - bar.x0 for bar in solid)
    foot = max(bar.y1 for bar in solid)
    slack = max(4.0, 0.04 * image.shape[1])  # a page may be turned a little
    found = [b for b in solid if abs(b.y1 - foot) < slack and 0.7 * wide < b.x1 - b.x0 < 1.4 * wide]
    return sorted(found, key=lambda bar: bar.x0) if len(found) > 1 else []
