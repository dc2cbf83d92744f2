"""1,000 scenarios over a million edges: one sweep of each, in blocks, beside scipy and torch with the same blocks."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial
from operator import matmul
from typing import Any

import numpy as np

from benchmarks.exposed import interleaved, network, torch_csr, vectors
from benchmarks.figure import Figure
from queries.kernels.block import WIDTHS, pull_block, sweep_many
from queries.kernels.rows import Rows

SCENARIOS, EDGES, WIDTH = 1_000, 1_000_000, 64


def measure() -> list[Figure]:
    matrix = network(EDGES)
    rows = Rows.of_matrix(matrix, np.float32)
    return [*compared(matrix, rows), *widths(matrix, rows), same_bits(rows), held(rows)]


def compared(matrix: Any, rows: Rows) -> list[Figure]:
    """All blocks of 64, each engine with states in the form it likes."""
    import torch

    tensor, blocks = torch_csr(matrix), [vectors(rows, WIDTH, seed=s) for s in range(-(-SCENARIOS // WIDTH))]
    plain = [rows.by_node(x) for x, _, _ in blocks]
    took = interleaved(
        {
            "ours": lambda: [pull_block(rows, base, x, out) for x, base, out in blocks],
            "scipy": lambda: [matrix @ x for x in plain],
            "torch": lambda: [tensor @ torch.from_numpy(x) for x in plain],
        },
        rounds=3,
    )
    done = matrix.nnz * len(blocks) * WIDTH / 1e9
    note = "G edges x scenarios/s: " + ", ".join(f"{name} {done / seconds:.2f}" for name, seconds in took.items())
    return [
        Figure(f"{len(blocks)} blocks of {WIDTH}: times scipy", took["scipy"] / took["ours"], 2.0, note=note),
        Figure(f"{len(blocks)} blocks of {WIDTH}: times torch", took["torch"] / took["ours"], 1.3),
    ]


def widths(matrix: Any, rows: Rows) -> list[Figure]:
    """Each engine at the width of block that suits it best."""
    import torch

    tensor, rates = torch_csr(matrix), dict[str, dict[int, float]]()
    for width in WIDTHS:
        x, base, out = vectors(rows, width)
        given = rows.by_node(x)
        other = torch.from_numpy(given)
        runs: dict[str, Callable[[], object]] = {
            "ours": partial(pull_block, rows, base, x, out),
            "scipy": partial(matmul, matrix, given),
            "torch": partial(matmul, tensor, other),
        }
        for name, seconds in interleaved(runs, rounds=5).items():
            rates.setdefault(name, {})[width] = matrix.nnz * width / seconds / 1e9
    best = {name: max(found.values()) for name, found in rates.items()}
    told = "; ".join(f"{name} " + ", ".join(f"{w}: {r:.1f}" for w, r in found.items()) for name, found in rates.items())
    return [
        Figure("each at its best width: times scipy", best["ours"] / best["scipy"], note=f"G/s by width: {told}"),
        Figure("each at its best width: times torch", best["ours"] / best["torch"]),
    ]


def same_bits(rows: Rows) -> Figure:
    x = np.random.default_rng(1).random((100, rows.nodes), dtype=np.float32)
    first, *others = (sweep_many(rows, x, width=w, workers=k) for w in WIDTHS for k in (1, 2))
    apart = sum(int((first.view(np.uint32) != other.view(np.uint32)).sum()) for other in others)
    return Figure("numbers whose bits differ by width or workers", apart, 0, least=False)


def held(rows: Rows) -> Figure:
    """Memory of a run beside its input and its output, in blocks of 64 scenarios."""
    x = np.random.default_rng(1).random((256, rows.nodes), dtype=np.float32)
    out = np.empty_like(x)
    tracemalloc.start()
    sweep_many(rows, x, width=WIDTH, out=out)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    block = rows.places * WIDTH * 4
    return Figure("peak memory beside network, input and output, in blocks", peak / block, 2.01, least=False)
