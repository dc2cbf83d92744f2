"""Distress within twelve months: heads compared on the cohort after the cut, and calibrated scores of firms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from gnn.calibrate import Platt, platt
from gnn.choice import reads
from gnn.classified import figures, threshold
from gnn.conformal import Verdicts
from gnn.encoder import Encoder
from gnn.ensemble import Stack, disagreement, standing
from gnn.evaluate import auprc, bootstrap, brier
from gnn.head import Cohort, Head, cohort, distress_dates, fallen, logit
from gnn.heads.base_rate import BaseRate
from gnn.heads.logistic import Logistic, log_loss
from gnn.heads.mlp import Mlp
from gnn.heads.network import Network
from gnn.heads.propagated import Propagated
from gnn.missing import Margins, Span
from gnn.result import SCORE_ROWS, TESTED_ROWS
from gnn.settings import Report, Settings
from gnn.views import Views, months
from gnn.vocabulary import LABELS

BASELINES: Final[tuple[type[Head], ...]] = (BaseRate, Logistic, Mlp)
"""What the graph has to beat: the rate of the past, a regression and a perceptron on a firm's own facts."""
ALONE: Final = "Risk: one member tells no disagreement, so ends that equal the score are no sign of certainty."
GRAPHS: Final[tuple[type[Head], ...]] = (Propagated, Network)
"""Heads that read the graph; the one that did better before the cut is published."""
FEW: Final = 20
"""Firms with a modality below which it is no part of the intervals."""


@dataclass(frozen=True)
class Scored:
    """One head, fitted on the cohorts before the cut."""

    name: str
    probability: np.ndarray
    """(firms,) of the cohort at the cut, calibrated."""
    valid_loss: float
    """Log loss of the predictions ahead of time, by which the head to publish is chosen: the test is not looked at."""
    ahead: np.ndarray
    """Calibrated predictions ahead of time, of all cohorts for which there were any."""
    truth: np.ndarray
    """What became of those."""
    scale: Platt
    last: Head
    """As fitted on all cohorts but the last, which it predicted ahead of time."""
    head: Head
    """As fitted on all of them."""

    @property
    def threshold(self) -> float:
        """From here on a firm is called: the best F1 ahead of time."""
        return threshold(self.truth, self.ahead)


def assess(
    kind: type[Head], past: Sequence[Cohort], now: Cohort, seed: int, threads: int, state: Path | None = None
) -> Scored:
    """Fit as time went by, calibrate on the cohorts that were still ahead then, and fit on all of them for the last.

    `past` is in order of time. Cohort k is predicted by a head fitted on those before it, with the one just before
    it as its validation cohort; these predictions, of all k >= 2, are what the scores are calibrated on. `state` is a
    folder from which a stopped fit goes on.
    """

    heads = {k: fitted(kind(seed, threads, state and state / f"{kind.name}-{k}"), past, k) for k in range(2, len(past))}
    raw = np.concatenate([head.predict(past[k]) for k, head in heads.items()])
    truth = np.concatenate([past[k].truth for k in heads])
    scale = scale_of(raw, truth)
    final = fitted(kind(seed, threads, state and state / f"{kind.name}-{len(past)}"), past, len(past))
    probability, ahead = scale(logit(final.predict(now))), scale(logit(raw))
    return Scored(kind.name, probability, log_loss(truth, ahead), ahead, truth, scale, heads[len(past) - 1], final)


def fitted(head: Head, past: Sequence[Cohort], k: int) -> Head:
    """The head fitted on the first k cohorts, the last of them for validation."""
    head.fit(past[: k - 1], past[k - 1])
    return head


def scale_of(raw: np.ndarray, truth: np.ndarray) -> Platt:
    """Calibration on predictions ahead of time; the identity where they saw one outcome only or have no spread."""
    if not 0 < truth.sum() < len(truth) or np.ptp(raw) < 1e-9:
        return Platt(1.0, 0.0)
    return platt(logit(raw), truth)


@dataclass
class Outlook:
    """What the risk part of a run found; rows are of the tables in gnn/result.py."""

    metrics: list[dict[str, Any]] = field(default_factory=list)
    scores: pa.Table = field(default_factory=SCORE_ROWS.empty_table)
    tested: pa.Table = field(default_factory=TESTED_ROWS.empty_table)
    chosen: str = ""
    """The head whose scores are published."""
    remarks: list[str] = field(default_factory=list)
    cohorts: tuple[Sequence[Cohort], Cohort] | None = None
    """Those it learned from and the one at the cut."""
    best: Scored | None = None
    """The head that is published."""
    span: Span | None = None
    """What gave its scores their ranges; None where they have none."""


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
        few = f"Risk: {len(past)} earlier cohorts hold too few distress events to learn from; no scores."
        return Outlook(remarks=[few], cohorts=(past, now))
    rows = []
    for kind in (*BASELINES, *(suited(kind, settings) for kind in GRAPHS)):
        report(f"risk: fitting {kind.name}")
        rows.append(assess(kind, past, now, seed, settings.threads, settings.unfinished))
    best = min(rows[len(BASELINES) :], key=lambda one: one.valid_loss)
    found = told(rows, best, (past, now), settings, seed)
    found.cohorts = (past, now)
    return found


