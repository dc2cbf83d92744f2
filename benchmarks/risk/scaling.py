"""How cost grows from 100,000 to 10 million edges, and its plot: docs/risk/scaling.png."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.exposed import interleaved, network, system, vectors
from benchmarks.figure import Figure
from queries.kernels.block import pull_block
from queries.kernels.fixed import greatest
from queries.kernels.rows import Rows
from queries.kernels.sweep import pull

SIZES = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
PLOT = Path(__file__).parents[2] / "docs" / "risk" / "scaling.png"
LINEAR = 1.1
"""Aim: the greatest exponent of growth that counts as linear."""
Curves = dict[str, dict[int, float]]


def measure() -> list[Figure]:
    curves: Curves = {}
    for edges in SIZES:
        for name, seconds in timed(edges).items():
            curves.setdefault(name, {})[edges] = seconds
    drawn(curves)
    return [grown(name, curve) for name, curve in curves.items()]


def timed(edges: int) -> dict[str, float]:
    """Seconds of everything at one size."""
    matrix = network(edges)
    rows = Rows.of_matrix(matrix, np.float32)
    vector, block = vectors(rows), vectors(rows, 16)
    claims, means, debts = system(edges, 0.05)
    gain = np.divide(1.0, debts, out=np.zeros_like(debts), where=debts > 0)
    base, double, given = np.where(debts > 0, means * gain, 1.0), Rows.of_matrix(claims), rows.by_node(vector[0])
    runs = {
        "build": lambda: Rows.of_matrix(claims),
        "sweep": lambda: pull(rows, vector[1], vector[0], vector[2]),
        "sweep of 16 scenarios": lambda: pull_block(rows, block[1], block[0], block[2]),
        "Eisenberg-Noe, whole": lambda: greatest(double, base, gain, settled=1e-10),
        "scipy product": lambda: matrix @ given,
    }
    return interleaved(runs, rounds=3, times=max(1, 3_000_000 // edges))


def grown(name: str, curve: dict[int, float]) -> Figure:
    """The slope of log seconds over log edges."""
    edges, seconds = (np.log(np.array(list(side))) for side in (curve.keys(), curve.values()))
    slope = float(np.polyfit(edges, seconds, 1)[0])
    note = ", ".join(f"{n / 1e6:g} M: {s * 1e9 / n:.2f}" for n, s in curve.items())
    aim = None if name.startswith("scipy") else LINEAR
    return Figure(f"{name}: exponent of growth", slope, aim, least=False, note=f"ns an edge: {note}")


def drawn(curves: Curves) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    for name, curve in curves.items():
        axes.loglog(list(curve), [1e3 * s for s in curve.values()], "--" if "scipy" in name else "-o", label=name)
    ends = np.array([SIZES[0], SIZES[-1]])
    axes.loglog(ends, ends * 1e-6, ":", color="grey", label="1 ns an edge")
    axes.set(xlabel="edges", ylabel="milliseconds on one core", title="Cost by size of the network")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3, which="both")
    figure.savefig(PLOT, dpi=110)
    pyplot.close(figure)
