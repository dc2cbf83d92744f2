"""Stress: the two shocks that the demo tells, as plain tables and a laid-out picture."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kg.model import AsOf
from kg.snapshot import Snapshot
from kgrisk.api import Graph
from kgrisk.risk import Risk
from queries.exposures import Exposures
from queries.measure import RiskMeasure, build
from queries.scenario import Shocks

CURRENCY = "EUR"
WITH_PREDICTED = 0.8
"""Least probability of a predicted loan that counts in the second telling of a shock."""
DRAWN = 40
"""Most entities in the picture of a shock."""


def shocks(graph: Graph, at: AsOf) -> dict[str, Any]:
    """One failure and the model's own expectation of failures, each with and without predicted loans."""
    asked: dict[str, Any] = {"currency": CURRENCY, "at": at}
    snapshot = graph.snapshot(at)
    culprit, others = worst(snapshot)
    name = snapshot.names[snapshot.index[culprit]]
    fail = graph.risk("eisenberg_noe", culprit, include_predicted=WITH_PREDICTED, **asked)
    score = graph.risk("debtrank", "score:distress", include_predicted=WITH_PREDICTED, **asked)
    return {
        "culprit": {"id": culprit, "name": name, "others_lose": others},
        "threshold": WITH_PREDICTED,
        "at": at.valid,
        "told": [
            shock(f"{name} fails", "Eisenberg-Noe clearing; it loses all it has outside the network", fail, culprit),
            shock(
                "Every firm loses equity by its predicted probability of distress", "score:distress, DebtRank", score
            ),
        ],
    }


def worst(snapshot: Snapshot) -> tuple[str, float]:
    """The entity whose failure costs all others most (DebtRank), and how much."""
    exposures = Exposures.from_snapshot(snapshot, currency=CURRENCY)
    measure = build(RiskMeasure, "debtrank")  # type: ignore[type-abstract]  # a role is asked for
    losses = measure.spread(exposures, Shocks.each(exposures, 1.0, "default"))
    loss = losses.loss.copy()
    np.fill_diagonal(loss, 0.0)
    others = loss.sum(axis=1)
    row = int(others.argmax())
    return exposures.ids[row], float(others[row])


def shock(name: str, measure: str, risk: Risk, failed: str = "") -> dict[str, Any]:
    """Losses of the others by bank and in all, with and without predicted loans, and the paths that carry most."""
    everyone = [row for row in risk.table().rows() if row["id"] != failed]
    for row in everyone:
        row["contagion"] = row["loss"] - row["direct"]
    banks = [row for row in everyone if row["label"] == "Bank"]
    waves = risk.losses.waves[0] if risk.losses.waves else ()
    stated, paths = risk.without, [risk.path(), risk.path(hops=2)]
    return {
        "name": name,
        "measure": measure,
        "unit": risk.unit,
        "total": sum(row["loss"] for row in everyone),
        "total_stated": sum(row["loss_without_predicted"] for row in everyone) if stated else None,
        "direct": sum(row["direct"] for row in everyone),
        "waves": [[risk.name(id) for id in wave] for wave in waves],
        "banks": sorted(banks, key=lambda row: (-row["loss"], row["id"])),
        "paths": [{"loss": path.loss, "steps": risk.steps(path)} for path in paths if path],
        "predicted_used": risk.losses.exposures.predicted.num_rows,
        "adds_up": risk.adds_up(),
        "notes": list(risk.losses.notes),
        "unpriced": len(risk.losses.exposures.unpriced),
        "assumed": len(risk.losses.exposures.assumed),
        "picture": picture(risk, failed),
    }


def picture(risk: Risk, failed: str) -> dict[str, Any]:
    """The most hit entities and the exposures between them, laid out."""
    import networkx as nx

    graph = risk.to_networkx()
    if failed in graph:
        graph.nodes[failed]["loss"] = 0.0  # what it loses itself is off the scale of the others
    order = sorted(graph.nodes, key=lambda id: (id != failed, -graph.nodes[id]["loss"], id))
    kept = order[:DRAWN]
    small = nx.Graph()
    small.add_nodes_from(kept)
    edges = [
        {"source": a, "target": b, "carried": d["carried"], "predicted": d["predicted"]}
        for a, b, d in graph.subgraph(kept).edges(data=True)
    ]
    small.add_edges_from((edge["source"], edge["target"]) for edge in edges)
    place = nx.spring_layout(small, seed=3, k=2.2 / math.sqrt(max(len(kept), 1)), iterations=120)
    nodes = [
        {
            "id": id,
            "x": float(place[id][0]),
            "y": float(place[id][1]),
            **{k: graph.nodes[id][k] for k in ("name", "label", "loss", "direct")},
        }
        for id in kept
    ]
    return {"nodes": nodes, "edges": edges}
