"""ComplEx by its own plan on public sets, as `kgrisk train --triples DIR` runs it, beside what others tell of it.

One plan for all sets: nothing is chosen per set, and nothing on a test part. LibKGE's figures are those of its table of
tuned models; kbc's and its successor's are for rank 1000 and more. WN18RR is bound to MINUTES.
"""

from __future__ import annotations

import time
from typing import Final

import torch

from benchmarks.figure import Figure, real_data
from gnn.evaluate import bootstrap
from gnn.trial import Trial, trial
from gnn.triples import read_triples

AIMS: Final = {"codex-s": 0.47, "umls": None, "nations": None, "wn18rr": 0.475}
MINUTES: Final = {"wn18rr": 13.0}
TOLD: Final = {
    "codex-s": "LibKGE ComplEx .465, ComplEx-N3 with relation prediction .473",
    "wn18rr": "LibKGE ComplEx .475, ComplEx-N3 .487",
}


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    figures = []
    for name, aim in AIMS.items():
        split, begun = read_triples(real_data() / "link-prediction" / name), time.process_time()
        found = trial("complex", split, minutes=MINUTES.get(name))
        seconds = time.process_time() - begun
        figures += _told(name, aim, found, seconds)
    return figures


def _told(name: str, aim: float | None, found: Trial, seconds: float) -> list[Figure]:
    own, (low, high) = found.figures(), bootstrap(found.test.reciprocals)
    note = f"95 % {low:.4f} to {high:.4f}, Hits@1 {own['hits@1']:.3f}, Hits@10 {own['hits@10']:.3f}; "
    note += f"valid {found.run.value:.4f} at epoch {found.run.best}; {seconds:.0f} CPU seconds"
    figures = [Figure(f"{name}: test MRR", own["mrr"], aim, note=f"{note}; {TOLD.get(name, '')}".rstrip("; "))]
    if name == "codex-s":
        figures.append(Figure(f"{name}: CPU seconds", seconds, 3600.0, least=False, unit="s"))
    if found.calls is not None:
        note = f"F1 {found.calls['f1']:.3f}; thresholds by relation from validation"
        figures.append(Figure(f"{name}: accuracy on hard wrong triples", found.calls["accuracy"], note=note))
    return figures
