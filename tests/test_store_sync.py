"""A sync loses nothing, doubles nothing and shows nothing half done, wherever it is cut off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kg.errors import ForeignLedgerError, StoreError, StoreLockedError
from kg.ledger import Ledger
from kg.model import AsOf
from kg.store import GraphStore, open_store, without_password
from kg.stores import arcadedb, neo4j
from tests.store_world import START, Cut, CutError, banks, claim, commit, loan, loans, rows, versions

NAMES = [f"n{i:02d}" for i in range(12)]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transactions of seven rows, so that a small sync takes many."""
    monkeypatch.setattr(arcadedb, "CHUNK", 7)
    monkeypatch.setattr(neo4j, "CHUNK", 7)


@pytest.fixture
def grown(ledger: Ledger) -> Ledger:
    """A ledger whose second commit opens and closes."""
    ring = [claim(loan(a, b)) for a, b in zip(NAMES, [*NAMES[1:], NAMES[0]], strict=True)]
    commit(ledger, *banks(*NAMES), *ring)
    return ledger


def second_commit(ledger: Ledger) -> None:
    gone = ledger.view().edges["claim"].to_pylist()[:6]
    commit(ledger, *(claim(loan(a, "n00", "9", "late")) for a in NAMES[1:]), retract=gone)


def resumed(store: GraphStore, ledger: Ledger, at: int) -> tuple[list[Any], list[Any]]:
    """Cut a sync at one call, look, finish it: (loans seen meanwhile, loans at the end)."""
    with pytest.raises(CutError):
        store.sync(ledger, Cut(at))
    seen = loans(store)
    store.sync(ledger)
    return seen, loans(store)


def test_a_sync_cut_at_any_call_shows_nothing_half_done_and_ends_exact(
    store: GraphStore, grown: Ledger, small_chunks: None, tmp_path: Path
) -> None:
    store.sync(grown)
    before = loans(store)
    second_commit(grown)
    twin = open_store(f"arcadedb://{tmp_path}/twin", tmp_path)
    twin.sync(grown)
    after, hashed, expected = loans(twin), twin.graph_hash(), versions(twin)
    twin.close()
    assert len(before) == 12 and len(after) == 17
    for at in (1, 2, 3, 6):
        store.rebuild(_At(grown, 1))  # type: ignore[arg-type]  # a ledger as it was
        seen, end = resumed(store, grown, at)
        assert seen == before
        assert end == after
        assert versions(store) == expected
        assert store.graph_hash() == hashed


class _At:
    """A ledger as it was when its head was another."""

    def __init__(self, ledger: Ledger, head: int) -> None:
        self.uuid, self.check, self.known, self.delta = ledger.uuid, ledger.check, ledger.known, ledger.delta
        self.head = head


def test_a_first_sync_cut_off_is_finished_row_for_row_though_the_ledger_moved_on(
    store: GraphStore, grown: Ledger, small_chunks: None
) -> None:
    with pytest.raises(CutError):
        store.sync(grown, Cut(6))
    assert store.mark is not None and store.mark.commit == 0 and store.mark.offset > 0
    assert loans(store) == []
    second_commit(grown)
    store.sync(grown)
    assert store.mark.commit == 2 and store.mark.offset == 0
    assert len(loans(store)) == 17
    assert versions(store) == sorted(grown.delta(0).opens["version"].to_pylist())


def test_the_watermark_is_that_of_the_ledger_and_a_second_sync_writes_nothing(store: GraphStore, grown: Ledger) -> None:
    report = store.sync(grown)
    assert (report.from_commit, report.to_commit, report.opened) == (0, 1, 36)
    counting = Cut()
    assert store.sync(grown, counting).opened == 0
    assert counting.calls == []
    assert store.mark is not None and store.mark.ledger == grown.uuid


def test_the_future_is_what_the_last_complete_commit_says(store: GraphStore, grown: Ledger) -> None:
    store.sync(grown)
    second_commit(grown)
    later = AsOf(known=grown.known(2))
    assert len(loans(store, later)) == 12
    store.sync(grown)
    assert len(loans(store, later)) == 17


def test_the_store_of_another_ledger_is_refused(store: GraphStore, grown: Ledger, tmp_path: Path) -> None:
    store.sync(grown)
    other = Ledger.open(tmp_path / "other")
    commit(other, *banks("x"))
    with pytest.raises(ForeignLedgerError, match=grown.uuid):
        store.sync(other)
    assert len(loans(store)) == 12


def test_a_ledger_older_than_its_store_is_told(store: GraphStore, grown: Ledger) -> None:
    second_commit(grown)
    store.sync(grown)
    with pytest.raises(StoreError, match="rebuild"):
        store.sync(_At(grown, 1))  # type: ignore[arg-type]  # a ledger as it was


def test_a_closed_version_stays_for_those_who_ask_as_of_before(store: GraphStore, grown: Ledger) -> None:
    store.sync(grown)
    second_commit(grown)
    assert store.sync(grown).closed == 6
    assert len(loans(store, AsOf(known=grown.known(1)))) == 12


def test_a_store_opened_again_goes_on_where_it_was(store_url: str, grown: Ledger, tmp_path: Path) -> None:
    first = open_store(store_url, tmp_path)
    first.sync(grown)
    first.close()
    second_commit(grown)
    again = open_store(store_url, tmp_path)
    try:
        assert again.mark is not None and again.mark.commit == 1
        assert again.sync(grown).from_commit == 1
        assert len(loans(again)) == 17
    finally:
        again.close()


