"""Word weights learned from a register: a word that few names have tells much, one that many have tells little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import log

from ingest.pair_words import SMALL, spelt, weight

LEAST = 0.15
"""Weight of the commonest word."""
ENOUGH = 500
"""Names a register must have before its counts are believed; with fewer the small table built in is used."""


class Weights:
    """Weight of each word, 0 to 1, from how many of the names given have it."""

    def __init__(self, names: Iterable[str]) -> None:
        self._seen: Counter[str] = Counter()
        self.names = 0
        for name in names:
            self.names += 1
            self._seen.update(set(spelt(name).words))

    def count(self, word: str) -> int:
        """How many of the names have the word."""
        return self._seen[word]

    def __call__(self, word: str) -> float:
        if self.names < ENOUGH or word in SMALL:
            return weight(word, "firm")
        # idf by its largest value (Sparck Jones 1972, doi:10.1108/eb026526); a word of one name counts as one of two
        rare: float = log(self.names / max(self._seen[word], 2)) / log(self.names / 2)
        return LEAST + (1 - LEAST) * float(max(0.0, min(1.0, rare)) ** 1.5)
