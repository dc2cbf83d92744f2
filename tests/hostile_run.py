"""One run over the good files alone and one over good and hostile files together, in a process that is watched.

Run: python -m tests.hostile_run FOLDER; prints one line of JSON: what was refused and why, what of the good files is
missing, CPU seconds by file, peak memory, tries to leave the machine, and what was written outside the home folder.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figure import peak_mib
from ingest.pipeline import run
from ingest.report import RunReport
from kg.files import Files
from kg.ledger import Ledger
from kg.model import digest
from kgrisk.guard import SocketGuard
from tests.hostile import Case, corpus, good, write

Rows = list[dict[str, Any]]
IDENTITY = ["kind", "subject", "name", "object", "key", "document", "locator", "quote"]
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod")


class Watch:
    """What this process writes outside one folder, as CPython's audit events tell."""

    def __init__(self, home: Path) -> None:
        self.home, self.outside, self.on = str(home.resolve()), list[str](), False
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on or not (event in _CHANGES or event == "open"):
            return
        if event == "open" and not (isinstance(args[2], int) and args[2] & _WRITES):
            return
        if event == "os.mkdir" and os.path.isdir(args[0]):
            return
        where = args[0] if isinstance(args[0], str) else os.fsdecode(args[0]) if isinstance(args[0], bytes) else ""
        if os.path.isabs(where) and not os.path.abspath(where).startswith((self.home, "/dev/")):
            self.outside.append(f"{event} {where}")


class Clock:
    """CPU seconds by file: what passed between one report of progress and the next."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.process_time()

    def __call__(self, source: str, done: int, files: int) -> None:
        now = time.process_time()
        key = f"{source} {done}/{files}"
        self.seconds[key] = self.seconds.get(key, 0.0) + now - self._last
        self._last = now


def ingest(inputs: Path, home: Path, clock: Clock) -> tuple[RunReport, Rows]:
    with Ledger.open(home / "ledger") as ledger:
        report = run(inputs, ledger, Files(home / "files"), home, progress=clock)
        return report, ledger.alive().to_pylist()


def _identity(row: dict[str, Any]) -> tuple[object, ...]:
    """What makes a claim the same; the label of a party is settled over all files that name it."""
    return tuple("" if column == "name" and row["kind"] == "node" else row[column] for column in IDENTITY)


def state(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(p): (p.lstat().st_size, p.lstat().st_mtime_ns) for p in sorted(folder.rglob("*"))}


def main(work: Path) -> None:
    fine, all_, home = work / "fine", work / "all", work / "home"
    files = [Case(name, content) for name, content in good().items()]
    cases = corpus()
    write(fine, files)
    write(all_, [*files, *cases])
    home.mkdir()
    (home / "tmp").mkdir()
    tempfile.tempdir = str(home / "tmp")
    before, watch = state(all_), Watch(home)
    with SocketGuard() as guard:
        watch.on = True
        told, known = ingest(fine, home / "one", Clock())
        start, clock = peak_mib(), Clock()
        report, claims = ingest(all_, home / "two", clock)
        watch.on = False
        left = guard.refused + guard.outside()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "cases": [(case.path, case.reason) for case in cases],
        "quarantined": [(row.source, row.path, row.locator, row.reason) for row in report.quarantined],
        "already": [(row.source, row.path, row.locator, row.reason) for row in told.quarantined],
        "untaken": report.untaken,
        "seconds": clock.seconds,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_good": start,
        "peak": peak_mib(),
        "network": left,
        "outside": watch.outside,
        "changed": before != state(all_),
    }
    print(json.dumps(found | _said(files, cases, known, claims)))


def _said(files: list[Case], cases: list[Case], known: Rows, claims: Rows) -> dict[str, Any]:
    """What of the good files is missing among all claims, and what of the hostile ones came through."""
    have = {_identity(row) for row in claims}
    own = {digest(case.content) for case in files}  # tables made of several files are others with other files
    known = [row for row in known if row["document"] in own]
    injected = next(digest(case.content.rstrip(b"\n")) for case in cases if "injection" in case.path)
    return {
        "good": len(known),
        "missing": [str(row) for row in known if _identity(row) not in have],
        "claims": len(claims),
        "injected": [row["name"] for row in claims if row["document"] == injected and row["kind"] == "edge"],
        "passwd": [str(row) for row in claims if "root:x:" in str(row["value_text"]) + str(row["quote"])],
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
