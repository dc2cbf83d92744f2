"""Failures that set off failures: Furfine's and Gai and Kapadia's, against brute force and the shape they predict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import MeasureError
from queries.contagion.reach import reach
from queries.exposures import Exposures
from queries.measure import Losses
from queries.measures.gai_kapadia import GaiKapadia
from queries.measures.threshold import Threshold
from queries.scenario import Shocks


def network(claims: list[list[float]], equity: list[float], outside: list[float] | None = None) -> Exposures:
    x = Exposures.of(claims, outside or [100.0] * len(equity))
    return replace(x, equity=np.array(equity, float))


def drawn(seed: int, n: int = 5) -> Exposures:
    r = np.random.default_rng(seed)
    claims = np.round(r.exponential(3, (n, n))) * (r.random((n, n)) < 0.5) * (1 - np.eye(n))
    x = Exposures.of(claims, np.round(r.exponential(10, n), 1))
    return replace(x, equity=np.round(r.exponential(3, n)) + r.choice([0.0, 0.5], n))


def failed(losses: Losses, scenario: int = 0) -> set[str]:
    return {id for wave in losses.waves[scenario] for id in wave}


# ---- threshold


def test_nothing_is_passed_on_until_somebody_fails() -> None:
    x = network([[0, 8, 0], [0, 0, 8], [0, 0, 0]], [5, 5, 5])
    losses = Threshold().spread(x, Shocks.of(x, np.array([[0, 0, 0.99], [0, 0, 1.0]])))
    np.testing.assert_allclose(losses.loss, [[0, 0, 4.95], [8, 8, 5]])
    assert losses.waves == ((), (("bank:2",), ("bank:1",), ("bank:0",)))
    assert losses.rounds == 3


def test_a_loss_equal_to_equity_is_a_failure() -> None:
    x = network([[0, 0.1, 0.2], [0, 0, 0], [0, 0, 0]], [0.3, 1, 1])
    assert 0.1 + 0.2 != 0.3
    losses = Threshold().spread(x, Shocks.parse(x, {"bank:1": 1.0, "bank:2": 1.0}))
    assert failed(losses) == {"bank:0", "bank:1", "bank:2"} and losses.distress[0, 0] == 1
    short = Threshold().spread(replace(x, equity=np.array([0.301, 1, 1])), Shocks.parse(x, {"bank:1": 1, "bank:2": 1}))
    assert failed(short) == {"bank:1", "bank:2"}


def test_recovery_keeps_a_creditor_alive() -> None:
    x = network([[0, 8], [0, 0]], [5, 5])
    shocks = Shocks.parse(x, "bank:1")
    assert failed(Threshold(recovery=0.3).spread(x, shocks)) == {"bank:0", "bank:1"}
    losses = Threshold(recovery=0.4).spread(x, shocks)
    assert failed(losses) == {"bank:1"} and losses.loss[0, 0] == pytest.approx(4.8)
    with pytest.raises(MeasureError, match="recovery is a share from 0 to 1"):
        Threshold(recovery=2).spread(x, shocks)


def test_unknown_equity_stops_failures_and_is_named_and_no_equity_falls_at_once() -> None:
    x = network([[0, 8, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], [5, np.nan, 0, 5])
    losses = Threshold().spread(x, Shocks.parse(x, "bank:3"))
    assert losses.waves[0] == (("bank:3",), ("bank:2",)) and losses.loss[0, 1] == 1
    assert "no equity is known of bank:1" in losses.remarks[0] and "not above 0 at bank:2" in losses.remarks[1]


def by_hand(x: Exposures, gone: set[int], marked: float = 0.0) -> set[int]:
    """Whoever cannot bear the failure of the others, one bank at a time until nobody is left to fall."""
    claims = x.claims.toarray()
    while True:
        for i in set(range(len(x))) - gone:
            lost = sum(claims[i, j] for j in gone) + marked * x.external_assets[i]
            if lost > 0 and lost >= x.equity[i] - 1e-9:
                gone = gone | {i}
                break
        else:
            return gone


@given(st.integers(0, 10**6))
@settings(max_examples=80, deadline=None)
def test_failures_are_those_found_by_hand(seed: int) -> None:
    x = drawn(seed)
    for row in range(len(x)):
        found = Threshold().spread(x, Shocks.parse(x, x.ids[row]))
        assert failed(found) == {x.ids[i] for i in by_hand(x, {row})}


def test_on_1000_networks_more_shock_never_saves_anybody() -> None:
    for seed in range(1000):
        x = drawn(seed, 6)
        r = np.random.default_rng(seed)
        small = r.random(6) * (r.random(6) < 0.5)
        shocks = Shocks.of(x, np.vstack([small, np.maximum(small, r.random(6))]))
        for measure in (Threshold(), GaiKapadia(depth=0.5)):
            losses = measure.spread(x, shocks)
            assert (losses.loss[1] >= losses.loss[0] - 1e-9).all()
            assert failed(losses, 0) <= failed(losses, 1)


# ---- Gai and Kapadia


@given(st.integers(0, 10**6), st.sampled_from([1.0, 0.95, 0.8]))
@settings(max_examples=80, deadline=None)
def test_failures_at_a_given_price_are_those_found_by_hand(seed: int, price: float) -> None:
    x = drawn(seed)
    for row in range(len(x)):
        found = GaiKapadia(illiquid=0.5, price=price).spread(x, Shocks.parse(x, x.ids[row]))
        assert failed(found) == {x.ids[i] for i in by_hand(x, {row}, (1 - price) * 0.5)}


def test_at_full_price_it_is_the_threshold_cascade_without_recovery() -> None:
    x = drawn(7, 9)
    shocks = Shocks.each(x)
    np.testing.assert_array_equal(GaiKapadia().spread(x, shocks).loss, Threshold().spread(x, shocks).loss)


def test_selling_by_the_failed_takes_down_who_lent_them_nothing() -> None:
    x = network([[0, 0], [0, 0]], [10, 4], [50, 50])
    shocks = Shocks.parse(x, "bank:0")
    assert failed(GaiKapadia(depth=0.1).spread(x, shocks)) == {"bank:0"}
    measure = GaiKapadia(depth=0.2)
    losses = measure.spread(x, shocks)
    assert failed(losses) == {"bank:0", "bank:1"}
    assert measure.prices(x, np.array([[True, True]]))[0] == pytest.approx(np.exp(-0.2))
    np.testing.assert_allclose(losses.loss[0], [10 + 50 * (1 - np.exp(-0.2)), 50 * (1 - np.exp(-0.2))], rtol=1e-12)
    np.testing.assert_allclose(losses.loss, losses.direct)  # nothing came over a claim


def test_a_bank_is_vulnerable_when_one_of_its_equal_claims_exceeds_what_it_can_lose() -> None:
    x = network([[0, 5, 5], [0, 0, 2], [0, 0, 0]], [4, 3, 1], [20, 20, 20])
    assert GaiKapadia().vulnerable(x).tolist() == [True, False, False]  # 1/2 > 4/10, 1 < 3/2, nothing to lose
    assert GaiKapadia(price=0.95).vulnerable(x).tolist() == [True, True, False]


def test_parameters_out_of_range_are_refused() -> None:
    x = drawn(1)
    for bad in (GaiKapadia(illiquid=1.2), GaiKapadia(price=0.0), GaiKapadia(depth=-1)):
        with pytest.raises(MeasureError, match="expected shares from 0 to 1"):
            bad.spread(x, Shocks.each(x))


def random_banks(seed: int, degree: float, n: int = 150) -> Exposures:
    """The paper's banks: a fifth of assets lent out evenly, equity of 4 % of assets."""
    r = np.random.default_rng(seed)
    links = (r.random((n, n)) < degree / (n - 1)) & ~np.eye(n, dtype=bool)
    lent = links.sum(axis=1, keepdims=True)
    claims = np.where(links, 20.0 / np.maximum(lent, 1), 0.0)
    return replace(Exposures.of(claims, np.full(n, 80.0)), equity=np.full(n, 4.0))


