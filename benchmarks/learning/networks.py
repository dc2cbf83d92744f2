"""Networks that pass messages on CoDEx-S, by their plan and three minutes each, as `kgrisk train --triples` runs them.

Told beside ComplEx (`records`): by the literature no gain over it is to be expected on such a set. One seed.
"""

from __future__ import annotations

import time
from typing import Final

import torch

from benchmarks.figure import Figure, real_data
from gnn.evaluate import bootstrap
from gnn.trial import trial
from gnn.triples import read_triples

NAMES: Final = ("relational", "rgcn", "gcn")
MINUTES: Final = 3.0


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    split, figures = read_triples(real_data() / "link-prediction" / "codex-s"), []
    for name in NAMES:
        begun = time.process_time()
        found = trial(name, split, minutes=MINUTES)
        own, (low, high) = found.figures(), bootstrap(found.test.reciprocals)
        note = f"95 % {low:.4f} to {high:.4f}, Hits@1 {own['hits@1']:.3f}, Hits@10 {own['hits@10']:.3f}; "
        note += f"valid {found.run.value:.4f} at epoch {found.run.best} of {len(found.run.epochs)}; "
        note += f"{time.process_time() - begun:.0f} CPU seconds"
        figures.append(Figure(f"codex-s, {name}: test MRR", own["mrr"], note=note))
    return figures
