"""Whether training MiniLM's last layer on helps, and what it forgets by it: trouble told in wordings never heard.

Each text is one sentence of tests/planted_sentences.py in a frame drawn for it; two wordings of every meaning are
learned from, one chooses, one is the test, another for each seed. Frozen: a logistic regression on the vectors, its
strength chosen by log loss on the wording that chooses. Trained on: the last layer and a linear answer that begins as
that regression, which keeps the first steps from turning the vectors over (Kumar et al. 2022, linear probing, then
fine-tuning). Forgetting is measured on what nobody taught: whether the nearest sentence learned from is on the same
subject. The wording that chooses picks rate and epoch, and none that forgets more than BOUND there; where nothing is
better than no training, the vectors stay as they are. Intervals are over seeds, which also draw frames and order.

Beside it stands what the vectors cannot tell: who owes whom, which turns on the order of two names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.figure import Figure
from benchmarks.learning.modalities import interval
from gnn.encoders.tuned import Tuned
from gnn.train import Recipe, fit
from tests.planted_sentences import SUBJECTS, turns

SEEDS: Final = 3
FRAMES: Final = (
    "The company said that {}.", "Its yearly report tells that {}.", "Analysts note that {}.",
    "People close to the firm say that {}.", "A notice to the exchange states that {}.", "A newspaper writes that {}.",
)  # fmt: skip
STRENGTHS: Final = (0.1, 1.0, 10.0, 100.0)
RATES: Final = (1e-4, 3e-4)
RECIPE: Final = Recipe(epochs=30, schedule="constant", optimiser="adamw", weight_decay=0.0, patience=8)
BOUND: Final = 0.05
"""Share of the subjects told that training on may cost."""
FIRM: Final = "Alder"
OTHERS: Final = ("Birch", "Cedar", "Damson", "Elder", "Fir", "Gorse", "Hazel", "Ivy", "Juniper", "Laurel", "Maple")
OWING: Final = (
    "{owes} borrowed ten million from {owed} last year.",
    "{owed} lent ten million to {owes} last year.",
    "{owes} owes the money to {owed} under the new contract.",
    "{owed} is owed the money by {owes} under the new contract.",
    "{owes} has to repay its loan to {owed} by June.",
    "{owed} expects {owes} to repay its loan by June.",
    "{owes} took a credit from {owed} in the spring.",
    "{owed} granted a credit to {owes} in the spring.",
)
"""The last two are not learned from."""


@dataclass(frozen=True)
class Texts:
    """Prepared texts, what they mean, and what they are about."""

    given: Tensor
    label: np.ndarray
    subject: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[tuple[str, int, int]]) -> Texts:
        texts, label, subject = zip(*rows, strict=True)
        return cls(torch.stack([prepared(text) for text in texts]), np.array(label), np.array(subject))


@cache
def encoder() -> Tuned:
    return Tuned()


@cache
def prepared(text: str) -> Tensor:
    return encoder().prepare(text)


class Telling:
    """Cross-entropy over texts, and minus that of those that choose."""

    def __init__(self, learn: Texts, choose: Texts) -> None:
        self.learn, self.choose = learn, choose

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        order = torch.randperm(len(self.learn.given))
        for at in range(0, len(order), 16):
            yield self._loss(model, self.learn, order[at : at + 16])

    @torch.no_grad()
    def validate(self, model: nn.Module) -> float:
        return -float(self._loss(model, self.choose, torch.arange(len(self.choose.given))))

    def _loss(self, model: nn.Module, texts: Texts, part: Tensor) -> Tensor:
        truth = torch.from_numpy(texts.label)[part].float()
        return F.binary_cross_entropy_with_logits(model(texts.given[part])[:, 0], truth)


def told(seed: int, wordings: Sequence[int]) -> list[tuple[str, int, int]]:
    """Every sentence of some wordings in two frames: text, whether it tells of trouble, number of its subject."""
    random = Random(f"{seed} {wordings}")
    return [
        (frame.format(pairs[wording][side]), 1 - side, number)
        for number, pairs in enumerate(SUBJECTS.values())
        for wording in wordings
        for side in (0, 1)
        for frame in random.sample(FRAMES, 2)
    ]


def owing(seed: int, wordings: Sequence[str], count: int = 96) -> list[tuple[str, int, int]]:
    """Sentences of two firms, and whether FIRM is the one that owes."""
    random, rows = Random(seed), []
    for number in range(count):
        other, label = random.choice(OTHERS), random.randint(0, 1)
        owes, owed = (FIRM, other) if label else (other, FIRM)
        rows.append((wordings[number % len(wordings)].format(owes=owes, owed=owed), label, 0))
    return rows


def compared(seed: int, parts: Sequence[Sequence[tuple[str, int, int]]]) -> tuple[float, float, float, float]:
    """Share of the test told right by frozen vectors and by those trained on; share of its subjects told by each."""
    learn, choose, asked = (Texts.of(rows) for rows in parts)
    network = deepcopy(encoder().network)
    frozen = nn.Sequential(network, probe(network, learn, choose))
    trained = chosen(frozen, learn, choose, seed)
    both = [(_right(model, asked), _subjects(model, learn, asked)) for model in (frozen, trained)]
    return both[0][0], both[1][0], both[0][1], both[1][1]


def chosen(frozen: nn.Sequential, learn: Texts, choose: Texts, seed: int) -> nn.Sequential:
    """The model trained on, by the rate and up to the epoch of least loss on what chooses; or the model as it was."""
    task = Telling(learn, choose)
    best, value, knew = frozen, task.validate(frozen), _subjects(frozen, learn, choose)
    for rate in RATES:
        model = deepcopy(frozen)
        run = fit(model, task, replace(RECIPE, rate=rate, seed=seed))
        if run.value > value and knew - _subjects(model, learn, choose) <= BOUND:
            best, value = model, run.value
    return best


@torch.no_grad()
def probe(network: nn.Module, learn: Texts, choose: Texts) -> nn.Linear:
    """Logistic regression on the vectors as they are, its strength chosen on what chooses."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    seen, later = (network.eval()(texts.given).numpy() for texts in (learn, choose))
    tried = [LogisticRegression(C=strength, max_iter=5000).fit(seen, learn.label) for strength in STRENGTHS]
    best = min(tried, key=lambda one: log_loss(choose.label, one.predict_proba(later)))
    answer = nn.Linear(seen.shape[1], 1)
    answer.weight.copy_(torch.from_numpy(best.coef_))
    answer.bias.copy_(torch.from_numpy(best.intercept_))
    return answer


