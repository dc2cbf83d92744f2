"""Sentences of a text as character spans; a dot in a name, form or abbreviation ends none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_STOP: Final = re.compile(r"[.!?][\"”’')\]]*\s+(?=[\"“‘'(\[]?[^\sa-z])")
_LINE: Final = re.compile(r"\s*\n\s*(?=[^\sa-z])")
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(\"“])(?:Mr|Mrs|Ms|Dr|Prof|Sir|St|No|Nos|vs|v|Art|Sec|approx|ca|cf|e\.g|i\.e|etc|Mio|Mrd|Rs|Jan|Feb|Mar|Apr|Jun|"
    r"Jul|Aug|Sep|Sept|Oct|Nov|Dec|Gen|Sen|Rep|Hon|Rev|Messrs|Bros|[A-Z])\.$"
)
_FORM: Final = re.compile(
    r"(?:^|\s)(?:Inc|Corp|Co|Cos|Ltd|Bhd|Pty|Jr|Sr|a\.m|p\.m|(?:[A-Z]\.)+[A-Z]|S\.p\.A|S\.r\.l)\.$"
)
_WITHIN: Final = re.compile(
    r"[(\[]|(?:Chairman|Chairwoman|Chair|Chief|CEO|CFO|COO|President|Director|Executive|Vice|Senior|Group|Holdings?|"
    r"Corp|Inc|Ltd|LLC|"
    r"Class|Common|Series|Form|Shares?|Stock|Notes?|Treasury|Congress|Senate|Department|District|Court|"
    r"Government|[A-Z]+:)\b"
)
"""Words that go on with a sentence after `Acme Inc.` or `U.S.`, rather than open the next."""


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence, without white space around it. A line that opens with no small letter is new."""
    start = 0
    for stop in sorted({*_stops(text), len(text)}):
        left = start + len(text[start:stop]) - len(text[start:stop].lstrip())
        right = start + len(text[start:stop].rstrip())
        if left < right:
            yield left, right
        start = stop


def _stops(text: str) -> Iterator[int]:
    yield from (m.end() for m in _LINE.finditer(text))
    for match in _STOP.finditer(text):
        if not _inside(text, match):
            yield match.end()


def _inside(text: str, match: re.Match[str]) -> bool:
    """True if this dot belongs to an abbreviation, or to a legal form that the sentence goes on after."""
    if text[match.start()] != ".":
        return False
    before = text[max(0, match.start() - 12) : match.start() + 1]
    if _ABBREVIATION.search(before):
        return True
    return bool(_FORM.search(before)) and bool(_WITHIN.match(text, match.end()))
