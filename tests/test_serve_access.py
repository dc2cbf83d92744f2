"""Who may come in: keys, roles, hosts, origins, bodies and rates."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from kg.errors import SettingsError
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.serve.app import build, routers
from kgrisk.serve.guard import Guard, Rate
from kgrisk.serve.keys import MAY, Keys, Role
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


def test_every_route_names_its_permission_and_only_roles_that_have_it_pass(graph: Graph, keys: Keys) -> None:
    app = build(graph)
    held: dict[Role, str] = {role: keys.add(role, role) for role in MAY}
    at = TestClient(app, base_url=HERE, raise_server_exceptions=False)
    page = at.get("/openapi.json").json()
    routes = {(method, path): own for path, ways in page["paths"].items() for method, own in ways.items()}
    assert len(routes) >= 7
    declared = {
        route.path.replace(":path", "")
        for router in routers()
        for route in router.routes
        if isinstance(route, APIRoute)
    }
    assert declared == {path for _, path in routes}
    for (method, path), own in routes.items():
        for role, key in held.items():
            answer = at.request(method, path.replace("{", "").replace("}", ""), headers={"x-api-key": key})
            passed = answer.status_code not in (401, 403)
            assert passed == (own["x-permission"] in MAY[role]), (method, path, role, answer.status_code)


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


def test_a_bucket_fills_again_and_is_each_askers_own() -> None:
    rate = Rate(per_second=2, burst=2)
    assert [rate.wait("a", 0.0) for _ in range(3)] == [0, 0, 0.5]
    assert rate.wait("b", 0.0) == 0
    assert rate.wait("a", 0.5) == 0 and rate.wait("a", 0.5) == 0.5


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
