"""One-step-ahead link prediction beside the recurrency baseline: planted laws, and transfers between accounts.

Planted: tests/planted_times.py, three seeds. Transfers (aml of KGRISK_REAL_DATA, synthetic by IBM AMLSim): heads and
tails are accounts, the relation is the band of the amount in tenfold steps, the step is the day; the last tenth of the
days is the test, the tenth before it the validation. The baseline fades over as many steps as validate best; the model
takes the same fading, so that it starts from the stronger floor. Everything else is chosen by validation too.
"""

from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import torch

from benchmarks.figure import Figure, real_data
from gnn.evaluate import Ranking, bootstrap
from gnn.model import Shape
from gnn.models.frequency import Frequency
from gnn.temporal import rank_ahead
from gnn.trial import trial
from gnn.triples import Triples, read_triples
from tests.planted_times import planted, write

SEEDS: Final = 3
FADES: Final = (2.0, 8.0, 32.0, 128.0, 1e6)
DAYS: Final = (0.8, 0.9)


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        return [*_planted(Path(folder)), *_transfers(Path(folder))]


def faded(split: Triples) -> float:
    """Steps of fading with which counting does best on the validation part."""
    shape = Shape.of(split.graph)
    return max(FADES, key=lambda fade: rank_ahead(Frequency(shape, fade=fade), split, 1).mrr)


def compared(split: Triples, seed: int, recipe: dict[str, Any]) -> tuple[float, Ranking, Ranking, float]:
    """Fading chosen, ranks by counting and by the model, and seconds of the latter."""
    fade = faded(split)
    changes = {"settings": {"fade": min(fade, 128.0)}, "recipe": recipe}
    found = trial("temporal", split, seed=seed, changes=changes)
    return fade, rank_ahead(Frequency(Shape.of(split.graph), fade=fade), split), found.test, found.seconds


def _planted(folder: Path) -> list[Figure]:
    runs, laws = [], []
    for seed in range(SEEDS):
        split = read_triples(write(folder, planted(seed=seed)))
        fade, counted, learned, seconds = compared(split, seed, {})
        runs.append((counted.mrr, learned.mrr, fade, seconds))
        laws.append([[_of(ranks, k) for ranks in (counted, learned)] for k in range(len(words(split)))])
    before, after, fades, seconds = np.array(runs).T
    ratio = after / before
    note = (
        f"counting {before.mean():.3f}; ratio per seed {', '.join(f'{r:.2f}' for r in ratio)}; {seconds.mean():.0f} s"
    )
    per_law = zip(words(split), np.array(laws).mean(0), strict=True)
    return [
        Figure("planted: MRR over counting, mean of three seeds", float(ratio.mean()), 1.1, note=note),
        Figure("planted: MRR", float(after.mean()), note=f"fading of the baseline {sorted({*fades.tolist()})}"),
        *(Figure(f"planted: MRR of {law}", float(own[1]), note=f"counting {own[0]:.3f}") for law, own in per_law),
    ]


def words(split: Triples) -> tuple[str, ...]:
    return split.graph.vocabulary.relations


def _of(ranks: Ranking, relation: int) -> float:
    return ranks.where(ranks.triples[:, 1] == relation).mrr


def _transfers(folder: Path) -> list[Figure]:
    split = transfers(folder)
    fade, counted, learned, seconds = compared(split, 0, {"epochs": 4, "patience": 2})
    gain = learned.reciprocals - counted.reciprocals
    low, high = bootstrap(gain)
    known = {tuple(row) for row in split.graph.edges[:, [0, 2]].tolist()}
    new = torch.tensor([(h, t) not in known for h, _, t in learned.triples.tolist()])
    note = f"counting {counted.mrr:.4f} (fading {fade:g} days); gain {low:+.4f} to {high:+.4f}; {seconds:.0f} s"
    pairs = f"counting {counted.where(new).mrr:.4f}; {float(new.double().mean()):.0%} of the test"
    hits = f"counting {counted.hits(10):.4f}"
    return [
        Figure("transfers: MRR over counting", learned.mrr / counted.mrr, 1.1, note=note),
        Figure("transfers: MRR", learned.mrr, note=f"{len(learned.triples)} triples of the last days"),
        Figure("transfers: hits@10", learned.hits(10), note=hits),
        Figure("transfers: MRR of pairs that no training transfer links", learned.where(new).mrr, note=pairs),
    ]


def transfers(folder: Path) -> Triples:
    """Transfers of the aml sample as timed triples, split by day."""
    with tarfile.open(next((real_data() / "aml").glob("*.tgz"))) as archive:
        name = next(name for name in archive.getnames() if name.endswith("transactions.csv"))
        file = archive.extractfile(name)
        assert file is not None
        rows = list(csv.DictReader(io.TextIOWrapper(file, "utf-8")))
    days = np.array([int(row["time"]) for row in rows])
    ends = [int(np.quantile(np.unique(days), share)) for share in DAYS]
    parts: list[list[str]] = [[], [], []]
    for row, part in zip(rows, np.searchsorted(ends, days, side="right").tolist(), strict=True):
        band = f"TRANSFER_1e{int(np.log10(max(float(row['value']), 1.0)))}"
        parts[part].append("\t".join([row["sourceNodeId"], band, row["targetNodeId"], row["time"]]))
    for name, lines in zip(("train", "valid", "test"), parts, strict=True):
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return read_triples(folder)
