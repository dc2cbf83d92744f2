"""Heat diffusion equals the dense exponential, loses nothing and keeps what cannot flow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.linalg import expm

from kg.errors import MeasureError
from queries.exposures import Exposures
from queries.measures.heat import Heat, diffuse
from queries.measures.pagerank import PageRank
from queries.scenario import Shocks


def walk(seed: int, n: int = 12) -> np.ndarray:
    """A random walk by columns; some have nowhere to go."""
    r = np.random.default_rng(seed)
    weights = r.random((n, n)) * (r.random((n, n)) < 0.3) * (r.random(n) < 0.9)
    np.fill_diagonal(weights, 0)
    total = weights.sum(axis=0)
    return np.asarray(weights / np.where(total > 0, total, 1))


@pytest.mark.parametrize("time", [0.0, 0.1, 1.0, 5.0, 16.0, 40.0])
def test_heat_is_the_dense_exponential(time: float) -> None:
    for seed in range(20):
        columns = walk(seed)
        whole = columns + np.diag((columns.sum(axis=0) <= 0).astype(float))
        start = np.random.default_rng(seed).random((3, 12))
        found, _, _ = diffuse(sparse.csr_array(columns), start, time)
        np.testing.assert_allclose(found.T, expm(-time * (np.eye(12) - whole)) @ start.T, rtol=1e-12, atol=1e-13)


def test_no_heat_is_lost_and_none_is_negative_on_1000_networks() -> None:
    for seed in range(1000):
        start = np.random.default_rng(seed).random((1, 8)) * (np.arange(8) < 2)
        found, moved, _ = diffuse(sparse.csr_array(walk(seed, 8)), start, 0.5 + seed % 7)
        assert found.min() >= 0 and moved.min() >= 0
        assert found.sum() == pytest.approx(start.sum(), rel=1e-13)


def test_after_one_step_of_time_on_a_chain_steps_are_poisson() -> None:
    x = Exposures.of([[0, 0, 0], [5, 0, 0], [0, 7, 0]], [1, 1, 1])  # 1 lent to 0, 2 lent to 1
    losses = Heat(time=2.0).spread(x, Shocks.parse(x, "bank:0"))
    stay, once = np.exp(-2), 2 * np.exp(-2)
    np.testing.assert_allclose(losses.loss[0], [stay, once, 1 - stay - once], rtol=1e-13)
    np.testing.assert_allclose(losses.direct[0, 0], stay, rtol=1e-13)
    assert losses.unit == "score"


def test_without_time_nothing_flows_and_after_long_it_is_the_resting_state() -> None:
    x = Exposures.of([[0, 1, 1], [1, 0, 0], [3, 1, 0]], [1, 1, 1])
    shocks = Shocks.parse(x, {"bank:0": 0.6})
    np.testing.assert_array_equal(Heat(time=0).spread(x, shocks).loss, shocks.distress)
    columns = x.claims.toarray() / x.owed
    rest = np.linalg.lstsq(np.vstack([columns - np.eye(3), np.ones(3)]), [0, 0, 0, 0.6], rcond=None)[0]
    np.testing.assert_allclose(Heat(time=300).spread(x, shocks).loss[0], rest, rtol=1e-11)


def test_bad_times_and_weights_are_refused() -> None:
    x = Exposures.of([[0, 1], [0, 0]], [1, 1])
    for time in (-1.0, float("nan"), 1e9):
        with pytest.raises(MeasureError, match="time of a diffusion"):
            Heat(time=time).spread(x, Shocks.each(x))
    with pytest.raises(MeasureError, match="at least 0"):
        diffuse(sparse.csr_array(np.array([[0, -1.0], [0, 0]])), np.ones((1, 2)), 1.0)


# ---- personalised PageRank beside it: the policy for who has no creditors is named


@pytest.mark.parametrize(
    ("dangling", "scores"), [("stay", [0.15, 0.1275, 0.7225]), ("restart", None), ("uniform", None)]
)
def test_pagerank_of_a_chain_under_each_named_policy(dangling: str, scores: list[float] | None) -> None:
    x = Exposures.of([[0, 0, 0], [5, 0, 0], [0, 7, 0]], [1, 1, 1])
    losses = PageRank(dangling=dangling).spread(x, Shocks.parse(x, "bank:0"))  # type: ignore[arg-type]  # a policy
    last = {"stay": [0, 0, 1], "restart": [1, 0, 0], "uniform": [1 / 3] * 3}[dangling]
    step = np.column_stack([[0, 1, 0], [0, 0, 1], last])
    solved = np.linalg.solve(np.eye(3) - 0.85 * step, 0.15 * np.array([1, 0, 0]))
    np.testing.assert_allclose(losses.loss[0], solved, rtol=1e-12)
    if scores:
        np.testing.assert_allclose(solved, scores, rtol=1e-12)
