"""Who writes the log, when and where: one at a time, by a clock that goes forward, into a ledger that is whole."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kg.errors import ClockError, ForeignLedgerError, LeaseHeldError, LedgerError, StaleWriterError
from kg.lease import Lease
from kg.ledger import Ledger
from kg.model import AsOf, ClaimBatch
from tests.ledger_world import RUN, amounts, bank, loan, two_banks
from tests.operations import START, Ticking


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return two_banks(tmp_path / "ledger")


def test_a_clock_set_back_is_refused(tmp_path: Path) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    ledger = Ledger.open(tmp_path / "ledger", clock=lambda: now[0])
    ledger.commit(ClaimBatch.of([bank("lei:A", "Alpha")]), RUN)
    now[0] -= timedelta(hours=1)
    with pytest.raises(ClockError, match=r"the clock says 2025-12-31T23:00.*set the clock right"):
        ledger.commit(ClaimBatch.of([bank("lei:B", "Beta")]), RUN)


def test_a_clock_that_stands_still_gives_growing_known_times(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger", clock=lambda: START)
    for id in ("lei:A", "lei:B"):
        ledger.commit(ClaimBatch.of([bank(id, id)]), RUN)
    assert ledger.known(2) == ledger.known(1) + timedelta(microseconds=1)


def test_a_second_writer_is_told_who_holds_the_lease(ledger: Ledger) -> None:
    code = (
        "import sys, time; from pathlib import Path; from kg.lease import Lease\n"
        "with Lease(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(ledger.lease.path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(LeaseHeldError, match=f"process {other.pid} on "):
            ledger.commit(ClaimBatch.of([loan(10)]), RUN)
        other.kill()
    assert ledger.commit(ClaimBatch.of([loan(10)]), RUN) == 2


def test_a_writer_whose_lease_was_taken_over_writes_nothing(ledger: Ledger) -> None:
    def usurp(stage: str) -> None:
        if stage == "commit:before":
            raise AssertionError("must not get this far")

    with ledger.lease:
        held = json.loads(ledger.lease.path.read_text())
        ledger.lease.path.write_text(json.dumps(held | {"fence": held["fence"] + 1}))
        with pytest.raises(StaleWriterError, match="the newest is"):
            ledger.commit(ClaimBatch.of([loan(10)]), RUN, on_io=usurp)
    assert ledger.head == 1


def test_two_open_ledgers_take_turns_and_number_commits_without_gap(ledger: Ledger) -> None:
    other = Ledger.open(ledger.folder, clock=Ticking(START + timedelta(days=4000)))
    assert other.commit(ClaimBatch.of([loan(10)]), RUN) == 2
    late = Ledger.open(ledger.folder, clock=Ticking(START + timedelta(days=4001)))
    assert late.commit(ClaimBatch.of([loan(11, "doc2")]), RUN) == 3
    assert ledger.head == 3
    assert ledger.commits()["commit"].to_pylist() == [1, 2, 3]


def test_a_commit_that_another_writer_made_first_is_refused(ledger: Ledger) -> None:
    other = Ledger.open(ledger.folder, clock=Ticking(START + timedelta(days=4000)))
    other.lease = Lease(ledger.folder / "other.json")

    def first(stage: str) -> None:
        if stage == "commit:before":
            other.commit(ClaimBatch.of([loan(11, "doc2")]), RUN)

    with pytest.raises(StaleWriterError, match="another writer was first"):
        ledger.commit(ClaimBatch.of([loan(10)]), RUN, on_io=first)
    assert ledger.commits()["commit"].to_pylist() == [1, 2]
    assert amounts(ledger, AsOf()) == [11]


def test_a_foreign_uuid_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ForeignLedgerError, match="filled from ledger 123"):
        ledger.check("123")


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear all")
    with pytest.raises(LedgerError, match="holds no ledger"):
        Ledger.open(tmp_path)


def test_a_damaged_table_is_named(ledger: Ledger) -> None:
    ledger.close()
    for file in (ledger.folder / "table").glob("*.parquet"):
        file.write_bytes(b"not a table")
    with pytest.raises(LedgerError, match=r"cannot be read.*restore it from a backup"):
        Ledger.open(ledger.folder)
