"""One refresh: ingest, resolve, train, publish, risk and sync, under a lock, with a run file that tells how it went.

A run file `home/runs/<start>-refresh.json` is written before the first step and after each one, whole or not at all.
Who starts next and finds one that still says `running` holds the lock, so that run was cut off: it is marked `lost`.
Nothing else is needed after a crash, as each step is one commit or can be repeated without adding anything.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.errors import KgRiskError, MeasureError, ModelError
from kg.lease import Lease
from kgrisk.meter import Meter
from kgrisk.result import plain

if TYPE_CHECKING:
    from kgrisk.api import Graph

Progress = Callable[[str], None]


@dataclass
class RunFile:
    """What one refresh was and how it went, on disk at every moment."""

    path: Path
    content: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def start(cls, runs: Path, kind: str, **facts: Any) -> RunFile:
        begun = datetime.now(UTC)
        mark = {"kind": kind, "state": "running", "begun": begun, "pid": os.getpid(), "host": socket.gethostname()}
        made = cls(runs / f"{begun:%Y%m%dT%H%M%S%f}-{kind}.json", {**mark, **facts})
        made.save()
        return made

    def save(self, **facts: Any) -> None:
        """Add facts and write the file anew."""
        self.content |= facts
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(f".new{os.getpid()}")
        with new.open("w") as file:
            json.dump(plain(self.content), file, indent=1, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)


def runs(folder: Path, kind: str = "refresh") -> Iterator[RunFile]:
    """Runs of a kind, oldest first."""
    for path in sorted(folder.glob(f"*-{kind}.json")):
        yield RunFile(path, json.loads(path.read_text()))


def lock(home: Path) -> Lease:
    """The lock that one refresh at a time holds."""
    return Lease(home / "refresh.lock", "a refresh")


def refresh(graph: Graph, folder: Path | None, progress: Progress | None = None) -> Mapping[str, Any]:
    """Bring everything up to date with the files in a folder; returns the content of the run file.

    Without a folder only what the ledger holds is worked on. LeaseHeldError if another refresh runs. Training and risk
    are left out where the ledger has nothing new since the last refresh that did them.
    """
    tell = progress or (lambda _: None)
    if folder is not None and not folder.is_dir():
        raise KgRiskError(f"{folder} is no folder; name the one that holds the files to read")
    with lock(graph.home):
        mark_lost(graph.home / "runs")
        run = RunFile.start(graph.home / "runs", "refresh", folder=folder, store=graph.ledger.uuid)
        try:
            _stages(graph, folder, run, tell)
        except BaseException as error:
            run.save(state="failed", ended=datetime.now(UTC), error=f"{type(error).__name__}: {error}")
            raise
    return run.content


def mark_lost(folder: Path) -> int:
    """Mark the runs that were cut off; call it under the lock. Returns how many."""
    lost = [run for run in runs(folder) if run.content["state"] == "running"]
    for run in lost:
        run.save(state="lost", error="the process ended in the middle; the next refresh repeats what was not committed")
    return len(lost)


def _stages(graph: Graph, folder: Path | None, run: RunFile, tell: Progress) -> None:
    meter = Meter()

    def done(stage: str, **facts: Any) -> None:
        run.save(stage=stage, stages=meter.rows(), commit=graph.ledger.head, **facts)
        tell(f"{stage}: {meter.stages[-1].seconds:.1f} s")

    quarantined = 0
    if folder is not None:
        with meter.stage("ingest"):
            report = graph.ingest(folder)
        quarantined = len(report.quarantined)
        done("ingest", ingest=report.to_dict(), quarantined=quarantined)
    with meter.stage("resolve"):
        resolved = graph.resolve()
    done("resolve", resolve=asdict(resolved))
    if graph.ledger.head == _last_head(graph.home / "runs"):
        skipped = dict.fromkeys(("train", "risk"), "nothing new in the ledger since the last refresh")
    else:
        skipped = _learn(graph, meter, done, tell)
    with meter.stage("sync"):
        graph.sync()
    done("sync")
    whole = {} if skipped else {"head": graph.ledger.head}
    run.save(state="done", ended=datetime.now(UTC), skipped=skipped, **whole)


def _learn(graph: Graph, meter: Meter, done: Callable[..., None], tell: Progress) -> dict[str, str]:
    """Train, publish and assess risk; returns what was left out and why: a graph may hold too little to learn from."""
    try:
        with meter.stage("train"):
            result = graph.train(progress=tell)
        done("train", model=result.run, remarks=list(result.remarks))
    except ModelError as error:
        return {"train": str(error), "risk": "no scores to start from"}
    try:
        with meter.stage("risk"):
            risk = graph.risk(publish=True)
        done("risk", risk={"measure": risk.losses.measure, "total": risk.total, "unit": risk.unit})
    except MeasureError as error:
        return {"risk": str(error)}
    return {}


def _last_head(folder: Path) -> int | None:
    """Head of the ledger after the last refresh that went through to the end, training included."""
    heads = [run.content["head"] for run in runs(folder) if run.content["state"] == "done" and "head" in run.content]
    return int(heads[-1]) if heads else None
