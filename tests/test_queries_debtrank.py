"""DebtRank of 2012 beside that of 2015: single hit against walks, and what is flagged by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from kg.errors import MeasureError
from queries.contagion.leverage import amplifying, leverage
from queries.exposures import Exposures
from queries.measure import Losses
from queries.measures.debtrank import DebtRank
from queries.measures.debtrank_2012 import DebtRank2012, debtrank_value, single_hit
from queries.scenario import Shocks


def ring(n: int = 3, claim: float = 0.5) -> Exposures:
    """Each has a claim on the next; equity is 1."""
    return Exposures.of(np.roll(np.eye(n), 1, axis=1) * claim, [10.0] * n, [9.0] * n)


def drawn(seed: int, n: int = 8, density: float = 0.3, acyclic: bool = False) -> Exposures:
    r = np.random.default_rng(seed)
    claims = r.exponential(1, (n, n)) * (r.random((n, n)) < density)
    claims = np.triu(claims, 1) if acyclic else claims * (1 - np.eye(n))
    x = Exposures.of(claims, np.full(n, 100.0))
    return replace(x, equity=r.exponential(4, n) + 0.5)


def by_states(x: Exposures, shock: np.ndarray) -> np.ndarray:
    """The paper's states, one bank and one step at a time."""
    n = len(x)
    weight = np.minimum(1, x.claims.toarray() / x.equity[:, None])
    h, state = np.minimum(shock, 1.0), ["D" if s > 0 else "U" for s in shock]
    while "D" in state:
        before, was = h.copy(), list(state)
        for i in range(n):
            h[i] = min(1.0, before[i] + sum(weight[i, j] * before[j] for j in range(n) if was[j] == "D"))
            if was[i] == "D":
                state[i] = "I"
            elif was[i] == "U" and h[i] > 0:
                state[i] = "D"
    return h


def test_in_the_ring_the_first_hit_stops_after_one_turn() -> None:
    x = ring()
    losses = DebtRank2012().spread(x, Shocks.of(x, np.array([0.5, 0, 0])))
    # 2015 gives (4/7, 1/7, 2/7): the distress that comes round again is what a single hit loses
    np.testing.assert_allclose(losses.distress[0], [0.5 + 0.125 * 0.5, 0.125, 0.25], rtol=1e-12)
    assert losses.loss[0].sum() < DebtRank().spread(x, Shocks.of(x, np.array([0.5, 0, 0]))).loss[0].sum()


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_a_single_hit_is_what_the_states_of_the_paper_give(seed: int) -> None:
    x = drawn(seed)
    r = np.random.default_rng(seed + 1)
    shock = r.random(len(x)) * (r.random(len(x)) < 0.4)
    np.testing.assert_allclose(single_hit(x, shock)[0][0], by_states(x, shock.copy()), rtol=1e-12, atol=1e-15)


def test_on_1000_networks_a_single_hit_never_exceeds_the_walks_of_2015_and_stays_within_one() -> None:
    for seed in range(50):
        x = drawn(seed, 10)
        shocks = Shocks.each(x, 0.3)
        each = np.vstack([shocks.distress, np.minimum(shocks.distress * 2.5, 1.0)])
        wide = Shocks(tuple(map(str, range(20))), each * np.maximum(x.equity, 0), each * 0, each)
        once, ever = DebtRank2012().spread(x, wide), DebtRank().spread(x, wide)
        assert (once.distress <= ever.distress + 1e-12).all() and (once.distress <= 1).all()
        assert (once.distress >= each - 1e-15).all()


def test_without_circles_and_within_equity_both_years_agree() -> None:
    for seed in range(40):
        x = drawn(seed, acyclic=True)
        x = replace(x, equity=x.held * 3 + 1)  # chains only, so that each is hit before its one turn at most once
        claims = x.claims.toarray() * (np.eye(len(x), k=1) > 0)
        x = replace(Exposures.of(claims, np.full(len(x), 100.0)), equity=x.equity)
        shocks = Shocks.each(x, 0.4)
        np.testing.assert_allclose(
            DebtRank2012().spread(x, shocks).loss, DebtRank().spread(x, shocks).loss, rtol=1e-12, atol=1e-14
        )


