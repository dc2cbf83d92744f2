"""Credit figures: worked examples of papers, closed forms, and oracles written apart from the figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from kg.errors import MeasureError
from queries.figure import Figure, notes
from queries.figures.concentration import Concentration
from queries.figures.credit_metrics import CreditMetrics
from queries.figures.expected_loss import ExpectedLoss, contributions
from queries.figures.irb import Irb
from queries.figures.joint_default import JointDefault, together
from queries.figures.merton import Merton
from queries.figures.vasicek import Vasicek, basel_correlation, worst_case
from queries.measure import build

normal = stats.norm


def loans(**more: Any) -> pa.Table:
    """Three loans."""
    made = {"id": ["a", "b", "c"], "pd": [0.01, 0.05, 0.2], "lgd": [0.45, 0.4, 0.6], "ead": [100.0, 50.0, 10.0]}
    return pa.table({**made, **more})


# ---- expected and unexpected loss


def test_expected_loss_is_pd_times_lgd_times_exposure() -> None:
    answer = ExpectedLoss().compute(loans())
    assert answer["level"].to_pylist() == ["obligor"] * 3 + ["portfolio"]
    np.testing.assert_allclose(answer["el"].to_numpy(), [0.45, 1.0, 1.2, 2.65], rtol=1e-12)
    own = [45 * np.sqrt(0.01 * 0.99), 20 * np.sqrt(0.05 * 0.95), 6 * np.sqrt(0.2 * 0.8)]
    np.testing.assert_allclose(answer["ul"].to_numpy(), [*own, np.linalg.norm(own)], rtol=1e-12)


def test_doubt_about_the_loss_given_default_adds_to_unexpected_loss() -> None:
    answer = ExpectedLoss().compute(loans(lgd_sd=[0.1, 0.0, 0.2]))
    expected = 100 * np.sqrt(0.01 * 0.99 * 0.45**2 + 0.01 * 0.1**2)
    assert answer["ul"][0].as_py() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rho", [0.05, 0.2, 0.6, 0.95])
def test_unexpected_loss_over_one_factor_is_that_of_all_pairs(rho: float) -> None:
    answer = ExpectedLoss(rho=rho).compute(loans())
    pd, lost = np.array([0.01, 0.05, 0.2]), np.array([45.0, 20.0, 6.0])
    cut, total = normal.ppf(pd), 0.0
    for i in range(3):
        for j in range(3):
            both = pd[i]
            if i != j:
                given_z = lambda z, i=i, j=j: (  # noqa: E731
                    normal.cdf((cut[i] - np.sqrt(rho) * z) / np.sqrt(1 - rho))
                    * normal.cdf((cut[j] - np.sqrt(rho) * z) / np.sqrt(1 - rho))
                    * normal.pdf(z)
                )
                both = integrate.quad(given_z, -10, 10, epsabs=1e-14, limit=400)[0]
            total += lost[i] * lost[j] * (both - pd[i] * pd[j])
    assert answer["ul"][3].as_py() == pytest.approx(np.sqrt(total), rel=1e-9)
    assert sum(answer["contribution"].to_pylist()[:3]) == pytest.approx(answer["ul"][3].as_py(), rel=1e-12)


def test_with_correlation_one_the_riskier_always_falls_with_the_safer() -> None:
    found = contributions(np.array([0.1, 0.3]), np.array([10.0, 5.0]), np.zeros(2), 1.0)
    u = (np.arange(200_000) + 0.5) / 200_000
    loss = np.vstack([10.0 * (u < 0.1), 5.0 * (u < 0.3)])
    np.testing.assert_allclose(found, np.cov(loss, bias=True).sum(axis=1), rtol=1e-9)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_unexpected_loss_grows_with_correlation(seed: int) -> None:
    r = np.random.default_rng(seed)
    pd, lost = r.random(5), r.exponential(10, 5)
    sums = [contributions(pd, lost, np.zeros(5), rho).sum() for rho in (0.0, 0.1, 0.5, 0.9, 1.0)]
    assert (np.diff(sums) >= -1e-9 * sums[-1]).all()


def test_doubt_about_pd_reaches_the_expected_loss() -> None:
    table = loans(pd_low=[0.005, 0.04, 0.1], pd_high=[0.02, 0.05, 0.4])
    answer = ExpectedLoss().compute(table)
    np.testing.assert_allclose(answer["el_low"].to_numpy(), [0.225, 0.8, 0.6, 1.625], rtol=1e-12)
    np.testing.assert_allclose(answer["el_high"].to_numpy(), [0.9, 1.0, 2.4, 4.3], rtol=1e-12)
    apart = ExpectedLoss(doubt="independent").compute(table)
    assert apart["el_high"][3].as_py() == pytest.approx(2.65 + np.hypot(0.45, 1.2), rel=1e-12)


def test_a_range_that_does_not_hold_its_value_is_refused() -> None:
    with pytest.raises(MeasureError, match=r"pd_low 0\.06 of b is beyond its pd 0\.05"):
        ExpectedLoss().compute(loans(pd_low=[0.0, 0.06, 0.1]))


def test_sure_and_impossible_defaults_have_no_unexpected_loss() -> None:
    answer = ExpectedLoss(rho=0.3).compute(loans(pd=[0.0, 1.0, 1.0]))
    assert answer["el"].to_pylist() == [0.0, 20.0, 6.0, 26.0]
    np.testing.assert_allclose(answer["ul"].to_numpy(), 0, atol=1e-6)


def test_parameters_are_given_as_text_too() -> None:
    made = build(Figure, "expected_loss", {"rho": "0.2", "doubt": "independent"})  # type: ignore[type-abstract]
    assert made == ExpectedLoss(0.2, "independent")
    with pytest.raises(MeasureError, match="rho"):
        build(Figure, "expected_loss", {"rho": "1.2"})  # type: ignore[type-abstract]
    with pytest.raises(MeasureError, match="sideways"):
        build(Figure, "expected_loss", {"doubt": "sideways"})  # type: ignore[type-abstract]


# ---- Vasicek and Basel

VAS_1 = {0.001: 0.0342, 0.005: 0.0977, 0.01: 0.1403, 0.015: 0.1685, 0.02: 0.1903}
IRB_1 = {0.03: 14.44, 0.10: 29.65, 0.25: 49.47, 0.40: 62.72, 0.50: 69.61, 0.75: 82.78, 1: 92.32, 1.3: 100.95}
IRB_1 |= {1.5: 105.59, 2: 114.86, 3: 128.44}
"""Risk weights that Annex 5 of Basel II prints for corporates of LGD 45 % and 2.5 years, by PD, all in per cent."""
IRB_EXACT = [14.444, 29.654, 49.472, 62.718, 69.612, 82.778, 92.317, 100.947, 105.593, 114.854, 128.438]


def test_vas_1_worst_case_default_rates_under_basel_correlation() -> None:
    answer = Vasicek().compute(pa.table({"id": [f"{pd}" for pd in VAS_1], "pd": list(VAS_1)}))
    np.testing.assert_allclose(answer["wcdr"].to_numpy(), list(VAS_1.values()), atol=5e-5)


@given(pd=st.floats(1e-6, 0.999), rho=st.floats(0, 0.99), level=st.floats(0.5, 0.9999))
@settings(max_examples=100, deadline=None)
def test_the_worst_case_rate_is_the_quantile_of_the_conditional_one(pd: float, rho: float, level: float) -> None:
    z = normal.ppf(1 - level)
    expected = normal.cdf((normal.ppf(pd) - np.sqrt(rho) * z) / np.sqrt(1 - rho))
    assert worst_case(pd, rho, level) == pytest.approx(expected, rel=1e-9)


def test_worst_case_rates_at_the_edges() -> None:
    np.testing.assert_array_equal(worst_case([0, 1, 0.01, 0.5, 0.5], [0.2, 0.2, 0, 1, 1], 0.4), [0, 1, 0.01, 0, 0])
    assert worst_case(0.01, 0.0, 0.999) == pytest.approx(0.01, rel=1e-12)
    assert worst_case(0.01, 1.0, 0.999) == 1.0
    assert worst_case(0.0005, 1.0, 0.999) == 0.0


def test_irb_1_risk_weights_are_those_that_basel_prints() -> None:
    ids = [f"{i:02}" for i in range(len(IRB_1))]
    pds = [pd / 100 for pd in IRB_1]
    answer = Irb(accord="basel2").compute(pa.table({"id": ids, "pd": pds, "lgd": [0.45] * len(ids)}))
    np.testing.assert_allclose(100 * answer["rw"].to_numpy(), IRB_EXACT, atol=5e-4)
    np.testing.assert_allclose(100 * answer["rw"].to_numpy(), list(IRB_1.values()), atol=0.006)


def test_small_firms_need_less_and_longer_loans_more() -> None:
    table = pa.table({"id": ["a", "b", "c", "d"], "pd": [0.01] * 4, "lgd": [0.45] * 4, "sales": [5.0, 27.5, 50.0, 900]})
    rw = Irb(accord="basel2").compute(table)["rw"].to_numpy()
    assert rw[0] < rw[1] < rw[2] == rw[3]
    # the other column of Annex 5: sales of 5 million euro
    assert 100 * rw[0] == pytest.approx(72.40, abs=0.01)
    by_years = [Irb(maturity=years).compute(table)["rw"][0].as_py() for years in (1, 2.5, 5, 9)]
    assert by_years[0] < by_years[1] < by_years[2] == by_years[3]


def test_floors_large_financial_firms_and_defaults() -> None:
    table = pa.table({"id": ["a", "b", "c"], "pd": [0.0, 0.01, 1.0], "lgd": [0.45] * 3, "financial": [0, 1, 0]})
    new, old = (Irb(accord=accord).compute(table) for accord in ("basel3", "basel2"))
    assert new["pd"].to_pylist() == [0.0005, 0.01, 1.0]
    assert old["pd"][0].as_py() == 0.0003
    assert new["correlation"][1].as_py() == pytest.approx(1.25 * old["correlation"][1].as_py())
    assert new["k"][2].as_py() == 0
    assert any("defaulted" in note for note in notes(new))
    known = Irb().compute(table.append_column("best_estimate", pa.array([0.4, 0.4, 0.4])))
    assert known["k"][2].as_py() == pytest.approx(0.05)


def test_basel_correlation_runs_from_24_to_12_per_cent() -> None:
    np.testing.assert_allclose(basel_correlation([0.0, 0.01, 1.0]), [0.24, 0.192784, 0.12], atol=1e-6)


# ---- joint default


def test_mc_check_two_firms_of_one_per_cent() -> None:
    assert together(0.01, 0.01, 0.2) == pytest.approx(3.389171e-4, rel=1e-6)


@given(p=st.floats(1e-4, 0.9999), q=st.floats(1e-4, 0.9999), rho=st.floats(-0.98, 0.98))
@settings(max_examples=25, deadline=None)
def test_joint_default_is_the_bivariate_normal(p: float, q: float, rho: float) -> None:
    a, b = normal.ppf([p, q])
    density = lambda x: normal.pdf(x) * normal.cdf((b - rho * x) / np.sqrt(1 - rho**2))  # noqa: E731
    points = [point for point in (b / rho if abs(rho) > 1e-3 else 0.0,) if -12 < point < a]
    expected = integrate.quad(density, -12, a, points=points, epsabs=1e-13, limit=400)[0]
    assert together(p, q, rho) == pytest.approx(expected, abs=1e-10)


def test_joint_default_at_the_edges() -> None:
    np.testing.assert_allclose(
        together([0.1, 0.1, 0.7, 0, 1], [0.2, 0.2, 0.6, 0.5, 0.3], [1, -1, -1, 0.5, 0.5]),
        [
            0.1,
            0,
            0.3,
            0,
            0.3,
        ],
        atol=1e-15,
    )
    answer = JointDefault().compute(pa.table({"id": ["a", "b", "c"], "pd": [0.01, 0.01, 0.0]}))
    assert answer["correlation"].to_pylist()[0] == pytest.approx((3.389171e-4 - 1e-4) / 0.0099, rel=1e-6)
    assert answer["correlation"].to_pylist()[1:] == [None, None]


# ---- CreditMetrics

STATES = ["AAA", "AA", "A", "BBB", "BB", "B", "CCC", "D"]
BBB = [0.0002, 0.0033, 0.0595, 0.8693, 0.0530, 0.0117, 0.0012, 0.0018]
VALUES = [109.37, 109.19, 108.66, 107.55, 102.02, 98.10, 83.64, 51.13]


def bond(id: str = "bond", values: list[float] = VALUES, p: list[float] = BBB, **more: Any) -> pa.Table:
    n = len(p)
    states = {"id": [id] * n, "state": STATES[:n], "rank": list(range(n)), "probability": p, "value": values}
    return pa.table({**states, **{name: [value] * n for name, value in more.items()}})


def firms(pds: list[float], **more: list[Any]) -> pa.Table:
    """Bonds that pay 1 or nothing."""
    parts = [
        bond(f"f{i}", [1.0, 0.0], [1 - pd, pd], **{name: values[i] for name, values in more.items()})
        for i, pd in enumerate(pds)
    ]
    return pa.concat_tables(parts)


def test_cm_1_mean_and_deviation_of_the_bbb_bond() -> None:
    answer = CreditMetrics(draws=1_000).compute(bond())
    assert answer["mean"][0].as_py() == pytest.approx(107.087918, abs=5e-7)
    assert answer["sd"][0].as_py() == pytest.approx(2.991784, abs=5e-7)


def test_cm_1_with_doubt_about_recovery() -> None:
    """The worst state's value strays by 25.45: two states around it with that deviation."""
    values, p = [*VALUES[:-1], 51.13 + 25.45, 51.13 - 25.45], [*BBB[:-1], BBB[-1] / 2, BBB[-1] / 2]
    table = pa.table(
        {"id": ["b"] * 9, "state": [*STATES, "D2"], "rank": list(range(9)), "probability": p, "value": values}
    )
    assert CreditMetrics(draws=100).compute(table)["sd"][0].as_py() == pytest.approx(3.180666, abs=5e-7)


