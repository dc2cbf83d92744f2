"""Replay: a score asked for again on the data it was made from, and compared to the bit.

The document of every number that the engine found is the manifest of its run, stored by digest. It holds the question,
the ledger's commit and the digest of the whole answer; so the same question on the same commit either gives a manifest
of the same id, or the number is not what the engine finds now.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.compute as pc

from kg.errors import ErasedError, KgRiskError
from kg.ledger import Ledger
from kg.model import AsOf, RunManifest
from kg.pinned import Pinned
from kg.tombstones import Tombstones
from kgrisk import figures, pattern_findings, risk_paths, warning
from kgrisk.evidence import Explainer
from kgrisk.extras import learning
from kgrisk.opened import Opened
from kgrisk.rescoring import score_again
from kgrisk.risk import Question, Risk, assess, told_of
from kgrisk.supposing import Supposition
from kgrisk.tracing import attribution
from kgrisk.uncertain import ranged
from queries.publish import manifest
from queries.whatif import Scenario


@dataclass(frozen=True)
class Replay:
    """What a run recorded, and what it gives when it is asked again."""

    what: str
    """The score, claim or run that was named."""
    kind: str
    """`risk`, `attribution`, `figure`, `pattern`, `warning`, `score` or `train`."""
    run: str
    """sha256 of the manifest recorded: the document of its claims."""
    commit: int
    """Of the ledger, on which it was asked then and now."""
    again: str
    """sha256 of the manifest made now."""
    moved: tuple[str, ...]
    """Parts of the manifest that differ; none where the run is the same to the bit."""
    erased: str = ""
    """When a person was erased whom the run may have used; empty if it gives what it gave."""

    @property
    def same(self) -> bool:
        """Is every number of the run what it was, to the bit?"""
        return self.run == self.again

    @property
    def told(self) -> str:
        """In words: the same, erased, or not the same."""
        if self.erased:
            return f"erased: a person whom the run may have used was taken out of the graph at {self.erased}"
        return "the same to the bit" if self.same else f"not the same: {', '.join(self.moved)} moved"


def replay(graph: Opened, what: str, at: AsOf = AsOf()) -> Replay:
    """Ask again for a score (`contagion_loss:lei:...`, an edge, statement or claim id) or a run (its first digits).

    KgRiskError where it was made by no run of the engine, or was made by one that cannot be asked again.
    """
    run = _run_of(graph, what, at)
    if (left := graph.files.erased(run)) == "":
        raise ErasedError(f"run {run[:12]} was erased with a person; nothing of it can be asked again")
    recorded = json.loads(graph.files.get(run))
    details = recorded["details"]
    if details.get("ledger") not in (None, graph.ledger.uuid):
        raise KgRiskError(f"run {run[:12]} was made from ledger {details['ledger']}, not from {graph.ledger.uuid}")
    makers = {"risk": _risk_again, "attribution": _paths_again, "figure": _figure_again, "train": _train_again}
    makers |= {"pattern": _pattern_again, "warning": _warning_again, "score": score_again}
    if recorded["kind"] not in makers:
        raise KgRiskError(f"a run of kind {recorded['kind']!r} is not replayed; known: {', '.join(makers)}")
    commit = int(details["commit"])
    gone = _erased(graph.ledger, commit)
    if left is not None:  # its question or its answer named a person who is gone, so neither can be compared
        return Replay(what, recorded["kind"], run, commit, "", (), gone or "an unknown time")
    try:
        made = makers[recorded["kind"]](graph, details, commit)
    except KgRiskError:
        if not gone:
            raise
        return Replay(what, recorded["kind"], run, commit, "", (), gone)
    moved = _moved(recorded, json.loads(made.to_bytes()))
    return Replay(what, recorded["kind"], run, commit, made.id, moved, gone if made.id != run else "")


def _erased(ledger: Ledger, commit: int) -> str:
    """When somebody was erased whom the ledger spoke of at a commit; empty if nobody was."""
    return next((own.time for own in Tombstones(ledger.folder).all if own.first <= commit < own.commit), "")


def _run_of(graph: Opened, what: str, at: AsOf) -> str:
    """sha256 of the manifest behind a number."""
    if run := what if len(what) == 64 and what in graph.files else named(graph.ledger, what):
        return run
    explained = Explainer(graph.ledger, graph.files, at).explain(what)
    if not explained.run:
        sources = sorted({str(row["extractor"]) for row in explained.evidence})
        raise KgRiskError(
            f"{what} was read by {', '.join(sources)}, not computed: `kgrisk explain` shows where it stands"
        )
    return str(explained.run["run"])


def named(ledger: Ledger, what: str) -> str:
    """sha256 of the run of the ledger that these first digits (six or more) name; "" where there is none.

    KgRiskError where several begin so.
    """
    if not re.fullmatch(r"(doc:)?[0-9a-fA-F]{6,64}", what):
        return ""
    found = [run for run in runs(ledger) if run.startswith(what.removeprefix("doc:").lower())]
    if len(found) > 1:
        raise KgRiskError(f"{what} names {len(found)} runs: {', '.join(found)}; give more digits")
    return found[0] if found else ""


def runs(ledger: Ledger) -> list[str]:
    """sha256 of every run that the ledger knows: those that committed, and those that claims stand on."""
    alive = ledger.alive()
    told = alive.filter(pc.starts_with(alive["locator"], "run:"))["document"].to_pylist()
    return sorted({*ledger.commits()["run"].to_pylist(), *told})


def _moved(recorded: Mapping[str, Any], made: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of what differs, the details one by one."""
    before, now = ({**one["details"], "code": one["code"]} for one in (recorded, made))
    return tuple(name for name in sorted({*before, *now}) if before.get(name) != now.get(name))


