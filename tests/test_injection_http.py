"""Values that want to be code, in every text that the HTTP API takes: never an error of the engine, never a change."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.serve.app import build
from kgrisk.serve.keys import Keys
from kgrisk.settings import Settings
from tests.injection import ATTACKS
from tests.injection_values import VALUES
from tests.kgrisk_world import BIG, SMALL, write_registers

HERE = "http://127.0.0.1"
EACH = 5
"""Values of each parameter, other ones of each; the parameters below take all of them."""
WHOLE = {("/v1/search", "q"), ("/v1/entities/{id}", "id")}
RIGHT = {"source": SMALL, "target": BIG, "q": "bank", "id": BIG, "name": "hit_if_fails", "property": "equity"}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("injected")
    settings = Settings(home=folder / "home", serve_rate=1e6, serve_burst=1_000_000)
    with open_graph(folder / "home", settings=settings) as made:
        made.ingest(write_registers(folder / "in"))
        yield made


@pytest.fixture(scope="module")
def client(graph: Graph) -> Iterator[TestClient]:
    key = Keys(graph.home / "keys.json").add("eve", "admin")
    headers = {"authorization": f"Bearer {key}"}
    with TestClient(build(graph), base_url=HERE, headers=headers, raise_server_exceptions=False) as made:
        yield made


def check(answer: Response, sent: object) -> None:
    """It is an answer, or a problem of whoever asked, and tells nothing of our insides."""
    assert answer.status_code < 500, (sent, answer.text[:500])
    assert "Traceback" not in answer.text and 'File "/' not in answer.text
    if answer.status_code >= 400 and answer.status_code != 405:
        assert answer.headers["content-type"] == "application/problem+json", (sent, answer.text[:200])


def reading(client: TestClient) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every GET route with its parameters, as the OpenAPI page tells them."""
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        if "get" in methods and (told := methods["get"].get("parameters", [])):
            yield path, told


def is_text(parameter: dict[str, Any]) -> bool:
    schema = parameter["schema"]
    return "string" in {schema.get("type"), *(one.get("type") for one in schema.get("anyOf", []))}


def ask(client: TestClient, path: str, told: list[dict[str, Any]], name: str, value: str) -> Response:
    """A GET with one hostile parameter; the required others are right."""
    query: dict[str, str] = {}
    for parameter in told:
        own = parameter["name"]
        text = value if own == name else RIGHT.get(own, "x")
        if parameter["in"] == "path":
            path = path.replace(f"{{{own}}}", quote(text, safe=""))
        elif parameter["in"] == "query" and (own == name or parameter.get("required")):
            query[own] = text
    return client.get(path, params=query)


def test_no_value_of_any_reading_route_is_more_than_a_value(client: TestClient, graph: Graph) -> None:
    before, dice, asked = graph.store.graph_hash(), random.Random(7), 0
    for path, told in reading(client):
        for name in (parameter["name"] for parameter in told if is_text(parameter)):
            values = VALUES if (path, name) in WHOLE else dice.sample(VALUES, EACH)
            for value in values:
                check(ask(client, path, told, name, value), (path, name, value))
                asked += 1
    assert asked > 2 * len(VALUES) + 50 * EACH and graph.store.graph_hash() == before


BODIES = [
    ("/v1/risk", lambda v: {"measure": v}),
    ("/v1/risk", lambda v: {"shock": v}),
    ("/v1/risk", lambda v: {"scenario": v or "x"}),
    ("/v1/risk", lambda v: {"shock": {v: 0.5}, "label": v}),
    ("/v1/risk", lambda v: {"params": {v: v}}),
    ("/v1/queries/hit_if_fails", lambda v: {"id": v}),
    ("/v1/queries/hit_if_fails", lambda v: {v: v}),
    ("/v1/queries/hit_if_fails", lambda v: {"id": [v], "currency": {v: v}}),
    ("/v1/cypher", lambda v: {"text": v}),
    ("/v1/cypher", lambda v: {"text": "MATCH (n:Entity {id: $id}) RETURN n.id AS id", "params": {"id": v}}),
    ("/v1/cypher", lambda v: {"text": "RETURN 1 AS one", "params": {v: v}}),
    ("/v1/cypher", lambda v: {"text": f"MATCH (n:Entity {{id: '{v}'}}) RETURN n.id AS id"}),
]


@pytest.mark.parametrize("place", range(len(BODIES)), ids=lambda place: f"{BODIES[place][0]}-{place}")
def test_no_value_of_a_body_is_more_than_a_value(place: int, client: TestClient, graph: Graph) -> None:
    before = graph.store.graph_hash()
    path, body = BODIES[place]
    values = VALUES if path == "/v1/cypher" else VALUES[place % 4 :: 4]
    for value in values:
        check(client.post(path, json=body(value)), (path, value))
    assert graph.store.graph_hash() == before


def test_an_attack_by_free_cypher_is_told_what_was_refused(client: TestClient, graph: Graph) -> None:
    before = graph.store.graph_hash()
    for attack in ATTACKS:
        text = attack.replace("{url}", "http://127.0.0.1:1/x").replace("{file}", "/etc/hostname")
        answer = client.post("/v1/cypher", json={"text": text})
        assert answer.status_code == 422 and len(answer.json()["detail"]) > 20, (attack, answer.text)
    assert graph.store.graph_hash() == before


HOSTILE_BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"MATCH (n) RETURN n"',
    b"\xff\xfe",
    b"\x00" * 100,
    b"[" * 100_000,
    b'{"text":' * 5_000,
    b'{"text": "RETURN 1 AS a", "limit": 1e999}',
    b'{"text": "RETURN 1 AS a", "limit": 99999999999999999999}',
    b'{"text": "RETURN $x AS a", "params": {"x": NaN}}',
    b'{"text": "RETURN $x AS a", "params": {"x": Infinity}}',
    b'{"text": "RETURN $x AS a", "params": {"x": 99999999999999999999999}}',
    b'{"text": "RETURN $x AS a", "params": {"x": "\\ud800"}}',
    b'{"text": "RETURN 1 AS a", "params": {"\\ud800": 1}}',
    b'{"text": "RETURN \'\\ud800\' AS a"}',
    b'{"text": "RETURN $x AS a", "params": {"x": ' + b"[" * 500 + b"]" * 500 + b"}}",
    b'{"text": "RETURN 1 AS a", "params": {"valid": "2020-01-01"}}',
    b'{"text": "RETURN 1 AS a", "more": 1}',
    b'{"text": ["RETURN 1"]}',
    b'{"text": "RETURN 1 AS a", "params": [1]}',
]


@pytest.mark.parametrize("path", ["/v1/cypher", "/v1/risk", "/v1/queries/hit_if_fails"])
def test_a_body_that_is_malformed_is_a_problem_of_whoever_sent_it(path: str, client: TestClient) -> None:
    for body in HOSTILE_BODIES:
        check(client.post(path, content=body, headers={"content-type": "application/json"}), body[:60])
    for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x", "x/y; charset=utf-7"):
        content = json.dumps({"text": "RETURN 1 AS one"})
        check(client.post(path, content=content, headers={"content-type": kind}), kind)
