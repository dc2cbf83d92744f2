"""Filtered ranking beside PyKEEN's evaluator: the same vectors, the same ranks, less time and bounded memory.

Vectors are drawn, not trained: the work is the same, and ranks of random scores are as hard to agree on. PyKEEN's model
gets ours copied over; where it asks for heads with the relation itself, our reciprocal relation is its conjugate, which
gives every triple the score it has there.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from typing import Any, Final

import numpy as np
import torch

from benchmarks.figure import Figure, peak_mib, real_data
from benchmarks.learning.training import peer_factory
from gnn.evaluate import SCORES, rank
from gnn.model import Shape
from gnn.models.complex import Complex
from gnn.triples import Triples, read_triples

SETS: Final = {"codex-s": 1828, "wn18rr": 250}
"""Test triples that are ranked."""
DIM: Final = 512
BATCH: Final = 256
"""Triples that PyKEEN scores at once; more is no faster here."""
ROUNDS: Final = 3
BOUNDS: Final = (1 << 19, SCORES, 1 << 26)
"""Scores held at once."""


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    logging.getLogger("pykeen").setLevel(logging.ERROR)
    return [figure for name in SETS for figure in (*_compared(name), *_memory(name))]


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
    return figures


def _memory(name: str) -> list[Figure]:
    """Memory that ranking all triples adds, by how many scores may be held, each in a child process of its own."""
    told = {scores: _child(name, scores) for scores in BOUNDS}
    figures = []
    for scores, own in told.items():
        aim = 14 * scores / 2**20 + 64
        same = "the same" if abs(own["mrr"] - told[BOUNDS[0]]["mrr"]) < 1e-9 else "not the same"
        note = f"peak {own['peak']:.0f} MiB, {own['before']:.0f} before; MRR {same}; aim: 14 bytes a score and 64 MiB"
        what = f"{name}: peak memory that ranking with {scores} scores at once adds"
        figures.append(Figure(what, own["peak"] - own["before"], aim, least=False, unit="MiB", note=note))
    return figures


def _child(name: str, scores: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.learning.ranking", name, str(scores)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def alone(name: str, scores: int) -> dict[str, float]:
    """Peak memory of this process before and after it ranked, and the MRR; one question before warms torch up."""
    torch.set_num_threads(1)
    split = read_triples(real_data() / "link-prediction" / name)
    model, known = drawn(split), split.known
    rank(model, split.graph, split.test[:1], known, scores)
    before = peak_mib()
    return {"before": before, "mrr": rank(model, split.graph, split.test, known, scores).mrr, "peak": peak_mib()}


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


if __name__ == "__main__":
    print(json.dumps(alone(sys.argv[1], int(sys.argv[2]))))
