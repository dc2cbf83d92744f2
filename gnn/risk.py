"""Distress within twelve months: heads compared on the cohort after the cut, and calibrated scores of firms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from gnn.calibrate import Platt, expected_error, platt
from gnn.encoder import Encoder
from gnn.evaluate import auprc, auroc, bootstrap, brier
from gnn.head import Cohort, Head, cohort, distress_dates, fallen
from gnn.heads.base_rate import BaseRate
from gnn.heads.logistic import Logistic, log_loss
from gnn.heads.network import Network
from gnn.heads.propagated import Propagated
from gnn.result import SCORE_ROWS, TESTED_ROWS
from gnn.settings import Report, Settings
from gnn.views import Views, months
from gnn.vocabulary import LABELS

BASELINES: Final[tuple[type[Head], ...]] = (BaseRate, Logistic)
"""What the graph has to beat: the rate of the past, and a regression on a firm's own facts."""
GRAPHS: Final[tuple[type[Head], ...]] = (Propagated, Network)
"""Heads that read the graph; the one that did better before the cut is published."""


@dataclass(frozen=True)
class Scored:
    """One head, fitted on the cohorts before the cut."""

    name: str
    probability: np.ndarray
    """(firms,) of the cohort at the cut, calibrated."""
    valid_loss: float
    """Log loss of the predictions ahead of time, by which the head to publish is chosen: the test is not looked at."""


def assess(
    kind: type[Head], past: Sequence[Cohort], now: Cohort, seed: int, threads: int, state: Path | None = None
) -> Scored:
    """Fit as time went by, calibrate on the cohorts that were still ahead then, and fit on all of them for the last.

    `past` is in order of time. Cohort k is predicted by a head fitted on those before it, with the one just before
    it as its validation cohort; these predictions, of all k >= 2, are what the scores are calibrated on. `state` is a
    folder from which a stopped fit goes on.
    """

    def fitted(k: int) -> Head:
        head = kind(seed, threads, state and state / f"{kind.name}-{k}")
        head.fit(past[: k - 1], past[k - 1])
        return head

    ahead = [(fitted(k).predict(past[k]), past[k].truth) for k in range(2, len(past))]
    raw, truth = (np.concatenate(parts) for parts in zip(*ahead, strict=True))
    scale = scale_of(raw, truth)
    final = fitted(len(past)).predict(now)
    return Scored(kind.name, scale(logit(final)), log_loss(truth, scale(logit(raw))))


def scale_of(raw: np.ndarray, truth: np.ndarray) -> Platt:
    """Calibration on predictions ahead of time; the identity where they saw one outcome only or have no spread."""
    if not 0 < truth.sum() < len(truth) or np.ptp(raw) < 1e-9:
        return Platt(1.0, 0.0)
    return platt(logit(raw), truth)


def logit(probability: np.ndarray) -> np.ndarray:
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    odds: np.ndarray = np.log(p / (1 - p))
    return odds


def figures(
    truth: np.ndarray, probability: np.ndarray, seed: int
) -> list[tuple[str, float, float | None, float | None]]:
    """(metric, value, low, high) with bootstrap intervals over firms."""
    both = np.stack([truth, probability], axis=1)
    rows: list[tuple[str, float, float | None, float | None]] = []
    for name, tell in (("brier", brier), ("auprc", auprc), ("auroc", auroc), ("log_loss", log_loss)):
        low, high = bootstrap(both, seed, 300, partial(_on_columns, tell))
        rows.append((name, tell(truth, probability), low, high))
    rows.append(("ece", expected_error(probability, truth), None, None))
    return rows


@dataclass
class Outlook:
    """What the risk part of a run found; rows are of the tables in gnn/result.py."""

    metrics: list[dict[str, Any]] = field(default_factory=list)
    scores: pa.Table = field(default_factory=SCORE_ROWS.empty_table)
    tested: pa.Table = field(default_factory=TESTED_ROWS.empty_table)
    chosen: str = ""
    """The head whose scores are published."""
    remarks: list[str] = field(default_factory=list)


def cohorts(
    views: Views, encoders: Sequence[Encoder], cut: datetime, settings: Settings
) -> tuple[list[Cohort], Cohort]:
    """Cohorts of earlier cuts in order of time, labelled by what was published by the cut, and the one at the cut.

    The last one is labelled by everything known today: its truth is the test. Labels are all that later dates serve
    for; who is at risk or stricken at a start is read from the graph as published by that start.
    """
    by_cut, today = distress_dates(views.public(cut)), distress_dates(views.snapshot(None))
    starts = [months(cut, -number * settings.window) for number in range(settings.cohorts, 0, -1)]
    past = [starting(views, encoders, start, settings, by_cut) for start in starts]
    return [own for own in past if len(own)], starting(views, encoders, cut, settings, today)


