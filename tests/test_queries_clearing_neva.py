"""Network valuation: the examples of risk.md once more by an oracle of plain arithmetic, and its laws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import erf, log, sqrt

import numpy as np
import pytest

from kg.errors import MeasureError
from queries.exposures import Exposures
from queries.measure import Losses
from queries.measures.debtrank import DebtRank
from queries.measures.eisenberg_noe import EisenbergNoe
from queries.measures.neva import Neva
from queries.measures.rogers_veraart import RogersVeraart
from queries.measures.threshold import Threshold
from queries.scenario import Shocks
from tests.test_queries_clearing import drawn

EXACT = 1e-12
FUNCTIONS = ("eisenberg_noe", "rogers_veraart", "furfine", "debtrank", "black_cox", "merton")
SETTINGS = {"alpha": 0.6, "beta": 0.8, "recovery": 0.4}


def ring(outside: tuple[float, ...] = (10, 5, 3), owed: tuple[float, ...] = (9, 4, 2)) -> Exposures:
    """Each has a claim of 0.5 on the next, and equity 1."""
    return Exposures.of(np.roll(np.eye(3), 1, axis=1) * 0.5, outside, owed)


def lost(x: Exposures, *money: float) -> Shocks:
    """A shock in money."""
    amount = np.array([money], float)
    return Shocks(("shock",), amount, amount, np.minimum(amount / np.maximum(x.equity, 1e-300), 1))


def worth(x: Exposures, shocks: Shocks, **params: object) -> np.ndarray:
    found = Neva(**params).spread(x, shocks)  # type: ignore[arg-type]  # parametrised
    assert found.worth is not None and found.converged
    return np.asarray(found.worth[0])


# ---- an oracle of plain arithmetic: equities of the ring by repeated substitution


def normal(z: float) -> float:
    return (1 + erf(z / sqrt(2))) / 2


def touching(equity: float, assets: float, sigma: float) -> float:
    """Chance that assets without drift touch assets - equity within a year (reflection principle)."""
    if equity <= 0:
        return 1.0
    x = log(assets / (assets - equity))
    return normal((-x + sigma**2 / 2) / sigma) + assets / (assets - equity) * normal((-x - sigma**2 / 2) / sigma)


def payment(equity: float, assets: float, owed: float, sigma: float, recovery: float) -> float:
    """Expected payment per unit at maturity, integrated numerically over where assets may end."""
    # value jumps where equity ends at 0: below it what is left is shared, above it all is paid
    edge = (log((assets - equity) / assets) + sigma**2 / 2) / sigma
    z = np.linspace(-12, edge, 200_001)
    ends = equity - assets + assets * np.exp(sigma * z - sigma**2 / 2)
    density = np.exp(-(z**2) / 2) / sqrt(2 * np.pi)
    return normal(-edge) + float(np.trapezoid(recovery * np.maximum(1 + ends / owed, 0) * density, z))


def substituted(value: Callable[[float, int], float], shock: tuple[float, ...], rounds: int = 400) -> list[float]:
    """E_i = 1 - shock_i - 0.5 (1 - V(E_j)) with j the next in the ring, from face value down."""
    equity = [1 - s for s in shock]
    for _ in range(rounds):
        equity = [1 - shock[i] - 0.5 * (1 - value(equity[(i + 1) % 3], (i + 1) % 3)) for i in range(3)]
    return equity


@pytest.mark.parametrize(
    ("shock", "equity"),
    [((0.5, 0, 0), [3 / 7, 6 / 7, 5 / 7]), ((0.5, 0.5, 0.5), [0, 0, 0]), ((1, 0, 0), [-0.125, 0.75, 0.5])],
)
def test_examples_dr_1_to_3(shock: tuple[float, ...], equity: list[float]) -> None:
    x = ring()
    np.testing.assert_allclose(worth(x, lost(x, *shock), valuation="debtrank"), equity, atol=EXACT)
    oracle = substituted(lambda e, _: min(max(e, 0.0), 1.0), shock)
    np.testing.assert_allclose(oracle, equity, atol=EXACT)


def test_each_bank_is_valued_by_its_own_equity_at_the_start() -> None:
    """The case in which a public library takes the equity of the last bank for all."""
    x = Exposures.of(np.roll(np.eye(3), 1, axis=1) * 0.5, [11, 10, 9.5], [9, 9, 9])
    np.testing.assert_allclose(x.equity, [2, 1, 0.5])
    found = worth(x, lost(x, 0.5, 0.5, 0.1), valuation="debtrank")
    np.testing.assert_allclose(found, [1.0857142857142857, 0.17142857142857143, 0.17142857142857143], atol=EXACT)


def test_example_en_2_with_debts_outside_of_the_same_rank() -> None:
    """EN-2: debts to the outside of one rank with those inside."""
    x = ring()
    np.testing.assert_allclose(worth(x, lost(x, 1.2, 0.9, 0.1)), [-0.2, 0.1, 0.9 - 0.5 * 0.2 / 9.5], atol=EXACT)
    senior = worth(x, lost(x, 1.2, 0.9, 0.1), outside="senior")
    np.testing.assert_allclose(senior, [-0.2, 0.1, 0.9 - 0.5 * 0.2 / 0.5], atol=EXACT)


def test_example_neva_bc_valued_before_default() -> None:
    """NEVA-BC: assets 10, 5, 3, debts outside 9, 4, 2; volatility is that of equity times equity over assets."""
    x, shock, assets, owed = ring(), (0.5, 1.0, 0.0), (9.5, 4.0, 3.0), (9.5, 4.5, 2.5)
    sigma = (0.2 / 10, 0.2 / 5, 0.2 / 3)
    found = worth(x, lost(x, *shock), valuation="black_cox", recovery=0.6)
    oracle = substituted(lambda e, j: 1 - 0.4 * touching(e, assets[j], sigma[j]), shock)
    np.testing.assert_allclose(found, oracle, atol=EXACT)
    np.testing.assert_allclose(found, [0.3, 0, 0.9779248984], atol=1e-9)
    found = worth(x, lost(x, *shock), valuation="merton", recovery=0.6)
    oracle = substituted(lambda e, j: payment(e, assets[j], owed[j], sigma[j], 0.6), shock, rounds=12)
    np.testing.assert_allclose(found, oracle, atol=1e-9)  # as fine as the grid of the integral
    np.testing.assert_allclose(found, [0.3941492365, 0, 0.9964671587], atol=1e-9)


def test_without_volatility_value_before_default_is_the_value_at_default() -> None:
    x = ring()
    shocks = lost(x, 1.2, 0.9, 0.1)
    still = worth(x, shocks, valuation="merton", recovery=1.0, volatility=0.0)
    np.testing.assert_allclose(still, worth(x, shocks), atol=EXACT)
    touched = worth(x, shocks, valuation="black_cox", recovery=0.3, volatility=0.0)
    np.testing.assert_allclose(touched, worth(x, shocks, valuation="furfine", recovery=0.3), atol=EXACT)


# ---- the measures of single papers are cases of it


def same(ours: Losses, theirs: Losses) -> None:
    np.testing.assert_allclose(ours.loss, theirs.loss, rtol=1e-9, atol=1e-9)


def test_it_contains_the_measures_of_single_papers() -> None:
    for seed in range(120):
        x = drawn(seed)
        shocks = Shocks.of(x, np.random.default_rng(seed).random((2, len(x))), "external")
        same(Neva().spread(x, shocks), EisenbergNoe().spread(x, shocks))
        costs = {"alpha": 0.5, "beta": 0.7}
        ours = Neva(valuation="rogers_veraart", **costs).spread(x, shocks)  # type: ignore[arg-type]  # floats
        same(ours, RogersVeraart(**costs).spread(x, shocks))


def solvent(seed: int) -> Exposures:
    """Everyone has equity, and enough outside to lose it from."""
    x, r = drawn(seed), np.random.default_rng(seed + 3)
    assets = np.maximum(x.owed - x.held, 0) + r.exponential(5, len(x)) + 30
    return Exposures.of(x.claims, assets, assets + x.held - x.owed - r.exponential(8, len(x)) - 0.5)


def test_it_contains_linear_debtrank_and_furfine_where_all_have_equity() -> None:
    for seed in range(120):
        x = solvent(seed)
        shocks = Shocks.of(x, np.random.default_rng(seed).random((2, len(x))) * 1.2)
        same(Neva(valuation="debtrank").spread(x, shocks), DebtRank().spread(x, shocks))
        same(Neva(valuation="furfine", recovery=0.3).spread(x, shocks), Threshold(0.3).spread(x, shocks))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_laws_of_valuation_on_a_thousand_networks(function: str) -> None:
    """Equity solves its equation, nobody gains by a shock, more shock is never more equity, losses add up."""
    measure = Neva(valuation=function, **SETTINGS)  # type: ignore[arg-type]  # parametrised
    for seed in range(1_000):
        x, r = drawn(seed, 4 + seed % 3), np.random.default_rng(seed)
        small = r.random(len(x)) * 4 * (r.random(len(x)) < 0.6)  # assets may fall below nothing
        found = measure.spread(x, lost_each(x, np.vstack([0 * small, small, small * 1.5])))
        assert found.worth is not None and found.converged
        assert not found.loss[0].any()
        assert (found.worth[0] >= found.worth[1] - 1e-9).all() and (found.worth[1] >= found.worth[2] - 1e-9).all()
        face = x.external_assets + x.held - x.owed - x.external_liabilities
        assert (found.worth[0] <= face + 1e-9).all()
        assert (found.passed >= 0).all() and (found.passed <= 1 + 1e-12).all()
        np.testing.assert_allclose(found.worth[0] - found.worth, found.loss, rtol=1e-9, atol=1e-9)


def lost_each(x: Exposures, money: np.ndarray) -> Shocks:
    return Shocks(tuple(str(i) for i in range(len(money))), money, money, np.minimum(money, 1))


# ---- what is told


def test_assets_below_nothing_are_cleared_where_clearing_proper_refuses() -> None:
    x = ring()
    found = Neva().spread(x, lost(x, 12, 0, 0))
    assert found.worth is not None and found.defaults() == ("bank:0", "bank:2")[:1]
    np.testing.assert_allclose(found.worth[0], [-11, 1, 1 - 0.5], atol=EXACT)  # nothing is paid on the 0.5
    with pytest.raises(MeasureError, match="or measure neva"):
        EisenbergNoe().spread(x, lost(x, 12, 0, 0))


def test_what_has_not_settled_is_told_with_names() -> None:
    x = ring()
    found = Neva(valuation="debtrank", rounds=3).spread(x, lost(x, 0.5, 0, 0))
    assert not found.converged and found.rounds == 3
    assert any("equities of bank:" in note and "still falling" in note for note in found.notes)
    assert any("had not settled after 3 rounds" in note for note in found.notes)


def test_a_circle_that_amplifies_and_equity_that_is_unknown_are_told_with_names() -> None:
    x = Exposures.of(np.roll(np.eye(3), 1, axis=1) * 3.0, [10, 5, 3], [9, 4, 2])
    found = Neva(valuation="debtrank").spread(x, lost(x, 0.01, 0, 0))
    assert found.converged and len(found.defaults()) == 3
    assert any("amplify" in note and "bank:0, bank:1, bank:2" in note for note in found.notes)
    unknown = replace(ring(), equity=np.array([1, np.nan, 1]))
    for function in ("debtrank", "black_cox", "merton"):
        told = Neva(valuation=function).spread(unknown, lost(ring(), 0, 0.5, 0))  # type: ignore[arg-type]  # parametrised
        assert not told.passed[0, 1]
        assert any("bank:1" in note for note in told.notes)


@pytest.mark.parametrize("params", [{"recovery": 1.1}, {"alpha": -0.1}, {"volatility": -1.0}, {"rounds": 0}])
def test_parameters_out_of_range_are_refused(params: dict[str, float]) -> None:
    with pytest.raises(MeasureError, match="of neva"):
        Neva(**params)  # type: ignore[arg-type]  # the point


def test_an_unknown_valuation_is_refused() -> None:
    with pytest.raises(MeasureError, match="valuation 'guess' is unknown; known: eisenberg_noe"):
        Neva(valuation="guess").spread(ring(), lost(ring(), 0, 0, 0))  # type: ignore[arg-type]  # the point
