"""The link models there are, and trials of them on plain files, so that anyone can check them on a public benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from kg.memory import peak_bytes
from kgrisk.console import progress
from kgrisk.extras import need
from kgrisk.result import Result
from kgrisk.settings import Settings


def on_triples(
    folder: Path,
    model: str,
    minutes: float | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    device: str = "cpu",
) -> dict[str, Any]:
    """Figures of a model that learned `train.txt` and is ranked on `test.txt`: filtered, mean ties, both sides.

    ModelError if the folder cannot be read or there is no such model or device.
    """
    split, settings = need("gnn.triples", "learn").read_triples(folder), Settings.load()
    found = need("gnn.trial", "learn").trial(
        model,
        split,
        minutes=minutes,
        seed=settings.seed if seed is None else seed,
        changes={"recipe": {"epochs": epochs}} if epochs else None,
        threads=settings.threads,
        device=device,
        progress=progress,
    )
    return {
        "model": model,
        **({"device": device} if device != "cpu" else {}),
        "test": found.figures(),
        "seconds": round(found.seconds, 3),
        "peak_memory_bytes": peak_bytes(),
        "valid": {"mrr": found.validated, "epoch": found.run.best},
        "triples": {"train": len(split.graph.edges), "valid": len(split.valid), "test": len(split.test)},
        "unseen": split.unseen,
        "unseen_relations": split.unseen_relations,
        "remarks": [*split.remarks, *found.remarks],
        "wrong_triples": found.calls,
        "certificate": need("gnn.peek_triples", "learn").certified(found.model, split),
    }


def models() -> Result:
    """Every link model: what it is, whether it learns on a graph and on plain triples, and what it can be asked for."""
    return Result(pa.Table.from_pylist(need("gnn.teaching", "learn").table()), "models")


def rows_of(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures as a table: both sides and each alone."""
    sides = {"both": {k: v for k, v in told["test"].items() if isinstance(v, float)}}
    sides |= {side: told["test"][side] for side in ("head", "tail")}
    return [{"side": side, **{k: round(v, 4) for k, v in row.items()}} for side, row in sides.items()]
