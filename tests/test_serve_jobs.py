"""Jobs over HTTP: asked for, looked at, called off; questions are answered meanwhile, and see what came of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.jobs.job import OVER, Order
from kgrisk.jobs.queue import WAITING
from kgrisk.jobs.table import Table
from kgrisk.serve.app import build
from kgrisk.serve.keys import Keys
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, EXPOSURES, FIRM, SMALL, write_registers

HERE = "http://127.0.0.1"
NEW = f"{SMALL},{FIRM},bridge loan,7.00,EUR,2020-01-01,,2020-02-01\n"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("jobs")
    inputs = write_registers(folder / "in")
    with open_graph(folder / "home", settings=Settings(home=folder / "home", inputs=inputs)) as made:
        made.ingest(inputs)
        yield made


@pytest.fixture
def idle(graph: Graph) -> Iterator[TestClient]:
    """An operator's client of an application that is not started: nobody works off what waits."""
    (graph.home / "jobs.sqlite").unlink(missing_ok=True)
    keys = Keys(graph.home / "keys.json")
    key = keys.add("olga", "operator")
    app = build(graph)
    yield TestClient(app, base_url=HERE, raise_server_exceptions=False, headers={"x-api-key": key})
    app.state.jobs.close()
    keys.path.unlink()
    for file in graph.home.glob("jobs.sqlite*"):
        file.unlink()


def test_a_job_is_asked_for_and_stands_at_its_address(idle: TestClient) -> None:
    asked = idle.post("/v1/jobs", json={"kind": "refresh", "folder": "inputs"})
    assert asked.status_code == 202 and asked.headers["location"] == f"/v1/jobs/{asked.json()['id']}"
    told = idle.get(asked.headers["location"]).json()
    assert (told["state"], told["who"], told["progress"], told["folder"]) == ("queued", "olga", 0, True)
    assert idle.get(f"/v1/jobs/{'0' * 32}").status_code == 404
    assert idle.get("/v1/jobs/nothing").status_code == 422


def test_a_folder_from_outside_is_never_read(idle: TestClient) -> None:
    for folder in ("/etc", "../in", "inputs/..", 7, None):
        refused = idle.post("/v1/jobs", json={"kind": "refresh", "folder": folder})
        assert refused.status_code == 422, folder
    assert idle.post("/v1/jobs", json={"kind": "shell"}).status_code == 422
    assert idle.get("/v1/jobs").json()["rows"] == []


def test_a_server_without_a_folder_says_how_to_set_one(graph: Graph, idle: TestClient) -> None:
    graph.settings.inputs, kept = None, graph.settings.inputs
    refused = idle.post("/v1/jobs", json={"folder": "inputs"})
    graph.settings.inputs = kept
    assert refused.status_code == 422 and "KGRISK_INPUTS" in refused.json()["detail"]


def test_the_same_key_is_the_same_job_and_not_another_order(idle: TestClient) -> None:
    key = {"Idempotency-Key": "monday-1"}
    one, same = (idle.post("/v1/jobs", json={"folder": "inputs"}, headers=key) for _ in range(2))
    assert (one.status_code, same.status_code) == (202, 202) and one.json()["id"] == same.json()["id"]
    other = idle.post("/v1/jobs", json={"folder": "inputs", "whole": True}, headers=key)
    assert other.status_code == 422 and one.json()["id"] in other.json()["detail"]
    assert idle.post("/v1/jobs", json={}, headers={"Idempotency-Key": "two words"}).status_code == 422
    assert len(idle.get("/v1/jobs").json()["rows"]) == 1


def test_jobs_are_listed_newest_first_page_by_page_and_too_many_may_not_wait(idle: TestClient) -> None:
    made = [idle.post("/v1/jobs", json={}).json()["id"] for _ in range(WAITING)]
    full = idle.post("/v1/jobs", json={})
    assert full.status_code == 429 and full.headers["retry-after"] == "60"
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = idle.get("/v1/jobs", params={"limit": 20, "cursor": cursor, "state": "queued"}).json()
        seen += [row["id"] for row in page["rows"]]
        cursor = page["next_cursor"]
    assert seen == made[::-1]
    assert idle.get("/v1/jobs", params={"state": "done"}).json() == {"rows": [], "next_cursor": None}
    assert idle.get("/v1/jobs", params={"state": "ready"}).status_code == 422


