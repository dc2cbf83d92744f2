"""Watch: a folder whose files, once they have changed and settled, are a slot of their own."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from kg.errors import SettingsError

SETTLED: Final = 5.0
"""Seconds without any change after which what is being copied counts as there."""


class Watch:
    """A folder under observation; it is looked at by whoever schedules, now and then."""

    def __init__(self, folder: Path, settled: float = SETTLED) -> None:
        if not folder.is_dir():
            raise SettingsError(f"--watch {folder} is no folder; name the one that files are put into")
        self.folder, self.settled = folder.resolve(), settled
        self.name = f"watch {self.folder}"
        self._state, self._since = "", 0.0

    def state(self, now: float) -> str:
        """The state of the folder if it has held for long enough, else nothing; an empty folder has none."""
        state = fingerprint(self.folder)
        if state != self._state:
            self._state, self._since = state, now
        return state if now - self._since >= self.settled else ""


def fingerprint(folder: Path) -> str:
    """One text for the names, sizes and times of change of all files below a folder; empty if there are none."""
    digest, found = hashlib.sha256(), 0
    for path, stat in sorted(_files(folder)):
        digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
        found += 1
    return digest.hexdigest()[:32] if found else ""


def _files(folder: Path) -> list[tuple[str, os.stat_result]]:
    """Path and status of every file; what is gone between two looks is left out."""
    found = []
    for room, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(room, name)
            with suppress(OSError):
                found.append((os.path.relpath(path, folder), os.stat(path)))
    return found
