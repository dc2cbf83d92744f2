"""train(): one call from a ledger to metrics, links, scores and vectors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pyarrow as pa
import torch
from torch.nn import functional as F

from gnn.bound import bounded
from gnn.card import card, data_sheet, sources, uncertified, written
from gnn.checkpoint import fill, load_tensors, ontology, save_tensors
from gnn.choice import chosen, keep
from gnn.device import beside
from gnn.encoder import Encoder
from gnn.encoders.table import Table
from gnn.fairness import by_group
from gnn.fairness_groups import told_groups
from gnn.forecast import Forecast, forecast
from gnn.heads.network import Network
from gnn.judge import Judge
from gnn.kept import facts as facts_of_model
from gnn.kept import rebuilt
from gnn.model import Model, exact
from gnn.peek import Certificate, Readable, certificate
from gnn.publish import extractor, publish, said, traced, vector_bytes, vectors
from gnn.regression import Amounts, amounts
from gnn.result import LOSS_ROWS, METRICS, MODALITY_ROWS, RELATION_ROWS, Embeddings, TrainResult
from gnn.risk import Outlook, outlook
from gnn.runs import RunStore, Stages
from gnn.settings import Report, Settings
from gnn.teaching import USUAL, checked
from gnn.tensors import GraphTensors
from gnn.views import Ledgerlike, Views, months
from gnn.vocabulary import LABELS
from kg.errors import ModelError
from kg.files import Files
from kg.model import AsOf, RunManifest, as_time, digest, iso
from kg.snapshot import Snapshot

__all__ = ["Settings", "TrainResult", "publish", "restored", "traced", "train", "vectors"]

log = logging.getLogger(__name__)

LATER: Final = ("scores", "device", "neighbours", "negatives", "table")
"""Settings that change bits only where they are set; a manifest is silent of the others, so that its id stays."""


def train(
    source: Ledgerlike | Callable[[AsOf], Snapshot],
    files: Files,
    cut: datetime,
    *,
    seed: int = 0,
    out: Path,
    progress: Report | None = None,
    settings: Settings = Settings(),
) -> TrainResult:
    """Learn from what was published by the cut, test on what came after, and predict.

    The same ledger, cut, seed and settings give the same bits on one machine. A run that was stopped goes on from its
    last epoch when called again with the same four and the same `out`. ModelError if nothing can be learned.
    """
    cut, report, spent = as_time(cut), progress or log.info, Stages()
    certifiable(source, checked(settings))
    views = Views(source, files, settings.cache)
    encoders = chosen_encoders(views, cut, settings)
    facts = facts_of(views, cut, seed, settings, encoders)
    settings = replace(settings, unfinished=unfinished(out, facts, settings.threads))
    with exact(settings.threads), bounded(settings.scores):
        with spent("links"):
            links = forecast(views, encoders, cut, settings, seed, report)
        with spent("risk"):
            risk = outlook(views, encoders, cut, settings, seed, report)
        with spent("amounts"):
            money = growth(views, risk, settings, seed)
        with spent("embeddings"):
            embedded = embeddings(links.model, links.graph)
    with spent("certificate"):
        proof = attested(source, files, cut, seed, settings, report)
    facts |= {"certificate": proof.to_dict() if proof else None}
    found = tables(links, risk, money, [proof.remark()] if proof else uncertified(vars(settings)))
    manifest, checkpoint = sealed(facts | after(found, source, views, risk, cut), links, risk, embedded, out)
    keep(encoders, checkpoint / "encoders")
    rmtree(unfinished(out, facts_before(facts), settings.threads), ignore_errors=True)
    RunStore(out).record(manifest, spent.rows, links.losses)
    made: dict[str, Any] = {"embeddings": embedded, "checkpoint": checkpoint, "manifest": manifest}
    return TrainResult(manifest.id, settings.model, cut, seed, **found, **made, certificate=proof)


def after(found: dict[str, Any], source: object, views: Views, risk: Outlook, cut: datetime) -> dict[str, Any]:
    """What the manifest adds to the facts: figures, how the score treated firms by country, and what was read."""
    snapshot = views.snapshot(cut)
    rows = [snapshot.index[id] for id in risk.tested["id"].to_pylist()]
    probability, truth = (risk.tested[name].to_numpy().astype(float) for name in ("probability", "truth"))
    groups = by_group(told_groups(snapshot, rows, "country", cut), "country", probability, truth > 0)
    read = {"sources": sources(source.alive(), cut)} if isinstance(source, Readable) else {}
    return {"metrics": found["metrics"].to_pylist(), "fairness": groups, **read}


def certifiable(source: object, settings: Settings) -> None:
    """ModelError if a certificate is asked for of something that is no ledger."""
    if settings.certify != "off" and not isinstance(source, Readable):
        raise ModelError(
            "a no-peek certificate needs the ledger itself, to write it anew; give it or set certify='off'"
        )


def facts_before(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts as they were when the run began."""
    return {name: value for name, value in facts.items() if name != "certificate"}


