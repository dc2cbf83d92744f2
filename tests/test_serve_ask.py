"""Questions and briefs over HTTP, for those who may see everything and for those who may not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from kgrisk.api import open as open_graph
from kgrisk.serve.app import build
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, FIRM, write_registers


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("serve-ask")
    with open_graph(folder / "home", settings=Settings(home=folder / "home")) as made:
        made.ingest(write_registers(folder / "in"))
        with TestClient(build(made), base_url="http://127.0.0.1", raise_server_exceptions=False) as asked:
            yield asked


def test_a_question_is_answered_with_statements_and_clocks(client: TestClient) -> None:
    told = client.post("/v1/ask", json={"question": "What does Steel Works SA owe Big Bank AG?"}).json()
    assert told["kind"] == "debt" and not told["abstained"] and told["commit"] == 1
    (said,) = told["sentences"]
    evidence = client.get(f"/v1/evidence/{said['statements'][0]}").json()
    assert "40.00" in evidence["claims"][0]["quote"]


def test_what_is_not_in_the_graph_is_an_answer_and_no_error(client: TestClient) -> None:
    told = client.post("/v1/ask", json={"question": "Who owns Nobody Industries plc?"})
    assert told.status_code == 200
    assert (told.json()["answer"], told.json()["reason"]) == ("not in the graph", "unknown entity")


def test_clocks_of_the_request_count(client: TestClient) -> None:
    asked = {"question": "What was Steel Works SA's revenue in 2019?"}
    assert not client.post("/v1/ask", json=asked).json()["abstained"]
    assert client.post("/v1/ask?published=2020-02-10", json=asked).json()["abstained"]


@pytest.mark.parametrize("body", [{}, {"question": ""}, {"question": "x" * 1001}, {"question": 1}, {"question": "??"}])
def test_what_is_no_question_is_refused(client: TestClient, body: dict[str, object]) -> None:
    assert client.post("/v1/ask", json=body).status_code == 422


def test_kinds_are_listed_and_a_brief_is_of_an_entity_that_is_there(client: TestClient) -> None:
    assert {"hit_if_fails", "figure"} <= {kind["name"] for kind in client.get("/v1/questions").json()["kinds"]}
    told = client.get(f"/v1/brief/{FIRM}", params={"since": "2020-01-01"}).json()["brief"]
    assert told["name"] == "Steel Works SA" and told["sections"][-1]["name"] == "what was published since"
    assert client.get("/v1/brief/lei:nobody").status_code == 404
    assert client.get(f"/v1/brief/{BIG}", params={"since": "soon"}).status_code == 422
