"""The detector of payments on the graph of the AMLSim sample: edges of a day, flags of accounts, each claim dated.

The tar file is read as any source is; training is on what was published up to day 111 (of it the last 20 days choose),
the test on what came after. The flags stand in the graph from the first day on, as the sample gives them no date.
"""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.figure import Figure, real_data
from gnn.payments.amlsim import START
from kgrisk.api import open as open_graph

CUT: Final = START + timedelta(days=111)
MEMBERS: Final = {
    "boosting, raw columns": "boosting, raw columns",
    "boost": "boosting, raw and graph",
    "network": "network",
    "both": "both",
}


def measure() -> list[Figure]:
    with TemporaryDirectory() as folder, open_graph(Path(folder) / "home") as graph:
        given = Path(folder) / "in"
        given.mkdir()
        copy(next((real_data() / "aml").glob("*.tgz")), given)
        began = time.process_time()
        graph.ingest(given)
        read = time.process_time() - began
        found = graph.payments.train(CUT)
        spent = time.process_time() - began - read
        told = found.detector
        figures = [
            Figure("the sample becomes a graph", read, unit="CPU-seconds"),
            Figure("detector trained and tested on it", spent, unit="CPU-seconds"),
            Figure("weight of the network", told.share, note=f"AUPRC on validation {dict(told.tried)}"),
        ]
        for row in found.metrics.to_pylist():
            note = f"95 % {row['low']:.3f} to {row['high']:.3f}, {row['count']} payments"
            figures.append(Figure(f"{MEMBERS[row['model']]}: {row['metric']}", row["value"], note=note))
        figures += [Figure("remarks of the run", len(found.remarks), note=" ".join(found.remarks))]
        rows = graph.payments.score(CUT).rows()
        scores = [row["probability"] for row in rows[:1_000]]
        same = 1 - len(set(scores)) / len(scores)
        return [*figures, Figure("probabilities of the top 1,000 that repeat another", same)]
