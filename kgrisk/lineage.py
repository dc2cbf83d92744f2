"""Lineage: a number followed back to the documents it rests on, with counts, digests and times at every step.

The order is that of the engine turned around: number, run, model, snapshot, statements, claims, documents (BCBS 239,
principles 3 and 4: accuracy and completeness of risk data can be shown). What a run says of itself is read from its
manifest, the rest from the ledger at the commit and the clocks that the manifest names; a digest is the sha256 of the
sorted ids, a line each, so two numbers on the same data have the same digests.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import KgRiskError
from kg.model import COMPUTED, AsOf, iso, sources_of
from kgrisk.evidence import Explainer
from kgrisk.opened import Opened
from kgrisk.replaying import named

DRAWN: Final = 200
"""Claims that are read back unless asked otherwise."""
JUDGED: Final = ("same", "not_same")
ABOUT: Final = (
    "model",
    "head",
    "seed",
    "measure",
    "extractor",
    "encoders",
    "settings",
    "question",
    "torch",
    "ontology",
)
"""What a manifest may say of how a number was made."""


def lineage(graph: Opened, what: str, at: AsOf = AsOf(), draw: int = DRAWN) -> dict[str, Any]:
    """Every step behind a score (`distress:lei:...`), an edge, statement or claim, or a run (its first digits).

    `draw` claims are read back from their documents, drawn by the run's id. KgRiskError where there is no such thing.
    """
    run, number = named(graph.ledger, what), {}
    if not run:
        explained = Explainer(graph.ledger, graph.files, at).explain(what)
        run, number = str(explained.run.get("run", "")), explained.what
        if not run:
            told = graph.ledger.evidence(number["statement"], at)
            return {"what": what, "number": number, **_behind(graph, told, str(number["statement"]), draw)}
    manifest = _manifest(graph, run)
    details = manifest["details"]
    steps = {"what": what, "number": number, "run": _run(run, manifest)}
    steps["model"] = {name: details[name] for name in ABOUT if details.get(name) not in (None, {}, "")}
    if manifest["kind"] == "ingest":  # nothing stands before it but documents
        return {**steps, **_behind(graph, _committed(graph, run), run, draw)}
    commit, published = (
        int(details.get("commit", details.get("head", 0))),
        details.get("cut") or details.get("published"),
    )
    steps["snapshot"] = _snapshot(graph, commit, details.get("valid") or details.get("cut"), published)
    return {**steps, **_behind(graph, _public(graph, commit, published), run, draw)}


def _manifest(graph: Opened, run: str) -> dict[str, Any]:
    if run not in graph.files:
        raise KgRiskError(f"the manifest of run {run} is not kept in {graph.home / 'files'}; restore it from a backup")
    found: dict[str, Any] = json.loads(graph.files.get(run))
    if (own := found["details"].get("ledger")) not in (None, graph.ledger.uuid):
        raise KgRiskError(f"run {run[:12]} was made from ledger {own}, not from {graph.ledger.uuid}; open that one")
    return found


def _run(run: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    details = manifest["details"]
    kept = ("commit", "head", "cut", "valid", "published", "answer", "certificate")
    told = {name: details[name] for name in kept if details.get(name) is not None}
    return {"id": run, "kind": manifest["kind"], "code": manifest["code"], **told, "ledger": details.get("ledger")}


def _snapshot(graph: Opened, commit: int, valid: str | None, published: str | None) -> dict[str, Any]:
    """The resolved graph that the run saw."""
    known = graph.ledger.known(commit)
    at = AsOf(_time(valid), known, _time(published))
    seen = graph.ledger.view(at)
    clocks = {name: iso(moment) for name in AsOf.__slots__ if (moment := getattr(seen.at, name))}
    counts = {"nodes": len(seen), "edges": seen.edges.num_rows, "facts": seen.facts.num_rows}
    return {"commit": commit, **clocks, **counts}


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _public(graph: Opened, commit: int, published: str | None) -> pa.Table:
    """Claims alive at a commit that were public by then; who is one entity is as judged by the commit."""
    alive = graph.ledger.alive(commit)
    if published is None:
        return alive
    judged = pc.is_in(alive["kind"], pa.array(JUDGED))
    return alive.filter(pc.or_(judged, pc.less_equal(alive["published"], _time(published))))


def _committed(graph: Opened, run: str) -> pa.Table:
    events = graph.ledger.events()
    return events.filter(pc.and_(pc.equal(events["run"], run), pc.equal(events["op"], "assert")))


def _behind(graph: Opened, claims: pa.Table, seed: str, draw: int) -> dict[str, Any]:
    """Statements, claims and documents, and how complete they are; what models and judgements said is only counted."""
    judged = pc.is_in(claims["kind"], pa.array(JUDGED))
    own = pc.or_(pc.is_in(sources_of(claims["extractor"]), pa.array(COMPUTED)), judged)
    read = claims.filter(pc.invert(own))
    documents = sorted(set(read["document"].to_pylist()))
    statements = Counter(read["statement"].to_pylist())
    told = {
        "count": read.num_rows,
        "digest": digest(read["claim"].to_pylist()),
        "extractors": dict(Counter(read["extractor"].to_pylist()).most_common()),
        "judgements": pc.sum(judged).as_py() or 0,
        "by_models": (pc.sum(own).as_py() or 0) - (pc.sum(judged).as_py() or 0),
        **_span(read, "published"),
        **_span(read, "known_from"),
    }
    return {
        "statements": {"count": len(statements), "digest": digest(list(statements))},
        "claims": told,
        "documents": {"count": len(documents), "digest": digest(documents)},
        "complete": _complete(graph, read, documents, statements, seed, draw),
    }


def _span(claims: pa.Table, clock: str) -> dict[str, Any]:
    ends = pc.min_max(claims[clock]).as_py()
    return {clock: [iso(ends["min"]), iso(ends["max"])] if ends["min"] else []}


def _complete(
    graph: Opened, claims: pa.Table, documents: list[str], statements: Counter[str], seed: str, draw: int
) -> dict[str, Any]:
    """Shares: documents that are kept, claims that stand where they say, statements of more than one document."""
    drawn = np.random.default_rng(int(seed[:16], 16)).permutation(claims.num_rows)[:draw]
    rows = claims.take(pa.array(np.sort(drawn)))
    explainer = Explainer(graph.ledger, graph.files)
    stand = [explainer.read_back(row)["read_back"] for row in rows.to_pylist()]
    said = set(zip(claims["statement"].to_pylist(), claims["document"].to_pylist(), strict=True))
    voices = Counter(statement for statement, _ in said)
    return {
        "documents_kept": _share(sum(document in graph.files for document in documents), len(documents)),
        "read_back": _share(sum(stand), len(stand)),
        "read_back_of": len(stand),
        "of_more_than_one_document": _share(sum(count > 1 for count in voices.values()), len(statements)),
    }


def _share(part: int, whole: int) -> float | None:
    """None where there is nothing."""
    return part / whole if whole else None


def digest(ids: list[str]) -> str:
    """sha256 of sorted ids, a line each."""
    return sha256("\n".join(sorted(ids)).encode()).hexdigest()


def lines(steps: Mapping[str, Any]) -> Iterator[str]:
    """The lineage for people, a line a step."""
    if number := steps["number"]:
        name = number.get("property") or number.get("type")
        who = number.get("name") or f"{number.get('source_name')} -> {number.get('target_name')}"
        yield f"number      {name} of {who}: {number['value']} {number['unit']}".rstrip()
        yield f"            statement {number['statement']}"
    if run := steps.get("run"):
        rest = ", ".join(f"{name} {run[name]}" for name in ("commit", "cut", "published") if run.get(name))
        yield f"run         {run['kind']} {run['id'][:12]} by {run['code']}" + (f", {rest}" if rest else "")
    if model := steps.get("model"):
        short = {name: value for name, value in model.items() if isinstance(value, str | int)}
        yield f"model       {', '.join(f'{name} {value}' for name, value in short.items())}"
    if seen := steps.get("snapshot"):
        counts = ", ".join(f"{seen[name]:,} {name}" for name in ("nodes", "edges", "facts"))
        yield f"snapshot    {counts}; valid {seen['valid'][:10]}, published by {seen['published'][:10]}"
    claims, documents, complete = steps["claims"], steps["documents"], steps["complete"]
    yield f"statements  {steps['statements']['count']:,}; digest {steps['statements']['digest'][:12]}"
    who = ", ".join(f"{name} {count:,}" for name, count in claims["extractors"].items())
    yield f"claims      {claims['count']:,}; digest {claims['digest'][:12]}; {who}"
    yield f"            beside {claims['judgements']:,} judgements and {claims['by_models']:,} claims of models"
    spans = [f"{name} {' to '.join(end[:10] for end in claims[clock])}" for name, clock in CLOCKS if claims[clock]]
    yield f"documents   {documents['count']:,}; digest {documents['digest'][:12]}; {', '.join(spans)}"
    kept, read, more = (complete[name] for name in ("documents_kept", "read_back", "of_more_than_one_document"))
    parts = [
        f"{_percent(kept)} of documents kept",
        f"{_percent(read)} of {complete['read_back_of']} claims drawn read back",
    ]
    yield f"complete    {', '.join(parts)}, {_percent(more)} of statements in more than one document"


CLOCKS: Final = (("published", "published"), ("recorded", "known_from"))


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.1%}"
