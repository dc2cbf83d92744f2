"""The path-conditioned model on public sets, beside ComplEx and as the judge of its hundred best answers.

The share that the judge has is chosen on the validation triples. Needs KGRISK_REAL_DATA.
"""

from __future__ import annotations

import time
from typing import Final

import numpy as np
import torch

from benchmarks.figure import Figure, real_data
from gnn.evaluate import Ranking, bootstrap, rank
from gnn.links import LinkTask
from gnn.model import Model, Shape
from gnn.models.paths import PathModel
from gnn.rerank import Reranked
from gnn.train import Recipe, fit
from gnn.trial import trial
from gnn.triples import Triples, read_triples

SETS: Final = {"nations": 6.0, "umls": 12.0, "codex-s": 170.0}
"""Wall time of training the path model."""
SHARES: Final = (0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 3.0)
VALID: Final = 600
"""Validation triples by which the share is chosen."""


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    return [figure for name, seconds in SETS.items() for figure in compared(name, seconds)]


def compared(name: str, seconds: float) -> list[Figure]:
    """Both models and the judge on the published split of one set."""
    own, begun = read_triples(real_data() / "link-prediction" / name), time.process_time()
    table = trial("complex", own)
    middle = time.process_time()
    model = PathModel(Shape.of(own.graph), seed=0)
    task = LinkTask(own.graph, own.valid[:VALID], own.known, steps=len(own.graph.edges) // 32)
    run = fit(model, task, Recipe(epochs=6, rate=0.005, schedule="linear", weight_decay=0.0, seconds=seconds))
    took = time.process_time() - middle
    found = rank(model, own.graph, own.test, own.known)
    share = chosen(own, table.model, model)
    judged = rank(Reranked(table.model, model, share=share), own.graph, own.test, own.known)
    return [
        told(f"{name}, ComplEx by its plan", table.test, f"{middle - begun:.0f} CPU seconds"),
        told(f"{name}, paths", found, f"{took:.0f} CPU seconds of training, {len(run.epochs)} epochs"),
        told(
            f"{name}, paths judge the hundred best of ComplEx, share {share:g}",
            judged,
            "share chosen on validation triples",
        ),
        gained(name, judged, table.test),
    ]


def chosen(own: Triples, first: Model, second: Model) -> float:
    """The share with the best MRR on some validation triples."""
    part = own.valid[torch.randperm(len(own.valid), generator=torch.Generator().manual_seed(0))[:VALID]]
    each = {share: rank(Reranked(first, second, share=share), own.graph, part, own.known).mrr for share in SHARES}
    return max(each, key=lambda share: each[share])


def told(name: str, found: Ranking, more: str) -> Figure:
    low, high = bootstrap(found.reciprocals)
    note = f"interval {low:.4f} to {high:.4f}; hits@1 {found.hits(1):.3f}, hits@10 {found.hits(10):.3f}; {more}"
    return Figure(f"test MRR of {name}", found.mrr, note=note)


def gained(name: str, judged: Ranking, alone: Ranking) -> Figure:
    gap: np.ndarray = judged.reciprocals - alone.reciprocals
    low, high = bootstrap(gap)
    note = f"mean {gap.mean():+.4f}, up to {high:+.4f}, paired by triple"
    return Figure(f"low end of what the judge gains over ComplEx alone, {name}", low, 0.0, note=note)
