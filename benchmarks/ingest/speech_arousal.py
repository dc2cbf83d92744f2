"""Vocal agitation: how far it is told right on synthetic voices nothing was fitted on, and how wide its interval is.

`python -m benchmarks.ingest.speech_arousal made` makes speech_arousal.tsv (needs espeakng-loader): recordings of eight
sentences by one voice each, spoken at agitation levels drawn from 0 to 1 that raise pitch, its range, rate and loudness
together, each blurred by chance, under a gain drawn for the recording. `... fitted` prints the constants of
ingest/extract/sound/arousal.py, fitted on the voices marked `tuned`; only those marked `held` are measured. No human
voice is among them: no corpus of labelled emotion could be had offline.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure
from benchmarks.speech_voices import at_16_khz, voices
from ingest.extract.sound.arousal import HALF, MEASURES, WEIGHTS, arousals
from ingest.extract.sound.sound import acoustics, seconds

FILE = Path(__file__).with_suffix(".tsv")
TUNED = ("en-us", "en-us+f1", "en-us+f2", "en-us+f5", "en-us+m1", "en-us+m3", "en-us+Gene", "en-us+Annie", "en-us+adam")
HELD = ("en-us+m7", "en-us+f4", "en-us+steph", "en-us+belinda", "en-us+Denis", "en-gb-scotland")
SENTENCES = (
    "The bank extended the loan until the end of June.",
    "We closed two factories because energy was too expensive.",
    "Our customers paid later than in the year before.",
    "Nobody told us that the auditors would leave.",
    "Revenue fell by nine percent in the third quarter.",
    "The order book is full until the spring.",
    "I have nothing to add to what was published.",
    "They will not get another euro from this company.",
)


def make() -> None:
    """Write the measures of every sentence with its level."""
    chance = np.random.default_rng(7)
    with FILE.open("w", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(["set", "recording", "level", *MEASURES])
        for mark, names in (("tuned", TUNED), ("held", HELD)):
            for name in names:
                for take in range(4):
                    for level, found in recording(name, chance):
                        row = [f"{found[measure]:.4g}" for measure in MEASURES]
                        table.writerow([mark, f"{name} {take}", f"{level:.3f}", *row])


def recording(voice: str, chance: np.random.Generator) -> list[tuple[float, dict[str, float]]]:
    """The level of each sentence of a recording, and its measures."""
    gain, base = 10 ** chance.uniform(-0.6, 0), chance.integers(30, 60)
    made = []
    for text in chance.permutation(SENTENCES):
        level = float(chance.uniform())
        blurred = level + chance.normal(0, 0.12, 4)
        said = voices().say(
            str(text),
            voice,
            pitch=int(np.clip(base + 35 * blurred[0] - 10, 0, 99)),
            range=int(np.clip(25 + 60 * blurred[1], 0, 99)),
            rate=int(135 + 60 * blurred[2]),
            volume=int(np.clip(45 + 55 * blurred[3], 20, 100)),
        )
        wave = np.asarray(gain * at_16_khz(said), np.float32)
        rate = {"words a minute": len(str(text).split()) / seconds(wave) * 60}
        made.append((level, {**dict.fromkeys(MEASURES, 0.0), **acoustics(wave), **rate}))
    return made


def rows(mark: str) -> list[tuple[NDArray[np.float64], list[dict[str, float]]]]:
    """Of each recording: its levels, and the measures of its sentences."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    with FILE.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["set"] == mark:
                found[row["recording"]].append(row)
    return [
        (np.array([float(r["level"]) for r in said]), [{m: float(r[m]) for m in MEASURES} for r in said])
        for said in found.values()
    ]


def target(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is to be told: 0.5 for the middle of the recording, 0 and 1 for the widest apart there can be."""
    return np.clip(0.5 + (levels - np.median(levels)) / 2, 0, 1)


def told(mark: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of every sentence: what is to be told, and arousal with its interval."""
    true, found = [], []
    for levels, said in rows(mark):
        true.append(target(levels))
        found.append([(one.value, one.low, one.high) for one in arousals(said)])
    return np.concatenate(true), np.concatenate(found)


def measure() -> list[Figure]:
    true, found = told("held")
    inside = (found[:, 1] <= true) & (true <= found[:, 2])
    note = f"{len(true)} sentences of {len(HELD)} synthetic voices, nothing fitted on them"
    return [
        Figure("arousal: mean absolute error", float(np.abs(found[:, 0] - true).mean()), 0.12, False, note=note),
        Figure("arousal: error of always saying 0.5", float(np.abs(0.5 - true).mean()), note=note),
        Figure("arousal: 90 % interval covers", float(inside.mean()), 0.85, note=note),
        Figure("arousal: mean width of the interval", float((found[:, 2] - found[:, 1]).mean()), note=note),
        Figure("arousal: correlation", float(np.corrcoef(found[:, 0], true)[0, 1]), 0.8, note=note),
    ]


def fit() -> None:
    """Print weights (ridge) and the half width that covers 90 % of voices left out one by one."""
    from sklearn.linear_model import Ridge

    from ingest.extract.sound.arousal import apart

    given = [(np.stack(apart(said)), target(levels) - 0.5) for levels, said in rows("tuned")]
    model = Ridge(alpha=1.0, fit_intercept=False)
    misses = []
    for out in range(len(TUNED)):
        voice = range(4 * out, 4 * out + 4)
        kept = [pair for number, pair in enumerate(given) if number not in voice]
        model.fit(np.concatenate([x for x, _ in kept]), np.concatenate([y for _, y in kept]))
        misses += [np.abs(model.predict(given[n][0]) - given[n][1]) for n in voice]
    model.fit(np.concatenate([x for x, _ in given]), np.concatenate([y for _, y in given]))
    print("WEIGHTS", dict(zip(MEASURES, model.coef_.round(4).tolist(), strict=True)), "now", WEIGHTS)
    print("HALF", round(float(np.quantile(np.concatenate(misses), 0.9)), 3), "now", HALF)


if __name__ == "__main__":
    {"made": make, "fitted": fit}[sys.argv[1]]()
