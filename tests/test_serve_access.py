"""Who may come in: keys, roles, hosts, origins, bodies and rates."""

from __future__ import annotations

import hmac
import json
import stat
from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import TypeGuard

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from kg.errors import SettingsError
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.serve.app import build, routers
from kgrisk.serve.guard import Guard
from kgrisk.serve.keys import MAY, Keys, Role
from kgrisk.serve.rate import Rate
from kgrisk.settings import Settings
from tests.kgrisk_world import write_registers

HERE = "http://127.0.0.1"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("access")
    with open_graph(folder / "home", settings=Settings(home=folder / "home")) as made:
        made.ingest(write_registers(folder / "in"))
        yield made


@pytest.fixture
def keys(graph: Graph) -> Iterator[Keys]:
    """The key file of the graph, empty before and after."""
    made = Keys(graph.home / "keys.json")
    yield made
    made.path.unlink(missing_ok=True)


def client(graph: Graph) -> TestClient:
    return TestClient(build(graph), base_url=HERE, raise_server_exceptions=False)


def test_a_key_is_told_once_kept_as_a_digest_and_readable_by_its_owner_alone(keys: Keys) -> None:
    key = keys.add("ann", "viewer", labels=("Person",))
    assert key not in keys.path.read_text()
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    found = Keys(keys.path).find(key)
    assert found is not None and (found.name, found.role, found.hidden_labels) == ("ann", "viewer", ("Person",))
    assert keys.find(key + "x") is None and keys.find("") is None


def test_a_second_key_of_a_name_an_unknown_role_and_a_spoiled_file_are_refused(keys: Keys) -> None:
    keys.add("ann", "viewer")
    with pytest.raises(SettingsError, match="revoke it first"):
        keys.add("ann", "admin")
    with pytest.raises(SettingsError, match="known: viewer"):
        keys.add("bob", "king")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="held by ann"):
        keys.revoke("bob")
    keys.path.write_text('{"name": 1}')
    with pytest.raises(SettingsError, match="no key file"):
        Keys(keys.path).find("kgr_x")


def test_while_there_is_a_key_nobody_comes_in_without_one(graph: Graph, keys: Keys) -> None:
    at = client(graph)
    assert at.get("/v1/entities").status_code == 200
    key = keys.add("ann", "viewer")
    refused = at.get("/v1/entities")
    assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
    assert at.get("/v1/entities", headers={"authorization": "Bearer kgr_wrong"}).status_code == 401
    assert at.get("/v1/entities", headers={"authorization": f"Bearer {key}"}).status_code == 200
    assert at.get("/v1/entities", headers={"x-api-key": key}).status_code == 200
    keys.revoke("ann")
    keys.add("bob", "viewer")
    assert at.get("/v1/entities", headers={"x-api-key": key}).status_code == 401


def test_a_server_that_had_a_key_is_never_open_again(graph: Graph, keys: Keys) -> None:
    at = client(graph)
    assert at.get("/v1/measures").status_code == 200  # begun without keys, on loopback: the local analyst
    key = keys.add("ann", "viewer")
    keyed = client(graph)
    assert at.get("/v1/measures").status_code == 401
    keys.revoke("ann")
    for server in (at, keyed):
        for headers in ({}, {"x-api-key": key}):
            refused = server.get("/v1/measures", headers=headers)
            assert refused.status_code == 401 and "kgrisk keys add" in refused.json()["detail"]
    keys.path.unlink()
    assert keyed.get("/v1/measures").status_code == 401
    told = TestClient(build(graph, keyed=True), base_url=HERE)
    assert told.get("/v1/measures").status_code == 401
    assert client(graph).get("/v1/measures").status_code == 200
    again = keys.add("bob", "viewer")
    assert keyed.get("/v1/measures", headers={"x-api-key": again}).status_code == 200


