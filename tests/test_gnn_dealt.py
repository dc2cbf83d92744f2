"""Triples dealt in batches: every one once an epoch, each weighing the same, whatever else shares its question."""

from dataclasses import replace

import pytest
import torch

from gnn.dealt import DealtTask
from gnn.grouped import GroupedTask, cubed
from gnn.model import Shape, seeded
from gnn.models.complex import Complex
from gnn.tensors import GraphTensors
from gnn.trial import task
from gnn.triples import Triples
from gnn.vocabulary import Vocabulary
from tests.test_gnn_convolution import LENDS, graph, some_edges


def hub(tails: int = 60, others: int = 20) -> GraphTensors:
    """One bank lends to many, and as many banks as `others` to one each."""
    rows = [[0, LENDS, 1 + n] for n in range(tails)] + [[100 + n, LENDS, 1 + n] for n in range(others)]
    return graph(rows, 140)


class Kept(DealtTask):
    """Keeps the task of each step."""

    steps: list[GroupedTask]

    def only(self, asked: torch.Tensor, tails: torch.Tensor) -> GroupedTask:
        self.steps.append(super().only(asked, tails))
        return self.steps[-1]


def epoch(own: GraphTensors, batch: int) -> list[GroupedTask]:
    """The tasks of one epoch's steps."""
    lesson = Kept(own, batch=batch, steps=1)
    lesson.steps = []
    with seeded(0):
        list(lesson.losses(Complex(Shape.of(own), dim=4)))
    return lesson.steps


def triples(own: GroupedTask) -> torch.Tensor:
    questions = torch.repeat_interleave(own.questions, own.sizes, dim=0)
    return torch.cat([questions, own.tails[:, None]], dim=1)


def ordered(rows: torch.Tensor) -> list[list[int]]:
    return sorted(rows.tolist())


def test_an_epoch_asks_every_triple_once_in_each_direction() -> None:
    own = graph(some_edges(24, 90), 24)
    steps = epoch(own, 16)
    dealt = torch.cat([triples(step) for step in steps])
    assert ordered(dealt) == ordered(triples(GroupedTask(own)))
    assert {len(triples(step)) for step in steps[:-1]} == {16}


def test_a_question_of_many_answers_speaks_in_every_step_and_not_in_one_alone() -> None:
    steps = epoch(hub(), 40)
    shares = [float((triples(step)[:, :2] == torch.tensor([0, LENDS])).all(1).double().mean()) for step in steps]
    assert len(steps) == 4 and all(0.2 < share < 0.6 for share in shares)  # 60 of 160 in all
    whole = GroupedTask(hub())
    assert int(whole.sizes.max()) == 60 and len(whole.questions) > 80


def test_a_step_is_the_mean_over_its_triples_alone() -> None:
    own = graph(some_edges(20, 60), 20)
    model = Complex(Shape.of(own), dim=8)
    lesson = DealtTask(own, n3=0.1)
    numbers = torch.repeat_interleave(torch.arange(len(lesson.questions)), lesson.sizes)
    part = torch.randperm(len(numbers), generator=torch.Generator().manual_seed(1))[:17]
    step = lesson.only(numbers[part], lesson.tails[part])
    wanted = torch.zeros(())
    for h, r, t in triples(step).tolist():
        fits = own.vocabulary.fits[r][own.labels]
        scores = model.score_tails(own, torch.tensor([h]), torch.tensor([r]))[0].masked_fill(~fits, -torch.inf)
        wanted = wanted - scores.log_softmax(0)[t]
        wanted = wanted + 0.1 * cubed(torch.stack([model.rows[h], model.relation[r], model.rows[t]]), None)
    assert len(triples(step)) == 17
    found = step.loss(model, torch.arange(len(step.questions)))
    assert found.item() == pytest.approx(wanted.item() / 17, rel=1e-5)


def test_a_small_graph_is_dealt_in_as_many_steps_as_a_larger_one() -> None:
    own = graph(some_edges(24, 90), 24)
    count = len(DealtTask(own).tails)
    assert count < 1000 and DealtTask(own, batch=1000, steps=32).batch == count // 32
    assert DealtTask(own, batch=2, steps=32).batch == 2 and DealtTask(own, steps=10**6).batch == 1


def test_one_batch_of_all_triples_is_the_grouped_step() -> None:
    own = graph(some_edges(20, 60), 20)
    model, whole = Complex(Shape.of(own), dim=8), GroupedTask(own, n3=0.1, relations=0.5)
    with torch.no_grad():
        (found,) = DealtTask(own, batch=10_000, steps=1, n3=0.1, relations=0.5).losses(model)
        wanted = whole.loss(model, torch.arange(len(whole.questions)))
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)


def test_the_softmax_is_dealt_and_losses_that_ask_what_is_wrong_see_all_answers() -> None:
    """Under bce an answer that another batch holds would count as wrong."""
    own = graph(some_edges(20, 60), 20)
    words = Vocabulary.plain(own.vocabulary.relations)
    plain = replace(own, labels=torch.zeros(20, dtype=torch.int64), vocabulary=words)
    split = Triples(plain, plain.edges[:3], plain.edges[3:6], None, (plain.edges, plain.edges[:3], plain.edges[3:6]))
    assert isinstance(task(Complex, split, {}), DealtTask)
    assert not isinstance(task(Complex, split, {"loss": "bce"}), DealtTask)
