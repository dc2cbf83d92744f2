"""Cases, saved views, alerts, history, subgraphs and Cypher over HTTP, by role and by what somebody may see."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.serve.app import build
from kgrisk.serve.keys import Keys
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, FIRM, SMALL, write_registers

HERE = "http://127.0.0.1"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("serve-cases")
    with open_graph(folder / "home", settings=Settings(home=folder / "home")) as made:
        made.ingest(write_registers(folder / "in"))
        yield made


@pytest.fixture(scope="module")
def heads(graph: Graph) -> dict[str, dict[str, str]]:
    keys = Keys(graph.home / "keys.json")
    made = {"ann": keys.add("ann", "analyst"), "vic": keys.add("vic", "viewer")}
    made["pat"] = keys.add("pat", "analyst", labels=("Company",))
    return {name: {"X-Api-Key": key} for name, key in made.items()}


@pytest.fixture(scope="module")
def client(graph: Graph, heads: dict[str, dict[str, str]]) -> Iterator[TestClient]:
    with TestClient(build(graph), base_url=HERE, raise_server_exceptions=False) as made:
        yield made


Heads = dict[str, dict[str, str]]


def opened(client: TestClient, head: dict[str, str], *items: str) -> str:
    made = client.post("/v1/cases", headers=head, json={"title": "Steel", "items": list(items), "why": "owes much"})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def test_a_case_goes_from_opening_to_its_pack(client: TestClient, heads: Heads) -> None:
    ann = heads["ann"]
    id = opened(client, ann, FIRM)
    assert client.post(f"/v1/cases/{id}/notes", headers=ann, json={"text": "Asked."}).json()["notes"]
    assert client.post(f"/v1/cases/{id}/items", headers=ann, json={"items": [BIG]}).status_code == 200
    content = client.get(f"/v1/cases/{id}/pack", headers=ann)
    assert content.headers["content-type"] == "application/zip"
    assert "manifest.json" in zipfile.ZipFile(io.BytesIO(content.content)).namelist()
    assert client.post(f"/v1/cases/{id}/close", headers=ann, json={"text": "Done."}).json()["state"] == "closed"
    assert client.post(f"/v1/cases/{id}/notes", headers=ann, json={"text": "More."}).status_code == 409
    assert client.post(f"/v1/cases/{id}/reopen", headers=ann, json={"text": "More."}).json()["state"] == "open"
    assert [row["id"] for row in client.get("/v1/cases", headers=ann).json()["rows"]] == [id]
    assert [entry["by"] for entry in client.get(f"/v1/cases/{id}", headers=ann).json()["entries"]] == ["ann"] * 5


def test_nobody_opens_a_case_about_what_is_not_there(client: TestClient, heads: Heads) -> None:
    ann = heads["ann"]
    refused = client.post("/v1/cases", headers=ann, json={"title": "X", "items": ["lei:nobody"]})
    assert refused.status_code == 404 and "lei:nobody" in refused.json()["detail"]
    assert client.get("/v1/cases/000000000000", headers=ann).status_code == 404
    for bad in ({"title": " "}, {"title": "X", "items": [""]}, {"title": "X", "more": 1}, {}):
        assert client.post("/v1/cases", headers=ann, json=bad).status_code == 422


def test_a_viewer_opens_views_and_writes_nothing(client: TestClient, heads: Heads) -> None:
    ann, vic = heads["ann"], heads["vic"]
    body = {"state": {"id": BIG}, "positions": {BIG: [0.5, 1.5]}, "camera": {"x": 0.1, "ratio": 0.5}}
    made = client.post("/v1/views", headers=ann, json=body).json()
    assert made["link"] == f"/?view={made['id']}"
    seen = client.get(f"/v1/views/{made['id']}", headers=vic).json()
    assert seen["positions"] == {BIG: [0.5, 1.5]} and seen["camera"]["ratio"] == 0.5 and seen["by"] == "ann"
    assert client.post("/v1/views", headers=vic, json=body).status_code == 403
    assert client.get("/v1/cases", headers=vic).status_code == 403
    assert client.get("/v1/views/0000000000000000", headers=vic).status_code == 404


def test_who_sees_a_part_sees_neither_hidden_things_nor_the_work_of_others(client: TestClient, heads: Heads) -> None:
    ann, pat = heads["ann"], heads["pat"]
    others = opened(client, ann, FIRM)
    view = client.post("/v1/views", headers=ann, json={"state": {"id": FIRM}}).json()["id"]
    assert client.get(f"/v1/cases/{others}", headers=pat).status_code == 404
    assert client.get(f"/v1/views/{view}", headers=pat).status_code == 404
    assert FIRM not in client.get("/v1/cases", headers=pat).text + client.get("/v1/views", headers=pat).text
    refused = client.post("/v1/cases", headers=pat, json={"title": "X", "items": [FIRM]})
    assert refused.status_code == 404
    own = opened(client, pat, BIG)
    client.post(f"/v1/cases/{own}/notes", headers=ann, json={"text": f"see {FIRM}"})
    assert FIRM not in client.get(f"/v1/cases/{own}", headers=pat).text
    packed = zipfile.ZipFile(io.BytesIO(client.get(f"/v1/cases/{own}/pack", headers=pat).content))
    assert all(FIRM.encode() not in packed.read(name) for name in packed.namelist())
    for path in ("/v1/subgraph", "/v1/alerts"):
        assert FIRM not in client.get(path, headers=pat).text
    for path in (f"/v1/entities/{FIRM}/history?property=equity", f"/v1/entities/{FIRM}/cypher"):
        assert client.get(path, headers=pat).status_code == 404 and client.get(path, headers=ann).status_code == 200


def test_many_entities_come_laid_out_and_as_tables(client: TestClient, heads: Heads) -> None:
    ann = heads["ann"]
    whole = client.get("/v1/subgraph", headers=ann).json()
    assert {BIG, SMALL, FIRM} <= {node["id"] for node in whole["nodes"]} and whole["more"] == 0
    assert all(abs(node["x"]) <= 1 and abs(node["y"]) <= 1 for node in whole["nodes"])
    few = client.get("/v1/subgraph?limit=2", headers=ann).json()
    assert len(few["nodes"]) == 2 and few["more"] == len(whole["nodes"]) - 2
    asked = {"ids": [BIG, SMALL, "lei:nobody"]}
    rows = client.post("/v1/subgraph/edges", headers=ann, json=asked).json()["rows"]
    assert [(row["source"], row["target"], row["value"]) for row in rows] == [(SMALL, BIG, "100")]
    arrow = client.post("/v1/subgraph/nodes?format=arrow", headers=ann, json=asked)
    assert pa.ipc.open_stream(arrow.content).read_all()["id"].to_pylist() == [SMALL, BIG]


def test_a_named_query_is_copied_with_its_values_and_clocks(client: TestClient, heads: Heads) -> None:
    path = "/v1/queries/exposure_by_counterparty/cypher"
    text = client.post(f"{path}?valid=2022-12-31", headers=heads["ann"], json={"id": BIG}).json()["cypher"]
    assert f"'{BIG}'" in text and "2022-12-3" in text and "$" not in text
    assert client.post(path, headers=heads["ann"], json={}).status_code == 422
