"""Clearing payments with and without costs of bankruptcy: published examples, brute force, and laws."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import sparse

from kg.errors import MeasureError
from queries.contagion import clearing
from queries.contagion.clearing import Costs, clear
from queries.exposures import Exposures
from queries.measures.eisenberg_noe import EisenbergNoe
from queries.measures.rogers_veraart import RogersVeraart
from queries.scenario import Shocks

EXACT = 1e-9
HALF = Costs(0.5, 0.5)
Debts = list[list[float]]


def owing(debts: Debts, external: list[float]) -> Exposures:
    """Exposures of a matrix of debts: row i owes column j."""
    return Exposures.of(np.array(debts, float).T, external)


def drawn(seed: int, n: int = 6) -> Exposures:
    """A random network in which some own nothing, some owe nothing outside, and about half default."""
    r = np.random.default_rng(seed)
    claims = r.exponential(10, (n, n)) * (r.random((n, n)) < 0.45)
    np.fill_diagonal(claims, 0)
    return Exposures.of(claims, r.exponential(7, n) * (r.random(n) < 0.75), r.exponential(4, n) * (r.random(n) < 0.5))


def near_default(seed: int) -> Exposures:
    """A random network in which all together may pay what none could pay alone, so that there are several solutions."""
    r = np.random.default_rng(seed)
    claims = r.exponential(10, (5, 5)) * (r.random((5, 5)) < 0.6)
    np.fill_diagonal(claims, 0)
    missing = np.maximum(claims.sum(axis=0) - claims.sum(axis=1), 0)
    return Exposures.of(claims, missing * r.uniform(0.9, 1.1, 5) + r.exponential(0.5, 5))


def costs(seed: int) -> Costs:
    r = np.random.default_rng(seed + 10**6)
    return Costs(*(1.0 if r.random() < 0.2 else float(r.random()) for _ in range(2)))


ALTERNATING = [[0, 2, 0, 0, 0, 0], [0, 0, 3, 0, 0, 0], [0, 0, 0, 2, 0, 0], [0, 0, 0, 0, 3, 0], [0, 0, 0, 0, 0, 2]]


@pytest.mark.parametrize(
    ("debts", "external", "left", "payments", "equity", "waves"),
    [
        ([[0, 30, 0], [5, 0, 20], [10, 0, 0]], [10, 5, 5], Costs(), [25, 25, 10], [-5, 5, 15], ((0,),)),  # RV-1
        ([[0, 30, 0], [5, 0, 20], [10, 0, 0]], [10, 5, 5], Costs(0.4), [18, 20, 10], [-6, -2, 11], ((0,), (1,))),
        ([[0, 2], [2.2, 0]], [1, 1], HALF, [2, 2.2], [1.2, 0.8], ()),  # RV-3: another solution lies below
    ],
)
def test_examples_rv_1_to_3(
    debts: Debts, external: list[float], left: Costs, payments: list[float], equity: list[float], waves: object
) -> None:
    """RV-1, RV-2, RV-3: payments, equities and waves with costs of bankruptcy."""
    x = owing(debts, external)
    found = clear(x, x.external_assets, left)
    np.testing.assert_allclose(found.payments[0], payments, rtol=EXACT)
    np.testing.assert_allclose(found.equity[0], equity, rtol=EXACT)
    assert found.waves[0] == waves


def test_example_rv_4_in_which_a_ring_fails_in_two_levels() -> None:
    """RV-4: p alternates 4/15 and 8/15."""
    x = owing([*ALTERNATING, [3, 0, 0, 0, 0, 0]], [0, 0.8] * 3)  # e alternates 0.4 (1 - 1), 0.4 (1 + 1)
    found = clear(x, x.external_assets, HALF)
    np.testing.assert_allclose(found.payments[0], [4 / 15, 8 / 15] * 3, rtol=EXACT)
    assert found.waves[0] == ((1, 3, 5), (0, 2, 4))


def test_example_rv_5_in_which_one_owes_nothing() -> None:
    """RV-5: one bank owes nothing."""
    debts = [[0, 0, 0.60141038], [0, 0, 0], [0, 0.61136804, 0]]
    x = owing(debts, [0.47727664, 0.63927659, 0.32352602])
    found = clear(x, x.external_assets, HALF).payments[0]
    np.testing.assert_allclose(found, [0.23863832, 0, 0.28108217], atol=5e-9)  # as printed
    assert found[2] == pytest.approx(0.5 * 0.32352602 + 0.5 * 0.5 * 0.47727664, rel=EXACT)


def test_without_costs_it_is_eisenberg_and_noe() -> None:
    for seed in range(200):
        x = drawn(seed)
        shocks = Shocks.of(x, np.random.default_rng(seed).random((2, len(x))), "external")
        ours, theirs = RogersVeraart().spread(x, shocks), EisenbergNoe().spread(x, shocks)
        np.testing.assert_allclose(ours.loss, theirs.loss, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(ours.payments, theirs.payments, rtol=1e-12, atol=1e-12)


def every_solution(x: Exposures, left: Costs) -> list[np.ndarray]:
    """All clearing vectors, by trying every set of defaulters; circles without a single solution are passed over."""
    debts, e, n = x.owed + x.external_liabilities, x.external_assets, len(x)
    share = x.claims.toarray() * np.divide(1, debts, out=np.zeros(n), where=debts > 0)
    found = []
    for chosen in product([False, True], repeat=n):
        failed = np.array(chosen)
        system = np.eye(n) - np.where(failed[:, None], left.beta * share, 0)
        if abs(np.linalg.det(system)) < 1e-12:
            continue
        p = np.linalg.solve(system, np.where(failed, left.alpha * e, debts))
        short = e + share @ p < debts * (1 - 1e-12)
        if (short == failed).all():
            found.append(p)
    return found


def test_payments_are_the_greatest_of_all_solutions_that_brute_force_finds() -> None:
    several = 0
    for seed in range(250):
        x, left = near_default(seed), costs(seed)
        solutions = every_solution(x, left)
        found = clear(x, x.external_assets, left).payments[0]
        several += len(solutions) > 1
        assert any(np.allclose(found, one, rtol=1e-9, atol=1e-9) for one in solutions)
        assert all((found >= one - 1e-9).all() for one in solutions)
    assert several >= 20  # so that greatest says something


def test_laws_of_payments_on_a_thousand_networks() -> None:
    """Limited liability, proportion, absolute priority, conservation, monotone in assets and in what is left."""
    for seed in range(1_000):
        x, left = drawn(seed, 5 + seed % 4), costs(seed)
        debts, e = x.owed + x.external_liabilities, x.external_assets
        more = e + np.random.default_rng(seed).exponential(2, len(x))
        found, again = clear(x, np.vstack([e, more]), left), clear(x, e, Costs(left.alpha / 2, left.beta / 2))
        p, share = found.payments, np.divide(1, debts, out=np.zeros(len(x)), where=debts > 0)
        assert (p >= 0).all() and (p <= debts * (1 + 1e-12)).all()
        received = x.claims @ (p[0] * share)
        short = e + received < debts * (1 - 1e-9)
        kept = left.alpha * e + left.beta * received
        np.testing.assert_allclose(p[0], np.where(short, kept, debts), rtol=1e-9, atol=1e-9)
        assert {i for wave in found.waves[0] for i in wave} == set(np.flatnonzero(short))
        assert (p[1] >= p[0] - 1e-9).all()
        assert (again.payments[0] <= p[0] + 1e-9).all()
        # what is there is kept, paid outside, or eaten up by bankruptcies
        eaten = np.where(short, e + received - p[0], 0).sum()
        outside = (p[0] * share) @ x.external_liabilities
        kept_by_owners = np.where(short, 0, e + received - debts).sum()
        assert e.sum() == pytest.approx(outside + kept_by_owners + eaten, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("debts", "paid"), [([[0, 5, 0], [0, 0, 5], [5, 0, 0]], [5, 5, 5]), ([[0, 1], [2, 0]], None)])
def test_a_circle_with_nothing_outside_pays_the_greatest_it_can(debts: Debts, paid: list[float] | None) -> None:
    x = owing(debts, [0] * len(debts))
    np.testing.assert_allclose(clear(x, x.external_assets).payments[0], paid or [1, 1], rtol=EXACT)
    half = clear(x, x.external_assets, HALF).payments[0]
    # where all can pay nothing is lost; where one cannot, half of it goes round until nothing is left
    np.testing.assert_allclose(half, paid or [0, 0], atol=EXACT)


def test_means_that_just_cover_the_debts_cost_nothing() -> None:
    x = owing([[0, 0.1 + 0.2], [0, 0]], [0.3, 0])
    assert clear(x, x.external_assets, HALF).waves == ((),)


def test_losses_beyond_external_assets_and_shares_out_of_range_are_refused() -> None:
    x = owing([[0, 2], [2.2, 0]], [1, 1])
    with pytest.raises(MeasureError, match=r"bank:1 would have -3\.00 .* or measure neva"):
        RogersVeraart().spread(x, Shocks(("",), *(np.array([[0, 4.0]]),) * 3))
    with pytest.raises(MeasureError, match=r"beta of rogers_veraart is a share from 0 to 1, not 1\.5"):
        RogersVeraart(beta=1.5)


def test_costs_are_lost_to_creditors_and_told_as_what_they_received_less() -> None:
    x = owing([[0, 4], [0, 0]], [5, 0])
    losses = RogersVeraart(alpha=0.5).spread(x, Shocks.of(x, np.array([[0.4, 0]]), "external"))
    assert losses.payments is not None and losses.worth is not None
    np.testing.assert_allclose(losses.payments[0], [1.5, 0])  # of the 3 that are left bankruptcy eats a half
    np.testing.assert_allclose(losses.loss[0], [2, 2.5])
    np.testing.assert_allclose(losses.worth[0], [-1, 1.5])
    assert losses.defaults() == ("bank:0",)
    assert losses.rounds == 1


@pytest.mark.parametrize("left", [Costs(), Costs(0.7, 0.8)])
def test_compiled_sweeps_of_a_large_network_find_the_same_payments_and_waves(
    left: Costs, monkeypatch: pytest.MonkeyPatch
) -> None:
    r, n = np.random.default_rng(5), 3_000
    claims = sparse.coo_array((r.exponential(1, 8 * n), (r.integers(0, n, 8 * n), r.integers(0, n, 8 * n))), (n, n))
    x = Exposures.of(claims, r.exponential(2, n), r.exponential(2, n))
    compiled = clear(x, x.external_assets, left)
    monkeypatch.setattr(clearing, "LARGE", 10**9)
    plain = clear(x, x.external_assets, left)
    np.testing.assert_allclose(compiled.payments, plain.payments, rtol=1e-11, atol=1e-11)
    assert compiled.waves == plain.waves
    assert len(plain.waves[0]) > 3
