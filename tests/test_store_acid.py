"""What two clients of a store may see of each other: the anomalies of LDBC's ACID test, on our writes and beside them.

Each anomaly is provoked step by step between clients in threads of their own, no chance in it. The first half asks
through `sync` and `query`, where no anomaly may be: one writer holds the mark, and a question sees one commit through
its clocks. The second half asks the databases themselves, as a tool beside ours would; what they allow is listed in
ALLOWED (tests/acid_anomalies.py), so that a change of it is noticed, and told in docs/stores.md.

Waudby et al.: Towards Testing ACID Compliance in the LDBC Social Network Benchmark (TPCTC 2020); Adya's names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from threading import Event

import pytest

from kg.errors import StoreError
from kg.ledger import Ledger
from kg.model import AsOf
from kg.rows import Step
from kg.store import CLOCK_TEXT, GraphStore, open_store
from kg.stores import arcadedb, neo4j
from kg.stores._jvm import start
from kg.sync import stage
from kg.vectors import Vectors
from tests.acid_anomalies import ALLOWED, ANOMALIES, Anomaly
from tests.acid_clients import Client, arcade_clients, neo4j_clients
from tests.conftest import HEAP, STORES
from tests.store_world import CutError, banks, claim, commit, loan, loans, rows, versions

TOTAL = f"MATCH (:Entity)-[r:LENDS_TO]->(:Entity) WHERE {CLOCK_TEXT} RETURN count(r) AS n, sum(r.amount_minor) AS s"


# ---- our own writes and questions: nothing may be seen


def move_money(ledger: Ledger, turn: int) -> None:
    """One commit that moves a cent from the first loan of a ring of four to the second: their sum stays."""
    keys = {k: c for c, k in zip(*ledger.view().edges.select(["claim", "key"]).to_pydict().values(), strict=True) if k}
    said = [loan("a", "b", str(Decimal(100) - Decimal(turn) / 100), "first")]
    said.append(loan("c", "d", str(Decimal(100) + Decimal(turn) / 100), "second"))
    commit(ledger, *map(claim, said), retract=keys.values())


@pytest.fixture
def money(ledger: Ledger) -> Ledger:
    """A ledger of two loans of 100 each."""
    commit(ledger, *banks("a", "b", "c", "d"))
    move_money(ledger, 0)
    return ledger


class Paused(Sequence[Step]):
    """Steps that, once the first was written, let others look before the rest is written or refused."""

    def __init__(self, steps: Sequence[Step], look: Callable[[], None], fault: bool) -> None:
        self.steps, self.look, self.fault = steps, look, fault

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, at):  # type: ignore[no-untyped-def]  # both forms of the protocol
        return self.steps[at]

    def __iter__(self) -> Iterator[Step]:
        first, *rest = self.steps
        yield first
        self.look()
        if self.fault:
            raise CutError("after the first step")
        yield from rest


@pytest.mark.parametrize("fault", [False, True], ids=["commits", "rolls back"])
def test_a_transaction_of_a_sync_is_there_whole_or_not_at_all_and_nobody_sees_into_it(
    store: GraphStore, money: Ledger, fault: bool
) -> None:
    """Atomicity C and RB; aborted reads (G1a) and intermediate reads (G1b)."""
    store.sync(money)
    was, seen = (loans(store), versions(store), store.mark), []
    move_money(money, 1)
    next = stage(store.mark, money, Vectors(None))  # type: ignore[arg-type]  # nothing has a vector here
    assert next is not None
    every = next.plan.cut(0, len(next.plan))
    assert len(every) >= 2
    with ThreadPoolExecutor(1) as other:

        def look() -> None:
            asked = other.submit(loans, store)  # an embedded store lets the question wait for its turn
            seen.append(asked)
            if isinstance(store, neo4j.Neo4jStore):
                asked.result(30)

        write = store.write  # type: ignore[attr-defined]  # the writing half, kg.sync.Writer
        steps = Paused(every, look, fault)
        if fault:
            with pytest.raises(CutError):
                write(next.before, steps, next.end)
        else:
            write(next.before, steps, next.end)
        found = seen[0].result(30)
    if fault:
        assert found == was[0]
        assert (loans(store), versions(store), store.mark) == was
        store.sync(money)
    assert found in (was[0], loans(store))
    assert loans(store) == [("lei:a", "lei:b", 9999), ("lei:c", "lei:d", 10001)]
    assert len(versions(store)) > len(was[1])


def test_whoever_adds_up_while_commits_come_in_finds_the_sum_of_one_commit(store: GraphStore, money: Ledger) -> None:
    """Fractured reads (FR), vanishing transactions (OTV): money moves between two loans, their sum never does."""
    store.sync(money)
    done, sums = Event(), list[tuple[int, int]]()

    def add_up() -> None:
        while not done.is_set() or len(sums) < 5:
            sums.append(tuple(rows(store, TOTAL)[0].values()))  # type: ignore[arg-type]  # two columns

    with ThreadPoolExecutor(2) as others:
        readers = [others.submit(add_up) for _ in range(2)]
        try:
            for turn in range(1, 6):
                move_money(money, turn)
                store.sync(money)
        finally:
            done.set()
        for reader in readers:
            reader.result(60)
    assert len(sums) >= 10 and set(sums) == {(2, 20000)}
    assert loans(store) == [("lei:a", "lei:b", 9995), ("lei:c", "lei:d", 10005)]


def test_a_question_at_a_known_time_has_the_same_rows_whatever_is_written_between(
    store: GraphStore, money: Ledger
) -> None:
    """Many preceders of an item (IMP) and of a predicate (PMP): the clocks repeat what transactions alone would not."""
    store.sync(money)
    at = AsOf(known=money.known(2))
    item, predicate = loans(store, at), rows(store, TOTAL, at)
    move_money(money, 5)
    store.sync(money)
    commit(money, *banks("e"), claim(loan("a", "e", "1", "new")))
    store.sync(money)
    assert (loans(store, at), rows(store, TOTAL, at)) == (item, predicate)
    assert len(loans(store)) == 3


def test_of_writers_that_sync_at_once_none_loses_what_another_wrote(
    store: GraphStore, store_url: str, money: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Dirty writes (G0), lost updates (LU), write skew (WS), circular flow (G1c): each write compares the mark."""
    for module in (arcadedb, neo4j):
        monkeypatch.setattr(module, "CHUNK", 2)
    for turn in range(1, 4):
        move_money(money, turn)
    shared = isinstance(store, neo4j.Neo4jStore)
    writers = [store, *(open_store(store_url, tmp_path) for _ in range(2) if shared)]
    refused = 0

    def write(one: GraphStore) -> int:
        told = 0
        while one.mark is None or one.mark.commit < money.head:
            try:
                with Ledger.open(money.folder) as own:
                    one.sync(own)
            except StoreError as error:
                assert "sync again" in str(error) or "deadlock" in str(error).lower(), error
                told += 1
        return told

    with ThreadPoolExecutor(3) as others:
        refused = sum(others.map(write, writers if shared else [store] * 3))
    assert versions(store) == sorted(money.delta(0).opens["version"].to_pylist())
    assert loans(store) == [("lei:a", "lei:b", 9997), ("lei:c", "lei:d", 10003)]
    assert refused >= 0
    for one in writers[1:]:
        one.close()


# ---- the databases themselves: what a tool beside ours meets


@pytest.fixture(params=STORES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Callable[[], Client]]]:
    """Name of a database, and what makes a client of it; it holds one account of each label with balance 0."""
    clients = (
        arcade_clients(_started(tmp_path / "scratch"))
        if request.param == "arcadedb"
        else neo4j_clients(request.getfixturevalue("neo4j_url"))
    )
    with clients as client:
        first = client()
        first.begin()
        for label in ("A", "B"):
            first.run(f"CREATE (n:{label} {{id: 1, balance: 0}})")
        assert first.commit()
        yield request.param, client


def _started(folder: Path) -> Path:
    start(HEAP)
    return folder


@pytest.mark.parametrize("anomaly", ANOMALIES, ids=[f.__name__ for f in ANOMALIES])
def test_each_database_shows_the_anomalies_that_are_told_of_it_and_no_others(
    engine: tuple[str, Callable[[], Client]], anomaly: Anomaly
) -> None:
    name, client = engine
    assert anomaly(client) == (anomaly in ALLOWED[name])
