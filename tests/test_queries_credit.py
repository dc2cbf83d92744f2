"""Credit figures of single loans: worked examples of papers, printed tables, and oracles written apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from kg.errors import MeasureError
from queries.figure import Figure, notes
from queries.figures.expected_loss import ExpectedLoss, contributions
from queries.figures.irb import Irb
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
    """VAS-1, to the four digits printed."""
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
    """IRB-1, to the precision of the annex and to three digits."""
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
