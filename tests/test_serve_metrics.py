"""The numbers of the server are those of what was asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.jobs.job import Order
from kgrisk.jobs.table import Table
from kgrisk.serve.app import build
from kgrisk.serve.keys import Keys
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, write_registers

HERE = "http://127.0.0.1"
Numbers = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("metrics")
    with open_graph(folder / "home", settings=Settings(home=folder / "home")) as made:
        made.ingest(write_registers(folder / "in"))
        yield made


def numbers(client: TestClient, key: str = "") -> Numbers:
    """Every number of /metrics by its name and labels."""
    answer = client.get("/metrics", headers={"x-api-key": key} if key else {})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.text)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def of(numbers: Numbers, name: str, /, **labels: str) -> float:
    """One number; 0 of a series that nobody began."""
    return numbers.get((name, tuple(sorted(labels.items()))), 0.0)


def test_requests_are_counted_by_template_status_and_role(graph: Graph) -> None:
    client = TestClient(build(graph), base_url=HERE, raise_server_exceptions=False)
    for path in (
        f"/v1/entities/{BIG}",
        f"/v1/entities/{BIG}",
        "/v1/entities/nobody",
        "/v1/nothing",
        "/v1/secret-canary",
    ):
        client.get(path)
    client.head(f"/v1/entities/{BIG}")
    client.get("/healthz", headers={"host": "evil.example"})
    found, name = numbers(client), "kgrisk_http_requests_total"
    entity = {"method": "GET", "route": "/v1/entities/{id}", "role": "analyst"}
    assert of(found, name, **entity, status="200") == 2 and of(found, name, **entity, status="404") == 1
    assert of(found, name, **{**entity, "method": "HEAD"}, status="200") == 1
    assert of(found, name, method="GET", route="(none)", role="", status="404") == 2
    assert of(found, name, method="GET", route="(none)", role="", status="421") == 1
    assert of(found, "kgrisk_http_seconds_count", method="GET", route="/v1/entities/{id}") == 3
    assert of(found, "kgrisk_http_seconds_bucket", method="GET", route="/v1/entities/{id}", le="+Inf") == 3
    assert of(found, "kgrisk_http_in_flight") == 1  # the question for the numbers itself
    assert "canary" not in str(found) and "nobody" not in str(found)


def test_views_commit_lag_jobs_and_memory_are_told(graph: Graph) -> None:
    client = TestClient(build(graph), base_url=HERE, raise_server_exceptions=False)
    for _ in range(3):
        client.get(f"/v1/entities/{BIG}")
    client.get(f"/v1/entities/{BIG}", params={"published": "2020-03-01"})
    found = numbers(client)
    assert of(found, "kgrisk_views_total", found="made") == 2 and of(found, "kgrisk_views_total", found="memory") == 2
    assert of(found, "kgrisk_commit") == 1 == of(found, "kgrisk_store_lag")
    assert of(found, "process_resident_memory_bytes") > 10_000_000
    assert not [name for name, _ in found if name == "kgrisk_jobs"]
    client.get("/readyz")
    table = Table(graph.home)
    table.submit(Order("refresh", {}), "ann")
    table.close()
    found = numbers(client)
    assert of(found, "kgrisk_store_lag") == 0 and of(found, "kgrisk_jobs", state="queued") == 1


def test_numbers_need_a_key_like_any_answer_and_two_apps_count_apart(graph: Graph) -> None:
    one, other = (TestClient(build(graph), base_url=HERE) for _ in range(2))
    one.get("/v1/measures")
    name, labels = "kgrisk_http_requests_total", {"method": "GET", "route": "/v1/measures", "role": "analyst"}
    assert of(numbers(one), name, **labels, status="200") == 1 and of(numbers(other), name, **labels, status="200") == 0
    key = Keys(graph.home / "keys.json").add("scraper", "viewer")
    assert one.get("/metrics").status_code == 401
    assert numbers(one, key)
