"""Back-tests of a value at risk: printed tables, statistics from counts, and power."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kgrisk import figures
from queries.figure import notes
from queries.figures.christoffersen import Christoffersen
from queries.figures.kupiec import Kupiec
from queries.figures.var_es import VarEs
from queries.market.returns import Returns

START = np.datetime64("2020-01-01T00:00:00.000000")
DAY = np.timedelta64(1, "D")


def days(count: int) -> np.ndarray:
    return START + np.arange(count) * DAY


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


def certified(table: pa.Table, **params: Any) -> str:
    told = notes(VarEs(rolling=True, window=60, **params).compute(table))
    (remark,) = [remark for remark in told if "No-peek" in remark]
    return remark


@pytest.mark.parametrize("params", [{}, {"method": "filtered"}, {"method": "monte_carlo", "draws": 200}])
def test_a_rolling_forecast_carries_the_proof_that_nothing_later_was_read(params: dict[str, Any]) -> None:
    table = pa.table({"date": START + np.arange(200) * DAY, "return": np.random.default_rng(1).normal(0, 0.01, 200)})
    assert "stayed the same to the last bit" in certified(table, **params)


def test_a_forecast_that_sees_five_days_ahead_is_refused_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Returns.known
    monkeypatch.setattr(Returns, "settled", False)
    monkeypatch.setattr(Returns, "known", lambda self, cut, past: honest(self, cut + 5 * DAY, False))
    table = pa.table({"date": START + np.arange(200) * DAY, "return": np.random.default_rng(1).normal(0, 0.01, 200)})
    assert "REFUSED" in certified(table)


def test_a_back_test_tells_the_proof_of_the_forecasts_it_judges(tmp_path: Path) -> None:
    table = pa.table({"date": START + np.arange(200) * DAY, "return": np.random.default_rng(1).normal(0, 0.01, 200)})
    figures.write(VarEs(rolling=True, window=60).compute(table), tmp_path / "days.parquet")
    assert any("No-peek" in remark for remark in figures.of_table("kupiec", tmp_path / "days.parquet").remarks)


@pytest.mark.parametrize("figure", ["kupiec", "christoffersen"])
def test_breaches_that_are_forged_after_the_proof_was_given_have_none(figure: str, tmp_path: Path) -> None:
    table = pa.table({"date": START + np.arange(200) * DAY, "return": np.random.default_rng(1).normal(0, 0.01, 200)})
    honest = VarEs(rolling=True, window=60).compute(table)
    place = honest.column_names.index("breach")
    forged = honest.set_column(place, "breach", pa.array([not one for one in honest["breach"].to_pylist()]))
    for bad in (
        forged,
        honest.slice(1),
        honest.select(["date", "breach"]),
        pa.concat_tables([honest.slice(1), forged[:1]]),
    ):
        figures.write(bad, tmp_path / "forged.parquet")
        remarks = figures.of_table(figure, tmp_path / "forged.parquet").remarks
        assert [remark for remark in remarks if "No-peek certificate WITHHELD" in remark], remarks
        assert not any("stayed the same" in remark for remark in remarks)
    kept = figures.of_table(figure, honest.sort_by([("return", "ascending")])).remarks
    assert any("stayed the same to the last bit" in remark for remark in kept), "the order of the rows is no matter"


def test_a_back_test_of_a_csv_file_says_that_it_has_no_proof(tmp_path: Path) -> None:
    table = pa.table({"date": START + np.arange(200) * DAY, "return": np.random.default_rng(1).normal(0, 0.01, 200)})
    figures.write(VarEs(rolling=True, window=60).compute(table), tmp_path / "days.csv")
    remarks = figures.of_table("kupiec", tmp_path / "days.csv").remarks
    assert any(remark.startswith("no no-peek certificate comes with this table") for remark in remarks)
    assert not any("certificate" in remark for remark in figures.of_table("var_es", table).remarks)
