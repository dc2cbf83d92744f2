"""Drift and decay: is the champion asked of the world it was made for, and do its probabilities still come true?

Both look from its training snapshot, which is the ledger it learned from on the last day a source had published by
then: the bins of every figure it reads are those of that day (gnn/drift.py). Labels that came after that day, and those
alone, say whether its probabilities held.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np

from kg.files import write_whole
from kg.model import iso
from kgrisk.champion import Reign, Told, champion, folder_of
from kgrisk.extras import need
from kgrisk.monitor_finding import Finding
from kgrisk.opened import Opened
from kgrisk.rescoring import latest, scorer, standing, today

REFERENCE: Final = "reference.json"
SCORES: Final = "scores"
FEW_DAYS: Final = 30
"""Days after the training snapshot before which nothing is said of calibration."""
FEW_FIRMS: Final = 20
RETRAIN: Final = "see which source changed; `kgrisk refresh --whole` trains a challenger on what there is now"


@dataclass(frozen=True)
class Drawn:
    """What the champion read and said of all firms at risk at one time."""

    told: Told
    ids: tuple[str, ...]
    columns: dict[str, np.ndarray]
    """(firms,) by figure."""
    scores: np.ndarray
    """(firms,) probabilities."""


def drifted(graph: Opened) -> list[Finding]:
    """PSI of every figure that the champion reads and of its scores; nothing without a champion."""
    reign = champion(graph)
    if reign is None:
        return []
    own = scorer(graph, reign.run)
    bins, now = _reference(graph, reign, own)["bins"], _drawn(graph, own, today(graph, reign))
    figures = sorted({*bins, *now.columns} - {SCORES})
    return [_moved(graph, name, bins, now) for name in (*figures, SCORES)]


def _moved(graph: Opened, name: str, bins: dict[str, Any], now: Drawn) -> Finding:
    room = need("gnn.drift", "learn")
    values = now.scores if name == SCORES else now.columns.get(name, np.full(len(now.ids), np.nan))
    kept = bins.get(name)
    then = room.Bins(tuple(kept["edges"]), tuple(kept["counts"])) if kept else room.Bins((), (0, len(now.ids)))
    value, chance = then.moved(values)
    share = float(np.isfinite(values).mean()) if len(values) else 0.0
    note = f"{len(values)} firms, {share:.0%} with a value; chance alone stays below {chance:.3f}"
    what = name if name == SCORES else f"feature {name}"
    return Finding("drift", what, value, max(graph.settings.psi, chance), "PSI", note, RETRAIN)


def decayed(graph: Opened) -> list[Finding]:
    """Calibration error of the champion on labels that came after its training snapshot, beside that at training."""
    reign = champion(graph)
    if reign is None:
        return []
    own, room = scorer(graph, reign.run), need("gnn.drift", "learn")
    then, now = _told_then(graph, own), today(graph, reign)
    days = (now.day - then.day) / timedelta(days=1)
    kept = _reference(graph, reign, own)
    if days < FEW_DAYS or len(kept["ids"]) < FEW_FIRMS:
        few = (
            f"{max(days, 0):.0f} days and {len(kept['ids'])} firms since the training snapshot are too few to judge by"
        )
        return [Finding("calibration", "scores", None, None, "ECE", few)]
    window = int(own.facts["settings"]["window"])
    share = min(1.0, days / (window * 365.25 / 12))
    fell = own.fell(standing(graph, now), then.day, min(now.day, then.day + timedelta(days=window * 365.25 / 12)))
    truth = np.array([float(id in fell) for id in kept["ids"]])
    said = room.by_then(np.array(kept["scores"]), share)
    error, chance, brier = room.decay(said, truth)
    before = _at_training(own)
    limit = max(before["ece"] + graph.settings.calibration, chance)
    note = (
        f"{len(truth)} firms scored for {then.day:%Y-%m-%d}, {int(truth.sum())} fell in {days:.0f} days and "
        f"{said.sum():.1f} were expected; Brier score {brier:.4f}; at training ECE {before['ece']:.4f}, Brier score "
        f"{before['brier']:.4f}; true probabilities stay below {chance:.4f}"
    )
    return [Finding("calibration", "scores", error, limit, "ECE", note, RETRAIN)]


def _at_training(own: Any) -> dict[str, float]:
    """Calibration error and Brier score of the published head on its held-out window; 0 where there was no test."""
    rows = [m for m in own.facts["metrics"] if m["task"] == "risk" and m["model"] == own.facts["head"]]
    found = {m["metric"]: m["value"] for m in rows}
    return {name: float(found.get(name) or 0.0) for name in ("ece", "brier")}


def _told_then(graph: Opened, own: Any) -> Told:
    """The training snapshot of a run."""
    return latest(graph, int(own.facts["commit"]))


def _drawn(graph: Opened, own: Any, told: Told) -> Drawn:
    cohort = own.cohort(standing(graph, told))
    table = own.scores(cohort)
    return Drawn(
        told, tuple(table["id"].to_pylist()), need("gnn.drift", "learn").columns(cohort), table["distress"].to_numpy()
    )


def _reference(graph: Opened, reign: Reign, own: Any) -> dict[str, Any]:
    """Bins and scores at the training snapshot; made once and kept beside the run."""
    told, path = _told_then(graph, own), folder_of(graph, reign.run) / REFERENCE
    mark = {"commit": told.commit, "day": iso(told.day)}
    if path.is_file():
        kept: dict[str, Any] = json.loads(path.read_text())
        if {name: kept.get(name) for name in mark} == mark:
            return kept
    drawn, room = _drawn(graph, own, told), need("gnn.drift", "learn")
    bins = {name: room.Bins.of(values) for name, values in {**drawn.columns, SCORES: drawn.scores}.items()}
    told_bins = {name: {"edges": list(one.edges), "counts": list(one.counts)} for name, one in bins.items()}
    made = {**mark, "ids": list(drawn.ids), "scores": drawn.scores.tolist(), "bins": told_bins}
    write_whole(path, json.dumps(made).encode())
    return made
