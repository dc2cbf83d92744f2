"""Scenarios shared out: a thousand over a million edges in one process, in processes of this machine, and on Ray.

Efficiency is T(1 worker) / (2 T(2 workers)), put and reading of the graph with it. One and two take turns, and the
middle of the turns' ratios counts: a machine is now quicker and now slower, for both of a turn alike. The same is told
of CPU seconds: what the process that deals out and the busiest worker need together, which nothing can be done beside.
Seconds are those of the fastest run. What two processes that share nothing and deal out nothing reach beside each other
is told too: more than that the machine does not give. KGRISK_FAN_OUT=edges:scenarios asks for another size.
"""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa

from benchmarks.exposed import network
from benchmarks.figure import Figure
from kg.executor import Executor, Here, Pool
from kg.model import AsOf, as_time
from kg.snapshot import EDGES, FACTS, Snapshot
from kgrisk.ray import Ray
from kgrisk.supposing_blocks import BLOCK, Compared, Part, Without, World, over
from queries.exposures import Exposures
from queries.many import drawn
from queries.measure import RiskMeasure, build
from queries.whatif import Scenario
from tests.ray_cluster import two_nodes

SIZE, TINY = "1000000:1000", 25_000
KEPT = 20
"""Entities told of each scenario: of a dense network all of them are touched."""
EFFICIENT, OVERHEAD, PRIVATE = 0.9, 0.05, 1.1
"""Aims: efficiency of two workers; CPU seconds more than in one process; private memory over what a block needs."""
WORKERS, ROUNDS = 2, 3


@dataclass
class Cost:
    """What one run took."""

    parts: list[Part]
    wall: float
    dealer: float
    """CPU seconds of the process that deals out."""
    workers: list[float]
    """CPU seconds of each worker."""
    private: int
    """Most bytes that a worker held by itself, beyond what it held before."""

    @property
    def cpu(self) -> float:
        return self.dealer + sum(self.workers)

    @property
    def longest(self) -> float:
        """CPU seconds that nothing can be done beside."""
        return self.dealer + max(self.workers, default=0.0)


def measure() -> list[Figure]:
    edges, count = map(int, os.environ.get("KGRISK_FAN_OUT", SIZE).split(":"))
    world, tiny = compared(edges), compared(TINY)
    many = drawn(world.world.snapshot, count, seed=1)
    size = f"{len(many):,} scenarios over {world.world.exposures.edges.num_rows:,} edges"
    load, block = os.getloadavg()[0], scratch(world, many)
    here = fastest([cost(Here(), world, many, tiny) for _ in range(ROUNDS)])
    found = [Figure(f"{size}: one process", here.wall, unit="s", note=f"{here.cpu:.1f} s CPU")]
    ways = {"processes": in_processes, "one Ray node": on_a_node, "two Ray nodes": on_nodes}
    for name, way in ways.items():
        turns = [way(world, many, tiny) for _ in range(ROUNDS)]
        assert all(same(here, run) for turn in turns for run in turn), "the answers differ"
        found += figures(name, here, turns, block)
    by_machine = unshared(edges, count)
    found.append(Figure("processes that share nothing: efficiency", median(by_machine), note=listed(by_machine)))
    told = f"load {load:.1f} to {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; every answer has the same bits"
    return [*found, Figure("one block needs", block / (1 << 20), unit="MiB", note=f"{BLOCK} scenarios; {told}")]


Turn = tuple[Cost, Cost]
"""What it took with one worker, and with two."""


def same(one: Cost, other: Cost) -> bool:
    pairs = zip(one.parts, other.parts, strict=True)
    return all(rows == told and table.equals(beside) for (rows, table), (told, beside) in pairs)


def compared(edges: int) -> Compared:
    """A scale-free network whose losses fade, under DebtRank; whatever hangs on no scenario is made."""
    claims = network(edges, np.float64)
    claims.setdiag(0.0)
    claims.eliminate_zeros()
    owed, count = np.asarray(claims.sum(axis=0)).reshape(-1), claims.shape[0]
    ids = [f"bank:{number:07d}" for number in range(count)]
    exposures = Exposures.of(claims, owed + np.random.default_rng(5).exponential(0.2 * owed.mean(), count), ids=ids)
    day = as_time(date(2024, 1, 1))
    nodes = pa.table({"id": ids, "label": ["Bank"] * count})
    snapshot = Snapshot(nodes, EDGES.empty_table(), FACTS.empty_table(), AsOf(day, day, day), 1)
    world = World(snapshot, exposures, build(RiskMeasure, "debtrank"))  # type: ignore[type-abstract]  # a role is asked for
    return world.against(Without.of(world.still()))


