"""A sync loses nothing, doubles nothing and shows nothing half done, wherever it is cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kg.errors import ForeignLedgerError, StoreError
from kg.ledger import Ledger
from kg.model import AsOf
from kg.store import GraphStore, open_store
from kg.stores import arcadedb, neo4j
from tests.store_world import RING, START, Cut, CutError, banks, claim, commit, loan, loans, versions


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transactions of seven rows, so that a small sync takes many."""
    monkeypatch.setattr(arcadedb, "CHUNK", 7)
    monkeypatch.setattr(neo4j, "CHUNK", 7)


def second_commit(ledger: Ledger) -> None:
    """Takes back half of the ring and tells other loans instead."""
    gone = ledger.view().edges["claim"].to_pylist()[:6]
    commit(ledger, *(claim(loan(a, "n00", "9", "late")) for a in RING[1:]), retract=gone)


def resumed(store: GraphStore, ledger: Ledger, at: int) -> tuple[list[Any], list[Any]]:
    """Cut a sync at one call, look, finish it: (loans seen meanwhile, loans at the end)."""
    with pytest.raises(CutError):
        store.sync(ledger, Cut(at))
    seen = loans(store)
    store.sync(ledger)
    return seen, loans(store)


def test_a_sync_cut_at_any_call_shows_nothing_half_done_and_ends_exact(
    store: GraphStore, ring: Ledger, small_chunks: None, tmp_path: Path
) -> None:
    store.sync(ring)
    before = loans(store)
    second_commit(ring)
    twin = open_store(f"arcadedb://{tmp_path}/twin", tmp_path)
    twin.sync(ring)
    after, hashed, expected = loans(twin), twin.graph_hash(), versions(twin)
    twin.close()
    assert len(before) == 12 and len(after) == 17
    for at in (1, 2, 3, 6):
        store.rebuild(_At(ring, 1))  # type: ignore[arg-type]  # a ledger as it was
        seen, end = resumed(store, ring, at)
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
    store: GraphStore, ring: Ledger, small_chunks: None
) -> None:
    with pytest.raises(CutError):
        store.sync(ring, Cut(6))
    assert store.mark is not None and store.mark.commit == 0 and store.mark.offset > 0
    assert loans(store) == []
    second_commit(ring)
    store.sync(ring)
    assert store.mark.commit == 2 and store.mark.offset == 0
    assert len(loans(store)) == 17
    assert versions(store) == sorted(ring.delta(0).opens["version"].to_pylist())


def test_the_watermark_is_that_of_the_ledger_and_a_second_sync_writes_nothing(store: GraphStore, ring: Ledger) -> None:
    report = store.sync(ring)
    assert (report.from_commit, report.to_commit, report.opened) == (0, 1, 36)
    counting = Cut()
    assert store.sync(ring, counting).opened == 0
    assert counting.calls == []
    assert store.mark is not None and store.mark.ledger == ring.uuid


def test_the_future_is_what_the_last_complete_commit_says(store: GraphStore, ring: Ledger) -> None:
    store.sync(ring)
    second_commit(ring)
    later = AsOf(known=ring.known(2))
    assert len(loans(store, later)) == 12
    store.sync(ring)
    assert len(loans(store, later)) == 17


def test_the_store_of_another_ledger_is_refused(store: GraphStore, ring: Ledger, tmp_path: Path) -> None:
    store.sync(ring)
    other = Ledger.open(tmp_path / "other")
    commit(other, *banks("x"))
    with pytest.raises(ForeignLedgerError, match=ring.uuid):
        store.sync(other)
    assert len(loans(store)) == 12


def test_a_ledger_older_than_its_store_is_told(store: GraphStore, ring: Ledger) -> None:
    second_commit(ring)
    store.sync(ring)
    with pytest.raises(StoreError, match="rebuild"):
        store.sync(_At(ring, 1))  # type: ignore[arg-type]  # a ledger as it was


def test_a_closed_version_stays_for_those_who_ask_as_of_before(store: GraphStore, ring: Ledger) -> None:
    store.sync(ring)
    second_commit(ring)
    assert store.sync(ring).closed == 6
    assert len(loans(store, AsOf(known=ring.known(1)))) == 12


def test_a_store_opened_again_goes_on_where_it_was(store_url: str, ring: Ledger, tmp_path: Path) -> None:
    first = open_store(store_url, tmp_path)
    first.sync(ring)
    first.close()
    second_commit(ring)
    again = open_store(store_url, tmp_path)
    try:
        assert again.mark is not None and again.mark.commit == 1
        assert again.sync(ring).from_commit == 1
        assert len(loans(again)) == 17
    finally:
        again.close()


@pytest.mark.slow
def test_a_bulk_build_equals_small_syncs_and_a_cut_one_leaves_the_old_store(
    ring: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(f"arcadedb://{tmp_path}/store", tmp_path)
    assert not store.sync(ring).bulk
    hashed, expected = store.graph_hash(), versions(store)
    counting = Cut()
    assert store.rebuild(ring, counting).bulk
    assert (store.graph_hash(), versions(store)) == (hashed, expected)
    for at in range(1, len(counting.calls) + 1):
        with pytest.raises(CutError):
            store.rebuild(ring, Cut(at))
        assert (store.graph_hash(), versions(store)) == (hashed, expected)
    monkeypatch.setattr(arcadedb, "BULK", 1)
    empty = open_store(f"arcadedb://{tmp_path}/bulk", tmp_path)
    assert empty.sync(ring).bulk
    assert empty.graph_hash() == hashed
    second_commit(ring)
    assert not empty.sync(ring).bulk
    assert len(loans(empty)) == 17
    empty.close()
    store.close()


@pytest.mark.neo4j
def test_a_wipe_of_neo4j_that_was_cut_off_is_finished_by_the_next_sync(
    neo4j_url: str, ring: Ledger, tmp_path: Path
) -> None:
    store = open_store(neo4j_url, tmp_path)
    store.sync(ring)
    with pytest.raises(CutError):
        store.rebuild(ring, Cut(3))
    assert loans(store) == []
    store.sync(ring)
    assert len(loans(store)) == 12
    store.close()


@pytest.mark.neo4j
def test_of_two_that_sync_neo4j_at_once_one_is_told_to_sync_again(
    neo4j_url: str, ring: Ledger, small_chunks: None, tmp_path: Path
) -> None:
    one, two = open_store(neo4j_url, tmp_path), open_store(neo4j_url, tmp_path)

    def overtake(word: str) -> None:
        if word == "sync:after" and two.mark is not None and two.mark.commit == 0:
            two.sync(ring)

    with pytest.raises(StoreError, match="sync again"):
        one.sync(ring, overtake)
    one.sync(ring)
    assert len(loans(one)) == 12
    assert versions(one) == sorted(ring.delta(0).opens["version"].to_pylist())
    assert loans(one, AsOf(START)) == loans(two, AsOf(START))
    one.close()
    two.close()
