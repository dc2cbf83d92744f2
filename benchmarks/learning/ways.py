"""The ways to fuse on the bundled sample: new links after the cut, beside structure alone, as `kgrisk fusions` does.

Which way to take is said by the window before the cut; intervals are over seeds (Student), so they hold the luck of a
start. The sample is fictional and small: 3 seeds tell apart only what is large.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import kgrisk
from benchmarks.figure import Figure
from kgrisk.doctor import SAMPLE

CUT: Final = "2023-01-01"
WAYS: Final = ("attention", "late", "early")
SEEDS: Final = 3


def measure() -> list[Figure]:
    with TemporaryDirectory() as folder, kgrisk.open(Path(folder)) as graph:
        graph.ingest(SAMPLE)
        graph.resolve()
        rows = graph.compare_fusions(CUT, WAYS, seeds=SEEDS).rows()
    return [told(row) for row in rows]


def told(row: Mapping[str, Any]) -> Figure:
    """One way: its MRR after the cut, and what it gains over structure alone."""
    note = f"{row['low']:.4f} to {row['high']:.4f} over {row['seeds']} seeds; before the cut {row['valid']:.4f}"
    if row["encoders"]:
        note += f"; gain over structure {row['gain']:+.4f}, {row['gain_low']:+.4f} to {row['gain_high']:+.4f}"
    return Figure(f"MRR of new links, {row['fusion']}{', chosen' if row['chosen'] else ''}", row["mrr"], note=note)
