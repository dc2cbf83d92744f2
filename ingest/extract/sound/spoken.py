"""A transcript: heard words as a text whose every character leads back to its second, with known names repaired.

A speech model writes names as it hears them (`spirit error systems`). A run of words that sounds like one known name,
and like no other, stands in the text as that name; what is heard and not known never becomes an entity.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from anyascii import anyascii
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from ingest.extract.sound.speech import Word
from ingest.extract.text.lexicon import ORDINARY
from ingest.extract.text.names import Gazetteer, plain_name, short_name, squash

ALIKE: Final = 0.88
"""Least likeness of sound and spelling at which words are taken for a name."""
DOUBTED: Final = 0.80
"""The same for a long name where the listener was unsure of a word (a score below UNSURE)."""
UNSURE: Final = 0.7
OWN: Final = 0.75
"""Least likeness of the words of a name that no other name has."""
_LONG: Final = 10
APART: Final = 0.04
"""How much less alike the second best name must be."""
_SHORTEST: Final = 5
"""Letters a name must have to be repaired: shorter ones sound like too many words."""
_SOUNDS: Final = (
    (r"[^a-z]", ""),
    (r"^(?:kn|gn|pn)", "n"),
    (r"^wr", "r"),
    (r"ph", "f"),
    (r"gh(?=t|$)", ""),
    (r"tch|ch|sh|tio(?=n)|sio(?=n)", "x"),
    (r"th", "0"),
    (r"dg(?=[eiy])", "j"),
    (r"c(?=[eiy])", "s"),
    (r"ck|c|q", "k"),
    (r"z", "s"),
    (r"v", "f"),
    (r"w(?=[^aeiou]|$)", ""),
    (r"(.)\1+", r"\1"),
)
"""English spelling to sound, in this order; after Philips's Metaphone (1990), shortened to what names need."""


@dataclass(frozen=True)
class Transcript:
    """What was said, as text."""

    text: str
    words: Sequence[Word]
    spans: Sequence[tuple[int, int, int, int]]
    """Character start and end of each piece of the text, and the first and last word it stands for."""
    repaired: Mapping[str, str]
    """What was heard for each name that was set right."""

    def said(self, start: int, end: int) -> Sequence[Word]:
        """The words behind text[start:end]."""
        pieces = [piece for piece in self.spans if piece[0] < end and start < piece[1]]
        return self.words[pieces[0][2] : pieces[-1][3] + 1] if pieces else ()


def transcript(words: Sequence[Word], gazetteer: Gazetteer) -> Transcript:
    """Text of the words, known names repaired."""
    repairs = {first: (last, name) for first, last, name in _repairs(words, gazetteer)}
    pieces: list[str] = []
    spans: list[tuple[int, int, int, int]] = []
    heard: dict[str, str] = {}
    at = position = 0
    while at < len(words):
        last, name = repairs.get(at, (at, words[at].text))
        raw = " ".join(word.text for word in words[at : last + 1])
        if at in repairs:
            heard[name] = raw
            name += _tail(raw, name)
        spans.append((position, position + len(name), at, last))
        pieces.append(name)
        position += len(name) + 1
        at = last + 1
    return Transcript(" ".join(pieces), words, spans, heard)


def _tail(raw: str, name: str) -> str:
    """Possessive and punctuation after a name; the s of a name that ends in one was no possessive."""
    possessive, mark = re.search(r"(['’]s)?([.,;:!?]?)$", raw).groups("")  # type: ignore[union-attr]  # matches ""
    return mark if name.endswith("s") else possessive + mark


@lru_cache(maxsize=1 << 16)
def sound(text: str) -> str:
    """Consonants as they sound, with the first vowel: `Spirit AeroSystems` and `spirit error systems` are near."""
    said = "".join(anyascii(text).lower().split())
    for spelt, heard in _SOUNDS:
        said = re.sub(spelt, heard, said)
    return said[:1] + re.sub(r"[aeiouyh]", "", said[1:])


def likeness(heard: str, name: str) -> float:
    """How alike two names sound and are spelt, 0 to 1."""
    sounds = JaroWinkler.similarity(sound(heard), sound(name))
    letters = fuzz.ratio(heard.replace(" ", ""), name.replace(" ", "")) / 100
    return 0.5 * sounds + 0.5 * letters


class _Names:
    """Known names by the sound they begin with."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._by_start: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        self.exact: set[str] = set()
        uses = Counter(word for name in gazetteer.full_names() for word in set(squash(name).split()))
        self._shared = {word for word, count in uses.items() if count > 1}
        for name in gazetteer.full_names():
            for spelt in {name, plain_name(name), short_name(name)} - {""}:
                key = squash(spelt)
                if gazetteer.lookup(spelt) and len(key.replace(" ", "")) >= _SHORTEST:
                    self.exact.add(key)
                    self._by_start[sound(key)[:1]].append((key, spelt, gazetteer.lookup(spelt) or ""))

    def best(self, heard: str, least: float) -> tuple[float, str]:
        """The likeness and spelling of the one name that sounds like these words; (0, "") if none or two do."""
        scored: dict[str, tuple[float, str]] = {}
        for key, spelt, entity in self._by_start.get(sound(heard)[:1], ()):
            if abs(len(key) - len(heard)) <= max(4, len(key) // 3) and self._own(heard, key) >= OWN:
                scored[entity] = max(scored.get(entity, (0.0, "")), (likeness(heard, key), spelt))
        ranked = sorted(scored.values(), reverse=True)
        if not ranked or ranked[0][0] < least or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] < APART):
            return 0.0, ""
        return ranked[0]

    def _own(self, heard: str, key: str) -> float:
        """How alike the words are that no other name has: `Logistics` alone speaks for no firm."""
        words = key.split()
        while len(words) > 1 and words[-1] in self._shared:
            tail = words.pop()
            heard = heard.removesuffix(tail) if heard.endswith(tail) else heard.replace(" ", "")[: -len(tail)]
        return likeness(heard, " ".join(words))


def _repairs(words: Sequence[Word], gazetteer: Gazetteer) -> Iterator[tuple[int, int, str]]:
    """Runs of words to be read as a known name: first and last word, and the name; longest and most alike first."""
    names = _names(gazetteer)
    found: list[tuple[float, int, int, str]] = []
    for first in range(len(words)):
        for last in range(first, min(first + 5, len(words))):
            if any(word.last for word in words[first:last]):
                break
            like, name = max(_readings(words[first : last + 1], names))
            if like:
                found.append((like, first, last, name))
    taken: set[int] = set()
    for _, first, last, name in sorted(found, key=lambda row: (-row[0], row[1] - row[2], row[1])):
        if taken.isdisjoint(range(first, last + 1)):
            taken.update(range(first, last + 1))
            if name:
                yield first, last, name


def _readings(words: Sequence[Word], names: _Names) -> Iterator[tuple[float, str]]:
    """Likeness and name for words that may end in a possessive: `turbine's` is turbine, or turbines misheard."""
    said = " ".join(word.text for word in words)
    for heard in {squash(re.sub(r"['’]s\b", "", said)), squash(re.sub(r"['’]", "", said))}:
        if len(heard) < _SHORTEST or all(word in ORDINARY for word in heard.split()):
            yield 0.0, ""
        elif heard in names.exact:
            yield 1.0, ""
        else:
            doubted = len(heard) >= _LONG and min(word.score for word in words) < UNSURE
            yield names.best(heard, DOUBTED if doubted else ALIKE)


@lru_cache(maxsize=4)
def _names(gazetteer: Gazetteer) -> _Names:
    return _Names(gazetteer)
