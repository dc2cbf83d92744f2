"""Models speak as claims: predicted edges, distress scores and vectors go back into the ledger with their run."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gnn.result import VECTOR_ROWS, Embeddings, TrainResult
from kg import plugins
from kg.errors import ModelError
from kg.files import Files
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, RunManifest
from kg.ontology import EDGES
from kg.snapshot import Snapshot


class Writable(Protocol):
    """What a ledger offers here."""

    def commit(
        self, batch: ClaimBatch, run: RunManifest, *, retract: Sequence[str] = (), replaces: Sequence[str] = ()
    ) -> int: ...

    def alive(self, commit: int | None = None) -> pa.Table: ...


class Spoken(Protocol):
    """What of a run says which claims it takes the place of."""

    @property
    def run(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def cut(self) -> datetime: ...


@dataclass(frozen=True)
class Said:
    """A run that was trained before."""

    run: str
    model: str
    cut: datetime


VERSION = 2
"""Raised when the same data, seed and settings give other vectors or scores."""
SCORED = ("distress", "distress_low", "distress_high")
"""Properties of a score and of its range."""
TEXT_INDEXES = ("usem3",)
"""Keys of vectors that no graph model made, with or without `.` and more: they stand in indexes of their own."""


def extractor(model: str) -> str:
    """Name of the model as the extractor of its claims."""
    return f"model.{model}@{VERSION}"


def said(links: pa.Table, scores: pa.Table, embeddings: Embeddings, vectors: str) -> list[str]:
    """One line per claim, in the order in which `claims` makes them: the quote of each, and part of the manifest."""
    lines = [
        f"{r['source']} -{r['relation']}-> {r['target']}: score {r['score']!r}" for r in publishable(links).to_pylist()
    ]
    lines += [f"{r['id']}: distress {r['distress']!r}, from {r['low']!r} to {r['high']!r}" for r in scores.to_pylist()]
    return lines + [f"{id}: embedding vectors:{vectors}#{row}" for row, id in enumerate(embeddings.ids)]


def publishable(links: pa.Table) -> pa.Table:
    """Links whose ends a PREDICTED edge may have; payments between accounts, for one, are not."""
    spec = EDGES["PREDICTED"]
    ends = pc.and_(
        pc.is_in(links["source_label"], pa.array(spec.source)), pc.is_in(links["target_label"], pa.array(spec.target))
    )
    return links.filter(ends)


def vector_bytes(embeddings: Embeddings) -> bytes:
    """The .npy file of the vectors: float32, one row per node."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(embeddings.vectors, dtype=np.float32), allow_pickle=False)
    return file.getvalue()


def read_vectors(data: bytes) -> np.ndarray:
    """The array in the bytes of a vector file; ModelError if they are none."""
    try:
        array: np.ndarray = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ModelError(
            f"{len(data)} bytes are no vector file ({error}); expected .npy, float32, two dimensions"
        ) from error
    if array.ndim != 2 or array.dtype != np.float32:
        raise ModelError(
            f"vector file holds {array.dtype} with shape {array.shape}; expected float32 with two dimensions"
        )
    return array


def claims(result: TrainResult, vectors: str) -> ClaimBatch:
    """The claims of a run. A model never claims that a node exists: node rows are left to the sources."""
    links, scores = publishable(result.links), result.scores
    made: list[Claim] = []

    def add(what: Node | Edge, confidence: float) -> None:
        row = len(made)
        quote = lines[row]
        evidence = Evidence(result.run, f"run:{result.run} row:{row}", quote, extractor(result.model), confidence)
        made.append(Claim(what, evidence, published=result.cut, valid_from=result.cut))

    lines = said(result.links, scores, result.embeddings, vectors)
    for r in links.to_pylist():
        props = {"score": r["score"], "role": r["relation"]}
        add(Edge("PREDICTED", r["source"], r["target"], props, key=r["relation"]), r["score"])
    for r in scores.to_pylist():
        ends = {name: r[end] for name, end in zip(SCORED[1:], ("low", "high"), strict=True) if r[end] is not None}
        add(Node(r["label"], r["id"], {"distress": r["distress"], **ends}), 1.0)
    for row, (id, label) in enumerate(zip(result.embeddings.ids, result.embeddings.labels, strict=True)):
        add(Node(label, id, {"embedding": f"vectors:{vectors}#{row}"}, key=result.model), 1.0)
    table = ClaimBatch.of(made).table
    return ClaimBatch(table.filter(pc.not_equal(table["kind"], "node")))


