"""Bytes an edge takes, one way and both, and what building takes beside scipy."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from benchmarks.exposed import interleaved, network
from benchmarks.figure import Figure
from queries.kernels.rows import Rows

EDGES = 1_000_000


def measure() -> list[Figure]:
    matrix = network(EDGES, np.float64)
    ends = sparse.coo_array(matrix)
    i, j = ends.coords
    took = interleaved(
        {
            "ours": lambda: Rows.of(i, j, ends.data, len(matrix.indptr) - 1),
            "scipy": lambda: sparse.csr_array((ends.data, (i, j)), shape=matrix.shape),
        }
    )
    figures = []
    for dtype in (np.float32, np.float64):
        rows = Rows.of_matrix(matrix, dtype)
        both = rows.nbytes + rows.turned.nbytes
        name, node = np.dtype(dtype).name, 4 * len(rows.order) + 8 * (len(rows.slices) + len(rows.starts))
        figures += [
            Figure(f"{name}: bytes an edge, one way", (rows.nbytes - node) / matrix.nnz, 12.01, least=False),
            Figure(f"{name}: bytes an edge, both ways", (both - 2 * node) / matrix.nnz, 20.02, least=False),
            Figure(f"{name}: bytes an edge, one way, with what a node takes", rows.nbytes / matrix.nnz),
            Figure(f"{name}: bytes an edge, both ways, with what a node takes", both / matrix.nnz),
        ]
    note = f"{took['ours'] * 1e3:.1f} ms and {took['scipy'] * 1e3:.1f} ms from edge arrays"
    return [*figures, Figure("building, times scipy's CSR", took["scipy"] / took["ours"], note=note)]
