"""Extraction on the bundled fictional world: F1 by relation over all its wordings, and over those held out."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figure import Figure
from ingest.extract.prose.score import score
from ingest.pipeline import run
from kg.files import Files
from kg.ledger import Ledger
from kgrisk.doctor import SAMPLE

AIM = 0.85


def measure() -> list[Figure]:
    """F1 of each relation and event; held-out wordings are told beside it and have no aim of their own."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        with Ledger.open(home / "ledger") as ledger:
            run(SAMPLE, ledger, Files(home / "files"), home, sources=("registers", "news"))
            rows = score(ledger.alive(), SAMPLE / "truth.json").to_pylist()
    every = [_figure(row, AIM) for row in rows if row["forms"] == "all"]
    return every + [_figure(row, None) for row in rows if row["forms"] == "held out"]


def _figure(row: dict[str, float | str | None], aim: float | None) -> Figure:
    precision, recall = (f"{row[name] or 0:.3f}" for name in ("precision", "recall"))
    note = f"P {precision} R {recall}, {row['denied_asserted']} of {row['denied']} denied ones asserted"
    return Figure(f"F1 {row['relation']}, {row['forms']} wordings", float(row["f1"] or 0), aim, note=note)
