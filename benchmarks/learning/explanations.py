"""Whether explanations are faithful, on worlds with planted reasons (tests/planted_links.py, tests/planted_rows.py).

Links follow from a rule over two edges; distress from the first column of each modality. All firms, links and worlds
that are explained lie outside of training.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
import torch
from torch import Tensor

from benchmarks.figure import Figure
from gnn.evaluate import bootstrap, rank
from gnn.explaining.attention import looked
from gnn.explaining.attention import of_firms as eye_of
from gnn.explaining.columns import integrated
from gnn.explaining.edges import effects, log_odds, near, without
from gnn.explaining.faithful import Faithfulness, Kept, faithfulness
from gnn.explaining.shares import of_firms
from gnn.explaining.surrogate import surrogate
from gnn.explaining.walks import along, walks
from gnn.head import Cohort
from gnn.heads.network import Network
from gnn.links import LinkTask
from gnn.missing import log_odds as head_odds
from gnn.model import Model, Shape, exact
from gnn.models.paths import PathModel
from gnn.models.relational import Relational
from gnn.tensors import Features, GraphTensors
from gnn.train import Recipe, fit
from tests.planted_links import reason, ruled
from tests.planted_rows import layered

LINKS: Final = 24
PARTS: Final = 16
"""Edges near a link that are taken away and given back."""
STRENGTHS: Final = {"image": 0.7, "numeric": 1.4, "text": 2.8}


def measure() -> list[Figure]:
    with exact(1):
        return [*_paths(), *_network(), *_firms()]


def _paths() -> list[Figure]:
    """A path model, on a world of entities it has not seen."""
    seen, (graph, asked) = ruled(160, 1), ruled(120, 2)
    model = PathModel(Shape.of(seen[0]), dim=16, inductive=True)
    fit(model, LinkTask(seen[0], steps=16), Recipe(epochs=8, rate=0.01, schedule="linear", weight_decay=0.0))
    first, some = [], []
    for one in asked[:LINKS].tolist():
        found = [walk.hops for walk in walks(model, graph, tuple(one))]
        first.append(float(bool(found) and found[0] == reason(graph, tuple(one))))
        some.append(float(reason(graph, tuple(one)) in found))
    low, high = bootstrap(np.array(first))
    mrr = float((1 / rank(model, graph, asked).tails).mean())
    note = f"interval {low:.2f} to {high:.2f}; among the first three {np.mean(some):.2f}; tail MRR there {mrr:.3f}"
    figures = [Figure("links whose heaviest walk is the planted reason", float(np.mean(first)), 0.8, note=note)]
    return figures + _edges("integrated gradients along walks", model, graph, asked)


def _network() -> list[Figure]:
    """A relational network with a row for each node, on links it was not trained on."""
    graph, asked = ruled(120, 2)
    model = Relational(Shape.of(graph), dim=32)
    fit(model, LinkTask(graph, steps=8), Recipe(epochs=60, rate=0.01))
    return _edges("deletion of single edges", model, graph, asked)


def _edges(name: str, model: Model, graph: GraphTensors, asked: Tensor) -> list[Figure]:
    cases = []
    for triple in asked[:LINKS]:
        rows = near(graph, triple[[0, 2]], limit=PARTS)
        value = along(model, graph, tuple(triple.tolist()))[rows] if isinstance(model, PathModel) else None
        value = effects(model, graph, triple, rows) if value is None else value
        cases.append((partial(_kept, model, graph, triple, rows), value.numpy()))
    return curves(f"{model.name}, {name}", faithfulness(cases, draws=3, points=5), "links")


def _kept(model: Model, graph: GraphTensors, triple: Tensor, rows: Tensor, there: np.ndarray) -> float:
    return float(log_odds(model, graph, triple[None], without(graph, rows[torch.from_numpy(~there)])))


def curves(name: str, found: Faithfulness, what: str) -> list[Figure]:
    """Low ends of what an attribution gains over random orders."""
    figures = []
    for kind, mean, (low, high) in (
        ("deletion", found.deletion, found.deletion_interval),
        ("insertion", found.insertion, found.insertion_interval),
    ):
        note = f"log odds, mean {mean:+.3f}, up to {high:+.3f}, paired over {found.count} {what}"
        figures.append(Figure(f"low end of the {kind} area over chance: {name}", low, 0.0, note=note))
    return figures


def _firms() -> list[Figure]:
    train = [layered(500, STRENGTHS, seed, missing=0.2) for seed in (1, 2, 3, 4)]
    head, now = Network(0), layered(1500, STRENGTHS, 9, missing=0.2)
    head.fit(train[:-1], train[-1])
    return [*_shares(head, now), *_columns(head, now), *_attention(head, now), *_stand_ins(head, now)]


def _shares(head: Network, now: Cohort) -> list[Figure]:
    found, figures = of_firms([head], now), []
    off = float(np.abs(found.logit - head_odds([head], now)[0]).max())
    figures.append(Figure("shares less the logit, largest", off, 1e-6, least=False, note=f"{len(now)} firms"))
    for name, force in STRENGTHS.items():
        own, planted = now.graph.features[name], np.zeros(len(now))
        planted[own.rows.numpy()] = force * own.values[:, 0].numpy()
        value = found.values[:, found.names.index(name)]
        note = f"mean size {np.abs(value).mean():.2f}, planted {np.abs(planted).mean():.2f}"
        figures.append(
            Figure(f"correlation of the share of {name} with what was planted", _like(value, planted), note=note)
        )
    return figures


def _like(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def _columns(head: Network, now: Cohort) -> list[Figure]:
    own, cases, right, off = now.graph.features["text"], [], [], []
    small = Cohort(now.graph, now.rows, now.truth, now.stricken)
    for place, firm in enumerate(own.rows[:LINKS].tolist()):
        found = integrated(partial(_logit, head, small, firm), now.graph, firm, "text")
        right.append(float(np.argmax(np.abs(found.values)) == 0))
        off.append(abs(found.values.sum() - found.gain))
        cases.append((_columned(head, small, (place, firm)), found.values))
    note = f"of 12 columns; {LINKS} firms; parts miss their sum by {np.median(off):.3f} (median)"
    figures = [
        Figure("firms whose most telling column of text is the planted one", float(np.mean(right)), 0.9, note=note)
    ]
    return figures + curves("integrated gradients on columns", faithfulness(cases, draws=3, points=6), "firms")


def _logit(head: Network, now: Cohort, firm: int, seen: GraphTensors) -> Tensor:
    logit: Tensor = head.model(Cohort(seen, now.rows, now.truth, now.stricken))[firm]
    return logit


def _columned(head: Network, now: Cohort, at: tuple[int, int]) -> Kept:
    """The logit of a firm where only some columns of its text are as they are, and the others as on average."""
    own = now.graph.features["text"]
    middle = own.values.mean(0)

    def kept(there: np.ndarray) -> float:
        values = own.values.clone()
        values[at[0]] = torch.where(torch.from_numpy(there), values[at[0]], middle)
        seen = now.graph.with_features({**now.graph.features, "text": Features(own.rows, values)})
        with torch.no_grad():
            return float(_logit(head, now, at[1], seen))

    return kept


def _attention(head: Network, now: Cohort) -> list[Figure]:
    found, figures = looked(eye_of(head, now)), []
    for name in (None, *STRENGTHS):
        value, low, high = found.agreement(name)
        what = f"among firms, {name}" if name else "over firms and modalities"
        note = f"Spearman, interval {low:.2f} to {high:.2f}"
        figures.append(Figure(f"attention beside the effect of deletion, {what}", value, note=note))
    return figures


def _stand_ins(head: Network, now: Cohort) -> list[Figure]:
    """Readable are the twelve figures of the firms and whether text and image are there."""
    numeric, odds = now.graph.features["numeric"], head_odds([head], now)[0]
    has = now.graph.present(["image", "numeric", "text"]).double().numpy()
    readable = np.concatenate([numeric.dense(len(now.graph)).double().numpy(), has], axis=1)
    names = [*(f"figure {n}" for n in range(1, 13)), "has image", "has figures", "has text"]
    every = np.concatenate(
        [now.graph.features[m].dense(len(now.graph)).double().numpy() for m in ("image", "text")], axis=1
    )
    figures = []
    for what, x, called in (
        ("figures", readable, names),
        ("all vectors", np.concatenate([readable, every], axis=1), [*names, *(f"column {n}" for n in range(1, 25))]),
    ):
        for kind in ("tree", "linear"):
            found = surrogate(x, called, odds, kind)
            note = (
                f"R2 on {found.count} held-out firms, interval {found.r2_interval[0]:.2f} to "
                f"{found.r2_interval[1]:.2f}; same side of the upper fifth {found.agreement:.3f}, "
                f"by chance {found.chance:.3f}"
            )
            figures.append(Figure(f"fidelity of a {kind} on {what}", found.r2, note=note))
    return figures
