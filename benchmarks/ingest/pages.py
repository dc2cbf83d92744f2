"""Kinds of pages, fields of drawn forms, and shapes on them, against what the drawing program knows to be true.

The pictures are drawn by benchmarks/page_pictures.py, whose author also wrote the rules: the figures on drawn pages
tell how far print, noise and small turns are borne, not how the rules fare on forms of other makers. The 18 real
receipts are such forms. The baseline is the nearest mean colour histogram of other drawn pages (and, so as not to
punish it for unseen paper, of every second real receipt, tested on the others).
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.figure import Figure, real_data
from benchmarks.page_pictures import pictures
from benchmarks.page_sheet import Picture
from ingest.extract.pages.fields import amount_of, day_of
from ingest.extract.pages.kind import page_type
from ingest.extract.pages.ocr import Box, PageReader
from ingest.extract.pages.per_kind import Reading, read_page
from ingest.extract.pages.pixels import pixels
from ingest.extract.pages.stamps import shapes

TRAIN, TEST, EACH = 1, 2, 8
FORMS: Final = ("invoice", "cheque", "chart", "table")


def histogram(content: bytes) -> Any:
    """Share of pixels in each of 8 x 8 x 8 colours."""
    counts, _ = np.histogramdd(pixels(content).reshape(-1, 3), bins=8, range=[(0, 256)] * 3)
    return counts.ravel() / counts.sum()


def nearest_histogram(known: Sequence[tuple[str, bytes]], asked: Sequence[bytes]) -> list[str]:
    """Kind whose mean histogram is nearest."""
    by_kind: dict[str, list[Any]] = defaultdict(list)
    for kind, content in known:
        by_kind[kind].append(histogram(content))
    means = {kind: np.mean(found, axis=0) for kind, found in by_kind.items()}
    return [_nearest(means, histogram(content)) for content in asked]


def _nearest(means: Mapping[str, Any], asked: Any) -> str:
    return min(means, key=lambda kind: float(np.abs(means[kind] - asked).sum()))


def right_fields(picture: Picture, reading: Reading) -> tuple[int, int]:
    """How many of the picture's fields were read, and how many it has."""
    if picture.kind == "table":
        told = {key: str(value) for key, (value, _) in reading.figures.items()}
        good = sum(
            float(value.replace(",", "")) == float(told.get(key, "nan")) for key, value in picture.fields.items()
        )
        return good, len(picture.fields)
    return sum(_is_right(name, value, reading) for name, value in picture.fields.items()), len(picture.fields)


def _is_right(name: str, value: str, reading: Reading) -> bool:
    if name.startswith("value "):
        return reading.figures.get(name.removeprefix("value "), (None,))[0] == float(value)
    found = reading.fields.get(name)
    if found is None:
        return False
    if name == "date":
        when = day_of(found)
        return when is not None and when.date().isoformat() == value
    if name in ("amount", "total"):
        amount = amount_of(found, "")
        return amount is not None and float(amount.amount) == float(value)
    return _plain(found.text) == _plain(value)


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Intersection over union of two rectangles."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(0.0, wide) * max(0.0, high)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def shape_overlaps(picture: Picture, boxes: Sequence[Box]) -> tuple[dict[str, list[float]], dict[str, int]]:
    """IoU of each true shape with the best found of its kind, and how many were found where none is."""
    found = shapes(pixels(picture.content), boxes)
    best: dict[str, list[float]] = defaultdict(list)
    for kind, box in picture.shapes.items():
        same = [overlap(box, (s.x0, s.y0, s.x1, s.y1)) for s in found if s.kind == kind]
        best[kind].append(max(same, default=0.0))
    extra: dict[str, int] = defaultdict(int)
    for shape in found:
        extra[shape.kind] += shape.kind not in picture.shapes
    return best, extra


def measure() -> list[Figure]:
    drawn, real = pictures(TEST, EACH), sorted((real_data() / "receipts" / "img").glob("*.jpg"))
    began, reader = time.process_time(), PageReader()
    boxes = [reader.read(picture.content) for picture in drawn]
    cpu = (time.process_time() - began) / len(drawn)
    return [*_kinds(drawn, boxes, real), *_forms(drawn, boxes), *_shapes(drawn, boxes), _cost(cpu)]


def _cost(cpu: float) -> Figure:
    return Figure("pages: CPU seconds to read a drawn page", cpu, least=False, unit="s")


def _kinds(drawn: Sequence[Picture], boxes: Sequence[Sequence[Box]], real: Sequence[Path]) -> list[Figure]:
    said = [page_type(b)[0] for b in boxes]
    receipts = [page_type(PageReader().read(file.read_bytes()))[0] == "receipt" for file in real]
    known = [(p.kind, p.content) for p in pictures(TRAIN, EACH)] + [("receipt", f.read_bytes()) for f in real[0::2]]
    asked = real[1::2]
    guessed = nearest_histogram(known, [p.content for p in drawn] + [f.read_bytes() for f in asked])
    good = sum(g == p.kind for g, p in zip(guessed, drawn, strict=False))
    hist = (good + sum(g == "receipt" for g in guessed[len(drawn) :])) / len(guessed)
    right = [s == p.kind for s, p in zip(said, drawn, strict=True)]
    ours = (sum(right) + sum(receipts[1::2])) / len(guessed)
    wrong = sorted({f"{p.kind} as {s}" for s, p in zip(said, drawn, strict=True) if s != p.kind})
    return [
        Figure("pages: kind right, drawn and every second real receipt", ours, hist, note="aim: the histogram's"),
        Figure("pages: the same by nearest colour histogram", hist),
        Figure("pages: kind right on drawn pages", sum(right) / len(right), note=", ".join(wrong)),
        Figure("pages: real receipts called receipts", sum(receipts) / len(receipts), note=f"of {len(receipts)}"),
    ]


def _forms(drawn: Sequence[Picture], boxes: Sequence[Sequence[Box]]) -> list[Figure]:
    counts: dict[str, list[int]] = {kind: [0, 0] for kind in (*FORMS, "receipt")}
    for picture, found in zip(drawn, boxes, strict=True):
        if picture.kind in counts:
            good, asked = right_fields(picture, read_page(found))
            counts[picture.kind][0] += good
            counts[picture.kind][1] += asked
    return [
        Figure(f"pages: fields right on a drawn {kind}", good / asked, note=f"{good} of {asked}")
        for kind, (good, asked) in counts.items()
    ]


def _shapes(drawn: Sequence[Picture], boxes: Sequence[Sequence[Box]]) -> list[Figure]:
    every: dict[str, list[float]] = defaultdict(list)
    extra: Mapping[str, int] = defaultdict(int)
    for picture, found in zip(drawn, boxes, strict=True):
        if picture.kind not in ("chart", "photograph"):
            best, more = shape_overlaps(picture, found)
            for kind, values in best.items():
                every[kind] += values
            extra = {kind: extra.get(kind, 0) + more.get(kind, 0) for kind in {*extra, *more}}
    return [
        Figure(
            f"pages: mean IoU of {kind}s",
            float(np.mean(values)),
            note=f"{sum(v >= 0.5 for v in values)} of {len(values)} at 0.5 or more; {extra.get(kind, 0)} where none is",
        )
        for kind, values in sorted(every.items())
    ]
