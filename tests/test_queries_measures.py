"""Each measure gives the numbers of its worked example, of an independent solution, and keeps its laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from kg.errors import MeasureError
from queries.contagion.clearing import clear
from queries.exposures import Exposures
from queries.measures.debtrank import DebtRank
from queries.measures.eisenberg_noe import EisenbergNoe
from queries.measures.pagerank import PageRank, personalised_pagerank
from queries.scenario import Shocks

TOLERANCE = 1e-9


def from_debts(debts: list[list[float]], external: list[float]) -> Exposures:
    """Exposures of a matrix of debts: row i owes column j."""
    return Exposures.of(np.array(debts, float).T, external)


def ring(n: int = 3, claim: float = 0.5) -> Exposures:
    """Each has a claim on the next; external assets 10, external liabilities 9, so equity is 1."""
    claims = np.roll(np.eye(n), 1, axis=1) * claim
    return Exposures.of(claims, [10.0] * n, [9.0] * n)


def drawn(seed: int, n: int = 8, density: float = 0.4) -> Exposures:
    """A random network, now and then with nodes that own or owe nothing."""
    r = np.random.default_rng(seed)
    claims = r.exponential(10, (n, n)) * (r.random((n, n)) < density)
    np.fill_diagonal(claims, 0)
    return Exposures.of(claims, r.exponential(6, n) * (r.random(n) < 0.8), r.exponential(4, n) * (r.random(n) < 0.7))


# ---- Eisenberg-Noe


def test_the_clearing_vector_of_example_en_1() -> None:
    """EN-1: p = (270/11, 290/11, 10), equities, waves {0}, {1}, at 1e-9."""
    x = from_debts([[0, 20, 10], [5, 0, 24], [10, 0, 0]], [10, 10, 10])
    found = clear(x, x.external_assets)
    np.testing.assert_allclose(found.payments[0], [270 / 11, 290 / 11, 10], rtol=TOLERANCE)
    np.testing.assert_allclose(found.equity[0], [-60 / 11, -29 / 11, 30], rtol=TOLERANCE)
    assert found.waves[0] == ((0,), (1,))


def test_the_clearing_vector_of_example_rv_1() -> None:
    x = from_debts([[0, 30, 0], [5, 0, 20], [10, 0, 0]], [10, 5, 5])
    found = clear(x, x.external_assets)
    np.testing.assert_allclose(found.payments[0], [25, 25, 10], rtol=TOLERANCE)
    np.testing.assert_allclose(found.equity[0], [-5, 5, 15], rtol=TOLERANCE)
    assert found.waves[0] == ((0,),)


def test_equities_after_the_shock_of_example_en_2() -> None:
    x = ring()
    losses = EisenbergNoe().spread(x, Shocks.of(x, np.array([1.2, 0.9, 0.1])))
    np.testing.assert_allclose(x.equity - losses.loss[0], [-0.2, 0.1, 0.9 - 0.5 * 0.2 / 9.5], rtol=TOLERANCE)


def greatest_by_linear_program(x: Exposures, e: np.ndarray) -> np.ndarray:
    """Largest payments anyone could make: maximise their sum under the two limits of each."""
    debts = x.owed + x.external_liabilities
    share = np.divide(1, debts, out=np.zeros_like(debts), where=debts > 0)
    income = x.claims.toarray() * share
    found = linprog(-np.ones(len(x)), np.eye(len(x)) - income, e, bounds=[(0, d) for d in debts], method="highs")
    assert found.status == 0
    return np.asarray(found.x)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_payments_are_the_greatest_that_a_linear_program_finds(seed: int) -> None:
    x = drawn(seed)
    found = clear(x, x.external_assets).payments[0]
    debts = x.owed + x.external_liabilities
    assert (found >= 0).all() and (found <= debts * (1 + 1e-12)).all()
    np.testing.assert_allclose(found, greatest_by_linear_program(x, x.external_assets), atol=1e-7 * max(1, debts.max()))


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_payments_cancel_out_inside_the_network(seed: int) -> None:
    x = drawn(seed)
    found = clear(x, x.external_assets)
    debts = x.owed + x.external_liabilities
    share = np.divide(found.payments[0], debts, out=np.zeros(len(x)), where=debts > 0)
    paid_outside = share @ x.external_liabilities
    unpaid = (debts - found.payments[0]).sum()
    # what came in from outside is kept as equity or was paid out, what is unpaid is counted as negative equity
    assert found.equity[0].sum() + unpaid + paid_outside == pytest.approx(
        x.external_assets.sum() + 0, rel=1e-9, abs=1e-9
    )


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_more_external_assets_never_lower_a_payment(seed: int) -> None:
    x = drawn(seed)
    more = x.external_assets + np.random.default_rng(seed + 1).exponential(1, len(x))
    both = clear(x, np.vstack([x.external_assets, more])).payments
    assert (both[1] >= both[0] - 1e-9).all()


def test_a_circle_without_external_assets_pays_in_full() -> None:
    x = from_debts([[0, 5, 0], [0, 0, 5], [5, 0, 0]], [0, 0, 0])
    np.testing.assert_allclose(clear(x, x.external_assets).payments[0], [5, 5, 5])


def test_an_uneven_circle_without_external_assets_pays_the_greatest_it_can() -> None:
    x = from_debts([[0, 1], [2, 0]], [0, 0])
    np.testing.assert_allclose(clear(x, x.external_assets).payments[0], [1, 1], rtol=TOLERANCE)


def test_means_that_just_cover_the_debts_are_no_default() -> None:
    x = from_debts([[0, 0.1 + 0.2], [0, 0]], [0.3, 0])
    assert clear(x, x.external_assets).waves == ((),)


def test_a_shock_beyond_external_assets_is_refused_with_the_entity_named() -> None:
    x = ring()
    with pytest.raises(MeasureError, match=r"bank:1 .* at least 0; take a smaller shock"):
        EisenbergNoe().spread(x, Shocks.of(x, np.array([0, 11, 0])))


def large(seed: int, n: int = 4_000) -> Exposures:
    """A sparse network too large for a direct solution."""
    r = np.random.default_rng(seed)
    ends = (r.integers(0, n, 10 * n), r.integers(0, n, 10 * n))
    claims = sparse.coo_array((r.exponential(1, 10 * n), ends), shape=(n, n)).tocsr()
    claims.setdiag(0)
    return Exposures.of(claims, r.exponential(2, n), r.exponential(2, n))


def test_a_large_system_clears_to_what_many_sweeps_come_down_to() -> None:
    x = large(7)
    found = clear(x, x.external_assets)
    debts = x.owed + x.external_liabilities
    income = x.claims @ sparse.diags_array(np.divide(1, debts, out=np.zeros_like(debts), where=debts > 0))
    p = debts
    for _ in range(3_000):
        p = np.minimum(debts, x.external_assets + income @ p)
    assert sum(map(len, found.waves[0])) > 1_500  # defaulters, so that the iterative solution is taken
    np.testing.assert_allclose(found.payments[0], p, atol=1e-9 * debts.max())


def test_a_large_network_of_slow_distress_equals_many_steps() -> None:
    x = large(8)
    x = replace(x, equity=x.held * 1.02 + 0.1)  # leverage close to 1: steps alone converge slowly
    shock = np.random.default_rng(9).random(len(x)) * 0.02
    found = DebtRank().spread(x, Shocks.of(x, shock)).distress[0]
    leverage = sparse.csr_array(sparse.diags_array(1 / x.equity) @ x.claims)
    h = shock
    for _ in range(5_000):
        h = np.minimum(1, shock + leverage @ h)
    np.testing.assert_allclose(found, h, atol=1e-9)


# ---- DebtRank


@pytest.mark.parametrize(
    ("shock", "equity"),
    [
        ([0.5, 0, 0], [3 / 7, 6 / 7, 5 / 7]),  # DR-1
        ([0.5, 0.5, 0.5], [0, 0, 0]),  # DR-2
        ([1, 0, 0], [-0.125, 0.75, 0.5]),  # DR-3
    ],
)
def test_equities_of_examples_dr_1_to_3(shock: list[float], equity: list[float]) -> None:
    """DR-1, DR-2, DR-3: linear DebtRank on the ring of three, at 1e-9."""
    x = ring()
    losses = DebtRank().spread(x, Shocks.of(x, np.array(shock)))
    np.testing.assert_allclose(x.equity - losses.loss[0], equity, atol=TOLERANCE)


def test_each_bank_is_weighed_by_its_own_equity() -> None:
    """Equities 2, 1, 0.5 in the ring of 0.5 claims; the right answer is known where a public library is wrong."""
    x = Exposures.of(np.roll(np.eye(3), 1, axis=1) * 0.5, [11, 10, 9.5], [9, 9, 9])
    np.testing.assert_allclose(x.equity, [2, 1, 0.5])
    losses = DebtRank().spread(x, Shocks.of(x, np.array([0.25, 0.5, 0.2])))
    np.testing.assert_allclose(x.equity - losses.loss[0], [1.0857143, 0.1714286, 0.1714286], atol=1e-7)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_distress_below_one_is_the_closed_form(seed: int) -> None:
    r = np.random.default_rng(seed)
    leverage = r.random((7, 7)) * (r.random((7, 7)) < 0.5)
    np.fill_diagonal(leverage, 0)
    leverage *= 0.9 / max(leverage.sum(axis=1).max(), 1e-9)  # spectral radius at most 0.9
    equity = r.exponential(5, 7) + 0.1
    x = Exposures.of(leverage * equity[:, None], equity + 100, None)
    x = Exposures(x.ids, x.currency, x.edges, equity, x.external_assets, x.external_liabilities)
    shock = r.random(7) * 0.09
    expected = np.linalg.solve(np.eye(7) - leverage, shock)
    losses = DebtRank().spread(x, Shocks.of(x, shock))
    np.testing.assert_allclose(losses.distress[0], expected, rtol=TOLERANCE)
    np.testing.assert_allclose(losses.loss[0], expected * equity, rtol=TOLERANCE)


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_distress_is_the_least_fixed_point_and_equals_the_steps_of_the_paper(seed: int) -> None:
    x = drawn(seed, density=0.25)
    shock = np.random.default_rng(seed + 5).random(len(x)) * 0.6
    found = DebtRank().spread(x, Shocks.of(x, shock)).distress[0]
    steep = np.maximum(x.held, 1) * 1e-15
    leverage = x.claims.toarray() / np.where(x.equity > steep, x.equity, steep)[:, None]
    before, h = np.zeros(len(x)), np.minimum(shock, 1)
    for _ in range(20_000):
        before, h = h, np.minimum(1, h + leverage @ (h - before))
    np.testing.assert_allclose(found, h, atol=1e-8)
    np.testing.assert_allclose(found, np.minimum(1, shock + leverage @ found), atol=1e-9)


def test_a_loop_that_amplifies_ends_at_full_distress() -> None:
    x = ring(3, claim=3.0)  # three times equity: everything a neighbour loses is lost threefold
    losses = DebtRank().spread(x, Shocks.of(x, np.array([0.01, 0, 0])))
    np.testing.assert_allclose(losses.distress[0], 1)


def test_whoever_has_no_equity_fails_at_the_first_loss_and_not_before() -> None:
    claims = np.array([[0, 0, 0], [2.0, 0, 0], [0, 1.0, 0]])  # 2 lends to 1, 1 lends to 0
    x = Exposures.of(claims, [5, 0, 4], [0, 1, 0])
    assert x.equity[1] == 0
    losses = DebtRank().spread(x, Shocks.of(x, np.array([[0, 0, 0], [0.001, 0, 0]])))
    np.testing.assert_allclose(losses.distress[0], 0)
    np.testing.assert_allclose(losses.distress[1], [0.001, 1, 1.0 / x.equity[2]])


def test_recovery_scales_what_is_passed_on() -> None:
    x = ring()
    half = DebtRank(recovery=0.5).spread(x, Shocks.of(x, np.array([1, 0, 0])))
    assert half.passed[0, 0] == pytest.approx(0.5)
    with pytest.raises(MeasureError, match="recovery is a share from 0 to 1"):
        DebtRank(recovery=1.5).spread(x, Shocks.of(x, np.array([1, 0, 0])))


# ---- personalised PageRank

WALK = sparse.csr_array(np.array([[0, 1, 1, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 1, 0]], float))


def test_the_scores_of_example_ppr_1() -> None:
    """PPR-1: both restarts against the linear solve at 1e-9."""
    found = personalised_pagerank(WALK, np.array([[1, 0, 0, 0], [0.25] * 4]), 0.85)
    transition = WALK.toarray() / WALK.sum(axis=1)[:, None]
    for row, restart in zip(found, ([1, 0, 0, 0], [0.25] * 4), strict=True):
        np.testing.assert_allclose(
            row, np.linalg.solve(np.eye(4) - 0.85 * transition.T, 0.15 * np.array(restart)), rtol=TOLERANCE
        )
    np.testing.assert_allclose(found[0], [0.4522329, 0.1921990, 0.3555681, 0], atol=1e-7)
    np.testing.assert_allclose(found[1], [0.3725268, 0.1958239, 0.3941492, 0.0375], atol=1e-7)


@pytest.mark.parametrize("policy", ["stay", "restart", "uniform"])
def test_no_attention_is_lost_whatever_the_policy_for_dangling_nodes(policy: str) -> None:
    weights = sparse.csr_array(np.array([[0, 2.0, 1], [0, 0, 1], [0, 0, 0]]))
    restart = np.array([[0.7, 0.2, 0.1], [0, 0, 3.0]])
    found = personalised_pagerank(weights, restart, 0.85, policy)  # type: ignore[arg-type]  # parametrised
    np.testing.assert_allclose(found.sum(axis=1), restart.sum(axis=1), rtol=TOLERANCE)
    patched = weights.toarray() / np.maximum(weights.sum(axis=1), 1e-300)[:, None]
    for row, v in zip(found, restart, strict=True):
        patched[2] = {"stay": [0, 0, 1], "restart": v / v.sum(), "uniform": [1 / 3] * 3}[policy]
        np.testing.assert_allclose(row, np.linalg.solve(np.eye(3) - 0.85 * patched.T, 0.15 * v), rtol=TOLERANCE)


def test_negative_weights_and_unknown_policies_are_refused() -> None:
    with pytest.raises(MeasureError, match="weights of a random walk are at least 0"):
        personalised_pagerank(sparse.csr_array(np.array([[0, -1.0], [0, 0]])), np.ones((1, 2)))
    with pytest.raises(MeasureError, match="known: stay, restart, uniform"):
        personalised_pagerank(WALK, np.ones((1, 4)), dangling="drop")  # type: ignore[arg-type]  # the point
    with pytest.raises(MeasureError, match="alpha is a probability"):
        PageRank(alpha=1.0).spread(ring(), Shocks.each(ring()))