def _risk_again(graph: Opened, details: Mapping[str, Any], commit: int) -> RunManifest:
    found = _risk(graph, details, commit)
    return manifest(found.losses, found.snapshot, told_of(found, float(details.get("over", 0.0))))


def _risk(graph: Opened, details: Mapping[str, Any], commit: int) -> Risk:
    asked = question(details["question"])
    valid, published = (
        datetime.fromisoformat(details[name]) if details[name] else None for name in ("valid", "published")
    )
    at = AsOf(valid, graph.ledger.known(commit), published)
    if asked.scenario is not None:
        own = {field.name: getattr(asked, field.name) for field in fields(asked)}
        found = Supposition(graph, own.pop("scenario"), at).risk(**{k: v for k, v in own.items() if k != "shock"})
    else:
        found = assess(graph.ledger.view(at), asked)
    return found if asked.draws is None else ranged(graph.ledger, found, asked.draws, graph.settings.seed)


def _paths_again(graph: Opened, details: Mapping[str, Any], commit: int) -> RunManifest:
    losses = json.loads(graph.files.get(details["of"]))["details"]
    found, entity, top = _risk(graph, losses, commit), details["entity"], details["top"]
    return risk_paths.manifest(found, attribution(found, entity, top), top)


def question(told: Mapping[str, Any]) -> Question:
    """A question out of the manifest of its run."""
    known = {field.name for field in fields(Question)}
    if unknown := sorted(set(told) - known):
        raise KgRiskError(f"the run asked for {unknown[0]!r}, which this version does not know; use that which made it")
    values = dict(told)
    if scenario := values.get("scenario"):
        lists = {name: tuple(scenario[name]) for name in ("shocks", "changes")}
        values["scenario"] = Scenario(**{**scenario, **lists, "date": date.fromisoformat(scenario["date"])})
    if types := values.get("types"):
        values["types"] = tuple(types)
    return Question(**values)


def _figure_again(graph: Opened, details: Mapping[str, Any], commit: int) -> RunManifest:
    return figures.again(graph.ledger, details, commit)


def _pattern_again(graph: Opened, details: Mapping[str, Any], commit: int) -> RunManifest:
    return pattern_findings.again(graph.ledger, details, commit)


def _warning_again(graph: Opened, details: Mapping[str, Any], commit: int) -> RunManifest:
    return warning.again(graph, details, commit)


def _train_again(graph: Opened, details: Mapping[str, Any], commit: int) -> RunManifest:
    room = learning()
    kept = {name: tuple(value) if isinstance(value, list) else value for name, value in details["settings"].items()}
    try:
        settings = room.Settings(**kept, threads=graph.settings.threads, cache=graph.home / "cache")
    except TypeError as error:
        raise KgRiskError(
            f"the settings of the run are not those of this version ({error}); use that which made it"
        ) from error
    with TemporaryDirectory() as folder:
        cut = datetime.fromisoformat(details["cut"])
        options = {"seed": details["seed"], "out": Path(folder), "settings": settings}
        made: RunManifest = room.train(Pinned(graph.ledger, commit), graph.files, cut, **options).manifest
    return made
