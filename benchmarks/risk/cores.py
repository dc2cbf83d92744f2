"""Two cores beside one, by the clock on the wall: the two run in turn, and the best of many rounds counts.

Other work on the machine takes the second core away and not the first: what is told is then too low, never too high.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.exposed import network, vectors
from benchmarks.figure import Figure
from queries.kernels.block import pull_block
from queries.kernels.rows import Rows
from queries.kernels.sweep import pull

AIM = 1.7


def measure() -> list[Figure]:
    one = Rows.of_matrix(network(1_000_000), np.float32)
    ten = Rows.of_matrix(network(10_000_000), np.float32)
    return [
        *gain("1 M edges: sweep", one, pull, vectors(one), 200),
        *gain("10 M edges: sweep", ten, pull, vectors(ten), 40),
        *gain("1 M edges: block of 64 scenarios", one, pull_block, vectors(one, 64), 60),
    ]


def gain(
    name: str, rows: Rows, kernel: Callable[..., Any], given: tuple[Any, Any, Any], rounds: int
) -> list[Figure]:
    """Best seconds with one worker over best with two, and numbers whose bits differ."""
    x, base, out = given
    best, answers = {1: np.inf, 2: np.inf}, {}
    for _ in range(rounds):
        for workers in best:
            began = time.perf_counter()
            kernel(rows, base, x, out, workers)
            best[workers] = min(best[workers], time.perf_counter() - began)
            answers[workers] = out.copy() if workers not in answers else answers[workers]
    note = f"{best[1] * 1e3:.2f} ms and {best[2] * 1e3:.2f} ms; load average {os.getloadavg()[0]:.1f}"
    apart = int((answers[1].view(np.uint32) != answers[2].view(np.uint32)).sum())
    return [
        Figure(f"{name}, two cores over one", best[1] / best[2], AIM, note=note),
        Figure(f"{name}, numbers whose bits differ", apart, 0, least=False),
    ]
