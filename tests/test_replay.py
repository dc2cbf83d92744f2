"""After 1,000 random operations views, increments and both stores answer as a brute-force replay of the log does.

One file, as the world of all of them takes a minute to grow.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from kg.ledger import Ledger
from kg.model import AsOf, iso
from kg.ontology import EDGES, HAS
from kg.store import GraphStore, open_store
from tests.increments import full, made_from
from tests.operations import Growth, World, grow, instants
from tests.replay import Answer, answer_of, canonical, replay
from tests.store_world import versions

pytestmark = pytest.mark.slow

CLOCKED = """r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known
AND r.published <= $published AND r.published_to > $published"""
ENDS = f"MATCH (n:Entity)-[r:{{types}}]->(m:Entity) WHERE {CLOCKED} RETURN "
EDGES_OF = ENDS + (
    "r.id AS id, type(r) AS kind, n.id AS source, n.label AS source_label, m.id AS target, m.label AS target_label, "
    "r.key AS part, r.amount_minor AS minor, r.currency AS currency, r.share AS share, r.count AS n_count, "
    "r.statement AS statement ORDER BY id, statement"
)
FACTS_OF = (
    f"MATCH (n:Entity)-[r:{{types}}]->(f) WHERE {CLOCKED} RETURN n.id AS id, r.property AS property, r.key AS part, "
    "f.text AS text, f.number AS number, f.amount_minor AS minor, r.statement AS statement ORDER BY id, statement"
)
USED = [e for e in EDGES if e in ("LENDS_TO", "OWNS", "PAID")]


@pytest.fixture(scope="module")
def growth(tmp_path_factory: pytest.TempPathFactory) -> Growth:
    return grow(tmp_path_factory.mktemp("growth"))


@pytest.fixture(scope="module")
def world(growth: Growth) -> World:
    return growth.world


@pytest.fixture(scope="module")
def synced(module_store: GraphStore, growth: Growth) -> tuple[World, GraphStore]:
    """The world and a store that was synced several times while it grew."""
    for stage in growth.stages:
        with Ledger.open(stage) as ledger:
            assert module_store.sync(ledger).to_commit == ledger.head
    return growth.world, module_store


def test_the_snapshot_equals_a_replay_at_200_random_instants(world: World) -> None:
    events = world.ledger.events().to_pylist()
    seen = 0
    for valid, known, published in instants(world.ledger, 200, seed=1):
        expected = replay(events, valid, known, published)
        actual = answer_of(world.ledger.view(AsOf(valid, known, published)))
        assert actual.edges == expected.edges
        assert actual.facts == expected.facts
        assert actual.nodes == expected.nodes
        seen += len(expected.edges)
    assert seen > 2000


def test_the_operations_did_merge_unmerge_and_conflict(world: World) -> None:
    events = world.ledger.events().to_pylist()
    assert sum(e["kind"] == "same" and e["op"] == "assert" for e in events) > 50
    assert sum(e["kind"] == "same" and e["op"] == "retract" for e in events) > 20
    assert sum(e["kind"] == "same_edge" and e["op"] == "assert" for e in events) > 10
    assert sum(e["kind"] == "same_edge" and e["op"] == "retract" for e in events) > 1
    assert sum(e["kind"] == "not_same_edge" for e in events) > 2
    assert sum(e["locator"].startswith("row:end") for e in events) > 5
    opens = world.ledger.delta(0).opens
    assert sum(c > 0 for c in opens["conflict"].to_pylist()) > 50


def test_previews_foretold_what_came_and_pairs_were_parted_that_third_ids_joined(world: World) -> None:
    assert world.foretold >= 5 and len(world.parted) >= 3
    rows = world.ledger.alive().to_pylist()
    canon = canonical(rows)
    apart = [(r["subject"], r["object"]) for r in rows if r["kind"] == "not_same"]
    joined = nx.Graph((r["subject"], r["object"]) for r in rows if r["kind"] == "same")
    assert all(canon.get(a, a) != canon.get(b, b) for a, b in apart)
    assert any(a in joined and b in joined and nx.has_path(joined, a, b) for a, b in apart)


def test_versions_filtered_by_the_clocks_equal_the_snapshot(world: World) -> None:
    opens = world.ledger.delta(0).opens.to_pylist()
    for valid, known, published in instants(world.ledger, 50, seed=2):
        visible = {
            (v["id"], v["statement"])
            for v in opens
            if v["valid_from"] <= valid < v["valid_to"]
            and v["known_from"] <= known < v["known_to"]
            and v["published"] <= published < v["published_to"]
            and not v["type"].startswith("HAS_")
        }
        edges = world.ledger.view(AsOf(valid, known, published)).edges
        assert visible == set(zip(edges["id"].to_pylist(), edges["statement"].to_pylist(), strict=True))


def test_increments_add_up_to_a_full_projection(world: World) -> None:
    full = {v["version"]: v for v in world.ledger.delta(0).opens.to_pylist()}
    built: dict[str, dict[str, object]] = {}
    start = 0
    while start < world.ledger.head:
        end = min(start + 7, world.ledger.head)
        delta = world.ledger.delta(start, end)
        for version in delta.opens.to_pylist():
            assert version["version"] not in built
            built[version["version"]] = version
        for close in delta.closes.to_pylist():
            built[close["version"]] |= {"known_to": close["known_to"]}
        start = end
    assert built == full


def test_increments_between_random_instants_equal_full_builds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "kg.increment.SHARE", 1e9
    )  # a small graph changes by more than from which a full build is less work
    ledger, count = world.ledger, 0
    found = sorted((full(ledger, AsOf(*at)) for at in instants(ledger, 24, seed=11)), key=lambda one: one.commit)
    for base, wanted in zip(found, [*found[3:], *found[-3:]], strict=True):
        count += made_from(ledger, base, wanted) is not None
    assert count >= 20
    assert sum(len(one.edges) for one in found) > 300


def rows(store: GraphStore, text: str, types: list[str], at: AsOf) -> list[dict[str, Any]]:
    return store.query(text.format(types="|".join(types)), {}, at, limit=100_000).to_pylist()  # type: ignore[no-any-return]


def minor(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount * 100)


def same_edges(answered: list[dict[str, Any]], expected: Answer) -> None:
    labels = dict(expected.nodes)
    wanted = {
        (
            id,
            kind,
            source,
            labels[source],
            target,
            labels[target],
            key,
            minor(money),
            unit if money is not None else None,
            real,
            whole,
            said,
        )
        for id, kind, source, target, key, _, whole, real, money, _, unit, said in expected.edges
    }
    assert {tuple(r.values()) for r in answered} == wanted
    assert len(answered) == len(wanted)


def same_facts(answered: list[dict[str, Any]], expected: Answer) -> None:
    found = {
        (r["id"], r["property"], r["part"], r["text"], r["number"], r["minor"], r["statement"])
        for r in answered
        if r["property"] != "label"
    }
    wanted = {
        (id, name, key, text, real, minor(money), said)
        for id, name, key, text, _, real, money, _, _, said in expected.facts
    }
    assert found == wanted
    assert {r["id"] for r in answered if r["property"] == "label"} == expected.exist


def test_the_store_equals_a_replay_at_200_random_instants(synced: tuple[World, GraphStore]) -> None:
    grown, store = synced
    events = grown.ledger.events().to_pylist()
    seen = 0
    for valid, known, published in instants(grown.ledger, 200, seed=1):
        expected = replay(events, valid, known, published)
        at = AsOf(valid, known, published)
        same_edges(rows(store, EDGES_OF, USED, at), expected)
        same_facts(rows(store, FACTS_OF, list(HAS.values()), at), expected)
        seen += len(expected.edges) + len(expected.facts)
    assert seen > 5000


def test_a_pair_parted_while_third_ids_joined_it_is_two_on_the_store(synced: tuple[World, GraphStore]) -> None:
    grown, store = synced
    rows_ = grown.ledger.alive().to_pylist()
    canon = canonical(rows_)
    apart = [(r["subject"], r["object"]) for r in rows_ if r["kind"] == "not_same"]
    text = f"MATCH (n:Entity)-[r:HAS_NAME]->(f) WHERE {CLOCKED} RETURN DISTINCT n.id AS id"
    shown = {r["id"] for r in store.query(text, {}, AsOf(), limit=10_000).to_pylist()}
    merged = {id for id, called in canon.items() if id != called}
    assert len(apart) > 3 and not shown & merged
    assert all(canon.get(a, a) != canon.get(b, b) for a, b in apart)


def test_increments_and_a_rebuild_give_one_graph(synced: tuple[World, GraphStore]) -> None:
    grown, store = synced
    before, hashed = versions(store), store.graph_hash()
    assert before == sorted(grown.ledger.delta(0).opens["version"].to_pylist())
    assert store.rebuild(grown.ledger).opened == len(before)
    assert (versions(store), store.graph_hash()) == (before, hashed)


def test_all_stores_hash_alike(synced: tuple[World, GraphStore], tmp_path: Path) -> None:
    grown, store = synced
    other = open_store(f"arcadedb://{tmp_path}/other", tmp_path)
    other.sync(grown.ledger)
    assert other.graph_hash() == store.graph_hash()
    other.close()


def test_the_default_instant_is_the_last_complete_commit(synced: tuple[World, GraphStore]) -> None:
    grown, store = synced
    mark = store.mark
    assert mark is not None and mark.commit == grown.ledger.head
    (row,) = store.query("RETURN $known AS known, $valid AS valid", {}).to_pylist()
    assert row == {
        "known": iso(grown.ledger.known(grown.ledger.head)),
        "valid": iso(grown.ledger.known(grown.ledger.head)),
    }
