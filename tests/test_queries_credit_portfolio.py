"""Credit portfolios: defaults together, rating migration and concentration, against closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from kg.errors import MeasureError
from queries.figures.concentration import Concentration
from queries.figures.credit_metrics import CreditMetrics
from queries.figures.joint_default import JointDefault, together
from queries.figures.vasicek import basel_correlation, worst_case

normal = stats.norm


# ---- joint default


def test_mc_check_two_firms_of_one_per_cent() -> None:
    """MC-check: joint default, to the seven digits given."""
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
    """CM-1: mean and deviation, to six digits."""
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
