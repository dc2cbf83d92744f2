"""Neighbours of the past drawn per CPU second, [10, 10] 1,024 seeds a time, on a graph of a million edges."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import torch

from benchmarks.figure import Figure
from gnn.sampler import Sampler, base_sampler

NODES, EDGES, MOMENTS, SEEDS, ROUNDS = 100_000, 1_000_000, 10_000, 1024, 40
COUNTS: Final = (10, 10)


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    draw = torch.Generator().manual_seed(0)
    edges = (torch.rand(2, EDGES, generator=draw).square() * NODES).long()
    when = torch.randint(0, MOMENTS, (EDGES,), generator=draw)
    began = time.process_time()
    sampler = Sampler(edges, NODES, when)
    built = time.process_time() - began
    seeds = torch.randint(0, NODES, (ROUNDS, SEEDS), generator=draw)
    asked = torch.randint(MOMENTS // 2, MOMENTS, (ROUNDS, SEEDS), generator=draw)
    own = rate(lambda n: sum(len(hop.edge) for hop in sampler.sample(seeds[n], asked[n], COUNTS, draw)))
    checked = all(
        bool((when[hop.edge] < asked[n][hop.seed]).all())
        for n in range(3)
        for hop in sampler.sample(seeds[n], asked[n], COUNTS, draw)
    )
    note = f"{SEEDS} seeds, {list(COUNTS)}, {EDGES:,} edges; built once in {built:.2f} CPU seconds"
    return [
        Figure("temporal neighbours, million edges per CPU second", own / 1e6, 8.0, unit="M/s", note=note),
        Figure("the same as a PyG BaseSampler", _adapter(sampler, seeds, asked) / 1e6, unit="M/s"),
        Figure("share of three batches whose edges are all older than their seed", float(checked), 1.0),
    ]


def _adapter(sampler: Sampler, seeds: torch.Tensor, asked: torch.Tensor) -> float:
    from torch_geometric.sampler import NodeSamplerInput

    adapted = base_sampler(sampler, COUNTS)

    def batch(n: int) -> int:
        out = adapted.sample_from_nodes(NodeSamplerInput(None, seeds[n], asked[n]))
        return len(out.edge)

    return rate(batch)


def rate(batch: Callable[[int], int]) -> float:
    """Edges per CPU second: the median over batches, after two that warm up."""
    found = []
    for n in range(ROUNDS):
        began = time.process_time()
        edges = batch(n)
        found.append(edges / (time.process_time() - began))
    return sorted(found[2:])[len(found[2:]) // 2]
