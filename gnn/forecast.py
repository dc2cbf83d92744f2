"""Links after a cut: trained on what was published before, ranked beside baselines, predicted, explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import torch

from gnn.calibrate import Platt, expected_error
from gnn.encoder import Encoder
from gnn.evaluate import Ranking, auprc, auroc, bootstrap, brier, rank
from gnn.explain import Paths, sentence
from gnn.links import LinkTask, best_links, calibrated, scored
from gnn.model import Model, Shape
from gnn.models.frequency import Frequency
from gnn.models.relational import Relational
from gnn.result import LINK_ROWS
from gnn.sample import Fresh, fresh, negatives
from gnn.settings import Report, Settings
from gnn.tensors import GraphTensors
from gnn.train import Fit, Recipe, fit
from gnn.views import Views, months, quarters
from gnn.vocabulary import LABELS, PREDICTABLE, RELATIONS
from kg.snapshot import Snapshot

FUSED, STRUCTURE, COUNTS = "relational", "structure", "frequency"


@dataclass(frozen=True)
class Window:
    """A graph, and the forecastable triples that were published after its cut."""

    graph: GraphTensors
    later: Fresh


@dataclass
class Forecast:
    """What the link part of a run found; rows are of the tables in gnn/result.py."""

    model: Model
    graph: GraphTensors
    metrics: list[dict[str, Any]] = field(default_factory=list)
    relations: list[dict[str, Any]] = field(default_factory=list)
    modalities: list[dict[str, Any]] = field(default_factory=list)
    losses: list[dict[str, Any]] = field(default_factory=list)
    links: pa.Table = field(default_factory=LINK_ROWS.empty_table)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Learned:
    """A model fitted up to the cut, with the calibration learned in the validation window."""

    name: str
    model: Model
    graph: GraphTensors
    calibration: Platt


def windows(views: Views, encoders: Sequence[Encoder], cut: datetime, length: int) -> tuple[Window, Window]:
    """The validation window (the `length` months before the cut) and the test window (all that came after it)."""
    start, last = months(cut, -length), views.last()
    before, now = views.tensors(start, encoders), views.tensors(cut, encoders)
    tested = quarters(cut, last) if last is not None and last > cut else []
    return (
        Window(before, fresh(before, [views.tensors(date) for date in quarters(start, cut)])),
        Window(now, fresh(now, [views.tensors(date) for date in tested])),
    )


def forecast(
    views: Views, encoders: Sequence[Encoder], cut: datetime, settings: Settings, seed: int, report: Report
) -> Forecast:
    """Everything about links at a cut."""
    valid, test = windows(views, encoders, cut, settings.window)
    report(f"links: {len(valid.later.triples)} new triples to validate on, {len(test.later.triples)} to test on")
    found = Forecast(Relational(Shape.of(test.graph), dim=settings.dim, seed=seed), test.graph)
    learned = [
        learn(FUSED, (valid, test), settings, seed, found, report),
        learn(STRUCTURE, (bare(valid), bare(test)), settings, seed, found, report),
        Learned(COUNTS, Frequency(Shape.of(test.graph)), test.graph, counted(valid, seed)),
    ]
    found.model = learned[0].model
    found.remarks += window_remarks(test)
    rankings = {one.name: rank(one.model, one.graph, test.later.triples) for one in learned}
    for one in learned:
        found.metrics += link_metrics(one, rankings[one.name], test, seed)
        found.relations += relation_rows(one.name, rankings[one.name])
    found.remarks += compared(rankings) + told_apart(found.metrics)
    found.modalities = modality_rows(learned[0], test, rankings[FUSED].mrr, seed)
    report("links: predicting and tracing evidence paths")
    found.links = link_table(learned[0], views.snapshot(cut), settings)
    return found


def bare(window: Window) -> Window:
    """The same window for a structure-only model."""
    return Window(window.graph.with_features({}), window.later)


def learn(
    name: str, both: tuple[Window, Window], settings: Settings, seed: int, found: Forecast, report: Report
) -> Learned:
    """Choose the number of epochs on the validation window, then fit anew for as many on all that the cut allows."""
    valid, test = both
    recipe = Recipe(settings.epochs, settings.optimiser, settings.rate, seed=seed, threads=settings.threads)
    state = settings.unfinished and settings.unfinished / name
    first = Relational(Shape.of(valid.graph), dim=settings.dim, seed=seed)
    say = lambda text: report(f"{name} {text}")  # noqa: E731  # one line reads better here
    run = fit(first, LinkTask(valid.graph, valid.later.triples), recipe, state and state / "choose", say)
    found.losses += loss_rows(name, run)
    calibration = (
        calibrated(first, valid.graph, valid.later.triples, seed) if len(valid.later.triples) else Platt(1.0, 0.0)
    )
    model = Relational(Shape.of(test.graph), dim=settings.dim, seed=seed)
    chosen = replace(recipe, epochs=max(run.best, 1))
    again = fit(model, LinkTask(test.graph), chosen, state and state / "all", say)
    found.losses += loss_rows(f"{name} (refit)", again)
    return Learned(name, model, test.graph, calibration)


def counted(valid: Window, seed: int) -> Platt:
    """Calibration of the counting baseline on the validation window."""
    if not len(valid.later.triples):
        return Platt(1.0, 0.0)
    return calibrated(Frequency(Shape.of(valid.graph)), valid.graph, valid.later.triples, seed)


def loss_rows(name: str, run: Fit) -> list[dict[str, Any]]:
    return [{"model": name, **row, "epoch": int(row["epoch"])} for row in run.epochs]


def link_metrics(one: Learned, ranking: Ranking, test: Window, seed: int) -> list[dict[str, Any]]:
    """MRR with interval, Hits@k, and figures of the calibrated probability against wrong triples of the right types."""
    count = len(ranking.triples)
    low, high = bootstrap(ranking.reciprocals, seed)
    rows = [metric(one.name, "mrr", ranking.mrr, count, low, high)]
    rows += [metric(one.name, f"hits@{k}", ranking.hits(k), count) for k in (1, 3, 10)]
    if not count:
        return rows
    wrong = negatives(test.graph, test.later.triples, 1, seed)
    score, truth = scored(one.model, one.graph, test.later.triples, wrong)
    probability = one.calibration(score)
    named = {
        "auprc": auprc(truth, score),
        "auroc": auroc(truth, score),
        "brier": brier(truth, probability),
        "ece": expected_error(probability, truth),
    }
    return rows + [metric(one.name, name, value, 2 * count) for name, value in named.items()]


def metric(
    model: str, name: str, value: float, count: int, low: float | None = None, high: float | None = None
) -> dict[str, Any]:
    return {"task": "links", "model": model, "metric": name, "value": value, "low": low, "high": high, "count": count}


def relation_rows(name: str, ranking: Ranking) -> list[dict[str, Any]]:
    parts = ((relation, ranking.of(relation)) for relation in PREDICTABLE)
    return [{"relation": r, "model": name, "triples": len(p.triples), "mrr": p.mrr} for r, p in parts if len(p.triples)]


def modality_rows(one: Learned, test: Window, mrr: float, seed: int) -> list[dict[str, Any]]:
    """MRR with the vectors of each modality dealt out anew among the nodes that have it."""
    assert isinstance(one.model, Relational)
    with torch.no_grad():
        weights = one.model.fuse(one.graph)[1]
    rows = []
    for place, name in enumerate(one.model.fusion.names):
        own = one.graph.features[name]
        permuted = rank(one.model, one.graph.permuted(name, seed), test.later.triples).mrr
        attention = float(weights[own.rows, place].mean())
        row = {"modality": name, "nodes": len(own.rows), "attention": attention, "mrr": mrr}
        rows.append(row | {"permuted": permuted, "drop": mrr - permuted})
    return rows


def window_remarks(test: Window) -> list[str]:
    later = test.later
    return [
        f"Test: {len(later.triples)} triples first published after the cut; {later.repeats} more repeat a known one, "
        f"and {later.unseen} touch a node nothing spoke of before: both kinds are left out of the ranking."
    ]


def compared(rankings: dict[str, Ranking]) -> list[str]:
    """The model beside each baseline in words, a loss said as plainly as a win."""
    own = rankings[FUSED]
    if not len(own.triples):
        return ["Links: nothing new was published after the cut, so no model could be tested."]
    return [verdict(name, own, other) for name, other in rankings.items() if name != FUSED]


def verdict(name: str, own: Ranking, other: Ranking) -> str:
    gap = own.mrr - other.mrr
    low, high = bootstrap(own.reciprocals - other.reciprocals)
    what = {STRUCTURE: "the structure-only model", COUNTS: "the frequency-counting baseline"}[name]
    word = "ties with" if gap == 0 else "beats" if gap > 0 else "loses to"
    sure = "" if low > 0 or high < 0 else "; the interval holds 0, so this may be chance"
    return (
        f"Links: the multimodal model {word} {what} by {abs(gap):.3f} MRR "
        f"({own.mrr:.3f} against {other.mrr:.3f}; difference {low:+.3f} to {high:+.3f}){sure}."
    )


def told_apart(metrics: Sequence[dict[str, Any]]) -> list[str]:
    """True triples against wrong ones of the right types, in words: the model beside each baseline."""
    value = {(row["model"], row["metric"]): row["value"] for row in metrics}
    said = []
    for other in (STRUCTURE, COUNTS):
        if (other, "auprc") not in value:
            continue
        parts = []
        for name, sign in (("auprc", 1.0), ("brier", -1.0)):
            own, its = value[FUSED, name], value[other, name]
            word = "ties with" if own == its else "beats" if sign * (own - its) > 0 else "loses to"
            parts.append(f"{word} {other} on {name} ({own:.3f} against {its:.3f})")
        said.append(f"Links, true triples told from wrong ones: the multimodal model {' and '.join(parts)}.")
    return said


def link_table(one: Learned, snapshot: Snapshot, settings: Settings) -> pa.Table:
    """New triples with calibrated score and evidence paths."""
    best = best_links(one.model, one.graph, one.calibration, settings.links_each)
    paths, graph = Paths(snapshot), one.graph
    rows, place = [], dict.fromkeys(RELATIONS, 0)
    for (h, r, t), score in zip(best.triples.tolist(), best.score.tolist(), strict=True):
        place[RELATIONS[r]] += 1
        found = paths.between(graph.ids[h], graph.ids[t], settings.paths_each)
        rows.append(
            {
                "relation": RELATIONS[r],
                "source": graph.ids[h],
                "target": graph.ids[t],
                "source_label": LABELS[int(graph.labels[h])],
                "target_label": LABELS[int(graph.labels[t])],
                "score": score,
                "rank": place[RELATIONS[r]],
                "paths": [list(path.edges) for path in found],
                "hops": [sentence(snapshot, path) for path in found],
            }
        )
    return pa.Table.from_pylist(rows, schema=LINK_ROWS)