def test_simulated_years_agree_with_exact_moments() -> None:
    table = pa.concat_tables([bond("a"), bond("b")])
    answer = CreditMetrics(rho=0.0, draws=200_000, seed=3).compute(table).to_pylist()[-1]
    assert answer["mean"] == pytest.approx(2 * 107.087918, abs=1e-6)
    assert abs(answer["simulated_mean"] - answer["mean"]) < 4 * answer["standard_error"]
    assert answer["sd"] == pytest.approx(np.sqrt(2) * 2.991784, rel=0.05)


def test_two_firms_default_together_as_the_bivariate_normal_says() -> None:
    draws = 1_000_000
    answer = CreditMetrics(rho=0.2, draws=draws, seed=1).compute(firms([0.01, 0.01])).to_pylist()[-1]
    error = np.sqrt(3.389171e-4 / draws)
    assert abs(answer["all_default"] - 3.389171e-4) < 4 * error


def test_loadings_and_factor_correlation_reach_the_joint_default() -> None:
    draws = 400_000
    table = firms([0.1, 0.2], loading=[0.8, 0.6], factor=["banks", "steel"])
    for correlation in (0.0, 0.5, -0.5):
        asked = CreditMetrics(correlation=f"banks~steel={correlation}", draws=draws, seed=2)
        expected = float(together(0.1, 0.2, 0.8 * 0.6 * correlation))
        found = asked.compute(table).to_pylist()[-1]["all_default"]
        assert abs(found - expected) < 4 * np.sqrt(expected / draws)