def test_what_waits_is_called_off_at_once_and_what_is_over_cannot_be(idle: TestClient) -> None:
    at = idle.post("/v1/jobs", json={}).headers["location"]
    stopped = idle.delete(at)
    assert stopped.status_code == 200 and stopped.json()["state"] == "cancelled"
    again = idle.delete(at)
    assert again.status_code == 409 and "is cancelled since" in again.json()["detail"]
    assert idle.delete(f"/v1/jobs/{'f' * 32}").status_code == 404


def test_failures_are_told_with_the_reason(graph: Graph, idle: TestClient) -> None:
    table = Table(graph.home)
    for number in range(3):
        table.end(table.begin(Order(), "by hand"), "failed", error=f"disk {number} is full")
    first = idle.get("/v1/failures", params={"limit": 2}).json()
    rest = idle.get("/v1/failures", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    told = [row["detail"] for row in first["rows"] + rest["rows"]]
    assert told == ["disk 2 is full", "disk 1 is full", "disk 0 is full"] and rest["next_cursor"] is None
    far = "WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDBd"  # [10**31] as a cursor
    assert idle.get("/v1/failures", params={"cursor": far}).status_code == 200


def wait_until(client: TestClient, at: str, *states: str) -> tuple[dict[str, Any], int]:
    """The job once it is in one of these states, and how many questions were answered until then."""
    answered, end = 0, time.monotonic() + 240
    while (told := client.get(at).json())["state"] not in states:
        assert time.monotonic() < end and told["state"] not in OVER, told
        found = client.get(f"/v1/entities/{BIG}")
        rows = client.post("/v1/queries/hit_if_fails", json={"id": BIG})
        assert (found.status_code, rows.status_code) == (200, 200), rows.json()
        answered += 1
        time.sleep(0.5)
    return told, answered


@pytest.mark.slow
def test_questions_are_answered_while_a_refresh_runs_and_the_next_one_sees_what_it_committed(graph: Graph) -> None:
    keys = Keys(graph.home / "keys.json")
    key = keys.add("root", "admin")
    with TestClient(build(graph), base_url=HERE, headers={"x-api-key": key}) as client:
        before = client.post("/v1/queries/hit_if_fails", json={"id": FIRM}).json()
        (Path(str(graph.settings.inputs)) / "registers" / "exposures.csv").write_text(EXPOSURES + NEW)
        at = client.post("/v1/jobs", json={"folder": "inputs"}).headers["location"]
        told, answered = wait_until(client, at, "done")
        after = client.post("/v1/queries/hit_if_fails", json={"id": FIRM}).json()
    keys.path.unlink()
    assert answered >= 3 and told["progress"] == 1 and told["attempt"] == 1
    assert told["stats"]["commit"] == after["commit"] == graph.ledger.head > before["commit"]
    assert {row["creditor"] for row in before["rows"] if row["nearest"] == 1} == {BIG}
    assert {row["creditor"] for row in after["rows"] if row["nearest"] == 1} == {BIG, SMALL}
    assert "sync" not in told["stats"]["seconds"], "the server holds the store and syncs itself"


@pytest.mark.slow
def test_a_refresh_that_runs_is_told_to_stop_and_ends(graph: Graph) -> None:
    keys = Keys(graph.home / "keys.json")
    key = keys.add("root", "admin")
    with TestClient(build(graph), base_url=HERE, headers={"x-api-key": key}) as client:
        at = client.post("/v1/jobs", json={"folder": "inputs", "whole": True}).headers["location"]
        wait_until(client, at, "running")
        told = client.delete(at)
        assert told.status_code == 202 and told.json()["state"] == "running"
        over, _ = wait_until(client, at, "cancelled")
        assert client.delete(at).status_code == 409
        assert client.get("/v1/failures").json()["rows"] == [], "what is called off has not failed"
    keys.path.unlink()
    assert "told to stop" in over["error"] and over["ended"] and over["attempt"] == 1