def publish(ledger: Writable, files: Files, result: TrainResult) -> int:
    """Commit a run's claims and store its manifest and vectors; what the model said in former runs is retracted.

    The run published last is what the model says now: predicted edges and vectors of other runs, of whatever cut and
    by whichever model, are retracted. Its scores at other cuts stay: each is valid from its own cut and so a dated
    history, in which the latest is read; only a former run of the same cut is corrected. What was said before is still
    seen as of a known time before this commit. Returns the commit. Publishing the same run twice changes nothing and
    returns the head.
    """
    return ledger.commit(kept(files, result), result.manifest, retract=former(ledger.alive(), result))


def kept(files: Files, result: TrainResult) -> ClaimBatch:
    """The claims of a run, whose manifest and vectors are now among the files; nothing is published yet."""
    vectors = files.put(vector_bytes(result.embeddings))
    stored = files.put(result.manifest.to_bytes())
    if stored != result.run or result.manifest.details.get("vectors") != vectors:
        raise ModelError(
            f"run {result.run}: manifest or vectors are not those of the run; publish the result of train() as it is"
        )
    return claims(result, vectors)


def of_models(alive: pa.Table, *more: str) -> pa.Array:
    """(rows,) bool: claims of a graph model, any of gnn/models/ or of `more`, in any version."""
    models = "|".join(sorted({*plugins.names("gnn.models"), *more}))
    return pc.match_substring_regex(alive["extractor"], f"^model[.]({models})@")


def former(alive: pa.Table, result: Spoken) -> list[str]:
    """Claims that other runs of a graph model (any of gnn/models/, in any version) left alive, less their scores at
    other cuts."""
    own = of_models(alive, result.model)
    other = pc.not_equal(alive["document"], result.run)
    dated = pc.and_(
        pc.is_in(alive["name"], pa.array(SCORED)),
        pc.not_equal(alive["published"], pa.scalar(result.cut, pa.timestamp("us", "UTC"))),
    )
    found: list[str] = alive.filter(pc.and_(pc.and_(own, other), pc.invert(dated)))["claim"].to_pylist()
    return found


def vectors(snapshot: Snapshot, files: Files) -> pa.Table:
    """The latest vector that a graph model published of every node of a snapshot: id, label, model, vector."""
    facts = snapshot.facts_of("embedding")
    facts = facts.filter(
        pc.invert(pc.match_substring_regex(facts["key"], f"^({'|'.join(TEXT_INDEXES)})([.]|$)"))
    ).sort_by([(name, "ascending") for name in ("subject", "valid_from", "published", "key")])
    kept = ["subject", "key", "value_text", "published", "statement", "claim"]
    latest = {fact["subject"]: fact for fact in facts.select(kept).to_pylist()}
    arrays: dict[str, np.ndarray] = {}
    rows = []
    for node, fact in sorted(latest.items()):
        name, _, row = fact["value_text"].removeprefix("vectors:").partition("#")
        if name not in arrays:
            arrays[name] = read_vectors(files.get(name))
        vector = arrays[name][int(row)].tolist()
        own = {name: fact[name] for name in ("published", "statement", "claim")}
        named = {"id": snapshot.ids[node], "label": snapshot.labels[node], "model": fact["key"]}
        rows.append({**named, **own, "vector": vector})
    return pa.Table.from_pylist(rows, schema=VECTOR_ROWS)


def traced(ledger: Writable, snapshot: Snapshot, files: Files) -> pa.Table:
    """The same vectors with where they come from: run, ledger, the commit learned from and that of the vector itself.

    `version` is the version of the model, `learned_from` what the run's manifest says of its data.
    """
    table, alive = vectors(snapshot, files), ledger.alive(snapshot.commit)
    said = alive.filter(pc.is_in(alive["claim"], table["claim"].combine_chunks()))
    by = {row["claim"]: row for row in said.select(["claim", "run", "extractor", "commit"]).to_pylist()}
    claims = [by[claim] for claim in table["claim"].to_pylist()]
    learned = {run: json.loads(files.get(run))["details"].get("commit") for run in {row["run"] for row in claims}}
    columns = {
        "run": pa.array([row["run"] for row in claims], pa.string()),
        "version": pa.array([row["extractor"] for row in claims], pa.string()),
        "ledger": pa.array([snapshot.ledger] * len(claims), pa.string()),
        "learned_from": pa.array([learned[row["run"]] for row in claims], pa.int64()),
        "commit": pa.array([row["commit"] for row in claims], pa.int64()),
    }
    for place, (name, column) in enumerate(columns.items(), table.column_names.index("published")):
        table = table.add_column(place, name, column)
    return table
