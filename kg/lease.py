"""The write lease: one process at a time may write, and a stale one is told so."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType

from kg.disk import writing
from kg.errors import LeaseHeldError, StaleWriterError

_WIDTH = 200
"""Characters of what stands in the file."""


class Lease:
    """A lock file that names its holder and carries a fencing number, one higher at each taking.

    The lock is the operating system's, so it ends with its process; the number tells a writer that was
    paused, or whose file was replaced, that another has written since. Local disks only.
    """

    def __init__(self, path: Path, purpose: str = "writing") -> None:
        self.path = path
        self.purpose = purpose
        self.fence = 0
        self._file: TextIOWrapper | None = None
        self._depth = 0

    def __enter__(self) -> Lease:
        self._depth += 1
        if self._depth == 1:
            try:
                self._take()
            except BaseException:
                self._depth = 0
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth == 0 and self._file is not None:
            self._file.close()
            self._file = None

    def _take(self) -> None:
        with writing(self.path.parent, f"the lock for {self.purpose}"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666), "r+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = self.holder()
            file.close()
            raise LeaseHeldError(
                f"{self.path}: held for {self.purpose} by process {holder.get('pid', '?')} "
                f"on {holder.get('host', '?')}; "
                "wait for it to end, or stop it, and try again"
            ) from error
        fence = int(self.holder().get("fence", 0)) + 1
        told = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "fence": fence})
        try:
            with writing(self.path.parent, f"the lock for {self.purpose}"):
                file.write(told.ljust(_WIDTH))  # over what is there, at its width: the number is at no moment lost
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            file.close()
            raise
        self.fence, self._file = fence, file

    def holder(self) -> dict[str, str | int]:
        """Process, host and fencing number of the last taker; empty if nobody ever took it."""
        try:
            content: dict[str, str | int] = json.loads(self.path.read_text() or "{}")
            return content
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def check(self) -> None:
        """StaleWriterError unless this process still holds the newest lease."""
        newest = self.holder().get("fence")
        if self._file is None or newest != self.fence:
            raise StaleWriterError(
                f"{self.path}: this writer has lease {self.fence}, the newest is {newest}; "
                "open the ledger again and repeat the run"
            )
