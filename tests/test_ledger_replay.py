"""After 1,000 random operations every view equals a brute-force replay of the log, node ids included."""

import networkx as nx
import pytest

from kg.model import AsOf
from tests.operations import Growth, World, instants
from tests.replay import answer_of, canonical, replay

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(growth: Growth) -> World:
    return growth.world


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
