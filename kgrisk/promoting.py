"""Promoting: another run is put in the champion's place, or the one before it again, one at a time with refreshes."""

from __future__ import annotations

from typing import Any

from kg.errors import ModelError
from kgrisk.champion import champion, promote, rollback
from kgrisk.opened import Opened
from kgrisk.rescoring import rescore
from kgrisk.runfile import RunFile, lock


def promoted(graph: Opened, run: str) -> dict[str, Any]:
    """Serve a run: what it said of its own cut, and its scores of the last day that a source published."""
    with lock(graph.home):
        commit = promote(graph, run)
        reign = champion(graph)
        assert reign is not None
        told: dict[str, Any] = {"champion": reign.run, "commit": commit}
        try:
            told["score"] = rescore(graph)
        except ModelError as error:  # it learned no scores: its links and vectors are served
            told["score"] = {"skipped": str(error)}
        RunFile.start(graph.home / "runs", "promotion", **told).save(state="done")
    return told


def rolled_back(graph: Opened) -> dict[str, Any]:
    """Serve again, to the bit, what was served just before the champion took its place."""
    with lock(graph.home):
        commit, reign = rollback(graph)
        told = {"champion": reign.run, "commit": commit}
        RunFile.start(graph.home / "runs", "rollback", **told).save(state="done")
    return told
