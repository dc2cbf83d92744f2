"""What a page shows: receipt, invoice, cheque, chart, table, letter or another picture, told by words and layout.

Each kind has words that its forms print and shapes that it stands in; the kind with the greatest sum of weights wins.
A linear rule over few readable features is preferred to a network: pages to learn from are scarce, and every verdict
can be read off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from ingest.extract.pages.ocr import Box, join, lines

KINDS: Final = ("receipt", "invoice", "cheque", "chart", "table", "letter", "photograph")
_CUES: Final[Mapping[str, Sequence[tuple[str, float]]]] = {
    "receipt": (
        (r"\bcash(?:ier)?\b", 1.0),
        (r"\bchange\b", 1.0),
        (r"\breceipt\b", 1.5),
        (r"\bthank ?you\b|\bmerci\b|come again", 1.2),
        (r"\brounding|rounded|tendered?\b", 1.0),
        (r"\bcard\b|\bvisa\b|mastercard|paid by", 0.6),
        (r"\btill\b|\btable\b|\bpos\b|\bqty\b|server\b", 0.6),
        (r"\btotal\b", 0.6),
        (r"\b\d{1,2}:\d\d(?::\d\d)?\b", 0.8),
        (r"\bgst\b|\bvat incl", 0.6),
    ),
    "invoice": (
        (r"\binvoice (?:no|number|#|date)|\binvoice\b", 1.5),
        (r"\bbill(?:ed)? to\b|\binvoice to\b|\bcustomer\b", 1.8),
        (r"\bdue date\b|\bpayment due\b|\bpayable (?:by|within)|\bterms\b|\bbalance due\b", 1.6),
        (r"\bunit price\b|\bqty\b|\bquantity\b", 0.6),
        (r"\biban\b|\bbic\b|\bswift\b|\bbank details\b", 1.0),
        (r"\bvat (?:no|id|reg)|\btax id\b|\bpurchase order\b|\bpo (?:no|number)\b", 0.7),
        (r"\bsubtotal\b|\bamount due\b|\btotal due\b", 0.6),
    ),
    "cheque": (
        (r"\bpay (?:to )?(?:the )?(?:order|against)|^pay\b|\bpay to\b", 2.0),
        (r"\border of\b|\bor (?:order|bearer)\b", 1.5),
        (r"\bche(?:que|ck) (?:no|number)|\bche(?:que|ck)\b", 1.5),
        (r"\bsum of\b|\bonly\b|and \d\d/100|\bdollars\b|\bpounds\b", 1.0),
        (r"account payee|not negotiable|\bmemo\b|\bdrawer\b|authori[sz]ed signat", 1.2),
    ),
    "letter": (
        (r"\bdear\b", 2.0),
        (r"\byours (?:sincerely|faithfully|truly)|\bsincerely\b|\bregards\b", 2.0),
        (r"\bnotice\b|\bstatement\b|\bundersigned\b|\bhereby\b", 1.0),
        (r"\b(?:lender|borrower)\b", 1.2),
        (r"\b(?:agreement|contract|deed)\b", 1.5),
        (r"\bshall\b", 1.5),
        (r"\bre:|\bsubject:", 0.8),
    ),
}
_PATTERNS: Final = {
    kind: tuple((re.compile(cue, re.I | re.M), weight) for cue, weight in cues) for kind, cues in _CUES.items()
}
_FIGURE: Final = re.compile(r"[-−–(]?[€$£]?\s?\d[\d.,' ]*\)?\s?[%kKmMbB]?")


def page_type(boxes: Sequence[Box]) -> tuple[str, float]:
    """The kind of a page and how clear the verdict is, 0 to 1."""
    words = sum(len(box.text.split()) for box in boxes if any(c.isalnum() for c in box.text))
    if words < 6:
        return "photograph", 0.8
    marks = features(boxes)
    first, second = sorted(marks, key=lambda kind: (-marks[kind], kind))[:2]
    lead = marks[first] - marks[second]
    return first, round(min(1.0, 0.5 + lead / 6), 2)


def features(boxes: Sequence[Box]) -> dict[str, float]:
    """Weight of each kind, by words first and by shape next."""
    rows = lines(boxes)
    text = "\n".join(join(row) for row in rows)
    marks = {kind: sum(w for cue, w in cues if cue.search(text)) for kind, cues in _PATTERNS.items()}
    widths = [len(join(row).split()) for row in rows]
    long_lines = sum(width >= 7 for width in widths) / len(rows)
    marks["letter"] += 4.0 * long_lines
    marks["receipt"] += 1.2 if _narrow(boxes) else 0.0
    marks["cheque"] += 0.8 if len(rows) <= 14 and marks["cheque"] else 0.0
    marks["chart"] = _chart(boxes)
    marks["table"] = _table(rows) - 0.6 * max(marks["receipt"], marks["invoice"]) - 2.0 * long_lines
    marks["photograph"] = 1.0 if sum(b.score for b in boxes) / len(boxes) < 0.7 else 0.2
    return marks


def is_figure(text: str) -> bool:
    return bool(_FIGURE.fullmatch(text.strip()))


def _narrow(boxes: Sequence[Box]) -> bool:
    """True if what is printed is a strip, higher than wide."""
    wide = max(b.x1 for b in boxes) - min(b.x0 for b in boxes)
    high = max(b.y1 for b in boxes) - min(b.y0 for b in boxes)
    return high > 1.2 * wide


def value_of(text: str) -> float | None:
    """The number that a tick or cell shows, None for words."""
    bare = re.sub(r"[^\d.,−–-]", "", text).replace("−", "-").replace("–", "-").replace(",", "")
    try:
        return float(bare) if is_figure(text) else None
    except ValueError:
        return None


def ticks(boxes: Sequence[Box], upright: bool) -> list[Box]:
    """Boxes of an axis: figures in one column (or row) at even steps, whose values rise or fall evenly."""
    best: list[Box] = []
    figures = [b for b in boxes if value_of(b.text) is not None]
    for seed in figures:
        reach = (seed.y1 - seed.y0) * 0.8
        if upright:
            axis = sorted((b for b in figures if abs(b.x1 - seed.x1) < reach), key=lambda b: b.middle[1])
        else:
            axis = sorted((b for b in figures if abs(b.middle[1] - seed.middle[1]) < reach), key=lambda b: b.middle[0])
        if len(axis) > max(2, len(best)) and _even(axis, upright):
            best = axis
    return best


def _even(axis: Sequence[Box], upright: bool) -> bool:
    """True if place and value go together as on a scale."""
    at = [b.middle[1] if upright else b.middle[0] for b in axis]
    values = [value_of(b.text) or 0.0 for b in axis]
    steps = {round(b - a, 6) for a, b in pairwise(values)}
    gaps = [b - a for a, b in pairwise(at)]
    middle = median(gaps)
    return len(steps) == 1 and 0.0 not in steps and all(abs(gap - middle) < 0.25 * middle + 2 for gap in gaps)


def _chart(boxes: Sequence[Box]) -> float:
    """Scales on one or both sides of little text."""
    upright, level = ticks(boxes, True), ticks(boxes, False)
    return 3.2 * (len(upright) >= 3) + 1.0 * (len(level) >= 3) + 0.8 * (len(upright) >= 5)


def _table(rows: Sequence[Sequence[Box]]) -> float:
    """Lines of several cells, most of them figures, under one another."""
    full = [row for row in rows if len(row) >= 3]
    if len(full) < 3:
        return 0.0
    cells = [box for row in full for box in row[1:]]
    figures = sum(is_figure(box.text) for box in cells) / len(cells)
    return 2.0 * len(full) / len(rows) + 2.0 * (figures > 0.5) + 0.8 * (len(full) >= 5)
