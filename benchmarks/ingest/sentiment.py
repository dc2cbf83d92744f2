"""Tone towards each name of real headlines (SEntFiN 1.0, MIT), learned on four fifths and judged on the last.

Chinese: our own sentences with `[+firm]`, `[0firm]` and `[-firm]` in four files of one author, who also wrote the lists
of words. `held` was put aside before the lists were written; `tuned` was tuned on. `late` was written after the first
lists (on which it had macro-F1 .485) in other words, and then tuned on. `fresh` was written last, to say good and ill
without the words of the lists, and counted once.

Run `python -m benchmarks.ingest.sentiment` to fit the shipped weights anew from all headlines and our own phrases.
"""

from __future__ import annotations

import csv
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure, real_data
from ingest.extract.prose.chinese_tone import chinese_tone
from ingest.extract.prose.chinese_tone_words import lists
from ingest.extract.prose.tone import CLASSES, WEIGHTS, Tone, Weights, buckets, tone
from ingest.extract.prose.tone_fit import Judged, fit, read_judged
from ingest.extract.text.lexicon import words

PHRASES = Path(__file__).with_suffix(".tsv")
"""Our own phrases of events and denials, which headlines of markets hardly have; never judged on."""
DATA = Path(__file__).parents[2] / "tests" / "data"
_MARK = re.compile(r"\[([-0+])([^\]]+)\]")
_LOW = frozenset({"bad", "ill", "down"})
NAMES = (
    ("Alder Foods", "Birke Bank"),
    ("Cedrus", "Dunmore Power"),
    ("Eiche AG", "Fennel Air"),
    ("Ginko", "Hazel Corp"),
)
ABOUT = {
    "notice": "Fitted on SEntFiN 1.0 (MIT licence, Copyright (c) the SEntFiN authors; Sinha, Kedas, Kumar and Malo, "
    "JASIST 2022) and on phrases of this project. Hashed features only: no text of the data set is in this file.",
    "made_by": "python -m benchmarks.ingest.sentiment",
}
GOOD = words(
    "gain gains gained rise rises rose up high higher jump jumps surge surges rally rallies climb climbs soar soars "
    "beat beats strong profit win wins bullish upgrade upgrades best better improve improves growth boost boosts buy"
)
BAD = words(
    "fall falls fell drop drops down low lower slip slips decline declines slump slumps plunge plunges tumble tumbles "
    "loss losses weak miss misses bearish downgrade downgrades worst worse cut cuts fraud default lose loses sell"
)
"""A list of words made by us for the baseline, as the Loughran-McDonald list may not be passed on."""


def headlines(folder: Path) -> tuple[list[Judged], int]:
    """Headlines that can be read, and how many rows cannot."""
    judged, refused = read_judged((folder / "sentfin" / "SEntFiN-first5000.csv").read_bytes())
    return judged, len(refused)


def phrases() -> list[Judged]:
    """Our own phrases with four pairs of names put in, which gives each the weight of four headlines."""
    with PHRASES.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [_filled(row["phrase"], row["label"], pair) for row in rows for pair in NAMES]


def _filled(phrase: str, label: str, pair: tuple[str, str]) -> Judged:
    text = phrase.format(E=pair[0], O=pair[1])
    at = text.index(pair[0])
    spans = [(at, at + len(pair[0]))]
    if pair[1] in text:
        spans.append((text.index(pair[1]), text.index(pair[1]) + len(pair[1])))
    return Judged(text, tuple(spans), (label,))


def weights(folder: Path) -> Weights:
    """What is shipped."""
    return fit([*headlines(folder)[0], *phrases()], ABOUT)


def measure() -> list[Figure]:
    return [*measure_from(real_data()), *measure_chinese()]


def marked(half: str) -> list[Judged]:
    """Sentences of `tests/data/chinese_tone_<half>.tsv`."""
    lines = (DATA / f"chinese_tone_{half}.tsv").read_text("utf-8").splitlines()
    return [_unmarked(line) for line in lines]


def _unmarked(line: str) -> Judged:
    text, spans, labels, at = "", [], [], 0
    for match in _MARK.finditer(line):
        text += line[at : match.start()]
        spans.append((len(text), len(text) + len(match[2])))
        labels.append(CLASSES["-0+".index(match[1])])
        text, at = text + match[2], match.end()
    return Judged(text + line[at:], tuple(spans), tuple(labels))


