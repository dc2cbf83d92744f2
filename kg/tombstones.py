"""Tombstones: that somebody was erased, told by keyed digests only, so that what is erased does not come in again.

A digest is HMAC-SHA256 under a key that lies beside the ledger, readable by its owner alone: whoever has an id can ask
whether it was erased, whoever has the tombstones and not the key can find no id by trying them all.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from kg.errors import LedgerError
from kg.files import write_whole

FILE, KEY = "erased.json", "erased.key"


@dataclass(frozen=True)
class Tombstone:
    """One erasure: whose is told by marks alone."""

    marks: tuple[str, ...]
    """Keyed digest of each id."""
    rows: int
    """Rows of the log that were taken out."""
    reason: str
    by: str
    time: str
    first: int
    """First commit that spoke of any of the ids."""
    commit: int
    """Commit that the erasure itself is."""


class Tombstones:
    """The tombstones of one ledger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._marks: frozenset[str] | None = None

    @property
    def all(self) -> tuple[Tombstone, ...]:
        """Every erasure, the first one first."""
        try:
            rows = json.loads((self.folder / FILE).read_text())
            return tuple(Tombstone(**{**row, "marks": tuple(row["marks"])}) for row in rows)
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise LedgerError(f"{self.folder / FILE} cannot be read ({error}); restore it from a backup") from error

    def mark(self, id: str) -> str:
        """The keyed digest of an id."""
        return hmac.new(self._key(), b"kgrisk.erased\x1f" + id.encode(), hashlib.sha256).hexdigest()

    def add(self, tombstone: Tombstone) -> None:
        """Set a tombstone, durably; the same one again (of a run that was broken off) takes its own place."""
        kept = [own for own in self.all if own.marks != tombstone.marks]
        told = json.dumps([asdict(own) for own in (*kept, tombstone)], indent=1)
        write_whole(self.folder / FILE, told.encode())
        self._marks = None

    def __contains__(self, id: str) -> bool:
        return bool(self._known) and self.mark(id) in self._known

    def erased(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that were erased."""
        return {id for id in ids if id in self} if self._known else set()

    def refused(self, claims: pa.Table) -> Sequence[int]:
        """Rows of claims that speak of somebody who was erased."""
        if not self._known:
            return ()
        gone = self.erased({*claims["subject"].unique().to_pylist(), *claims["object"].unique().to_pylist()} - {""})
        if not gone:
            return ()
        ends = zip(claims["subject"].to_pylist(), claims["object"].to_pylist(), strict=True)
        return [row for row, (a, b) in enumerate(ends) if a in gone or b in gone]

    @property
    def _known(self) -> frozenset[str]:
        if self._marks is None:
            self._marks = frozenset(mark for own in self.all for mark in own.marks)
        return self._marks

    def _key(self) -> bytes:
        path = self.folder / KEY
        if not path.exists():
            if (self.folder / FILE).exists():
                raise LedgerError(f"{path} is gone, so nobody can tell who was erased; restore it from a backup")
            write_whole(path, secrets.token_hex(32).encode())
        return bytes.fromhex(path.read_text().strip())