def test_factors_that_cannot_move_like_that_are_refused() -> None:
    table = firms([0.1] * 3, factor=["a", "b", "c"])
    with pytest.raises(MeasureError, match="not positive semidefinite"):
        CreditMetrics(correlation="a~b=0.9, b~c=0.9, a~c=-0.9").compute(table)
    with pytest.raises(MeasureError, match="names no pair"):
        CreditMetrics(correlation="a~x=0.9").compute(table)
    with pytest.raises(MeasureError, match="no number"):
        CreditMetrics(correlation="a~b=much").compute(table)
    assert CreditMetrics(correlation="a~b=1, b~c=1, a~c=1", draws=100).compute(table).num_rows == 4


def test_sure_defaults_and_full_correlation_are_defined() -> None:
    edge = CreditMetrics(rho=1.0, draws=2_000).compute(firms([0.0, 1.0, 0.3, 0.3])).to_pylist()
    assert [row["mean"] for row in edge] == [1.0, 0.0, 0.7, 0.7, 2.4]
    worth = edge[-1]
    assert worth["var"] == pytest.approx(1.4)  # the two alike fall together
    alone = CreditMetrics(rho=0.0, draws=2_000).compute(firms([1.0, 1.0])).to_pylist()[-1]
    assert (alone["all_default"], alone["sd"]) == (1.0, 0.0)