@torch.no_grad()
def _right(model: nn.Module, asked: Texts) -> float:
    return float(((model(asked.given)[:, 0] > 0).numpy() == (asked.label > 0)).mean())


@torch.no_grad()
def _subjects(model: nn.Sequential, learn: Texts, asked: Texts) -> float:
    nearest = (model[0](asked.given) @ model[0](learn.given).T).argmax(1).numpy()
    return float((learn.subject[nearest] == asked.subject).mean())


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    found = np.array([compared(seed, [told(seed, part) for part in turns(seed)]) for seed in range(SEEDS)])
    frozen, trained, knew, knows = found.T
    low, high = interval(trained - frozen)
    note = f"mean {(trained - frozen).mean():+.3f}, 95 % interval {low:+.3f} to {high:+.3f} over {SEEDS} seeds"
    lost = knew - knows
    kept = f"{knew.mean():.3f} before, {knows.mean():.3f} after; most of a seed {lost.max():+.3f}"
    return [
        _share("trouble told by frozen MiniLM in wordings never heard", frozen),
        _share("trouble told with MiniLM's last layer trained on", trained),
        Figure("low end of what training the last layer gains", low, 0.0, note=note),
        Figure("share of subjects told that training on forgets", float(lost.mean()), BOUND, least=False, note=kept),
        *_order(),
    ]


def _order() -> Iterator[Figure]:
    parts = (OWING[:4], OWING[4:6], OWING[6:])
    found = np.array([
        compared(seed, [owing(1000 * part + seed, own) for part, own in enumerate(parts)]) for seed in range(SEEDS)
    ])  # fmt: skip
    for values, who in ((found[:, 0], "frozen MiniLM"), (found[:, 1], "MiniLM's last layer trained on")):
        yield _share(f"who owes whom told by {who} in wordings never heard", values)


def _share(what: str, values: np.ndarray) -> Figure:
    low, high = interval(values)
    note = f"{len(values)} seeds, 95 % interval {low:.3f} to {high:.3f}; chance is 0.5"
    return Figure(what, float(values.mean()), note=note)