EXPECTED: dict[str, set[str]] = {
    "open": {"GET /healthz", "GET /readyz"},
    "read": {
        "GET /metrics",
        "GET /v1/alerts",
        "POST /v1/ask",
        "GET /v1/brief/{id}",
        "GET /v1/champions",
        "GET /v1/documents/{digest}/page",
        "GET /v1/documents/{digest}/place",
        "GET /v1/documents/{digest}/sound",
        "GET /v1/embeddings",
        "GET /v1/entities",
        "GET /v1/entities/{id}",
        "GET /v1/entities/{id}/cypher",
        "GET /v1/entities/{id}/history",
        "GET /v1/entities/{id}/neighbours",
        "GET /v1/evidence/{what}",
        "GET /v1/graph",
        "GET /v1/links",
        "GET /v1/links/{id}/why",
        "GET /v1/measures",
        "GET /v1/monitors",
        "GET /v1/paths",
        "GET /v1/queries",
        "GET /v1/queries/{name}",
        "POST /v1/queries/{name}",
        "POST /v1/queries/{name}/cypher",
        "GET /v1/questions",
        "GET /v1/risk/runs",
        "GET /v1/risk/runs/{id}",
        "GET /v1/scenarios",
        "GET /v1/scores/{property}",
        "GET /v1/scores/{property}/{id}/why",
        "GET /v1/search",
        "POST /v1/search",
        "GET /v1/subgraph",
        "POST /v1/subgraph/{part}",
        "GET /v1/views",
        "GET /v1/views/{id}",
    },
    "assess": {
        "GET /v1/cases",
        "POST /v1/cases",
        "GET /v1/cases/{id}",
        "POST /v1/cases/{id}/close",
        "POST /v1/cases/{id}/items",
        "POST /v1/cases/{id}/notes",
        "GET /v1/cases/{id}/pack",
        "POST /v1/cases/{id}/reopen",
        "POST /v1/risk",
        "POST /v1/views",
    },
    "cypher": {"POST /v1/cypher"},
    "operate": {"GET /v1/failures", "GET /v1/jobs", "POST /v1/jobs", "GET /v1/jobs/{id}", "DELETE /v1/jobs/{id}"},
    "administer": {"GET /v1/audit", "GET /v1/audit/verify"},
}
"""Every route, by what whoever asks must be allowed to do."""
ALLOWED: dict[Role, set[str]] = {
    "viewer": {"open", "read"},
    "analyst": {"open", "read", "assess"},
    "analyst_cypher": {"open", "read", "assess", "cypher"},
    "operator": {"open", "read", "operate"},
    "admin": {"open", "read", "assess", "cypher", "operate", "administer"},
}


def test_every_route_lets_in_the_roles_of_the_table_and_no_others(graph: Graph, keys: Keys) -> None:
    held: dict[Role, str] = {role: keys.add(role, role) for role in MAY}
    at = client(graph)
    page = at.get("/openapi.json").json()
    routes = {f"{way.upper()} {path}": own for path, ways in page["paths"].items() for way, own in ways.items()}
    permission = {route: name for name, of_it in EXPECTED.items() for route in of_it}
    assert routes.keys() == permission.keys() and held.keys() == ALLOWED.keys()
    assert {route: own["x-permission"] for route, own in routes.items()} == permission
    for route, needed in permission.items():
        method, path = route.replace("{", "").replace("}", "").split()
        assert (at.request(method, path).status_code == 401) == (needed != "open"), route
        for role, key in held.items():
            answer = at.request(method, path, headers={"x-api-key": key})
            passed = answer.status_code not in (401, 403)
            assert passed == (needed in ALLOWED[role]), (route, role, answer.status_code, answer.text)


def test_no_router_has_a_route_that_the_page_does_not_tell() -> None:
    own = {route.path.replace(":path", "") for router in routers() for route in router.routes if is_route(route)}
    assert own == {route.split()[1] for of_it in EXPECTED.values() for route in of_it}


def is_route(route: object) -> TypeGuard[APIRoute]:
    return isinstance(route, APIRoute)


