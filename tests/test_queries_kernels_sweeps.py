"""Sweeps have the bits of plain sums in the stated order, for any workers and any block, in the stated bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from kg.errors import MeasureError
from queries.kernels.block import WIDTHS, pull_block, sweep_many
from queries.kernels.rows import AHEAD, LONG, Rows
from queries.kernels.sweep import pull, sweep

Edges = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
SIZES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def drawn(seed: int, nodes: int = 300, edges: int = 6_000) -> Edges:
    """Parallel edges, empty rows, and hubs far longer than LONG."""
    r = np.random.default_rng(seed)
    rows = (nodes * r.random(edges) ** 3).astype(int)
    return r.permutation(nodes)[rows], r.integers(0, nodes, edges), r.exponential(10, edges)


def summed(edges: Edges, base: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
    """The oracle: one number after another; four interleaved sums where a row stands alone."""
    out, kind = base.copy(), x.dtype.type
    for row in range(len(base)):
        mine = np.flatnonzero(edges[0] == row)
        terms = edges[2][mine].astype(kind) * x[edges[1][mine]]
        lanes = [terms[lane::4] for lane in range(4)] if len(terms) > LONG else [terms]
        sums = [np.add.accumulate(np.append(kind(0), lane), dtype=kind)[-1] for lane in lanes]
        out[row] = base[row] + (sums[0] if len(sums) == 1 else (sums[0] + sums[1]) + (sums[2] + sums[3]))
    return out


@SIZES
@pytest.mark.parametrize("seed", range(5))
def test_a_sweep_has_the_bits_of_a_plain_sum_for_any_number_of_workers(seed: int, dtype: type) -> None:
    edges, r = drawn(seed), np.random.default_rng(seed)
    rows = Rows.of(*edges, 300, dtype)
    x, base = (r.random(300).astype(dtype) for _ in range(2))
    assert len(rows.starts) > 5
    for workers in (1, 2, 3, 7):
        np.testing.assert_array_equal(sweep(rows, x, base, workers), summed(edges, base, x))


@SIZES
@pytest.mark.parametrize("width", WIDTHS)
def test_scenarios_in_blocks_have_the_bits_of_each_alone(width: int, dtype: type) -> None:
    edges, r = drawn(3), np.random.default_rng(3)
    rows = Rows.of(*edges, 300, dtype)
    x, base = (r.random((150, 300)).astype(dtype) for _ in range(2))
    for workers in (1, 2, 5):
        found = sweep_many(rows, x, base, width, workers)
        alone = np.array([sweep(rows, one, other) for one, other in zip(x, base, strict=True)])
        np.testing.assert_array_equal(found, alone)


def test_a_block_may_be_summed_into_its_own_base() -> None:
    rows, r = Rows.of(*drawn(1), 300), np.random.default_rng(1)
    x, base = (rows.placed(r.random((300, 16))) for _ in range(2))
    apart = pull_block(rows, base, x, np.empty_like(base))
    np.testing.assert_array_equal(pull_block(rows, base, x, base), apart)


@given(st.integers(0, 10**6), st.integers(1, 80), st.integers(0, 400))
@settings(max_examples=100, deadline=None)
def test_both_directions_agree_with_a_sparse_matrix(seed: int, nodes: int, edges: int) -> None:
    given_edges = drawn(seed, nodes, edges)
    matrix = sparse.coo_array((given_edges[2], given_edges[:2]), shape=(nodes, nodes)).tocsr()
    rows, x = Rows.of(*given_edges, nodes), np.random.default_rng(seed).random(nodes)
    np.testing.assert_allclose(sweep(rows, x), matrix @ x, rtol=1e-12)
    np.testing.assert_allclose(sweep(rows.turned, x, workers=2), matrix.T @ x, rtol=1e-12)


@SIZES
def test_a_network_takes_its_bytes_and_no_more(dtype: type) -> None:
    """An edge is 4 bytes of index and its amount; the other way is 4 of index and 4 that say where the amount is."""
    nodes, edges = 20_000, 200_000
    rows = Rows.of(*drawn(7, nodes, edges), nodes, dtype)
    padded, size = len(rows.amount) - 1, np.dtype(dtype).itemsize
    layout = 4 * nodes + 8 * len(rows.starts) + 8 * len(rows.slices)
    assert rows.nbytes == (4 + size) * padded + 4 * AHEAD + size + layout
    assert padded < 1.005 * edges
    assert len(rows.slices) <= nodes // 4 + 2
    back = rows.turned
    assert back.amount is rows.amount
    assert back.where is not None
    assert rows.nbytes <= {4: 8.7, 8: 12.7}[size] * edges
    assert rows.nbytes + back.nbytes <= {4: 17.4, 8: 21.4}[size] * edges
    at_edges = (4 + size) * padded + (4 + 4) * len(back.where)
    assert at_edges <= {4: 16.1, 8: 20.1}[size] * edges


def test_a_network_of_nobody_and_one_of_no_edges_sum_to_their_base() -> None:
    none = np.zeros(0, int)
    assert sweep(Rows.of(none, none, none, 0), np.zeros(0)).shape == (0,)
    empty = Rows.of(none, none, none, 3)
    np.testing.assert_array_equal(sweep(empty, np.ones(3), np.arange(3.0), workers=4), np.arange(3.0))
    np.testing.assert_array_equal(sweep(empty.turned, np.ones(3), np.arange(3.0)), np.arange(3.0))


def test_an_edge_to_nobody_is_refused() -> None:
    with pytest.raises(MeasureError, match="outside the 3 nodes"):
        Rows.of(np.array([0]), np.array([3]), np.array([1.0]), 3)


def test_vectors_of_workers_cover_every_place_once() -> None:
    rows = Rows.of(*drawn(2), 300)
    for workers in (1, 2, 5, 64):
        parts = rows.stretches(workers)
        longs = [i for a, b, _, _ in parts for i in range(a, b)]
        slices = [s for *_, a, b in parts for s in range(a, b)]
        assert (longs, slices) == (list(range(len(rows.starts) - 1)), list(range(len(rows.slices) - 1)))


def test_a_sweep_into_a_given_vector_leaves_what_it_reads() -> None:
    rows = Rows.of(*drawn(4), 300)
    x = rows.placed(np.random.default_rng(4).random(300))
    before = x.copy()
    out = np.empty_like(x)
    assert pull(rows, np.zeros_like(x), x, out) is out
    np.testing.assert_array_equal(x, before)
