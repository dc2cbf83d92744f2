"""The full softmax and its gradient against the same written plainly, in double precision and beside autograd."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from gnn.grouped import GroupedTask, cubed
from gnn.losses import LOSSES
from gnn.model import Shape
from gnn.models.complex import Complex
from gnn.sample import predictable
from gnn.softmax import full_softmax
from kg.errors import ModelError
from tests.test_gnn_convolution import graph, some_edges


def plain(queries: Tensor, nodes: Tensor, rows: Tensor, tails: Tensor, open_: Tensor | None) -> Tensor:
    """Each triple alone: -log softmax of its own row of scores."""
    scores = queries[rows] @ nodes.T
    if open_ is not None:
        scores = scores.masked_fill(~open_[rows], -torch.inf)
    return -scores.log_softmax(1)[torch.arange(len(rows)), tails].sum()


def case(seed: int, batch: int = 7, count: int = 23, dim: int = 6, asked: int = 19) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    rows = torch.randint(batch, (asked,), generator=draw)
    tails = torch.randint(count, (asked,), generator=draw)
    open_ = torch.rand(batch, count, generator=draw) < 0.7
    open_[rows, tails] = True
    return {
        "queries": torch.randn(batch, dim, generator=draw, dtype=torch.float64),
        "nodes": torch.randn(count, dim, generator=draw, dtype=torch.float64),
        "rows": rows,
        "tails": tails,
        "open_": open_,
    }


def gradients(loss: Tensor, *leaves: Tensor) -> list[Tensor]:
    return [found.clone() for found in torch.autograd.grad(loss, leaves)]


@pytest.mark.parametrize("scores", [10**6, 7 * 5, 1], ids=["at once", "in chunks", "node by node"])
@pytest.mark.parametrize("barred", [False, True])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_loss_and_gradient_are_those_of_each_triple_alone(seed: int, barred: bool, scores: int) -> None:
    own = case(seed)
    q, e = own["queries"].requires_grad_(), own["nodes"].requires_grad_()
    open_ = own["open_"] if barred else None
    slow = plain(q, e, own["rows"], own["tails"], open_)
    fast = full_softmax(q, e, (own["rows"], own["tails"]), open_, scores=scores)
    assert fast.item() == pytest.approx(slow.item(), rel=1e-9)
    for found, wanted in zip(gradients(fast, q, e), gradients(slow, q, e), strict=True):
        assert torch.allclose(found, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scores", [10**6, 60], ids=["at once", "in chunks"])
def test_in_bfloat16_the_gradient_stays_within_its_rounding(scores: int) -> None:
    own = case(3, batch=60, count=400, dim=64, asked=150)
    q, e = (own[name].float().mul(0.3).requires_grad_() for name in ("queries", "nodes"))
    slow = plain(q, e, own["rows"], own["tails"], None)
    fast = full_softmax(q, e, (own["rows"], own["tails"]), half=True, scores=scores)
    assert fast.item() == pytest.approx(slow.item(), rel=0.01)
    for found, wanted in zip(gradients(fast, q, e), gradients(slow, q, e), strict=True):
        assert float((found - wanted).norm() / wanted.norm()) < 0.02


def test_a_hopeless_answer_gives_a_finite_loss() -> None:
    q, e = torch.tensor([[200.0]]), torch.tensor([[1.0], [-1.0]])
    assert torch.isfinite(full_softmax(q, e, (torch.tensor([0]), torch.tensor([1]))))


def test_the_cube_of_the_moduli_is_the_nuclear_norm_penalty() -> None:
    z, weight = torch.randn(5, 8, dtype=torch.float64, requires_grad=True), torch.rand(5, dtype=torch.float64)
    wanted = (torch.complex(*z.chunk(2, dim=1)).abs() ** 3 * weight[:, None]).sum()
    assert cubed(z, weight).item() == pytest.approx(wanted.item())
    assert torch.allclose(*(gradients(loss, z)[0] for loss in (cubed(z, weight), wanted)))


def test_a_step_over_all_questions_is_the_mean_over_all_triples_both_ways() -> None:
    own = graph(some_edges(20, 60), 20)
    model = Complex(Shape.of(own), dim=8)
    task = GroupedTask(own, n3=0.1, relations=0.5)
    total, count = torch.zeros(()), len(own.vocabulary.relations)
    with torch.no_grad():
        x, z = model.rows, model.relation
        for h, r, t in own.edges[predictable(own)].tolist():
            for a, b, c in ((h, r, t), (t, r + count, h)):
                scores = model.score_tails(own, torch.tensor([a]), torch.tensor([b]))[0]
                fits = own.vocabulary.fits[b][own.labels]
                total -= scores.masked_fill(~fits, -torch.inf).log_softmax(0)[c]
                ways = torch.stack(
                    [model.ask(x, torch.tensor([a]), torch.tensor([k]))[0] @ x[c] for k in range(len(z))]
                )
                total -= 0.5 * ways.log_softmax(0)[b]
                total += 0.1 * cubed(torch.stack([x[a], z[b], x[c]]), None)
        found = task.loss(model, torch.arange(len(task.questions)))
    assert found.item() == pytest.approx(float(total) / (2 * int(predictable(own).sum())), rel=1e-5)


ROW = torch.tensor([[2.0, 0.5, -1.0, 3.0]], dtype=torch.float64)
"""Scores of four nodes: the first two are right, the last may not answer."""
BY_HAND = {
    "bce": math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-0.5)) + math.log(1 + math.exp(-1)),
    "mse": 1.0**2 + 0.5**2 + 1.0**2,
    "margin": 0.0 + 0.0,  # -1 lies more than 1 below both
    "infonce": 2 * math.log(math.exp(2) + math.exp(0.5)) - 2.5,  # nobody else's answers stand beside the two
}


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss_is_what_it_is_by_hand(name: str) -> None:
    right, open_ = torch.tensor([[True, True, False, False]]), torch.tensor([[True, True, True, False]])
    assert LOSSES[name](ROW, right, open_).item() == pytest.approx(BY_HAND[name], abs=1e-6)


def test_the_margin_is_the_mean_over_wrong_answers_of_how_far_they_come_within_it() -> None:
    right, open_ = torch.tensor([[False, True, False, False]]), torch.ones(1, 4, dtype=torch.bool)
    # beside 0.5 stand 2.0, -1.0 and 3.0: they lack 2.5, -0.5 and 3.5
    assert LOSSES["margin"](ROW, right, open_).item() == pytest.approx((2.5 + 0.0 + 3.5) / 3, abs=1e-6)
    assert LOSSES["margin"](ROW, open_, open_).item() == 0.0


def test_cross_entropy_with_weights_of_classes_is_that_by_hand_and_that_of_torch() -> None:
    scores, weights = torch.tensor([[2.0, 0.0], [1.0, 1.0]], dtype=torch.float64), torch.tensor([1.0, 3.0])
    tails = torch.tensor([0, 1])
    found = full_softmax(scores, torch.eye(2, dtype=torch.float64), (torch.arange(2), tails, weights[tails])) / 4
    wanted = (math.log(1 + math.exp(-2)) + 3 * math.log(2)) / 4
    assert found.item() == pytest.approx(wanted, abs=1e-6)
    assert found.item() == pytest.approx(functional.cross_entropy(scores, tails, weights.double()).item(), abs=1e-6)


@pytest.mark.parametrize("scores", [10**6, 60], ids=["at once", "in chunks"])
def test_weighted_answers_have_the_gradient_of_that_many(scores: int) -> None:
    own, times = case(5), torch.randint(1, 4, (19,), generator=torch.Generator().manual_seed(1))
    q, e = own["queries"].requires_grad_(), own["nodes"].requires_grad_()
    slow = plain(q, e, own["rows"].repeat_interleave(times), own["tails"].repeat_interleave(times), None)
    fast = full_softmax(q, e, (own["rows"], own["tails"], times), scores=scores)
    assert fast.item() == pytest.approx(slow.item())
    for found, wanted in zip(gradients(fast, q, e), gradients(slow, q, e), strict=True):
        assert torch.allclose(found, wanted)


@pytest.mark.parametrize("name", ["softmax", *sorted(LOSSES)])
def test_a_relation_that_weighs_more_pulls_more(name: str) -> None:
    own = graph(some_edges(20, 60), 20)
    model, weights = Complex(Shape.of(own), dim=8), torch.ones(len(own.vocabulary.relations))
    heavy = int(own.edges[predictable(own)][0, 1])
    weights[heavy] = 1e6
    alone = own.without(own.edges[:, 1] != heavy)
    found, wanted = (
        task.loss(model, torch.arange(len(task.questions)))
        for task in (GroupedTask(own, loss=name, weights=weights), GroupedTask(alone, loss=name))
    )
    assert found.item() == pytest.approx(wanted.item(), rel=1e-3)


def test_losses_and_weights_that_are_none_are_named() -> None:
    own = graph(some_edges(20, 60), 20)
    with pytest.raises(ModelError, match="name softmax, bce"):
        GroupedTask(own, loss="hinge")
    for bad in (torch.zeros(len(own.vocabulary.relations)), torch.ones(2)):
        with pytest.raises(ModelError, match="numbers above 0, one a relation"):
            GroupedTask(own, weights=bad)
    with pytest.raises(ModelError, match="nothing to learn"):
        GroupedTask(own.without(torch.ones(len(own.edges), dtype=torch.bool)))


def test_rows_taken_from_a_table_give_their_gradient_to_it() -> None:
    """The step as it is trained, beside autograd through plain indexing."""
    own = graph(some_edges(20, 60), 20)
    model = Complex(Shape.of(own), dim=8).double()
    task = GroupedTask(own, n3=0.1)
    part = torch.arange(0, len(task.questions), 2)
    heads, relations = task.questions[part].unbind(1)
    row, tails = task._answers(part)
    h, r, t = model.rows[heads], model.relation[relations], model.rows[tails]
    fits = own.vocabulary.fits[relations][:, own.labels]
    slow = plain(model.query(h, r), model.rows, row, tails, fits)
    slow = slow + 0.1 * (cubed(h[row], None) + cubed(r[row], None) + cubed(t, None))
    pairs = (gradients(loss, model.rows, model.relation) for loss in (task.loss(model, part), slow / len(row)))
    for found, wanted in zip(*pairs, strict=True):
        assert torch.allclose(found, wanted, rtol=1e-5, atol=1e-8)