def test_a_key_is_good_until_its_day_is_over_and_two_keys_together_are_none(
    graph: Graph, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Now(datetime):
        """A clock that stands at the last moment of a day."""

        @classmethod
        def now(cls, zone: tzinfo | None = None) -> Now:
            return cls(2031, 5, 4, 23, 59, 59, tzinfo=zone)

    monkeypatch.setattr("kgrisk.serve.keys.datetime", Now)
    good, over = (
        keys.add("ann", "viewer", expires=date(2031, 5, 4)),
        keys.add("bob", "viewer", expires=date(2031, 5, 3)),
    )
    at = client(graph)
    assert at.get("/v1/measures", headers={"x-api-key": good}).status_code == 200
    refused = at.get("/v1/measures", headers={"x-api-key": over})
    assert refused.status_code == 401 and "past its day" in refused.json()["detail"]
    both = {"x-api-key": good, "authorization": f"Bearer {over}"}
    assert at.get("/v1/measures", headers=both).status_code == 401
    assert at.get("/v1/measures", headers={**both, "authorization": f"Bearer {good}"}).status_code == 200
    for name, begin in (("x-api-key", ""), ("authorization", "Bearer ")):
        twice = [(name, begin + key) for key in (good, keys.add(name, "viewer"))]
        assert at.get("/v1/measures", headers=twice).status_code == 401, name
        assert at.get("/v1/measures", headers=[twice[0], twice[0]]).status_code == 200, name
    keys.path.write_text(keys.path.read_text().replace("2031-05-03", "someday"))
    assert at.get("/v1/measures", headers={"x-api-key": good}).status_code == 500  # said, and nobody is let in


def test_keys_are_compared_by_their_digests_in_constant_time(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    key, compared = keys.add("ann", "viewer"), []
    keys.add("bob", "viewer")
    true = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((a, b)) or true(a, b))
    for given in (key, "kgr_wrong", ""):
        keys.find(given)
    assert len(compared) == 6 and all(len(a) == len(b) == 64 for a, b in compared)  # both holders, every time


def test_a_spoiled_key_file_lets_nobody_in_and_says_so_without_telling_what_stands_in_it(
    graph: Graph, keys: Keys
) -> None:
    key, at = keys.add("ann", "viewer"), client(graph)
    for content in (f'["{key}"', f'[{{"{key}": 1}}]', "{}x", '{"name": 1}'):
        keys.path.write_text(content)
        for headers in ({"x-api-key": key}, {}):
            assert at.get("/healthz", headers=headers).status_code == 200, content
            told = at.get("/v1/measures", headers=headers)
            assert told.status_code == 500 and "keys.json" in told.json()["detail"], content
            assert key not in told.text and str(graph.home) not in told.text
    keys.path.unlink()
    assert at.get("/v1/measures").status_code == 401


def test_another_host_and_a_page_of_another_origin_are_refused(graph: Graph) -> None:
    at = client(graph)
    assert at.get("/healthz", headers={"host": "evil.example"}).status_code == 421
    assert at.get("/healthz", headers={"host": "127.0.0.1.evil.example:80"}).status_code == 421
    assert at.get("/healthz", headers={"origin": "http://evil.example"}).status_code == 403
    assert at.get("/healthz", headers={"origin": "null"}).status_code == 403
    assert at.get("/healthz", headers={"origin": HERE}).status_code == 200
    assert at.get("/healthz", headers={"host": "localhost:9000", "origin": "http://localhost:9000"}).status_code == 200


def test_a_long_body_is_refused_by_its_length_and_while_it_is_read(graph: Graph) -> None:
    at = client(graph)
    long = json.dumps({"id": "x" * (1 << 20)}).encode()
    assert at.post("/v1/queries/hit_if_fails", content=long).status_code == 413
    chunks = (long[place : place + 65536] for place in range(0, len(long), 65536))
    chunked = at.post("/v1/queries/hit_if_fails", content=chunks)
    assert chunked.status_code == 413 and "content-length" not in chunked.request.headers
    assert chunked.headers["content-type"] == "application/problem+json"


def test_who_asks_too_often_is_told_how_long_to_wait(graph: Graph) -> None:
    app = build(graph)
    guarded = TestClient(Guard(app, rate=Rate(per_second=1, burst=3)), base_url=HERE)
    answers = [guarded.get("/healthz") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_every_answer_carries_the_headers_that_keep_a_browser_safe(graph: Graph) -> None:
    at = client(graph)
    for answer in (at.get("/healthz"), at.get("/v1/none"), at.get("/healthz", headers={"host": "x"})):
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_key_is_ever_logged(graph: Graph, keys: Keys, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    key = keys.add("ann", "viewer")
    with caplog.at_level("DEBUG"):
        at = client(graph)
        at.get("/v1/entities", headers={"x-api-key": key})
        at.get("/v1/entities/none", headers={"authorization": f"Bearer {key}"})
    assert caplog.records and key not in caplog.text
