"""The ensemble of links and of distress beside its best member, by log loss on what came after the cut."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from benchmarks.figure import Figure
from gnn.pipeline import Settings, TrainResult, train
from tests.gnn_world import CUT, build

SEEDS: Final = 3
ASKED: Final = Settings(epochs=12, dim=32, modalities=("numeric",), links_each=2, seeds=2)


def run(folder: Path, seed: int) -> TrainResult:
    """A world and a run of their own for each seed."""
    own = build(folder / "world", firms=80, seed=seed)
    return train(own.ledger, own.files, CUT, seed=seed, out=folder / "runs", settings=ASKED)


def measure() -> list[Figure]:
    with TemporaryDirectory() as name:
        found = [run(Path(name) / str(seed), seed) for seed in range(SEEDS)]
    figures = []
    for task in ("links", "risk"):
        losses = [_losses(result, task) for result in found]
        gain = np.array([min(v for k, v in own.items() if k != "ensemble") - own["ensemble"] for own in losses])
        means = {name: float(np.mean([own[name] for own in losses])) for name in losses[0]}
        note = "; ".join(f"{name} {value:.3f}" for name, value in sorted(means.items()))
        note += f"; by seed {', '.join(f'{value:+.4f}' for value in gain)}"
        figures.append(
            Figure(f"{task}: log loss the ensemble gains on its best member", float(gain.mean()), 0.0, note=note)
        )
    return figures


def _losses(result: TrainResult, task: str) -> dict[str, float]:
    rows = [m for m in result.metrics.to_pylist() if m["task"] == task and m["metric"] == "log_loss"]
    return {row["model"]: row["value"] for row in rows if row["model"] != "base_rate"}
