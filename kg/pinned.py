"""Pinned: a ledger as it stood at one commit, for who asks again what was asked then."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from kg.errors import LedgerError
from kg.ledger import Ledger
from kg.model import AsOf
from kg.snapshot import Snapshot


class Pinned:
    """What a ledger said when `commit` was its last. It can be read, never written."""

    def __init__(self, ledger: Ledger, commit: int) -> None:
        if not 0 < commit <= ledger.head:
            raise LedgerError(f"commit {commit}: the ledger has commits 1 to {ledger.head}; was a later copy meant?")
        self.ledger, self.head = ledger, commit
        self.uuid, self.folder = ledger.uuid, ledger.folder

    def known(self, commit: int) -> datetime:
        """Known time of a commit."""
        return self.ledger.known(commit)

    def instant(self, at: AsOf = AsOf()) -> tuple[int, AsOf]:
        """The commit an AsOf falls on, and the AsOf without None."""
        return self.ledger.instant(self._cut(at))

    def view(self, at: AsOf = AsOf()) -> Snapshot:
        """The resolved graph as of three instants, none of them after the pin."""
        return self.ledger.view(self._cut(at))

    def alive(self, commit: int | None = None) -> pa.Table:
        """Rows of the claims alive at a commit, the pin unless told."""
        return self.ledger.alive(self.head if commit is None else min(commit, self.head))

    def labels(self, commit: int | None = None) -> pa.Table:
        """The label of every id known at a commit, the pin unless told: (id, label)."""
        return self.ledger.labels(self.head if commit is None else min(commit, self.head))

    def _cut(self, at: AsOf) -> AsOf:
        pin = self.ledger.known(self.head)
        return replace(at, known=min(at.known, pin) if at.known else pin)
