"""Supposed: a ledger with one more commit that nobody made, to ask "what if" without writing anything.

The supposed commit follows the last one known at the instant of the question. It goes through the same projection as
any other, so what it gives is what a copy of the ledger would give in which the commit was really made.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

import pyarrow as pa

from kg.changes import Changes
from kg.errors import LedgerError, OntologyError
from kg.ledger import Ledger
from kg.model import AsOf, ClaimBatch, RunManifest, as_time
from kg.project import Con, Delta, project
from kg.resolved import resolve
from kg.snapshot import Snapshot
from kg.validate import violations


class Supposed:
    """A ledger as it would be with a batch of claims more and some edges less. It can be read, never written."""

    def __init__(
        self, ledger: Ledger, batch: ClaimBatch, removed: Sequence[str] = (), at: AsOf = AsOf(), run: str = ""
    ) -> None:
        """`removed` are ids of edges of `ledger.view(at)`. OntologyError names what the ontology refuses."""
        if (refused := violations(batch.table, ledger.labels())).num_rows:
            first = "; ".join(str(row["reason"]) for row in refused.slice(0, 5).to_pylist())
            raise OntologyError(f"{refused.num_rows} of {len(batch)} suppositions refused: {first}; mend the scenario")
        self.ledger = ledger
        self.uuid = ledger.uuid
        base, self.at = ledger.instant(at)
        self.base = base
        last = ledger.known(base) if base else as_time(datetime(1970, 1, 1))
        self._known = last + timedelta(microseconds=1)
        changes = Changes(ledger.cursor(), batch.table, self._claims_of(removed), ())
        self.rows = changes.rows(base + 1, self._known, run or RunManifest("scenario").id).read_all()

    def _claims_of(self, edges: Sequence[str]) -> list[str]:
        """Every claim that tells of one of the edges at the instant: the winner, and those it won against."""
        if not edges:
            return []
        assert self.at.valid is not None and self.at.published is not None
        con = self.ledger.cursor()
        resolve(con, self.base, self.at.valid, self.at.published)
        con.register("removed_", pa.table({"id": pa.array(list(edges), pa.string())}))
        found = con.sql("SELECT id, claim FROM candidates WHERE kind = 'edge' AND id IN (FROM removed_) ORDER BY claim")
        table = found.to_arrow_table()
        if missing := sorted(set(edges) - set(table["id"].to_pylist())):
            raise LedgerError(f"no edge {missing[0]} at this instant; take ids from the `edges` of a snapshot")
        claims: list[str] = table["claim"].to_pylist()
        return claims

    @property
    def head(self) -> int:
        """Number of the supposed commit."""
        return self.base + 1

    def known(self, commit: int) -> datetime:
        """Known time of a commit, the supposed one with the others."""
        return self._known if commit == self.head else self.ledger.known(commit)

    def check(self, uuid: str) -> None:
        """ForeignLedgerError unless the uuid is that of the ledger below."""
        self.ledger.check(uuid)

    def view(self) -> Snapshot:
        """The resolved graph at the instant of the supposition; nothing is kept on disk."""
        assert self.at.valid is not None and self.at.published is not None
        tables, _ = resolve(self._cursor(), self.head, self.at.valid, self.at.published)
        at = AsOf(self.at.valid, self._known, self.at.published)
        return Snapshot(*tables, at, self.head, self.uuid)

    def delta(self, from_commit: int, to_commit: int | None = None) -> Delta:
        """What the supposition changes in the resolved graph, for a store to apply and take back."""
        return project(self._cursor(), from_commit, self.head if to_commit is None else to_commit)

    def _cursor(self) -> Con:
        """A connection on which the log ends with the supposed commit."""
        con = self.ledger.cursor()
        con.register("supposed_", self.rows)
        con.execute(
            f"""CREATE TEMP VIEW events AS SELECT * FROM memory.main.events WHERE commit <= {self.base}
            UNION ALL SELECT * FROM supposed_"""
        )
        return con


@runtime_checkable
class Supposing(Protocol):
    """A store that nobody else sees, so that it can answer as if a supposition held."""

    def supposing(self, supposed: Supposed) -> AbstractContextManager[None]:
        """Within the block queries see the supposition; then it is taken back."""