def test_networks_are_robust_yet_fragile() -> None:
    """Contagion is rare when links are few or many, and reaches nearly all when it happens among many links."""
    often, far = {}, {}
    for degree in (0.3, 1.5, 3.0, 10.0, 14.0):
        sizes = []
        for seed in range(6):
            x = random_banks(seed, degree)
            losses = Threshold().spread(x, Shocks.each(x, kind="default"))
            sizes += [len(failed(losses, s)) / len(x) for s in range(len(x))]
        wide = [size for size in sizes if size > 0.05]
        often[degree], far[degree] = len(wide) / len(sizes), max(wide, default=0.0)
    assert often[0.3] < 0.05 and often[3.0] > 0.6 and often[14.0] == 0.0
    assert 0 < often[10.0] < 0.15 and far[10.0] > 0.99 > 0.9 > far[1.5]


# ---- how far failures reach


def test_susceptibility_and_diffusion_of_example_nrm_3() -> None:
    """NRM-3: susceptibility, fluidity, diffusion."""
    x = network([[0, 1, 0], [10, 0, 3], [3, 2, 0]], [2, 5, 2])
    found = reach(x)
    np.testing.assert_allclose(found.susceptibility, [0, 1, 1.25], rtol=1e-12)
    assert found.fluidity == pytest.approx(0.75, rel=1e-12)
    np.testing.assert_allclose(found.start, [1.25, 1, 0], rtol=1e-12)
    np.testing.assert_allclose(found.diffusion, [1.25, 1.5, 0], rtol=1e-12)
