"""Augmentation: more training examples from few, by changes that leave the label and the marked entities as they are.

Text: words are exchanged for synonyms, names for other names; spans move with their text (Wei and Zou 2019, without
their deletions, which can remove what carries the label). Images: turned, scaled, cropped, and covered with noise.
Everything is drawn from the generator given, so that the same seed gives the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator

from gnn.encoders.image import HINT
from kg.errors import MissingExtraError, ModelError

Span = tuple[int, int]

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    word: tuple(other for other in group if other != word)
    for group in (
        ("loan", "credit", "advance"),
        ("bought", "acquired", "purchased"),
        ("firm", "company", "business"),
        ("fell", "dropped", "declined"),
        ("rose", "climbed", "increased"),
        ("said", "stated", "declared"),
        ("profit", "earnings", "income"),
        ("sued", "took to court"),
        ("chief", "head"),
        ("cut", "lowered", "reduced"),
        ("large", "big", "sizeable"),
        ("repay", "settle", "redeem"),
        ("missed", "failed to make"),
        ("supplies", "delivers", "provides"),
        ("agreed", "consented"),
        ("yearly", "annual"),
        ("debt", "borrowings"),
        ("stake", "holding", "interest"),
    )
    for word in group
    if " " not in word
}
"""Words of finance that can stand for each other; a phrase is put in but never looked for."""
_WORD: Final = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Marked:
    """A text and where its entities stand."""

    text: str
    spans: tuple[Span, ...] = ()

    def names(self) -> list[str]:
        return [self.text[start:end] for start, end in self.spans]


def with_synonyms(marked: Marked, random: Generator, rate: float = 0.3) -> Marked:
    """Each word that has synonyms and lies in no entity is exchanged with probability `rate`."""
    changes: list[tuple[int, int, str]] = []
    for found in _WORD.finditer(marked.text):
        inside = any(start < found.end() and found.start() < end for start, end in marked.spans)
        if not inside and found[0] in SYNONYMS and random.random() < rate:
            changes.append((*found.span(), str(random.choice(SYNONYMS[found[0]]))))
    return _changed(marked, changes)


def with_other_names(marked: Marked, names: Sequence[str], random: Generator) -> Marked:
    """Every entity is called by another name; what is called alike stays alike. ModelError with too few names."""
    called = sorted(set(marked.names()))
    free = [name for name in names if name not in called]
    if len(free) < len(called):
        raise ModelError(f"{len(called)} entities need as many other names, {len(free)} are given; give more names")
    drawn = dict(zip(called, random.choice(free, len(called), replace=False).tolist(), strict=True))
    return _changed(marked, [(s, e, drawn[marked.text[s:e]]) for s, e in sorted(marked.spans)])


def _changed(marked: Marked, changes: Sequence[tuple[int, int, str]]) -> Marked:
    """The text with pieces exchanged, in order and without overlap, and its spans moved along."""
    pieces: list[str] = []
    moves: list[tuple[int, int, int]] = []
    at = shift = 0
    for start, end, new in changes:
        pieces += [marked.text[at:start], new]
        shift += len(new) - (end - start)
        moves.append((start, end, shift))
        at = end
    text = "".join([*pieces, marked.text[at:]])

    def moved(place: int, closing: bool) -> int:
        return place + next((s for start, end, s in reversed(moves) if (end if closing else start + 1) <= place), 0)

    return Marked(text, tuple((moved(start, False), moved(end, True)) for start, end in marked.spans))


@dataclass(frozen=True, slots=True)
class Jitter:
    """How far an image may be changed."""

    degrees: float = 8.0
    """Largest turn to either side."""
    scale: float = 0.15
    """Largest share by which it is made smaller or larger."""
    crop: float = 0.1
    """Largest share of width and height that is cut away."""
    noise: float = 8.0
    """Largest standard deviation of added grey levels, of 255."""


def with_changed_image(image: bytes, random: Generator, jitter: Jitter = Jitter()) -> bytes:
    """A PNG of the same size, turned, scaled, cropped and covered with noise. ModelError for what is no image."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise MissingExtraError(HINT) from error
    try:
        with Image.open(io.BytesIO(image)) as opened:
            given = opened.convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise ModelError(f"{len(image)} bytes are no image that can be changed ({error})") from error
    turned = given.rotate(random.uniform(-1, 1) * jitter.degrees, Image.Resampling.BILINEAR, fillcolor=_paper(given))
    zoom = 1 + random.uniform(-1, 1) * jitter.scale
    left, top = (int(side * random.uniform(0, jitter.crop)) for side in given.size)
    width, height = (max(1, int(side / zoom * (1 - jitter.crop))) for side in given.size)
    cropped = turned.crop((left, top, left + width, top + height)).resize(given.size, Image.Resampling.BILINEAR)
    grey = random.normal(0, random.uniform(0, jitter.noise), (*reversed(given.size), 1))
    array = np.clip(np.asarray(cropped, dtype=np.float32) + grey, 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG")
    return out.getvalue()


def _paper(image: object) -> tuple[int, ...]:
    """Colour of the corners, which what is turned into view should have."""
    corners = np.asarray(image)[[0, 0, -1, -1], [0, -1, 0, -1]]
    return tuple(int(level) for level in np.median(corners, axis=0))
