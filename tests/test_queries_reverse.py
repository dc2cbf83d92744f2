"""The smallest shock that is enough, against brute force; and many drawn scenarios, against closed forms."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from kg.errors import MeasureError
from queries.draws import failing, simulate
from queries.exposures import Exposures
from queries.measures.debtrank import DebtRank
from queries.measures.eisenberg_noe import EisenbergNoe
from queries.reverse import Target, culprits, scaled, smallest_scale
from queries.scenario import Shocks
from tests.test_queries_attribute import random_network


def chain() -> Exposures:
    """C is owed 50 by B, and B 50 by A: A has equity 10, B 5, C 60."""
    return Exposures.of([[0, 0, 0], [50, 0, 0], [0, 50, 0]], [60, 5, 10], ids=["A", "B", "C"])


def test_the_scale_is_that_at_which_the_equity_on_the_way_is_used_up() -> None:
    """B fails once A has lost its own 10 and then B's 5: at 15 of the 40 of the scenario."""
    exposures = chain()
    shocks = Shocks.of(exposures, [40 / 60, 0, 0], "external")
    found = smallest_scale(EisenbergNoe(), exposures, shocks, Target.read("fails:B", exposures))
    assert found.enough == pytest.approx(15 / 40, rel=1e-8) and found.not_enough < found.enough
    assert "B" in found.losses.defaults() and found.losses.loss[0].sum() == pytest.approx(15 + 5)


@pytest.mark.parametrize("seed", range(8))
def test_just_below_the_scale_it_does_not_happen(seed: int) -> None:
    exposures, shocks = random_network(seed)
    whole = DebtRank().spread(exposures, shocks).total[0]
    target = Target("loss", whole / 2)
    found = smallest_scale(DebtRank(), exposures, shocks, target)
    below = DebtRank().spread(exposures, scaled(exposures, shocks, found.not_enough))
    assert below.total[0] < target.least <= found.losses.total[0] and found.enough < 1


def test_what_no_scale_brings_about_is_said() -> None:
    exposures = chain()
    shocks = Shocks.of(exposures, [0, 0, 0.5], "external")
    with pytest.raises(MeasureError, match="does not bring it about however large"):
        smallest_scale(EisenbergNoe(), exposures, shocks, Target.read("fails:A", exposures))


@pytest.mark.parametrize("seed", range(12))
def test_a_smallest_set_is_that_of_brute_force(seed: int) -> None:
    exposures, _ = random_network(seed, n=7)
    each = EisenbergNoe().spread(exposures, Shocks.each(exposures, 1.0, "default")).total
    target = Target("loss", float(each.max()) * (0.9 if seed % 2 else 1.2))
    found = culprits(EisenbergNoe(), exposures, target)
    for size in (1, 2):
        enough = []
        for rows in combinations(range(7), size):
            share = np.zeros((1, 7))
            share[0, list(rows)] = 1.0
            losses = EisenbergNoe().spread(exposures, Shocks.of(exposures, share, "default"))
            if losses.total[0] >= target.least:
                enough.append((exposures.external_assets[list(rows)].sum(), tuple(exposures.ids[row] for row in rows)))
        if enough:
            assert found.proven and found.ids in [ids for _, ids in enough]
            assert found.own == pytest.approx(min(enough)[0])
            return
    assert len(found.ids) > 2 and not found.proven


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fails", "write fails:ID"),
        ("fails:D", "D has no exposures here"),
        ("loss>=much", "write fails:ID"),
        ("loss>=1e", "'1e' is no number"),
        ("defaults:A>=2", "write fails:A"),
    ],
)
def test_a_target_that_cannot_be_read_is_refused_with_its_forms(text: str, told: str) -> None:
    with pytest.raises(MeasureError, match=told):
        Target.read(text, chain())


def test_joint_failures_are_those_of_the_bivariate_normal() -> None:
    """PD 1 % and 2 %, rho .3, 40,000 draws: within four standard errors of the closed form."""
    p, rho, draws = np.array([0.01, 0.02]), 0.3, 40_000
    failed = failing(p, rho, 7, range(draws))
    joint = multivariate_normal(cov=[[1, rho], [rho, 1]]).cdf(norm.ppf(p))
    for found, expected in ((failed.mean(axis=0)[0], p[0]), (failed.all(axis=1).mean(), joint)):
        assert abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / draws)


def test_the_answer_does_not_depend_on_how_many_are_computed_at_a_time() -> None:
    exposures, _ = random_network(2)
    p = np.linspace(0.01, 0.4, len(exposures))
    one, other = (simulate(EisenbergNoe(), exposures, p, draws=100, block=block) for block in (7, 100))
    assert (one.total == other.total).all() and (one.mean == other.mean).all()


def test_contagion_costs_come_on_top_and_the_shortfall_lies_above_the_value_at_risk() -> None:
    exposures, _ = random_network(4)
    found = simulate(EisenbergNoe(), exposures, np.full(len(exposures), 0.1), draws=400)
    var, shortfall = found.at(0.95)
    assert found.total.mean() >= found.direct > 0 and shortfall >= var > found.total.mean()
    ranked = np.sort(found.total)
    assert var == ranked[379] and shortfall == pytest.approx(ranked[380:].mean())


def test_impossible_probabilities_and_correlations_are_refused() -> None:
    with pytest.raises(MeasureError, match="from 0 to 1"):
        failing(np.array([1.2]), 0.1, 0, range(1))
    with pytest.raises(MeasureError, match="rho"):
        failing(np.array([0.1]), 1.0, 0, range(1))
    assert failing(np.array([0.0, 1.0]), 0.5, 0, range(50)).tolist() == [[False, True]] * 50
