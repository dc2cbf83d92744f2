"""Evidence paths on a graph small enough to see."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from gnn.explain import Paths, sentence
from kg.model import AsOf
from kg.snapshot import EDGES, FACTS, NODES, Snapshot

DAY = datetime(2022, 1, 1, tzinfo=UTC)


def snapshot(*edges: tuple[str, str, str, str]) -> Snapshot:
    """Edges given as (id, type, source, target)."""
    ids = sorted({end for edge in edges for end in edge[2:]})
    rows = [
        {"id": id, "type": kind, "source": ids.index(a), "target": ids.index(b), "key": "", "published": DAY}
        for id, kind, a, b in edges
    ]
    nodes = pa.table({"id": ids, "label": ["Company"] * len(ids)}, schema=NODES)
    return Snapshot(nodes, pa.Table.from_pylist(rows, schema=EDGES), FACTS.empty_table(), AsOf(DAY, DAY, DAY), 1)


def test_a_direct_edge_comes_first_then_paths_around_the_least_crowded_nodes() -> None:
    crowd = [(f"c{n}", "LENDS_TO", "hub", f"z{n}") for n in range(20)]
    own = snapshot(
        ("e1", "OWNS", "a", "b"), ("e2", "SUPPLIES", "a", "quiet"), ("e3", "SUPPLIES", "quiet", "b"),
        ("e4", "LENDS_TO", "hub", "a"), ("e5", "LENDS_TO", "hub", "b"), *crowd,
    )  # fmt: skip
    found = Paths(own).between("a", "b")
    assert [path.edges for path in found] == [("e1",), ("e2", "e3"), ("e4", "e5")]
    assert found[0].weight == 1.0 > found[1].weight > found[2].weight


def test_three_hops_are_found_and_four_are_not() -> None:
    chain = [("e1", "OWNS", "a", "b"), ("e2", "OWNS", "c", "b"), ("e3", "OWNS", "c", "d"), ("e4", "OWNS", "d", "e")]
    paths = Paths(snapshot(*chain))
    assert [path.edges for path in paths.between("a", "d")] == [("e1", "e2", "e3")]
    assert paths.between("a", "e") == []


def test_paths_do_not_visit_a_node_twice() -> None:
    own = snapshot(
        ("e1", "OWNS", "a", "b"), ("e2", "OWNS", "a", "c"), ("e3", "OWNS", "c", "b"), ("e4", "OWNS", "b", "d")
    )
    for path in Paths(own).between("a", "b"):
        assert len(set(path.nodes)) == len(path.nodes)


def test_predicted_edges_are_no_evidence() -> None:
    own = snapshot(("e1", "PREDICTED", "a", "b"), ("e2", "OWNS", "a", "c"))
    assert Paths(own).between("a", "b") == []


def test_a_path_is_told_with_the_direction_of_each_edge() -> None:
    own = snapshot(("e1", "LENDS_TO", "bank", "firm"), ("e2", "SUPPLIES", "other", "firm"))
    (path,) = Paths(own).between("bank", "other")
    assert sentence(own, path) == "bank -LENDS_TO-> firm <-SUPPLIES- other"


@pytest.mark.parametrize("count", [1, 2])
def test_no_more_paths_than_asked_for(count: int) -> None:
    edges = [(f"x{n}", "OWNS", "a", f"m{n}") for n in range(4)] + [(f"y{n}", "OWNS", f"m{n}", "b") for n in range(4)]
    assert [path.edges for path in Paths(snapshot(*edges)).between("a", "b", count)] == [("x0", "y0"), ("x1", "y1")][
        :count
    ]
