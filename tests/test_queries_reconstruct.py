"""Networks from margins: evenest, sparsest, and drawn by chance, all with the sums and cells that were given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from kg.errors import MeasureError
from queries.measures.debtrank import DebtRank
from queries.reconstruct.density import minimum_density
from queries.reconstruct.ensemble import networks
from queries.reconstruct.entropy import maximum_entropy, possible
from queries.reconstruct.margins import Margins
from queries.reconstruct.ranged import Books, over

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
    """The printed row sums to 6.99983, not 7: it is a scaling stopped after four rounds, on its way to the answer."""
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


# ---- ensembles


def test_every_draw_keeps_margins_and_disclosed_cells() -> None:
    for seed in range(8):
        margins, _ = drawn(seed, n=8, disclosed=0.1)
        drawn_ones = list(networks(margins, 50, seed=seed))
        assert len(drawn_ones) == 50 and all(keeps(margins, made) for made in drawn_ones)
        assert len({made.tobytes() for made in drawn_ones}) > 25 or margins.free.sum() < 12


def test_draws_of_a_network_with_one_degree_of_freedom_follow_their_law() -> None:
    """Three banks, all cells free: one cycle of six cells, so Delta is even with a known weight at either end."""
    margins = Margins.of([3.0, 4.0, 5.0], [4.5, 4.0, 3.5])
    density = 0.4
    draws = np.array([made[0, 1] for made in networks(margins, 6_000, density=density, seed=1)])
    ends = draws.min(), draws.max()
    span, count = ends[1] - ends[0], 6
    weight = (1 - density) / (density * density * count / 12.0)
    share = weight / (2 * weight + span)
    inside = draws[(draws > ends[0] + 1e-9) & (draws < ends[1] - 1e-9)]
    assert (draws <= ends[0] + 1e-9).mean() == pytest.approx(share, abs=0.025)
    assert (draws >= ends[1] - 1e-9).mean() == pytest.approx(share, abs=0.025)
    np.testing.assert_allclose(
        np.quantile(inside, [0.25, 0.5, 0.75]), ends[0] + span * np.array([0.25, 0.5, 0.75]), atol=0.05 * span
    )


def test_the_same_seed_draws_the_same_and_density_makes_links() -> None:
    margins, _ = drawn(3, n=10)
    one, two = (list(networks(margins, 5, seed=9)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    links = [np.mean([np.count_nonzero(x) for x in networks(margins, 30, density=p)]) for p in (0.2, 0.5, 1.0)]
    assert links[0] < links[1] < links[2] == margins.free.sum()


def test_bad_counts_are_refused() -> None:
    for bad in ({"draws": 0}, {"draws": 1, "density": 0.0}, {"draws": 1, "sweeps": 0}):
        with pytest.raises(MeasureError, match="expected at least 1"):
            next(networks(ANAND, **bad))  # type: ignore[arg-type]  # a loop over arguments


# ---- error bars


def test_error_bars_of_a_measure_hold_the_truth_about_as_often_as_they_say() -> None:
    """Networks drawn by the law that the sampler assumes: nine of ten true losses should lie within 5 % and 95 %."""
    inside, seeds = 0, 24
    for seed in range(seeds):
        margins, truth = drawn(seed, n=6)
        books = Books(margins, truth.sum(axis=0) + 40, np.full(6, 10.0))
        shock = {"bank:2": 1.0}
        ranged = over(DebtRank(), books, networks(margins, 40, density=0.6, seed=seed), shock)
        (true,) = over(DebtRank(), books, [truth], shock).total.mean
        assert ranged.total.sd[0] >= 0 and (ranged.each.low <= ranged.each.high).all()
        inside += bool(ranged.total.low[0] - 1e-9 <= true <= ranged.total.high[0] + 1e-9)
    assert 0.75 * seeds <= inside <= seeds


def test_with_every_cell_disclosed_there_is_no_error_bar() -> None:
    margins, truth = drawn(5, n=5, disclosed=2.0)
    books = Books(margins, truth.sum(axis=0) + 30, np.zeros(5))
    ranged = over(DebtRank(), books, networks(margins, 10), {"bank:0": 0.5})
    assert ranged.total.sd[0] < 1e-12 and ranged.total.low == ranged.total.high
    with pytest.raises(MeasureError, match="no network was drawn"):
        over(DebtRank(), books, [], {"bank:0": 0.5})
