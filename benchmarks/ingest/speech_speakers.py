"""Speakers: how many stretches of synthetic recordings of two real people, and of one, are given to the right voice.

The people read single digits, five of which make a stretch. Of each pair of the six the four others set the weights, as
those of ingest/extract/sound/voices.py are set with all six, so that nobody measured was fitted on.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure, real_data
from ingest.extract.sound.sound import decode_sound
from ingest.extract.sound.voices import BIAS, WEIGHTS, described, differences, groups

PEOPLE = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
TAKES = 12


def described_takes(folder: Path, who: str) -> NDArray[np.float64]:
    """Stretches of five digits each, as they are described."""
    chance = np.random.default_rng(1)
    made = []
    for take in range(TAKES):
        digits = chance.permutation(10)[:5]
        sounds = [decode_sound((folder / f"{digit}_{who}_{take % 3}.wav").read_bytes()) for digit in digits]
        made.append(described(np.concatenate(sounds)))
    return np.stack(made)


def fitted(found: dict[str, NDArray[np.float64]], left: set[str]) -> tuple[NDArray[np.float64], float]:
    """Weights and bias from the people that are not left out."""
    from sklearn.linear_model import LogisticRegression

    kept = [who for who in PEOPLE if who not in left]
    rows, whose = np.concatenate([found[who] for who in kept]), np.repeat(np.arange(len(kept)), TAKES)
    upper = np.triu_indices(len(rows), 1)
    two = (whose[:, None] != whose[None])[upper]
    model = LogisticRegression(class_weight="balanced").fit(differences(rows)[upper], two)
    return model.coef_[0], float(model.intercept_[0])


def wrong(told: list[int], true: list[int]) -> float:
    """Share of stretches in the wrong group, with groups named so that fewest are (two speakers)."""
    best = 0
    for a in set(told):
        for b in {*told, -1} - {a}:
            best = max(best, sum(group == (a, b)[who] for group, who in zip(told, true, strict=True)))
    return 1 - best / len(true)


def measure() -> list[Figure]:
    folder = real_data() / "speech" / "digits"
    found = {who: described_takes(folder, who) for who in PEOPLE}
    chance = np.random.default_rng(3)
    two: dict[str, list[float]] = {"left out": [], "shipped": []}
    one: list[float] = []
    for pair in combinations(PEOPLE, 2):
        weights = {"left out": fitted(found, set(pair)), "shipped": (np.array(WEIGHTS), BIAS)}
        for _ in range(4):
            true = [(turn // 2) % 2 for turn in range(int(chance.integers(6, 13)))]
            rows = np.stack([found[pair[who]][chance.integers(TAKES)] for who in true])
            alone = np.stack([found[pair[0]][chance.integers(TAKES)] for _ in true])
            for name, chosen in weights.items():
                two[name].append(wrong(groups(rows, *chosen), true))
            one.append(float(len(set(groups(alone, *weights["left out"]))) == 1))
    note = "60 recordings of 15 pairs of six people, 8 kHz, each on a microphone of their own"
    return [
        Figure("two speakers: stretches given wrong", float(np.mean(two["left out"])), 0.15, False, note=note),
        Figure("two speakers: the same, weights fitted on them too", float(np.mean(two["shipped"])), note=note),
        Figure("one speaker left as one", float(np.mean(one)), 0.9, note=note),
    ]
