"""However large a graph is, no more scores are held at once than is allowed, and what comes out is the same."""

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from gnn.bound import blocks, bounded, held
from gnn.calibrate import UNLEARNED
from gnn.conformal import LinkSets, both_sides, covered, groups, strangeness
from gnn.evaluate import rank
from gnn.links import LinkTask, best_links, one_vs_all, scored
from gnn.model import Model, Shape
from gnn.models.complex import Complex
from gnn.models.frequency import Frequency
from gnn.models.relational import Relational
from gnn.odds import Odds, centred
from gnn.pipeline import facts_of
from gnn.sample import allowed, negatives, predictable
from gnn.settings import Settings
from gnn.tensors import GraphTensors
from gnn.train import Recipe, fit
from gnn.views import Views
from gnn.vocabulary import LABELS, RELATIONS
from kg.errors import ModelError
from tests.gnn_world import CUT, build
from tests.test_gnn_convolution import LENDS, SUPPLIES, graph, some_edges

TIGHT = 3_000
"""Scores that may be held: ten rows of the graph below."""
NODES = 300


class Meter(TorchDispatchMode):
    """Watches every tensor that is made: how many numbers are alive at once, and how many the largest has."""

    def __init__(self) -> None:
        super().__init__()
        self.alive = self.peak = self.largest = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, (tuple, list)) else [made]:
            if isinstance(one, Tensor) and one._base is None:
                size = one.untyped_storage().nbytes() // one.element_size()
                self.largest, self.alive = max(self.largest, size), self.alive + size
                self.peak = max(self.peak, self.alive)
                weakref.finalize(one, self._gone, size)
        return made

    def _gone(self, size: int) -> None:
        self.alive -= size


def world() -> GraphTensors:
    """Firms and people with loans and supplies, of which not all nodes may stand everywhere."""
    own = graph([*some_edges(NODES, 200, 1), *([a, LENDS, b] for a, _, b in some_edges(NODES, 120, 2))], NODES)
    own.labels[::5] = LABELS.index("Person")
    fits, (head, relation, tail) = allowed(own), own.edges.unbind(1)
    return own.without(~(fits[relation, tail] & fits[relation + len(RELATIONS), head]))


def models(own: GraphTensors) -> list[Model]:
    return [Complex(Shape.of(own), dim=8), Relational(Shape.of(own), dim=8), Frequency(Shape.of(own))]


MODELS = pytest.mark.parametrize("which", range(3), ids=["complex", "relational", "frequency"])


def asked(own: GraphTensors, count: int = 60) -> Tensor:
    """Triples that the graph does not hold, with several answers to some questions."""
    right = own.edges[predictable(own)][:count]
    return negatives(own, right, 2, seed=4)


@MODELS
def test_ranks_odds_and_sets_are_the_same_however_few_scores_are_held(which: int) -> None:
    own, model = world(), models(world())[which]
    new = asked(own)
    both = both_sides(own, new)
    sets = LinkSets(0.1, "mass", 0, 0.9, {}, 0.9)

    def told() -> list[Any]:
        ranks, strange = rank(model, own, new), strangeness(model, own, both)
        return [ranks.tails, ranks.heads, centred(model, own, new), strange, covered(sets, model, own, both)]

    whole = told()
    with bounded(TIGHT):
        parts = told()
    for left, right in zip(whole[:4], parts[:4], strict=True):
        assert np.allclose(np.asarray(left), np.asarray(right), atol=1e-5)
    assert [row.hits for row in whole[4]] == [row.hits for row in parts[4]] and len(groups(own, both)) == len(both)


@MODELS
def test_the_best_links_are_those_of_all_pairs_scored_one_by_one(which: int) -> None:
    own, model = world(), models(world())[which]
    with bounded(TIGHT):
        found = best_links(model, own, UNLEARNED, 7, ("SUPPLIES", "LENDS_TO"))
    whole = best_links(model, own, UNLEARNED, 7, ("SUPPLIES", "LENDS_TO"))
    assert torch.equal(found.triples, whole.triples) and np.allclose(found.score, whole.score, atol=1e-6)
    edges = own.edges[own.edges[:, 1] == SUPPLIES]
    held_ = {tuple(row) for row in edges.tolist()}
    pairs = torch.cartesian_prod(torch.unique(edges[:, 0]), torch.unique(edges[:, 2])).tolist()
    every = torch.tensor([[h, SUPPLIES, t] for h, t in pairs if h != t and (h, SUPPLIES, t) not in held_])
    odds = centred(model, own, every)
    order = torch.sort(odds, descending=True, stable=True).indices[:7]
    assert torch.equal(whole.triples[whole.triples[:, 1] == SUPPLIES], every[order])


