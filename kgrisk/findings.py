"""Findings: what the demo asks of a filled graph, as plain tables that the console and the report both tell."""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import KgRiskError
from kg.model import AsOf
from kg.ontology import DISTRESS_EVENTS
from kg.snapshot import Snapshot
from kg.store import GraphStore
from kgrisk import why
from kgrisk.api import Graph
from kgrisk.beside import Rival
from kgrisk.doctor import SAMPLE
from kgrisk.result import Result
from kgrisk.sample.ceiling import ceiling
from kgrisk.stress import CURRENCY, worst

if TYPE_CHECKING:
    from gnn.pipeline import TrainResult

Rows = list[dict[str, Any]]
SHOWN = 6
"""Rows shown of each answer."""
TOLD = ("LENDS_TO", "SUPPLIES", "OWNS", "EXPOSED_TO", "SUBSIDIARY_OF", "OFFICER_OF", "HOLDS")
"""Relations whose predicted links are told: between parties, as trades and payments say little one by one."""
_DIGEST = re.compile(r"[0-9a-f]{32,64}")
WINDOW = timedelta(days=365)


def counts(values: Sequence[str]) -> Rows:
    """How often each value occurs, most first."""
    found = Counter(values)
    return [{"kind": kind, "count": n} for kind, n in sorted(found.items(), key=lambda item: (-item[1], item[0]))]


# ---- graph


def size(graph: Graph, at: AsOf) -> dict[str, Any]:
    """How large the graph is: in all that was ever recorded, and as of one instant."""
    report = graph.sync()
    now = graph.snapshot(at)
    alive = graph.ledger.alive()
    edges = pc.equal(alive["kind"], "edge")
    return {
        "at": at.valid,
        "nodes": counts(now.labels),
        "edges": counts(now.edges["type"].to_pylist()),
        "ever_nodes": counts(graph.ledger.labels()["label"].to_pylist()),
        "ever_edges": counts(alive.filter(edges)["name"].to_pylist()),
        "facts": now.facts.num_rows,
        "claims": alive.num_rows,
        "commits": graph.ledger.head,
        "versions": report.opened if report else 0,
        "sync_seconds": report.seconds if report else 0.0,
    }


# ---- learning


def learned(graph: Graph, result: TrainResult, cut: datetime) -> dict[str, Any]:
    """Metrics, remarks, best links with their evidence paths, and how the scores turned out."""
    snapshot = graph.snapshot(AsOf(valid=cut, published=cut))
    return {
        "cut": cut,
        "run": result.run,
        "model": result.model,
        "metrics": result.metrics.to_pylist(),
        "relations": result.relations.to_pylist(),
        "modalities": result.modalities.to_pylist(),
        "remarks": list(result.remarks),
        "links": with_sums(graph, result, links(snapshot, result.links.to_pylist())),
        "scores": graph.scores(at=AsOf(valid=cut, published=cut)).rows()[:10],
        "calibration": calibration(graph, result.scores, cut),
        "ceiling": best(result.tested["id"].to_pylist(), cut),
    }


def best(tested: Sequence[str], cut: datetime) -> dict[str, float]:
    """What the planted probabilities reach on the firms that the model was tested on; nothing if it was not tested."""
    return ceiling(SAMPLE, cut.year, tested) if tested else {}


def links(snapshot: Snapshot, rows: Rows, each: int = 2) -> Rows:
    """The best links of each relation between parties that have an evidence path, with names."""
    made = []
    for relation in TOLD:
        own = sorted((row for row in rows if row["relation"] == relation), key=lambda row: row["rank"])
        for row in [row for row in own if row["hops"]][:each]:
            names = {f"{end}_name": _name(snapshot, row[end]) for end in ("source", "target")}
            kept = {name: row[name] for name in ("relation", "source", "target", "score", "rank", "hops", "paths")}
            kept["hops"] = [_DIGEST.sub(lambda found: found[0][:8] + "…", path) for path in row["hops"]]
            made.append(kept | names)
    return made


def with_sums(graph: Graph, result: TrainResult, rows: Rows) -> Rows:
    """The links with what each modality and the structure bring to their log odds."""
    triples = [(row["source"], row["relation"], row["target"]) for row in rows]
    told = why.of_links(graph, result.checkpoint, triples)
    return [row | {"sum": why.sums(story)} for row, story in zip(rows, told, strict=True)]


def _name(snapshot: Snapshot, id: str) -> str:
    row = snapshot.index.get(id)
    return id if row is None else snapshot.names[row]