def test_probabilities_that_do_not_add_up_name_their_bond() -> None:
    with pytest.raises(MeasureError, match=r"bond add up to 1\.1"):
        CreditMetrics().compute(bond(p=[0.1022, *BBB[1:]], values=VALUES))


# ---- Merton


def firm(equity: float, volatility: float, debt: float) -> pa.Table:
    return pa.table({"id": ["f"], "equity": [equity], "equity_volatility": [volatility], "debt": [debt]})


def test_mer_1_is_hulls_example() -> None:
    found = Merton(rate=0.05).compute(firm(3, 0.8, 10)).to_pylist()[0]
    expected = {"assets": 12.395387, "asset_volatility": 0.212305, "pd": 0.126971, "debt_value": 9.395387}
    expected |= {"expected_loss": 0.012290, "distance_to_default": 1.140826, "recovery": 0.9032}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=5e-5 if name == "recovery" else 6e-7)


def off(found: dict[str, float], equity: float, volatility: float, debt: float, rate: float, years: float) -> float:
    """How far both equations are off, in parts of equity and its volatility."""
    import mpmath as mp

    mp.mp.dps = 40
    v, s = mp.mpf(found["assets"]), mp.mpf(found["asset_volatility"])
    d1 = (mp.log(v / debt) + (rate + s**2 / 2) * years) / (s * mp.sqrt(years))
    call = v * mp.ncdf(d1) - debt * mp.exp(-rate * years) * mp.ncdf(d1 - s * mp.sqrt(years))
    return float(max(abs(call / equity - 1), abs(mp.ncdf(d1) * s * v / (call * volatility) - 1)))


