"""Every link model over the graph of the bundled sample, at the cut of the demo: one seed, one budget of epochs.

Each is taught as `kgrisk train --model NAME` teaches it, with words and figures of each node; what is published after
the cut is ranked, beside counting and the relational network without features. Then the other losses, pre-training and
paths that judge, beside the relational network as it is. CPU seconds are those of both fits, of the calibration and
of the ranking.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.figure import Figure
from gnn.evaluate import Ranking, bootstrap, rank
from gnn.learned import COUNTS, FUSED, STRUCTURE, Learned, Window, judged_by, learn, windows
from gnn.losses import LOSSES
from gnn.model import exact
from gnn.pipeline import chosen_encoders
from gnn.settings import Settings
from gnn.teaching import JUDGE
from gnn.views import Views
from ingest.pipeline import run
from ingest.resolve import resolve
from kg import plugins
from kg.files import Files
from kg.ledger import Ledger
from kg.model import as_time

log = logging.getLogger(__name__)
SAMPLE: Final = Path(__file__).parents[2] / "kgrisk" / "sample" / "data"
BUDGET: Final = Settings(epochs=40, modalities=("text", "numeric"))
DEAR: Final = {JUDGE: {"epochs": 10, "dim": 32}}
"""What a model is given less of, as a pass of its own costs many times that of the others."""
LESSONS: Final[tuple[dict[str, Any], ...]] = (
    *({"loss": name} for name in LOSSES),
    *({"pretrain": 10, "pretrain_by": way} for way in ("masked", "contrast")),
)
BEST: Final = 20
"""So many answers of the usual model are put in order by paths."""


def measure() -> list[Figure]:
    with TemporaryDirectory(prefix="sample-") as folder, exact(1):
        both = sample(Path(folder))
        graph, later = both[1].graph, both[1].later
        size = Figure("sample: links first published after the cut", len(later.triples), note=f"{len(graph)} nodes")
        return [size, *_models(both)]


def sample(folder: Path) -> tuple[Window, Window]:
    """The sample read into a ledger below a folder; its graph before the cut, and what came after it."""
    cut = as_time(datetime.fromisoformat(json.loads((SAMPLE / "truth.json").read_text())["cut"][:10]).date())
    with Ledger.open(folder / "ledger") as ledger:
        files = Files(folder / "files")
        run(SAMPLE, ledger, files, folder)
        resolve(ledger, files)
        views = Views(ledger, files, folder / "cache")
        return windows(views, chosen_encoders(views, cut, BUDGET), cut, BUDGET.window)


def _models(both: tuple[Window, Window]) -> Iterator[Figure]:
    counts = _taught(COUNTS, both, {"model": COUNTS})
    plain = _taught(STRUCTURE, (both[0].bare(), both[1].bare()), {})
    beside = {COUNTS: counts.ranks, STRUCTURE: plain.ranks}
    yield _told(counts, {})
    yield _told(plain, {})
    found = {}
    for name in plugins.names("gnn.models"):
        if name != COUNTS:
            found[name] = _taught(name, both, {"model": name, **DEAR.get(name, {})})
            yield _told(found[name], beside)
    beside = {FUSED: found[FUSED].ranks}
    for lesson in LESSONS:
        yield _told(_taught(f"{FUSED}, {' '.join(map(str, lesson.values()))}", both, lesson), beside)
    begun = time.process_time()
    judged = judged_by(found[FUSED].one, found[JUDGE].one, both, BEST, 0)
    yield _told(_ranked(f"{FUSED}, its best {BEST} judged by {JUDGE}", judged, both, "", begun), beside)


@dataclass(frozen=True)
class Taught:
    """A model, its ranks after the cut, and what it took."""

    title: str
    one: Learned
    ranks: Ranking
    note: str


def _taught(title: str, both: tuple[Window, Window], how: Mapping[str, Any]) -> Taught:
    begun = time.process_time()
    one, runs = learn(title, both, replace(BUDGET, **how), 0, 0, log.debug)
    own = runs.get(title)
    chosen = f"before the cut {own.value:.4f} at epoch {own.best} of {len(own.epochs)}; " if own else ""
    return _ranked(title, one, both, chosen, begun)


def _ranked(title: str, one: Learned, both: tuple[Window, Window], said: str, begun: float) -> Taught:
    ranks = rank(one.model, one.graph, both[1].later.triples)
    return Taught(title, one, ranks, f"{said}{time.process_time() - begun:.1f} CPU s")


def _told(own: Taught, beside: Mapping[str, Ranking]) -> Figure:
    low, high = bootstrap(own.ranks.reciprocals)
    note = f"95 % {low:.4f} to {high:.4f}; {own.note}"
    for name, other in beside.items():
        gap = own.ranks.reciprocals - other.reciprocals
        least, most = bootstrap(gap)
        note += f"; less {name} {gap.mean():+.4f} ({least:+.4f} to {most:+.4f})"
    return Figure(f"{own.title}: test MRR", own.ranks.mrr, note=note)
