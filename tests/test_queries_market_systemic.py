"""Systemic shortfall and look-through, against oracles written apart."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kg.errors import MeasureError
from queries.figures.covar import Covar, quantile_line
from queries.figures.look_through import LookThrough
from queries.figures.lrmes import Lrmes, from_beta, from_mes
from queries.figures.mes import Mes
from queries.figures.srisk import Srisk

START = np.datetime64("2020-01-01T00:00:00.000000")
DAY = np.timedelta64(1, "D")


def days(count: int) -> np.ndarray:
    return START + np.arange(count) * DAY


def test_srisk_1_shortfall_and_long_run_loss() -> None:
    """SRISK-1: 16.8, and LRMES of an MES of 3 %."""
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
