"""Losses as claims: what a stress run found goes back into the ledger, with the run as its document.

The document is the run's manifest, stored by digest; it holds the question, the data commit and one line per loss,
so that the locator `run:<id> row:<n>` of each claim leads to its quote.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Claim, ClaimBatch, Evidence, Node, RunManifest, digest, iso
from kg.snapshot import Snapshot
from queries.measure import Losses

CENT = Decimal("0.01")
Line = tuple[str, str, float, str]
"""(scenario, entity, loss, quote)."""


def publish(
    losses: Losses,
    ledger: Ledger,
    files: Files,
    *,
    snapshot: Snapshot,
    details: Mapping[str, Any] | None = None,
    over: float = 0.0,
    title: str = "",
) -> int:
    """Commit one claim per entity and scenario with a loss of more than `over`; returns the commit.

    The property is `contagion_loss` with the currency (`rank_score` for a measure that counts no money), its key
    `<first 12 digits of the run>:<scenario>`. With a `title` the run itself becomes a document of the graph. All
    losses, small ones too, are stored as the run's artefact. The same run again changes nothing.
    """
    run = manifest(losses, snapshot, details or {}, over)
    document = files.put(run.to_bytes())
    files.put(artefact(losses))
    lines = _lines(losses, over)
    claims = [_claim(losses, run.id, document, row, line, snapshot.at) for row, line in enumerate(lines)]
    table = ClaimBatch.of(claims).table
    # the entities are in the ledger already: a stress run has nothing to say about what they are
    batches = [ClaimBatch(table.filter(pc.equal(table["kind"], "property")))]
    if title:
        node = Node("Document", f"doc:{document}", {"title": title, "document_type": "risk run"})
        batches.append(ClaimBatch.of([_said(losses, node, run.id, document, title, snapshot.at)]))
    return ledger.commit(ClaimBatch.concat(batches), run)


def manifest(losses: Losses, snapshot: Snapshot, details: Mapping[str, Any], over: float = 0.0) -> RunManifest:
    """What was asked of which data and what came out: the same answer to the same question has the same id.

    `answer` is the digest of the artefact, so two manifests are equal only if every loss is, to the bit.
    """
    told = {"rows": [line[3] for line in _lines(losses, over)], "over": over, "answer": digest(artefact(losses))}
    return RunManifest("risk", _question(losses, snapshot, details) | told)


def artefact(losses: Losses) -> bytes:
    """Every loss as an Arrow file: scenario, id, direct, loss, distress; equal losses give equal bytes."""
    scenarios, n = losses.loss.shape
    table = pa.table(
        {
            "scenario": np.repeat(np.array(losses.scenarios, object), n),
            "id": np.tile(np.array(losses.exposures.ids, object), scenarios),
            **{name: getattr(losses, name).reshape(-1) for name in ("direct", "loss", "distress")},
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    made: bytes = sink.getvalue().to_pybytes()
    return made


def _question(losses: Losses, snapshot: Snapshot, details: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked of which data; no time of day, so that the same question has the same id."""
    exposures, at = losses.exposures, snapshot.at
    return {
        "measure": losses.measure,
        "scenarios": list(losses.scenarios),
        "unit": losses.unit,
        "ledger": snapshot.ledger,
        "commit": snapshot.commit,
        "valid": iso(at.valid) if at.valid else "",
        "published": iso(at.published) if at.published else "",
        "exposures": {
            "edges": exposures.edges.num_rows,
            "predicted": exposures.predicted.num_rows,
            "unpriced": len(exposures.unpriced),
            "assumed": len(exposures.assumed),
        },
        "question": dict(details),
    }


def _lines(losses: Losses, over: float) -> list[Line]:
    found = []
    for scenario, name in enumerate(losses.scenarios):
        for node in np.flatnonzero(losses.loss[scenario] > over):
            loss = float(losses.loss[scenario, node])
            entity = losses.exposures.ids[node]
            if losses.unit == "score":
                found.append((name, entity, loss, f"{entity} scores {loss:.9f} in {name}"))
            elif (amount := Decimal(repr(loss)).quantize(CENT)) > 0:
                found.append((name, entity, loss, f"{entity} loses {amount} {losses.unit} in {name}"))
    return found


def _claim(losses: Losses, run: str, document: str, row: int, line: Line, at: AsOf) -> Claim:
    scenario, entity, loss, quote = line
    key = f"{run[:12]}:{scenario}"
    if losses.unit == "score":
        node = Node("Company", entity, {"rank_score": loss}, key)
    else:
        amount = Decimal(repr(loss)).quantize(CENT)
        node = Node("Company", entity, {"contagion_loss": amount, "currency": losses.unit}, key)
    return _said(losses, node, f"{run} row:{row}", document, quote, at)


def _said(losses: Losses, node: Node, place: str, document: str, quote: str, at: AsOf) -> Claim:
    evidence = Evidence(document, f"run:{place}", quote, f"risk.{losses.measure}@1", 1.0)
    moments = [moment for moment in (at.known, at.published) if moment is not None]
    # made from what was public then: nobody who asks as of an earlier date may see it
    return Claim(node, evidence, min(moments), at.valid)
