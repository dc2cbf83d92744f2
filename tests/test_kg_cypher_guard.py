"""A Cypher text from outside is refused unless every part of it is known to only read, and nobody waits for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from kg import breaker
from kg.breaker import Breaker
from kg.cypher import plain_parameters
from kg.errors import QueryError, QueryMemoryError, QueryTimeoutError, StoreError
from kg.free import DEEPEST, LONGEST, Plan, check_free, check_plan
from kg.ledger import Ledger
from kg.store import CLOCK_TEXT, GraphStore, truncated
from tests.injection import ATTACKS
from tests.store_world import RING, lend_in_a_ring

READS = [
    f"MATCH (a:Entity)-[r:LENDS_TO]->(b) WHERE {CLOCK_TEXT} RETURN a.id AS id, sum(r.amount_minor) AS s ORDER BY id",
    "MATCH p = (a)-[*1..2]->(b:Bank) WHERE all(r IN relationships(p) WHERE r.key IN ['f1']) "
    "RETURN reduce(s = 0, r IN relationships(p) | s + r.amount_minor) AS s, [n IN nodes(p) | n.id] AS ids LIMIT 3",
    "CALL db.labels() YIELD label RETURN label ORDER BY label",
    "MATCH (n:Bank) WHERE EXISTS { (n)-[:LENDS_TO]->() } AND NOT (n)-[:OWNS]->() RETURN count(*) AS n",
    "MATCH (n:Bank) CALL (n) { MATCH (n)-[r:LENDS_TO]->() RETURN count(r) AS c } RETURN sum(c) AS n",
    "MATCH (n:Bank) WHERE n.id STARTS WITH 'lei' RETURN CASE WHEN (n.x > 1) THEN (1) ELSE (2) END AS c LIMIT 2",
    "UNWIND $ids AS id MATCH (n:Entity {id: id}) RETURN DISTINCT toUpper(n.id) AS id ORDER BY id",
    "MATCH (n:Bank) WITH n ORDER BY n.id SKIP 1 LIMIT 2 RETURN collect(n.id) AS ids",
    "RETURN 1 AS a UNION ALL RETURN 2 AS a",
    "OPTIONAL MATCH (n:Fund) RETURN coalesce(n.id, 'CREATE') AS x // DELETE nothing",
    "MATCH (n:Bank) RETURN COUNT { (n)-[:LENDS_TO]->() } AS c, [(n)-[:LENDS_TO]->(m) | m.id] AS to LIMIT 1",
    "MATCH (`create`:Bank) RETURN `create`.id AS id LIMIT 1;",
    "MATCH (n) RETURN replace(replace(n.id, 'replace(', \"\"), /* , */ ',', ' ') AS id LIMIT 1",
    "RETURN date('2020-02-01') < date('2020-03-01') AS b, size(split('a,b', ',')) AS n",
]


@pytest.fixture(scope="module")
def filled(module_store: GraphStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphStore]:
    """A store of each kind with twelve banks in a ring."""
    with Ledger.open(tmp_path_factory.mktemp("ring") / "ledger") as ledger:
        lend_in_a_ring(ledger)
        module_store.sync(ledger)
        yield module_store


@pytest.mark.parametrize("text", READS)
def test_what_reads_is_taken_by_the_text(text: str) -> None:
    check_free(text)


@pytest.mark.parametrize("text", ATTACKS)
def test_every_attack_is_refused_by_the_text(text: str) -> None:
    with pytest.raises(QueryError):
        check_free(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("RETURN util.sleep(9) AS x", "function util.sleep is refused; .*allowed"),
        ("RETURN eval('1') AS x", "function eval is refused; allowed: abs, "),
        ("SHOW USERS", "SHOW is refused"),
        ("PROFILE MATCH (n) RETURN n", "begins with 'PROFILE'; it may begin with MATCH"),
        ("CALL dbms.info()", "CALL of dbms.info is refused; allowed: subqueries and db.labels"),
        ("MATCH (n) WHERE n.id =~ 'a' RETURN n", "use CONTAINS"),
        ("RETURN " + "(" * (DEEPEST + 1), f"more than {DEEPEST} deep"),
        ("RETURN 1 AS a //" + "x" * LONGEST, f"at most {LONGEST}"),
        ("RETURN [x IN $a | [y IN $b | y]] AS l", "walk only"),
        ("RETURN reduce(l = [1], x IN $a | l + l) AS l", "l more than once"),
        ("MATCH (n) CALL (n) { RETURN 1 AS a } IN TRANSACTIONS RETURN a", "leave it out"),
    ],
)
def test_a_refusal_says_what_was_refused_and_what_is_allowed(text: str, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        check_free(text)


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (Plan("w"), "'w'; only 'r'"),
        (Plan("rw"), "'rw'; only 'r'"),
        (Plan("s"), "'s'; only 'r'"),
        (Plan("r", frozenset({"ProduceResults@neo4j", "LoadCSV@neo4j"})), "plan has LoadCSV@neo4j"),
        (Plan("r", frozenset({"TransactionApply@neo4j"})), "TransactionApply"),
        (Plan("r", frozenset({"NodeUniqueIndexSeek(Locking)@neo4j"})), "Locking"),
        (Plan("r", frozenset({"CommandClause"})), "CommandClause"),
        (Plan("r", functions=frozenset({"util.sleep"})), "util.sleep"),
        (Plan("r", procedures=frozenset({"db.clearQueryCaches"})), "db.clearQueryCaches"),
    ],
)
def test_what_an_engine_plans_is_refused_too(plan: Plan, told: str) -> None:
    with pytest.raises(QueryError, match=told.replace("(", r"\(").replace(")", r"\)")):
        check_plan(plan)
    reads = frozenset({"Expand(All)@neo4j", "NodeByLabelScan@neo4j", "NodeUniqueIndexSeek@neo4j", "MatchClause"})
    check_plan(Plan("r", reads, frozenset({"toUpper", "point.distance"}), frozenset({"db.labels"})))


def test_what_reads_is_answered_the_same_as_by_a_query_of_ours(filled: GraphStore) -> None:
    for text in READS:
        given = {"ids": ["lei:n00", "lei:n01"]} if "$ids" in text else {}
        assert filled.ask(text, given).to_pylist() == filled.query(text, given).to_pylist() != []


def test_rows_are_capped_and_said_to_be(filled: GraphStore) -> None:
    some = filled.ask("MATCH (n:Bank) RETURN n.id AS id ORDER BY id", limit=5)
    assert (some.num_rows, truncated(some)) == (5, True)
    whole = filled.ask("MATCH (n:Bank) RETURN n.id AS id ORDER BY id", limit=len(RING))
    assert (whole.num_rows, truncated(whole)) == (len(RING), False)


def test_the_plan_refuses_where_the_text_would_not(filled: GraphStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("arcadedb", "neo4j"):
        monkeypatch.setattr(f"kg.stores.{module}.check_free", lambda text: None)
    before = filled.graph_hash()
    for text in (
        "MATCH (n) DETACH DELETE n",
        "CALL { CREATE (n:Bank {id: 'x'}) RETURN n } RETURN n.id AS id",
        "LOAD CSV FROM 'http://127.0.0.1:1/x' AS l RETURN l",
        "SHOW INDEXES",
        "CALL db.schema.visualization()",
        "MATCH (n) CALL (n) { RETURN 1 AS a } IN TRANSACTIONS RETURN a",
    ):
        with pytest.raises(QueryError):
            filled.ask(text)
    assert filled.graph_hash() == before


def test_a_query_that_needs_too_much_memory_is_no_fault_of_the_store(filled: GraphStore) -> None:
    text = "UNWIND range(1, 1500) AS x UNWIND range(1, 1500) AS y RETURN collect(toString(x * y)) AS l"
    with pytest.raises(QueryMemoryError, match="earlier"):
        filled.ask(text, timeout=60)
    assert filled.ask("RETURN 1 AS one").to_pylist() == [{"one": 1}]


def test_nobody_waits_for_a_call_that_does_not_end_and_no_second_one_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "GRACE", 0.05)
    calls, gate = Breaker(), Event()
    assert calls.run(lambda: 1, 5) == 1
    with pytest.raises(QueryError, match="own"):
        calls.run(_fail, 5)
    with pytest.raises(QueryTimeoutError, match="walk shorter lists"):
        calls.run(gate.wait, 0.05)
    with pytest.raises(StoreError, match="still running"):
        calls.run(lambda: 2, 5)
    gate.set()
    for _ in range(100):
        try:
            assert calls.run(lambda: 3, 5) == 3
            break
        except StoreError:
            time.sleep(0.02)
    else:
        pytest.fail("the breaker stayed open after the call had ended")


def _fail() -> None:
    raise QueryError("its own error")


@pytest.mark.parametrize("value", [1 << 63, -(1 << 63) - 1, "a\ud800", ["\udfff"], {"a\ud800": 1}, [[1 << 99]]])
def test_parameters_that_no_engine_can_hold_are_refused_before_it_is_asked(value: object) -> None:
    with pytest.raises(QueryError, match="parameter"):
        plain_parameters({"x": value})


def test_parameters_that_nest_too_deep_are_refused() -> None:
    deep: object = 1
    for _ in range(900):
        deep = [deep]
    with pytest.raises(QueryError, match="20 deep"):
        plain_parameters({"x": deep})
    assert plain_parameters({"x": [[[1]]]}) == {"x": [[[1]]]}


def test_a_text_of_half_characters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="surrogate"):
        check_free("RETURN '\ud800' AS x")