def growth(views: Views, risk: Outlook, settings: Settings, seed: int) -> Amounts:
    """The regression of amounts, where one is asked for."""
    if settings.amount is None or risk.cohorts is None:
        return Amounts()
    return amounts(views, risk.cohorts, settings.amount, settings.window, seed)


def attested(
    source: Ledgerlike | Callable[[AsOf], Snapshot],
    files: Files,
    cut: datetime,
    seed: int,
    settings: Settings,
    report: Report,
) -> Certificate | None:
    """The no-peek certificate of this code on this ledger; ModelError if a score moved, for then none can be used."""
    if settings.certify == "off":
        return None
    assert isinstance(source, Readable)  # looked at before the run began
    report(f"certificate: scoring twice at {settings.certify} scale")
    with TemporaryDirectory(prefix="vectors-") as folder:
        own = replace(settings, unfinished=None, cache=settings.cache or Path(folder))
        if settings.certify == "small":
            own = replace(own, epochs=2, dim=8, seeds=1, members=1, pretrain=min(own.pretrain, 1))
        proof = certificate(partial(scored_at, cut=cut, seed=seed, settings=own), source, files, cut, seed, own.certify)
    if not proof.holds:
        raise ModelError(f"{proof.remark()} No score of this run can be trusted: find what reads past the cut")
    return proof


def scored_at(source: Ledgerlike, files: Files, *, cut: datetime, seed: int, settings: Settings) -> dict[str, bytes]:
    """All that a run says of a cut, as bytes: what a certificate compares."""
    views, quiet = Views(source, files, settings.cache), log.debug
    encoders = chosen_encoders(views, cut, settings)
    with exact(settings.threads), bounded(settings.scores):
        links = forecast(views, encoders, cut, settings, seed, quiet)
        risk = outlook(views, encoders, cut, settings, seed, quiet)
        embedded = embeddings(links.model, links.graph)
    return {
        "links": repr(links.links.to_pylist()).encode(),
        "distress": repr(risk.scores.to_pylist()).encode(),
        "vectors": repr(embedded.ids).encode() + vector_bytes(embedded),
    }


def unfinished(out: Path, facts: dict[str, Any], threads: int) -> Path:
    """Folder of the states of a run under way, named by all that its bits depend on: another run never finds them."""
    recipe = asdict(Network.recipe)
    return out / "unfinished" / RunManifest("fit", facts | {"threads": threads, "network": recipe}).id


def tables(links: Forecast, risk: Outlook, money: Amounts, proven: Sequence[str]) -> dict[str, Any]:
    """What the parts of a run found, by the name of its field in the result."""
    return {
        "links": links.links,
        "scores": risk.scores,
        "tested": risk.tested,
        "remarks": [*links.remarks, *risk.remarks, *money.remarks, *proven],
        "metrics": pa.Table.from_pylist([*links.metrics, *risk.metrics, *money.metrics], schema=METRICS),
        "relations": pa.Table.from_pylist(links.relations, schema=RELATION_ROWS),
        "modalities": pa.Table.from_pylist(links.modalities, schema=MODALITY_ROWS),
        "losses": pa.Table.from_pylist(links.losses, schema=LOSS_ROWS),
    }


