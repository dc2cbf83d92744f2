"""The sheet that page pictures are drawn on: text, signatures, stamps, and how it comes to look like a scan."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Rectangle = tuple[float, float, float, float]
FACES: Final = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "DejaVuSans-Bold", "STIXGeneral")


@dataclass(frozen=True)
class Picture:
    """A drawn page and the truth about it."""

    kind: str
    content: bytes
    fields: Mapping[str, str] = field(default_factory=dict)
    shapes: Mapping[str, Rectangle] = field(default_factory=dict)
    """Rectangles of `table`, `signature` and `stamp`, in pixels."""


@dataclass
class Sheet:
    """A page while it is drawn."""

    random: Random
    width: int
    height: int
    image: Image.Image = field(init=False)
    shapes: dict[str, Rectangle] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.image = Image.new("RGB", (self.width, self.height), (255, 255, self.random.randint(246, 255)))
        self.pen = ImageDraw.Draw(self.image)
        self.face = self.random.choice(FACES)

    def write(self, x: float, y: float, text: str, size: int = 22) -> float:
        """Text at a place; returns its right end."""
        font = _font(self.face, size)
        self.pen.text((x, y), text, (20, 20, 30), font=font)
        return x + self.pen.textlength(text, font=font)

    def right(self, x: float, y: float, text: str, size: int = 22) -> None:
        self.write(x - self.pen.textlength(text, font=_font(self.face, size)), y, text, size)

    def signature(self, x: float, y: float) -> None:
        """A wavering stroke of ink."""
        span, high = self.random.randint(170, 260), self.random.randint(26, 40)
        phase = self.random.random() * 6
        points = [
            (x + span * t / 90, y + high * (math.sin(t / 4 + phase) * 0.55 + math.sin(t / 9) * 0.45)) for t in range(91)
        ]
        self.pen.line(points, (25, 30, 110), 4, joint="curve")
        self.shapes["signature"] = (x, min(p[1] for p in points), x + span, max(p[1] for p in points))

    def stamp(self, x: float, y: float) -> None:
        """A coloured ring with a word in it."""
        radius = self.random.randint(55, 80)
        colour = self.random.choice(((190, 30, 40), (30, 60, 170), (120, 20, 130)))
        for inset in (0, 8):
            box = (x + inset, y + inset, x + 2 * radius - inset, y + 2 * radius - inset)
            self.pen.ellipse(box, outline=colour, width=4)
        self.pen.text(
            (x + radius * 0.5, y + radius * 0.82), "PAID", colour, font=_font("DejaVuSans", int(radius * 0.4))
        )
        self.shapes["stamp"] = (x, y, x + 2 * radius, y + 2 * radius)


def _font(face: str, size: int) -> Any:
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{face}.ttf"), size)


def finish(sheet: Sheet, kind: str, fields: Mapping[str, str]) -> Picture:
    """The sheet as a scan: turned a little, blurred, with noise."""
    random, image = sheet.random, sheet.image
    angle, spread = random.uniform(-2.0, 2.0), random.uniform(0, 14)
    white = (250, 250, 250)
    turned = image.rotate(angle, Image.Resampling.BICUBIC, expand=False, fillcolor=white)
    turned = turned.filter(ImageFilter.GaussianBlur(random.uniform(0, 0.8)))
    noise = np.random.default_rng(random.randint(0, 1 << 30)).normal(0, spread, (turned.height, turned.width, 1))
    pixels = np.clip(np.asarray(turned, np.float64) + noise, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    shapes = {name: _turned(box, angle, image.size) for name, box in sheet.shapes.items()}
    return Picture(kind, buffer.getvalue(), dict(fields), shapes)


def _turned(box: Rectangle, angle: float, size: tuple[int, int]) -> Rectangle:
    """The rectangle around a rectangle that was turned with its page."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    middle = (size[0] / 2, size[1] / 2)
    points = [
        (
            middle[0] + (x - middle[0]) * cos + (y - middle[1]) * sin,
            middle[1] - (x - middle[0]) * sin + (y - middle[1]) * cos,
        )
        for x in (box[0], box[2])
        for y in (box[1], box[3])
    ]
    return min(p[0] for p in points), min(p[1] for p in points), max(p[0] for p in points), max(p[1] for p in points)
