"""Offline: a run of which every Python process, its workers among them, refuses and notes what would leave the machine.

An audit hook is of one process, and workers are spawned. So each process takes its own when it starts, by the
`sitecustomize` that Python imports wherever PYTHONPATH has one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from kgrisk.guard import SocketGuard

ROOT: Final = Path(__file__).parents[1]
NOTES: Final = "OFFLINE_NOTES"
"""Names the file in which processes note that they began and what they were refused."""


class Noted(list[str]):
    """What a guard refused, each also a line of the file that all processes share."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        # opened before anything is watched, since a file that is opened is told to the audit hook too
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._note("began")

    def append(self, refused: str) -> None:
        super().append(refused)
        self._note(refused)

    def _note(self, what: str) -> None:
        os.write(self._file, f"{os.getpid()} {what}\n".encode())


def environment(folder: Path) -> dict[str, str]:
    """The environment of a process that is watched, and of those that it starts; notes lie in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text("from benchmarks.offline import watch\n\nwatch()\n")
    places = [str(folder), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places), NOTES: str(folder / "notes")}


def watch() -> SocketGuard:
    """Enter a guard for the rest of this process."""
    guard = SocketGuard()
    guard.refused = Noted(Path(os.environ[NOTES]))
    return guard.__enter__()


def noted(folder: Path) -> tuple[int, list[str]]:
    """How many processes were watched, and what any of them was refused."""
    lines = [line.partition(" ")[2] for line in (folder / "notes").read_text().splitlines()]
    refused = [line for line in lines if line != "began"]
    return len(lines) - len(refused), refused
