"""Calibration by relation, conformal sets and the alarm on a time split of the planted world (tests/gnn_world.py).

A model is fitted on what was published by a date; what came in the eighteen months after it calibrates, what came after
that is the test. One model and one graph score both, so the promise of the sets is exact but for drift.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import torch

from benchmarks.figure import Figure
from gnn.alarm import alarm, online
from gnn.calibrate import by_relation, expected_error
from gnn.conformal import LinkSets, band, both_sides, covered, groups, strangeness
from gnn.learned import Judged, Window, judged, window
from gnn.links import LinkTask
from gnn.model import Model, Shape
from gnn.models.relational import Relational
from gnn.sample import Fresh
from gnn.tensors import GraphTensors, fitted_table
from gnn.train import Recipe, fit
from gnn.views import Views, quarters
from gnn.vocabulary import RELATIONS
from tests.gnn_world import build, day

FIRMS: Final = 480
SEED: Final = 20261
"""Of the world. The size was chosen on worlds of seed 1; this one was looked at when all else was fixed."""
FIT, TEST, END = day(2021, 6), day(2022, 9), day(2024, 0)
ALPHA: Final = 0.1
STREAMS: Final = 400


def split(folder: Path) -> tuple[GraphTensors, Window]:
    """The graph to learn from, and all that was published after it with when."""
    own = build(folder, firms=FIRMS, seed=SEED)
    views = Views(own.ledger, own.files, None)
    graph = views.tensors(FIT, [fitted_table(views.snapshot(FIT), FIT)])
    return graph, window(graph, [views.tensors(date) for date in quarters(FIT, END)])


def part(whole: Window, chosen: torch.Tensor) -> Window:
    return Window(whole.graph, Fresh(whole.later.triples[chosen], 0, 0), whole.told[chosen])


def measure() -> list[Figure]:
    with TemporaryDirectory() as folder:
        graph, later = split(Path(folder))
    before = later.told < int(TEST.timestamp() * 1e6)
    early, late = part(later, before), part(later, ~before)
    model = Relational(Shape.of(graph), dim=32)
    fit(model, LinkTask(graph), Recipe(epochs=20))
    return [*probabilities(model, early, late), *sets(model, early, late), *alarms(model, early, late)]


def probabilities(model: Model, early: Window, late: Window) -> list[Figure]:
    """ECE on the later window of one calibration for all and of one by relation."""
    seen, asked = (judged(model, one.graph, one.later.triples, 0) for one in (early, late))
    scale = by_relation(seen.score, seen.truth, seen.relation)
    figures = [
        _ece("all relations, calibrated by relation", scale(asked.score, asked.relation), asked, 0.05),
        _ece("all relations, calibrated together", scale.pooled(asked.score), asked, None),
    ]
    for number in np.unique(asked.relation).tolist():
        mine = asked.relation == number
        one = Judged(asked.score[mine], asked.truth[mine], asked.relation[mine])
        kind = type(scale.own[number]).__name__ if number in scale.own else "the pooled one"
        figures.append(_ece(f"{RELATIONS[number]} ({kind})", scale(one.score, one.relation), one, 0.05))
    return figures


def _ece(what: str, said: np.ndarray, asked: Judged, aim: float | None) -> Figure:
    note = f"{len(asked.truth)} triples, right and wrong"
    return Figure(f"ECE, {what}", expected_error(said, asked.truth), aim, least=False, note=note)


def sets(model: Model, early: Window, late: Window) -> list[Figure]:
    """Coverage and size by relation and direction, beside the binomial band of 99 %."""
    seen, asked = (both_sides(one.graph, one.later.triples) for one in (early, late))
    figures = []
    for kind in ("mass", "rank"):
        strange = strangeness(model, early.graph, seen, kind)
        limits = LinkSets.of(strange, groups(early.graph, seen), ALPHA, kind)
        rows = covered(limits, model, late.graph, asked)
        for row in rows:
            name = RELATIONS[row.relation % len(RELATIONS)]
            side = "head" if row.relation >= len(RELATIONS) else "tail"
            n = int((seen[:, 1] == row.relation).sum())
            (low, high), wide = band(row.questions, 1 - ALPHA), band(row.questions, 1 - ALPHA, calibration=n)
            where = "inside" if low <= row.share <= high else "OUTSIDE"
            note = (
                f"{where} the binomial band {low:.3f} to {high:.3f} (with the luck of {n} calibration questions "
                f"{wide[0]:.3f} to {wide[1]:.3f}); {row.questions} questions, {row.size:.0f} nodes a set"
            )
            figures.append(Figure(f"coverage by {kind}, {side} of {name}", row.share, note=note))
        inside = [row.within(ALPHA) for row in rows if row.own]
        note = f"{len(inside)} of {len(rows)} groups had 200 calibration questions"
        figures.append(Figure(f"groups in the binomial band, by {kind}", float(np.mean(inside)), 1.0, note=note))
    return figures


def alarms(model: Model, early: Window, late: Window) -> list[Figure]:
    """False alarms on streams dealt out anew, and the alarm where the answers are replaced by any node on purpose."""
    seen, asked = (strangeness(model, one.graph, one.later.triples) for one in (early, late))
    every, draw = np.concatenate([seen, asked]), np.random.default_rng(0)
    rang = 0
    for _ in range(STREAMS):
        mixed = draw.permutation(every)
        rang += alarm(online(mixed[: len(seen)], mixed[len(seen) :])).fired
    order = torch.argsort(late.told, stable=True).numpy()
    real = alarm(online(seen, asked[order]))
    broken = asked[order].copy()
    half = len(broken) // 2
    broken[half:] = draw.random(len(broken) - half)
    said = alarm(online(seen, broken))
    late_by = float(said.at - half) if said.at is not None else float("nan")
    real_note = "rang" if real.fired else "quiet"
    return [
        Figure("false alarms a stream", rang / STREAMS, 0.01 + 2.6 * (0.01 * 0.99 / STREAMS) ** 0.5, least=False,
               note=f"{STREAMS} streams, promised 0.01, 99 % band above it"),
        Figure("alarm where answers are drawn at random from the middle on", float(said.fired), 1.0,
               note=f"{late_by:.0f} questions after the break; log10 of the stake {said.peak:.1f}"),
        Figure("log10 of the stake on the stream as it came", real.peak, note=f"{real_note} (rings at 2)"),
    ]  # fmt: skip