def scratch(world: Compared, many: Sequence[Scenario]) -> int:
    """Bytes that one block allocates at its peak."""
    world.told(many[:1], KEPT)
    tracemalloc.start()
    world.told(many[:BLOCK], KEPT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def in_processes(world: Compared, many: Sequence[Scenario], tiny: Compared) -> Turn:
    """With one worker beside this process, and with two."""
    with Pool(1) as one, Pool(WORKERS) as two:
        return cost(one, world, many, tiny), cost(two, world, many, tiny)


def on_a_node(world: Compared, many: Sequence[Scenario], tiny: Compared) -> Turn:
    """With one worker of a Ray node and with two, which read the same memory."""
    with Ray("local", 1) as executor:
        one = cost(executor, world, many, tiny)
    with Ray("local", WORKERS) as executor:
        return one, cost(executor, world, many, tiny)


def on_nodes(world: Compared, many: Sequence[Scenario], tiny: Compared) -> Turn:
    """On one node of a cluster, and on both: each has the graph in a memory of its own, though in one machine."""
    with two_nodes() as nodes, Ray(nodes.address) as executor:
        two = cost(executor, world, many, tiny)
        nodes.kill()
        while executor.workers > 1:  # until the cluster has noticed
            time.sleep(1)
            list(executor.map(abs, [1]))
        return cost(executor, world, many, tiny), two


def unshared(edges: int, count: int) -> list[float]:
    """CPU seconds of half of the scenarios alone, over those of one half beside the other."""
    found = []
    with Pool(1) as one, Pool(WORKERS) as two:
        for _ in range(ROUNDS):
            alone, beside = list(one.map(half, [0], edges, count)), list(two.map(half, range(WORKERS), edges, count))
            found.append(sum(alone) / (sum(beside) / WORKERS))
    return sorted(found)


def half(_: int, edges: int, count: int) -> float:
    """In a worker, over a graph of its own: CPU seconds of half of the scenarios."""
    world = compared(edges)
    many = drawn(world.world.snapshot, count // WORKERS, seed=1)
    world.told(many[:1], KEPT)
    begun = time.process_time()
    list(over(Here(), world, many, BLOCK, KEPT))
    return time.process_time() - begun


def fastest(runs: Sequence[Cost]) -> Cost:
    assert all(same(runs[0], run) for run in runs), "the answers differ"
    return min(runs, key=lambda run: run.wall)


def cost(executor: Executor, world: Compared, many: Sequence[Scenario], tiny: Compared) -> Cost:
    """A run after one over a tiny network, which loads and compiles what is loaded and compiled once."""
    list(over(executor, tiny, drawn(tiny.world.snapshot, 8 * executor.workers), 1, KEPT))
    before = held(executor, True)
    wall, dealer = time.perf_counter(), time.process_time()
    parts = list(over(executor, world, many, BLOCK, KEPT))
    wall, dealer = time.perf_counter() - wall, time.process_time() - dealer
    after = {pid: (cpu - before[pid][0], memory - before[pid][1]) for pid, (cpu, memory) in held(executor).items()}
    after.pop(os.getpid(), None)
    most = max((memory for _, memory in after.values()), default=0)
    return Cost(parts, wall, dealer, [cpu for cpu, _ in after.values()], most)


def held(executor: Executor, anew: bool = False) -> dict[int, tuple[float, int]]:
    """CPU seconds and most private bytes of each worker by its number; `anew`: from now on."""
    found: dict[int, tuple[float, int]] = {}
    while len(found) < executor.workers:
        found |= dict(executor.map(of_a_worker, range(4 * executor.workers), anew))
    return found


def of_a_worker(_: int, anew: bool) -> tuple[int, tuple[float, int]]:
    """In a worker; it waits a little, so that the others are asked too."""
    time.sleep(0.05)
    if anew:
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    size = {words[0]: int(words[1]) << 10 for words in lines if words[0] in ("VmHWM:", "RssFile:", "RssShmem:")}
    return os.getpid(), (time.process_time(), size["VmHWM:"] - size["RssFile:"] - size["RssShmem:"])


def figures(name: str, here: Cost, turns: Sequence[Turn], block: int) -> list[Figure]:
    one, two = (fastest(list(runs)) for runs in zip(*turns, strict=True))
    busy = f"workers {', '.join(f'{s:.1f}' for s in two.workers)} s CPU, dealing out {two.dealer:.1f} s"
    by_clock = sorted(one.wall / (WORKERS * two.wall) for one, two in turns)
    by_cpu = sorted(one.longest / (WORKERS * two.longest) for one, two in turns)
    return [
        Figure(f"{name}: 1 worker", one.wall, unit="s", note=f"{one.cpu:.1f} s CPU"),
        Figure(f"{name}: 2 workers", two.wall, unit="s", note=busy),
        Figure(f"{name}: efficiency by the clock", median(by_clock), EFFICIENT, note=listed(by_clock)),
        Figure(f"{name}: efficiency by CPU seconds", median(by_cpu), EFFICIENT, note=listed(by_cpu)),
        Figure(f"{name}: CPU seconds more than one process", two.cpu / here.cpu - 1, OVERHEAD, least=False),
        Figure(f"{name}: memory of a worker's own over that of a block", two.private / block, PRIVATE, least=False),
    ]


def listed(ratios: Sequence[float]) -> str:
    return f"turns: {', '.join(f'{ratio:.2f}' for ratio in ratios)}"
