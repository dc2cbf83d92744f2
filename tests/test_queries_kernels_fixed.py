"""Fixed points by leaps and sweeps in place are those of plain numpy sweeps: the greatest from above, the least from
below, also where there are many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from kg.errors import MeasureError
from queries.contagion.leverage import leverage
from queries.exposures import Exposures
from queries.kernels.fixed import greatest, least
from queries.kernels.fixed_block import greatest_each, least_each
from queries.kernels.rows import Rows
from queries.measures.debtrank import least_distress, settled
from queries.measures.pagerank import personalised_pagerank, walked

Floats = NDArray[np.float64]


def plain(claims: Floats, base: Floats, gain: Floats, start: Floats, cap: float = 1.0) -> Floats:
    """The oracle: all rows at once, until nothing moves."""
    x = start
    for _ in range(100_000):
        new = np.minimum(cap, base + gain * (claims @ x))
        if np.abs(new - x).max() < 1e-15:
            return np.asarray(new)
        x = new
    return x


def system(seed: int, n: int = 60) -> tuple[Floats, Floats, Floats]:
    """Debts with outside means and outside debts, of which many are 0, so that some circles are closed."""
    r = np.random.default_rng(seed)
    claims = r.exponential(10, (n, n)) * (r.random((n, n)) < r.choice([0.02, 0.06, 0.2]))
    np.fill_diagonal(claims, 0)
    debts = claims.sum(0) + r.exponential(3, n) * (r.random(n) < 0.5)
    means = r.exponential(8, n) * (r.random(n) < r.choice([0.2, 0.6, 1.0]))
    gain = np.divide(1, debts, out=np.zeros(n), where=debts > 0)
    return claims, np.where(debts > 0, means * gain, 1.0), gain


@given(st.integers(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_the_greatest_solution_is_that_of_plain_sweeps_from_the_cap(seed: int) -> None:
    claims, base, gain = system(seed)
    found = greatest(Rows.of_matrix(claims), base, gain)
    assert found.settled
    np.testing.assert_allclose(found.x, plain(claims, base, gain, np.ones(len(base))), atol=1e-10)


@given(st.integers(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_the_least_solution_is_that_of_plain_sweeps_from_the_shock(seed: int) -> None:
    claims, base, gain = system(seed)
    r = np.random.default_rng(seed)
    shock, steep = r.random(len(base)) * (r.random(len(base)) < 0.1), gain * r.choice([0.5, 1.0, 2.0, 20.0])
    found = least(Rows.of_matrix(claims), shock, steep)
    assert found.settled
    np.testing.assert_allclose(found.x, plain(claims, shock, steep, np.minimum(shock, 1)), atol=1e-10)


@given(st.integers(0, 10**6), st.sampled_from([1, 2, 8, 19]), st.sampled_from([np.float32, np.float64]))
@settings(max_examples=60, deadline=None)
def test_scenarios_side_by_side_have_the_bits_of_each_alone(seed: int, count: int, dtype: type) -> None:
    """Also rows of more than 64 edges, those that settle at once beside those that leap, and a limit of sweeps."""
    r = np.random.default_rng(seed)
    claims, base, gain = system(seed, int(r.integers(1, 200)))
    claims[0] = r.exponential(10, len(base))  # a long row
    rows = Rows.of_matrix(claims, dtype)
    bases = base * r.choice([0.0, 0.01, 1.0, 50.0], (count, 1)) * (r.random((count, len(base))) < r.choice([0.02, 0.5]))
    steep, most, cap = gain * r.choice([0.5, 0.999, 2.0]), int(r.choice([3, 5_000])), float(r.choice([1.0, 0.7]))
    for lone, each in ((least, least_each), (greatest, greatest_each)):
        alone = [lone(rows, one, steep, cap, 1e-7, most) for one in bases]
        together = each(rows, bases, steep, cap, 1e-7, most)
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one.x, other.x)
            assert replace(one, x=0) == replace(other, x=0)


def test_a_closed_circle_without_outside_means_pays_in_full_if_it_can() -> None:
    claims = np.roll(np.eye(4), 1, axis=1)
    rows = Rows.of_matrix(claims)
    np.testing.assert_array_equal(greatest(rows, np.zeros(4), np.ones(4)).x, 1)
    np.testing.assert_array_equal(least(rows, np.zeros(4), np.ones(4)).x, 0)


def test_two_that_pay_nearly_all_on_to_each_other_settle_in_few_leaps() -> None:
    """99.9 % goes on and next to nothing comes from outside: plain sweeps take 20,000."""
    found = greatest(Rows.of_matrix(np.eye(2)[::-1]), np.full(2, 2e-4), np.full(2, 0.999))
    assert found.settled and found.leaps
    assert found.sweeps < 50
    np.testing.assert_allclose(found.x, 0.2, atol=1e-9)


def test_what_does_not_settle_is_said_to_be_unsettled() -> None:
    claims, base, gain = system(5)
    found = greatest(Rows.of_matrix(claims), base * 0.01, gain, most=2)
    assert not found.settled
    assert (found.sweeps, found.moved > 0) == (2, True)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_a_base_that_is_no_amount_is_refused_with_the_node(bad: float) -> None:
    rows = Rows.of_matrix(np.eye(3)[[1, 2, 0]])
    with pytest.raises(MeasureError, match="base of node 1 is"):
        greatest(rows, np.array([1.0, bad, 0.0]), np.ones(3))
    with pytest.raises(MeasureError, match="gain has the shape"):
        least(rows, np.ones(3), np.ones(2))


def test_a_large_network_is_as_distressed_by_compiled_sweeps_as_by_plain_ones() -> None:
    """DebtRank takes the kernel above 2,000 entities; with steep rows, unknown equity and losses that amplify."""
    n, r = 2_500, np.random.default_rng(11)
    claims = sparse.random_array(
        (n, n), density=8 / n, rng=r, data_sampler=lambda size: r.exponential(10, size)
    ).tocsr()
    claims.setdiag(0)
    made = Exposures.of(claims, np.full(n, 30.0))
    equity = np.where(r.random(n) < 0.1, 0.0, 150 * r.random(n))
    exposures = replace(made, equity=np.where(r.random(n) < 0.1, np.nan, equity))
    shock = r.random((3, n)) * (r.random((3, n)) < 0.02)
    found, expected = settled(exposures, 0.6, shock), least_distress(leverage(exposures, 0.6), shock)
    assert 0 < (expected == 1).mean() < 1
    np.testing.assert_allclose(found, expected, atol=1e-11)


def test_a_walk_over_a_large_network_ends_where_plain_sweeps_end() -> None:
    n, r = 2_500, np.random.default_rng(12)
    claims = sparse.random_array((n, n), density=3 / n, rng=r).tocsr() * 1e9
    claims.setdiag(0)
    exposures = Exposures.of(claims, np.ones(n))
    restart = r.random((2, n)) * (r.random((2, n)) < 0.05)
    found = [walked(exposures, one, 0.85) for one in restart]
    assert all(run.settled for run in found)
    expected = personalised_pagerank(sparse.csr_array(exposures.claims.T), restart)
    np.testing.assert_allclose([run.x for run in found], expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose([run.x.sum() for run in found], restart.sum(axis=1), rtol=1e-9)


def test_when_most_default_sweeps_are_fewer_than_half_of_plain_ones() -> None:
    n, r = 5_000, np.random.default_rng(4)
    ends = [np.minimum((n * r.random(50_000) ** 3).astype(int), n - 1), r.integers(0, n, 50_000)]
    claims = sparse.coo_array((r.exponential(10, 50_000), ends), shape=(n, n)).tocsr()
    debts = np.asarray(claims.sum(axis=0)).reshape(-1) * (1 + 0.02 * r.exponential(1, n))
    gain = np.divide(1, debts, out=np.zeros(n), where=debts > 0)
    base = np.where(debts > 0, 0.02 * debts.mean() * r.exponential(1, n) * gain, 1.0)
    found, x, sweeps, moved = greatest(Rows.of_matrix(claims), base, gain, settled=1e-10), np.ones(n), 0, 1.0
    while moved > 1e-10:
        new = np.minimum(1.0, base + gain * (claims @ x))
        moved, x, sweeps = float(np.abs(new - x).max()), new, sweeps + 1
    assert (x < 1).mean() > 0.9
    assert found.sweeps <= sweeps / 2, (found.sweeps, sweeps)
    np.testing.assert_allclose(found.x, x, atol=1e-8)