def told(
    rows: Sequence[Scored], best: Scored, both: tuple[Sequence[Cohort], Cohort], settings: Settings, seed: int
) -> Outlook:
    """The published scores with what is known of their worth, and every head beside the others."""
    now = both[1]
    said = {one.name: one.probability for one in rows if one.name != BaseRate.name}
    stack = Stack.of({one.name: one.ahead for one in rows if one.name in said}, best.truth)
    verdicts = Verdicts.of(best.ahead, best.truth, settings.alpha)
    doubt = {"uncertainty": disagreement(said).tolist(), "possible": verdicts.words(best.probability)}
    span = spanned(best, both[0], settings, seed)
    if span is not None:
        doubt["low"], doubt["high"] = (end.tolist() for end in span.ends(best.scale, now, best.probability))
    scores = score_table(now, best, doubt)
    tested = {"id": scores["id"], "probability": best.probability, "truth": now.truth}
    found = Outlook(chosen=best.name, scores=scores, tested=pa.table(tested, schema=TESTED_ROWS), best=best, span=span)
    for one in rows:
        found.metrics += metrics(one.name, one.probability, now, seed, one.threshold)
    joint = stack(said)
    best_call = threshold(best.truth, stack({one.name: one.ahead for one in rows if one.name in said}))
    found.metrics += metrics("ensemble", joint, now, seed, best_call)
    found.remarks = risk_remarks(rows, best, now)
    if now.positives:
        found.remarks += [standing("Risk", said, joint, now.truth), kept(verdicts, best, now)]
    if settings.members == 1:
        found.remarks.append(ALONE)
    return found


def suited(kind: type[Head], settings: Settings) -> type[Head]:
    """The kind of head with those settings that it knows of: balance, way to fuse, encoders that it teaches."""
    asked = {"balance": settings.balance, "fusion": settings.fusion, "reads": reads(settings)}
    own = {name: value for name, value in asked.items() if hasattr(kind, name) and getattr(kind, name) != value}
    return type(kind.__name__, (kind,), own) if own else kind


def spanned(best: Scored, past: Sequence[Cohort], settings: Settings, seed: int) -> Span | None:
    """What tells how far each score stays with other seeds, other draws of firms, and the modalities its firm lacks.

    The margins are those of heads that had not seen the last cohort yet (gnn/missing.py): they are calibrated on it.
    None where firms carry no modality.
    """
    names = carried(past[-1])
    if not names:
        return None
    kind, state = type(best.head), settings.unfinished
    before, after = [best.last], [best.head]
    for number in range(1, settings.members):
        for k, heads in ((len(past) - 1, before), (len(past), after)):
            own = kind(seed + number, settings.threads, state and state / f"{kind.name}-{k}+{number}")
            drawn = [cohort.drawn((seed, number, place)) for place, cohort in enumerate(past)]
            heads.append(fitted(own, drawn, k))
    return Span(tuple(after), Margins.of(before, past[-1], names))


def carried(cohort: Cohort) -> list[str]:
    """Modalities that firms of a cohort themselves have, and enough of them to calibrate on."""
    names = sorted(cohort.graph.features)
    each = cohort.graph.present(names)[cohort.rows].sum(0).tolist()
    return [name for name, count in zip(names, each, strict=True) if count >= FEW]


def kept(verdicts: Verdicts, best: Scored, now: Cohort) -> str:
    """How often the conformal sets of outcomes held what happened."""
    possible = verdicts.possible(best.probability)
    held = [possible[now.truth == outcome, outcome].mean() for outcome in (0, 1)]
    return (
        f"Risk: sets of outcomes promised to hold the true one for {1 - verdicts.alpha:.0%} hold it for {held[0]:.1%} "
        f"of the firms that stayed sound and {held[1]:.1%} of those that fell; "
        f"{(possible.sum(1) == 1).mean():.1%} of the sets say one thing only."
    )


def score_table(now: Cohort, one: Scored, doubt: Mapping[str, Sequence[object]]) -> pa.Table:
    """A probability for each firm that is not in distress already, and what is known of its worth."""
    rows = now.rows.tolist()
    columns: dict[str, Sequence[object]] = {
        "id": [now.graph.ids[row] for row in rows],
        "label": [LABELS[int(now.graph.labels[row])] for row in rows],
        "distress": one.probability.tolist(),
        **doubt,
    }
    return pa.table({name: columns.get(name, [None] * len(rows)) for name in SCORE_ROWS.names}, schema=SCORE_ROWS)


def metrics(name: str, probability: np.ndarray, now: Cohort, seed: int, at: float) -> list[dict[str, Any]]:
    """Rows of the table of metrics; calls are made from `at` on."""
    named, rows = ("metric", "value", "low", "high"), figures(now.truth, probability, seed, at)
    return [{"task": "risk", "model": name, **dict(zip(named, row, strict=True)), "count": len(now)} for row in rows]


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