@given(
    leverage=st.floats(-6, 3), volatility=st.floats(0.02, 2.5), years=st.floats(0.1, 10), rate=st.floats(-0.02, 0.15)
)
@settings(max_examples=100, deadline=None)
def test_assets_solve_both_equations(leverage: float, volatility: float, years: float, rate: float) -> None:
    equity = 100 * 10**leverage
    found = Merton(rate, years).compute(firm(equity, volatility, 100.0)).to_pylist()[0]
    # assets are held to 16 digits, so equity far below them to as many less
    assert off(found, equity, volatility, 100.0, rate, years) < 1e-9 + 4e-16 * 100 / equity * 100
    assert 0 <= found["pd"] <= 1
    assert equity <= found["assets"] <= equity + 100 * np.exp(-rate * years) * (1 + 1e-12)


def test_a_solver_of_scipy_finds_the_same_firm() -> None:
    def equations(x: np.ndarray) -> list[float]:
        v, s = np.exp(x)
        d1 = (np.log(v / 80) + 0.03 + s**2 / 2) / s
        call = v * normal.cdf(d1) - 80 * np.exp(-0.03) * normal.cdf(d1 - s)
        return [call - 40, normal.cdf(d1) * s * v - 0.5 * 40]

    v, s = np.exp(optimize.fsolve(equations, np.log([110, 0.2]), xtol=1e-13))
    found = Merton(rate=0.03).compute(firm(40, 0.5, 80)).to_pylist()[0]
    assert (found["assets"], found["asset_volatility"]) == pytest.approx((v, s), rel=1e-8)


