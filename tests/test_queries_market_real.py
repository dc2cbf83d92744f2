"""Value at risk back-tested on real closes: 84 shares of 2012 to 2017, in equal parts (stocknet-dataset, MIT)."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from queries.figures.christoffersen import Christoffersen
from queries.figures.covar import Covar
from queries.figures.kupiec import Kupiec
from queries.figures.lrmes import Lrmes
from queries.figures.var_es import VarEs
from queries.market.returns import with_returns

pytestmark = [pytest.mark.real, pytest.mark.slow]
WAYS: dict[str, dict[str, Any]] = {
    "historical": {"method": "historical"},
    "parametric, normal": {"method": "parametric"},
    "parametric, t": {"method": "parametric", "distribution": "t"},
    "Monte-Carlo, normal": {"method": "monte_carlo", "draws": 5_000},
    "filtered, EWMA": {"method": "filtered"},
    "filtered, GARCH": {"method": "filtered", "volatility": "garch"},
}
LONG = 1_257
"""Closes that a share must have: those listed throughout."""
BANKS = ("BAC", "C", "HSBC", "JPM", "WFC")


@pytest.fixture(scope="module")
def closes(real_data: Path) -> pa.Table:
    """series, date, close: adjusted closes; the three rows that the source left empty are out."""
    parts = []
    for path in sorted((real_data / "stocknet" / "price-raw").glob("*.csv")):
        with path.open(newline="") as file:
            rows = [(row["Date"], row["Adj Close"]) for row in csv.DictReader(file) if row["Adj Close"] != "null"]
        if len(rows) >= LONG:
            days, prices = zip(*rows, strict=True)
            parts.append(
                pa.table({"series": [path.stem] * len(rows), "date": days, "close": [float(p) for p in prices]})
            )
    assert len(parts) == 84
    return pa.concat_tables(parts)


@pytest.fixture(scope="module")
def tested(closes: pa.Table) -> dict[tuple[str, float], dict[str, Any]]:
    """Breaches and tests of every way at two levels; printed as the table of docs/risk/market.md."""
    found = {}
    for level in (0.99, 0.95):
        for name, way in WAYS.items():
            days = VarEs(level=level, rolling=True, **way).compute(closes)
            row = {**Kupiec(level=level).compute(days).to_pylist()[0]}
            row |= Christoffersen(level=level).compute(days).to_pylist()[0]
            worst = [float(r["return"]) + float(r["es"]) for r in days.to_pylist() if r["breach"]]
            row["beyond"] = -float(np.mean(worst))  # how far losses beyond VaR go beyond ES on average
            found[name, level] = row
            shown = [f"{row[p]:.3f}" for p in ("p_unconditional", "p_independence", "p_conditional")]
            print(
                f"| {name} | {level:.0%} | {row['breaches']} | {row['expected']:.1f} | {' | '.join(shown)} |",
                row["zone"],
            )
    return found


def test_a_thousand_days_are_forecast_each_from_the_250_before_it(tested: dict[tuple[str, float], Any]) -> None:
    assert {row["days"] for row in tested.values()} == {1_006}


@pytest.mark.parametrize("name", ["historical", "filtered, EWMA", "filtered, GARCH"])
@pytest.mark.parametrize("level", [0.99, 0.95])
def test_ways_without_a_bell_curve_keep_their_level(
    name: str, level: float, tested: dict[tuple[str, float], Any]
) -> None:
    assert tested[name, level]["p_unconditional"] > 0.05
    assert tested[name, level]["zone"] == "green"


def test_a_normal_tail_is_too_thin_for_shares(tested: dict[tuple[str, float], Any]) -> None:
    for name in ("parametric, normal", "Monte-Carlo, normal"):
        assert tested[name, 0.99]["p_unconditional"] < 0.01
        assert tested[name, 0.99]["breaches"] > 1.8 * tested[name, 0.99]["expected"]
    assert tested["parametric, normal", 0.95]["p_unconditional"] > 0.05


def test_forecasts_of_2015_do_not_know_2016(closes: pa.Table) -> None:
    early = closes.filter(pc.less(closes["date"], "2016-01-01"))
    whole, part = (
        VarEs(method="filtered", volatility="garch", rolling=True).compute(table).to_pylist()
        for table in (closes, early)
    )
    assert len(part) > 500
    assert whole[: len(part)] == part


def test_banks_lose_more_than_the_market_on_its_worst_days(closes: pa.Table) -> None:
    frame = with_returns(closes).to_pandas()
    wide = frame.pivot_table(index="date", columns="series", values="return").dropna()
    market = wide.mean(axis=1)
    rows = pa.concat_tables(
        pa.table(
            {"id": [id] * len(wide), "date": list(wide.index), "return": wide[id], "market": market, "system": market}
        )
        for id in BANKS
    )
    found = Lrmes().compute(rows).to_pylist()
    delta = {row["id"]: row["delta_covar"] for row in Covar(method="quantile").compute(rows).to_pylist()}
    for row in found:
        print(f"| {row['id']} | {row['mes']:.2%} | {row['lrmes']:.1%} | {delta[row['id']]:.2%} |")
        assert 0.005 < row["mes"] < 0.05
        assert 0 < delta[row["id"]] < 0.03
    assert np.mean([row["mes"] for row in found]) > -market[market <= market.quantile(0.05)].mean()
