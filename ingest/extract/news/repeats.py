"""Repeats: which texts say what an earlier one said, word for word or nearly.

Texts are compared as sets of short runs of letters (shingles). MinHash signatures in bands propose pairs (Broder 1997;
Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, ch. 3), the exact sets decide them, and two texts that put
different names or numbers in one wording are never one: templates of the press differ in nothing else.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

LIKE: Final = 0.7
"""Least share of the shorter text's shingles that stand in the longer too (chosen in docs/sources/news.md)."""
EQUAL: Final = 0.3
"""Least share of all shingles of the two that both have: a summary of a long article is no repeat of it."""
EQUAL_SHORT: Final = 0.6
"""The same for a headline or post: one changed word of eight can be the news."""
SHORT: Final = 100
"""Shingles below which a text is a headline or post."""
WINDOW: Final = timedelta(days=30)
"""How long after a text the same words repeat it: the same notice a quarter later is news of its own."""
NEAR_WINDOW: Final = timedelta(days=3)
"""The same for nearly the same words: markets are told of in one wording every week."""
BANDS: Final = 40
ROWS: Final = 2
"""A pair that shares a share s of its shingles is proposed with probability 1 - (1 - s^ROWS)^BANDS: .98 at EQUAL."""
_LETTERS: Final = 4
_HAN: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_URL: Final = re.compile(r"https?://\S+|www\.\S+")
_CARRIED: Final = re.compile(
    r"^\s*(?:RT|MT|via)\b:?\s*|@\w+:?|^\s*[A-Z][\w .]{0,30}\((?:\w|\s){2,20}\)\s*[-–—]+\s*", re.M
)
_TOKEN: Final = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_SIGNS: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Text:
    """A text with the name and time of its document."""

    id: str
    published: datetime
    text: str
    repeats: str = ""
    """Id of the document that it says it repeats, "" for none."""
    names: frozenset[str] = frozenset()
    """Names known to stand in it, as written; capitals show others, but not in Chinese."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A document and the first that said the same."""

    id: str
    first: str
    how: str
    """`repost` where it says so itself, `exact` for the same words, `near` otherwise."""
    likeness: float


def plain(text: str) -> str:
    """Letters and digits of the text in small letters, without addresses and what reposting puts before it."""
    bare = _CARRIED.sub(" ", _URL.sub(" ", unicodedata.normalize("NFKC", text)))
    return _SIGNS.sub(" ", bare.casefold()).strip()


def shingles(text: str) -> NDArray[np.uint64]:
    """Hashes of the runs of letters of a plain text: four of them, or two of Chinese."""
    length = 2 if 3 * len(_HAN.findall(text)) > len(text) else _LETTERS
    runs = {text[i : i + length] for i in range(max(len(text) - length + 1, 1))}
    return np.unique(np.array([zlib.crc32(run.encode()) for run in runs], np.uint64))


def signatures(sets: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """MinHash signature of each set, one row each; the hash functions are fixed."""
    found = np.empty((len(sets), BANDS * ROWS), np.uint64)
    random = np.random.default_rng(20240315)
    factor = random.integers(1, 2**63, BANDS * ROWS, np.uint64) | np.uint64(1)
    shift = random.integers(0, 2**63, BANDS * ROWS, np.uint64)
    for n, hashes in enumerate(sets):
        found[n] = ((hashes[:, None] * factor + shift) >> np.uint64(32)).min(axis=0)
    return found


def likeness(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> tuple[float, float]:
    """Share of the shorter set that is in the longer, and of both together that is in both."""
    both = np.intersect1d(a, b, assume_unique=True).size
    return both / max(min(a.size, b.size), 1), both / max(a.size + b.size - both, 1)


def swapped(a: Text, b: Text) -> bool:
    """True if each of two texts has a name or number that the other has not: one template, two stories."""
    return _only(a, b) and _only(b, a)


def _only(text: Text, other: Text) -> bool:
    """True if the text tells a name or number that the other does not."""
    words = {w.casefold() for w in _TOKEN.findall(other.text)}
    telling = {
        w for w in _TOKEN.findall(_CARRIED.sub(" ", _URL.sub(" ", text.text))) if w[0].isdigit() or w[0].isupper()
    }
    return any(w.casefold() not in words for w in telling) or any(name not in other.text for name in text.names)


def repeats(texts: Sequence[Text]) -> list[Repeat]:
    """Each text that repeats an earlier one, with the first; the same whatever order the texts come in."""
    ordered = sorted(texts, key=lambda t: (t.published, t.id))
    plains = [plain(t.text) for t in ordered]
    sets = [shingles(p) for p in plains]
    return list(_Leaders(ordered, plains, sets, signatures(sets)).found())


class _Leaders:
    """Texts in order of publication: each joins the first that it repeats, or leads those to come."""

    def __init__(
        self,
        texts: Sequence[Text],
        plains: Sequence[str],
        sets: Sequence[NDArray[np.uint64]],
        signed: NDArray[np.uint64],
    ) -> None:
        self._texts, self._plains, self._sets, self._signed = texts, plains, sets, signed
        self._place: Mapping[str, int] = {t.id: n for n, t in enumerate(texts)}
        self._first: dict[int, int] = {}
        self._same: dict[str, int] = {}
        self._bands: dict[tuple[int, bytes], list[int]] = defaultdict(list)

    def found(self) -> Iterator[Repeat]:
        for n, text in enumerate(self._texts):
            keys = [(band, self._signed[n, band * ROWS : (band + 1) * ROWS].tobytes()) for band in range(BANDS)]
            repeat = self._said(n) or self._exact(n) or self._near(n, keys)
            if repeat is None:
                self._same[_digest(self._plains[n])] = n
                for key in keys:
                    self._bands[key].append(n)
                continue
            first, how, like = repeat
            self._first[n] = first
            yield Repeat(text.id, self._texts[first].id, how, like)

    def _said(self, n: int) -> tuple[int, str, float] | None:
        """What the text says it repeats; a repost of a repost goes back to the first."""
        target = self._place.get(self._texts[n].repeats)
        if target is None or target == n or self._texts[target].published > self._texts[n].published:
            return None
        return self._first.get(target, target), "repost", 1.0

    def _exact(self, n: int) -> tuple[int, str, float] | None:
        first = self._same.get(_digest(self._plains[n])) if self._plains[n] else None
        return (first, "exact", 1.0) if first is not None and self._soon(first, n, WINDOW) else None

    def _near(self, n: int, keys: Sequence[tuple[int, bytes]]) -> tuple[int, str, float] | None:
        for first in sorted({m for key in keys for m in self._bands[key]}):
            if not self._soon(first, n, NEAR_WINDOW):
                continue
            like, equal = likeness(self._sets[first], self._sets[n])
            least = EQUAL_SHORT if min(self._sets[first].size, self._sets[n].size) < SHORT else EQUAL
            if like >= LIKE and equal >= least and not swapped(self._texts[first], self._texts[n]):
                return first, "near", round(equal, 3)
        return None

    def _soon(self, first: int, n: int, window: timedelta) -> bool:
        return self._texts[n].published - self._texts[first].published <= window


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()