def test_merton_at_its_limits() -> None:
    for asked, table in [
        (Merton(rate=0.05), firm(3, 0.0, 10)),
        (Merton(rate=0.05, horizon=0.0), firm(3, 0.8, 10)),
        (Merton(), firm(3, 0.8, 0.0)),
    ]:
        found = asked.compute(table).to_pylist()[0]
        assert found["pd"] == 0
        assert found["assets"] == pytest.approx(3 + (table["debt"][0].as_py()) * np.exp(-asked.rate * asked.horizon))
    calm = [Merton(rate=0.05).compute(firm(3, v, 10)).to_pylist()[0] for v in (1e-5, 1e-3, 0.1)]
    assert calm[0]["assets"] == pytest.approx(3 + 10 * np.exp(-0.05), rel=1e-12)
    assert calm[0]["pd"] == calm[1]["pd"] == 0
    deep = Merton().compute(firm(1e-6, 0.9, 10)).to_pylist()[0]
    assert 0.05 < deep["pd"] < 1
    with pytest.raises(MeasureError, match="'equity' is a finite number above 0"):
        Merton().compute(firm(0.0, 0.8, 10))


# ---- concentration


def test_hhi_counts_equal_names_and_joins_loans_to_one() -> None:
    book = pa.table({"id": ["a", "b", "c", "d", "d"], "ead": [10.0, 10.0, 10.0, 5.0, 5.0]})
    found = Concentration(top=2).compute(book).to_pylist()[0]
    assert (found["names"], found["hhi"], found["effective_names"]) == (4, pytest.approx(0.25), pytest.approx(4))
    assert (found["largest"], found["top_share"]) == (pytest.approx(0.25), pytest.approx(0.5))


def credit_risk_plus(x: float, share: np.ndarray, pd: np.ndarray, lgd: np.ndarray, asked: Concentration) -> np.ndarray:
    """Variance given the factor, times density over the slope of the mean: what Gordy and Luetkebohmert derive."""
    capital = lgd * (worst_case(pd, basel_correlation(pd), asked.level) - pd)
    quantile = stats.gamma.ppf(asked.level, asked.shape, scale=1 / asked.shape)
    mean = lgd * pd + capital * (x - 1) / (quantile - 1)
    variance = asked.spread * lgd * (1 - lgd)
    spread = (lgd**2 + variance) / lgd * mean + variance / lgd**2 * mean**2
    slope = (share * capital).sum() / (quantile - 1)
    return (share**2 * spread).sum() * stats.gamma.pdf(x, asked.shape, scale=1 / asked.shape) / slope


def test_the_granularity_adjustment_is_the_derivative_it_comes_from() -> None:
    r = np.random.default_rng(0)
    ead, pd, lgd = r.exponential(10, 60), r.random(60) * 0.05 + 0.001, r.random(60) * 0.5 + 0.2
    asked = Concentration()
    book = pa.table({"id": [f"{i:03}" for i in range(60)], "ead": ead, "pd": pd, "lgd": lgd})
    x = stats.gamma.ppf(0.999, asked.shape, scale=1 / asked.shape)
    step = 1e-4 * x
    parts = [credit_risk_plus(x + k * step, ead / ead.sum(), pd, lgd, asked) for k in (-1, 1)]
    expected = -(parts[1] - parts[0]) / (2 * step) / (2 * stats.gamma.pdf(x, asked.shape, scale=1 / asked.shape))
    found = asked.compute(book).to_pylist()[0]
    assert found["granularity"] == pytest.approx(expected, rel=1e-6)
    assert found["granularity_amount"] == pytest.approx(expected * ead.sum(), rel=1e-6)


def test_delta_of_the_supervisory_parameters_is_the_published_one() -> None:
    x = stats.gamma.ppf(0.999, 0.25, scale=4)
    assert (x - 1) * (0.25 + 0.75 / x) == pytest.approx(4.83, abs=0.005)


def test_twice_as_many_equal_names_halve_the_adjustment() -> None:
    def book(n: int) -> pa.Table:
        return pa.table({"id": [f"{i}" for i in range(n)], "ead": [1.0] * n, "pd": [0.01] * n, "lgd": [0.45] * n})

    few, many = (Concentration().compute(book(n)).to_pylist()[0]["granularity"] for n in (50, 100))
    assert few == pytest.approx(2 * many, rel=1e-12)
    nothing = pa.table({"id": ["a"], "ead": [1.0], "pd": [0.0], "lgd": [0.45]})
    assert Concentration().compute(nothing).to_pylist()[0]["granularity"] == 0
