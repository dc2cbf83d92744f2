"""Entities never seen in training: CoDEx-S with a part of its entities held out, ranked by what is said of them later.

Training knows the edges between the other entities alone. At test the graph also holds four in five of the edges of the
held-out entities; the fifth is asked for, head and tail, filtered, among all entities. Epochs are chosen on edges
between known entities. Needs KGRISK_REAL_DATA.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from benchmarks.figure import Figure, real_data
from gnn.dealt import DealtTask
from gnn.evaluate import Ranking, bootstrap, rank
from gnn.links import LinkTask
from gnn.model import Model, Shape
from gnn.models.complex import Complex
from gnn.models.frequency import Frequency
from gnn.models.paths import PathModel
from gnn.models.relational import Relational
from gnn.softmax import halves
from gnn.tensors import GraphTensors
from gnn.train import Recipe, fit
from gnn.triples import Triples, read_triples

HELD: Final = 0.15
ASKED: Final = 0.2
SEED: Final = 0
EPOCHS: Final = {"paths": 2, "relational": 60}
"""The most epochs of the models that pass messages; a bound of time would give other figures on a busy machine."""


@dataclass(frozen=True)
class Split:
    """Graphs over the same entities, and what is asked of them."""

    known: GraphTensors
    """Edges between known entities: the training."""
    told: GraphTensors
    """The same with most edges of the held-out entities: the test."""
    valid: Tensor
    """Edges between known entities, held back from both."""
    asked: Tensor
    """The other edges of held-out entities."""
    new: Tensor
    """(entities,) bool: which are held out."""


def split(whole: Triples, seed: int = SEED) -> Split:
    """The seeded split of all triples of a public set."""
    draw = torch.Generator().manual_seed(seed)
    triples = torch.unique(whole.known, dim=0)
    new = torch.zeros(len(whole.graph), dtype=torch.bool)
    new[torch.randperm(len(new), generator=draw)[: int(HELD * len(new))]] = True
    touch = new[triples[:, 0]] | new[triples[:, 2]]
    chance = torch.rand(len(triples), generator=draw)
    asked, valid = touch & (chance < ASKED), ~touch & (chance < 0.03)
    known, told = (over(whole.graph, triples[part]) for part in (~touch & ~valid, ~asked & ~valid))
    return Split(known, told, triples[valid], triples[asked], new)


def over(graph: GraphTensors, triples: Tensor) -> GraphTensors:
    """The same entities with other edges."""
    edges = torch.unique(triples[:, [1, 0, 2]], dim=0)[:, [1, 0, 2]]
    zero = torch.zeros(len(edges), dtype=torch.int64)
    return replace(graph, edges=edges, first=zero, last=zero, counts=zero + 1)


def paths(own: Split) -> Model:
    model = PathModel(Shape.of(own.known), inductive=True, seed=SEED)
    task = LinkTask(own.known, own.valid, steps=len(own.known.edges) // 32)
    fit(model, task, Recipe(epochs=EPOCHS["paths"], rate=0.005, schedule="linear", weight_decay=0.0))
    return model


def relational(own: Split) -> Model:
    model = Relational(Shape.of(own.known), table=False, seed=SEED)
    task = LinkTask(own.known, own.valid, steps=8)
    fit(model, task, Recipe(epochs=EPOCHS["relational"], rate=0.01))
    return model


def table(graph: GraphTensors, valid: Tensor) -> Model:
    """ComplEx by its own plan for public triples."""
    model = Complex(Shape.of(graph), **Complex.plan.settings, seed=SEED)
    task = DealtTask(graph, valid, **{**Complex.plan.lesson, "half": halves()})
    fit(model, task, Recipe(**Complex.plan.recipe))
    return model


MODELS: Final[dict[str, Callable[[Split], Model]]] = {
    "paths": paths,
    "relational without table": relational,
    "popularity and recurrence": lambda own: Frequency(Shape.of(own.told)),
    "ComplEx, rows of new entities untrained": lambda own: table(own.known, own.valid),
    "ComplEx, trained anew with the new edges": lambda own: table(own.told, own.valid),
}


def unseen(found: Ranking, new: Tensor) -> Tensor:
    """(questions,) ranks of the answers that are held-out entities themselves."""
    heads, _, tails = found.triples.unbind(1)
    return torch.cat([found.tails[new[tails]], found.heads[new[heads]]])


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    own, figures = split(read_triples(real_data() / "link-prediction" / "codex-s")), []
    rankings: dict[str, Ranking] = {}
    for name, make in MODELS.items():
        begun = time.process_time()
        found = rankings[name] = rank(make(own), own.told, own.asked, torch.cat([own.told.edges, own.valid]))
        low, high = bootstrap(found.reciprocals)
        answer = float((1 / unseen(found, own.new)).mean())
        took = f"{time.process_time() - begun:.0f} CPU seconds with training"
        note = (
            f"interval {low:.3f} to {high:.3f}, {len(own.asked)} triples; hits@10 {found.hits(10):.3f}; "
            f"where the answer is a new entity {answer:.3f}; {took}"
        )
        figures.append(Figure(f"MRR on new entities, {name}", found.mrr, note=note))
    for other in list(MODELS)[1:4]:
        gap = rankings["paths"].reciprocals - rankings[other].reciprocals
        low, high = bootstrap(gap)
        note = f"mean {gap.mean():+.3f}, up to {high:+.3f}, paired by triple"
        figures.append(Figure(f"low end of what paths gain over {other}", low, 0.0, note=note))
    return figures