@pytest.mark.parametrize("loss", ["softmax", "bce"])
@MODELS
def test_the_loss_and_its_gradient_are_the_same_however_few_scores_are_held(which: int, loss: str) -> None:
    own, model = world(), models(world())[which]
    model.train(False)
    edges, fits = own.edges[predictable(own)], allowed(own)
    weight = torch.rand(len(edges), generator=torch.Generator().manual_seed(3)) + 0.1

    def told() -> list[Tensor]:
        lost = one_vs_all(model, own, edges, fits, weight, loss)
        wanted = [p for p in model.parameters() if p.numel()]
        return (
            [lost, *(g for g in torch.autograd.grad(lost, wanted, allow_unused=True) if g is not None)]
            if wanted
            else [lost]
        )

    whole = told()
    for scores in (TIGHT, 200)[: 1 + (loss == "softmax")]:  # the second is less than one question's
        with bounded(scores):
            parts = told()
        assert len(whole) == len(parts)
        assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(whole, parts, strict=True))


def test_no_more_numbers_are_alive_than_the_bound_the_graph_and_the_vectors_take() -> None:
    own = world()
    model = Relational(Shape.of(own), dim=8).eval()
    edges, fits, new = own.edges[predictable(own)], allowed(own), asked(own)
    parts = {
        "training": lambda: one_vs_all(model, own, edges, fits).backward(),
        "ranking": lambda: rank(model, own, new),
        "odds": lambda: centred(model, own, new),
        "predicting": lambda: Odds(model, own).best(SUPPLIES, 5),
        "sets": lambda: strangeness(model, own, both_sides(own, new)),
    }
    linear = 40 * len(own.edges) * 3 + 80 * NODES * 8 + fits.numel()  # edges, vectors and candidates, each some times
    for name, run in parts.items():
        whole, tight = Meter(), Meter()
        with whole:
            run()
        with tight, bounded(TIGHT):
            run()
        assert tight.peak <= 8 * TIGHT + linear, (name, tight.peak, linear)
        assert whole.largest > 4 * TIGHT, (name, whole.largest)
        assert tight.largest <= max(TIGHT, fits.numel()), (name, tight.largest)


def test_messages_made_some_columns_at_a_time_say_the_same() -> None:
    own, x = world(), Relational(Shape.of(world()), dim=8)
    x.train(False)

    def told() -> list[Tensor]:
        found = x.embed(own)
        return [found, *torch.autograd.grad(found.sin().sum(), [x.rows.weight, x.message])]

    whole = told()
    with bounded(2_000):  # of 800 slots and 8 columns two at a time
        parts = told()
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(whole, parts, strict=True))


def test_wrong_triples_of_a_large_graph_are_drawn_without_a_table_of_all_nodes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = world()
    monkeypatch.setattr("gnn.sample.DRAWN", 100)
    right = own.edges[predictable(own)]
    with Meter() as meter:
        wrong = negatives(own, right, 3, seed=1)
    assert meter.largest <= allowed(own).numel() < len(right) * NODES / 4  # a row of nodes a kind of question
    fits, true = allowed(own), {tuple(row) for row in own.edges.tolist()}
    assert bool(fits[wrong[:, 1], wrong[:, 2]].all()) and bool(fits[wrong[:, 1] + len(RELATIONS), wrong[:, 0]].all())
    assert not true & {tuple(row) for row in wrong.tolist()}
    assert len(torch.unique(wrong[:, 2])) > 100  # drawn from all that fit


def test_a_bound_that_holds_nothing_is_refused_and_one_inside_ends_with_it() -> None:
    with pytest.raises(ModelError, match="scores is 0"), bounded(0):
        pass
    with bounded(5):
        assert held(9) == 5 and held(9, 7) == 7
    assert held(9) == 9
    assert [list(range(10))[part] for part in blocks(10, 4, 13)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]


def test_a_model_learns_the_same_however_few_scores_are_held() -> None:
    own, told = world(), []
    held_back = torch.arange(len(own.edges)) % 5 == 0
    known, right = own.without(held_back), own.edges[held_back]
    for scores in (None, TIGHT):
        with bounded(scores):
            model = Relational(Shape.of(known), dim=8, seed=0)
            run = fit(model, LinkTask(known, right), Recipe(epochs=4, seed=0))
            said = scored(model, known, right, negatives(known, right, 1, seed=0))[0]
        told.append([row["loss"] for row in run.epochs] + [run.value, *said])
    assert np.allclose(*told, atol=1e-5, rtol=1e-5)


def test_a_manifest_is_silent_of_the_bound_unless_one_is_set(tmp_path: Path) -> None:
    made = build(tmp_path, firms=12)
    views = Views(made.ledger, made.files, None)
    usual, tight = (facts_of(views, CUT, 0, Settings(scores=scores), []) for scores in (None, TIGHT))
    assert "scores" not in usual["settings"] and tight["settings"]["scores"] == TIGHT
