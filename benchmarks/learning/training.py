"""Full-softmax training beside PyKEEN's LCWA of the same model, dimension and batch, and beside the machine's ceiling.

A question is a (head, relation) of the training triples or their reciprocals, with all its tails, scored against all
entities: what PyKEEN's LCWA loop calls an instance. Seconds are CPU seconds of whole steps, optimiser included, on one
thread; the median of ROUNDS runs, ours and PyKEEN's by turns. The ceiling is the best of the products of matrices that
a step needs and of a square one, in the same type, measured in between.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from benchmarks.figure import Figure, real_data
from gnn.grouped import GroupedTask
from gnn.model import Shape
from gnn.models.complex import Complex
from gnn.softmax import halves
from gnn.triples import Triples, read_triples

SETS: Final = ("codex-s", "wn18rr")
DIM: Final = 512
"""Real numbers of a vector: PyKEEN's dimension 256, which counts complex ones."""
BATCH: Final = 1000
ROUNDS: Final = 3
STEPS: Final = {"codex-s": 9, "wn18rr": 2}
"""Steps a round."""
SLOW: Final = 20
"""PyKEEN's DistMult multiplies number by number, all batch x entities x dim of them: questions a step, two steps."""


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    logging.getLogger("pykeen").setLevel(logging.ERROR)
    return [figure for name in SETS for figure in _compared(name)]


def _compared(name: str) -> list[Figure]:
    split = read_triples(real_data() / "link-prediction" / name)
    ours = {half: own_steps(split, STEPS[name], half=half) for half in ((False, True) if halves() else (False,))}
    peers = {cast: peer_steps("ComplEx", split, BATCH, STEPS[name], cast=cast) for cast in (False, True)}
    rates, ceilings = _rounds(ours, peers, len(split.graph))
    own, peer = rates["ours", False], rates["peer", False]
    label, note = f"{name}: ", f"{own:.0f} beside {peer:.0f} questions a CPU second"
    figures = [Figure(f"{label}fp32 training over PyKEEN's", own / peer, 2.0, unit="x", note=note)]
    if True in ours:
        half, cast = rates["ours", True], rates["peer", True]
        note = f"{half:.0f} beside {peer:.0f} questions a CPU second"
        figures.append(Figure(f"{label}bf16 training over PyKEEN's fp32", half / peer, 5.0, unit="x", note=note))
        note = f"{cast:.0f} questions a CPU second: its complex products are not cast"
        figures.append(Figure(f"{label}bf16 training over PyKEEN's under autocast", half / cast, unit="x", note=note))
    for half in ours:
        done = 6 * len(split.graph) * DIM * rates["ours", half] / 1e9
        note = f"{done:.0f} of {ceilings[half]:.0f} GFLOP a CPU second"
        kind = "bf16" if half else "fp32"
        figures.append(Figure(f"{label}{kind} share of the GEMM ceiling", done / ceilings[half], 0.6, note=note))
    mine = rate(own_steps(split, STEPS[name], half=halves(), symmetric=True))
    slow = rate(peer_steps("DistMult", split, SLOW, 2))
    note = f"{mine:.0f} beside {slow:.1f} questions a CPU second; PyKEEN's in batches of {SLOW}"
    return [*figures, Figure(f"{label}DistMult over PyKEEN's fp32", mine / slow, unit="x", note=note)]


Runs = dict[bool, Callable[[], int]]


def _rounds(ours: Runs, peers: Runs, nodes: int) -> tuple[dict[tuple[str, bool], float], dict[bool, float]]:
    """Median rates, and the ceiling by type."""
    rates: dict[tuple[str, bool], list[float]] = {}
    ceilings = dict.fromkeys(ours, 0.0)
    for _ in range(ROUNDS):
        for who, runs in (("ours", ours), ("peer", peers)):
            for half, run in runs.items():
                rates.setdefault((who, half), []).append(rate(run))
        for half in ours:
            ceilings[half] = max(ceilings[half], ceiling(nodes, torch.bfloat16 if half else torch.float32))
    return {key: float(np.median(found)) for key, found in rates.items()}, ceilings


def rate(run: Callable[[], int]) -> float:
    """Questions a CPU second."""
    begun = time.process_time()
    return run() / (time.process_time() - begun)


def own_steps(split: Triples, steps: int, half: bool, symmetric: bool = False) -> Callable[[], int]:
    """So many steps as `fit` makes them, with the penalty that the model ships with; gives the questions asked."""
    model = Complex(Shape.of(split.graph), dim=DIM, symmetric=symmetric, spread=0.1).train()
    task = GroupedTask(split.graph, batch=BATCH, n3=0.01, half=half)
    optimiser = torch.optim.Adagrad(model.parameters(), lr=0.1, fused=True)

    def run() -> int:
        asked = 0
        for part in torch.split(torch.randperm(len(task.questions)), BATCH)[:steps]:
            loss = task.loss(model, part)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch
            optimiser.step()
            asked += len(part)
        return asked

    run()
    return run


def peer_steps(name: str, split: Triples, batch: int, steps: int, cast: bool = False) -> Callable[[], int]:
    """So many steps of PyKEEN's LCWA loop on the same triples with inverse ones, cross-entropy and Adagrad."""
    from pykeen.models import ComplEx, DistMult
    from pykeen.training import LCWATrainingLoop

    factory = peer_factory(split, inverse=True)
    made = {"ComplEx": ComplEx, "DistMult": DistMult}[name]
    dim = DIM // 2 if name == "ComplEx" else DIM
    model = made(triples_factory=factory, embedding_dim=dim, loss="CrossEntropyLoss", random_seed=0)
    loop = LCWATrainingLoop(model=model, triples_factory=factory, optimizer="Adagrad")
    batches = list(_first(loop._create_training_data_loader(factory, None, batch_size=batch, shuffle=True), steps))

    def run() -> int:
        asked = 0
        with torch.autocast("cpu", torch.bfloat16) if cast else nullcontext():
            for own in batches:
                loop.optimizer.zero_grad()
                count = loop._get_batch_size(own)
                loss = loop._process_batch(own, 0, count)
                loss.backward()
                loop.optimizer.step()
                model.post_parameter_update()
                asked += count
        return asked

    model.train()
    run()
    return run


def _first(loader: Any, steps: int) -> Iterator[Any]:
    for _, own in zip(range(steps), loader, strict=False):
        yield own


def peer_factory(split: Triples, inverse: bool) -> Any:
    """The training triples as PyKEEN takes them; numbers are ours."""
    from pykeen.triples import CoreTriplesFactory

    count = len(split.graph.vocabulary.relations)
    return CoreTriplesFactory(split.graph.edges, len(split.graph), count, create_inverse_triples=inverse)


def ceiling(nodes: int, kind: torch.dtype) -> float:
    """GFLOP a CPU second of the best product of matrices: those of a step, or a square one."""
    q, e, s = (torch.randn(*size).to(kind) for size in ((BATCH, DIM), (nodes, DIM), (BATCH, nodes)))
    square = torch.randn(2048, 2048).to(kind)
    return max(_product(a, b) for a, b in ((q, e.T), (s, e), (s.T, q), (square, square)) for _ in range(2))


def _product(a: Tensor, b: Tensor) -> float:
    begun = time.process_time()
    a @ b
    return 2 * a.shape[0] * a.shape[1] * b.shape[1] / (time.process_time() - begun) / 1e9
