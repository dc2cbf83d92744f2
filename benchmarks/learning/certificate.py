"""The no-peek certificate of a whole run, and what it costs beside the run itself."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figure import Figure
from gnn.peek import certificate
from gnn.pipeline import Settings, train
from kg.ledger import Ledger
from kg.model import AsOf
from tests.gnn_world import CUT, build

QUICK = Settings(epochs=8, dim=16, modalities=("numeric",), links_each=5)


def measure() -> list[Figure]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        own = build(folder / "world", firms=24)
        spent = []
        for number, certify in enumerate(("off", "off", "small")):  # the first run pays for imports and caches
            began = time.process_time()
            settings = replace(QUICK, certify=certify)  # type: ignore[arg-type]  # one of the two
            result = train(own.ledger, own.files, CUT, out=folder / str(number), settings=settings)
            spent.append(time.process_time() - began)
        proof = result.certificate
        assert proof is not None
        leaky = certificate(lambda ledger, files: {"degree": future(ledger)}, own.ledger, own.files, CUT)  # type: ignore[arg-type]  # a ledger
    note = f"{proof.changed} claims made up anew, {proof.kept} kept"
    return [
        Figure("scores at the cut that stayed the same, small scale", float(proof.holds), 1.0, note=note),
        Figure("a degree counted over all days is caught", float(not leaky.holds), 1.0),
        Figure(
            "CPU time of the small certificate beside its run",
            (spent[2] - spent[1]) / spent[1],
            note="share of the run",
        ),
    ]


def future(ledger: Ledger) -> bytes:
    """The planted leak: it reads the ledger of today."""
    return repr(sorted(ledger.view(AsOf()).edges["source"].to_pylist())).encode()
