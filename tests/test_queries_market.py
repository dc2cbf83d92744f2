"""Value at risk and expected shortfall: four ways, and nothing published later is used."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kg.errors import MeasureError
from queries.figures.var_es import VarEs
from queries.market.returns import tail
from queries.market.volatility import ewma, garch

START = np.datetime64("2020-01-01T00:00:00.000000")
DAY = np.timedelta64(1, "D")


def days(count: int) -> np.ndarray:
    return START + np.arange(count) * DAY


def returns(count: int = 400, seed: int = 0, **more: Any) -> pa.Table:
    return pa.table({"date": days(count), "return": np.random.default_rng(seed).normal(0, 0.01, count), **more})


def one(asked: VarEs, table: pa.Table) -> dict[str, Any]:
    rows = asked.compute(table).to_pylist()
    assert len(rows) == 1
    return dict(rows[0])


# ---- tails


def test_the_tail_of_ten_losses_by_hand() -> None:
    losses = np.arange(1.0, 11.0)
    assert tail(losses, 0.9) == (9.0, pytest.approx(10.0))
    assert tail(losses, 0.8) == (8.0, pytest.approx(9.5))
    assert tail(losses, 0.85) == (9.0, pytest.approx((10 + 0.5 * 9) / 1.5))
    assert tail(losses, 0.99) == (10.0, pytest.approx(10.0))


@given(seed=st.integers(0, 10**6), n=st.integers(10, 300), level=st.floats(0.5, 0.995))
@settings(max_examples=60, deadline=None)
def test_shortfall_is_the_least_of_rockafellar_and_uryasev(seed: int, n: int, level: float) -> None:
    """ES = min over l of l + E (L - l)+ / (1 - level), reached at VaR: another road to the same number."""
    losses = np.random.default_rng(seed).standard_t(3, n)
    var, es = tail(losses, level)
    over = [l + np.maximum(losses - l, 0).mean() / (1 - level) for l in losses]  # noqa: E741
    assert es == pytest.approx(min(over), rel=1e-9)
    assert var == np.quantile(losses, level, method="inverted_cdf") or abs(level * n - round(level * n)) < 1e-6
    assert es >= var


def test_historical_is_the_order_statistic_of_the_window() -> None:
    table = returns()
    last = np.sort(-table["return"].to_numpy()[-250:])
    found = one(VarEs(), table)
    assert found["var"] == last[247]
    assert found["es"] == pytest.approx((last[249] + last[248] + 0.5 * last[247]) / 2.5)
    assert np.datetime64(found["date"]) == START + 400 * DAY


def test_parametric_is_the_normal_closed_form() -> None:
    table = returns()
    past = table["return"].to_numpy()[-250:]
    found = one(VarEs(method="parametric", level=0.975), table)
    assert found["var"] == pytest.approx(-stats.norm.ppf(0.025, past.mean(), past.std(ddof=1)), rel=1e-12)
    z = np.linspace(0.975, 1, 400_001)[:-1] + 0.5 * 0.025 / 400_000
    assert found["es"] == pytest.approx(stats.norm.ppf(z, -past.mean(), past.std(ddof=1)).mean(), rel=1e-5)


def test_students_t_keeps_the_deviation_and_has_the_heavier_tail() -> None:
    heavy = np.random.default_rng(4).standard_t(5, 1_000) * 0.01
    table = pa.table({"date": days(1_000), "return": heavy})
    asked = VarEs(method="parametric", distribution="t", window=0)
    found, normal = one(asked, table), one(VarEs(method="parametric", window=0), table)
    excess = stats.kurtosis(heavy)
    freedom = np.clip(4 + 6 / excess, 4.1, 1_000)
    scale = heavy.std(ddof=1) * np.sqrt((freedom - 2) / freedom)
    assert found["var"] == pytest.approx(-heavy.mean() + scale * stats.t.ppf(0.99, freedom), rel=1e-10)
    drawn = -heavy.mean() + scale * stats.t.ppf(0.99 + 0.01 * (np.arange(200_000) + 0.5) / 200_000, freedom)
    assert found["es"] == pytest.approx(drawn.mean(), rel=1e-4)
    assert found["es"] > normal["es"]


def test_monte_carlo_comes_to_the_closed_form_of_a_portfolio() -> None:
    r = np.random.default_rng(7)
    x = r.multivariate_normal([0, 0], [[1e-4, 6e-5], [6e-5, 4e-4]], 300)
    table = pa.concat_tables(
        pa.table({"date": days(300), "return": x[:, i], "series": ["ab"[i]] * 300, "weight": [[0.7, 0.3][i]] * 300})
        for i in range(2)
    )
    drawn = one(VarEs(method="monte_carlo", draws=400_000, window=0), table)
    exact = one(VarEs(method="parametric", window=0), table)
    portfolio = x @ [0.7, 0.3]
    assert exact["var"] == pytest.approx(-portfolio.mean() + portfolio.std(ddof=1) * stats.norm.ppf(0.99), rel=1e-10)
    assert drawn["var"] == pytest.approx(exact["var"], rel=0.02)
    assert drawn["es"] == pytest.approx(exact["es"], rel=0.02)


def test_filtered_scales_past_surprises_to_the_volatility_of_tomorrow() -> None:
    calm_then_wild = np.concatenate([np.random.default_rng(1).normal(0, s, 200) for s in (0.005, 0.02)])
    table = pa.table({"date": days(400), "return": calm_then_wild})
    variance, past = np.empty(401), calm_then_wild
    variance[0] = np.mean(past[:20] ** 2)
    for t in range(400):  # the recursion as the paper writes it
        variance[t + 1] = 0.94 * variance[t] + 0.06 * past[t] ** 2
    surprises = -past / np.sqrt(variance[:-1]) * np.sqrt(variance[-1])
    found = one(VarEs(method="filtered", window=0), table)
    assert found["var"] == pytest.approx(np.sort(surprises)[395], rel=1e-10)
    assert found["var"] > one(VarEs(window=0), table)["var"]


def test_garch_is_found_again_in_a_series_made_by_one() -> None:
    r, n = np.random.default_rng(11), 6_000
    omega, alpha, beta, s2, made = 2e-6, 0.08, 0.9, 1e-4, np.empty(6_000)
    for t in range(n):
        made[t] = np.sqrt(s2) * r.standard_normal()
        s2 = omega + alpha * made[t] ** 2 + beta * s2
    found = garch(made)
    assert (found.alpha, found.beta) == pytest.approx((alpha, beta), abs=0.03)
    assert found.omega / (1 - found.alpha - found.beta) == pytest.approx(np.mean(made**2), rel=1e-6)
    np.testing.assert_allclose(
        ewma(0.94).path(made[:50])[1:],
        [0.94 * a + 0.06 * b**2 for a, b in zip(ewma(0.94).path(made[:50])[:-1], made[:50], strict=True)],
        rtol=1e-12,
    )


def test_more_days_ahead_scale_with_the_root() -> None:
    assert one(VarEs(horizon=10), returns())["var"] == pytest.approx(np.sqrt(10) * one(VarEs(), returns())["var"])


# ---- nothing published later is used


def test_a_correction_published_later_changes_no_number_before_it() -> None:
    plain = returns(300)
    public = [day + DAY for day in days(300)]
    told = plain.append_column("published", pa.array(public))
    fix = pa.table({"date": [days(300)[50]], "return": [-0.5], "published": [START + 280 * DAY]})
    asked = VarEs(window=100, rolling=True, level=0.95)
    before, after = asked.compute(told).to_pylist(), asked.compute(pa.concat_tables([told, fix])).to_pylist()
    assert before[: len(before) - 20] == after[: len(before) - 20]
    assert len(before) == len(after) == 200
    # the corrected day is still in no window of a hundred days, so ask for all days
    whole = VarEs(window=0, rolling=True, level=0.95)
    apart = [
        (a["date"], a["var"] != b["var"] or a["es"] != b["es"])
        for a, b in zip(
            whole.compute(told).to_pylist(), whole.compute(pa.concat_tables([told, fix])).to_pylist(), strict=True
        )
    ]
    first = min(day for day, changed in apart if changed)
    assert np.datetime64(first) == START + 280 * DAY


@pytest.mark.parametrize("method", ["historical", "parametric", "monte_carlo", "filtered"])
def test_rolling_numbers_do_not_know_the_days_after_them(method: str) -> None:
    asked: Any = {"method": method, "window": 60, "rolling": True, "level": 0.9, "draws": 500}
    table = returns(120)
    wild = table["return"].to_numpy().copy()
    wild[100:] = -0.3
    spoilt = table.set_column(1, "return", pa.array(wild))
    a, b = (VarEs(**asked).compute(t).to_pylist() for t in (table, spoilt))
    assert a[:40] == b[:40]
    assert [row["var"] for row in a[:41]] == [row["var"] for row in b[:41]]
    assert b[40]["breach"] and b[41]["var"] != a[41]["var"]


def test_a_rolling_row_is_the_answer_of_the_evening_before() -> None:
    table = returns(130)
    rows = VarEs(window=100, rolling=True).compute(table).to_pylist()
    for k in (0, 13, 29):
        assert rows[k]["var"] == one(VarEs(window=100), table.slice(0, 100 + k))["var"]
        assert rows[k]["return"] == table["return"][100 + k].as_py()


def test_at_hides_what_was_public_later() -> None:
    table = returns(130)
    early = one(VarEs(window=100, at="2020-04-30"), table)
    assert early == one(VarEs(window=100), table.slice(0, 120))
    with pytest.raises(MeasureError, match="is no time"):
        VarEs(at="soon").compute(table)


def test_closes_become_returns_of_each_series() -> None:
    closes = pa.table(
        {"date": [*days(12)] * 2, "series": ["a"] * 12 + ["b"] * 12, "close": [*range(10, 22), *[5] * 12]}
    )
    found = one(VarEs(method="parametric", window=0), closes)
    half = 0.5 * (np.arange(11, 22) / np.arange(10, 21) - 1)
    assert found["var"] == pytest.approx(-half.mean() + half.std(ddof=1) * stats.norm.ppf(0.99), rel=1e-10)
    with pytest.raises(MeasureError, match="price above 0"):
        VarEs().compute(pa.table({"date": days(3), "close": [1.0, 0.0, 2.0]}))


def test_too_short_a_past_and_doubled_days_are_refused() -> None:
    with pytest.raises(MeasureError, match="9 days"):
        VarEs().compute(returns(9))
    with pytest.raises(MeasureError, match="101 are needed"):
        VarEs(window=100, rolling=True).compute(returns(50))
    with pytest.raises(MeasureError, match="two returns"):
        VarEs().compute(pa.concat_tables([returns(20), returns(20)]))
