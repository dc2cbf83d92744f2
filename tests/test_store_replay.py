"""Both stores, synced as the ledger grew, answer as the brute-force replay does after 1,000 random operations."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kg.ledger import Ledger
from kg.model import AsOf, iso
from kg.ontology import EDGES, HAS
from kg.store import GraphStore, open_store
from tests.operations import Growth, World, instants
from tests.replay import Answer, canonical, replay
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
def world(module_store: GraphStore, growth: Growth) -> tuple[World, GraphStore]:
    """A world whose store was synced several times while it grew."""
    for stage in growth.stages:
        with Ledger.open(stage) as ledger:
            assert module_store.sync(ledger).to_commit == ledger.head
    return growth.world, module_store


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


def test_the_store_equals_a_replay_at_200_random_instants(world: tuple[World, GraphStore]) -> None:
    grown, store = world
    events = grown.ledger.events().to_pylist()
    seen = 0
    for valid, known, published in instants(grown.ledger, 200, seed=1):
        expected = replay(events, valid, known, published)
        at = AsOf(valid, known, published)
        same_edges(rows(store, EDGES_OF, USED, at), expected)
        same_facts(rows(store, FACTS_OF, list(HAS.values()), at), expected)
        seen += len(expected.edges) + len(expected.facts)
    assert seen > 5000


def test_a_pair_parted_while_third_ids_joined_it_is_two_on_the_store(world: tuple[World, GraphStore]) -> None:
    grown, store = world
    rows_ = grown.ledger.alive().to_pylist()
    canon = canonical(rows_)
    apart = [(r["subject"], r["object"]) for r in rows_ if r["kind"] == "not_same"]
    text = f"MATCH (n:Entity)-[r:HAS_NAME]->(f) WHERE {CLOCKED} RETURN DISTINCT n.id AS id"
    shown = {r["id"] for r in store.query(text, {}, AsOf(), limit=10_000).to_pylist()}
    merged = {id for id, called in canon.items() if id != called}
    assert len(apart) > 3 and not shown & merged
    assert all(canon.get(a, a) != canon.get(b, b) for a, b in apart)


def test_increments_and_a_rebuild_give_one_graph(world: tuple[World, GraphStore]) -> None:
    grown, store = world
    before, hashed = versions(store), store.graph_hash()
    assert before == sorted(grown.ledger.delta(0).opens["version"].to_pylist())
    assert store.rebuild(grown.ledger).opened == len(before)
    assert (versions(store), store.graph_hash()) == (before, hashed)


def test_all_stores_hash_alike(world: tuple[World, GraphStore], tmp_path: Path) -> None:
    grown, store = world
    other = open_store(f"arcadedb://{tmp_path}/other", tmp_path)
    other.sync(grown.ledger)
    assert other.graph_hash() == store.graph_hash()
    other.close()


def test_the_default_instant_is_the_last_complete_commit(world: tuple[World, GraphStore]) -> None:
    grown, store = world
    mark = store.mark
    assert mark is not None and mark.commit == grown.ledger.head
    (row,) = store.query("RETURN $known AS known, $valid AS valid", {}).to_pylist()
    assert row == {
        "known": iso(grown.ledger.known(grown.ledger.head)),
        "valid": iso(grown.ledger.known(grown.ledger.head)),
    }
