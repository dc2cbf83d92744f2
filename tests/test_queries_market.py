"""Market figures: back-tests, tails, systemic shortfall and look-through, against oracles written apart."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kg.errors import MeasureError
from queries.figures.christoffersen import Christoffersen
from queries.figures.covar import Covar, quantile_line
from queries.figures.kupiec import Kupiec
from queries.figures.look_through import LookThrough
from queries.figures.lrmes import Lrmes, from_beta, from_mes
from queries.figures.mes import Mes
from queries.figures.srisk import Srisk
from queries.figures.var_es import VarEs
from queries.returns import tail
from queries.volatility import ewma, garch

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


# ---- back-tests


def breaches(flags: list[int]) -> pa.Table:
    return pa.table({"date": days(len(flags)), "breach": flags})


KUPIEC_1995 = {
    (0.99, 255): (1, 6),
    (0.99, 510): (2, 10),
    (0.99, 1000): (5, 16),
    (0.975, 510): (7, 20),
    (0.95, 255): (7, 20),
    (0.95, 510): (17, 35),
    (0.95, 1000): (38, 64),
}
"""Numbers of breaches at which Kupiec's printed table does not reject, by level and days, at 5 % significance.

For 255 days at 99 % it prints "N < 7" alone: no breach at all has a statistic of 5.13, which its own formula rejects.
"""


@pytest.mark.parametrize(("asked", "kept"), KUPIEC_1995.items())
def test_kupiecs_table_of_what_is_not_rejected(asked: tuple[float, int], kept: tuple[int, int]) -> None:
    level, count = asked
    found = [
        x
        for x in range(90)
        if not Kupiec(level=level).compute(breaches([1] * x + [0] * (count - x))).to_pylist()[0]["rejected"]
    ]
    assert (min(found), max(found)) == kept


def test_the_zones_of_basel_for_250_days() -> None:
    zones = [Kupiec().compute(breaches([1] * x + [0] * (250 - x))).to_pylist()[0]["zone"] for x in range(12)]
    assert zones == ["green"] * 5 + ["yellow"] * 5 + ["red"] * 2


@given(x=st.integers(0, 40), count=st.integers(41, 500), level=st.floats(0.9, 0.995))
@settings(max_examples=40, deadline=None)
def test_the_coverage_statistic_is_twice_the_difference_of_log_likelihoods(x: int, count: int, level: float) -> None:
    found = Kupiec(level=level).compute(breaches([1] * x + [0] * (count - x))).to_pylist()[0]
    ratio = 2 * (stats.binom.logpmf(x, count, x / count) - stats.binom.logpmf(x, count, 1 - level))
    assert found["lr"] == pytest.approx(ratio, abs=1e-7)
    assert found["p_value"] == pytest.approx(stats.chi2.sf(max(ratio, 0), 1), abs=1e-6)


@given(seed=st.integers(0, 10**6), p=st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_christoffersens_statistics_from_counted_pairs(seed: int, p: float) -> None:
    flags = (np.random.default_rng(seed).random(200) < p).astype(int).tolist()
    found = Christoffersen(level=0.9).compute(breaches(flags)).to_pylist()[0]
    n = {pair: sum(1 for a, b in pairwise(flags) if (a, b) == pair) for pair in [(0, 0), (0, 1), (1, 0), (1, 1)]}

    def log_likelihood(hits: int, misses: int, rate: float) -> float:
        return (hits * np.log(rate) if hits else 0.0) + (misses * np.log(1 - rate) if misses else 0.0)

    apart = 0.0
    for state in (0, 1):
        hits, misses = n[state, 1], n[state, 0]
        apart += log_likelihood(hits, misses, hits / max(hits + misses, 1))
    hits, misses = n[0, 1] + n[1, 1], n[0, 0] + n[1, 0]
    expected = 2 * (apart - log_likelihood(hits, misses, hits / 199))
    assert found["lr_independence"] == pytest.approx(max(expected, 0), abs=1e-8)
    assert found["lr_conditional"] == found["lr_unconditional"] + found["lr_independence"]
    assert found["p_conditional"] == pytest.approx(stats.chi2.sf(found["lr_conditional"], 2))


def test_clustered_breaches_are_rejected_where_scattered_ones_are_not() -> None:
    scattered = [1 if i % 20 == 10 else 0 for i in range(400)]
    clustered = [1 if 100 <= i < 120 else 0 for i in range(400)]
    tested = [Christoffersen(level=0.95).compute(breaches(flags)).to_pylist()[0] for flags in (scattered, clustered)]
    assert [row["rejected"] for row in tested] == [False, True]
    assert tested[0]["p_unconditional"] == tested[1]["p_unconditional"]
    assert tested[1]["p_independence"] < 1e-10


def test_a_true_model_passes_as_often_as_it_should() -> None:
    r = np.random.default_rng(5)
    rejected = [
        Kupiec(level=0.95).compute(breaches((r.random(1_000) < 0.05).astype(int).tolist()))["rejected"][0].as_py()
        for _ in range(400)
    ]
    assert 0.02 < np.mean(rejected) < 0.09


# ---- systemic shortfall


def test_srisk_1_shortfall_and_long_run_loss() -> None:
    table = pa.table({"id": ["a", "b"], "debt": [900.0, 100.0], "equity": [100.0, 100.0], "lrmes": [0.4, 0.4]})
    found = Srisk().compute(table).to_pylist()
    assert [row["srisk"] for row in found] == pytest.approx([16.8, -47.2, 16.8])
    assert [row["share"] for row in found] == pytest.approx([1, 0, 1])
    assert from_mes(0.03) == pytest.approx(0.417252, abs=5e-7)
    assert from_beta(1.0, 0.4) == pytest.approx(0.4)


def firms(seed: int = 0, count: int = 500) -> pa.Table:
    r = np.random.default_rng(seed)
    market = r.normal(0, 0.01, count)
    own = {"a": 1.5 * market + r.normal(0, 0.005, count), "b": r.normal(0, 0.01, count)}
    return pa.concat_tables(
        pa.table({"id": [id] * count, "date": days(count), "return": x, "market": market, "system": market})
        for id, x in own.items()
    )


def test_marginal_shortfall_is_the_mean_over_the_worst_days() -> None:
    table = firms()
    found = {row["id"]: row for row in Mes().compute(table).to_pylist()}
    frame = table.to_pandas()
    for id, own in frame.groupby("id"):
        worst = own.nsmallest(25, "market")
        assert found[id]["mes"] == pytest.approx(-worst["return"].mean(), rel=1e-12)
        assert found[id]["worst_days"] == 25
    beta = {row["id"]: row["beta"] for row in Lrmes(method="beta").compute(table).to_pylist()}
    assert beta["a"] == pytest.approx(
        stats.linregress(*(frame[frame["id"] == "a"][c] for c in ("market", "return"))).slope
    )
    by_mes = Lrmes().compute(table).to_pylist()
    assert by_mes[0]["lrmes"] == pytest.approx(1 - np.exp(-18 * found["a"]["mes"]))


def test_covar_of_normal_returns_is_the_closed_form() -> None:
    table = firms()
    frame = table.to_pandas()
    for row in Covar().compute(table).to_pylist():
        own = frame[frame["id"] == row["id"]]
        rho, spread = own["return"].corr(own["system"]), own["system"].std()
        assert row["delta_covar"] == pytest.approx(-stats.norm.ppf(0.05) * rho * spread, rel=1e-10)
    many = firms(seed=3, count=4_000)
    normal, regressed = (Covar(method=m).compute(many).to_pylist() for m in ("gaussian", "quantile"))
    assert regressed[0]["delta_covar"] == pytest.approx(normal[0]["delta_covar"], rel=0.1)
    assert regressed[0]["covar"] == pytest.approx(normal[0]["covar"], rel=0.1)


@given(seed=st.integers(0, 10**6), q=st.sampled_from([0.05, 0.1, 0.5, 0.75]))
@settings(max_examples=20, deadline=None)
def test_no_line_through_two_days_beats_the_quantile_regression(seed: int, q: float) -> None:
    r = np.random.default_rng(seed)
    x, y = r.normal(0, 0.02, 25), r.normal(0, 0.02, 25)

    def cost(level: float, slope: float) -> float:
        off = y - level - slope * x
        return float(np.sum(np.where(off > 0, q * off, (q - 1) * off)))

    best = np.inf
    for i, j in combinations(range(25), 2):  # some best line goes through two of the days
        slope = (y[j] - y[i]) / (x[j] - x[i])
        best = min(best, cost(y[i] - slope * x[i], slope))
    assert cost(*quantile_line(x, y, q)) == pytest.approx(best, rel=1e-9)


# ---- look-through


def book(rows: list[tuple[str, str, float]], **more: Any) -> pa.Table:
    holder, asset, amount = zip(*rows, strict=True)
    return pa.table({"holder": holder, "asset": asset, "amount": amount, **more})


def test_exposures_through_funds_add_up_to_what_is_held() -> None:
    rows = [("me", "F", 60.0), ("me", "X", 40.0), ("F", "X", 30.0), ("F", "G", 70.0), ("G", "Y", 5.0), ("G", "Z", 15.0)]
    groups = ["F", "x", "x", "G", "y", "x"]
    found = {row["group"]: row for row in LookThrough().compute(book(rows, group=groups)).to_pylist()}
    assert found["x"]["amount"] == pytest.approx(40 + 18 + 42 * 0.75)
    assert found["y"]["amount"] == pytest.approx(10.5)
    assert (found["x"]["direct"], found["x"]["share"]) == (40, pytest.approx(0.895))
    assert sum(row["amount"] for row in found.values()) == pytest.approx(100)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_funds_that_hold_each_other_are_the_sum_over_all_ways(seed: int) -> None:
    r = np.random.default_rng(seed)
    funds, assets = ["F0", "F1", "F2", "F3"], ["A", "B", "C"]
    w = r.exponential(1, (4, 7)) * (r.random((4, 7)) < 0.6)
    w[:, 4:] += 0.05  # every fund holds something real
    np.fill_diagonal(w[:, :4], 0)
    rows = [("me", fund, 10.0 * (i + 1)) for i, fund in enumerate(funds)]
    rows += [(funds[i], [*funds, *assets][j], w[i, j]) for i in range(4) for j in range(7) if w[i, j] > 0]
    part = w / w.sum(axis=1, keepdims=True)
    reached, expected = np.array([10.0, 20, 30, 40]), np.zeros(3)
    for _ in range(3_000):  # money handed on step by step
        expected, reached = expected + reached @ part[:, 4:], reached @ part[:, :4]
    found = {row["group"]: row["amount"] for row in LookThrough(holder="me").compute(book(rows)).to_pylist()}
    assert [found[name] for name in assets] == pytest.approx(expected.tolist(), rel=1e-8)


def test_what_a_fund_does_not_tell_stays_unknown() -> None:
    rows = [("me", "F", 50.0), ("F", "X", 30.0)]
    found = LookThrough().compute(book(rows, fund_size=[50.0, 40.0])).to_pylist()
    assert {row["group"]: row["amount"] for row in found} == {
        "X": pytest.approx(37.5),
        "unknown of F": pytest.approx(12.5),
    }
    with pytest.raises(MeasureError, match="fund_size of F"):
        LookThrough().compute(book(rows, fund_size=[50.0, 20.0]))


def test_funds_that_hold_only_each_other_are_named() -> None:
    rows = [("me", "F", 50.0), ("F", "G", 30.0), ("G", "F", 30.0)]
    with pytest.raises(MeasureError, match="F, G hold nothing but each other"):
        LookThrough().compute(book(rows))
    with pytest.raises(MeasureError, match="holds nothing here"):
        LookThrough(holder="you").compute(book(rows))
