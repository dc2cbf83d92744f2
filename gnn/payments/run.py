"""Run: a detector trained on a graph as of a cut, tested on what came after, kept as every run is, and asked later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import torch

from gnn.calibrate import platt
from gnn.card import card, written
from gnn.model import exact
from gnn.payments.boost import Boost
from gnn.payments.checkpoint import load, save, told
from gnn.payments.detector import Detector, Scored, Settings, shown, train
from gnn.payments.features import describe
from gnn.payments.proof import attested
from gnn.payments.publish import EXTRACTOR, MODEL, Suspicion, manifest
from gnn.payments.report import Judged, best_threshold, measure
from gnn.payments.stated import labelled, payments, spoken_of
from gnn.payments.table import Payments
from gnn.peek import Certificate, Readable
from gnn.result import METRICS
from gnn.runs import RunStore, Stages
from kg.errors import ModelError
from kg.files import Files
from kg.model import AsOf, RunManifest, as_time, digest, iso
from kg.snapshot import Snapshot

TASK: Final = "payments"
RAW: Final = "boosting, raw columns"
USE: Final = (
    "Meant for analysts who choose which payments to look at first; each score comes with the rows it stands on.",
    "Not meant to block a payment or to report a person alone, nor for times far from the cut.",
)
LIMITS: Final = (
    "What was flagged is not all that launders: the model learns what was found before.",
    "The interval is what few payments leave open about the calibration; of a world that changes it says nothing.",
)


class Viewed(Protocol):
    """What a ledger offers here."""

    def view(self, at: AsOf) -> Snapshot: ...


@dataclass(frozen=True)
class Asked:
    """How payments of several currencies are counted, and what else is known of them."""

    currency: str = ""
    rates: Mapping[str, float] = field(default_factory=dict)
    labels: pa.Table | None = None
    """Columns `payment` and `truth`; without it accounts flagged as fraud tell."""

    def table(self, snapshot: Snapshot) -> pa.Table:
        return payments(snapshot, self.currency, self.rates)


@dataclass(frozen=True)
class Trained:
    """A finished training run."""

    run: str
    cut: datetime
    metrics: pa.Table
    """In METRICS of gnn.result: each member, both, and boosting on raw columns, on what came after the cut."""
    remarks: list[str]
    checkpoint: Path
    detector: Detector
    certificate: Certificate | None = None
    """That nothing published after the cut was read; None where the files of the ledger were not given."""


def trained(
    ledger: Viewed, cut: datetime, out: Path, asked: Asked = Asked(), settings: Settings | None = None,
    files: Files | None = None,
) -> Trained:  # fmt: skip
    """Train on payments and truth as published by `cut`, test on what is known today of those from the cut on.

    With the `files` of a ledger the run carries a no-peek certificate; ModelError where a score reads the future.
    """
    settings, cut, spent = settings or Settings(), as_time(cut), Stages()
    before, today = ledger.view(AsOf(published=cut)), ledger.view(AsOf())
    later = asked.table(today)
    spoken_of(asked.labels, later)
    with spent("training"):
        known = labelled(asked.table(before), before, asked.labels)
        detector = train(known, cut, settings)
    with spent("test"):
        metrics, remarks = tested(detector, labelled(later, today, asked.labels), cut)
    with spent("certificate"):
        proof = attested(ledger, files, cut, asked, settings) if files and isinstance(ledger, Readable) else None
    remarks += [proof.remark()] if proof else []
    details = facts_of(detector, known, (cut, today), asked) | {
        "certificate": proof.to_dict() if proof else None,
        "metrics": metrics,
        "remarks": remarks,
    }
    run = RunManifest("train", details)
    checkpoint = save(detector, out / run.id, details | {"run": run.id})
    written(card(run), checkpoint)
    RunStore(out).record(run, spent.rows, [{"model": "network", **row} for row in detector.network.epochs])
    return Trained(run.id, cut, pa.Table.from_pylist(metrics, schema=METRICS), remarks, checkpoint, detector, proof)


def facts_of(detector: Detector, known: pa.Table, when: tuple[datetime, Snapshot], asked: Asked) -> dict[str, Any]:
    """What the manifest of a run says of model, settings and data; `when` is the cut and the graph as of today."""
    cut, today = when
    return {
        "model": MODEL,
        "head": "both",
        "extractor": EXTRACTOR,
        "cut": iso(cut),
        "seed": detector.settings.course.recipe.seed,
        "settings": told(detector.settings) | {"currency": asked.currency, "rates": dict(asked.rates)},
        "encoders": {},
        "torch": torch.__version__,
        "ledger": today.ledger,
        "commit": today.commit,
        "data": {"payments before the cut": len(known), "of them launder": int(pc.sum(known["truth"]).as_py())},
        "tried": {"AUPRC on validation": dict(detector.tried), "weight of the network": detector.share},
        "labels": "a table" if asked.labels is not None else "flags of accounts",
        "use": list(USE),
        "limits": list(LIMITS),
    }


def tested(detector: Detector, table: pa.Table, cut: datetime) -> tuple[list[dict[str, Any]], list[str]]:
    """Figures on the payments from the cut on, beside boosting on the raw columns alone, and remarks on them."""
    known = Payments.of(table)
    rows, truth = known.between(cut, None), known.labels()
    bad = int(truth[rows].sum())
    if not bad or bad == len(rows):
        return [], [f"No test: {bad} of the {len(rows)} payments from the cut on are known to launder."]
    raw = detector.members(known, rows, detector.columns(known))
    scores = {**raw, "both": detector.both(raw)}
    made: dict[str, Judged] = {}
    for name, score in scores.items():
        limit = detector.threshold if name == "both" else -detector.scales[name].b / (detector.scales[name].a or 1.0)
        made[name] = Judged(truth[rows], score, detector.scales[name](score), limit)
    made[RAW] = baseline(known, cut, detector.settings)
    figures = {name: measure(judged, known.source[rows]) for name, judged in made.items()}
    metrics = [
        {"task": TASK, "model": name, "metric": what, "value": one.value, "low": one.low, "high": one.high}
        | {"count": len(rows)}
        for name, found in figures.items()
        for what, one in found.items()
    ]
    both, plain = figures["both"]["AUPRC"], figures[RAW]["AUPRC"]
    if both.low > plain.high:
        return metrics, []
    return metrics, [
        f"Both have an AUPRC of {both.value:.3f} ({both.low:.3f} to {both.high:.3f}), boosting on raw columns "
        f"{plain.value:.3f} ({plain.low:.3f} to {plain.high:.3f}): not apart."
    ]


def baseline(known: Payments, cut: datetime, settings: Settings) -> Judged:
    """Boosting on the raw columns alone, chosen and calibrated as the detector is."""
    parts = known.between(None, cut - settings.valid), known.between(cut - settings.valid, cut)
    test, truth = known.between(cut, None), known.labels()
    features = shown(describe(known, settings.protocol, graph=False), settings.wiring)
    with exact(settings.course.recipe.threads):
        boost = Boost.fit(features.of(parts[0]), truth[parts[0]], features.of(parts[1]), truth[parts[1]])
    valid, score = boost.score(features.of(parts[1])), boost.score(features.of(test))
    scale = platt(valid, truth[parts[1]])
    return Judged(truth[test], score, scale(score), best_threshold(truth[parts[1]], valid))


@dataclass(frozen=True)
class Scores:
    """What a detector says of the payments of a time."""

    table: pa.Table
    """In order of probability: payment, edge, ends, amount, time, published, probability, interval, members, why."""
    suspicions: list[Suspicion]
    """Those that are to be published."""
    scored: list[str]
    """Statements of every payment that was looked at."""
    run: RunManifest


def scored(
    ledger: Viewed, checkpoint: Path, at: AsOf = AsOf(), since: datetime | None = None, least: float | None = None,
    asked: Asked = Asked(),
) -> Scores:  # fmt: skip
    """Score the payments from `since` (the cut of the detector) on, as stated at an instant.

    Suspicions are those at or above the probability `least`, or, without one, above the detector's threshold.
    """
    detector, facts = load(checkpoint)
    cut = as_time(datetime.fromisoformat(facts["cut"]))
    snapshot, start = ledger.view(at), as_time(since or cut)
    stated = asked.table(snapshot)
    own = Payments.of(stated)
    rows = own.between(start, None)
    if not len(rows):
        raise ModelError(f"no payment from {start:%Y-%m-%d} on is stated at that instant; ask from an earlier day on")
    if start < cut:
        raise ModelError(
            f"the detector was trained on payments before {cut:%Y-%m-%d} and would judge what it learned from; "
            "ask from that day on"
        )
    said = detector.score(own, rows)
    by_id = {row["id"]: row for row in stated.to_pylist()}
    chosen = [one for one in said if (one.alert if least is None else one.probability >= least)]
    chosen.sort(key=lambda one: (-one.score, one.id))
    found = [Suspicion(by_id[one.id], one, max(as_time(by_id[one.id]["published"]), cut)) for one in chosen]
    details = {
        "detector": facts["run"],
        "ledger": snapshot.ledger,
        "payments": digest(repr(stated.to_pydict()).encode()),  # a commit would change with what is published here
        "published": iso(snapshot.at.published) if at.published and snapshot.at.published else "",
        "since": iso(start),
        "least": least,
        "scored": len(rows),
    }
    ordered = sorted(said, key=lambda one: (-one.score, one.id))
    table = pa.Table.from_pylist([_row(by_id[one.id], one) for one in ordered])
    return Scores(table, found, [one.id for one in said], manifest(found, details))


def _row(payment: Mapping[str, Any], said: Scored) -> dict[str, Any]:
    own = {name: payment[name] for name in ("source", "target", "amount", "time", "published", "edge")}
    told = {"probability": said.probability, "low": said.low, "high": said.high, "alert": said.alert}
    members = {f"by_{name}": value for name, value in said.members.items()}
    why = "; ".join(f"{reason.feature} {reason.value:g} ({reason.share:+.2f})" for reason in said.reasons)
    return {**own, **told, **members, "why": why, "statement": payment["id"]}


def latest(out: Path, id: str = "") -> Path:
    """Folder of a detector: of the run that begins with `id`, or of the one that ended last. ModelError if none."""
    store = RunStore(out)
    if id:
        return out / store.get(id).id
    found = store.latest(MODEL)
    if found is None:
        raise ModelError(f"no detector of payments in {out}; train one first: `kgrisk payments train`")
    return found
