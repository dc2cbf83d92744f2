"""How sure a statement is, and the range of sums of exposures: against closed forms and every world there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from kg.errors import MeasureError
from queries.belief import Belief, by_counterparty, direct_loss
from queries.exposures import Exposures
from queries.measures.debtrank import DebtRank
from queries.measures.pagerank import PageRank
from queries.scenario import Shocks
from queries.uncertainty import (
    drawn_worlds,
    every_world,
    interval,
    losses_in,
    simulate,
)
from tests.doubtful_world import believed, book, every_measure, fails, hit, measure, network


def test_independent_documents_make_a_statement_surer_and_one_document_counts_once() -> None:
    x = Exposures.of([[0, 5], [0, 0]], [10, 10])
    (id,) = x.edges["id"].to_pylist()
    claims = {"statement": [id] * 3, "document": ["a", "a", "b"], "confidence": [0.5, 0.8, 0.9]}
    belief = Belief.of(x, pa.table(claims))
    assert belief.likely.tolist() == pytest.approx([1 - 0.2 * 0.1]) and belief.documents == ("a", "b")
    assert belief.lowered(id, "b", 0.5).likely.tolist() == pytest.approx([1 - 0.2 * 0.5])


def test_an_exposure_that_no_claim_states_is_refused_by_name() -> None:
    x = Exposures.of([[0, 5], [0, 0]], [10, 10])
    empty = pa.table({"statement": pa.array([], pa.string()), "document": pa.array([], pa.string())})
    with pytest.raises(MeasureError, match="bank:0>bank:1"):
        Belief.of(x, empty.append_column("confidence", pa.array([], pa.float64())))
    with pytest.raises(MeasureError, match="0 to 1"):
        believed(x, [1.5])
    with pytest.raises(MeasureError, match="does not say"):
        believed(x, [0.5]).lowered("bank:0>bank:1", "another", 0.2)


def test_what_a_creditor_is_owed_by_each_debtor_has_a_range() -> None:
    x = Exposures.of([[0, 50, 30], [0, 0, 7], [0, 0, 0]], [100, 100, 100])
    rows = by_counterparty(x, believed(x, [0.9, 1.0, 1.0]), "bank:0").to_pylist()
    assert [(row["debtor"], row["amount"]) for row in rows] == [("bank:1", 50), ("bank:2", 30)]
    assert rows[0]["mean"] == pytest.approx(45) and rows[0]["sd"] == pytest.approx(15)
    assert (rows[0]["low"], rows[0]["high"]) == (0, pytest.approx(50))
    assert (rows[1]["low"], rows[1]["high"], rows[1]["sd"]) == (30, 30, 0)


def test_a_predicted_exposure_stands_in_every_world_at_its_expected_amount() -> None:
    x = Exposures.of([[0, 50, 30], [0, 0, 0], [0, 0, 0]], [100, 100, 100])
    place = x.edges.schema.get_field_index("predicted")
    x = replace(x, edges=x.edges.set_column(place, "predicted", pa.array([False, True])))
    belief = Belief.of(x, pa.table({"statement": ["bank:0>bank:1"], "document": ["a"], "confidence": [0.5]}))
    assert belief.exposed(np.array([[True], [False]])).tolist() == [[True, True], [False, True]]
    assert direct_loss(x, belief, np.ones(3)).mean[0] == pytest.approx(25 + 30)


def test_sampled_ranges_of_a_random_network_are_the_analytic_ones_within_2_percent() -> None:
    x, belief = book(creditors=6, debtors=40)
    shocks = Shocks.of(x, np.r_[np.zeros(6), np.full(40, 0.6)])  # each debtor loses 60 % of its equity
    drawn = simulate(DebtRank(), x, shocks, belief, draws=20_000, seed=11)
    analytic = direct_loss(x, belief, np.r_[np.zeros(6), np.full(40, 0.6)])
    assert not drawn.exact
    for name in ("mean", "sd", "low", "high"):
        np.testing.assert_allclose(getattr(drawn.each, name)[:6], getattr(analytic, name)[:6], rtol=0.02, err_msg=name)
    assert (analytic.low[:6] < analytic.mean[:6]).all() and (analytic.mean[:6] < analytic.high[:6]).all()


@pytest.mark.parametrize("seed", range(4))
def test_the_analytic_interval_is_that_of_all_worlds(seed: int) -> None:
    x, belief = book(creditors=1, debtors=8, seed=seed)
    lost = np.random.default_rng(seed).random(len(x))
    truth, weights = every_world(belief)
    amount = x.edges["amount"].to_numpy() * lost[x.edges["target"].to_numpy()]
    brute = interval((belief.exposed(truth) * amount).sum(axis=1, keepdims=True), weights)
    analytic = direct_loss(x, belief, lost)
    assert weights.sum() == pytest.approx(1)
    assert analytic.mean[0] == pytest.approx(brute.mean[0]) and analytic.sd[0] == pytest.approx(brute.sd[0])
    for name in ("low", "high"):  # to a few cells of the grid
        assert getattr(analytic, name)[0] == pytest.approx(getattr(brute, name)[0], abs=amount.sum() / 500)


@every_measure
def test_sampled_ranges_are_those_of_every_world(name: str) -> None:
    x = network(5, exposures=8)
    belief, shocks = believed(x, np.linspace(0.55, 0.95, 8).tolist()), hit(x)
    exact = simulate(measure(name), x, shocks, belief, draws=256)
    truth, weights = drawn_worlds(belief, 60_000, 3)
    sampled = losses_in(measure(name), x, shocks, belief.exposed(truth))
    found = interval(sampled, weights)
    assert exact.exact and len(exact.weights) == 256
    scale = exact.each.mean.max()
    np.testing.assert_allclose(found.mean, exact.each.mean, rtol=0.02, atol=1e-9 * scale)
    np.testing.assert_allclose(found.sd, exact.each.sd, rtol=0.02, atol=1e-9 * scale)
    assert (exact.each.sd > 0).sum() >= 2


@every_measure
def test_many_worlds_at_once_are_each_world_alone(name: str) -> None:
    for seed in range(3):
        x = network(seed, exposures=9)
        stands = np.random.default_rng(seed).random((30, 9)) < 0.6
        together = losses_in(measure(name), x, hit(x), stands)
        ids = x.edges["id"].to_pylist()
        for row in range(30):
            alone = measure(name).spread(x.without([ids[k] for k in np.flatnonzero(~stands[row])]), hit(x))
            np.testing.assert_allclose(together[row], alone.loss[0], rtol=1e-9, atol=1e-9)


def test_a_measure_that_looks_at_the_whole_is_asked_world_by_world() -> None:
    x, walk = network(2, exposures=7), PageRank(dangling="uniform")
    stands = np.random.default_rng(2).random((9, 7)) < 0.6
    ids = x.edges["id"].to_pylist()
    for row, found in enumerate(losses_in(walk, x, fails(x, 0), stands)):
        alone = walk.spread(x.without([ids[k] for k in np.flatnonzero(~stands[row])]), fails(x, 0))
        np.testing.assert_allclose(found, alone.loss[0], rtol=1e-9)


def test_the_same_seed_gives_the_same_ranges_and_sure_evidence_gives_none() -> None:
    x = network(1)
    unsure = believed(x, [0.7] * 6)
    one, two = (simulate(DebtRank(), x, hit(x), unsure, draws=20, seed=5) for _ in range(2))
    assert not one.exact and np.array_equal(one.each.high, two.each.high)
    sure = simulate(DebtRank(), x, hit(x), believed(x, [1.0] * 6))
    answer = DebtRank().spread(x, hit(x))
    np.testing.assert_allclose(sure.each.low, answer.loss[0])
    assert sure.total.sd[0] == 0 and sure.total.high[0] == pytest.approx(answer.total[0])
    with pytest.raises(MeasureError, match="at least 1"):
        simulate(DebtRank(), x, hit(x), unsure, draws=0)


@pytest.mark.slow
def test_a_thousand_draws_over_a_hundred_banks_do_not_ask_a_thousand_times() -> None:
    r = np.random.default_rng(8)
    claims = r.exponential(5, (100, 100)) * (r.random((100, 100)) < 0.06)
    np.fill_diagonal(claims, 0)
    x = Exposures.of(claims, np.full(100, 60.0))
    asked = 0

    class Counted(DebtRank):
        def spread(self, exposures: Exposures, shocks: Shocks):  # type: ignore[no-untyped-def]
            nonlocal asked
            asked += 1
            return super().spread(exposures, shocks)

    found = simulate(Counted(), x, hit(x), believed(x, [0.9] * x.edges.num_rows), draws=1_000)
    assert len(found.weights) == 1_000 and asked < 100
