"""The append-only log of everything claimed: one Delta table, one writer, one known time per commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import ClassVar

import duckdb
import pyarrow as pa
from deltalake import CommitProperties, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError

from kg.cache import Cache
from kg.changes import EVENTS, Changes
from kg.disk import writing
from kg.errors import ClockError, ForeignLedgerError, LedgerError, OntologyError, StaleWriterError
from kg.evidence import evidence
from kg.increment import made
from kg.lease import Lease
from kg.model import EVER, SCHEMA, AsOf, ClaimBatch, RunManifest, as_time
from kg.place import APP, FORMAT, Place, rows_in
from kg.project import ALIVE, LABELS, RULES, Con, Delta, connect, project
from kg.seal import Seal
from kg.snapshot import Snapshot
from kg.validate import violations

COMPACT_AFTER = 100
"""Files after which a commit compacts the table."""
BACKWARD = timedelta(seconds=60)
"""How far the clock may lie behind the last known time before it counts as set back."""
_APP = APP

Clock = Callable[[], datetime]
OnIO = Callable[[str], None]
"""Called with the name of each stage before and after its I/O; for tests that kill there."""


def _now() -> datetime:
    return datetime.now(UTC)


def no_io(_: str) -> None:
    """The OnIO that does nothing."""


class Ledger:
    """Claims, and when each was recorded. Use `Ledger.open(folder)`."""

    _LOG: ClassVar[str] = "events"
    """Where every commit stands, whether or not anything of it is told."""

    def __init__(self, place: Place, uuid: str, clock: Clock) -> None:
        self.place = place
        self.folder = folder = place.folder
        self.uuid = uuid
        self.lease = Lease(folder / "lease.json", "writing the ledger")
        self.fence: Callable[[], None] | None = None  # asked before each commit; raises if another has taken over
        self._clock = clock
        self._table = place.table()
        self.seal = Seal(place)
        self._con = connect()
        self._view_version = -1
        self._refresh()

    @classmethod
    def open(
        cls,
        folder: Path | str,
        *,
        clock: Clock = _now,
        storage_options: Mapping[str, str] | None = None,
        beside: Path | None = None,
    ) -> Ledger:
        """Open the ledger in a folder, or create it there. LedgerError if the folder holds something else.

        The table may lie in an object store at an `s3://` URL, with `beside` for what is kept on this machine; see
        `kg.place`. Credentials are those of the environment, or in `storage_options`.
        """
        place = Place.of(folder, storage_options, beside)
        return cls(place, place.identify(), clock)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the table."""
        self._con.close()

    # ---- reading

    def _refresh(self) -> None:
        """Point the `events` view at the newest files, which are as their writer left them."""
        head = self.head  # looks for what is new
        if self._table.version() == self._view_version:
            return
        told, head = self.seal.read(), self.head  # in this order: the table only grows meanwhile
        uris = self.place.files(self._table)
        self.seal.check(told, uris, head)
        if uris:
            try:
                self._con.execute(f"CREATE OR REPLACE VIEW events AS SELECT * FROM {rows_in(uris)}")
            except duckdb.Error as error:
                reason = str(error).splitlines()[0]
                raise LedgerError(f"{self.folder} cannot be read: {reason}; restore it from a backup") from error
        else:
            self._con.register("none_", EVENTS.empty_table())
            self._con.execute("CREATE TABLE IF NOT EXISTS no_events AS SELECT * FROM none_")
            self._con.execute("CREATE OR REPLACE VIEW events AS SELECT * FROM no_events")
        self._view_version = self._table.version()

    def cursor(self) -> Con:
        """A connection with temporary tables of its own beside the shared view `events` of the log."""
        self._refresh()
        cursor = self._con.cursor()
        cursor.execute("SET TimeZone='UTC'")
        return cursor

    def _query(self, sql: str, params: Sequence[object] = ()) -> pa.Table:
        self._refresh()
        return self._con.sql(sql, params=list(params)).to_arrow_table()

    @property
    def version(self) -> int:
        """Version of the table on disk when it was last read; every write is another."""
        return int(self._table.version())

    @property
    def head(self) -> int:
        """Number of the last commit; 0 for an empty ledger."""
        with self.place.read():  # of a table in an object store the number is read there as well
            self._table.update_incremental()
            return self._table.transaction_version(_APP) or 0

    def known(self, commit: int) -> datetime:
        """Known time of a commit. LedgerError if there is none of that number."""
        found = self._query(f"SELECT min(known_from) AS t FROM {self._LOG} WHERE commit = ?", [commit])["t"][0].as_py()
        if found is None:
            raise LedgerError(f"commit {commit}: the ledger has commits 1 to {self.head}")
        return as_time(found)

    def commit_at(self, known: datetime | None) -> int:
        """The last commit known at a time (the head for None)."""
        if known is None:
            return self.head
        sql = f"SELECT coalesce(max(commit), 0) AS c FROM {self._LOG} WHERE known_from <= ?"
        return int(self._query(sql, [as_time(known)])["c"][0].as_py())

    def events(self, from_commit: int = 0, to_commit: int | None = None) -> pa.Table:
        """Rows of the log with from_commit < commit <= to_commit, in order."""
        end = self.head if to_commit is None else to_commit
        return self._query(
            "SELECT * FROM events WHERE commit > ? AND commit <= ? ORDER BY commit, op, claim",
            [from_commit, end],
        )

    def alive(self, commit: int | None = None) -> pa.Table:
        """Rows of the claims alive at a commit."""
        end = self.head if commit is None else commit
        return self._query(ALIVE.format(end=end) + " ORDER BY claim")

    def labels(self, commit: int | None = None) -> pa.Table:
        """The label of every id known at a commit, for ever that of its first node row: (id, label)."""
        return self._query(LABELS.format(end=self.head if commit is None else commit) + " ORDER BY id")

    def commits(self) -> pa.Table:
        """One row per commit: commit, known_from, run, asserted, retracted."""
        return self._query(
            """SELECT commit, min(known_from) AS known_from, min(run) AS run,
            count(*) FILTER (op = 'assert') AS asserted, count(*) FILTER (op = 'retract') AS retracted
            FROM events GROUP BY commit ORDER BY commit"""
        )

    def evidence(self, statement: str, at: AsOf = AsOf()) -> pa.Table:
        """Every claim that says a statement, or was judged to tell of its edge, as of `at.known` and `at.published`."""
        end = self.commit_at(at.known)
        return evidence(self.cursor(), end, statement, as_time(at.published or EVER))

    def delta(self, from_commit: int, to_commit: int | None = None) -> Delta:
        """What changed in the resolved graph after from_commit up to to_commit, for a store to apply."""
        end = self.head if to_commit is None else to_commit
        return project(self.cursor(), from_commit, end)

    def instant(self, at: AsOf = AsOf()) -> tuple[int, AsOf]:
        """The commit an AsOf falls on, and the AsOf without None."""
        commit = self.commit_at(at.known)
        known = as_time(at.known) if at.known else (self.known(commit) if commit else datetime(1970, 1, 1, tzinfo=UTC))
        return commit, AsOf(
            as_time(at.valid) if at.valid else known, known, as_time(at.published) if at.published else EVER
        )

    def view(self, at: AsOf = AsOf()) -> Snapshot:
        """The resolved graph as of three instants; the same question again is read from disk."""
        commit, at = self.instant(at)
        cache = Cache(self.folder.parent / "cache", f"{FORMAT}-{RULES}", self.uuid)
        if (cached := cache.load(commit, at)) is not None:
            return cached
        base = cache.nearest(commit, at)
        return cache.save(made(self.cursor(), base, commit, at, self.uuid), base)

    # ---- writing

    def commit(
        self,
        batch: ClaimBatch,
        run: RunManifest,
        *,
        retract: Sequence[str] = (),
        replaces: Sequence[str] = (),
        on_io: OnIO = no_io,
    ) -> int:
        """Append one commit with one known time; returns its number, or the head's if nothing would change.

        Asserts the claims of the batch that are not alive. Retracts the claim ids in `retract` and every alive claim
        of the documents in `replaces` that the batch does not repeat. OntologyError names refused rows; nothing is
        written then.
        """
        with writing(self.folder, "a commit"), self.lease:
            if (refused := violations(batch.table, self.labels())).num_rows:
                first = "; ".join(f"row {r['row']}: {r['reason']}" for r in refused.slice(0, 5).to_pylist())
                raise OntologyError(
                    f"{refused.num_rows} of {len(batch)} claims refused: {first}; mend or drop them and commit again"
                )
            head = self.head
            changes = Changes(self.cursor(), batch.table, retract, replaces)
            if not len(changes):
                return head
            rows = changes.rows(head + 1, self._next_known(head + 1), run.id)
            self._write(rows, head + 1, on_io)
            if len(self._table.file_uris()) > COMPACT_AFTER:
                self.compact()
        return head + 1

    def _next_known(self, commit: int) -> datetime:
        """Known time of a new commit: later than the last, and not before now."""
        now, last = as_time(self._clock()), self.known(commit - 1) if commit > 1 else None
        if last is not None and now < last - BACKWARD:
            raise ClockError(
                f"the clock says {now.isoformat()}, the last commit was recorded at {last.isoformat()}; "
                "set the clock right and run again"
            )
        return max(now, last + timedelta(microseconds=1)) if last else now

    def _write(self, rows: pa.RecordBatchReader, commit: int, on_io: OnIO) -> None:
        """One Delta commit, refused if the head has moved since this table object was read."""
        self.lease.check()
        if self.fence is not None:
            self.fence()
        self.seal.hold(self._table)
        with self.place.reached():
            head = self._table.transaction_version(_APP) or 0
        if head != commit - 1:
            raise StaleWriterError(
                f"commit {commit}: the head moved while the run was prepared; open the ledger again and repeat the run"
            )
        on_io("commit:before")
        properties = CommitProperties(app_transactions=[Transaction(_APP, commit)], max_commit_retries=0)
        try:
            with self.place.reached():
                write_deltalake(self._table, rows, mode="append", commit_properties=properties)
        except CommitFailedError as error:
            raise StaleWriterError(
                f"commit {commit}: another writer was first ({error}); open the ledger again and repeat the run"
            ) from error
        self.seal.write(self._table)
        on_io("commit:after")

    def retract(self, claims: Sequence[str], run: RunManifest) -> int:
        """Retract claims by id; returns the commit."""
        return self.commit(ClaimBatch(SCHEMA.empty_table()), run, retract=claims)

    def compact(self, keep_hours: int = 1) -> None:
        """Join small files; drop those replaced more than `keep_hours` ago, which other processes may still read.

        No view, store or replay changes: all pin our commit number.
        """
        with writing(self.folder, "the table, made smaller,"), self.lease, self.place.reached():
            self._table.update_incremental()
            self._table.optimize.compact()
            self._table.vacuum(retention_hours=keep_hours, dry_run=False, enforce_retention_duration=False)
            self._refresh()
            self.seal.write(self._table)

    def check(self, uuid: str) -> None:
        """ForeignLedgerError unless the uuid (kept by a store) is this ledger's."""
        if uuid != self.uuid:
            raise ForeignLedgerError(
                f"this store was filled from ledger {uuid}, not from {self.uuid} in {self.folder}; "
                "use an empty store or that ledger"
            )