def starting(
    views: Views, encoders: Sequence[Encoder], start: datetime, settings: Settings, later: dict[str, list[datetime]]
) -> Cohort:
    """The cohort that starts at a date, labelled by the distress dates known later."""
    until = months(start, settings.window)
    known, told = (distress_dates(views.public(date)) for date in (start, until))
    return cohort(views.tensors(start, encoders), known, fallen(later, told, start, until))


def outlook(
    views: Views, encoders: Sequence[Encoder], cut: datetime, settings: Settings, seed: int, report: Report
) -> Outlook:
    """Distress at a cut: heads on the graph beside the baselines; the one that did best before the cut is published."""
    past, now = cohorts(views, encoders, cut, settings)
    report(
        f"risk: {len(past)} earlier cohorts, {sum(c.positives for c in past)} distressed firms; {len(now)} firms now"
    )
    if len(past) < 3 or not past[0].positives + past[1].positives or not past[-1].positives:
        return Outlook(
            remarks=[f"Risk: {len(past)} earlier cohorts hold too few distress events to learn from; no scores."]
        )
    rows = []
    for kind in (*BASELINES, *GRAPHS):
        report(f"risk: fitting {kind.name}")
        rows.append(assess(kind, past, now, seed, settings.threads, settings.unfinished))
    best = min(rows[len(BASELINES) :], key=lambda one: one.valid_loss)
    scores = score_table(now, best)
    tested = {"id": scores["id"], "probability": best.probability, "truth": now.truth}
    found = Outlook(chosen=best.name, scores=scores, tested=pa.table(tested, schema=TESTED_ROWS))
    for one in rows:
        found.metrics += metrics(one, now, seed)
    found.remarks = risk_remarks(rows, best, now)
    return found


def _on_columns(tell: Callable[[np.ndarray, np.ndarray], float], both: np.ndarray) -> float:
    return tell(both[:, 0], both[:, 1])


def score_table(now: Cohort, one: Scored) -> pa.Table:
    """A probability for each firm that is not in distress already."""
    rows = now.rows.tolist()
    columns = {
        "id": [now.graph.ids[row] for row in rows],
        "label": [LABELS[int(now.graph.labels[row])] for row in rows],
        "distress": one.probability.tolist(),
    }
    return pa.table(columns, schema=SCORE_ROWS)


def metrics(one: Scored, now: Cohort, seed: int) -> list[dict[str, Any]]:
    rows = figures(now.truth, one.probability, seed)
    named = ("metric", "value", "low", "high")
    return [
        {"task": "risk", "model": one.name, **dict(zip(named, row, strict=True)), "count": len(now)} for row in rows
    ]


def risk_remarks(rows: Sequence[Scored], best: Scored, now: Cohort) -> list[str]:
    """What the scores are worth, in words."""
    if not now.positives:
        return [f"Risk: no distress is known after the cut among {len(now)} firms, so the scores could not be tested."]
    said = [
        f"Risk: {len(now)} firms at the cut, {now.positives} of them in distress within the window; "
        f"the {best.name} head did best before the cut and is published."
    ]
    for other in rows[: len(BASELINES)]:
        said.append(beside(best, other, now))
    return said


def beside(best: Scored, other: Scored, now: Cohort) -> str:
    """The published head beside one baseline on both figures, a loss said as plainly as a win."""
    rows = np.stack([now.truth, best.probability, other.probability], axis=1)
    parts = []
    for name, tell, sign in (("AUPRC", auprc, 1.0), ("Brier score", brier, -1.0)):
        own, its = tell(now.truth, best.probability), tell(now.truth, other.probability)
        word = "ties with" if own == its else "beats" if sign * (own - its) > 0 else "loses to"
        low, high = bootstrap(rows, 0, 300, partial(_gap, tell))
        sure = "" if low > 0 or high < 0 else ", which may be chance"
        parts.append(f"{word} it on {name} ({own:.4f} against {its:.4f}; difference {low:+.4f} to {high:+.4f}{sure})")
    return f"Risk: beside {other.name}, the published head {' and '.join(parts)}."


def _gap(tell: Callable[[np.ndarray, np.ndarray], float], rows: np.ndarray) -> float:
    return tell(rows[:, 0], rows[:, 1]) - tell(rows[:, 0], rows[:, 2])
