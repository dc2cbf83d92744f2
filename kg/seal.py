"""Seal: the sha256 of every file of a ledger's table, and the number of its last commit, as its writer left them.

Neither Delta nor Parquet, as they are written here, notices a bit that was lost on disk, or a log that lost its end. So
each commit writes down what it left, and whoever opens the ledger compares, each file once. A writer that was killed
before it wrote that down leaves files that no seal names; the next writer takes them in.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from deltalake import DeltaTable

from kg.errors import DiskError, LedgerError
from kg.files import write_whole
from kg.place import APP, Place
from kg.seen import Digests

FILE: Final = "seal.json"
_LOG = logging.getLogger(__name__)


class Seal:
    """The seal of a ledger in a folder; of one in an object store `kg.seen` keeps what this home has seen."""

    def __init__(self, place: Place) -> None:
        self._place, self._table, self._path = place, place.folder / "table", place.folder / FILE
        self._digests = Digests()

    def read(self) -> Mapping[str, Any]:
        """What it says; read it before the table, which only grows meanwhile. LedgerError if it is none."""
        try:
            told = json.loads(self._path.read_text())
            return {"head": int(told["head"]), "files": dict(told["files"])}
        except FileNotFoundError:
            return {"head": 0, "files": {}}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LedgerError(
                f"{self._path} cannot be read ({error!r}); restore it from a backup, or remove it: the files of the "
                "table are then taken as they are"
            ) from error

    def check(self, told: Mapping[str, Any], files: list[str], head: int) -> None:
        """LedgerError if the table is not as it was left: a file has other bytes, or commits are missing."""
        if head < told["head"]:
            raise LedgerError(
                f"{self._table} ends at commit {head}, but commit {told['head']} was made: its log "
                f"({self._table.name}/_delta_log) lost its end; restore the ledger from a backup"
            )
        for name, path in self._each(files if told["files"] else []):
            if name in told["files"] and self._digest(path) != told["files"][name]:
                raise LedgerError(
                    f"{path} cannot be read: it was changed on disk, and has another sha256 than it was written with; "
                    "restore it from a backup"
                )

    def hold(self, table: DeltaTable) -> None:
        """LedgerError before a commit to a table in an object store that was set back while it was open."""
        if self._place.remote:
            self._place.seen.hold(table)

    def write(self, table: DeltaTable) -> None:
        """Write down how the table is now; hold the lease. A disk that refuses it does not undo the commit."""
        if self._place.remote:
            self._place.seen.made(table)
            return
        known, head = self.read()["files"], table.transaction_version(APP) or 0
        each = self._each(self._place.files(table))
        told = {name: known.get(name) or self._digest(path) for name, path in each}
        try:
            write_whole(self._path, json.dumps({"head": head, "files": told}, indent=0).encode())
        except DiskError as error:
            _LOG.warning("commit %s is made, but not sealed: %s", head, error)

    def _each(self, files: list[str]) -> Iterator[tuple[str, Path]]:
        """Name and path of the files of the table and of its log."""
        log = (path for path in (self._table / "_delta_log").glob("[0-9]*") if path.is_file())
        for path in (*map(Path, files), *sorted(log)):
            yield path.name, path

    def _digest(self, path: Path) -> str:
        """The sha256 of a file, which is read once as long as nobody writes it."""
        try:
            return self._digests.of(path)
        except OSError as error:
            raise LedgerError(f"{path} cannot be read: {error}; restore the ledger from a backup") from error

    def drop(self) -> None:
        """Forget it, before another table takes the place of this one."""
        self._path.unlink(missing_ok=True)
