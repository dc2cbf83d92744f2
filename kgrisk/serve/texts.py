"""Texts: a full-text search over everything that is said in words in a view.

Ranked by BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, with k1 = 1.2 and b = 0.75).
Scripts that do not part words by spaces are cut into pairs of signs.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from typing import Any, Final

import numpy as np
import pyarrow as pa

from kg.snapshot import Snapshot

SPOKEN: Final = ("title", "text", "description", "caption", "segment", "statement", "name")
"""Facts whose words are searched."""
K1, B = 1.2, 0.75
AROUND: Final = 120
"""Characters shown on either side of the first word found."""
ROWS: Final = pa.schema(
    [(name, pa.string()) for name in ("id", "label", "name", "property", "key", "snippet", "statement")]
    + [("score", pa.float64())]
)
_WORD = re.compile(r"[^\W_]+")
_PAIRED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")


def words(text: str) -> list[str]:
    """The words of a text without case and accents."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    found = []
    for word in _WORD.findall(unicodedata.normalize("NFC", plain)):
        pairs = [word[n : n + 2] for n in range(len(word) - 1)] if _PAIRED.search(word) else []
        found += pairs or [word]
    return found


class Texts:
    """The texts of a snapshot, by the words in them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        facts = [snapshot.facts_of(name) for name in SPOKEN]
        columns = ["subject", "property", "key", "value_text", "statement"]
        self.rows = pa.concat_tables(facts).select(columns) if facts else snapshot.facts.slice(0, 0)
        held: dict[str, list[tuple[int, int]]] = defaultdict(list)
        lengths = []
        for row, text in enumerate(self.rows["value_text"].to_pylist()):
            counts = Counter(words(text or ""))
            lengths.append(sum(counts.values()))
            for word, count in counts.items():
                held[word].append((row, count))
        self._held = {word: np.array(places, np.int64) for word, places in held.items()}
        self._norm = 1 - B + B * np.array(lengths, float) / max(1.0, float(np.mean(lengths or [1])))

    def find(self, asked: str, label: str = "", k: int = 20) -> pa.Table:
        """The k texts that the words fit best."""
        score = np.zeros(len(self._norm))
        for word in sorted(set(words(asked))):
            if (places := self._held.get(word)) is not None:
                rows, often = places[:, 0], places[:, 1]
                rare = np.log(1 + (len(score) - len(rows) + 0.5) / (len(rows) + 0.5))
                score[rows] += rare * often * (K1 + 1) / (often + K1 * self._norm[rows])
        found = np.lexsort((np.arange(len(score)), -score))
        best: list[dict[str, Any]] = []
        for row in found.tolist():
            if score[row] <= 0 or len(best) == k:
                break
            told = self._told(row, asked)
            if not label or told["label"] == label:
                best.append({**told, "score": float(score[row])})
        return pa.Table.from_pylist(best, ROWS)

    def _told(self, row: int, asked: str) -> dict[str, Any]:
        fact, s = self.rows.slice(row, 1).to_pylist()[0], self.snapshot
        node = fact["subject"]
        own = {name: fact[name] for name in ("property", "key", "statement")}
        names = {"id": s.ids[node], "label": s.labels[node], "name": s.names[node]}
        return {**names, **own, "snippet": snippet(fact["value_text"], asked)}


def snippet(text: str, asked: str) -> str:
    """The part of a text around the first of the words."""
    sought = set(words(asked))
    hits = [match.start() for match in _WORD.finditer(text) if sought & set(words(match[0]))]
    begin = max(0, (hits[0] if hits else 0) - AROUND)
    end = begin + 2 * AROUND
    return f"{'…' if begin else ''}{text[begin:end]}{'…' if end < len(text) else ''}"
