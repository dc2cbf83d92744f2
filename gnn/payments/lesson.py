"""Lesson: what the network is trained on, and its scores in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.evaluate import auprc
from gnn.model import exact
from gnn.payments.neighbourhood import Neighbourhood
from gnn.payments.network import Network, Switch, Wiring
from gnn.payments.report import Judged, gap
from gnn.train import Recipe, fit

SIZE: Final = 512
"""Transfers scored at once, and looked at to learn the scale of the columns."""


RECIPE: Final = Recipe(epochs=8, optimiser="adamw", rate=0.006, schedule="cosine", weight_decay=1e-3, patience=4)


@dataclass(frozen=True)
class Course:
    """How the network is trained."""

    fans: tuple[int, ...] = (5, 2)
    """Latest transfers followed from each account, sent and got each, by hop."""
    negatives: int = 5
    """Transfers that launder nothing drawn anew in each epoch for each one that does."""
    weight: float = 2.0
    """What a laundering transfer counts in the loss beside one of those drawn."""
    size: int = 512
    """Transfers of one step."""
    watched: int = 4000
    """Most validation transfers by which the best epoch is told; all that launder are among them."""
    recipe: Recipe = RECIPE


class Lesson:
    """Cross-entropy of single transfers, those that launder weighing more; the value is AUPRC on later ones."""

    def __init__(self, near: Neighbourhood, truth: np.ndarray, parts: tuple[np.ndarray, np.ndarray], course: Course):
        self.near, self.truth, self.course = near, truth, course
        train, valid = parts
        self.bad, self.good = train[truth[train] > 0], train[truth[train] == 0]
        draw = np.random.default_rng(0)
        rest = valid[truth[valid] == 0]
        some = draw.permutation(rest)[: max(course.watched - int(truth[valid].sum()), 1)]
        self.valid = np.sort(np.concatenate([valid[truth[valid] > 0], some]))

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        """One epoch: every laundering transfer, and others drawn anew."""
        drawn = torch.randint(len(self.good), (len(self.bad) * self.course.negatives,)).numpy()
        rows = np.concatenate([self.bad, self.good[drawn]])
        rows = rows[torch.randperm(len(rows)).numpy()]
        for start in range(0, len(rows), self.course.size):
            part = rows[start : start + self.course.size]
            truth = torch.from_numpy(self.truth[part]).to(torch.float32)
            weight = 1 + (self.course.weight - 1) * truth
            yield F.binary_cross_entropy_with_logits(model(self.near.of(part)), truth, weight)

    def validate(self, model: nn.Module) -> float | None:
        return auprc(self.truth[self.valid], logits(model, self.near, self.valid))


@torch.no_grad()
def logits(model: nn.Module, near: Neighbourhood, rows: np.ndarray) -> np.ndarray:
    """(rows,) log odds of transfers, before calibration."""
    model.eval()
    parts = [model(batch).double().numpy() for batch in near.batches(rows, SIZE)]
    return np.concatenate(parts) if parts else np.zeros(0)


def learn(
    near: Neighbourhood, truth: np.ndarray, parts: tuple[np.ndarray, np.ndarray], wiring: Wiring, course: Course
) -> Network:
    """A network trained on the first part; the epoch is the one that does best on the second."""
    model = Network(wiring, course.recipe.seed)
    lesson = Lesson(near, truth, parts, course)
    with exact(course.recipe.threads):
        model.scale(
            near.of(np.concatenate([lesson.bad[:SIZE], lesson.good[:: max(1, len(lesson.good) // SIZE)]])).edges
        )
        model.epochs = fit(model, lesson, course.recipe).epochs
    return model


def chosen(
    near: Neighbourhood, truth: np.ndarray, parts: tuple[np.ndarray, np.ndarray], wiring: Wiring, course: Course,
    tried: Sequence[Switch] = (),
) -> tuple[Network, dict[str, float]]:  # fmt: skip
    """The network of the wiring that the second part chooses, and the AUPRC there of each that was tried.

    Each switch in turn is tried on and off. A piece stays only where it gains more than one standard error over
    senders: of two that the part cannot tell apart the simpler one is kept (Breiman et al. 1984).
    """
    valid, made = parts[1], dict[Wiring, tuple[Network, Judged]]()
    told: dict[str, float] = {}

    def taught(own: Wiring, name: str) -> Judged:
        if own not in made:
            model = learn(near, truth, parts, own, course)
            with exact(course.recipe.threads):
                score = logits(model, near, valid)
            made[own] = model, Judged(truth[valid], score, score, 0.0)
            told[name] = area(made[own][1])
        return made[own][1]

    taught(wiring, "as set")
    for switch in tried:
        ways = [wiring.switched(switch, on) for on in (True, False)]
        on, off = (taught(way, f"{switch} {word}") for way, word in zip(ways, ("on", "off"), strict=True))
        wiring = ways[0] if surely(on, off, near.past.payments.source[valid]) else ways[1]
    return made[wiring][0], told


def surely(one: Judged, other: Judged, senders: np.ndarray) -> bool:
    """Whether the one gains more AUPRC over the other than one standard error over senders."""
    gain = gap(one, other, senders, area)
    return gain.value > (gain.high - gain.low) / 4  # 95 % are four standard errors


def area(judged: Judged) -> float:
    """AUPRC of scored transfers."""
    return auprc(judged.truth, judged.score)