@pytest.mark.slow
def test_a_bulk_build_equals_small_syncs_and_a_cut_one_leaves_the_old_store(
    grown: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(f"arcadedb://{tmp_path}/store", tmp_path)
    assert not store.sync(grown).bulk
    hashed, expected = store.graph_hash(), versions(store)
    counting = Cut()
    assert store.rebuild(grown, counting).bulk
    assert (store.graph_hash(), versions(store)) == (hashed, expected)
    for at in range(1, len(counting.calls) + 1):
        with pytest.raises(CutError):
            store.rebuild(grown, Cut(at))
        assert (store.graph_hash(), versions(store)) == (hashed, expected)
    monkeypatch.setattr(arcadedb, "BULK", 1)
    empty = open_store(f"arcadedb://{tmp_path}/bulk", tmp_path)
    assert empty.sync(grown).bulk
    assert empty.graph_hash() == hashed
    second_commit(grown)
    assert not empty.sync(grown).bulk
    assert len(loans(empty)) == 17
    empty.close()
    store.close()


@pytest.mark.neo4j
def test_a_wipe_of_neo4j_that_was_cut_off_is_finished_by_the_next_sync(
    neo4j_url: str, grown: Ledger, tmp_path: Path
) -> None:
    store = open_store(neo4j_url, tmp_path)
    store.sync(grown)
    with pytest.raises(CutError):
        store.rebuild(grown, Cut(3))
    assert loans(store) == []
    store.sync(grown)
    assert len(loans(store)) == 12
    store.close()


@pytest.mark.slow
def test_a_second_process_is_told_which_process_holds_the_folder(grown: Ledger, tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from kg.store import open_store
store = open_store("arcadedb://{tmp_path}/store", Path("{tmp_path}"))
print("ready", flush=True)
sys.stdin.read()
store.close()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        with pytest.raises(StoreLockedError, match=rf"process {holder.pid} on "):
            open_store(f"arcadedb://{tmp_path}/store", tmp_path)
        holder.communicate("")
    store = open_store(f"arcadedb://{tmp_path}/store", tmp_path)
    store.sync(grown)
    assert len(loans(store)) == 12
    store.close()


@pytest.mark.slow
def test_a_holder_that_was_killed_leaves_the_folder_free_and_whole(grown: Ledger, tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from kg.ledger import Ledger
from kg.store import open_store
store = open_store("arcadedb://{tmp_path}/store", Path("{tmp_path}"))
calls = []
def on_io(word):
    calls.append(word)
    if len(calls) == 6:
        os.kill(os.getpid(), signal.SIGKILL)
from kg.stores import arcadedb
arcadedb.CHUNK = 7
store.sync(Ledger.open(Path("{tmp_path}") / "ledger"), on_io)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -9
    store = open_store(f"arcadedb://{tmp_path}/store", tmp_path)
    assert store.mark is not None and store.mark.offset == 21
    store.sync(grown)
    assert versions(store) == sorted(grown.delta(0).opens["version"].to_pylist())
    assert rows(store, "MATCH (n:Bank) RETURN count(n) AS n") == [{"n": 12}]
    store.close()


@pytest.mark.slow
def test_sigterm_ends_a_process_that_holds_a_store_as_it_ends_any_other(tmp_path: Path) -> None:
    code = f"""
import os, signal, time
from pathlib import Path
from kg.store import open_store
store = open_store("arcadedb://{tmp_path}/store", Path("{tmp_path}"))
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(20)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -15
    assert done.stderr == ""


@pytest.mark.slow
def test_a_process_whose_store_was_opened_in_a_thread_ends(tmp_path: Path) -> None:
    code = f"""
import threading
from pathlib import Path
from kg.store import open_store
def work():
    store = open_store("arcadedb://{tmp_path}/store", Path("{tmp_path}"))
    print(store.mark, flush=True)
    store.close()
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "None\n", "")


@pytest.mark.parametrize("url", ["", "store", "sqlite:///x", "arcadedb:", "arcadedb://host/x", "arcadedb://"])
def test_a_url_that_names_no_store_is_refused_with_an_example(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="arcadedb:///"):
        open_store(url, tmp_path)


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    url = "bolt://neo4j:secret-word@127.0.0.1:1/neo4j"
    with pytest.raises(StoreError, match="start it") as caught:
        open_store(url, tmp_path)
    assert "secret-word" not in str(caught.value)
    assert without_password(url) == "bolt://neo4j:...@127.0.0.1:1/neo4j"


@pytest.mark.neo4j
def test_a_wrong_password_says_which_setting_to_check(neo4j_url: str, tmp_path: Path) -> None:
    wrong = neo4j_url.replace(neo4j_url.split("@")[0].rpartition(":")[2], "wrong-password")
    with pytest.raises(StoreError, match="NEO4J_PASSWORD"):
        open_store(wrong, tmp_path)


@pytest.mark.neo4j
def test_of_two_that_sync_neo4j_at_once_one_is_told_to_sync_again(
    neo4j_url: str, grown: Ledger, small_chunks: None, tmp_path: Path
) -> None:
    one, two = open_store(neo4j_url, tmp_path), open_store(neo4j_url, tmp_path)

    def overtake(word: str) -> None:
        if word == "sync:after" and two.mark is not None and two.mark.commit == 0:
            two.sync(grown)

    with pytest.raises(StoreError, match="sync again"):
        one.sync(grown, overtake)
    one.sync(grown)
    assert len(loans(one)) == 12
    assert versions(one) == sorted(grown.delta(0).opens["version"].to_pylist())
    assert loans(one, AsOf(START)) == loans(two, AsOf(START))
    one.close()
    two.close()
