"""Exposure networks to measure on, and peers timed in turn with us, so that a busy machine is busy for all of them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import sparse

from queries.kernels.rows import Rows

PER_NODE = 10
"""Edges of a node on average."""
SKEW = 0.7
"""Hubs: the k-th largest has k ** -SKEW times the edges of the largest."""


def network(edges: int, dtype: DTypeLike = np.float32, even: bool = False, seed: int = 1) -> Any:
    """A random scale-free matrix of claims; `even`: debtors are drawn alike, so that only creditors have hubs."""
    nodes, r = edges // PER_NODE, np.random.default_rng(seed)
    weight = np.cumsum(np.arange(1, nodes + 1) ** -SKEW)

    def hubs() -> NDArray[np.int64]:
        place = np.minimum(np.searchsorted(weight / weight[-1], r.random(edges)), nodes - 1)
        return r.permutation(nodes)[place]

    ends = (hubs(), r.integers(0, nodes, edges) if even else hubs())
    matrix = sparse.csr_array((r.exponential(10, edges).astype(dtype), ends), shape=(nodes, nodes))
    matrix.sum_duplicates()
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return matrix


def system(edges: int, wealth: float, seed: int = 3) -> tuple[Any, NDArray[Any], NDArray[Any]]:
    """Claims, outside assets and debts: the poorer (`wealth` as a share of mean debts), the more default."""
    claims, r = network(edges, np.float64, seed=seed), np.random.default_rng(seed)
    owed = np.asarray(claims.sum(axis=0)).reshape(-1)
    debts = owed * (1 + 0.05 * r.exponential(1, len(owed)))
    return claims, r.exponential(1, len(owed)) * wealth * debts.mean(), debts


def interleaved(runs: Mapping[str, Callable[[], Any]], rounds: int = 9, times: int = 1) -> dict[str, float]:
    """Median CPU seconds of each, taken in turn: A B C A B C, each `times` at a stretch; the first turn is not counted.

    A stretch finds its own data in the cache, as the sweeps of one solution do, and not those of its peers.
    """
    took: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            began = time.process_time()
            for _ in range(times):
                run()
            if turn:
                took[name].append((time.process_time() - began) / times)
    return {name: median(times) for name, times in took.items()}


def gathers(count: int, nodes: int) -> Callable[[], Any]:
    """As many reads of single float32 in random order as a sweep makes: what the memory allows."""
    from numba import njit

    @njit(nogil=True)
    def read(index: Any, x: Any) -> Any:
        a = b = c = d = np.float32(0)
        four, k, end = np.uint64(4), np.uint64(0), np.uint64(len(index)) // np.uint64(4) * np.uint64(4)
        while k < end:
            a += x[index[k]]
            b += x[index[k + np.uint64(1)]]
            c += x[index[k + np.uint64(2)]]
            d += x[index[k + np.uint64(3)]]
            k += four
        return (a + b) + (c + d)

    r = np.random.default_rng(0)
    index, x = r.integers(0, nodes, count).astype(np.uint32), r.random(nodes, dtype=np.float32)
    return lambda: read(index, x)


def torch_csr(matrix: Any) -> Any:
    """The matrix in torch, on one thread."""
    import torch

    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
    starts, columns, values = (torch.from_numpy(part) for part in (matrix.indptr, matrix.indices, matrix.data))
    return torch.sparse_csr_tensor(starts, columns, values, size=matrix.shape, check_invariants=True)


def vectors(rows: Rows, *widths: int, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """A random vector or block in places, a base of 0 and room for the answer."""
    x = rows.placed(np.random.default_rng(seed).random((rows.nodes, *widths)).astype(rows.amount.dtype))
    return x, np.zeros_like(x), np.empty_like(x)
