"""Sentences of a text as character spans; a dot in a name, form or abbreviation ends none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_STOP: Final = re.compile(r"[.!?][\"”’')\]]*\s+(?=[\"“‘'(\[]?[^\sa-z])")
_LINE: Final = re.compile(r"\s*\n\s*(?=[^\sa-z])")
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(\"“])(?:Mr|Mrs|Ms|Dr|Prof|Sir|St|No|Nos|vs|v|Art|Sec|approx|ca|cf|e\.g|i\.e|etc|Mio|Mrd|Rs|Jan|Feb|Mar|Apr|Jun|"
    r"Jul|Aug|Sep|Sept|Oct|Nov|Dec|Gen|Sen|Rep|Hon|Rev|Messrs|Bros|[A-Z]|(?:[A-Z]\.)+[A-Z])\.$"
)
_FORM: Final = re.compile(
    r"(?:^|\s)(?:Inc|Corp|Co|Cos|Ltd|Bhd|Pty|Jr|Sr|S\.A|N\.V|B\.V|A\.G|S\.p\.A|L\.P|L\.L\.C|S\.r\.l|U\.S|U\.K|a\.m|p\.m)\.$"
)
_OPENER: Final = re.compile(
    r"[\"“‘'(\[]?(?:The|A|An|In|On|At|It|Its|This|That|These|Those|He|She|They|We|Our|His|Her|Their|But|However|And|For|From|"
    r"After|Before|When|While|As|If|Under|Both|Neither|Shares|Analysts|Separately|Meanwhile|Earlier|Last|There|No)\b"
)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence, without white space around it. A new line that begins no small letter is an end."""
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
    return bool(_FORM.search(before)) and not _OPENER.match(text, match.end())
