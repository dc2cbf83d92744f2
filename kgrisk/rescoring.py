"""Rescoring: the champion's scores brought up to the last day that a source published, where something changed.

A whole scoring follows when a champion takes its place. After that only firms within reach of a change are scored
anew, and only scores that moved are published; the others stay claims of the day they were said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from kg.errors import ModelError
from kg.executor import Executor
from kg.model import RunManifest
from kg.pinned import Pinned
from kgrisk import published
from kgrisk.champion import Reign, Told, champion, folder_of
from kgrisk.extras import need
from kgrisk.opened import Opened

MOMENT: Final = timedelta(microseconds=1)


def scorer(graph: Opened, run: str) -> Any:
    """The head of a training run with what it reads. ModelError if the run is gone or keeps none."""
    folder = folder_of(graph, run)
    return need("gnn.rescore", "learn").Scorer(folder, graph.files, graph.home / "cache", graph.settings.clip)


def standing(graph: Opened, told: Told) -> Any:
    """The ledger as it stood at a commit, on a day."""
    return need("gnn.rescore", "learn").Standing(Pinned(graph.ledger, told.commit), told.commit, told.day)


def today(graph: Opened, reign: Reign) -> Told:
    """All that the ledger holds, on the last day that a source published; never before the day scored last."""
    told = latest(graph, graph.ledger.head)
    return replace(told, day=max(told.day, reign.scored.day)) if reign.scored else told


def latest(graph: Opened, commit: int) -> Told:
    """All that the ledger held at a commit, at the first moment that sees all of it: what begins at a moment is seen
    after it. ModelError if no source had said anything."""
    span = published.span(graph.ledger.alive(commit))
    if span is None:
        raise ModelError(
            f"no source had published anything by commit {commit} of {graph.home}; ingest files: `kgrisk ingest FOLDER`"
        )
    return Told(commit, min(span[1] + MOMENT, graph.ledger.known(commit)))


def rescored(graph: Opened, whole: bool = False, executor: Executor | None = None) -> Any:
    """What the champion says of today, of the firms that a change could reach; nothing is published.

    Workers score a fixed number of firms at a time, so what they say is the same to the bit however many they are; one
    process scores all at once, which differs from that by the rounding of single precision (less than 1e-6).

    ModelError if there is no champion, or it keeps no head.
    """
    reign = champion(graph)
    if reign is None:
        raise ModelError(f"no model is served in {graph.home}; train first: `kgrisk refresh` or `kgrisk train`")
    before = standing(graph, reign.scored) if reign.scored and not whole else None
    part = need("gnn.rescore", "learn").PART if executor is not None and executor.workers > 1 else 0
    return scorer(graph, reign.run).rescored(standing(graph, today(graph, reign)), before, executor, part)


def rescore(graph: Opened, executor: Executor | None = None) -> dict[str, Any]:
    """Say it anew and publish what moved; gives what was done as the run file keeps it."""
    found = rescored(graph, executor=executor)
    commit, moved = need("gnn.rescore", "learn").publish(graph.ledger, graph.files, found)
    return {
        "champion": found.run,
        "day": found.now.day,
        "whole": found.before is None,
        "hops": found.hops,
        "firms": found.firms,
        "reached": len(found.scores),
        "moved": moved,
        "commit": commit,
    }


def score_again(graph: Opened, details: Mapping[str, Any], commit: int) -> RunManifest:
    """The manifest of a scoring, asked again of the data it was said of, by the head that said it."""
    before = details["before"]
    stood = standing(graph, _told(before["commit"], before["day"])) if before else None
    now = standing(graph, _told(commit, details["day"]))
    found = scorer(graph, details["of"]).rescored(now, stood, part=details.get("part", 0))
    made: RunManifest = need("gnn.rescore", "learn").manifest(found)
    return made


def _told(commit: int, day: str) -> Told:
    return Told(commit, datetime.fromisoformat(day))
