"""What every measure found in queries/measures must keep, whatever it computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg import plugins
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure
from queries.scenario import Shocks

MEASURES = plugins.names("queries.measures")
every_measure = pytest.mark.parametrize("name", MEASURES)


def measure(name: str) -> RiskMeasure:
    return plugins.load("queries.measures", name, RiskMeasure)()


def drawn(seed: int, n: int = 9, acyclic: bool = False) -> Exposures:
    r = np.random.default_rng(seed)
    claims = r.exponential(10, (n, n)) * (r.random((n, n)) < 0.35)
    np.fill_diagonal(claims, 0)
    claims = np.triu(claims, 1) if acyclic else claims
    x = Exposures.of(claims, np.zeros(n))
    # equity about a third of what is held, from 2 up
    assets = np.maximum(x.owed - x.held, 0) + r.exponential(4, n) + x.held * 0.3 + 2
    return Exposures.of(claims, assets, assets + x.held - x.owed - (2 + x.held * 0.3 * r.random(n)))


def shocked(x: Exposures, seed: int, scenarios: int = 3) -> Shocks:
    r = np.random.default_rng(seed + 99)
    return Shocks.of(x, r.random((scenarios, len(x))) * (r.random((scenarios, len(x))) < 0.4))


def test_three_measures_are_found_with_a_line_of_help_each() -> None:
    found = plugins.summaries("queries.measures")
    assert {"eisenberg_noe", "debtrank", "pagerank"} <= set(found)
    assert all(found.values())
    assert [measure(name).name for name in MEASURES] == MEASURES


@every_measure
@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_many_scenarios_at_once_equal_each_alone(name: str, seed: int) -> None:
    x = drawn(seed)
    shocks = shocked(x, seed)
    together = measure(name).spread(x, shocks)
    for i in range(len(shocks)):
        one = Shocks((shocks.names[i],), *(part[i : i + 1] for part in (shocks.lost, shocks.outside, shocks.distress)))
        np.testing.assert_allclose(together.loss[i], measure(name).spread(x, one).loss[0], rtol=1e-9, atol=1e-9)


@every_measure
@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_no_shock_no_loss(name: str, seed: int) -> None:
    x = drawn(seed)
    losses = measure(name).spread(x, Shocks.of(x, np.zeros(len(x))))
    assert not losses.loss.any()
    assert not losses.carried().any()


@every_measure
@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_the_order_of_entities_does_not_matter(name: str, seed: int) -> None:
    x = drawn(seed)
    order = np.random.default_rng(seed).permutation(len(x))
    y = Exposures.of(x.claims.toarray()[np.ix_(order, order)], x.external_assets[order], x.external_liabilities[order])
    shocks = shocked(x, seed)
    turned = Shocks(shocks.names, shocks.lost[:, order], shocks.outside[:, order], shocks.distress[:, order])
    here, there = measure(name).spread(x, shocks), measure(name).spread(y, turned)
    np.testing.assert_allclose(here.loss[:, order], there.loss, rtol=1e-8, atol=1e-9)


@every_measure
@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_more_shock_is_never_less_loss(name: str, seed: int) -> None:
    x = drawn(seed)
    r = np.random.default_rng(seed)
    small = r.random(len(x)) * 0.5
    losses = measure(name).spread(x, Shocks.of(x, np.vstack([small, small + r.random(len(x)) * 0.5])))
    assert (losses.loss[1] >= losses.loss[0] - 1e-9).all()


@every_measure
@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_direct_loss_and_what_each_edge_carries_add_up(name: str, seed: int) -> None:
    x = drawn(seed)
    losses = measure(name).spread(x, shocked(x, seed))
    for scenario in range(3):
        rebuilt = losses.direct[scenario].copy()
        np.add.at(rebuilt, x.edges["source"].to_numpy(), losses.carried(scenario))
        np.testing.assert_allclose(rebuilt, losses.loss[scenario], rtol=1e-9, atol=1e-12)


def removed(name: str, x: Exposures, shocks: Shocks, edge: str) -> Losses:
    return measure(name).spread(x.without([edge]), shocks)


@pytest.mark.parametrize("name", ["eisenberg_noe", "debtrank"])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_without_an_edge_its_creditor_loses_less_by_just_what_it_carried(name: str, seed: int) -> None:
    """Exact where no loss runs in circles: the edge's own part is then all that goes with it."""
    x = drawn(seed, acyclic=True)
    shocks = shocked(x, seed, 1)
    losses = measure(name).spread(x, shocks)
    for row, edge in enumerate(x.edges.to_pylist()):
        fall = losses.loss[0, edge["source"]] - removed(name, x, shocks, edge["id"]).loss[0, edge["source"]]
        assert fall == pytest.approx(losses.carried()[row], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["eisenberg_noe", "debtrank"])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_where_losses_run_in_circles_removing_an_edge_saves_at_least_what_it_carried(name: str, seed: int) -> None:
    x = drawn(seed)
    shocks = shocked(x, seed, 1)
    losses = measure(name).spread(x, shocks)
    for row, edge in enumerate(x.edges.to_pylist()[:8]):
        fall = losses.loss[0, edge["source"]] - removed(name, x, shocks, edge["id"]).loss[0, edge["source"]]
        assert fall >= losses.carried()[row] - 1e-9


@pytest.mark.parametrize("name", MEASURES)
def test_exposures_without_edges_carry_no_loss(name: str) -> None:
    x = drawn(4)
    alone = x.without(x.edges["id"].to_pylist())
    losses = measure(name).spread(replace(alone), shocked(x, 4))
    np.testing.assert_allclose(losses.loss, losses.direct)
