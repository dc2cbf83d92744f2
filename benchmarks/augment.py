"""What augmentation gains: event kinds from few sentences, and page kinds of turned pages, with and without it.

Run: python -m benchmarks.augment [--out FILE]. Prints mean gain in accuracy over paired draws with its 95 % interval.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

from gnn.augment import Marked, with_other_names, with_synonyms
from tests.test_gnn_augment import accuracies

EVENTS = Path(__file__).parent.parent / "tests" / "data" / "events.tsv"
OUT = Path(__file__).parent / "results" / "augment.json"
NAMES = ("Ardle Mills plc", "Brenn Bank AG", "Corvo Foods SA", "Dorn Steel GmbH", "Ebbe Lines", "Fosse Power Ltd")
PER_KIND, COPIES, DRAWS = 4, 8, 40


def sentences() -> list[tuple[Marked, str]]:
    """Sentences of one event each, with their names marked, and its kind."""
    found = []
    with EVENTS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if kind := (row["event"] or "").partition("(")[0]:
                found.append((marked(row["sentence"]), kind))
    return found


def marked(text: str) -> Marked:
    """`{ORG Acme plc} fell {DATE today}.` as a plain text with the spans of its names."""
    plain, spans = "", []
    for piece in re.split(r"(\{[A-Z]+ [^}]*\})", text):
        if found := re.fullmatch(r"\{([A-Z]+) (.*)\}", piece):
            if found[1] in ("ORG", "PERSON"):
                spans.append((len(plain), len(plain) + len(found[2])))
            plain += found[2]
        else:
            plain += piece
    return Marked(plain, tuple(spans))


def text_gains() -> np.ndarray:
    """Accuracy gained on the other sentences by training on changed copies instead of plain ones, per draw."""
    known = sentences()
    kinds = sorted({kind for _, kind in known if sum(k == kind for _, k in known) >= 2 * PER_KIND})
    known = [(text, kind) for text, kind in known if kind in kinds]
    gains = []
    for seed in range(DRAWS):
        random = np.random.default_rng(seed)
        order = random.permutation(len(known))
        train = [known[i] for kind in kinds for i in [i for i in order if known[i][1] == kind][:PER_KIND]]
        test = [one for one in known if one not in train]
        plain = [one for one in train for _ in range(COPIES)]
        changed = [
            (with_synonyms(with_other_names(text, NAMES, random) if text.spans else text, random), kind)
            for text, kind in plain
        ]
        gains.append(accuracy(changed, test) - accuracy(plain, test))
    return np.array(gains)


def accuracy(train: list[tuple[Marked, str]], test: list[tuple[Marked, str]]) -> float:
    vectors = HashingVectorizer(n_features=1 << 14, ngram_range=(1, 2))
    model = LogisticRegression(C=30, max_iter=300)
    model.fit(vectors.transform([text.text for text, _ in train]), [kind for _, kind in train])
    return float(model.score(vectors.transform([text.text for text, _ in test]), [kind for _, kind in test]))


def told(gains: np.ndarray) -> dict[str, object]:
    """Mean gain, its 95 % interval, and in words whether there is one."""
    mean, half = float(gains.mean()), float(1.96 * gains.std(ddof=1) / np.sqrt(len(gains)))
    verdict = "gain" if mean > half else "loss" if mean < -half else "no gain"
    return {"mean": round(mean, 4), "low": round(mean - half, 4), "high": round(mean + half, 4), "verdict": verdict}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    found = {f"event kinds, {PER_KIND} sentences each": told(text_gains())}
    for degrees in (0.0, 4.0, 8.0, 12.0):
        plain, augmented = accuracies(degrees)
        found[f"page kinds, turned up to {degrees:g} degrees"] = told(augmented - plain)
    for what, figures in found.items():
        print(f"{what}: {figures['mean']:+.3f} [{figures['low']:+.3f}, {figures['high']:+.3f}] {figures['verdict']}")
    given.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
