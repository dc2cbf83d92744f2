"""One refresh: ingest, resolve, train, publish, risk and sync, under a lock, with a run file that tells how it went.

A run file `home/runs/<start>-refresh.json` is written before the first step and after each one, whole or not at all.
Who starts next and finds one that still says `running` holds the lock, so that run was cut off: it is marked `lost`.
Nothing else is needed after a crash, as each step is one commit or can be repeated without adding anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from kg.errors import KgRiskError
from kg.executor import Executor
from kg.meter import Meter
from kgrisk.executors import working
from kgrisk.monitor import kept
from kgrisk.relearning import Steps, relearn
from kgrisk.runfile import RunFile, lock, runs

if TYPE_CHECKING:
    from kgrisk.api import Graph

Progress = Callable[[str], None]
__all__ = ["NOTHING_NEW", "RunFile", "lock", "mark_lost", "refresh", "runs"]
NOTHING_NEW: Final = "nothing new in the ledger since the last refresh"


class How(TypedDict, total=False):
    """What a refresh is asked to do and to leave."""

    sync: bool
    """Bring the store up to date; yes by default."""
    whole: bool
    """Train and assess even where nothing is new."""
    check: Callable[[], None]
    """Called before every stage that writes and right before every commit; what it raises ends the refresh."""
    executor: Executor | str | None
    """Where files are read and firms are scored, and models trained by more than one of the setting `processes`; by
    default where the setting says."""


def refresh(
    graph: Graph, folder: Path | None, progress: Progress | None = None, **how: Unpack[How]
) -> Mapping[str, Any]:
    """Bring everything up to date with the files in a folder; returns the content of the run file.

    Without a folder only what the ledger holds is worked on. LeaseHeldError if another refresh runs. Training and risk
    are left out where the ledger has nothing new since the last refresh that did them, unless `whole`.
    """
    tell = progress or (lambda _: None)
    if folder is not None and not folder.is_dir():
        raise KgRiskError(f"{folder} is no folder; name the one that holds the files to read")
    with lock(graph.home):
        mark_lost(graph.home / "runs")
        run = RunFile.start(graph.home / "runs", "refresh", folder=folder, store=graph.ledger.uuid)
        try:
            graph.ledger.fence = how.get("check")
            with working(how.get("executor"), graph.settings) as executor:
                _stages(graph, folder, run, tell, how, executor)
        except BaseException as error:
            run.save(state="failed", ended=datetime.now(UTC), error=f"{type(error).__name__}: {error}")
            raise
        finally:
            graph.ledger.fence = None
    return run.content


def mark_lost(folder: Path) -> int:
    """Mark the runs that were cut off; call it under the lock. Returns how many."""
    lost = [run for run in runs(folder) if run.content["state"] == "running"]
    for run in lost:
        run.save(state="lost", error="the process ended in the middle; the next refresh repeats what was not committed")
    return len(lost)


def _stages(graph: Graph, folder: Path | None, run: RunFile, tell: Progress, how: How, executor: Executor) -> None:
    meter, whole = Meter(), how.get("whole", False)

    def done(stage: str, **facts: Any) -> None:
        run.save(stage=stage, stages=meter.rows(), commit=graph.ledger.head, **facts)
        tell(f"{stage}: {meter.stages[-1].seconds:.1f} s")

    steps = Steps(graph, meter, done, tell, how.get("check", lambda: None), executor)
    if folder is not None:
        steps.stage("ingest", lambda: _ingested(graph, folder, executor))
    else:
        run.save(quarantined=0)
    steps.stage("resolve", lambda: {"resolve": asdict(graph.resolve())})
    past = [old.content for old in runs(graph.home / "runs")][:-1][::-1]
    if not whole and graph.ledger.head == _last_head(past):
        skipped, all_done = dict.fromkeys(("train", "score", "risk"), NOTHING_NEW), True
    else:
        skipped, all_done = relearn(steps, whole, past)
    with meter.stage("monitor"):
        watched = kept(graph)
    done("monitor", monitors=watched)
    if how.get("sync", True):
        steps.stage("sync", lambda: {"synced": graph.sync() is not None})
    head = {"head": graph.ledger.head} if all_done else {}
    run.save(state="done", ended=datetime.now(UTC), skipped=skipped, **head)


def _ingested(graph: Graph, folder: Path, executor: Executor) -> dict[str, Any]:
    report = graph.ingest(folder, executor=executor)
    return {"ingest": report.to_dict(), "quarantined": len(report.quarantined)}


def _last_head(past: Sequence[Mapping[str, Any]]) -> int | None:
    """Head of the ledger after the last refresh that did all it could; `past` has the last one first."""
    heads = [run["head"] for run in past if run["state"] == "done" and "head" in run]
    return int(heads[0]) if heads else None
