"""ComplEx by its own plan on public sets, as `kgrisk train --triples DIR` runs it, beside what others tell of it.

One plan for all sets, chosen on validation triples of CoDEx-S, where the mean of three seeds is told; their scores
added up, which is one ComplEx of three times the width, are a row of their own. LibKGE's figure is that of its table of
tuned models.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch

from benchmarks.figure import Figure, real_data
from gnn.evaluate import Ranking, bootstrap, rank
from gnn.model import Model, Shape
from gnn.models.complex import Complex
from gnn.trial import Trial, trial
from gnn.triples import Triples, read_triples

CODEX: Final = "codex-s"
OTHERS: Final = ("umls", "nations")
SEEDS: Final = 3
AIM: Final = 0.47
TOLD: Final = "LibKGE ComplEx .465, ComplEx-N3 with relation prediction at rank 1000 .473"


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    figures = codex()
    for name in OTHERS:
        found, seconds = timed(read(name), 0)
        figures.append(Figure(f"{name}: test MRR", found.test.mrr, note=said(found, seconds)))
    return figures


def read(name: str) -> Triples:
    return read_triples(real_data() / "link-prediction" / name)


def timed(split: Triples, seed: int) -> tuple[Trial, float]:
    """A trial by the plan, and its CPU seconds."""
    begun = time.process_time()
    return trial("complex", split, seed=seed), time.process_time() - begun


def codex() -> list[Figure]:
    """Each seed, their mean beside the aim, and the scores of all added up."""
    split = read(CODEX)
    runs = [timed(split, seed) for seed in range(SEEDS)]
    values = np.array([found.test.mrr for found, _ in runs])
    each = ", ".join(f"{value:.4f}" for value in values)
    seconds = max(spent for _, spent in runs)
    together = added([found.model for found, _ in runs], split)
    calls = [found.calls for found, _ in runs if found.calls is not None]
    figures = [
        Figure(f"{CODEX}: test MRR, mean of {SEEDS} seeds", float(values.mean()), AIM, note=f"seeds {each}; {TOLD}"),
        Figure(f"{CODEX}: CPU seconds, the slowest seed", seconds, 3600.0, least=False, unit="s"),
        Figure(f"{CODEX}: test MRR, scores of the seeds added up", together.mrr, note=_hits(together)),
    ]
    for seed, run in enumerate(runs):
        figures.append(Figure(f"{CODEX}: test MRR, seed {seed}", run[0].test.mrr, note=said(*run)))
    for what in ("accuracy", "f1"):
        value = float(np.mean([own[what] for own in calls]))
        note = "mean of the seeds; thresholds by relation from validation"
        figures.append(Figure(f"{CODEX}: {what} on hard wrong triples", value, note=note))
    return figures


def added(models: Sequence[Model], split: Triples) -> Ranking:
    """Ranks by the sum of the scores: their vectors laid side by side, real halves first."""
    tables = [(own.rows.detach(), own.relation.detach()) for own in models if isinstance(own, Complex)]
    whole = Complex(Shape.of(split.graph), dim=sum(rows.shape[1] for rows, _ in tables))
    for name, kept in zip(("rows", "relation"), zip(*tables, strict=True), strict=True):
        halves = [own.chunk(2, dim=1) for own in kept]
        wide = torch.cat([real for real, _ in halves] + [imag for _, imag in halves], dim=1)
        getattr(whole, name).data.copy_(wide)
    return rank(whole, split.graph, split.test, split.known)


def said(found: Trial, seconds: float) -> str:
    run = found.run
    return f"{_hits(found.test)}; valid {run.value:.4f} at epoch {run.best}; {seconds:.0f} CPU seconds"


def _hits(found: Ranking) -> str:
    low, high = bootstrap(found.reciprocals)
    return f"95 % {low:.4f} to {high:.4f}, Hits@1 {found.hits(1):.3f}, Hits@10 {found.hits(10):.3f}"
