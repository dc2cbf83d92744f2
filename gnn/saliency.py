"""Saliency: which sentence, region, session or second of a value a score rests on, told by taking it away.

Occlusion (Zeiler and Fergus 2014): a part is replaced by what says nothing, the value is encoded anew, and the score
falls by what the part brought,

    weight(part) = score(whole) - score(whole without the part)

It needs no gradient, so it speaks for frozen and trained encoders alike, and its locators are those of the evidence:
characters of the text, a box of the image in pixels, the day of a session, seconds of a recording.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from gnn.encoder import Encoder
from gnn.sound import RATE, wave
from gnn.tensors import Features, GraphTensors
from gnn.values import packed, unpacked
from kg.errors import MissingExtraError, ModelError

Score = Callable[[Tensor], float]
"""The score of a vector (dim,) in place of the value's own."""
Part = tuple[str, Any]
"""Locator of a part, and the value without it."""
SENTENCE: Final = re.compile(r"\S.*?(?:[.!?](?=\s)|$)", re.DOTALL)
CELLS: Final = 6
"""An image is cut into CELLS x CELLS regions."""
SECOND: Final = 1.0
"""Seconds of a recording that are silenced at once."""


@dataclass(frozen=True)
class Mark:
    """A part of a value and what it brought to a score."""

    locator: str
    """`chars:10-42`, `box:0,30,60,60`, `day:2020-03-16` or `time:2.00-3.00`."""
    weight: float
    """By how much the score falls without it; below zero where it spoke against."""


def salient(encoder: Encoder, value: Any, score: Score) -> list[Mark]:
    """Every part of a value, what brought most first. ModelError if its modality has no parts."""
    if encoder.modality not in PARTS:
        raise ModelError(f"no saliency for {encoder.modality}; there is one for {', '.join(sorted(PARTS))}")
    whole = score(encoder.encode([value])[0])
    marks = [
        Mark(where, whole - score(vector))
        for where, rest in PARTS[encoder.modality](value)
        if (vector := _encoded(encoder, rest)) is not None
    ]
    return sorted(marks, key=lambda mark: (-mark.weight, mark.locator))


def in_graph(graph: GraphTensors, modality: str, row: int, tell: Callable[[GraphTensors], float]) -> Score:
    """A score for `salient`: what a model tells of a graph with another vector of one node in place of its own."""
    own = graph.features[modality]
    place = (own.rows == row).nonzero().squeeze(1)
    if not len(place):
        raise ModelError(f"node {graph.ids[row]} has no {modality}; name one of {len(own.rows)} that have")

    def score(vector: Tensor) -> float:
        changed = Features(own.rows, own.values.index_copy(0, place, vector[None].to(own.values.dtype)))
        with torch.no_grad():
            return tell(graph.with_features({**graph.features, modality: changed}))

    return score


def _encoded(encoder: Encoder, value: Any) -> Tensor | None:
    """None for what is left where it says nothing at all any more."""
    try:
        return encoder.encode([value])[0]
    except ModelError:
        return None


def sentences(value: str) -> Iterator[Part]:
    """A text without each of its sentences; where there is one only, without each of its words."""
    spans = [match.span() for match in SENTENCE.finditer(value)]
    if len(spans) == 1:
        spans = [match.span() for match in re.finditer(r"\S+", value)]
    for start, end in spans:
        yield f"chars:{start}-{end}", value[:start] + value[end:].lstrip()


def regions(value: bytes) -> Iterator[Part]:
    """An image with each region of a grid painted in the mean colour of the whole."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("saliency of images needs pillow; install kgrisk[images]") from error
    with Image.open(io.BytesIO(value)) as opened:
        image = opened.convert("RGB")
    mean = tuple(int(shade) for shade in np.asarray(image).reshape(-1, 3).mean(0))
    across, down = (np.linspace(0, size, CELLS + 1).round().astype(int).tolist() for size in image.size)
    for top, bottom in pairwise(down):
        for left, right in pairwise(across):
            rest, buffer = image.copy(), io.BytesIO()
            rest.paste(mean, (left, top, right, bottom))
            rest.save(buffer, "PNG")
            yield f"box:{left},{top},{right},{bottom}", buffer.getvalue()


def days(value: bytes) -> Iterator[Part]:
    """A series as if the close had not moved on each of its sessions: all before it are shifted by that return."""
    rows = unpacked(value)
    for number in range(1, len(rows)):
        rest = rows.copy()
        rest[:number, 1] *= rows[number, 1] / rows[number - 1, 1]
        yield f"day:{datetime.fromtimestamp(rows[number, 0] / 1e6, UTC).date()}", packed(rest)


def seconds(value: Any) -> Iterator[Part]:
    """A recording with each second silenced."""
    samples = wave(value)
    for at in range(0, len(samples), int(SECOND * RATE)):
        end = min(at + int(SECOND * RATE), len(samples))
        rest = samples.copy()
        rest[at:end] = 0.0
        yield f"time:{at / RATE:.2f}-{end / RATE:.2f}", rest


PARTS: Final[dict[str, Callable[[Any], Iterator[Part]]]] = {
    "text": sentences,
    "image": regions,
    "series": days,
    "audio": seconds,
}
"""What the values of a modality are made of."""


def shares(marks: Sequence[Mark]) -> list[Mark]:
    """The marks that spoke for the score, as shares of all that did."""
    total = sum(mark.weight for mark in marks if mark.weight > 0)
    return [Mark(mark.locator, mark.weight / total) for mark in marks if mark.weight > 0]
