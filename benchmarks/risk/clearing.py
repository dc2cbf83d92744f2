"""Eisenberg-Noe at a million edges: sweeps needed, and what they cost in products of scipy's sparse matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.exposed import interleaved, system
from benchmarks.figure import Figure
from queries.kernels.fixed import greatest
from queries.kernels.rows import Rows

EDGES, SETTLED = 1_000_000, 1e-10
WEALTH = {0.3: None, 0.05: None, 0.015: 2.0}
"""Outside assets over debts, and by how much sweeps shall be fewer: most default in the last."""


def plain(claims: Any, base: NDArray[Any], gain: NDArray[Any], settled: float = SETTLED) -> tuple[NDArray[Any], int]:
    """All rows at once from full payment, until the largest change is `settled`."""
    x, sweeps = np.ones(len(base)), 0
    while True:
        new = np.minimum(1.0, base + gain * (claims @ x))
        moved, x, sweeps = np.abs(new - x).max(), new, sweeps + 1
        if moved <= settled:
            return x, sweeps


def measure() -> list[Figure]:
    return [figure for wealth, aim in WEALTH.items() for figure in cleared(wealth, aim)]


def cleared(wealth: float, aim: float | None) -> list[Figure]:
    claims, means, debts = system(EDGES, wealth)
    gain = np.divide(1.0, debts, out=np.zeros_like(debts), where=debts > 0)
    base = np.where(debts > 0, means * gain, 1.0)
    rows = Rows.of_matrix(claims)
    found, (expected, sweeps) = greatest(rows, base, gain, settled=SETTLED), plain(claims, base, gain)
    exact, _ = plain(claims, base, gain, 1e-15)
    took = interleaved(
        {
            "ours": lambda: greatest(rows, base, gain, settled=SETTLED),
            "products": lambda: [claims @ expected for _ in range(20)],
            "plain": lambda: plain(claims, base, gain),
        },
        rounds=5,
    )
    name = f"{(exact < 1 - 1e-12).mean():.0%} default"
    note = f"{found.sweeps} sweeps for {sweeps}, {found.leaps} leaps; {took['ours'] * 1e3:.1f} ms"
    cost = took["ours"] / (found.sweeps * took["products"] / 20)
    return [
        Figure(f"{name}: cost over sweeps x one product of scipy", cost, 1.3, least=False, note=note),
        Figure(f"{name}: plain sweeps for one of ours", sweeps / found.sweeps, aim),
        Figure(f"{name}: times plain sweeps with scipy, in all", took["plain"] / took["ours"]),
        Figure(f"{name}: largest error of a share paid", float(np.abs(found.x - exact).max()), 1e-9, least=False),
    ]
