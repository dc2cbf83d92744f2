"""Networks from margins: the evenest and the sparsest, with the sums and cells that were given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from kg.errors import MeasureError
from queries.reconstruct.density import minimum_density
from queries.reconstruct.entropy import maximum_entropy, possible
from queries.reconstruct.margins import Margins

ANAND = Margins.of((7, 5, 3, 1, 3, 0, 1), (4, 5, 5, 0, 0, 2, 4), ids=tuple("abcdefg"))
HELD = 1e-9


def drawn(seed: int, n: int = 7, disclosed: float = 0.0) -> tuple[Margins, np.ndarray]:
    """Margins of a random network, some of its cells disclosed, and the network."""
    r = np.random.default_rng(seed)
    x = r.exponential(10, (n, n)) * (r.random((n, n)) < 0.6) * (1 - np.eye(n))
    known = {
        (f"bank:{i}", f"bank:{j}"): x[i, j] for i in range(n) for j in range(n) if i != j and r.random() < disclosed
    }
    return Margins.of(x.sum(axis=1), x.sum(axis=0), known), x


def keeps(margins: Margins, made: np.ndarray) -> bool:
    cells = ~np.isnan(margins.known)
    return margins.missed(made) <= HELD and made.min() >= 0 and np.array_equal(made[cells], margins.known[cells])


# ---- maximum entropy


def test_the_evenest_network_of_example_me_1() -> None:
    """ME-1: the printed row sums to 6.99983, not 7, a scaling stopped after four rounds on its way to the answer."""
    printed = [0, 2.5304193, 2.1823144, 0, 0, 0.7379037, 1.5491879]
    made = maximum_entropy(ANAND)
    assert keeps(ANAND, made) and made.sum() == pytest.approx(20, rel=1e-14)
    scaled = 1 - np.eye(7)
    for turn in range(500):
        scaled *= (ANAND.assets / np.maximum(scaled.sum(axis=1), 1e-300))[:, None]
        scaled *= ANAND.liabilities / np.maximum(scaled.sum(axis=0), 1e-300)
        if turn == 3:
            np.testing.assert_allclose(scaled[0], printed, atol=5e-8)
    np.testing.assert_allclose(made, scaled, atol=1e-12)
    np.testing.assert_allclose(made[0], printed, atol=1e-4)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_it_keeps_margins_and_cells_and_is_a_product_of_rows_and_columns(seed: int) -> None:
    margins, _ = drawn(seed, disclosed=0.15)
    made = maximum_entropy(margins)
    assert keeps(margins, made)
    filled = margins.free & (made > 0)
    logs = np.where(filled, np.log(np.where(filled, made, 1)), np.nan)
    for i, k, j, m in [(0, 1, 2, 3), (2, 4, 0, 6), (5, 3, 1, 0)]:  # the mark of a product: cross ratios of 1
        cross = logs[i, j] + logs[k, m] - logs[i, m] - logs[k, j]
        assert np.isnan(cross) or abs(cross) < 1e-6


def test_at_the_edge_of_what_can_be_cells_that_must_be_empty_are_found() -> None:
    """a can lend to b and c only, who are owed by nobody else: so b and c lend to a alone."""
    margins = Margins.of([10, 4, 6], [10, 7, 3], ids=("a", "b", "c"))
    assert possible(margins).tolist() == [[False, True, True], [True, False, False], [True, False, False]]
    np.testing.assert_allclose(maximum_entropy(margins), [[0, 7, 3], [4, 0, 0], [6, 0, 0]], rtol=1e-12)
    known = dict.fromkeys((("a", "b"), ("b", "a"), ("a", "d"), ("b", "d")), 0.0)  # both need all that c owes
    with pytest.raises(MeasureError, match="no network has these sums and known cells"):
        maximum_entropy(Margins.of([3, 3, 1, 1, 4], [2, 2, 3, 5, 0], known, ids=tuple("abcde")))


def test_what_is_disclosed_stays_and_the_rest_is_spread_over_the_others() -> None:
    margins = Margins.of([10, 5, 5], [6, 9, 5], {("bank:0", "bank:1"): 8.0})
    made = maximum_entropy(margins)
    np.testing.assert_allclose(made, [[0, 8, 2], [2, 0, 3], [4, 1, 0]], rtol=1e-12)


def test_margins_that_no_network_can_have_are_refused_by_name() -> None:
    with pytest.raises(MeasureError, match=r"claims of a leave 9\.0 for others with room for 3\.0 only"):
        Margins.of([9, 1, 1], [8, 2, 1], ids=("a", "b", "c"))
    with pytest.raises(MeasureError, match=r"claims sum to 3\.0, debts to 4\.0"):
        Margins.of([1, 2], [2, 2])
    with pytest.raises(MeasureError, match="assets of b are -1"):
        Margins.of([1, -1], [0, 0], ids=("a", "b"))
    with pytest.raises(MeasureError, match=r"known claims of a sum to 5\.0, more than its 3\.0"):
        Margins.of([3, 3], [3, 3], {("a", "b"): 5.0}, ids=("a", "b"))
    with pytest.raises(MeasureError, match="no z here"):
        Margins.of([3, 3], [3, 3], {("a", "z"): 1.0}, ids=("a", "b"))
    with pytest.raises(MeasureError, match="on itself"):
        Margins.of([3, 3], [3, 3], {("a", "a"): 1.0}, ids=("a", "b"))


# ---- minimum density


def fewest(margins: Margins) -> int:
    """Fewest links there can be, by mixed integer programming."""
    n, most = len(margins), float(margins.assets.sum())
    cells = [(i, j) for i in range(n) for j in range(n) if i != j]
    count = len(cells)
    sums = np.zeros((2 * n, 2 * count))
    for k, (i, j) in enumerate(cells):
        sums[i, k] = sums[n + j, k] = 1
    links = np.hstack([np.eye(count), -most * np.eye(count)])
    goal = np.r_[margins.assets, margins.liabilities]
    found = milp(
        np.r_[np.zeros(count), np.ones(count)],
        constraints=[LinearConstraint(sums, goal, goal), LinearConstraint(links, -np.inf, 0)],
        integrality=np.r_[np.zeros(count), np.ones(count)],
        bounds=Bounds(0, np.r_[np.full(count, most), np.ones(count)]),
    )
    return round(found.fun)


def test_the_sparsest_network_of_the_example_has_the_fewest_links_there_can_be() -> None:
    made = minimum_density(ANAND)
    assert keeps(ANAND, made) and made.sum() == 20
    assert np.count_nonzero(made) == fewest(ANAND) == 7  # the printed heuristic solution has 9


@pytest.mark.parametrize("seed", range(3))
def test_small_random_margins_get_the_fewest_links_there_can_be(seed: int) -> None:
    margins, _ = drawn(seed, n=4)
    made = minimum_density(margins)
    assert keeps(margins, made) and np.count_nonzero(made) == fewest(margins)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_a_sparse_network_keeps_margins_and_cells_with_no_more_links_than_a_tree(seed: int) -> None:
    margins, _ = drawn(seed, n=9, disclosed=0.1)
    made = minimum_density(margins, seed, tries=20)
    assert keeps(margins, made)
    assert np.count_nonzero((made - margins.fixed) > 0) <= 2 * len(margins)
    np.testing.assert_array_equal(made, minimum_density(margins, seed, tries=20))
