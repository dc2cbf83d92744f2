"""Run file: what one refresh was, how it went and what it cost, on disk at every moment, whole or not at all."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kg.files import write_whole
from kg.lease import Lease
from kgrisk.result import plain


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
        write_whole(self.path, json.dumps(plain(self.content), indent=1, ensure_ascii=False).encode())


def runs(folder: Path, kind: str = "refresh") -> Iterator[RunFile]:
    """Runs of a kind, oldest first."""
    for path in sorted(folder.glob(f"*-{kind}.json")):
        yield RunFile(path, json.loads(path.read_text()))


def lock(home: Path) -> Lease:
    """The lock that one refresh at a time holds; a promotion or rollback holds it too."""
    return Lease(home / "refresh.lock", "a refresh")
