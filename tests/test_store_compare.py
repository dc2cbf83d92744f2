"""What a store says is held against its ledger: whatever row differs is named, and nothing else is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from arcadedb_embedded import open_database
from neo4j import GraphDatabase

from kg.compare import Comparison, compare
from kg.errors import ForeignLedgerError, StoreError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import Facts
from kg.rows import plan
from kg.store import GraphStore, open_store
from kg.stores import arcadedb, neo4j
from kg.vectors import Vectors, address, put_vectors
from kgrisk.settings import embedded
from tests.kgrisk_world import kgrisk_here, write_registers
from tests.operations import Ticking, World
from tests.store_world import START, Cut, CutError, banks, claim, commit

Names = dict[str, list[str]]


def grow(home: Path) -> list[Path]:
    """A ledger at stages of its growth: merges, retractions, corrections, another name, vectors in `home`."""
    stages: list[Path] = []

    def kept(ledger: Ledger) -> None:
        stages.append(home / f"stage-{len(stages)}" / "ledger")
        shutil.copytree(ledger.folder, stages[-1])

    world = World(Ledger.open(home / "ledger", clock=Ticking()), seed=7, entities=12)
    world.start()
    for part in (20, 60):
        world.run(part)
        kept(world.ledger)
    vectors = put_vectors(Files(home / "files"), np.random.default_rng(3).normal(size=(5, 8)).astype(np.float32))
    said = [claim(Facts(f"lei:{n}", {"embedding": address(vectors, i)}, key="gnn")) for i, n in enumerate("abcde")]
    commit(world.ledger, *banks(*"abcde"), *said)
    kept(world.ledger)
    renamed = claim(Facts("lei:a", {"name": "Another name, in Zürich: 銀行"}), START)
    commit(world.ledger, renamed, retract=world.ledger.view().edges["claim"].to_pylist()[:3])
    kept(world.ledger)
    world.ledger.close()
    return stages


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a ledger that has grown."""
    home = tmp_path_factory.mktemp("grown")
    grow(home)
    return home


def compared(store: GraphStore, ledger: Ledger, home: Path) -> Comparison:
    return compare(store, ledger, Vectors(Files(home / "files")))


def names(told: Comparison) -> Names:
    """What a comparison names, by the label or type, of every way it was read."""
    found: Names = {}
    for one in told.wrong:
        found.setdefault(one.name, []).extend(one.examples)
    return found


@pytest.fixture
def filled(store_url: str, home: Path) -> Iterator[tuple[Ledger, str]]:
    """The ledger, and the URL of a store that holds all of it and is closed now."""
    with Ledger.open(home / "stage-3" / "ledger") as ledger:
        store = open_store(store_url, home)
        store.sync(ledger)
        store.close()
        yield ledger, store_url


def edit(url: str, *texts: str) -> None:
    """What somebody does to a store past us."""
    parts = urlsplit(url)
    if parts.scheme == "arcadedb":
        db = open_database(f"{unquote(parts.path)}/databases/graph")
        for text in texts:
            with db.transaction():
                db.command("opencypher", text)
        db.close()
        return
    auth = unquote(parts.username or ""), unquote(parts.password or "")
    with GraphDatabase.driver(f"{parts.scheme}://{parts.hostname}:{parts.port}", auth=auth) as driver:
        for text in texts:
            driver.execute_query(text, database_=parts.path.strip("/") or "neo4j")


def test_a_store_that_followed_many_commits_and_one_made_at_once_are_as_the_ledger_says(
    store_url: str, home: Path
) -> None:
    store = open_store(store_url, home)
    for number in range(4):
        with Ledger.open(home / f"stage-{number}" / "ledger") as ledger:
            store.sync(ledger)
            told = compared(store, ledger, home)
            assert (names(told), told.commit) == ({}, ledger.head)
    assert {one.way for one in told.readings} == {"", "as a whole", "by id", "from its targets"}
    with Ledger.open(home / "stage-3" / "ledger") as ledger:
        assert told.rows == len(plan(ledger.delta(0), Vectors(Files(home / "files")))) > 250
        store.rebuild(ledger)
        assert compared(store, ledger, home) == told
    store.close()


