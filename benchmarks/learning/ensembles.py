"""The ensemble of links and of distress beside its members, by log loss on what came after the cut.

A member is judged by its mean over worlds: that is the best one that anybody could have named beforehand. The best in
each world apart is known only after its test, so the ensemble's loss against that one is told and has no aim.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from benchmarks.figure import Figure
from benchmarks.learning.modalities import interval
from gnn.pipeline import Settings, TrainResult, train
from tests.gnn_world import CUT, build

WORLDS: Final = range(20270, 20282)
"""Looked at once; how to join was settled on worlds 0 to 2 and 101 to 113."""
ASKED: Final = Settings(epochs=12, dim=32, modalities=("numeric",), links_each=2, seeds=2)
WHOLE: Final = "ensemble"


def run(folder: Path, seed: int) -> TrainResult:
    """A world and a run of their own for each seed."""
    own = build(folder / "world", firms=80, seed=seed)
    return train(own.ledger, own.files, CUT, seed=seed, out=folder / "runs", settings=ASKED)


def measure() -> list[Figure]:
    with TemporaryDirectory() as name:
        found = [run(Path(name) / str(seed), seed) for seed in WORLDS]
    return [figure for task in ("links", "risk") for figure in beside(task, [_losses(one, task) for one in found])]


def beside(task: str, losses: Sequence[Mapping[str, float]]) -> Iterator[Figure]:
    """What the ensemble gains on the best member of all worlds, and on the best of each."""
    table = {name: np.array([own[name] for own in losses]) for name in losses[0]}
    members = {name: row for name, row in table.items() if name != WHOLE}
    best = min(members, key=lambda name: members[name].mean())
    gain = members[best] - table[WHOLE]
    low, high = interval(gain)
    means = "; ".join(f"{name} {row.mean():.4f}" for name, row in sorted(table.items()))
    note = f"best member {best}; 95 % interval {low:+.4f} to {high:+.4f} over {len(losses)} worlds; {means}"
    yield Figure(f"{task}: log loss the ensemble gains on its best member", float(gain.mean()), 0.0, note=note)
    apart = np.stack(list(members.values())).min(0) - table[WHOLE]
    note = f"ahead in {int((apart >= 0).sum())} of {len(losses)} worlds"
    yield Figure(f"{task}: log loss it gains on the best of each world", float(apart.mean()), note=note)


def _losses(result: TrainResult, task: str) -> dict[str, float]:
    rows = [m for m in result.metrics.to_pylist() if m["task"] == task and m["metric"] == "log_loss"]
    return {row["model"]: row["value"] for row in rows if row["model"] != "base_rate"}
