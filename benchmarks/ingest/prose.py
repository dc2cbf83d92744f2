"""Relations in prose beyond the bundled world: paraphrases that nothing was tuned on, and sentences of real filings."""

from __future__ import annotations

import time

from benchmarks.figure import Figure, real_data
from ingest.extract.prose.relations import relations
from tests.paraphrases import MODELS, PUBLISHED, count, rows
from tests.real_sentences import tally


def measure() -> list[Figure]:
    """F1 by relation on either half of the paraphrases, precision and recall on real sentences, and the pace."""
    figures = [
        Figure(f"F1 {name}, {half} half", c.f1, note=f"P {c.precision:.3f} R {c.recall:.3f}, {c.said} said")
        for half in ("test", "dev")
        for name, c in count(half).items()
    ]
    real = tally(real_data())
    figures += [
        Figure("precision, real sentences", real.precision, note=f"{len(real.found)} found in {real.sentences}"),
        Figure("recall, real sentences", real.recall, note=f"{len(real.said)} said"),
    ]
    return [*figures, _pace()]


def _pace() -> Figure:
    text = " ".join(row.sentence for half in ("dev", "test") for row in rows(half))
    relations(text[:2000], MODELS, PUBLISHED)
    began = time.process_time()
    relations(text, MODELS, PUBLISHED)
    return Figure("time per 1,000 characters", 1e6 * (time.process_time() - began) / len(text), unit="ms")
