"""Names compared: when two written names can stand for one firm or person, and how sure that is.

Legal forms are stripped (cleanco and own rules), then names are equal in full, equal without their form, or equal
but for a misspelling. Two names with legal forms of different families (AG and GmbH) are two firms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from ingest.extract.text.names import plain_name, squash

_FAMILIES: Mapping[str, str] = {
    **dict.fromkeys(("inc", "incorporated", "corp", "corporation", "co", "company"), "us"),
    **dict.fromkeys(("ltd", "limited"), "ltd"),
    **dict.fromkeys(("ag", "aktiengesellschaft"), "ag"),
    **dict.fromkeys(("llc", "llp", "lp", "plc", "gmbh", "sa", "spa", "nv", "bv", "se", "ab", "asa", "oyj", "kk"), ""),
}
"""Legal forms that are told apart; "" is a family of its own."""
_STATE = re.compile(r"\s*/[A-Z]{2,4}/?\s*$")
"""`/MN/` or `/NEW/` at the end of a name, as EDGAR writes it."""
SIMILAR = 88
"""Least fuzz.ratio of two names that are looked at for a misspelling."""
LONG = 6
"""Letters a word must have for one wrong letter in it to be a misspelling."""


@lru_cache(maxsize=1 << 18)
def full(name: str) -> str:
    """Words of the name in small letters."""
    return squash(_STATE.sub("", name))


@lru_cache(maxsize=1 << 18)
def plain(name: str) -> str:
    """Words of the name without its legal form."""
    return squash(plain_name(_STATE.sub("", name))) or full(name)


@lru_cache(maxsize=1 << 18)
def family(name: str) -> str:
    """Family of the legal form, "" if the name has none that is told apart."""
    last = full(name).split(" ")[-1]
    return _FAMILIES[last] or last if last in _FAMILIES else ""


def compatible(a: str, b: str) -> bool:
    """False if both names carry legal forms and these are of different families."""
    return not family(a) or not family(b) or family(a) == family(b)


def misspelt(a: str, b: str) -> bool:
    """True if two plain names are one but for blanks, or for one letter in each of some long words."""
    if a.replace(" ", "") == b.replace(" ", ""):
        return True
    left, right = a.split(" "), b.split(" ")
    if len(left) != len(right):
        return False
    return all(
        x == y
        or (
            min(len(x), len(y)) >= LONG
            and x.isalpha()
            and y.isalpha()
            and Levenshtein.distance(x, y, score_cutoff=1) <= 1
        )
        for x, y in zip(left, right, strict=True)
    )


def one_firm(a: str, b: str) -> bool:
    """True if two names can stand for one firm: equal in full, or but for legal form or misspelling."""
    if full(a) == full(b):
        return True
    return compatible(a, b) and (plain(a) == plain(b) or misspelt(plain(a), plain(b)))


def spellings(names: Sequence[str], known: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs (name, known name) of plain names that differ by a misspelling, compared in blocks of the same first
    letters.
    """
    blocks: dict[str, list[str]] = {}
    for name in sorted(set(known)):
        blocks.setdefault(name[:2], []).append(name)
    wanted: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        wanted.setdefault(name[:2], []).append(name)
    for start, queries in wanted.items():
        choices = blocks.get(start, [])
        for at in range(0, len(queries) if choices else 0, 1000):
            part = queries[at : at + 1000]
            scores = process.cdist(part, choices, scorer=fuzz.ratio, score_cutoff=SIMILAR, dtype=np.uint8, workers=1)
            for row, column in zip(*np.nonzero(scores), strict=True):
                if part[row] != choices[column] and misspelt(part[row], choices[column]):
                    yield part[row], choices[column]


def one_person(a: str, b: str) -> bool:
    """True if one name has all the long words of the other, in any order: `BUFFETT WARREN E` and `Warren Buffett`."""
    left, right = _words(a), _words(b)
    return min(len(left), len(right)) >= 2 and (left <= right or right <= left)


def _words(name: str) -> frozenset[str]:
    return frozenset(word for word in full(name).split(" ") if len(word) > 1)
