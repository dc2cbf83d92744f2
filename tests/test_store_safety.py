"""A question can only read the graph, within its time, whatever its text or its values are."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from kg.cypher import check_reading, plain_parameters
from kg.errors import QueryError, QueryTimeoutError
from kg.ledger import Ledger
from kg.model import AsOf
from kg.store import GraphStore
from tests.store_world import banks, claim, commit, loan, loans, rows

WRITES = [
    "CREATE (n:Bank {id: 'x'})",
    "MATCH (n) DETACH DELETE n",
    "MATCH (n) SET n.id = 'x'",
    "match (n) set n:Fund return n",
    "MATCH (n) REMOVE n.label RETURN n",
    "MERGE (n:Bank {id: 'x'}) RETURN n",
    "MATCH (n) FOREACH (x IN [1] | SET n.a = x)",
    "MATCH (n) CALL { CREATE (m) RETURN m } RETURN m",
    "CREATE INDEX FOR (n:Bank) ON (n.x)",
    "DROP CONSTRAINT entity_id",
    "MATCH (n)/* c */CREATE(m) RETURN m",
    "RETURN 1; CREATE (n)",
    "INSERT (n:Bank)",
]
READS_OF_OTHER_THINGS = [
    "LOAD CSV FROM 'file:///etc/hostname' AS l RETURN l",
    "LOAD CSV FROM 'http://127.0.0.1:1/x' AS l RETURN l",
    "load\n csv WITH HEADERS FROM $u AS l RETURN l",
    "SHOW USERS",
    "SHOW TRANSACTIONS",
    "TERMINATE TRANSACTIONS 'neo4j-transaction-1'",
    "USE system MATCH (n) RETURN n",
    "CALL dbms.listConfig()",
    "CALL db.clearQueryCaches()",
    "CALL `dbms`.`listConfig`()",
    "CALL dbms . listConfig()",
    "CALL apoc.load.json('http://127.0.0.1/') YIELD value RETURN value",
    "RETURN apoc.cypher.runFirstColumnSingle('CREATE (n) RETURN n', {})",
    "RETURN '\\u0027 CREATE (n) //'",
    "MATCH (n) RETURN n // '\nCREATE (m)",
    "MATCH (n) RETURN 'open",
    "MATCH (n) RETURN n /* open",
]
HARMLESS = [
    "MATCH (n:Entity) WHERE n.id = 'CREATE (x)' RETURN n.id AS id",
    "MATCH (n) // CREATE nothing\nRETURN n.label AS l",
    "MATCH (n:Bank) RETURN n.set AS s, n.create AS c",
    "MATCH (`create`:Bank) RETURN `create`.id AS id;",
    "MATCH (n) CALL { MATCH (m:Bank) RETURN count(m) AS c } RETURN c LIMIT 1",
    "MATCH (n) WHERE EXISTS { MATCH (n)-[:OWNS]->() } RETURN count(n) AS c",
    "RETURN $offset AS offset, {created: 1} AS m",
    "RETURN 'it''s' AS a, \"say \\\"so\\\"\" AS b",
]


@pytest.fixture
def loaded(store: GraphStore, ledger: Ledger) -> GraphStore:
    commit(ledger, *banks("a", "b"), claim(loan("a", "b")))
    store.sync(ledger)
    return store


@pytest.mark.parametrize("text", WRITES + READS_OF_OTHER_THINGS)
def test_what_is_no_reading_of_the_graph_is_refused_by_its_text(text: str) -> None:
    with pytest.raises(QueryError):
        check_reading(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_words_in_strings_names_and_comments_are_harmless(text: str) -> None:
    check_reading(text)


def test_a_refusal_says_what_was_refused() -> None:
    with pytest.raises(QueryError, match="MERGE is refused"):
        check_reading("MERGE (n:Bank {id: 'x'})")
    with pytest.raises(QueryError, match=r"dbms\.listConfig is refused"):
        check_reading("CALL dbms.listConfig() YIELD name RETURN name")


def test_the_engines_refuse_too_when_the_text_check_is_passed_by(
    loaded: GraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = loaded.graph_hash()
    for module in ("arcadedb", "neo4j"):
        monkeypatch.setattr(f"kg.stores.{module}.check_reading", lambda text: None)
    for text in [*WRITES[:9], *READS_OF_OTHER_THINGS[:2]]:
        with pytest.raises(QueryError):
            loaded.query(text)
    assert loaded.graph_hash() == before
    assert rows(loaded, "MATCH (n:Bank) RETURN count(n) AS n") == [{"n": 2}]


def test_values_are_never_read_as_cypher(loaded: GraphStore) -> None:
    hostile = ["x'}) DETACH DELETE n //", "lei:a' OR '1'='1", "\\u0027}) MATCH (m) DELETE m //", "$known", "`"]
    for value in hostile:
        assert rows(loaded, "MATCH (n:Entity {id: $id}) RETURN n.id AS id", id=value) == []
    assert len(loans(loaded)) == 1


def test_a_query_that_takes_too_long_is_ended_and_the_next_one_works(store: GraphStore, ledger: Ledger) -> None:
    names = [f"n{i:03d}" for i in range(120)]
    commit(ledger, *banks(*names), *(claim(loan(a, b)) for a in names[:20] for b in names[::3]))
    store.sync(ledger)
    endless = """MATCH (a)-[r]->(b), (c)-[s]->(d), (e)-[t]->(f)
      WHERE r.version < s.version AND s.version < t.version RETURN count(*) AS n"""
    began = time.monotonic()
    with pytest.raises(QueryTimeoutError, match="1 s"):
        store.query(endless, timeout=1)
    assert time.monotonic() - began < 20
    assert len(loans(store)) == 20 * 40
    commit(ledger, *banks("late"))
    assert store.sync(ledger).to_commit == 2


def test_a_wrong_query_says_what_the_engine_says(loaded: GraphStore) -> None:
    with pytest.raises(QueryError, match="refused the query"):
        loaded.query("MATCH (n:Bank RETURN n")
    with pytest.raises(QueryError):
        loaded.query("MATCH (n:Bank) RETURN m.id AS id")


def test_nearest_refuses_what_has_no_direction_or_label(loaded: GraphStore) -> None:
    for label, vector, k in [("Bank", [0.0, 0.0], 3), ("Bank", [], 3), ("Bank", [float("nan")], 3), ("Bank", [1.0], 0)]:
        with pytest.raises(QueryError, match="finite"):
            loaded.nearest(label, vector, k)
    with pytest.raises(QueryError, match="known: Account, Address, Bank"):
        loaded.nearest("Bank) DETACH DELETE n //", [1.0], 3)


def test_parameters_become_plain_values() -> None:
    given = {
        "moment": datetime(2024, 1, 2, tzinfo=UTC),
        "ids": ("a", "b"),
        "some": {"b", "a"},
        "count": np.int64(3),
        "vector": np.asarray([0.5]),
        "map": {"k": None},
    }
    assert plain_parameters(given) == {
        "moment": "2024-01-02T00:00:00.000000Z",
        "ids": ["a", "b"],
        "some": ["a", "b"],
        "count": 3,
        "vector": [0.5],
        "map": {"k": None},
    }


@pytest.mark.parametrize(("name", "value"), [("x", Decimal("1.5")), ("x", object()), ("known", "2020"), ("valid", 1)])
def test_parameters_that_a_store_cannot_take_are_named(name: str, value: object) -> None:
    with pytest.raises(QueryError, match=name):
        plain_parameters({name: value})


def test_a_time_without_zone_is_no_instant(loaded: GraphStore) -> None:
    with pytest.raises(Exception, match="no zone"):
        loaded.query("RETURN 1 AS one", at=AsOf(valid=datetime(2024, 1, 1)))


def test_an_import_after_the_java_machine_ended_does_not_crash_the_process(tmp_path: Path) -> None:
    code = (
        "import atexit, importlib, sys\n"
        "from pathlib import Path\n"
        "def late():\n"
        "    try:\n        importlib.import_module('no_such_package')\n"
        "    except ImportError:\n        print('refused', flush=True)\n"
        "atexit.register(late)  # registered before JPype's own hook, so it runs after it\n"
        "from kg.store import open_store\n"
        "open_store(sys.argv[1], Path(sys.argv[2])).close()\n"
        "assert not any(type(f).__module__.startswith('jpype') for f in sys.meta_path)\n"
    )
    command = [sys.executable, "-c", code, f"arcadedb://{tmp_path}/store?heap=256m", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "refused"), done.stderr[-2000:]