def test_an_exposure_above_equity_passes_full_distress_and_no_more() -> None:
    x = ring(claim=3.0)
    losses = DebtRank2012().spread(x, Shocks.of(x, np.array([0.2, 0, 0])))
    np.testing.assert_allclose(losses.distress[0], [0.4, 0.2, 0.2], rtol=1e-12)  # weights of 3 count as 1


def test_debtrank_weighs_what_others_lose_by_their_share_of_all_claims() -> None:
    x = Exposures.of([[0, 3, 0], [0, 0, 1], [0, 0, 0]], [10, 10, 10], [7, 6, 7])
    shocks = Shocks.of(x, np.array([0, 0, 1.0]))
    losses = DebtRank2012().spread(x, shocks)
    first, second = 1 / x.equity[1], 3 / x.equity[0] / x.equity[1]
    np.testing.assert_allclose(debtrank_value(losses, shocks), 0.25 * first + 0.75 * second, rtol=1e-12)


def test_many_banks_shocked_at_once_hit_each_other_once() -> None:
    x = ring(4, 0.5)
    losses = DebtRank2012().spread(x, Shocks.of(x, np.full(4, 0.4)))
    np.testing.assert_allclose(losses.distress[0], 0.4 + 0.5 * 0.4, rtol=1e-12)


# ---- what is flagged


def remarks(x: Exposures, measure: DebtRank | DebtRank2012) -> str:
    losses: Losses = measure.spread(x, Shocks.of(x, np.full(len(x), 0.01)))
    assert set(losses.remarks) <= set(losses.notes)
    return "; ".join(losses.remarks)


def test_a_circle_that_amplifies_is_named_and_one_that_does_not_is_silent() -> None:
    assert remarks(ring(claim=0.999), DebtRank()) == ""
    assert "spectral radius of 1 or more) among bank:0, bank:1, bank:2" in remarks(ring(claim=1.0), DebtRank())
    assert "among bank:0, bank:1, bank:2, bank:3, bank:4, bank:5, bank:6: whoever" in remarks(ring(7, 1.5), DebtRank())
    assert remarks(ring(claim=1.5), DebtRank(recovery=0.5)) == ""  # three quarters come round


@given(st.integers(0, 10**6))
@settings(max_examples=80, deadline=None)
def test_amplifying_circles_are_those_with_a_spectral_radius_of_one(seed: int) -> None:
    r = np.random.default_rng(seed)
    matrix = r.random((9, 9)) * (r.random((9, 9)) < 0.25) * r.choice([0.5, 1.0, 2.0])
    np.fill_diagonal(matrix, 0)
    radius = max(abs(np.linalg.eigvals(matrix)))
    if abs(radius - 1) > 1e-6:
        assert bool(amplifying(sparse.csr_array(matrix))) == (radius > 1)


def test_unknown_and_used_up_equity_is_named_where_there_is_something_to_lose() -> None:
    x = ring()
    x = replace(x, equity=np.array([np.nan, 0.0, 1.0]))
    for measure in (DebtRank(), DebtRank2012()):
        said = remarks(x, measure)
        assert "no equity is known of bank:0: losses stop there" in said
        assert "equity is not above 0 at bank:1" in said
    assert leverage(x, 1.0).toarray()[0].sum() == 0


def test_equity_can_be_assumed_where_none_is_stated_and_that_is_told() -> None:
    x = ring()
    x = replace(x, equity=np.array([np.nan, 1.0, 1.0]))
    shocks = Shocks.parse(x, "bank:1")
    for measure in (DebtRank(assumed=0.1), DebtRank2012(assumed=0.1)):
        losses = measure.spread(x, shocks)
        assert losses.distress[0, 0] == pytest.approx(0.5 / (0.1 * 10.5))  # a tenth of 10 outside and 0.5 of claims
        assert "equity is assumed, not stated, of bank:0" in losses.remarks
    with pytest.raises(MeasureError, match="assumed is equity as a share"):
        DebtRank(assumed=5).spread(x, shocks)


def test_a_recovery_beyond_all_is_refused() -> None:
    with pytest.raises(MeasureError, match="recovery is a share from 0 to 1"):
        DebtRank2012(recovery=-0.1).spread(ring(), Shocks.each(ring()))
