"""Links after a cut: trained on what was published before, ranked beside baselines, predicted, explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import torch

from gnn.classified import ROUNDS, figures
from gnn.device import beside
from gnn.encoder import Encoder
from gnn.evaluate import Ranking, bootstrap, rank
from gnn.explain import Paths, sentence
from gnn.learned import COUNTS, FUSED, PROPOSED, STRUCTURE, Learned, Window, counted, judged, judged_by, learn, windows
from gnn.links import best_links
from gnn.model import Model
from gnn.result import LINK_ROWS
from gnn.settings import Report, Settings
from gnn.teaching import JUDGE, fusing, kind, network, takes
from gnn.tensors import GraphTensors
from gnn.train import Fit
from gnn.trust import Together, metric, trust
from gnn.views import Views
from gnn.vocabulary import LABELS, PREDICTABLE, RELATIONS
from kg.snapshot import Snapshot

__all__ = ["FUSED", "Forecast", "forecast"]

BESIDE: Final = {
    STRUCTURE: "the structure-only model",
    COUNTS: "the frequency-counting baseline",
    PROPOSED: "its own order, before paths judged it,",
}
"""What stands beside the model of a run, in words."""


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


def forecast(
    views: Views, encoders: Sequence[Encoder], cut: datetime, settings: Settings, seed: int, report: Report
) -> Forecast:
    """Everything about links at a cut."""
    both = windows(views, encoders, cut, settings.window)
    valid, test = both
    report(f"links: {len(valid.later.triples)} new triples to validate on, {len(test.later.triples)} to test on")
    found = Forecast(network(test.graph, settings, seed), test.graph)
    learned = members(both, settings, seed, found, report)
    found.model, lead = learned[0].model, learned[0].name
    found.remarks += window_remarks(test) + beside_remarks(settings)
    shown = {one.name: one for one in learned if one.name in (lead, STRUCTURE, COUNTS, PROPOSED)}
    learned = [one for one in learned if one.name != PROPOSED]
    rankings = {name: rank(one.model, one.graph, test.later.triples) for name, one in shown.items()}
    for name, one in shown.items():
        found.metrics += link_metrics(one, rankings[name], test, seed)
    found.remarks += compared(rankings, lead) + told_apart(found.metrics, lead)
    whole = Together.of(learned)
    trusted = trust(learned, whole, both, settings.alpha, seed)
    found.metrics, found.remarks = found.metrics + trusted.metrics, found.remarks + trusted.remarks
    for name in shown:
        found.relations += relation_rows(name, rankings[name], trusted.relations if name == lead else {})
    found.modalities = modality_rows(learned[0], test, rankings[lead].mrr, seed)
    report("links: predicting and tracing evidence paths")
    found.links = link_table(learned[0], whole, views.snapshot(cut), settings)
    return found


def members(
    both: tuple[Window, Window], settings: Settings, seed: int, found: Forecast, report: Report
) -> list[Learned]:
    """The model of the run, structure alone, counting, and the model of other seeds; and what paths re-ranked."""
    lead, counts = settings.model, counted(both, seed)
    bare = (both[0].bare(), both[1].bare())
    plan = [(lead, both, settings, seed), (STRUCTURE, bare, without_features(settings), seed)]
    plan += [(f"{lead}+{k}", both, settings, seed + k) for k in range(1, settings.seeds if lead != COUNTS else 1)]
    plan += [(JUDGE, both, replace(settings, model=JUDGE, pretrain=0), seed)] if settings.rerank else []
    learned = []
    for name, parts, how, own in plan:
        one, runs = learn(name, parts, how, own, seed, report)
        learned.append(one)
        for title, run in runs.items():
            found.losses += loss_rows(title, run)
    learned[2:2] = [counts] if lead != COUNTS else []
    return judged_anew(learned, both, settings, seed) if settings.rerank else learned


def judged_anew(
    learned: Sequence[Learned], both: tuple[Window, Window], settings: Settings, deal: int
) -> list[Learned]:
    """The same models with the best answers of those of the run put in order by the last, and the first as it was."""
    *others, judge = learned
    own = [one.name.split("+")[0] == settings.model for one in others]
    made = [
        judged_by(one, judge, both, settings.rerank, deal) if mine else one
        for one, mine in zip(others, own, strict=True)
    ]
    return [*made, replace(others[0], name=PROPOSED)]


def without_features(settings: Settings) -> Settings:
    """How the structure-only model is learned: as the model of the run if that reads features, else the usual one."""
    if takes(kind(settings.model), "fusion"):
        return settings
    return replace(settings, model=FUSED, pretrain=0, loss="softmax")


def loss_rows(name: str, run: Fit) -> list[dict[str, Any]]:
    return [{"model": name, **row, "epoch": int(row["epoch"])} for row in run.epochs]


def link_metrics(one: Learned, ranking: Ranking, test: Window, seed: int) -> list[dict[str, Any]]:
    """MRR and Hits@k, and figures of the calibrated probability against wrong triples of the right types."""
    count = len(ranking.triples)
    low, high = bootstrap(ranking.reciprocals, seed)
    rows = [metric(one.name, "mrr", ranking.mrr, count, low, high)]
    for k in (1, 3, 10):
        hit = ((ranking.tails <= k).double() + (ranking.heads <= k).double()).numpy() / 2
        rows.append(metric(one.name, f"hits@{k}", ranking.hits(k), count, *bootstrap(hit, seed, ROUNDS)))
    if not count:
        return rows
    said = judged(one.model, one.graph, test.later.triples, seed)
    told = figures(said.truth, one.probability(said.score, said.relation), seed)
    return rows + [metric(one.name, name, value, 2 * count, *ends) for name, value, *ends in told]


def relation_rows(name: str, ranking: Ranking, more: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """MRR by relation, and what more is known of it."""
    parts = ((relation, ranking.of(relation)) for relation in PREDICTABLE)
    return [
        {"relation": r, "model": name, "triples": len(p.triples), "mrr": p.mrr, **more.get(r, {})}
        for r, p in parts
        if len(p.triples)
    ]


def modality_rows(one: Learned, test: Window, mrr: float, seed: int) -> list[dict[str, Any]]:
    """MRR with the vectors of each modality dealt out anew among the nodes that have it, where the model reads any."""
    part = fusing(one.model)
    if part is None:
        return []
    with torch.no_grad():
        weights = beside(type(part).fuse)(part, one.graph)[1]
    rows = []
    for place, name in enumerate(part.fusion.names):
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


def beside_remarks(settings: Settings) -> list[str]:
    """What stands beside a model that reads no features."""
    if without_features(settings).model == settings.model:
        return []
    return [f"Links: {settings.model} reads no features; beside it as {STRUCTURE} stands {FUSED} without features."]


def called(model: str) -> str:
    """How remarks name the model of a run."""
    return "the multimodal model" if model == FUSED else f"the model {model}"


def compared(rankings: dict[str, Ranking], lead: str = FUSED) -> list[str]:
    """The model beside each baseline in words, a loss said as plainly as a win."""
    own = rankings[lead]
    if not len(own.triples):
        return ["Links: nothing new was published after the cut, so no model could be tested."]
    return [verdict(name, own, other, lead) for name, other in rankings.items() if name != lead]


def verdict(name: str, own: Ranking, other: Ranking, lead: str) -> str:
    gap = own.mrr - other.mrr
    low, high = bootstrap(own.reciprocals - other.reciprocals)
    what = BESIDE[name]
    word = "ties with" if gap == 0 else "beats" if gap > 0 else "loses to"
    sure = "" if low > 0 or high < 0 else "; the interval holds 0, so this may be chance"
    return (
        f"Links: {called(lead)} {word} {what} by {abs(gap):.3f} MRR "
        f"({own.mrr:.3f} against {other.mrr:.3f}; difference {low:+.3f} to {high:+.3f}){sure}."
    )


def told_apart(metrics: Sequence[dict[str, Any]], lead: str = FUSED) -> list[str]:
    """True triples against wrong ones of the right types, in words: the model beside each baseline."""
    value = {(row["model"], row["metric"]): row["value"] for row in metrics}
    said = []
    for other in (STRUCTURE, COUNTS):
        if other == lead or (other, "auprc") not in value:
            continue
        parts = []
        for name, sign in (("auprc", 1.0), ("brier", -1.0)):
            own, its = value[lead, name], value[other, name]
            word = "ties with" if own == its else "beats" if sign * (own - its) > 0 else "loses to"
            parts.append(f"{word} {other} on {name} ({own:.3f} against {its:.3f})")
        said.append(f"Links, true triples told from wrong ones: {called(lead)} {' and '.join(parts)}.")
    return said


def link_table(one: Learned, whole: Together, snapshot: Snapshot, settings: Settings) -> pa.Table:
    """New triples with calibrated score, what all members say of them, and evidence paths."""
    best = best_links(one.model, one.graph, one.calibration, settings.links_each)
    paths, graph = Paths(snapshot), one.graph
    rows, place = [], dict.fromkeys(RELATIONS, 0)
    said = whole.say(best.triples)
    for (h, r, t), score, *doubt in zip(best.triples.tolist(), best.score.tolist(), *said, strict=True):
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
                "ensemble": doubt[0],
                "uncertainty": doubt[1],
            }
        )
    return pa.Table.from_pylist(rows, schema=LINK_ROWS)
