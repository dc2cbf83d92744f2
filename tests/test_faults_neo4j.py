"""Neo4j is killed in the middle of a sync, again and again: the next sync repairs, nothing is lost, nothing doubled.

Two kills in every run of the tests, ten where KGRISK_KILLS asks for a hundred or more (`make soak`). The seed is
printed. A kill of the process is no power cut: what the operating system held is still written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from threading import Timer

import pytest

from kg.errors import StoreError
from kg.ledger import Ledger
from kg.model import AsOf
from kg.rows import Step
from kg.store import GraphStore, Watermark, open_store
from kg.stores.neo4j import Neo4jStore
from kg.sync import synchronise
from kg.vectors import Vectors
from kgrisk.neo4j_local import LocalNeo4j
from tests.kgrisk_world import BIG, kgrisk_here, write_registers
from tests.neo4j_server import NoNeo4jError, kill, own_jars, required, restart, wipe
from tests.store_world import banks, claim, commit, loan, loans, versions

pytestmark = [pytest.mark.neo4j, pytest.mark.slow, pytest.mark.faults]
KILLS = 10 if int(os.environ.get("KGRISK_KILLS") or 20) >= 100 else 2
SEED = int(os.environ.get("KGRISK_FAULT_SEED") or 11)
CHUNK = 25
"""Rows of one transaction: a sync of the world below takes about thirty."""
FIRMS = [f"n{i:02d}" for i in range(60)]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalNeo4j]:
    """A server of this module alone, which it may kill."""
    try:
        lib = own_jars()
    except NoNeo4jError as error:
        if required():
            raise
        pytest.skip(str(error))
    with LocalNeo4j.start(lib) as made:
        yield made


@pytest.fixture
def store(server: LocalNeo4j, tmp_path: Path) -> Iterator[GraphStore]:
    """An empty store on that server; it stays open through every kill."""
    if server.process.poll() is not None:
        restart(server)
    wipe(server.url)
    store = open_store(server.url, tmp_path)
    yield store
    store.close()


def lend(ledger: Ledger) -> None:
    """Two commits: banks and their loans; then half of the loans taken back and others told instead."""
    edges = [loan(a, b, str(i + 1)) for i, (a, b) in enumerate(zip(FIRMS, [*FIRMS[1:], FIRMS[0]], strict=True))]
    edges += [loan(a, FIRMS[0], "5", "second") for a in FIRMS[1:]]
    commit(ledger, *banks(*FIRMS), *map(claim, edges))


def lend_anew(ledger: Ledger) -> None:
    gone = [c for c, k in zip(*ledger.view().edges.select(["claim", "key"]).to_pydict().values(), strict=True) if k]
    commit(ledger, *(claim(loan(a, FIRMS[7], "9", "late")) for a in FIRMS[8:]), retract=sorted(gone)[:60])


class Struck(Sequence[Step]):
    """Steps of one transaction that strike once so many of them were handed out, before what follows is sent."""

    def __init__(self, steps: Sequence[Step], after: int, strike: Callable[[], object]) -> None:
        self.steps, self.after, self.strike = steps, after, strike

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, at):  # type: ignore[no-untyped-def]  # both forms of the protocol
        return self.steps[at]

    def __iter__(self) -> Iterator[Step]:
        for number, step in enumerate(self.steps):
            if number == self.after:
                self.strike()
            yield step
        if self.after >= len(self.steps):
            self.strike()


class Killing:
    """The writing half of a store, whose server is killed in its n-th transaction; keeps what was acknowledged."""

    def __init__(self, store: Neo4jStore, server: LocalNeo4j, at: int, where: str, random: Random) -> None:
        self.store, self.server, self.at, self.where, self.random = store, server, at, where, random
        self.calls = 0
        self.acknowledged: Watermark | None = None
        self.timer: Timer | None = None

    @property
    def mark(self) -> Watermark | None:
        return self.store.mark

    def write(self, before: Watermark | None, steps: Sequence[Step], after: Watermark) -> None:
        self.calls += 1
        if self.calls == self.at:
            if self.where == "before":
                kill(self.server)
            else:
                rows_sent = self.random.randint(0, len(steps) - 1) if self.where == "inside" else len(steps)
                steps = Struck(steps, rows_sent, self.strike)
        self.store.write(before, steps, after)
        self.acknowledged = after

    def strike(self) -> None:
        if self.where == "inside":
            kill(self.server)
        else:  # about when the server is asked to commit: before, in it, or just after
            self.timer = Timer(self.random.uniform(0, 0.03), self.server.process.kill)
            self.timer.start()

    def settled(self) -> None:
        """Wait until the server is gone."""
        if self.timer is not None:
            self.timer.join()
        self.server.process.wait(30)


def undisturbed(ledger: Ledger, home: Path, marks: int) -> tuple[str, list[str], list[tuple[str, str, int]]]:
    """Hash, versions and loans of a store that nothing happened to, after so many commits: the embedded one."""
    store = open_store(f"arcadedb://{home}/calm?heap=1g", home)
    store.sync(ledger)
    assert store.mark is not None and store.mark.commit == marks
    found = store.graph_hash(), versions(store), loans(store)
    store.close()
    return found


def test_kills_in_the_middle_of_a_sync_lose_and_double_nothing(
    server: LocalNeo4j, store: Neo4jStore, ledger: Ledger, tmp_path: Path
) -> None:
    random = Random(SEED)
    print(f"seed {SEED}, {KILLS} kills")
    lend(ledger)
    done = survive(server, store, ledger, random, KILLS // 2)
    store.sync(ledger)
    first = loans(store)
    lend_anew(ledger)
    done += survive(server, store, ledger, random, KILLS - KILLS // 2)
    if store.mark is not None and store.mark.commit == 1:
        assert loans(store) == first  # half of the second commit is there, and none of it is seen
    store.sync(ledger)
    assert done == KILLS
    hashed, expected, lent = undisturbed(ledger, tmp_path, marks=2)
    assert store.graph_hash() == hashed
    assert versions(store) == expected and len(set(expected)) == len(expected)
    assert loans(store) == lent
    assert loans(store, AsOf(known=ledger.known(1))) == first
    assert store.sync(ledger).opened == 0


def survive(server: LocalNeo4j, store: Neo4jStore, ledger: Ledger, random: Random, kills: int) -> int:
    """So many syncs, each broken off by a kill and each going on where the last acknowledged transaction was."""
    for number in range(kills):
        where = ("inside", "commit", "before")[(number + random.randint(0, 2)) % 3]
        writer = Killing(store, server, random.randint(1, 4), where, random)
        was = store.mark
        try:
            synchronise(writer, ledger, Vectors(store._vectors._files), CHUNK, lambda _: None)
        except StoreError as error:
            assert "start" in str(error), error
        writer.settled()
        with pytest.raises(StoreError, match="start it"):
            assert store.mark
        restart(server)
        now = store.mark
        assert reached(now) >= reached(writer.acknowledged or was), (where, writer.acknowledged, now)
        counts = versions(store)
        assert len(counts) == len(set(counts)), f"doubled after {where}"
    return kills


def reached(mark: Watermark | None) -> tuple[int, int, int]:
    """How far a store has come, to compare: complete commit, commit on the way, rows of it."""
    return (mark.commit, mark.target, mark.offset) if mark else (0, 0, 0)


def test_what_needs_no_store_goes_on_while_neo4j_is_down_and_the_rest_says_what_to_do(
    server: LocalNeo4j, tmp_path: Path
) -> None:
    if server.process.poll() is not None:
        restart(server)
    wipe(server.url)
    write_registers(tmp_path / "in")
    there = {"KGRISK_STORE": server.url}

    def run(*words: str) -> tuple[int, str, str]:
        done = kgrisk_here(*words, "--home", "home", cwd=tmp_path, **there)
        return done.returncode, done.stdout, done.stderr

    def down() -> None:
        for words in (("ingest", "in"), ("export", "out"), ("explain", f"equity:{BIG}"), ("resolve",)):
            code, _, said = run(*words)
            assert code == 0, (words, said)
        code, _, said = run("query", "hit_if_fails", f"id={BIG}")
        assert code == 1 and "no Neo4j answers" in said and "start it" in said
        assert server.password not in said

    kill(server)
    down()  # at the start: nothing was ever written
    restart(server)
    code, rows, said = run("query", "hit_if_fails", f"id={BIG}", "--json")
    assert code == 0 and rows.count("creditor") >= 1, said
    kill(server)
    down()  # in between
    restart(server)
    assert run("query", "hit_if_fails", f"id={BIG}", "--json")[:2] == (0, rows)
