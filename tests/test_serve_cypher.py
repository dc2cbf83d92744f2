"""Free Cypher over HTTP and on the command line: whose role may, what it answers, and what it says of the clocks."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from fastapi.testclient import TestClient

from kg.store import CLOCK_TEXT
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.free_cypher import MOST, TELLS_EVERY_VERSION, unclocked
from kgrisk.serve.app import build
from kgrisk.serve.keys import MAY, Keys
from kgrisk.settings import Settings
from tests.injection_values import VALUES
from tests.kgrisk_world import BIG, FIRM, SMALL, kgrisk_here, write_registers

LENT = f"MATCH (a:Entity {{id: $id}})-[r:LENDS_TO]->(b) WHERE {CLOCK_TEXT} RETURN b.id AS debtor ORDER BY debtor"
FORMS = {
    "arrow": lambda content: pa.ipc.open_stream(content).read_all(),
    "parquet": lambda content: pyarrow.parquet.read_table(io.BytesIO(content)),
    "csv": lambda content: pyarrow.csv.read_csv(io.BytesIO(content)),
    "ndjson": lambda content: pa.Table.from_pylist([json.loads(line) for line in content.splitlines()]),
}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("free")
    with open_graph(folder / "home", settings=Settings(home=folder / "home", serve_rows=4)) as made:
        made.ingest(write_registers(folder / "in"))
        yield made


@pytest.fixture(scope="module")
def keys(graph: Graph) -> dict[str, str]:
    made = Keys(graph.home / "keys.json")
    return {role: made.add(role, role) for role in MAY}


@pytest.fixture(scope="module")
def client(graph: Graph, keys: dict[str, str]) -> Iterator[TestClient]:
    headers = {"authorization": f"Bearer {keys['analyst_cypher']}"}
    with TestClient(build(graph), base_url="http://127.0.0.1", headers=headers) as made:
        yield made


def test_only_the_roles_that_may_write_cypher_are_let_in(client: TestClient, keys: dict[str, str]) -> None:
    for role, key in keys.items():
        headers = {"authorization": f"Bearer {key}"}
        status = client.post("/v1/cypher", json={"text": "RETURN 1 AS one"}, headers=headers).status_code
        assert status == (200 if role in ("analyst_cypher", "admin") else 403), role


def test_rows_come_in_five_forms_with_their_clocks(client: TestClient) -> None:
    asked = {"text": LENT, "params": {"id": SMALL}}
    told = client.post("/v1/cypher", json=asked).json()
    assert told["rows"] == [{"debtor": BIG}] and told["commit"] == 1 and set(told["at"]) >= {"valid", "known"}
    assert (told["truncated"], told["remarks"]) == (False, [])
    for form, read in FORMS.items():
        answer = client.post(f"/v1/cypher?format={form}", json=asked)
        assert read(answer.content).to_pylist() == told["rows"] and answer.headers["x-commit"] == "1"
    before = client.post("/v1/cypher?valid=2019-06-30", json=asked).json()
    assert before["rows"] == []


def test_more_rows_than_the_cap_are_cut_and_said_to_be(client: TestClient) -> None:
    asked = {"text": "UNWIND range(1, 9) AS x RETURN x ORDER BY x"}
    told = client.post("/v1/cypher", json={**asked, "limit": 3}).json()
    assert ([row["x"] for row in told["rows"]], told["truncated"]) == ([1, 2, 3], True)
    capped = client.post("/v1/cypher", json={**asked, "limit": 10_000}).json()
    assert (len(capped["rows"]), capped["truncated"]) == (4, True), "the server's own cap holds"
    arrow = client.post("/v1/cypher?format=arrow", json=asked)
    assert arrow.headers["x-truncated"] == "True"


def test_a_text_that_forgets_the_clocks_is_answered_with_a_remark(client: TestClient) -> None:
    asked = {"text": "MATCH (a:Entity {id: $id})-[r:LENDS_TO]->(b) RETURN b.id AS debtor", "params": {"id": SMALL}}
    told = client.post("/v1/cypher", json=asked).json()
    assert len(told["remarks"]) == 1 and TELLS_EVERY_VERSION in told["remarks"][0]
    assert "r in -[:LENDS_TO]->" in told["remarks"][0] and "r.valid_from <= $valid" in told["remarks"][0]
    arrow = client.post("/v1/cypher?format=arrow", json=asked)
    assert json.loads(arrow.headers["x-remarks"]) == told["remarks"]
    many = {"text": "MATCH " + ", ".join(f"(a)-[r{i}:OWNS]->(b{i})" for i in range(MOST + 3)) + " RETURN a.id AS a"}
    assert client.post("/v1/cypher", json=many).json()["remarks"][-1] == "and 3 more like these"


def test_what_the_remark_asks_for_silences_it() -> None:
    assert list(unclocked(LENT)) == []
    (half,) = unclocked("MATCH (a)-[r:OWNS]->(b) WHERE r.valid_from <= $valid AND r.valid_to > $valid RETURN b.id AS b")
    assert "$known" in half and "$valid" not in half.split("such as")[1]
    for text in (
        "MATCH p = shortestPath((a)-[*..3]-(b)) RETURN p",
        "CALL db.labels()",
        "MATCH (n) CALL (n) { MATCH (n)-[r:OWNS]->(b) RETURN b } RETURN b.id AS id",
    ):
        (unread,) = unclocked(text)
        assert "could not be checked: its rows are of every version" in unread and "allowed" not in unread


WRONG = {
    "MATCH (n)\n WHERE n.x = = 2 RETURN n": "line 2, column 14: extraneous input '='",
    "RETURN 1 UNION RETURN 2": "must have the same return column names; correct that",
    "RETURN 1 AS a SKIP -1": "SKIP value cannot be negative: -1; correct that",
    "MATCH (n) RETURN m.id AS id": "Variable 'm' not defined",
    "RETURN 1/0 AS x": "/ by zero",
    "RETURN $p AS x": "Expected parameter(s): p",
}
"""Texts the embedded engine does not take, and its own words on them."""


def test_what_is_refused_is_a_problem_that_says_what_is_allowed(client: TestClient) -> None:
    answer = client.post("/v1/cypher", json={"text": "MATCH (n) DETACH DELETE n"})
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"
    assert "DETACH is refused: queries only read" in answer.json()["detail"]
    wrong = client.post("/v1/cypher", json={"text": "MATCH (n:Bank RETURN n"})
    assert wrong.status_code == 422 and "refused the query: line 1, column 15: " in wrong.json()["detail"]
    for text, told in WRONG.items():
        detail = client.post("/v1/cypher", json={"text": text}).json()["detail"]
        assert told in detail and "Exception" not in detail and "arcadedb." not in detail
    clock = client.post("/v1/cypher", json={"text": "RETURN 1 AS a", "params": {"known": "2020"}})
    assert clock.status_code == 422 and "come from the AsOf" in clock.json()["detail"]


def test_what_costs_too_much_is_a_504_or_a_413(client: TestClient, graph: Graph) -> None:
    settings = graph.settings
    graph.settings = settings.model_copy(update={"serve_seconds": 1.0})
    try:
        slow = "UNWIND range(1, 3000000) AS x UNWIND range(1, 3000000) AS y RETURN count(*) AS n"
        answer = client.post("/v1/cypher", json={"text": slow})
        assert answer.status_code == 504 and "more than 1 s" in answer.json()["detail"]
    finally:
        graph.settings = settings
    large = "UNWIND range(1, 3000) AS x UNWIND range(1, 3000) AS y RETURN collect(x) AS l"
    answer = client.post("/v1/cypher", json={"text": large})
    assert answer.status_code == 413 and "memory" in answer.json()["detail"]
    assert client.post("/v1/cypher", json={"text": "RETURN 1 AS one"}).json()["rows"] == [{"one": 1}]


def test_the_command_asks_and_refuses_the_same(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert kgrisk_here("ingest", write_registers(tmp_path / "in"), "--home", home, cwd=tmp_path).returncode == 0
    done = kgrisk_here("cypher", LENT, "--param", f"id={BIG}", "--home", home, "--json", cwd=tmp_path)
    assert json.loads(done.stdout) == [{"debtor": FIRM}] and done.returncode == 0
    given = ("--param", "n=5", "--param", "t=05x")
    typed = kgrisk_here("cypher", "RETURN $n + 1 AS n, $t AS t", *given, "--home", home, "--json", cwd=tmp_path)
    assert json.loads(typed.stdout) == [{"n": 6, "t": "05x"}]
    some = kgrisk_here("cypher", "UNWIND [1, 2, 3] AS x RETURN x", "--limit", "2", "--home", home, cwd=tmp_path)
    assert "these are the first 2 rows" in some.stderr
    plain = kgrisk_here("cypher", "MATCH (a)-[r:OWNS]->(b) RETURN b.id AS b", "--home", home, cwd=tmp_path)
    assert TELLS_EVERY_VERSION in " ".join(plain.stderr.split())
    refused = kgrisk_here("cypher", "MATCH (n) DELETE n", "--home", home, cwd=tmp_path)
    assert refused.returncode == 1 and "DELETE is refused" in refused.stderr


COMMANDS = (
    ("query", "hit_if_fails", "id={}"),
    ("query", "{}"),
    ("explain", "{}"),
    ("cypher", "MATCH (n:Entity {id: $id}) RETURN n.id AS id", "--param", "id={}"),
    ("cypher", "{}"),
    ("risk", "debtrank", "--shock", "{}"),
    ("risk", "{}"),
    ("suppose", "{}"),
    ("links", "{}"),
    ("replay", "{}"),
)


@pytest.mark.slow
def test_no_value_on_the_command_line_is_more_than_a_value(tmp_path: Path) -> None:
    """Every sixth value, each with another command."""
    home = tmp_path / "home"
    kgrisk_here("ingest", write_registers(tmp_path / "in"), "--home", home, cwd=tmp_path)
    with open_graph(home, settings=Settings(home=home)) as before:
        hashed = before.store.graph_hash()
    typed = [value for value in VALUES if "\x00" not in value]  # which no shell can pass on
    for place, value in enumerate(typed[::6]):
        name, *rest = COMMANDS[place % len(COMMANDS)]
        args = [part.replace("{}", value) if part in ("{}", "id={}") else part for part in rest]
        done = kgrisk_here(name, *args, "--home", home, cwd=tmp_path)
        assert done.returncode in (0, 1, 2, 3), (name, value, done.stderr)
        assert "Traceback" not in done.stderr, (name, value, done.stderr)
    with open_graph(home, settings=Settings(home=home)) as after:
        assert after.store.graph_hash() == hashed
    assert not (tmp_path / "evil").exists()


def test_a_label_or_type_that_no_graph_has_is_remarked(client: TestClient) -> None:
    def remarks(text: str) -> list[str]:
        answer = client.post("/v1/cypher", json={"text": text})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["remarks"])

    assert any("'Bnak'; did you mean Bank?" in told for told in remarks("MATCH (b:Bnak) RETURN b.id AS id"))
    assert any("'Bnak'" in told for told in remarks("MATCH (:Bnak)-[r:OWNS]->(c:Company) RETURN c.id AS id"))
    assert any("'OWN'; did you mean OWNS?" in told for told in remarks("MATCH (a)-[r:OWN]->(c) RETURN c.id AS id"))
    for known in ("(:Bank)", "(n:Entity)", "(f:Fact)", "(n {id: ':Bnak'})"):
        assert remarks(f"MATCH {known} RETURN 1 AS one") == []
