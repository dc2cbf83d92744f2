"""The audit log of the HTTP door: who asked what, without a secret, on disk before a write is answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kgrisk.api import open as open_graph
from kgrisk.audit import Act, Audit
from kgrisk.audit_check import verify
from kgrisk.serve.app import build
from kgrisk.serve.keys import Keys
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, FIRM, write_registers

HERE = "http://127.0.0.1"
CANARY = "canary-77-SECRET"


class World:
    """A server with an admin, an analyst and a viewer."""

    def __init__(self, home: Path, client: TestClient, keys: dict[str, str]) -> None:
        self.home, self.client, self.keys = home, client, keys

    def ask(self, who: str, method: str, path: str, **more: Any) -> Any:
        headers = {"authorization": f"Bearer {self.keys[who]}"} if who else {}
        return self.client.request(method, path, headers={**headers, **more.pop("headers", {})}, **more)

    def rows(self, count: int) -> list[dict[str, Any]]:
        """The log once it has so many entries more than none: reads are written a moment after their answer."""
        until = time.monotonic() + 10
        while len(rows := list(Audit(self.home).rows())) < count and time.monotonic() < until:
            time.sleep(0.01)
        return rows


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("audited")
    with open_graph(folder / "home", settings=Settings(home=folder / "home")) as graph:
        graph.ingest(write_registers(folder / "in"))
        own = Keys(graph.home / "keys.json")
        keys = {role: own.add(f"{role}-1", role) for role in ("admin", "analyst", "viewer")}
        with TestClient(build(graph), base_url=HERE, raise_server_exceptions=False) as client:
            yield World(graph.home, client, keys)


def test_every_request_is_written_down_with_who_what_when_and_what_came_of_it(world: World) -> None:
    before = len(world.rows(0))
    world.ask("viewer", "GET", f"/v1/entities/{BIG}", params={"valid": "2021-01-01"})
    world.ask("analyst", "POST", "/v1/risk", json={"measure": "debtrank", "shock": {FIRM: 1.0}})
    world.ask("viewer", "POST", "/v1/risk", json={"measure": "debtrank", "shock": {FIRM: 1.0}})
    world.ask("", "GET", "/v1/entities")
    world.ask("viewer", "GET", "/v1/nothing/here")
    world.ask("", "GET", "/healthz")
    entries = [row["entry"] for row in world.rows(before + 5)[before:]]
    told = [(entry["who"], entry["role"], entry["what"], entry["status"]) for entry in entries]
    assert told == [
        ("viewer-1", "viewer", "GET /v1/entities/{id}", 200),
        ("analyst-1", "analyst", "POST /v1/risk", 200),
        ("viewer-1", "viewer", "POST /v1/risk", 403),
        ("", "", "GET /v1/entities", 401),
        ("viewer-1", "viewer", "GET (no route)", 404),
    ]
    first, risk = entries[:2]
    assert first["clocks"]["valid"].startswith("2021-01-01") and first["commit"] == 1 and first["door"] == "http"
    details = [row["detail"]["parameters"] for row in world.rows(before + 5)[before:]]
    assert details[0] == {"id": BIG, "valid": "2021-01-01"}
    assert details[1] == {"body": {"measure": "debtrank", "shock": {FIRM: "1.0"}}} and risk["ms"] >= 0
    assert details[4] == {"path": "/v1/nothing/here"}
    assert verify(Audit(world.home)).whole


def test_the_log_is_read_page_by_page_by_who_administers_and_by_nobody_else(world: World) -> None:
    for who, status in (("", 401), ("viewer", 403), ("analyst", 403), ("admin", 200)):
        assert world.ask(who, "GET", "/v1/audit").status_code == status
        assert world.ask(who, "GET", "/v1/audit/verify").status_code == status
    seen: list[int] = []
    cursor = ""
    count = len(world.rows(0))
    while cursor is not None and len(seen) < count:
        page = world.ask("admin", "GET", "/v1/audit", params={"limit": 3, "cursor": cursor}).json()
        seen += [row["sequence"] for row in page["rows"]]
        cursor = page["next_cursor"]
    assert seen[:count] == list(range(1, count + 1))
    own = world.ask("admin", "GET", "/v1/audit", params={"who": "viewer-1"}).json()["rows"]
    assert {row["who"] for row in own} == {"viewer-1"} and own[0]["parameters"]
    assert world.ask("admin", "GET", "/v1/audit", params={"since": "2999-01-01"}).json()["rows"] == []
    for wrong in ({"since": "someday"}, {"cursor": "bm90aGluZw"}, {"limit": 0}):
        assert world.ask("admin", "GET", "/v1/audit", params=wrong).status_code == 422
    found = world.ask("admin", "GET", "/v1/audit/verify").json()
    assert found["whole"] and found["entries"] >= count
    gone = world.ask("admin", "GET", "/v1/audit/verify", params={"anchor": f"100000:{'0' * 64}"}).json()
    assert not gone["whole"] and gone["broken"] > count
    assert world.ask("admin", "GET", "/v1/audit/verify", params={"anchor": "1:x"}).status_code == 422


def test_no_secret_reaches_a_file_or_a_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    before = len(world.rows(0))
    stray = "kgr_" + "Ab9" * 14
    world.ask("", "GET", f"/v1/entities/{stray}", headers={"authorization": f"Bearer {CANARY}"})
    world.ask(
        "viewer", "GET", f"/v1/{stray}", headers={"x-api-key": world.keys["viewer"], "cookie": f"session={CANARY}"}
    )
    asked = {"q": "bank", "password": CANARY, "api_key": CANARY, "access_token": CANARY, "key": CANARY}
    world.ask("viewer", "GET", "/v1/search", params=asked)
    body = {"measure": "debtrank", "shock": {FIRM: 1.0}, "params": {"secret": CANARY, "token": [CANARY]}}
    world.ask("analyst", "POST", "/v1/risk", json=body)
    world.ask("analyst", "POST", "/v1/risk", content=f"password={CANARY}&x=1")
    assert len(world.rows(before + 5)) >= before + 5
    every = b"".join(file.read_bytes() for file in world.home.rglob("*") if file.is_file())
    own = [record.getMessage() for record in caplog.records if record.name.startswith(("kgrisk", "uvicorn", "fastapi"))]
    for secret in (CANARY, stray, *world.keys.values()):
        assert secret.encode() not in every and secret not in "\n".join(own)


def test_a_write_is_on_disk_before_its_answer_and_an_unwritable_log_answers_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        world.ask("analyst", "POST", "/v1/risk", json={"measure": "debtrank", "shock": {FIRM: 1.0}})
        last = list(Audit(world.home).rows())[-1]["entry"]
        assert (last["what"], last["status"]) == ("POST /v1/risk", 200)

    def full(audit: Audit, acts: list[Act]) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Audit, "append", full)
    refused = world.ask("analyst", "POST", "/v1/risk", json={"measure": "debtrank", "shock": {FIRM: 1.0}})
    assert refused.status_code == 503 and "audit log cannot be written" in refused.json()["detail"]
    assert refused.headers["content-type"] == "application/problem+json"
    assert world.ask("viewer", "GET", f"/v1/entities/{BIG}").status_code == 503
    monkeypatch.undo()
    assert world.ask("analyst", "POST", "/v1/risk", json={"measure": "none"}).status_code == 422
    assert world.ask("viewer", "GET", f"/v1/entities/{BIG}").status_code == 200
    assert verify(Audit(world.home)).whole