def calibration(graph: Graph, scores: pa.Table, cut: datetime, bins: int = 8) -> Rows:
    """Mean score beside the share that did get into distress within a year, in bins of equal size."""
    hit = distressed(graph.snapshot(), cut, cut + WINDOW)
    score = np.array(scores["distress"].to_pylist(), float)
    truth = np.array([id in hit for id in scores["id"].to_pylist()], float)
    rows = []
    for part in np.array_split(np.argsort(score, kind="stable"), min(bins, max(len(score), 1))):
        if len(part):
            share = float(truth[part].mean())
            rows.append({"score": float(score[part].mean()), "share": share, "firms": len(part)})
    return rows


def distressed(snapshot: Snapshot, after: datetime, upto: datetime) -> set[str]:
    """Ids of the subjects of distress events in a window."""
    kinds = snapshot.facts_of("event_type")
    kinds = kinds.filter(pc.is_in(kinds["value_text"], pa.array(DISTRESS_EVENTS)))
    events = set(kinds["subject"].to_pylist())
    edges = snapshot.edges_of("AFFECTED_BY").to_pylist()
    return {
        snapshot.ids[edge["source"]]
        for edge in edges
        if edge["target"] in events and edge["value_text"] == "subject" and after < edge["valid_from"] <= upto
    }


# ---- questions


def questions(graph: Graph, at: AsOf, rival: Rival) -> dict[str, Any]:
    """Three named queries on the embedded store, and the same on Neo4j, compared row by row."""
    asked, reason = chosen(graph, at), rival.reason
    own = [_timed(graph, graph.store, name, params, at) for name, params in asked]
    others: list[tuple[Result, float]] = []
    if not reason:
        try:
            with rival.filled(graph.ledger) as store:
                others = [_timed(graph, store, name, params, at) for name, params in asked]
        except KgRiskError as error:
            reason = str(error)
    made = []
    for place, ((name, params), (result, seconds)) in enumerate(zip(asked, own, strict=True)):
        told = {"name": name, "tells": graph.catalog[name].tells, "params": params, "seconds": seconds}
        told |= {"rows": readable(graph.snapshot(at), result.rows()[:SHOWN]), "count": len(result)}
        if others:
            told |= {"neo4j_seconds": others[place][1], "difference": difference(result, others[place][0])}
        made.append(told)
    if any(query.get("difference") for query in made):
        raise KgRiskError(
            "the two stores differ: " + "; ".join(f"{q['name']}: {q['difference']}" for q in made if q["difference"])
        )
    return {"asked": made, "neo4j": {"compared": bool(others), "reason": reason}}


def readable(snapshot: Snapshot, rows: Rows) -> Rows:
    """Rows for people: names for ids, whole currency for minor units, the head of a digest."""
    return [
        {name.removesuffix("_minor"): _readable(snapshot, name, value) for name, value in row.items()} for row in rows
    ]


def _readable(snapshot: Snapshot, name: str, value: Any) -> Any:
    if name.endswith("_minor") and value is not None:
        return value // 100  # the demo counts in euro
    if not isinstance(value, str):
        return value
    scheme, _, rest = value.partition(":")
    if scheme == "doc" and len(rest) == 64:
        return value[:16]
    return _name(snapshot, value) if value in snapshot.index else value[:12] if _DIGEST.fullmatch(value) else value


def chosen(graph: Graph, at: AsOf) -> list[tuple[str, dict[str, Any]]]:
    """Three questions: who is hit up to three loans away, who depends on few lenders, and what a run has changed."""
    culprit, _ = worst(graph.snapshot(at))
    return [
        ("hit_if_fails", {"id": culprit, "currency": CURRENCY}),
        ("concentration_by_sector", {"id": culprit, "currency": CURRENCY}),
        ("what_changed_between", {"id": culprit, "known_before": graph.ledger.known(1)}),
    ]


def _timed(graph: Graph, store: GraphStore, name: str, params: Mapping[str, Any], at: AsOf) -> tuple[Result, float]:
    """The answer, and the seconds of the second time of asking: the first one warms plans and pages on either store."""
    graph.catalog.run(store, name, params, at, limit=graph.settings.row_limit)
    start = time.perf_counter()
    table = graph.catalog.run(store, name, params, at, limit=graph.settings.row_limit)
    return Result(table, name), time.perf_counter() - start


def difference(one: Result, other: Result) -> str:
    """The first place where two answers differ; empty if they are equal row by row."""
    if one.columns != other.columns:
        return f"columns {one.columns} and {other.columns}"
    if len(one) != len(other):
        return f"{len(one)} and {len(other)} rows"
    for number, (a, b) in enumerate(zip(one, other, strict=True), 1):
        for name in one.columns:
            if not _equal(a[name], b[name]):
                return f"row {number}, {name}: {a[name]!r} and {b[name]!r}"
    return ""


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)
    return bool(a == b)
