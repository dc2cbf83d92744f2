"""A small disk of its own that fills up, or turns read-only, under the work that is done on it.

Run by `tests/test_faults_disk.py` as `unshare --mount python -m tests.fault_disk FOLDER`: the disk is a tmpfs that only
this process sees and that ends with it. Each piece of work fails once, is done again when there is room, and is
compared with one that never failed; what was told stands on stdout, a JSON object a line.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIZE = 96
"""Megabytes of the disk."""
Fault = Callable[[], None]


@dataclass
class Disk:
    """The disk: what is on it, and how much more fits."""

    folder: Path

    def mount(self, *options: str) -> None:
        subprocess.run(["mount", *options], check=True)

    def fill(self) -> None:
        """Leave no room, not even in the last page of a file that grows."""
        with (self.folder / "ballast").open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 12))

    def lock(self) -> None:
        """Let nobody write to the home any more: what is open there stays open."""
        home = str(self.folder / "home")
        self.mount("--bind", home, home)
        self.mount("-o", "remount,bind,ro", home)

    def clear(self) -> None:
        """Make room, and let everybody write."""
        (self.folder / "ballast").unlink(missing_ok=True)
        subprocess.run(["umount", "--lazy", str(self.folder / "home")], stderr=subprocess.DEVNULL, check=False)


class Moment:
    """An on_io that lets something happen at the first word of a name, or before any."""

    def __init__(self, word: str, happen: Fault) -> None:
        self._word, self._happen = word, happen

    def __call__(self, word: str) -> None:
        if word == self._word:
            self._word = ""
            self._happen()


def ingest(home: Path, on_io: Callable[[str], None]) -> None:
    """A second folder of registers, read and committed."""
    from ingest.pipeline import run
    from kg.files import Files
    from kg.ledger import Ledger

    with Ledger.open(home / "ledger") as ledger:
        run(home / "inputs" / "1", ledger, Files(home / "files"), home, on_io=on_io)


def staged(home: Path) -> None:
    """The same, killed before its commit: all is staged."""

    def stop() -> None:
        raise InterruptedError

    with suppress(InterruptedError):
        ingest(home, Moment("commit:before", stop))


def sync(home: Path, on_io: Callable[[str], None]) -> None:
    """The embedded store, brought to the head of the ledger."""
    from kg.ledger import Ledger
    from kg.store import open_store

    with Ledger.open(home / "ledger") as ledger:
        store = open_store(f"arcadedb://{home}/store?heap=512m", home)
        try:
            store.sync(ledger, on_io)
        finally:
            store.close()


def train(home: Path, on_io: Callable[[str], None]) -> None:
    """A training run, kept."""
    trained(home, on_io)


def trained(home: Path, on_io: Callable[[str], None]) -> Any:
    from gnn import pipeline
    from kg.files import Files
    from kg.ledger import Ledger
    from tests.fault_child import QUICK
    from tests.gnn_world import CUT

    def sealed(*args: Any) -> Any:
        on_io("save:before")
        return seal(*args)

    pipeline.sealed, seal = sealed, pipeline.sealed
    with Ledger.open(home / "ledger") as ledger:
        out = home / "runs"
        try:
            made = pipeline.train(ledger, Files(home / "files"), CUT, seed=1, out=out, settings=QUICK)
        finally:
            pipeline.sealed = seal
        on_io("train:done")
        return made


def publish(home: Path, on_io: Callable[[str], None]) -> None:
    """What a run says, said."""
    from gnn.pipeline import publish as say
    from kg.files import Files
    from kg.ledger import Ledger

    made = trained(home, on_io)
    with Ledger.open(home / "ledger") as ledger:
        say(ledger, Files(home / "files"), made)


WORK: dict[str, tuple[str, Callable[[Path, Callable[[str], None]], None], str]] = {
    "ingest": ("grown", ingest, "stage:before"),
    "commit": ("grown", ingest, "commit:before"),
    "sync": ("grown", sync, "sync:before"),
    "training": ("taught", train, ""),
    "save": ("taught", train, "save:before"),
    "publish": ("taught", publish, "train:done"),
}
"""Where each piece of work begins, what it does, and at which moment the disk fills up ("": before it begins)."""


def state(home: Path) -> dict[str, Any]:
    """What a home holds: the rows of the log, the ids of the runs that are whole, the graph of its store."""
    from gnn.pipeline import restored
    from gnn.runs import RunStore
    from kg.ledger import Ledger
    from kg.store import open_store

    runs = RunStore(home / "runs").ids()
    for run in runs:
        restored(home / "runs" / run)
    with Ledger.open(home / "ledger") as ledger:
        rows = ledger.events().select(["commit", "op", "claim"]).to_pylist()
        graph = ""
        if (home / "store").exists():
            store = open_store(f"arcadedb://{home}/store?heap=512m", home)
            graph = store.graph_hash() if store.mark else ""
            store.close()
    return {"log": sorted([*row.values()] for row in rows), "runs": runs, "graph": graph}


def attempted(disk: Disk, stage: str, fault: str, homes: Path) -> dict[str, Any]:
    """A piece of work that fails, what the error told, what was left, and what is there when it was done again."""
    start, work, word = WORK[stage]
    home = disk.folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(homes / start, home)
    before = state(home)["log"]
    happen = disk.fill if fault == "full" else disk.lock
    now = not word or (fault != "full" and stage in ("commit", "sync"))  # the lock is open for writing at that moment
    if stage == "commit" and now:
        staged(home)
    if now:
        happen()
    error: BaseException | None = None
    try:
        work(home, Moment("" if now else word, happen))
    except Exception as found:
        error = found
    disk.clear()
    left = state(home)["log"]
    work(home, lambda _: None)
    told = {"kind": type(error).__name__, "told": str(error), "lost": left != before}
    return {"stage": stage, "fault": fault, **told, "after": state(home)}


def main(folder: Path) -> None:
    from tests.fault_child import BRIEF_JAVA

    os.environ["JAVA_TOOL_OPTIONS"] = BRIEF_JAVA
    disk, homes = Disk(folder / "disk"), folder / "homes"
    disk.folder.mkdir()
    disk.mount("-t", "tmpfs", "-o", f"size={SIZE}m", "tmpfs", str(disk.folder))
    for stage, (start, work, _) in WORK.items():
        calm = folder / "calm" / stage
        shutil.copytree(homes / start, calm)
        work(calm, lambda _: None)
        print(json.dumps({"stage": stage, "fault": "none", "after": state(calm)}), flush=True)
        for fault in ("full", "read-only"):
            print(json.dumps(attempted(disk, stage, fault, homes)), flush=True)
    os._exit(0)  # the Java machine may still hold files of the disk, which ends with this process


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
