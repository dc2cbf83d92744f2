"""Pictures compared by their grey levels: NOT a face matcher, but an example that really compares, for trying out.

The distance is one minus the correlation of both pictures, cut to what is not background and scaled to one size. It
tells a picture from another picture, not a person from another.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from kg.errors import RecordError
from kgrisk.kyc import FaceMatcher

SIDE = 48
DRAWN = 24.0
"""Difference from the colour of the corners from which a pixel is no background."""


class Lookalike(FaceMatcher):
    """One minus the correlation of two aligned crops."""

    version = "lookalike@1"
    threshold = 0.1
    doubt = 0.2
    false_match_rate = 1.0
    false_non_match_rate = 1.0
    measured_on = "nothing: it knows no faces and must decide about nobody"

    def distance(self, reference: bytes, probe: bytes) -> float:
        a, b = _crop(reference, "reference"), _crop(probe, "probe")
        return max(0.0, 1.0 - float(np.corrcoef(a, b)[0, 1]))


def _crop(picture: bytes, name: str) -> Any:
    image = Image.open(io.BytesIO(picture)).convert("L")
    grey = np.asarray(image, np.float64)
    corners = np.median([grey[0, 0], grey[0, -1], grey[-1, 0], grey[-1, -1]])
    ys, xs = np.nonzero(np.abs(grey - corners) > DRAWN)
    if len(xs) < SIDE:
        raise RecordError(f"the {name} shows nothing but background")
    box = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
    return np.asarray(image.crop(box).resize((SIDE, SIDE)), np.float64).ravel()
