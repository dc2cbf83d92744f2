"""A thousand filings and more from files to scores: twice, offline, by two workers, each time from nothing.

The bundled sample, and an annual report of every company and bank of its world for each of four years
(benchmarks/filed.py), are read, resolved and learned from as the demo does it, in a process of its own with an empty
home and empty caches, until scores stand in the embedded store. Both stores must hold the same graph, and no process
may reach for anything off this machine. KGRISK's settings hold as they do for the demo.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psutil

from benchmarks.figure import Figure
from benchmarks.filed import write
from benchmarks.offline import environment, noted
from kg.meter import Meter
from kg.model import AsOf, as_time
from kgrisk.api import open as open_graph
from kgrisk.guard import SocketGuard
from kgrisk.result import plain
from kgrisk.sample.network import CUT
from kgrisk.settings import Settings, embedded

FILINGS, SECONDS = 1_000, 600.0
"""Aims of requirement D15: least filings, and most seconds from the start of the process to scores in the store."""
WORKERS: Final = "2"
Told = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One run from files to scores."""

    told: Told
    """What its process said: `seconds`, `stages`, `report`, `scores`, `graph`, `claims`, `outside`."""
    processes: int
    """Python processes that were watched."""
    refused: Sequence[str]
    """What any of them was refused, and connections that the system knew of."""

    @property
    def peak(self) -> float:
        """MiB of the process and its workers in the stage that took most."""
        return max(float(stage["peak_mb"] + stage["workers_mb"]) for stage in self.told["stages"])


def measure() -> list[Figure]:
    with TemporaryDirectory(prefix="kgrisk-filings-") as text:
        folder = Path(text)
        began = time.perf_counter()
        count = write(folder / "in")
        written = time.perf_counter() - began
        load = os.getloadavg()[0]
        runs = [run(folder / "in", folder / name) for name in ("one", "two")]
        return figures(count, runs, f"written in {written:.0f} s; load {load:.1f} to {os.getloadavg()[0]:.1f}")


def run(inputs: Path, folder: Path) -> Run:
    """Read, resolve, train and store in a process of its own, with home and caches in an empty folder.

    SystemExit with what the process said where it fails.
    """
    watched = folder / "watched"
    cold = environment(watched) | {"NUMBA_CACHE_DIR": str(folder / "numba"), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "benchmarks.scaling.filings", str(inputs.resolve()), str(folder / "home")]
    done = subprocess.run(command, cwd=folder, env=cold, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"a run over {inputs} ended with {done.returncode}: {done.stderr[-2000:]}")
    told: Told = json.loads(done.stdout.splitlines()[-1])
    processes, refused = noted(watched)
    assert processes > int(WORKERS), "workers were not watched"
    return Run(told, processes, [*refused, *told["outside"]])


def scored(inputs: Path, home: Path) -> Told:
    """What a run tells, in its own process; the system is asked for connections as well, of the Java machine too."""
    meter, system, outside = Meter(), SocketGuard(), list[str]()
    chosen = Settings.load().model_copy(update={"store": embedded(home / "store")})
    with open_graph(home, settings=chosen) as graph:
        with meter.stage("read"):
            report = graph.ingest(inputs, executor=WORKERS)
            outside += system.outside()
        with meter.stage("resolve"):
            graph.resolve()
        with meter.stage("train"):
            graph.train(CUT, executor=WORKERS)
            outside += system.outside()
        with meter.stage("store"):
            graph.sync()
        scores = graph.scores(at=AsOf(valid=as_time(CUT), published=as_time(CUT))).rows()
        seconds = time.time() - psutil.Process().create_time()
        told = {"graph": graph.store.graph_hash(), "claims": graph.ledger.alive().num_rows, "seconds": seconds}
        outside += system.outside()
    made: Told = plain({**told, "scores": scores, "report": report.to_dict(), "stages": meter.rows()})
    return made | {"outside": outside}


def figures(count: int, runs: Sequence[Run], note: str) -> list[Figure]:
    """Of a number of filings and the runs over them; seconds and memory are those of the run that took more."""
    slow = max(runs, key=lambda one: float(one.told["seconds"]))
    every = ", ".join(f"{one.told['seconds']:.0f} s" for one in runs)
    of, refused = slow.told["report"], [what for one in runs for what in one.refused]
    read = of["sources"]["filings"]
    stages = {stage["name"]: stage for stage in [*slow.told["stages"], *of["stages"]]}
    busy = sum(stage["cpu_seconds"] for stage in slow.told["stages"])
    named = {"reading everything": "read", "filings alone": "read filings", "resolving": "resolve"}
    named |= {"training and publishing": "train", "filling the store": "store"}
    return [
        Figure("filings", read["records"], FILINGS, note=f"{count} written, {read['claims']:,} claims; {note}"),
        Figure("filings or parts of them refused", read["refused"], 0, least=False),
        Figure("files that counted as published when they were read", undated(slow), 0, least=False),
        Figure("from the start of the process to scores in the store", float(slow.told["seconds"]), SECONDS, False, "s",
               every),
        Figure("processor time of all processes in it", busy, unit="s", note=f"on {os.cpu_count()} processors"),
        *(Figure(f"{what}, of each filing", stages[name]["seconds"] / count, unit="s", note=spent(stages[name]))
          for what, name in named.items()),
        Figure("peak memory with both workers", max(one.peak for one in runs), unit="MiB"),
        Figure("both runs: the same graph hash", float(same(runs, "graph")), 1, note=slow.told["graph"][:16]),
        Figure("both runs: the same scores", float(same(runs, "scores")), 1, note=scores_of(slow)),
        Figure("connections, look-ups and datagrams off this machine", len(refused), 0, least=False,
               note=f"{' and '.join(str(one.processes) for one in runs)} processes watched"),
    ]  # fmt: skip


def same(runs: Sequence[Run], name: str) -> bool:
    return all(one.told[name] == runs[0].told[name] for one in runs)


def spent(stage: Told) -> str:
    return f"{stage['seconds']:.1f} s, of processors {stage['cpu_seconds']:.1f} s"


def undated(of: Run) -> int:
    return int(of.told["report"]["cleaning"].get("published.when_read", 0))


def scores_of(of: Run) -> str:
    """How many firms are scored, and a digest of what is said of them."""
    rows = of.told["scores"]
    return f"{len(rows)} firms; {sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:16]}"


if __name__ == "__main__":
    print(json.dumps(scored(Path(sys.argv[1]), Path(sys.argv[2]))))
