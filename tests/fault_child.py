"""A child that works until it is killed at a counted I/O call, and writes down what it has acknowledged.

It is preloaded by a fork server, which has imported everything and done nothing: a child then costs what its work
costs. What Python writes below the home is counted by an audit hook, right before it happens; what native writers do
(Delta, the stores) is counted by the hooks around them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pyarrow as pa

from gnn.pipeline import Settings, publish, train
from ingest.pipeline import run
from kg.errors import KgRiskError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import ClaimBatch, RunManifest
from kg.store import open_store
from kg.stores import arcadedb, neo4j
from kgrisk import refresh, runfile
from kgrisk import settings as kgrisk_settings
from kgrisk.api import open as open_graph
from tests.gnn_world import CUT

GROWTH, LEARNING = ("ingest", "commit", "sync"), ("training", "publish", "save")
"""Stages of the two kinds of work."""
QUICK = Settings(epochs=1, dim=4, cohorts=1, modalities=("numeric",), links_each=2, certify="off", members=1)
ROWS = 40
"""Rows of one transaction of a sync: so few that a sync has many."""
BRIEF_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For a Java machine that lives for a second: little compiling, one collector."""
_MOVES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Order:
    """What a child is to do, and at which I/O call of which stage it is to die (0: at none)."""

    home: Path
    said: Path
    """Where it writes what it says, line by line."""
    stage: str = ""
    number: int = 0
    inputs: Path | None = None
    url: str = ""


class Injector:
    """Counts I/O calls by stage, and kills its own process with SIGKILL at the one that was ordered."""

    def __init__(self, order: Order) -> None:
        self._order, self._home = order, str(order.home.resolve())
        self._said = os.open(order.said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.act = ""
        """What goes on; where nothing does, nothing is counted."""
        self.calls: Counter[str] = Counter()
        sys.addaudithook(self._audit)

    def say(self, **facts: Any) -> None:
        os.write(self._said, json.dumps(facts).encode() + b"\n")

    def on_io(self, word: str) -> None:
        """The hook of native writers."""
        stage = {"stage": "ingest", "bulk": "sync"}.get(word.partition(":")[0], word.partition(":")[0])
        self._count("publish" if self.act == "publish" else stage, word)

    def _audit(self, event: str, args: Sequence[Any]) -> None:
        if not self.act:
            return
        if event == "open" and not (isinstance(args[2], int) and args[2] & _WRITING):
            return
        if (event == "open" or event in _MOVES) and isinstance(args[0], str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(args[0]))
            if path.startswith(self._home):
                self._count(self._stage(path[len(self._home) + 1 :]), f"{event} {path}")

    def _stage(self, path: str) -> str:
        """The stage that writes to a path below the home."""
        if self.act == "ingest" and path.startswith("ledger"):
            return "commit"
        if self.act == "training" and path.startswith("runs") and "unfinished" not in path:
            return "save"
        return self.act

    def _count(self, stage: str, what: str) -> None:
        self.calls[stage] += 1
        if (stage, self.calls[stage]) == (self._order.stage, self._order.number):
            self.say(killed=stage, number=self.calls[stage], at=what)
            os.kill(os.getpid(), signal.SIGKILL)


class Hooked:
    """A ledger whose commits are counted, as publishing sees it."""

    def __init__(self, ledger: Ledger, injector: Injector) -> None:
        self._ledger, self._injector = ledger, injector

    def commit(
        self, batch: ClaimBatch, run: RunManifest, *, retract: Sequence[str] = (), replaces: Sequence[str] = ()
    ) -> int:
        return self._ledger.commit(batch, run, retract=retract, replaces=replaces, on_io=self._injector.on_io)

    def alive(self, commit: int | None = None) -> pa.Table:
        return self._ledger.alive(commit)


def grow(order: Order) -> None:
    """Read every folder of the inputs into the ledger, the store following each commit."""
    assert order.inputs is not None
    arcadedb.CHUNK = neo4j.CHUNK = ROWS
    os.environ["JAVA_TOOL_OPTIONS"] = BRIEF_JAVA
    injector = Injector(order)
    ledger, store = Ledger.open(order.home / "ledger"), open_store(order.url, order.home)
    for folder in sorted(order.inputs.iterdir()):
        injector.act = "ingest"
        report = run(folder, ledger, Files(order.home / "files"), order.home, on_io=injector.on_io)
        injector.say(acknowledged=folder.name, commit=report.commit)
        injector.act = "sync"
        store.sync(ledger, on_io=injector.on_io)
        injector.say(synced=ledger.head)
    injector.act = ""
    injector.say(hash=store.graph_hash(), calls=injector.calls)
    store.close()


def take_in(order: Order) -> None:
    """Read one folder into the ledger, which no store follows."""
    assert order.inputs is not None
    injector, ledger = Injector(order), Ledger.open(order.home / "ledger")
    injector.act = "ingest"
    report = run(order.inputs, ledger, Files(order.home / "files"), order.home, on_io=injector.on_io)
    injector.act = ""
    injector.say(commit=report.commit, calls=injector.calls)


def learn(order: Order) -> None:
    """Train on a ledger, keep the run, and publish what it says."""
    injector = Injector(order)
    ledger, files = Ledger.open(order.home / "ledger"), Files(order.home / "files")
    injector.act = "training"
    made = train(ledger, files, CUT, seed=1, out=order.home / "runs", settings=QUICK)
    injector.say(trained=made.run)
    injector.act = "publish"
    commit = publish(Hooked(ledger, injector), files, made)
    injector.say(acknowledged="publish", commit=commit)
    injector.act = ""
    injector.say(run=made.run, calls=injector.calls)


def refreshed(order: Order, back: float, go: Path) -> None:
    """One refresh, begun as soon as it may, by a clock that is behind by so many seconds."""
    os.environ["JAVA_TOOL_OPTIONS"] = BRIEF_JAVA
    injector, behind = Injector(order), timedelta(seconds=back)

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) - behind

    refresh.datetime = runfile.datetime = Shifted
    while not go.exists():
        time.sleep(0.001)
    began = time.monotonic()
    try:
        with open_graph(order.home, settings=kgrisk_settings.Settings.load(store=order.url)) as graph:
            graph.ledger._clock = lambda: datetime.now(UTC) - behind
            told = dict(graph.refresh(order.inputs))
            end = {"state": told["state"], "head": graph.ledger.head, "known": str(graph.ledger.known(1))}
    except KgRiskError as error:
        end = {"error": type(error).__name__, "told": str(error)}
    injector.say(**end, began=began, ended=time.monotonic())


def read(said: Path) -> list[Mapping[str, Any]]:
    """What a child said."""
    with suppress(FileNotFoundError):
        return [json.loads(line) for line in said.read_text().splitlines()]
    return []
