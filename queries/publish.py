"""Losses as claims: what a stress run found goes back into the ledger, with the run as its document.

The document is the run's manifest, stored by digest; it holds the question, the data commit and one line per loss,
so that the locator `run:<id> row:<n>` of each claim leads to its quote. In the graph the run is a document that tells
what was asked, of which commit, and the loss of everyone by scenario (`queries.recorded`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from kg.files import Files
from kg.ledger import Ledger
from kg.model import ClaimBatch, RunManifest, Value, digest, iso
from kg.snapshot import Snapshot
from queries.measure import Losses
from queries.recorded import Recorded, asking
from queries.uncertainty import Uncertain

CENT = Decimal("0.01")
NAMED = 20
"""Most scenarios that the question names: each has a total of its own."""


@dataclass(frozen=True)
class _Line:
    """One row of a manifest, and what it says of whom."""

    quote: str
    id: str
    """Of the entity; "" for everyone together."""
    values: Mapping[str, Value]
    key: str
    """What follows the run in the key of the claims."""


@dataclass(frozen=True)
class Told:
    """What of a run goes into its manifest and its claims besides the losses."""

    question: Mapping[str, Any]
    over: float = 0.0
    """Losses of more than this become claims."""
    uncertain: Uncertain | None = None
    """Ranges of the first scenario."""


def publish(losses: Losses, ledger: Ledger, files: Files, *, snapshot: Snapshot, told: Told = Told({})) -> int:
    """Commit the run, and claims of each entity and scenario with a loss of more than `told.over`; gives the commit.

    The property is `contagion_loss` with the currency (`rank_score` for a measure that counts no money), its key
    `<first 12 digits of the run>:<scenario>`; beside it stand `equity_after`, `fails` and, where ranges were asked for,
    `loss_low` and `loss_high`. All losses, small ones too, are stored as the run's artefact. The same snapshot
    published again changes nothing; the same question on a later commit, that of its own run included, is another run.
    """
    run = manifest(losses, snapshot, told)
    files.put(artefact(losses))
    files.put(run.to_bytes())
    recorded = Recorded(run, losses.measure, snapshot)
    lines = _lines(losses, told)
    claims = recorded.itself(asked_of(losses, told.question, told.over), len(lines))
    for row, line in enumerate(lines):
        id, key = (line.id, f"{recorded.short}:{line.key}") if line.id else (recorded.id, line.key)
        claims += [recorded.of(id, line.values, key, row)] if line.values else []
    return ledger.commit(ClaimBatch.of(claims), run)


def manifest(losses: Losses, snapshot: Snapshot, told: Told = Told({})) -> RunManifest:
    """What was asked of which data and what came out: the same answer to the same question has the same id.

    `answer` is the digest of the artefact, so two manifests are equal only if every loss is, to the bit.
    """
    asked = asking("risk", losses.measure, asked_of(losses, told.question, told.over), snapshot.commit)
    rows = [*(line.quote for line in _lines(losses, told)), asked]
    found = {"rows": rows, "over": told.over, "answer": digest(artefact(losses))}
    return RunManifest("risk", _question(losses, snapshot, told.question) | found)


def asked_of(losses: Losses, details: Mapping[str, Any], over: float = 0.0) -> dict[str, Any]:
    """A question in short, as the graph tells it: scenarios by name, the rest as given, what saved losses exceed."""
    short = {name: value for name, value in details.items() if name not in ("measure", "scenario", "scenarios")}
    return short | {"scenarios": list(losses.scenarios)[:NAMED]} | ({"over": over} if over else {})


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


def _lines(losses: Losses, told: Told) -> list[_Line]:
    """Rows of losses, then of everyone's by scenario, then of ranges."""
    found, money = [], losses.unit != "score"
    for scenario in range(len(losses.scenarios)):
        failed = frozenset(losses.defaults(scenario)) if money else frozenset()
        for node in np.flatnonzero(losses.loss[scenario] > told.over).tolist():
            made = _lost(losses, scenario, node, failed) if money else _scored(losses, scenario, node)
            found += [made] if made is not None else []
    if money:
        found += [_total(losses, scenario, name) for scenario, name in enumerate(losses.scenarios)]
    return found + (_ranges(losses, told.uncertain, told.over) if money and told.uncertain is not None else [])


def _scored(losses: Losses, scenario: int, node: int) -> _Line:
    score, entity, name = float(losses.loss[scenario, node]), losses.exposures.ids[node], losses.scenarios[scenario]
    return _Line(f"{entity} scores {score:.9f} in {name}", entity, {"rank_score": score}, name)


def _lost(losses: Losses, scenario: int, node: int, failed: frozenset[str]) -> _Line | None:
    """What an entity loses, what it has left and whether it fails; None for less than a cent."""
    amount = cents(losses.loss[scenario, node])
    if amount <= 0:
        return None
    entity, name = losses.exposures.ids[node], losses.scenarios[scenario]
    left = losses.worth if losses.worth is not None else losses.exposures.equity - losses.loss
    values: dict[str, Value] = {"contagion_loss": amount, "currency": losses.unit}
    quote = f"{entity} loses {amount} {losses.unit} in {name}"
    if np.isfinite(left[scenario, node]):
        values["equity_after"] = cents(left[scenario, node])
        quote += f", which leaves equity of {values['equity_after']}"
    if entity in failed:
        values["fails"] = 1
        quote += "; it fails"
    return _Line(quote, entity, values, name)


def _total(losses: Losses, scenario: int, name: str) -> _Line:
    amount = cents(losses.loss[scenario].sum())
    quote = f"all lose {amount} {losses.unit} in {name}"
    return _Line(quote, "", {"run_total": amount, "currency": losses.unit}, name)


def _ranges(losses: Losses, uncertain: Uncertain, over: float) -> list[_Line]:
    """The range of each loss of the first scenario that has a claim."""
    found, name = [], losses.scenarios[0]
    low, high = uncertain.each.low, uncertain.each.high
    for node in np.flatnonzero(losses.loss[0] > over).tolist():
        if cents(losses.loss[0, node]) > 0:
            entity, ends = losses.exposures.ids[node], (cents(low[node]), cents(high[node]))
            quote = f"{entity} loses {ends[0]} to {ends[1]} {losses.unit} in 90 % of the worlds of {name}"
            values: dict[str, Value] = {"loss_low": ends[0], "loss_high": ends[1], "currency": losses.unit}
            found.append(_Line(quote, entity, values, name))
    return found


def cents(value: float) -> Decimal:
    """An amount as claims keep it."""
    return Decimal(repr(float(value))).quantize(CENT)
