"""Every store gives the same, right answers: against a replay of the log, hand-made cases and networkx."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import networkx as nx
import numpy as np

from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, Edge, Facts, Judgement, Node, iso
from kg.rows import minor_digits
from kg.store import CLOCK_TEXT, GraphStore, open_store, truncated
from kg.vectors import address, put_vectors
from tests.store_world import DAY, START, banks, claim, commit, loan, loans, rows


def test_each_clock_opens_and_closes_a_loan(store: GraphStore, ledger: Ledger) -> None:
    commit(ledger, *banks("a", "b"))
    commit(ledger, claim(loan("a", "b", "5"), START + 10 * DAY, valid_from=START, valid_to=START + 100 * DAY))
    commit(ledger, retract=ledger.view(AsOf(START + DAY)).edges["claim"].to_pylist())
    store.sync(ledger)
    known, there = ledger.known(2), [("lei:a", "lei:b", 500)]
    assert loans(store, AsOf(START + DAY, known, START + 10 * DAY)) == there
    assert loans(store, AsOf(START - DAY, known)) == []
    assert loans(store, AsOf(START + 100 * DAY, known)) == []
    assert loans(store, AsOf(START + DAY, known, START + 9 * DAY)) == []
    assert loans(store, AsOf(START + DAY, ledger.known(1))) == []
    assert loans(store, AsOf(START + DAY)) == []


def test_a_restatement_leaves_the_original_as_it_was_published(store: GraphStore, ledger: Ledger) -> None:
    commit(ledger, *banks("a", "b"), claim(loan("a", "b", "5"), START), claim(loan("a", "b", "7"), START + 50 * DAY))
    store.sync(ledger)
    assert loans(store, AsOf(published=START + DAY)) == [("lei:a", "lei:b", 500)]
    assert loans(store) == [("lei:a", "lei:b", 700)]


def test_a_merge_moves_edges_and_the_past_keeps_the_old_ids(store: GraphStore, ledger: Ledger) -> None:
    name = claim(Node("Bank", "name:a plc"))
    edge = claim(Edge("LENDS_TO", "name:a plc", "lei:b", {"amount": Decimal(5), "currency": "EUR"}, "f"))
    commit(ledger, *banks("a", "b"), name, edge)
    commit(ledger, claim(Judgement("name:a plc", "lei:a")))
    store.sync(ledger)
    assert loans(store) == [("lei:a", "lei:b", 500)]
    assert loans(store, AsOf(known=ledger.known(1))) == [("name:a plc", "lei:b", 500)]
    scan = f"""MATCH (n:Bank)-[r:HAS_FACT {{property: 'label'}}]->(f) WHERE {CLOCK_TEXT}
      RETURN n.id AS id, f.text AS t ORDER BY id"""
    assert [r["id"] for r in rows(store, scan)] == ["lei:a", "lei:b"]
    assert [r["id"] for r in rows(store, scan, AsOf(known=ledger.known(1)))] == ["lei:a", "lei:b", "name:a plc"]
    assert {r["t"] for r in rows(store, scan)} == {"Bank"}


def test_money_is_exact_in_minor_units_of_its_currency(store: GraphStore, ledger: Ledger) -> None:
    big = "45035996273704.97"  # two of them in cents are beyond what a float counts one by one
    edges = [loan("a", "b", big, "f1"), loan("a", "b", big, "f2"), loan("b", "a", "1250", "y", "JPY")]
    facts = Facts("lei:a", {"assets": Decimal("12.345"), "currency": "KWD"}, key="2020")
    commit(ledger, *banks("a", "b"), *map(claim, edges), claim(facts))
    store.sync(ledger)
    total = f"MATCH (:Entity {{id: 'lei:a'}})-[r:LENDS_TO]->() WHERE {CLOCK_TEXT} RETURN sum(r.amount_minor) AS s"
    assert rows(store, total) == [{"s": 9007199254740994}]
    assert loans(store)[-1] == ("lei:b", "lei:a", 1250)
    fact = """MATCH (:Bank)-[r:HAS_FACT {property: 'assets'}]->(f)
      RETURN f.amount_minor AS m, f.currency AS c, f.amount AS a"""
    assert rows(store, fact) == [{"m": 12345, "c": "KWD", "a": 12.345}]
    assert [minor_digits(c) for c in ("EUR", "JPY", "KWD")] == [2, 0, 3]


def test_edges_carry_evidence_and_only_columns_with_a_value(store: GraphStore, ledger: Ledger) -> None:
    commit(ledger, *banks("a", "b"), claim(Edge("OWNS", "lei:a", "lei:b", {"share": 0.25}, "common")))
    store.sync(ledger)
    found = rows(
        store,
        """MATCH (a:Entity:Bank {id: 'lei:a'})-[r:OWNS]->(b) RETURN r.key AS key, r.share AS share, r.quote AS quote,
          r.claims AS claims, r.conflict AS conflict, r.valid_to AS valid_to,
          'amount' IN keys(r) AS money, size(r.claims) AS n""",
    )[0]
    assert found == {
        "key": "common",
        "share": 0.25,
        "quote": 'said "so", {here}',
        "claims": found["claims"],
        "conflict": 0,
        "valid_to": "9999-12-31T00:00:00.000000Z",
        "money": False,
        "n": 1,
    }


def test_loops_parallels_and_rings_are_walked_as_networkx_walks_them(store: GraphStore, ledger: Ledger) -> None:
    random, names = Random(5), [f"n{i}" for i in range(12)]
    pairs = [(names[i], names[(i + 1) % 5]) for i in range(5)] + [("n0", "n0"), ("n6", "n7"), ("n6", "n7")]
    pairs += [tuple(random.choices(names, k=2)) for _ in range(20)]  # type: ignore[misc]  # pairs of names
    edges = [loan(a, b, str(i + 1), f"f{i}") for i, (a, b) in enumerate(pairs)]
    commit(ledger, *banks(*names), *map(claim, edges))
    store.sync(ledger)
    graph = nx.MultiDiGraph()
    for i, (a, b) in enumerate(pairs):
        graph.add_edge(f"lei:{a}", f"lei:{b}", key=f"f{i}", cents=100 * (i + 1))
    trails = _trails(graph, 3)
    text = """MATCH p=(a:Entity)-[rs:LENDS_TO*1..3]->(b:Entity)
      WHERE all(r IN relationships(p) WHERE r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known
        AND r.known_to > $known AND r.published <= $published AND r.published_to > $published)
      RETURN a.id AS a_id, [r IN relationships(p) | r.key] AS keys,
        reduce(s = 0, r IN relationships(p) | s + r.amount_minor) AS cents"""
    found = sorted((r["a_id"], tuple(r["keys"]), r["cents"]) for r in rows(store, text))
    assert found == sorted(trails)
    rings = rows(store, "MATCH (a:Entity)-[x:LENDS_TO]->(b)-[y:LENDS_TO]->(c)-[z:LENDS_TO]->(a) RETURN count(*) AS n")
    assert rings == [{"n": sum(t[1] != () and len(t[1]) == 3 and t[3] for t in _trails(graph, 3, closed=True))}]


def _trails(graph: nx.MultiDiGraph, hops: int, closed: bool = False) -> list[tuple]:  # type: ignore[type-arg]
    """Walks of 1 to `hops` edges that use no edge twice, as Cypher walks: (start, keys, cents[, closed])."""
    found, stack = [], [(node, node, (), 0) for node in graph]
    while stack:
        start, at, keys, cents = stack.pop()
        if keys:
            found.append((start, keys, cents, at == start) if closed else (start, keys, cents))
        if len(keys) < hops:
            for _, to, key, data in graph.out_edges(at, keys=True, data=True):
                if key not in keys:
                    stack.append((start, to, (*keys, key), cents + data["cents"]))
    return found


def test_twenty_planted_twins_are_in_the_top_three(store: GraphStore, ledger: Ledger, tmp_path: Path) -> None:
    random, files = np.random.default_rng(3), Files(tmp_path / "files")
    base = random.normal(size=(400, 64)).astype(np.float32)
    twins = base[:20] + random.normal(scale=0.05, size=(20, 64)).astype(np.float32)
    old, new = put_vectors(files, -base), put_vectors(files, np.vstack([base, twins]))
    names = [f"n{i:03d}" for i in range(420)]

    def vectors(digest: str, count: int, key: str = "gnn") -> list[object]:
        return [
            claim(Facts(f"lei:{n}", {"embedding": address(digest, i)}, key=key)) for i, n in enumerate(names[:count])
        ]

    commit(ledger, *banks(*names), *vectors(old, 400))
    former = ledger.view().facts_of("embedding")["claim"].to_pylist()
    commit(ledger, *vectors(new, 420), *vectors(old, 5, "older model"), retract=former)
    store.sync(ledger)
    hits = [store.nearest("Bank", base[i], 3, model="gnn") for i in range(20)]
    assert all(f"lei:n{400 + i}" in hit["id"].to_pylist() for i, hit in enumerate(hits))
    assert hits[0]["id"][0].as_py() == "lei:n000" and abs(hits[0]["score"][0].as_py() - 1) < 1e-5
    before = store.nearest("Bank", -base[7], 1, AsOf(known=ledger.known(1)))
    assert before.to_pylist()[0]["id"] == "lei:n007"
    assert store.nearest("Fund", base[0], 3).num_rows == 0
    assert store.nearest("Bank", base[0][:32], 3, model="gnn").num_rows == 0
    everything = store.nearest("Bank", base[0], 1000, model="gnn")
    exact = base @ base[0] / np.linalg.norm(base, axis=1) / np.linalg.norm(base[0])
    assert everything.num_rows == 420
    assert abs(sorted(exact)[0] - everything["score"].to_pylist()[-1]) < 0.2


def test_answers_keep_their_types_and_say_when_they_were_cut(store: GraphStore, ledger: Ledger) -> None:
    commit(ledger, *banks("a", "b", "c"))
    store.sync(ledger)
    text = """MATCH (n:Bank) RETURN n.id AS id, 1 AS one, 1.5 AS real, true AS yes, [1, 2] AS list, null AS nothing
      ORDER BY id"""
    table = store.query(text, limit=2)
    assert table.num_rows == 2 and truncated(table)
    assert list(table.to_pylist()[0].values()) == ["lei:a", 1, 1.5, True, [1, 2], None]
    assert not truncated(store.query(text, limit=3))
    none = store.query("MATCH (n:Bank {id: $id}) RETURN n.id AS id, count(*) AS n", {"id": "lei:'; DROP"})
    assert none.num_rows == 0 and none.column_names == ["id", "n"]
    moment = START + timedelta(hours=1)
    assert rows(store, "RETURN $when AS t, $list AS l", when=moment, list=("x", "y")) == [
        {"t": iso(moment), "l": ["x", "y"]}
    ]


def test_an_empty_store_answers_with_nothing(store: GraphStore) -> None:
    assert store.mark is None
    assert loans(store) == []
    assert store.nearest("Bank", [1.0, 0.0], 3).num_rows == 0


def test_the_hash_does_not_depend_on_the_order_of_commits(store: GraphStore, ledger: Ledger, tmp_path: Path) -> None:
    commit(ledger, *banks("a", "b"), claim(loan("a", "b")))
    store.sync(ledger)
    other = Ledger.open(tmp_path / "other" / "ledger")
    from_batch = [*banks("b"), claim(loan("a", "b")), *banks("a")]
    for said in from_batch[:1], from_batch[2:], from_batch[1:2]:
        commit(other, *said)
    twin = open_store(f"arcadedb://{tmp_path}/twin", tmp_path)
    twin.sync(other)
    assert twin.graph_hash() == store.graph_hash()
    commit(other, claim(loan("b", "a")))
    twin.sync(other)
    assert twin.graph_hash() != store.graph_hash()
    twin.close()
