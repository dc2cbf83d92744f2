"""What every measure found in queries/measures must keep, whatever it computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg import plugins
from kg.errors import MeasureError
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure, build
from queries.scenario import Shocks

MEASURES = plugins.names("queries.measures")
every_measure = pytest.mark.parametrize("name", MEASURES)


TAKEN_APART = ["debtrank", "eisenberg_noe", "elsinger", "neva", "rogers_veraart", "threshold"]
"""Measures of which an exposure carries all that would go with it (with circles: at least what it carries)."""


def measure(name: str) -> RiskMeasure:
    return build(RiskMeasure, name)  # type: ignore[type-abstract]  # a role is asked for


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


def test_every_measure_is_found_with_a_line_of_help_and_a_word_on_each_parameter() -> None:
    found = plugins.summaries("queries.measures")
    clearing, cascades = {"eisenberg_noe", "rogers_veraart", "elsinger", "neva"}, {"debtrank", "threshold"}
    assert clearing | cascades | {"pagerank", "heat"} <= set(found)
    assert all(found.values())
    assert [measure(name).name for name in MEASURES] == MEASURES


@every_measure
def test_a_parameter_that_is_not_known_is_refused(name: str) -> None:
    with pytest.raises(MeasureError, match=f"{name} has no parameter 'surely_not'"):
        build(RiskMeasure, name, {"surely_not": "1"})  # type: ignore[type-abstract]  # a role is asked for


@every_measure
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_many_scenarios_at_once_equal_each_alone(name: str, seed: int) -> None:
    x = drawn(seed)
    shocks = shocked(x, seed)
    together = measure(name).spread(x, shocks)
    for i in range(len(shocks)):
        one = Shocks((shocks.names[i],), *(part[i : i + 1] for part in (shocks.lost, shocks.outside, shocks.distress)))
        np.testing.assert_allclose(together.loss[i], measure(name).spread(x, one).loss[0], rtol=1e-9, atol=1e-9)


@every_measure
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_no_shock_no_loss(name: str, seed: int) -> None:
    x = drawn(seed)
    losses = measure(name).spread(x, Shocks.of(x, np.zeros(len(x))))
    assert not losses.loss.any()
    assert not losses.carried().any()


@every_measure
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
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
@settings(max_examples=10, deadline=None)
def test_more_shock_is_never_less_loss(name: str, seed: int) -> None:
    x = drawn(seed)
    r = np.random.default_rng(seed)
    small = r.random(len(x)) * 0.5
    losses = measure(name).spread(x, Shocks.of(x, np.vstack([small, small + r.random(len(x)) * 0.5])))
    assert (losses.loss[1] >= losses.loss[0] - 1e-9).all()


@every_measure
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_direct_loss_and_what_each_edge_carries_add_up(name: str, seed: int) -> None:
    x = drawn(seed)
    losses = measure(name).spread(x, shocked(x, seed))
    for scenario in range(3):
        rebuilt = losses.direct[scenario].copy()
        np.add.at(rebuilt, x.edges["source"].to_numpy(), losses.carried(scenario))
        np.testing.assert_allclose(rebuilt, losses.loss[scenario], rtol=1e-9, atol=1e-12)


@every_measure
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_nothing_is_lost_that_was_not_lost_by_somebody(name: str, seed: int) -> None:
    """No loss is below 0, no claim loses more than it is, and all losses are direct ones and what exposures carry."""
    x = drawn(seed)
    losses = measure(name).spread(x, shocked(x, seed))
    assert (losses.loss >= -1e-12).all() and (losses.direct >= -1e-12).all()
    assert ((losses.distress >= 0) & (losses.distress <= 1)).all()
    for scenario in range(3):
        carried = losses.carried(scenario)
        assert (carried >= 0).all()
        if losses.unit != "score":
            assert (carried <= x.edges["amount"].to_numpy() * (1 + 1e-12)).all()
        assert losses.total[scenario] == pytest.approx(losses.direct[scenario].sum() + carried.sum(), rel=1e-9)


@every_measure
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_who_has_no_exposures_neither_loses_by_others_nor_changes_them(name: str, seed: int) -> None:
    x = drawn(seed)
    claims = np.pad(x.claims.toarray(), ((0, 1), (0, 1)))
    y = Exposures.of(claims, np.append(x.external_assets, 5.0), np.append(x.external_liabilities, 2.0))
    shocks = shocked(x, seed)
    alone = Shocks(shocks.names, *(np.pad(p, ((0, 0), (0, 1))) for p in (shocks.lost, shocks.outside, shocks.distress)))
    here, there = measure(name).spread(x, shocks), measure(name).spread(y, alone)
    np.testing.assert_allclose(here.loss, there.loss[:, :-1], rtol=1e-9, atol=1e-9)
    assert not there.loss[:, -1].any()


@every_measure
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_what_is_told_beside_the_losses_fits_them(name: str, seed: int) -> None:
    x = drawn(seed)
    losses = measure(name).spread(x, shocked(x, seed))
    assert losses.converged and losses.rounds >= 0
    for scenario in range(3):
        assert set(losses.defaults(scenario)) <= set(x.ids)
    if losses.payments is not None and losses.worth is not None:
        debts = x.owed + x.external_liabilities
        assert (losses.payments >= 0).all() and (losses.payments <= debts * (1 + 1e-9)).all()
        unpaid = [tuple(np.array(x.ids)[row < debts * (1 - 1e-9)]) for row in losses.payments]
        assert unpaid == [losses.defaults(scenario) for scenario in range(3)]


def removed(name: str, x: Exposures, shocks: Shocks, edge: str) -> Losses:
    return measure(name).spread(x.without([edge]), shocks)


@pytest.mark.parametrize("name", TAKEN_APART)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=6, deadline=None)
def test_without_an_edge_its_creditor_loses_less_by_just_what_it_carried(name: str, seed: int) -> None:
    """Exact where no loss runs in circles: the edge's own part is then all that goes with it."""
    x = drawn(seed, acyclic=True)
    shocks = shocked(x, seed, 1)
    losses = measure(name).spread(x, shocks)
    for row, edge in enumerate(x.edges.to_pylist()):
        fall = losses.loss[0, edge["source"]] - removed(name, x, shocks, edge["id"]).loss[0, edge["source"]]
        assert fall == pytest.approx(losses.carried()[row], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", TAKEN_APART)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=6, deadline=None)
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
