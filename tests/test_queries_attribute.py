"""The money of a loss by path: exact against a fine integral and every walk there is, and adding up to the whole."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from kg.errors import MeasureError
from queries.attribute import attribute, counterfactuals, growth
from queries.contagion.clearing import clear
from queries.exposures import Exposures
from queries.measures.eisenberg_noe import EisenbergNoe
from queries.scenario import Shocks


def random_network(seed: int, n: int = 8, circles: bool = True) -> tuple[Exposures, Shocks]:
    """A network in which a shock makes some fail; without circles nobody is a debtor of who owes it, however far."""
    rng = np.random.default_rng(seed)
    claims = rng.integers(1, 40, (n, n)) * (rng.random((n, n)) < 0.4) * 1.0
    np.fill_diagonal(claims, 0)
    claims = claims if circles else np.triu(claims)
    outside = rng.integers(0, 40, n) + claims.sum(axis=0) - claims.sum(axis=1).clip(max=30)
    exposures = Exposures.of(claims, np.maximum(outside, 1.0), rng.integers(0, 20, n))
    return exposures, Shocks.of(exposures, rng.random(n) * (rng.random(n) < 0.6), "external")


@pytest.mark.parametrize("seed", range(25))
def test_paths_and_rest_add_up_to_the_loss_of_everyone_and_of_each(seed: int) -> None:
    exposures, shocks = random_network(seed)
    losses = EisenbergNoe().spread(exposures, shocks)
    for entity in ("", *exposures.ids):
        told = attribute(exposures, shocks, entity, top=7, hops=3)
        loss = losses.total[0] if not entity else losses.loss[0, exposures.index[entity]]
        assert told.total == pytest.approx(loss, rel=1e-6, abs=1e-9)
        assert told.adds_up < 1e-6 or told.total < 1e-9
        assert sum(told.origins.values()) == pytest.approx(loss, rel=1e-6, abs=1e-9)
        assert [path.loss for path in told.paths] == sorted((path.loss for path in told.paths), reverse=True)


@pytest.mark.parametrize("seed", range(10))
def test_without_circles_the_paths_alone_are_the_whole_loss(seed: int) -> None:
    exposures, shocks = random_network(seed, circles=False)
    told = attribute(exposures, shocks, top=100_000, hops=8)
    assert told.paths and told.rest == pytest.approx(0, abs=1e-9 * told.total)
    assert sum(path.loss for path in told.paths) == pytest.approx(told.total, rel=1e-9)


def test_a_path_carries_what_is_left_once_the_equity_of_every_debtor_on_it_is_gone() -> None:
    """C is owed 50 by B, and B 50 by A. A loses 40 of 60 and has equity 10, B 5: A fails at 1/4, B when 5 more came."""
    claims = [[0, 0, 0], [50, 0, 0], [0, 50, 0]]
    exposures = Exposures.of(claims, [60, 5, 10], ids=["A", "B", "C"])
    shocks = Shocks.of(exposures, [40 / 60, 0, 0], "external")
    (path,) = attribute(exposures, shocks, "C").paths
    assert path.entities == ("C", "B", "A") and path.edges == ("C>B", "B>A")
    assert path.loss == pytest.approx(40 * (1 - (10 + 5) / 40)) == pytest.approx(25)


def every_walk(
    exposures: Exposures, shocks: Shocks, entity: int, hops: int, steps: int
) -> dict[tuple[str, ...], float]:
    """Every walk of at most `hops` edges by a midpoint sum over t: who fails is asked of clearing at each step."""
    debts = exposures.owed + exposures.external_liabilities
    share = exposures.claims.toarray() / np.where(debts > 0, debts, 1.0)
    failing = []
    for t in (np.arange(steps) + 0.5) / steps:
        paid = clear(exposures, (exposures.external_assets - t * shocks.outside[0])[None, :]).payments[0]
        failing.append(paid < debts * (1 - 1e-12))
    found: dict[tuple[str, ...], float] = {}
    for length in range(hops + 1):
        for rest in product(range(len(exposures)), repeat=length):
            walk = (entity, *rest)
            worth = np.prod([share[a, b] for a, b in pairwise(walk)]) * shocks.outside[0, walk[-1]]
            if worth > 0:
                found[tuple(exposures.ids[row] for row in walk)] = worth * np.mean(
                    [failed[list(rest)].all() for failed in failing]
                )
    return found


@pytest.mark.parametrize("seed", range(4))
def test_every_path_is_the_integral_over_a_growing_shock(seed: int) -> None:
    exposures, shocks = random_network(seed, n=5)
    entity = int(np.argmax(EisenbergNoe().spread(exposures, shocks).loss[0]))
    expected = every_walk(exposures, shocks, entity, 3, 2_000)
    told = attribute(exposures, shocks, exposures.ids[entity], top=1_000, hops=3)
    found = {path.entities: path.loss for path in told.paths}
    assert set(found) <= set(expected)
    for walk, loss in expected.items():
        assert found.get(walk, 0.0) == pytest.approx(loss, abs=2e-3 * told.total)


def test_who_fails_grows_and_the_stretches_cover_the_shock() -> None:
    exposures, shocks = random_network(3, n=20)
    course = growth(exposures, shocks.outside[0])
    assert course[0].start == 0 and course[-1].end == 1
    for former, later in pairwise(course):
        assert former.end == later.start and (later.failing >= former.failing).all()
    after = clear(exposures, (exposures.external_assets - shocks.outside[0])[None, :])
    debts = exposures.owed + exposures.external_liabilities
    assert (course[-1].failing >= (after.payments[0] < debts * (1 - 1e-9))).all()


def test_a_counterfactual_is_the_measure_asked_again_without_the_exposures_of_the_path() -> None:
    exposures, shocks = random_network(6)
    told = attribute(exposures, shocks, top=3)
    measure = EisenbergNoe()
    whole = measure.spread(exposures, shocks).total[0]
    for path, less in zip(told.paths, counterfactuals(measure, exposures, shocks, told.paths), strict=True):
        without = measure.spread(exposures.without(path.edges), shocks).total[0] if path.edges else whole
        assert less == pytest.approx(whole - without, rel=1e-12, abs=1e-12) and less >= -1e-9


def test_two_runs_are_equal_to_the_bit() -> None:
    assert attribute(*random_network(5)) == attribute(*random_network(5))


def test_an_entity_that_is_not_there_is_named_with_a_near_one() -> None:
    exposures, shocks = random_network(1)
    with pytest.raises(MeasureError, match="bank:99 is not in this run; did you mean bank:"):
        attribute(exposures, shocks, "bank:99")