def measure_chinese() -> Iterator[Figure]:
    """Macro-F1 by file, beside counted words and the commonest class."""
    for half in ("held", "fresh", "late", "tuned"):
        judged = marked(half)
        truth = np.array([CLASSES.index(label) for one in judged for label in one.labels])
        told = np.array([tell(t) for one in judged for t in chinese_tone(one.text, one.spans)])
        floor = np.array([_counted_chinese(one.text) for one in judged for _ in one.labels])
        several = np.array([len(one.labels) > 1 for one in judged for _ in one.labels])
        most = np.full(len(truth), Counter(truth.tolist()).most_common(1)[0][0])
        guess, what = told.argmax(axis=1), f"Chinese entity sentiment, {half}"
        note = f"{len(truth)} names in {len(judged)} sentences of ours"
        yield Figure(f"{what}: macro-F1", float(f1(truth, guess).mean()), note=note)
        yield Figure(f"{what}: sentences with several names", float(f1(truth[several], guess[several]).mean()))
        yield Figure(f"{what}: counting good and bad words", float(f1(truth, floor).mean()), note="baseline")
        yield Figure(f"{what}: the commonest class", float(f1(truth, most).mean()), note="baseline")
        yield Figure(f"{what}: calibration error (ECE)", calibration_error(truth, told), least=False)


def tell(t: Tone) -> tuple[float, float, float]:
    return t.negative, t.neutral, t.positive


def _counted_chinese(text: str) -> int:
    """The class by the words of the shipped lists alone, without who they are said of or what turns them."""
    known = lists()
    found = [known.kinds[match[0]] for match in known.pattern.finditer(text)]
    score = sum("good" in kinds or "up" in kinds for kinds in found) - sum(bool(_LOW & kinds) for kinds in found)
    return CLASSES.index("positive" if score > 0 else "negative" if score < 0 else "neutral")


def measure_from(folder: Path, folds: Sequence[int] = range(5)) -> list[Figure]:
    """Figures over these of the five folds."""
    judged, unread = headlines(folder)
    truth, told, floor, several = _folds(judged, folds)
    guess = told.argmax(axis=1)
    count = f"{len(truth)} names in {len(judged)} headlines, {unread} rows cannot be read"
    apart = ", ".join(f"{name} {value:.3f}" for name, value in zip(CLASSES, f1(truth, guess), strict=True))
    return [
        Figure("entity sentiment, macro-F1 by 5 folds", float(f1(truth, guess).mean()), 0.70, note=f"{count}; {apart}"),
        Figure("entity sentiment, headlines with several names", float(f1(truth[several], guess[several]).mean())),
        Figure("entity sentiment, counting good and bad words", float(f1(truth, floor).mean()), note="baseline"),
        Figure("calibration error (ECE, 10 bins)", calibration_error(truth, told), 0.05, least=False),
        Figure("tone, names a second", _speed(judged), unit="1/s"),
    ]


def _folds(
    judged: Sequence[Judged], folds: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Truth, probabilities, class by counted words, and whether the headline has several names; of each name."""
    rows: list[tuple[int, tuple[float, float, float], int, bool]] = []
    for fold in folds:
        learned = fit([*(h for h in judged if h.fold != fold), *phrases()], {})
        for headline in (h for h in judged if h.fold == fold):
            counted, several = _counted(headline.text), len(headline.labels) > 1
            for which, label in enumerate(headline.labels):
                t = learned.judge(buckets(headline.text, headline.spans, which))
                rows.append((CLASSES.index(label), (t.negative, t.neutral, t.positive), counted, several))
    truth, told, floor, several_ = zip(*rows, strict=True)
    return np.array(truth), np.array(told), np.array(floor), np.array(several_)


def f1(truth: NDArray[np.int64], guess: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 of each class: 2 right / (said + found)."""
    classes = range(len(CLASSES))
    return np.array(
        [2 * ((truth == c) & (guess == c)).sum() / ((truth == c).sum() + (guess == c).sum()) for c in classes]
    )


def calibration_error(truth: NDArray[np.int64], told: NDArray[np.float64], bins: int = 10) -> float:
    """Expected calibration error of the likeliest class (Guo et al. 2017, eq. 3)."""
    sure, right = told.max(axis=1), told.argmax(axis=1) == truth
    bin_of = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs(right[bin_of == b].mean() - sure[bin_of == b].mean()) * (bin_of == b).mean() for b in set(bin_of)]
    return float(sum(gaps))


def _counted(text: str) -> int:
    said = text.lower().replace(",", " ").replace(":", " ").split()
    score = sum(w in GOOD for w in said) - sum(w in BAD for w in said)
    return CLASSES.index("positive" if score > 0 else "negative" if score < 0 else "neutral")


def _speed(judged: Sequence[Judged]) -> float:
    started = time.perf_counter()
    for headline in judged[:1000]:
        tone(headline.text, headline.spans)
    return sum(len(h.spans) for h in judged[:1000]) / (time.perf_counter() - started)


if __name__ == "__main__":
    WEIGHTS.write_bytes(weights(real_data()).to_bytes())
    print(f"{WEIGHTS}: written")
