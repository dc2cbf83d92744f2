"""Two cores beside one: by the clock on the wall, and by the CPU time of the slower of two workers.

On the wall the two run in turn and the best of many rounds counts; other work on the machine takes the second core away
and not the first, so on a busy machine what is told is too low. The CPU time of each worker, run side by side, does not
count waiting: it tells how evenly the work is cut and what the cores take from each other in memory.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from benchmarks.exposed import network, vectors
from benchmarks.figure import Figure
from queries.kernels.block import lanes
from queries.kernels.rows import Rows
from queries.kernels.sweep import each, stretch
from queries.kernels.vector import block_kernel

AIM, REST = 1.7, 0.005
"""Seconds of rest before each run, so that whoever else waits for a core has had it."""
Work = Callable[[int, int, int, int], Any]


def measure() -> list[Figure]:
    one = Rows.of_matrix(network(1_000_000), np.float32)
    ten = Rows.of_matrix(network(10_000_000), np.float32)
    vector, longer, block = vectors(one), vectors(ten), vectors(one, 64)
    kernel = block_kernel(64, lanes(one.amount.dtype))
    layout = (one.starts, one.slices, one.index, one.amount)
    return [
        *gain("1 M edges: sweep", one, vector[2], stretch(one, *ordered(vector)), 200),
        *gain("10 M edges: sweep", ten, longer[2], stretch(ten, *ordered(longer)), 30),
        *gain("1 M edges: 64 scenarios", one, block[2], lambda *part: kernel(*layout, *ordered(block), *part), 40),
    ]


def ordered(given: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    """Base, x and out of x, base and out."""
    return given[1], given[0], given[2]


def gain(name: str, rows: Rows, out: Any, work: Work, rounds: int) -> list[Figure]:
    """Best seconds with one worker over best with two, the same of CPU seconds, and numbers whose bits differ."""

    def busy(*part: int) -> float:
        began = time.thread_time()
        work(*part)
        return time.thread_time() - began

    wall: dict[int, list[float]] = {1: [], 2: []}
    cpu: dict[int, list[float]] = {1: [], 2: []}
    answers = {}
    for _ in range(rounds):
        for workers in (1, 2):
            time.sleep(REST)
            began = time.perf_counter()
            slowest = max(each(rows, workers, busy))
            wall[workers].append(time.perf_counter() - began)
            cpu[workers].append(slowest)
            answers[workers] = out.copy()
    best = {workers: min(seconds) * 1e3 for workers, seconds in wall.items()}
    own = {workers: median(seconds) for workers, seconds in cpu.items()}
    note = f"{best[1]:.2f} ms and {best[2]:.2f} ms; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    apart = int((answers[1].view(np.uint32) != answers[2].view(np.uint32)).sum())
    return [
        Figure(f"{name}: two cores over one, on the wall", best[1] / best[2], AIM, note=note),
        Figure(f"{name}: two cores over one, by CPU time of the slower", own[1] / own[2], AIM),
        Figure(f"{name}: numbers whose bits differ", apart, 0, least=False),
    ]
