"""Links learned from drawn neighbourhoods, in one process and in two, on 100 thousand to 10 million edges.

A step asks 1,024 edges both ways against 256 drawn nodes, with at most 10 edges into each node of two layers. The same
steps are done by one process and by two that have a part of the graph each; the first epoch warms up, and of the others
the fastest counts, which a busy machine disturbs least.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import torch

from benchmarks.figure import Figure, peak_mib
from gnn.distributed import team
from gnn.mapped import Mapped, keep
from gnn.model import Shape
from gnn.models.relational import Relational
from gnn.partition import near, scattered
from gnn.ranks import together
from gnn.sampled import SampledLinkTask, Surroundings
from gnn.tensors import Features, GraphTensors, microseconds
from gnn.train import Recipe, fit
from gnn.vocabulary import LABELS, RELATIONS

SIZES: Final = (100_000, 1_000_000, 10_000_000)
FANS: Final = (10, 10)
BATCH, STEPS, EPOCHS, DIM = 1024, 4, 5, 64
CUT: Final = datetime(2024, 1, 1, tzinfo=UTC)


def made(edges: int) -> GraphTensors:
    """Firms that supply each other, a tenth as many as edges: nine of ten to a firm nearby, some of them large.

    What is said of a firm tells where it stands, so there is something to learn.
    """
    nodes, draw = edges // 10, torch.Generator().manual_seed(0)
    head = torch.randint(0, nodes, (edges,), generator=draw)
    step = (torch.rand(edges, generator=draw).square() * 200).long() + 1
    far = (torch.rand(edges, generator=draw).square() * nodes).long()
    tail = torch.where(torch.rand(edges, generator=draw) < 0.9, (head + step) % nodes, far)
    shuffled = torch.randperm(nodes, generator=draw)
    pairs = torch.unique(shuffled[head] * nodes + shuffled[tail])
    kind = torch.full_like(pairs, RELATIONS.index("SUPPLIES"))
    when = torch.full_like(pairs, microseconds(CUT))
    rows = torch.stack([pairs // nodes, kind, pairs % nodes], dim=1)
    labels = torch.full((nodes,), LABELS.index("Company"))
    features = {"numeric": Features(torch.arange(nodes), _places(shuffled, draw))}
    return GraphTensors(("",) * nodes, labels, rows, when, when, torch.ones_like(when), CUT, features)


def _places(shuffled: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """(nodes, 32) where each firm stands in the ring, in waves of ever shorter length, through noise."""
    turn = torch.empty(len(shuffled)).index_copy(0, shuffled, torch.arange(len(shuffled)) * (math.tau / len(shuffled)))
    waves = turn[:, None] * 2.0 ** torch.arange(16)
    return torch.cat([waves.sin(), waves.cos()], dim=1) + 0.1 * torch.randn(len(turn), 32, generator=draw)


def steps(folder: Path) -> dict[str, float]:
    """Epochs of a few steps in each process; seconds of a step in the fastest after the first, and the loss."""
    own = Mapped.open(folder)
    size = team().size
    task = SampledLinkTask(Surroundings(own, FANS), BATCH, 256, near(own.graph, size) if size > 1 else None)
    task.rows = task.rows[:: max(1, len(task.rows) // (BATCH * STEPS))][: BATCH * STEPS]
    model, at = Relational(Shape.of(own.graph), dim=DIM, table=False, dropout=0.0), [time.perf_counter()]
    busy = [time.process_time()]

    def told(_: str) -> None:
        at.append(time.perf_counter())
        busy.append(time.process_time())

    run = fit(model, task, Recipe(epochs=EPOCHS, weight_decay=0.0), progress=told)
    (folder / f"peak-{size}-{team().rank}").write_text(str(peak_mib()))
    if not team().first:  # whom nobody tells of epochs
        return {}
    count = len(task.rows) / BATCH
    wall, cpu = (min(b - a for a, b in pairwise(times[1:])) / count for times in (at, busy))
    return {"seconds": wall, "cpu": cpu, "loss": run.epochs[-1]["loss"]}


def messages(folder: Path) -> int:
    """Messages that all layers of one step sum, in one process."""
    near_ = Surroundings(Mapped.open(folder), FANS)
    graph = near_.mapped.graph
    part = torch.arange(0, len(graph.edges), max(1, len(graph.edges) // BATCH))[:BATCH]
    seeds = torch.unique(torch.cat([graph.edges[part][:, [0, 2]].flatten(), torch.arange(256)]))
    return sum(len(side.source) for block in near_.blocks(seeds, 0, part, True) for side in block.along)


def measured(edges: int) -> list[Figure]:
    """The figures of one size."""
    name, found = f"{edges:,} edges", dict[int, dict[str, float]]()
    with TemporaryDirectory(prefix="kgrisk-train-") as text:
        began, graph = time.perf_counter(), made(edges)
        drawn = time.perf_counter() - began
        folder = keep(graph, Path(text) / "graph")
        kept = time.perf_counter() - began - drawn
        parts = near(graph, 2)
        cut = parts.cut(graph), scattered(graph, 2).cut(graph), parts.balance(graph)
        found_in = f"in {time.perf_counter() - began - drawn - kept:.1f} s, the largest part {cut[2]:.3f} of half"
        del graph
        for size in (1, 2):
            found[size] = together(_alone(folder), steps, (folder,), size)
        peaks = [float((folder / f"peak-2-{rank}").read_text()) for rank in (0, 1)]
        count, alone = messages(folder), float((folder / "peak-1-0").read_text())
        disk = sum(file.stat().st_size for file in folder.iterdir()) / (1 << 20)
    one, two = found[1], found[2]
    note = f"{count:,} messages and {BATCH:,} edges asked a step of {one['seconds']:.3f} s; loss {one['loss']:.4f}"
    return [
        Figure(f"{name}: messages a second, 1 process", count / one["seconds"] / 1e6, unit="M/s", note=note),
        Figure(f"{name}: messages a second, 2 processes", count / two["seconds"] / 1e6, unit="M/s"),
        Figure(f"{name}: 2 processes beside 1", one["seconds"] / two["seconds"], unit="times as fast"),
        Figure(f"{name}: processor time of one of 2 beside the 1", two["cpu"] / one["cpu"], note="0.5 is even"),
        Figure(f"{name}: difference of the loss", abs(one["loss"] - two["loss"]), note="rounding, grown by Adam"),
        Figure(f"{name}: peak of the one process", alone, unit="MiB", note="which also made the graph"),
        Figure(f"{name}: peak of each of two", max(peaks), unit="MiB", note=f"{peaks[0]:.0f} and {peaks[1]:.0f}"),
        Figure(f"{name}: graph on disk", disk, unit="MiB", note=f"written in {kept:.1f} s"),
        Figure(f"{name}: share of edges cut", cut[0], note=f"random parts {cut[1]:.3f}; found {found_in}"),
    ]


def _alone(folder: Path) -> Any:
    return lambda: steps(folder)


def peer() -> Figure:
    """torch-geometric's loader with the same fans, where its compiled sampler is installed."""
    what = "1,000,000 edges: messages drawn a second by torch-geometric's NeighborLoader"
    graph = made(1_000_000)
    try:
        from torch_geometric.data import Data
        from torch_geometric.loader import NeighborLoader

        ends = graph.edges[:, [0, 2]].T
        data = Data(edge_index=torch.cat([ends, ends.flip(0)], dim=1), num_nodes=len(graph))
        loader = NeighborLoader(data, num_neighbors=list(FANS), batch_size=2 * BATCH)
        began, count = time.perf_counter(), 0
        for number, batch in enumerate(loader):  # here it finds out that it has no compiled sampler
            count += batch.edge_index.shape[1]
            if number == STEPS:
                break
    except ImportError as error:
        return Figure(what, 0.0, unit="M/s", note=f"not run: {str(error).splitlines()[0]}")
    return Figure(what, count / (time.perf_counter() - began) / 1e6, unit="M/s")


def drawn_alone() -> Figure:
    """The same draws as those of the peer, without learning."""
    with TemporaryDirectory(prefix="kgrisk-train-") as text:
        own = Surroundings(Mapped.open(keep(made(1_000_000), Path(text) / "graph")), FANS)
        none, nodes = torch.zeros(0, dtype=torch.int64), len(own.mapped.graph)
        began, count = time.perf_counter(), 0
        for number in range(STEPS):
            seeds = torch.randperm(nodes, generator=torch.Generator().manual_seed(number))[: 2 * BATCH]
            blocks = own.blocks(seeds, number, none, True)
            count += sum(len(side.source) for block in blocks for side in block.along)
        rate = count / (time.perf_counter() - began) / 1e6
    return Figure("1,000,000 edges: messages drawn and weighed a second, without learning", rate, unit="M/s")


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    return [*(figure for edges in SIZES for figure in measured(edges)), drawn_alone(), peer()]
