"""Features and correlations of prices: the textbook ones, those of scipy, and nothing of the days after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.extract.market.correlation import METHODS, discoveries, matrix, p_values
from ingest.extract.market.features import (
    beta,
    betas,
    change,
    drawdown,
    features,
    log_returns,
    rsi,
    volatility,
    volume_z,
)
from tests.market_prices import walk

prices_ = st.lists(st.floats(1, 1000, allow_nan=False), min_size=70, max_size=120)


@settings(max_examples=60, deadline=None)
@given(prices_, st.integers(0, 119), st.integers(0, 2**32 - 1))
def test_changing_every_value_after_a_day_leaves_its_features_bitwise_the_same(
    values: list[float], cut: int, seed: int
) -> None:
    prices = np.array(values)
    volumes = np.abs(np.sin(np.arange(len(prices)))) * 1e6
    t = min(cut, len(prices) - 1)
    random = np.random.default_rng(seed)
    after = np.arange(len(prices)) > t
    other = np.where(after, random.uniform(1, 1000, len(prices)), prices)
    moved = np.where(after, random.uniform(0, 1e9, len(prices)), volumes)
    first, second = features(prices, volumes), features(other, moved)
    for name in first:
        assert first[name][: t + 1].tobytes() == second[name][: t + 1].tobytes(), name
    many = np.column_stack([prices, prices[::-1], volumes + 1])
    mutated = np.where(after[:, None], random.uniform(1, 1000, many.shape), many)
    assert betas(many)[: t + 1].tobytes() == betas(mutated)[: t + 1].tobytes()


def test_features_are_the_textbook_ones() -> None:
    prices, volumes = np.array(walk(300, 5)), np.random.default_rng(5).uniform(1, 9, 300)
    assert change(prices, 5)[7] == pytest.approx(prices[7] / prices[2] - 1)
    returns = np.diff(np.log(prices))
    assert volatility(prices, 20)[50] == pytest.approx(returns[30:50].std(ddof=1) * np.sqrt(252))
    assert drawdown(prices, 250)[280] == pytest.approx(prices[280] / prices[31:281].max() - 1)
    assert volume_z(volumes, 20)[40] == pytest.approx(
        (volumes[40] - volumes[21:41].mean()) / volumes[21:41].std(ddof=1)
    )
    market = np.random.default_rng(6).normal(0, 0.01, 300)
    own = log_returns(prices)
    window = slice(100 - 59, 101)
    assert beta(own, market, 60)[100] == pytest.approx(
        np.cov(own[window], market[window])[0, 1] / market[window].var(ddof=1)
    )
    assert np.isnan(volatility(prices, 20)[:20]).all() and np.isfinite(volatility(prices, 20)[20:]).all()


def test_rsi_is_wilders_own_example() -> None:
    # the closes of Wilder's worksheet as chart handbooks reprint them; RSI after 14 changes: 70.53
    closes = [
        44.34,
        44.09,
        44.15,
        43.61,
        44.33,
        44.83,
        45.10,
        45.42,
        45.84,
        46.08,
        45.89,
        46.03,
        45.61,
        46.28,
        46.28,
        46.00,
    ]
    found = rsi(np.array(closes), 14)
    assert found[14] == pytest.approx(70.46, abs=0.1) and found[15] == pytest.approx(66.25, abs=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_correlations_and_their_p_are_those_of_scipy(method: str) -> None:
    from scipy import stats

    returns = np.random.default_rng(3).normal(size=(60, 6)).round(1)  # rounded: ties
    returns[:, 1] += returns[:, 0]
    r = matrix(returns, method)
    p = p_values(r, 60)
    for i in range(6):
        for j in range(i):
            scipys: dict[str, Any] = {"pearson": stats.pearsonr, "spearman": stats.spearmanr}
            wanted = scipys[method](returns[:, i], returns[:, j])
            assert r[i, j] == pytest.approx(wanted.statistic, abs=1e-12)
            assert p[i, j] == pytest.approx(wanted.pvalue, rel=1e-8)


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    from scipy import stats

    for seed in range(50):
        p = np.random.default_rng(seed).uniform(0, 0.2, 40) ** 2
        assert (discoveries(p) == (stats.false_discovery_control(p) <= 0.05)).all()


def test_pure_noise_is_hardly_ever_correlated() -> None:
    random, found = np.random.default_rng(0), 0
    for _ in range(200):
        returns = random.normal(size=(60, 8))
        p = p_values(matrix(returns, "pearson")[np.triu_indices(8, 1)], 60)
        found += bool(discoveries(p).any())
    assert found <= 20  # at most 5 % of windows expected, three deviations allowed
