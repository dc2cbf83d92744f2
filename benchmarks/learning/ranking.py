"""Filtered ranking beside PyKEEN's evaluator: the same vectors, the same ranks, less time and bounded memory.

Vectors are drawn, not trained: the work is the same, and ranks of random scores are as hard to agree on. PyKEEN's model
gets ours copied over; where it asks for heads with the relation itself, our reciprocal relation is its conjugate, which
gives every triple the score it has there.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Final

import numpy as np
import psutil
import torch

from benchmarks.figure import Figure, real_data
from benchmarks.learning.training import peer_factory
from gnn.evaluate import SCORES, Ranking, rank
from gnn.model import Shape
from gnn.models.complex import Complex
from gnn.triples import Triples, read_triples

SETS: Final = {"codex-s": 1828, "wn18rr": 250}
"""Test triples that are ranked."""
DIM: Final = 512
BATCH: Final = 256
"""Triples that PyKEEN scores at once; more is no faster here."""
ROUNDS: Final = 3
TIGHT: Final = 1 << 19


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    logging.getLogger("pykeen").setLevel(logging.ERROR)
    return [figure for name in SETS for figure in _compared(name)]


def _compared(name: str) -> list[Figure]:
    split = read_triples(real_data() / "link-prediction" / name)
    asked, model = split.test[: SETS[name]], drawn(split)
    peer, ratios = peer_model(split, model), []
    for _ in range(ROUNDS):
        begun = time.process_time()
        found = rank(model, split.graph, asked, split.known)
        own = time.process_time() - begun
        begun = time.process_time()
        told = peer_ranks(peer, split, asked)
        ratios.append((time.process_time() - begun) / own)
    off = max(abs(found.mrr - told["inverse_harmonic_mean_rank"]), abs(found.hits(10) - told["hits_at_10"]))
    note = f"{len(asked)} triples, both sides; ours {own:.2f} CPU seconds"
    figures = [Figure(f"{name}: filtered ranking, times as fast as PyKEEN", float(np.median(ratios)), 5.0, note=note)]
    note = f"MRR {found.mrr:.8f} and {told['inverse_harmonic_mean_rank']:.8f}"
    figures.append(Figure(f"{name}: MRR and Hits@10 apart from PyKEEN's", off, 1e-6, least=False, note=note))
    return [*figures, *_memory(name, split, model, found)]


def _memory(name: str, split: Triples, model: Complex, found: Ranking) -> list[Figure]:
    """Memory that ranking all triples adds, by how many scores may be held."""
    figures, asked = [], split.test
    for scores in (TIGHT, SCORES, 1 << 26):
        with Watch() as watch:
            again = rank(model, split.graph, asked, split.known, scores)
        same = bool(torch.allclose(again.tails[: len(found.tails)], found.tails))
        aim = None if scores == 1 << 26 else 14 * scores / 2**20 + 64
        note = f"ranks {'the same' if same else 'not all the same'}; aim: 14 bytes a score and 64 MiB"
        what = f"{name}: memory that ranking with {scores} scores at once adds"
        figures.append(Figure(what, watch.mib, aim, least=False, unit="MiB", note=note))
    return figures


def drawn(split: Triples) -> Complex:
    """A model of random vectors whose reciprocal relations are conjugates."""
    model = Complex(Shape.of(split.graph), dim=DIM, spread=0.3)
    with torch.no_grad():
        real, imag = model.relation[: len(model.relation) // 2].chunk(2, dim=1)
        model.relation.copy_(torch.cat([torch.cat([real, imag], 1), torch.cat([real, -imag], 1)]))
    return model.eval()


def peer_model(split: Triples, model: Complex) -> Any:
    """PyKEEN's ComplEx with these vectors: it stores real and imaginary parts by turns."""
    from pykeen.models import ComplEx

    peer = ComplEx(triples_factory=peer_factory(split, inverse=False), embedding_dim=DIM // 2, random_seed=0)
    tables = (peer.entity_representations[0], model.rows), (peer.relation_representations[0], model.relation)
    with torch.no_grad():
        for theirs, ours in tables:
            weight = theirs._embeddings.weight
            pairs = torch.stack(ours[: len(weight)].chunk(2, dim=1), dim=2)
            weight.copy_(pairs.reshape(weight.shape))
    return peer.eval()


def peer_ranks(peer: Any, split: Triples, asked: torch.Tensor) -> dict[str, float]:
    """MRR and Hits@10 of both sides with mean ties, which PyKEEN calls realistic."""
    from pykeen.evaluation import RankBasedEvaluator

    evaluator = RankBasedEvaluator(filtered=True)
    known = [split.graph.edges, split.valid, split.test]
    found = evaluator.evaluate(peer, asked, batch_size=BATCH, additional_filter_triples=known, use_tqdm=False)
    return {
        key: float(found.get_metric(f"both.realistic.{key}")) for key in ("inverse_harmonic_mean_rank", "hits_at_10")
    }


class Watch:
    """The most memory this process holds while it is open, above what it held before, looked at every millisecond."""

    def __enter__(self) -> Watch:
        self._process, self._end = psutil.Process(), threading.Event()
        self._before = self._peak = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._end.wait(0.001):
            self._peak = max(self._peak, self._process.memory_info().rss)

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()
        self.mib = (self._peak - self._before) / 2**20