def test_a_store_behind_its_ledger_is_compared_at_its_own_commit(store: GraphStore, ledger: Ledger) -> None:
    commit(ledger, *banks("a", "b"))
    store.sync(ledger)
    gone = ledger.alive()["claim"].to_pylist()[:1]
    commit(ledger, *banks("c"), retract=gone)
    told = compared(store, ledger, ledger.folder.parent)
    assert (names(told), told.commit, told.rows) == ({}, 1, 10)


def test_a_sync_that_was_broken_off_is_no_difference(
    store: GraphStore, ring: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.sync(ring)
    commit(ring, *banks("late"), retract=ring.view().edges["claim"].to_pylist()[:6])
    for module in (arcadedb, neo4j):
        monkeypatch.setattr(module, "CHUNK", 4)
    with pytest.raises(CutError):
        store.sync(ring, Cut(4))
    mark = store.mark
    assert mark is not None and mark.commit == 1 and mark.target == 2 and mark.offset == 8
    assert names(compared(store, ring, tmp_path)) == {}
    store.sync(ring)
    assert names(compared(store, ring, tmp_path)) == {}


def test_an_empty_store_holds_what_an_empty_ledger_gives(store: GraphStore, ledger: Ledger, tmp_path: Path) -> None:
    told = compared(store, ledger, tmp_path)
    assert (told.rows, told.commit, told.wrong) == (0, 0, [])


ONE = "MATCH (a:Entity)-[r:{type} {{version: '{version}'}}]->(b)"
EDITS = {
    "LENDS_TO": ("changed", ONE + " SET r.amount_minor = r.amount_minor + 1"),
    "OWNS": ("changed", ONE + " SET r.published_to = '2031-01-01T00:00:00.000000Z'"),
    "PAID": ("missing", ONE + " DELETE r"),
    "HAS_FACT": ("changed", ONE + " SET r.quote = 'as somebody else said'"),
    "HAS_NAME": ("changed", ONE + " REMOVE r.confidence"),
    "HAS_SCORE": ("changed", ONE + " SET r.note = 'by hand'"),
    "HAS_EMBEDDING": (
        "changed",
        ONE + " MATCH (c:Company) WITH r, b, c, properties(r) AS had LIMIT 1 DELETE r "
        "CREATE (c)-[s:{type}]->(b) SET s = had",
    ),
}
"""What is done to one relationship of each type, and what the comparison says of it."""


def test_one_relationship_of_each_type_that_was_edited_is_named_and_no_other(
    filled: tuple[Ledger, str], home: Path
) -> None:
    ledger, url = filled
    opens = ledger.delta(0).opens.select(["type", "id", "version"]).to_pylist()
    edited = {type: [row for row in opens if row["type"] == type][2] for type in EDITS}
    texts = [EDITS[type][1].format(type=type, version=row["version"]) for type, row in edited.items()]
    edit(url, *texts)
    assert named(url, ledger, home) == {
        type: [f"{EDITS[type][0]} {row['id']} {row['version']}"] for type, row in edited.items()
    }


def test_what_was_added_or_changed_in_a_node_is_named(filled: tuple[Ledger, str], home: Path) -> None:
    ledger, url = filled
    opens = ledger.delta(0).opens.select(["type", "target"]).to_pylist()
    vector, name = ([row["target"] for row in opens if row["type"] == has][1] for has in ("HAS_EMBEDDING", "HAS_NAME"))
    labels = "Fund" if url.startswith("arcadedb") else "Entity:Fund"
    ends = "MATCH (a:Bank {id: 'lei:a'}) MATCH (b:Bank {id: 'lei:b'})"
    edit(
        url,
        f"{ends} CREATE (a)-[:ISSUED {{id: 'o', version: 'v'}}]->(b)",
        f"CREATE (n:{labels} {{id: 'lei:new', label: 'Fund'}})",
        f"MATCH (e:Embedding {{id: '{vector}'}}) SET e.vector = [0.5, 1, 2, 3, 4, 5, 6, 7]",
        f"MATCH (n:Name {{id: '{name}'}}) SET n.text = n.text + ' AG'",
    )
    assert {label: set(rows) for label, rows in named(url, ledger, home).items()} == {
        "Fund": {"extra lei:new"},
        "Entity": {"extra lei:new"},
        "ISSUED": {"extra o v"},
        "Embedding": {f"changed {vector}"},
        "Name": {f"changed {name}"},
    }


def test_a_store_that_was_set_to_another_commit_or_ledger_is_refused(filled: tuple[Ledger, str], home: Path) -> None:
    ledger, url = filled
    edit(url, "MATCH (l:Ledger {id: 'main'}) SET l.known = '2020-01-01T00:00:00.000000Z'")
    with pytest.raises(StoreError, match=f"commit {ledger.head} was known at 2020-01-01.*, the ledger at 20"):
        named(url, ledger, home)
    edit(url, "MATCH (l:Ledger {id: 'main'}) SET l.commit = 99, l.target = 99")
    with pytest.raises(StoreError, match=f"99.*the ledger ends at commit {ledger.head}"):
        named(url, ledger, home)
    edit(url, "MATCH (l:Ledger {id: 'main'}) SET l.ledger = 'another'")
    with pytest.raises(ForeignLedgerError):
        named(url, ledger, home)


def named(url: str, ledger: Ledger, home: Path) -> Names:
    store = open_store(url, home)
    try:
        return names(compared(store, ledger, home))
    finally:
        store.close()


# ---- the command


def test_the_doctor_compares_when_asked_and_ends_with_1_where_a_row_differs(tmp_path: Path) -> None:
    home = tmp_path / "home"
    kgrisk_here("ingest", write_registers(tmp_path / "in"), "--home", home, cwd=tmp_path)
    kgrisk_here("query", "hit_if_fails", "id=lei:9KGR00R7ZH626RFHJZ38", "--home", home, cwd=tmp_path)
    calm = doctor(home, "--compare")
    assert [*calm] == [*doctor(home), "rows"]
    assert calm["rows"][0] == "ok" and "rows as the ledger has them at commit 1" in calm["rows"][1]
    edit(embedded(home / "store"), "MATCH ()-[r:LENDS_TO]->() SET r.amount_minor = 1")
    told = doctor(home, "--compare", code=1)
    assert told["rows"][0] == "fail" and "LENDS_TO: 2 changed (changed " in told["rows"][1]
    assert told["rows"][2] == f"delete {home / 'store'}; the next question fills it from the ledger"
    assert doctor(home)["store"][0] == "ok", "who does not ask for it is told nothing of rows"
    shutil.rmtree(home / "store")
    kgrisk_here("query", "hit_if_fails", "id=lei:9KGR00R7ZH626RFHJZ38", "--home", home, cwd=tmp_path)
    assert doctor(home, "--compare")["rows"] == calm["rows"]


def doctor(home: Path, *options: str, code: int = 0) -> dict[str, tuple[str, str, str]]:
    """State, detail and remedy of each check."""
    done = kgrisk_here("doctor", *options, "--home", home, "--json", cwd=home.parent)
    assert done.returncode == code, done.stdout + done.stderr
    return {row["check"]: (row["state"], row["detail"], row["remedy"]) for row in json.loads(done.stdout)}


@pytest.mark.neo4j
def test_the_remedy_for_a_neo4j_mends_it(neo4j_url: str, ring: Ledger, tmp_path: Path) -> None:
    store = open_store(neo4j_url, tmp_path)
    store.sync(ring)
    edit(neo4j_url, "MATCH ()-[r:LENDS_TO]->() DELETE r")
    assert [one.missing for one in compared(store, ring, tmp_path).wrong] == [12]
    store.rebuild(ring)
    assert compared(store, ring, tmp_path).wrong == []
    store.close()
