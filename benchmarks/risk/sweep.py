"""One sweep over all edges on one core, beside scipy and torch, and as a share of what random reads allow."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.exposed import gathers, interleaved, network, torch_csr, vectors
from benchmarks.figure import Figure
from queries.kernels.rows import Rows
from queries.kernels.sweep import pull

AIMS = {1_000_000: 1.0, 10_000_000: 1.5}
"""Least ratio to scipy by number of edges."""
READS = 0.8
"""Aim: the share of the rate of random reads. It is more than 1 where hubs stay in the cache."""


def measure() -> list[Figure]:
    shapes = {"": False, ", debtors drawn evenly": True}
    return [
        figure
        for edges, aim in AIMS.items()
        for told, even in shapes.items()
        for figure in compared(edges, network(edges, np.float32, even), told, aim)
    ]


def compared(edges: int, matrix: Any, told: str, aim: float) -> list[Figure]:
    """One network: seconds of each engine for the same sweep, and how far their answers are apart."""
    import torch

    rows, tensor = Rows.of_matrix(matrix, np.float32), torch_csr(matrix)
    x, base, out = vectors(rows)
    given = rows.by_node(x)
    column = torch.from_numpy(given)
    took = interleaved(
        {
            "ours": lambda: pull(rows, base, x, out),
            "scipy": lambda: matrix @ given,
            "torch": lambda: tensor @ column,
            "reads": gathers(matrix.nnz, rows.nodes),
        },
        times=20 if edges <= 1_000_000 else 4,
    )
    exact = matrix.astype(np.float64) @ given.astype(np.float64)
    error = float(np.abs(rows.by_node(out)[exact > 0] / exact[exact > 0] - 1).max())
    name, speed = f"{edges // 1_000_000} M edges{told}", {k: matrix.nnz / t / 1e6 for k, t in took.items()}
    rates = ", ".join(f"{engine} {rate:.0f}" for engine, rate in speed.items())
    return [
        Figure(f"{name}: sweep, times scipy CSR", took["scipy"] / took["ours"], aim, note=f"M edges/s: {rates}"),
        Figure(f"{name}: sweep, times torch CSR", took["torch"] / took["ours"], 1.0),
        Figure(f"{name}: share of the rate of random reads", took["reads"] / took["ours"], READS),
        Figure(f"{name}: largest relative error, float32", error, 1e-4, least=False),
    ]