def restored(checkpoint: Path) -> tuple[Model, dict[str, Any]]:
    """The model of a run as it was trained, and the facts kept with it. ModelError if the folder holds none."""
    tensors, facts = load_tensors(checkpoint)
    if not {"model", "shape", "settings_of_model"} <= facts.keys():
        raise ModelError(f"{checkpoint} holds the state of a fit, not a finished model; name the folder of a run")
    own = extractor(facts["model"])
    if facts.get("extractor") != own or facts.get("ontology") != ontology():
        raise ModelError(
            f"{checkpoint} was made by another version: {facts.get('extractor')} over the ontology "
            f"{str(facts.get('ontology'))[:8]}, this is {own} over {ontology()[:8]}; train again"
        )
    made = rebuilt(facts["model"], facts)
    fill(made, tensors, checkpoint)
    return made.eval(), facts


def chosen_encoders(views: Views, cut: datetime, settings: Settings) -> list[Encoder]:
    """Encoders of the modalities asked for; what they learn is learned before the validation window begins."""
    start = months(cut, -settings.window)
    return chosen(views.snapshot(start), views.files, start, settings)


@torch.no_grad()
def embeddings(model: Model, graph: GraphTensors) -> Embeddings:
    """Vectors of unit length of every node of the graph; a node of which the model knows nothing has none."""
    told = beside(type(model).describe)(model.eval(), graph)
    rows = torch.nonzero(told.square().sum(1) > 0).squeeze(1)
    vectors = F.normalize(told[rows], dim=1).numpy().astype(np.float32)
    names = tuple(LABELS[label] for label in graph.labels[rows].tolist())
    return Embeddings(tuple(graph.ids[row] for row in rows.tolist()), names, vectors)


def facts_of(views: Views, cut: datetime, seed: int, settings: Settings, encoders: Sequence[Encoder]) -> dict[str, Any]:
    """What the manifest says of inputs and settings; nothing of the machine, so that a repeat has the same id."""
    snapshot = views.snapshot(cut)
    kept = {
        name: value
        for name, value in asdict(settings).items()
        if name not in ("cache", "threads", "unfinished", "clip")
    }
    kept = {name: value for name, value in kept.items() if name not in LATER or value != USUAL[name]}
    return {
        "model": settings.model,
        "extractor": extractor(settings.model),
        "cut": iso(cut),
        "seed": seed,
        "settings": kept,
        "ledger": snapshot.ledger,
        "commit": snapshot.commit,
        "encoders": {encoder.modality: encoder.fingerprint for encoder in encoders},
        "scale": next((encoder.scale for encoder in encoders if isinstance(encoder, Table)), {}),
        "torch": torch.__version__,
        "ontology": ontology(),
    }


def sealed(
    facts: dict[str, Any], links: Forecast, risk: Outlook, embedded: Embeddings, out: Path
) -> tuple[RunManifest, Path]:
    """The manifest with a line for every claim to come, and the checkpoint in a folder named by the run."""
    details = facts | {
        "head": risk.chosen,
        "vectors": digest(vector_bytes(embedded)),
        "data": data_sheet(links.graph),
        "remarks": [*links.remarks, *risk.remarks],
    }
    rows = said(links.links, risk.scores, embedded, str(details["vectors"]))
    manifest = RunManifest("train", details | {"rows": rows})
    kept = details | facts_of_model(links.model) | {"ids": list(links.graph.ids)}
    checkpoint = save_tensors(out / manifest.id, links.model.state_dict(), kept)
    written(card(manifest), checkpoint)
    if risk.best is not None:
        Judge(risk.best.head, risk.best.scale, risk.span).save(checkpoint)
    return manifest, checkpoint
