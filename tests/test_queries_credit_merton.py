"""Merton's model: Hull's example, both equations in forty digits, and the limits."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from kg.errors import MeasureError
from queries.figures.merton import Merton

normal = stats.norm


def firm(equity: float, volatility: float, debt: float) -> pa.Table:
    return pa.table({"id": ["f"], "equity": [equity], "equity_volatility": [volatility], "debt": [debt]})


def test_mer_1_is_hulls_example() -> None:
    """MER-1, to the digits given; the two equations are held to forty digits below."""
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
