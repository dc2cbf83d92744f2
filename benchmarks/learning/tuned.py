"""Whether training MiniLM's last layer on helps: a planted task, in which who owes whom turns on the order of words.

Every sentence names Alder and another made-up firm; the label is whether Alder is the one that owes. The wordings of
the test were never seen. The same 160 labelled sentences teach a logistic regression on the frozen vectors, its
strength chosen by cross-validation, and the last layer with a linear answer, its epochs fixed beforehand. Intervals
are over three seeds of the sentences.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.figure import Figure
from benchmarks.learning.pages import right
from gnn.encoders.tuned import Tuned
from gnn.train import Recipe, fit

SEEDS: Final = 3
TRAIN: Final = 160
TEST: Final = 160
EPOCHS: Final = 8
ASKED: Final = "Alder"
OTHERS: Final = ("Birch", "Cedar", "Damson", "Elder", "Fir", "Gorse", "Hazel", "Ivy", "Juniper", "Laurel", "Maple")
SEEN: Final = (
    "{owes} borrowed ten million from {owed} last year.",
    "{owed} lent ten million to {owes} last year.",
    "{owes} owes the money to {owed} under the new contract.",
    "{owed} is owed the money by {owes} under the new contract.",
    "{owes} has to repay its loan to {owed} by June.",
    "{owed} expects {owes} to repay its loan by June.",
)
UNSEEN: Final = (
    "{owes} took a credit from {owed} in the spring.",
    "{owed} granted a credit to {owes} in the spring.",
    "{owes} is in debt to {owed} since the takeover.",
    "{owed} is a lender of {owes} since the takeover.",
)


def sentences(seed: int, count: int, wordings: Sequence[str]) -> tuple[list[str], list[int]]:
    """Sentences, and whether ASKED is the firm that owes."""
    random, texts, labels = Random(seed), [], []
    for number in range(count):
        other, label = random.choice(OTHERS), random.randint(0, 1)
        owes, owed = (ASKED, other) if label else (other, ASKED)
        texts.append(wordings[number % len(wordings)].format(owes=owes, owed=owed))
        labels.append(label)
    return texts, labels


class Owing:
    """Cross-entropy over sentences."""

    def __init__(self, given: Tensor, labels: Sequence[int]) -> None:
        self.given, self.labels = given, torch.tensor(labels).float()

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        order = torch.randperm(len(self.given))
        for at in range(0, len(order), 16):
            part = order[at : at + 16]
            yield F.binary_cross_entropy_with_logits(model(self.given[part])[:, 0], self.labels[part])

    def validate(self, model: nn.Module) -> float | None:
        return None


def compared(seed: int) -> tuple[float, float]:
    """Share of the test told right by the frozen vectors and by the last layer trained on."""
    own = Tuned(seed)
    texts, labels = sentences(seed, TRAIN, SEEN)
    later, truth = sentences(1000 + seed, TEST, UNSEEN)
    given, asked = (torch.stack([own.prepare(text) for text in part]) for part in (texts, later))
    known, wanted = ([str(label) for label in part] for part in (labels, truth))
    frozen = right(own.encode(texts).numpy(), known, own.encode(later).numpy(), wanted)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        out = nn.Linear(own.dim, 1)
    nn.init.normal_(out.weight, std=0.5)
    model = nn.Sequential(own.network, out)
    fit(model, Owing(given, labels), Recipe(epochs=EPOCHS, rate=3e-4, schedule="linear", optimiser="adamw", seed=seed))
    with torch.no_grad():
        hits = (model(asked)[:, 0] > 0).long() == torch.tensor(truth)
    return float(frozen.mean()), float(hits.double().mean())


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    found = np.array([compared(seed) for seed in range(SEEDS)])
    gain = found[:, 1] - found[:, 0]
    half = float(student.ppf(0.975, SEEDS - 1) * gain.std(ddof=1) / np.sqrt(SEEDS))
    spread = [f"{SEEDS} seeds, {own.min():.3f} to {own.max():.3f}; chance is 0.5" for own in found.T]
    note = f"mean {gain.mean():+.3f}, 95 % interval {gain.mean() - half:+.3f} to {gain.mean() + half:+.3f}"
    return [
        Figure("who owes told by frozen MiniLM", float(found[:, 0].mean()), note=spread[0]),
        Figure("who owes told with MiniLM's last layer trained on", float(found[:, 1].mean()), note=spread[1]),
        Figure("low end of what training the last layer gains", float(gain.mean()) - half, 0.0, note=note),
    ]
