"""A model fitted up to a cut, and what it said of the validation window before it knew it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
import torch
from torch import Tensor

from gnn.calibrate import UNLEARNED, ByRelation, best, by_relation
from gnn.encoder import Encoder
from gnn.links import scored
from gnn.model import Model, Shape
from gnn.models.frequency import Frequency
from gnn.rerank import Reranked
from gnn.sample import Fresh, codes, fresh, negatives
from gnn.settings import Report, Settings
from gnn.teaching import network, taught
from gnn.tensors import GraphTensors, microseconds
from gnn.train import Fit, Recipe
from gnn.views import Views, months, quarters

FUSED, STRUCTURE, COUNTS, PROPOSED = "relational", "structure", "frequency", "proposed"
"""The usual model, and what stands beside that of a run: no features, counting, its own order before paths judged."""
LATE: Final = torch.iinfo(torch.int64).max


@dataclass(frozen=True)
class Window:
    """A graph, and the forecastable triples that were published after its cut."""

    graph: GraphTensors
    later: Fresh
    told: Tensor
    """(triples,) int64 microseconds when each of the later triples was first published."""

    def bare(self) -> Window:
        """The same window for a structure-only model."""
        return Window(self.graph.with_features({}), self.later, self.told)


def windows(views: Views, encoders: Sequence[Encoder], cut: datetime, length: int) -> tuple[Window, Window]:
    """The validation window (the `length` months before the cut) and the test window (all that came after it)."""
    start, last = months(cut, -length), views.last()
    before, now = views.tensors(start, encoders), views.tensors(cut, encoders)
    tested = quarters(cut, last) if last is not None and last > cut else []
    return (
        window(before, [views.tensors(date) for date in quarters(start, cut)]),
        window(now, [views.tensors(date) for date in tested]),
    )


def window(graph: GraphTensors, later: Sequence[GraphTensors]) -> Window:
    """A graph and what later views of the same ledger hold beyond it."""
    found = fresh(graph, later)
    return Window(graph, found, first_told(graph, found.triples, later))


def first_told(graph: GraphTensors, triples: Tensor, later: Sequence[GraphTensors]) -> Tensor:
    """(triples,) microseconds when a later view first holds each of them as published."""
    found = torch.full((len(triples),), LATE)
    wanted, order = torch.sort(codes(triples, len(graph)))
    for view in later if len(triples) else ():
        row = torch.tensor([graph.index.get(id, -1) for id in view.ids])
        h, r, t = row[view.edges[:, 0]], view.edges[:, 1], row[view.edges[:, 2]]
        mine = torch.nonzero((h >= 0) & (t >= 0) & (view.last > microseconds(graph.cut))).squeeze(1)
        code = codes(torch.stack([h, r, t], dim=1)[mine], len(graph))
        place = torch.searchsorted(wanted, code).clamp(max=len(wanted) - 1)
        hit = wanted[place] == code
        found = found.scatter_reduce(0, order[place[hit]], view.first[mine[hit]], "amin")
    return found


@dataclass(frozen=True)
class Judged:
    """Scores of right and wrong triples, and which is which."""

    score: np.ndarray
    truth: np.ndarray
    relation: np.ndarray


def judged(model: Model, graph: GraphTensors, right: Tensor, seed: int) -> Judged:
    """Later true triples beside one wrong triple each, the same ones for every model of a graph."""
    wrong = negatives(graph, right, 1, seed)
    score, truth = scored(model, graph, right, wrong)
    return Judged(score, truth, torch.cat([right, wrong])[:, 1].numpy())


@dataclass(frozen=True)
class Learned:
    """A model fitted up to the cut, with what was learned of it in the validation window."""

    name: str
    model: Model
    graph: GraphTensors
    before: Model
    """The model as fitted up to the validation window."""
    calibration: ByRelation
    ahead: np.ndarray
    """Probabilities of the validation window's triples, right ones and then wrong ones, calibrated out of fold."""
    truth: np.ndarray

    @classmethod
    def of(cls, name: str, before: Model, after: Model, both: tuple[Window, Window], deal: int) -> Learned:
        """Calibrated on what `before` said of the validation window."""
        valid, test = both
        if not len(valid.later.triples):
            return cls(name, after, test.graph, before, UNLEARNED, np.zeros(0), np.zeros(0))
        said = judged(before, valid.graph, valid.later.triples, deal)
        scale = by_relation(said.score, said.truth, said.relation)
        return cls(name, after, test.graph, before, scale, best(said.score, said.truth)[1], said.truth)

    def probability(self, score: np.ndarray, relation: np.ndarray) -> np.ndarray:
        """Calibrated: that a triple is the true one beside one wrong triple of right types."""
        return self.calibration(score, relation)


def learn(
    name: str, both: tuple[Window, Window], settings: Settings, seed: int, deal: int, report: Report
) -> tuple[Learned, dict[str, Fit]]:
    """Choose the number of epochs on the validation window, then fit anew for as many on all that the cut allows.

    `deal` is the seed of the wrong triples it is calibrated on, the same for all that are compared.
    """
    valid, test = both
    first, model = network(valid.graph, settings, seed), network(test.graph, settings, seed)
    runs: dict[str, Fit] = {}
    if model.trained:
        asked = settings.epochs, settings.optimiser, settings.rate, settings.schedule
        recipe = Recipe(*asked, seed=seed, threads=settings.threads)
        state = settings.unfinished and settings.unfinished / name
        say = lambda text: report(f"{name} {text}")  # noqa: E731  # one line reads better here
        run, before = taught(
            first, valid.graph, valid.later.triples, (settings, recipe), state and state / "choose", say
        )
        chosen = replace(recipe, epochs=max(run.best, 1))
        again, _ = taught(model, test.graph, None, (settings, chosen), state and state / "all", say)
        runs = {name: run, f"{name} (refit)": again} | ({f"{name} (pre-training)": before} if before else {})
    return Learned.of(name, first, model, both, deal), runs


def judged_by(one: Learned, judge: Learned, both: tuple[Window, Window], top: int, deal: int) -> Learned:
    """The same model with its `top` best answers put in order with the help of another one, calibrated anew."""
    before, after = Reranked(one.before, judge.before, top), Reranked(one.model, judge.model, top)
    return Learned.of(one.name, before, after, both, deal)


def counted(both: tuple[Window, Window], seed: int) -> Learned:
    """The counting baseline, calibrated as the others are."""
    before, after = (Frequency(Shape.of(window.graph)) for window in both)
    return Learned.of(COUNTS, before, after, both, seed)
