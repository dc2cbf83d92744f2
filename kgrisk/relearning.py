"""Relearning: the part of a refresh that trains where something asks for it, scores what changed, and assesses risk.

A model is trained where none is served, where the refresh was asked to (`whole`), where the last training is older than
the setting `retrain_days`, and where what the champion reads or says has drifted. Otherwise the champion stands, and
only the firms within reach of a change are scored anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pyarrow.compute as pc

from kg import plugins
from kg.errors import MeasureError, ModelError
from kg.executor import Executor
from kg.meter import Meter
from kg.model import digest
from kgrisk.challenge import challenge
from kgrisk.champion import champion
from kgrisk.monitor_drift import drifted
from kgrisk.rescoring import rescore
from kgrisk.risk import publish as publish_losses
from kgrisk.risk import run_of
from queries.publish import artefact

if TYPE_CHECKING:
    from kgrisk.api import Graph

STANDS: Final = "the champion stands: nothing asked for a training"
REST: Final = timedelta(days=1)
"""Drift asks for no training sooner than this after the last one, which it outlived."""


@dataclass(frozen=True)
class Steps:
    """A refresh under way: its graph, what is measured, and whom to tell."""

    graph: Graph
    meter: Meter
    done: Callable[..., None]
    """Called after each stage with its name and what is to stand in the run file."""
    tell: Callable[[str], None]
    check: Callable[[], None]
    """Called before each stage that writes."""
    executor: Executor
    """Where firms are scored."""

    def stage(self, name: str, do: Callable[[], Mapping[str, Any]]) -> None:
        """Run a stage that writes; what it gives stands in the run file."""
        self.check()
        with self.meter.stage(name):
            facts = do()
        self.done(name, **facts)


def relearn(steps: Steps, whole: bool, past: Iterable[Mapping[str, Any]]) -> tuple[dict[str, str], bool]:
    """Train if asked for, score, assess; gives what was left out with the reason, and whether all was done that could.

    `past` are former run files, last first. A graph may hold too little to learn from.
    """
    skipped: dict[str, str] = {}
    reason = asked(steps.graph, whole)
    if reason:
        _try(skipped, "train", lambda: _train(steps, reason))
    else:
        skipped["train"] = STANDS
    if champion(steps.graph) is None:
        return {**skipped, "risk": "no scores to start from"}, False
    _try(skipped, "score", lambda: steps.stage("score", lambda: {"score": rescore(steps.graph, steps.executor)}))
    if not reason and (reason := drift(steps.graph)):
        skipped.pop("train")
        _try(skipped, "train", lambda: _train(steps, reason))
        _try(skipped, "score", lambda: steps.stage("score", lambda: {"score": rescore(steps.graph, steps.executor)}))
    try:
        steps.stage("risk", lambda: {"risk": _risk(steps.graph, past)})
    except MeasureError as error:
        skipped["risk"] = str(error)
    return skipped, not [name for name, why in skipped.items() if why != STANDS]


def asked(graph: Graph, whole: bool) -> str:
    """Why a model is to be trained before anything is scored; "" if nothing asks for it."""
    if whole:
        return "a whole refresh was asked for"
    if champion(graph) is None:
        return "no model is served"
    last, days = trained(graph), graph.settings.retrain_days
    if days and (last is None or datetime.now(UTC) - last > timedelta(days=days)):
        return f"the last training is older than {days} days (setting retrain_days)"
    return ""


def drift(graph: Graph) -> str:
    """The drift that asks for a training; "" where there is none, or one was trained less than a day ago."""
    last = trained(graph)
    if last is not None and datetime.now(UTC) - last < REST:
        return ""
    found = [one.what for one in drifted(graph) if one.alert]
    return f"drift of {', '.join(found)}" if found else ""


def trained(graph: Graph) -> datetime | None:
    """When a graph model was last trained, in the shadow or not."""
    kept = [json.loads(path.read_text()) for path in (graph.home / "runs").glob("*/run.json")]
    models = plugins.names("gnn.models")
    return max(
        (datetime.fromisoformat(run["ended"]) for run in kept if run["details"].get("model") in models), default=None
    )


def _try(skipped: dict[str, str], stage: str, do: Callable[[], None]) -> None:
    """Run it; where there is too little to learn from, or a model cannot be used, note why and go on."""
    try:
        do()
    except ModelError as error:
        skipped[stage] = str(error)


def _train(steps: Steps, reason: str) -> None:
    graph, made = steps.graph, list[Any]()

    def train() -> dict[str, Any]:
        result = graph.train(publish=False, progress=steps.tell, executor=steps.executor)
        made.append(result)
        return {"model": result.run, "remarks": list(result.remarks), "trained_for": reason}

    steps.tell(f"training: {reason}")
    steps.stage("train", train)
    steps.stage("challenge", lambda: {"challenge": challenge(graph, made[0], steps.check)})


def _risk(graph: Graph, past: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Assess and publish, unless it is to the last bit what an earlier refresh published and still stands."""
    risk = graph.risk()
    told = {
        "measure": risk.losses.measure,
        "total": risk.total,
        "unit": risk.unit,
        "answer": digest(artefact(risk.losses)),
    }
    names = ("measure", "unit", "answer")
    for run in past:
        was = run.get("risk")
        if was and all(was.get(name) == told[name] for name in names) and _stands(graph, was.get("run", "")):
            return {**told, "run": was["run"], "unchanged": True}
        if was:
            break
    publish_losses(graph.ledger, graph.files, risk)
    return {**told, "run": run_of(risk), "unchanged": False}


def _stands(graph: Graph, run: str) -> bool:
    """Has the ledger claims of a run?"""
    return bool(run) and bool(pc.any(pc.equal(graph.ledger.alive()["document"], run)).as_py())
