"""Fields of a cheque: who pays whom how much on which day, the figures held against the sum in words.

A cheque whose words and figures differ says no amount: by the Geneva convention on cheques (1931, article 9) the
words would prevail, but what OCR has bent is not to be guessed, so the amount is refused and the rest is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from ingest.extract.pages.fields import Field, after, amount_of, first_date, holding
from ingest.extract.pages.ocr import Box, join

Rows = Sequence[Sequence[Box]]

_PAYEE: Final = re.compile(
    r"^\W*pay(?:ee)?(?: against this che(?:que|ck))?(?: to)?(?: the)?(?: order(?: of)?)?\W*\s+(?P<value>\w.*)$", re.I
)
_ORDER: Final = re.compile(r"^\W*(?:to )?(?:the )?order of\W*\s*(?P<value>\w.*)$", re.I)
_TAIL: Final = re.compile(
    r"\s+(?:or (?:order|bearer)|only)\W*$|\s*(?:[€$£]|\b(?:EUR|USD|GBP|CHF))?\s?\d[\d,. ]*[.,]\d\d\W*$", re.I
)
_DRAWER: Final = re.compile(
    r"^\W*(?:drawer|account (?:name|holder)|for and on behalf of|from)\W*\s+(?P<value>\w.*)$", re.I
)
_FIGURES: Final = re.compile(r"(?:[€$£]|\b(?:EUR|USD|GBP|CHF)\b)\s?[*=#]*\d[\d,. ']*\d[*=#-]*|\*+\d[\d,.]*\d\*+")
_HEAD: Final = re.compile(r"\b(?:che(?:que|ck)|pay|date|no\.?|order|bank|branch|sort code|iban|bic|memo)\b", re.I)
_NUMBER: Final = re.compile(r"\bche(?:que|ck) ?(?:no|number)?\.?\s*[:#]?\s*(?P<value>\d{4,})", re.I)
_ONES: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES: Final = {word: n for n, word in enumerate(_ONES)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_SCALES: Final = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_SPELT: Final = re.compile(rf"\b(?:{'|'.join([*_VALUES, *_SCALES])})\b", re.I)


def cheque(rows: Rows) -> tuple[dict[str, Field], Field | None]:
    """Fields of a cheque, and the amount if it had to be left out because words and figures differ."""
    found: dict[str, Field] = {}
    for row in rows:
        text = join(row)
        for name, pattern in (("payee", _PAYEE), ("payee", _ORDER), ("drawer", _DRAWER), ("number", _NUMBER)):
            if name not in found and (match := pattern.search(text)):
                found[name] = _value(name, row, match)
    if "drawer" not in found and (drawer := _printed(rows)):
        found["drawer"] = drawer
    if date := first_date(rows):
        found["date"] = date
    figures, words = _figures(rows), _words(rows)
    if words:
        found["words"] = words[0]
    if figures and words and not _agree(figures, words[1]):
        return found, figures
    if figures:
        found["amount"] = figures
    return found, None


def _value(name: str, row: Sequence[Box], match: re.Match[str]) -> Field:
    value = _TAIL.sub("", _TAIL.sub("", match["value"])).strip(" .:*")
    boxes = [b for b in after(row, match.start("value")) if not (_FIGURES.fullmatch(b.text.strip()))]
    return Field(name, value, tuple(boxes) or tuple(row))


def _printed(rows: Rows) -> Field | None:
    """The holder of the account is printed at the top left, above or below the bank."""
    for row in rows[:3]:
        if not _HEAD.search(row[0].text) and sum(c.isalpha() for c in row[0].text) > 3:
            return Field("drawer", row[0].text, (row[0],))
    return None


def _figures(rows: Rows) -> Field | None:
    for row in rows:
        if match := _FIGURES.search(join(row)):
            text = re.sub(r"[*=#]", "", match[0]).rstrip("-").strip()
            return Field("amount", text, holding(row, match[0]))
    return None


def _words(rows: Rows) -> tuple[Field, Decimal] | None:
    """The sum in words: the line with most number words, and the next if it goes on there."""
    counts = [len(_SPELT.findall(join(row))) for row in rows]
    if not counts or max(counts) < 2:
        return None
    at = counts.index(max(counts))
    boxes = [
        *rows[at],
        *(rows[at + 1] if at + 1 < len(rows) and (counts[at + 1] or "/100" in join(rows[at + 1])) else []),
    ]
    text = join(boxes)
    return Field("words", text, tuple(boxes)), spelt(text)


def spelt(text: str) -> Decimal:
    """A sum written in English words: `Two thousand and five 40/100` is 2005.40."""
    whole, part = 0, 0
    for word in re.findall(r"[a-z]+", re.split(r"\d\d\s?/\s?100|\bcents?\b|\bpence\b", text.lower())[0]):
        if word in _VALUES:
            part += _VALUES[word]
        elif word == "hundred":
            part = (part or 1) * 100
        elif word in _SCALES:
            whole, part = whole + (part or 1) * _SCALES[word], 0
    cents = re.search(r"(\d\d)\s?/\s?100", text)
    return Decimal(whole + part) + (Decimal(cents[1]) / 100 if cents else 0)


def _agree(figures: Field, words: Decimal) -> bool:
    """True if both say the same; words without cents stand for the whole part."""
    amount = amount_of(figures, "")
    return amount is not None and (amount.amount == words or Decimal(int(amount.amount)) == words)
