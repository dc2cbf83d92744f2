"""What runs found and what others asked may name what a key hides: audit and jobs are told to who sees everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from kgrisk.api import open as open_graph
from kgrisk.serve.app import build
from kgrisk.serve.keys import Keys, Role
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, write_registers

ROLES: tuple[Role, ...] = ("operator", "admin")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("work")
    with open_graph(folder / "home", settings=Settings(home=folder / "home")) as graph:
        graph.ingest(write_registers(folder / "in"))
        with TestClient(build(graph), base_url="http://127.0.0.1", raise_server_exceptions=False) as made:
            made.app.state.own = Keys(graph.home / "keys.json")  # type: ignore[attr-defined]  # the app is a FastAPI
            yield made


def test_what_operators_and_administrators_are_told_is_told_to_who_sees_everything_alone(client: TestClient) -> None:
    keys: Keys = client.app.state.own  # type: ignore[attr-defined]  # the app is a FastAPI
    whole = {role: keys.add(role, role) for role in ROLES}
    parts = [(role, keys.add(f"{role}-label", role, labels=("Person",))) for role in ROLES]
    parts += [(role, keys.add(f"{role}-source", role, sources=("sanctions",))) for role in ROLES]
    client.get(f"/v1/entities/{BIG}", headers={"x-api-key": whole["admin"]})
    asked = set()
    for path, ways in client.get("/openapi.json").json()["paths"].items():
        for method, way in ((way.upper(), own) for way, own in ways.items()):
            if way["x-permission"] not in ("operate", "administer"):
                continue
            asked.add((method, path))
            filled, body = path.replace("{id}", "0" * 32), {} if method == "POST" else None
            for role, key in parts:
                refused = client.request(method, filled, headers={"x-api-key": key}, json=body)
                assert refused.status_code == 403, (method, path, role)
                may = role == "admin" or way["x-permission"] == "operate"
                assert ("--hide-label" in refused.json()["detail"]) == may, (method, path, role)
            if method == "GET":
                told = client.get(filled, headers={"x-api-key": whole["admin"]})
                assert told.status_code == (404 if "{id}" in path else 200)
    assert len(asked) == 7 and {("POST", "/v1/jobs"), ("GET", "/v1/audit"), ("GET", "/v1/failures")} <= asked
    assert BIG in client.get("/v1/audit", headers={"x-api-key": whole["admin"]}).text
