"""Candidates: which of many names are worth comparing, without comparing each with each.

Names fall into blocks by their rarest words, how these sound, how the first word begins and how the name ends. Within a
block rapidfuzz compares all names at once in native code; only pairs that pass get an explained score.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final
from zlib import crc32

import numpy as np
from rapidfuzz import fuzz, process

from ingest.pair_words import SMALL, Spelt, spelt
from ingest.transliterate import skeleton
from ingest.word_weights import Weights

BLOCK: Final = 150
"""Names a block may have; a larger one tells nothing, and its names share rarer blocks with their like."""
HELD: Final = 1 << 18
"""Pairs held before those that several blocks gave are made one."""
ALIKE: Final = 72
"""Least fuzz.ratio of the sorted words of two names that are scored."""


def candidates(names: Sequence[str], weights: Weights) -> Iterator[tuple[int, int]]:
    """Pairs (i, j) with i < j of places in `names` that may be one, each once, in order."""
    pairs = _pairs(names, weights)
    for start in range(0, len(pairs), HELD):
        for pair in pairs[start : start + HELD].tolist():
            yield divmod(pair, len(names))


def _pairs(names: Sequence[str], weights: Weights) -> np.ndarray[Any, Any]:
    """Every pair once, in order, as one number i * n + j: half the memory of two, and quick to sort."""
    words = [spelt(name) for name in names]
    texts = [[" ".join(name.words) for name in words], [" ".join(sorted(name.words)) for name in words]]
    seen = np.empty(0, dtype=np.int64)
    found: list[np.ndarray[Any, Any]] = []
    held = 0
    for block in _blocks(words, weights):
        for part in texts:
            alike = _alike(block, part)
            found.append(alike[:, 0] * len(names) + alike[:, 1])
            held += len(alike)
        if held > HELD:
            seen, found, held = np.unique(np.concatenate([seen, *found])), [], 0
    return np.unique(np.concatenate([seen, *found]))


def _blocks(names: Sequence[Spelt], weights: Weights) -> Iterator[np.ndarray[Any, Any]]:
    """Places of names that share a key. Keys are kept as checksums: a clash only makes a block larger."""
    keys, owners = array("I"), array("I")
    for n, name in enumerate(names):
        for key in _keys(name, weights):
            keys.append(crc32(key.encode()))
            owners.append(n)
    sums = np.frombuffer(keys, dtype=np.uint32)
    order = np.argsort(sums, kind="stable")
    starts = np.flatnonzero(np.diff(sums[order], prepend=sums[order[:1]] + 1))
    sizes = np.diff(starts, append=len(order))
    placed = np.frombuffer(owners, dtype=np.uint32)[order].astype(np.int64)
    seen: set[bytes] = set()
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        if 1 < size <= BLOCK:
            block = np.unique(placed[start : start + size])
            if (same := block.tobytes()) not in seen:
                seen.add(same)
                yield block


def _keys(name: Spelt, weights: Weights) -> set[str]:
    telling = [w for w in name.words if w not in SMALL] or list(name.words)
    if not telling:
        return set()
    rare = sorted(telling, key=lambda w: (weights.count(w), -len(w), w))
    whole = "".join(telling)
    keys = {f"= {' '.join(sorted(telling))}", f"^ {whole[:5]} {len(whole) // 6}", f"^ {whole[:8]}", f"$ {whole[-6:]}"}
    for word in rare[:3]:
        keys.add(f"w {word}")
        if len(sound := skeleton(word)) >= 3:
            keys.add(f"s {sound}")
    if len(word := rare[0]) >= 5:  # one letter wrong anywhere (Garbe's symmetric deletes)
        keys |= {f"d {word[:n]}{word[n + 1 :]}" for n in range(len(word))} | {f"d {word}"}
    for n, word in enumerate(rare[:3]):
        keys |= {f"2 {' '.join(sorted((word, other)))}" for other in rare[n + 1 : 4]}
    if len(telling) > 2:
        keys.add("a " + "".join(sorted(w[0] for w in telling)) + f" {whole[:2]}")
    return keys


def _alike(block: np.ndarray[Any, Any], texts: Sequence[str]) -> np.ndarray[Any, Any]:
    """Pairs of a block whose texts are alike enough to be scored: as written for typos, sorted for word order."""
    part = [texts[n] for n in block]
    scores = process.cdist(part, part, scorer=fuzz.ratio, score_cutoff=ALIKE, dtype=np.uint8, workers=1)
    rows, columns = np.nonzero(np.triu(scores, 1))
    return np.stack([block[rows], block[columns]], axis=1)
