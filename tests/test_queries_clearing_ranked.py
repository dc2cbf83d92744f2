"""Clearing with ranks of debts and held equity: by hand, by brute force, and as Eisenberg-Noe where there are none."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from kg.errors import MeasureError
from queries.contagion.ranked import Ranked, settle
from queries.exposures import Exposures
from queries.measure import RiskMeasure, build
from queries.measures.eisenberg_noe import EisenbergNoe
from queries.measures.elsinger import Elsinger
from queries.scenario import Shocks
from tests.test_queries_clearing import drawn, owing


def none(x: Exposures) -> Shocks:
    return Shocks.of(x, np.zeros(len(x)))


def test_a_senior_creditor_is_paid_before_a_junior_one() -> None:
    x = owing([[0, 10, 10], [0, 0, 0], [0, 0, 0]], [12, 0, 0])
    ranks = {"bank:1>bank:0": 1, "bank:2>bank:0": 3}
    found = Elsinger(seniority=ranks).spread(x, none(x))
    assert found.payments is not None and found.worth is not None
    np.testing.assert_allclose(found.payments, [[12, 0, 0]])
    np.testing.assert_allclose(found.worth, [[-8, 10, 2]])
    assert found.defaults() == ("bank:0",)
    hit = Elsinger(seniority=ranks).spread(x, Shocks.of(x, np.array([0.5, 0, 0]), "external"))
    np.testing.assert_allclose(hit.loss, [[6, 4, 2]])  # of the 6 left the senior one gets all
    np.testing.assert_allclose(hit.carried(), [4, 2])


def test_debts_to_the_outside_have_a_rank_of_their_own() -> None:
    x = Exposures.of([[0, 0], [10, 0]], [12, 0], [10, 0])  # owes 10 inside and 10 outside, has 12
    for outside, received in ((1, 2), (2, 6), (3, 10)):
        found = Elsinger(outside=outside).spread(x, none(x)).worth
        assert found is not None and found[0, 1] == pytest.approx(received)


def test_holders_of_equity_own_what_is_left() -> None:
    x = owing([[0, 0, 4], [0, 0, 0], [0, 0, 0]], [10, 0, 0])
    found = Elsinger(holdings={"bank:1>bank:0": 0.5}).spread(x, none(x)).worth
    np.testing.assert_allclose(found, [[6, 3, 4]])
    x = owing([[0, 0], [0, 0]], [1, 1])
    both = Elsinger(holdings={"bank:0>bank:1": 0.5, "bank:1>bank:0": 0.5}).spread(x, none(x)).worth
    np.testing.assert_allclose(both, [[2, 2]])


def test_an_equity_that_is_gone_is_a_loss_of_its_holders_that_no_exposure_carries() -> None:
    x = owing([[0, 0, 4], [0, 0, 0], [0, 0, 0]], [10, 1, 0])
    found = Elsinger(holdings={"bank:1>bank:0": 0.5}).spread(x, Shocks.of(x, np.array([0.8, 0, 0]), "external"))
    np.testing.assert_allclose(found.loss, [[8, 3, 2]])
    np.testing.assert_allclose(found.direct, [[8, 3, 0]])
    np.testing.assert_allclose(found.carried(), [2])


def random(seed: int) -> tuple[Exposures, np.ndarray, np.ndarray]:
    """A network, a rank of 0 or 1 for each exposure, and holdings."""
    x, r = drawn(seed, 4), np.random.default_rng(seed + 7)
    held = r.random((4, 4)) * (r.random((4, 4)) < 0.4)
    np.fill_diagonal(held, 0)
    held *= 0.9 / np.maximum(held.sum(axis=0), 0.9)
    return x, r.integers(0, 2, x.edges.num_rows), held


def every_solution(x: Exposures, ranks: np.ndarray, held: np.ndarray) -> list[np.ndarray]:
    """All means that clear, by trying for everyone in which rank its money ends; debts outside are of the first."""
    n, e = len(x), x.external_assets
    owed, share = np.zeros((2, n)), np.zeros((2, n, n))
    owed[0] = x.external_liabilities
    for edge, rank in zip(x.edges.to_pylist(), ranks, strict=True):
        owed[rank, edge["target"]] += edge["amount"]
        share[rank, edge["source"], edge["target"]] += edge["amount"]
    share /= np.where(owed > 0, owed, 1)[:, None, :]

    def received(means: np.ndarray) -> np.ndarray:
        first = np.clip(means, 0, owed[0])
        second = np.clip(means - owed[0], 0, owed[1])
        return e + share[0] @ first + share[1] @ second + held @ np.maximum(means - owed.sum(axis=0), 0)

    found = []
    for ends in product(range(3), repeat=n):
        slope, flat = np.zeros((n, n)), e.copy()
        for i, end in enumerate(ends):
            above = owed[:end, i].sum()
            slope[:, i] = held[:, i] if end == 2 else share[end][:, i]
            flat += sum(share[rank][:, i] * owed[rank, i] for rank in range(end)) - slope[:, i] * above
        if abs(np.linalg.det(np.eye(n) - slope)) < 1e-12:
            continue
        means = np.linalg.solve(np.eye(n) - slope, flat)
        if np.allclose(received(means), means, rtol=1e-10, atol=1e-10):
            found.append(means)
    return found


def test_means_are_the_greatest_of_all_solutions_that_brute_force_finds() -> None:
    for seed in range(150):
        x, ranks, held = random(seed)
        ranked = Ranked.of(x, ranks + 1, 1, _sparse(held))
        found, solutions = settle(ranked, x.external_assets[None, :]).means[0], every_solution(x, ranks, held)
        assert any(np.allclose(found, one, rtol=1e-9, atol=1e-9) for one in solutions)
        assert all((found >= one - 1e-9).all() for one in solutions)


def _sparse(matrix: np.ndarray):  # type: ignore[no-untyped-def]  # scipy's own types
    from scipy import sparse

    return sparse.csr_array(matrix)


def test_laws_of_ranked_clearing_on_a_thousand_networks() -> None:
    for seed in range(1_000):
        x, ranks, held = random(seed)
        ranked = Ranked.of(x, ranks + 1, 1, _sparse(held))
        more = x.external_assets + np.random.default_rng(seed).exponential(2, len(x))
        settled = settle(ranked, np.vstack([x.external_assets, more]))
        assert not len(settled.moving)
        (low, high), paid = settled.means, ranked.paid(settled.means[0])
        assert (paid >= 0).all() and (paid <= ranked.debts).all()
        assert (high >= low - 1e-9).all()
        # nobody is paid in a rank before the ranks above it are paid whole
        assert ((paid[-1] == 0) | (len(paid) == 1) | (paid[0] >= ranked.debts[0] * (1 - 1e-9))).all()
        # money is neither made nor lost: what comes in from outside is paid outside or owned by someone
        left = ranked.left(low)
        outside = paid[0] * np.divide(
            x.external_liabilities, ranked.debts[0], out=np.zeros(len(x)), where=ranked.debts[0] > 0
        )
        owned = left @ (1 - held.sum(axis=0))
        assert x.external_assets.sum() == pytest.approx(outside.sum() + owned, rel=1e-8, abs=1e-8)


def test_with_one_rank_and_nothing_held_it_is_eisenberg_and_noe() -> None:
    for seed in range(100):
        x = drawn(seed)
        shocks = Shocks.of(x, np.random.default_rng(seed).random((2, len(x))), "external")
        ours, theirs = Elsinger().spread(x, shocks), EisenbergNoe().spread(x, shocks)
        np.testing.assert_allclose(ours.loss, theirs.loss, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(ours.payments, theirs.payments, rtol=1e-9, atol=1e-9)
        assert [ours.defaults(i) for i in range(2)] == [theirs.defaults(i) for i in range(2)]


@pytest.mark.parametrize(
    ("holdings", "told"),
    [
        ({"bank:0>bank:1": 0.6, "bank:2>bank:1": 0.4}, "bank:1 is held to 100% .* less than 100 %"),
        ({"bank:0>bank:9": 0.6}, "not here: bank:9"),
        ({"bank:0>bank:0": 0.6}, "two different ids"),
        ({"bank:0>bank:1": 1.2}, "a share from 0 to 1"),
    ],
)
def test_holdings_that_cannot_be_are_refused(holdings: dict[str, float], told: str) -> None:
    x = owing([[0, 2, 0], [0, 0, 2], [2, 0, 0]], [1, 1, 1])
    with pytest.raises(MeasureError, match=told):
        Elsinger(holdings=holdings).spread(x, none(x))


def test_a_circle_with_nothing_outside_is_paid_in_full_and_ranks_that_name_nobody_are_told() -> None:
    x = owing([[0, 5, 0], [0, 0, 5], [5, 0, 0]], [0, 0, 0])
    found = Elsinger(seniority={"bank:7>bank:8": 1}).spread(x, none(x))
    np.testing.assert_allclose(found.payments, [[5, 5, 5]])
    assert found.converged
    assert "seniority names bank:7>bank:8" in found.notes[-1]


def test_ranks_and_holdings_are_read_from_text() -> None:
    made = build(RiskMeasure, "elsinger", {"seniority": "a>b=1;b>c=3", "holdings": "a>b=0.25"})  # type: ignore[type-abstract]
    assert made == Elsinger(seniority={"a>b": 1, "b>c": 3}, holdings={"a>b": 0.25})


def test_a_circle_that_leaks_a_little_is_solved_and_not_swept_for_ever() -> None:
    """Payments fall by a hundred thousandth at each turn: sweeps alone would take millions."""
    x = Exposures.of([[0, 10.0], [11.0, 0]], [1e-5, 0], [1e-3, 0])
    found = Elsinger().spread(x, none(x))
    assert found.converged and found.rounds < 100
    np.testing.assert_allclose(found.payments, EisenbergNoe().spread(x, none(x)).payments, rtol=1e-9)
