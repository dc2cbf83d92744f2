"""The OpenAPI page is kept to: requests drawn from it, good and bad, get the answers that it tells, and never a 500."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from schemathesis.checks import CHECKS
from schemathesis.config import (
    ChecksConfig,
    GenerationConfig,
    OperationConfig,
    OperationsConfig,
    PhasesConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
    StatefulPhaseConfig,
)
from schemathesis.config._checks import NegativeDataRejectionConfig
from schemathesis.engine import events, from_schema
from schemathesis.filters import FilterSet

from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.serve.app import build
from kgrisk.serve.keys import MAY, Keys
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG
from tests.serve_planted import plant

HERE = "http://127.0.0.1"
SEED = 7
LEAST = 1000
"""Cases that have to be tried."""
REFUSED = ["2xx", "3xx", "401", "403", "404", "409", "429"]
"""Answers to a request that fits the page."""
MEANT = ["/v1/queries/", "/v1/cypher", "/v1/risk", "/v1/cases", "/v1/ask", "/v1/jobs", "/v1/documents"]
MEANT += ["/v1/search", "/v1/entities$", "/v1/links$", "/v1/scores/", "/v1/alerts", "/v1/risk/runs$", "/v1/audit"]
"""Begin the paths whose bodies or cursors mean something by the graph or in a language of their own, else 422."""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("contract")
    home = folder / "home"
    with open_graph(home, settings=Settings(home=home, serve_rate=1e6, serve_burst=10**6)) as made:
        plant(made, folder / "in")
        assert made.store.mark  # the embedded store is slow to start, and the first to ask would wait for it
        yield made


@pytest.fixture(scope="module")
def app(graph: Graph) -> FastAPI:
    return build(graph)


def config(key: str, examples: int) -> SchemathesisConfig:
    """All checks, with the seed; where a 422 tells what a body means, it is one of the answers."""
    positive = PositiveDataAcceptanceConfig(expected_statuses=[*REFUSED, "501", "503", "504"])
    negative = NegativeDataRejectionConfig(
        expected_statuses=["400", "401", "403", "404", "405", "406", "409", "413", "414", "415", "422", "429"]
    )
    meant = PositiveDataAcceptanceConfig(expected_statuses=[*REFUSED, "422", "501", "503", "504"])
    chosen = FilterSet()
    chosen.include(path_regex="|".join(f"^{path}" for path in MEANT))
    project = ProjectConfig(
        headers={"X-Api-Key": key},
        base_url=HERE,
        request_timeout=120,
        generation=GenerationConfig(
            max_examples=examples, deterministic=True, database="none", no_shrink=True, with_security_parameters=False
        ),
        phases=PhasesConfig(stateful=StatefulPhaseConfig(enabled=False)),
        checks=ChecksConfig(positive_data_acceptance=positive, negative_data_rejection=negative),
        operations=OperationsConfig(
            operations=[OperationConfig(filter_set=chosen, checks=ChecksConfig(positive_data_acceptance=meant))]
        ),
    )
    return SchemathesisConfig(seed=SEED, projects=ProjectsConfig(default=project))


def tried(app: FastAPI, key: str, examples: int) -> tuple[int, Counter[str], list[str]]:
    """How many cases were tried, how often each check was made, and what failed."""
    schema = schemathesis.openapi.from_dict(app.openapi(), config=config(key, examples))
    schema.app = app
    cases, checks, failed = 0, Counter[str](), []
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            failed.append(str(getattr(event, "info", getattr(event, "exception", event)))[:1000])
        if not isinstance(event, events.ScenarioFinished):
            continue
        cases += len(event.recorder.cases)
        for id, made in event.recorder.checks.items():
            checks.update(check.name for check in made)
            failed += [told(event.recorder, id, check) for check in made if check.status.name == "FAILURE"]
    return cases, checks, failed


def told(recorder: Any, id: str, check: Any) -> str:
    """A failed check with what was asked and answered."""
    case, response = recorder.cases[id].value, recorder.interactions[id].response
    asked = f"{case.method} {case.formatted_path}"[:300]
    sent = f"{str(dict(case.query or {}))[:300]} {str(case.body)[:300]}"
    answer = f"{response.status_code} {response.content[:300]!r}" if response else "no answer"
    return f"{check.name}: {asked} {sent} -> {answer}: {str(check.failure_info.failure.message)[:300]}"


@pytest.mark.slow
def test_what_the_page_says_holds_for_requests_drawn_from_it(graph: Graph) -> None:
    keys = Keys(graph.home / "keys.json")
    try:
        cases, checks, failed = tried(build(graph), keys.add("all", "analyst_cypher"), examples=3)
    finally:
        keys.path.unlink()
    assert not failed, f"{len(failed)} failed, such as " + "\n".join(failed[:8])
    assert cases >= LEAST, cases
    assert {"not_a_server_error", "positive_data_acceptance", "negative_data_rejection", "ignored_auth"} <= {*checks}
    assert {*checks} <= {*CHECKS.get_all_names()}


WRONG: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "application/json"),
    "cut": (b'{"measure": "debtrank", "shock": {"', "application/json"),
    "cut in a sign": (b'{"measure": "d\xe2\x82', "application/json"),
    "latin-1": ('{"measure": "dé"}'.encode("latin-1"), "application/json"),
    "utf-16": ('{"measure": "debtrank"}'.encode("utf-16"), "application/json"),
    "utf-7": (b'{"measure": "+AGQ-"}', "application/json; charset=utf-7"),
    "lone surrogate": (b'{"measure": "\\ud800"}', "application/json"),
    "nan": (b'{"shock": {"a": NaN}}', "application/json"),
    "infinity": (b'{"shock": {"a": -Infinity}, "include_predicted": Infinity}', "application/json"),
    "deep list": (b"[" * 100_000 + b"]" * 100_000, "application/json"),
    "deep object": (b'{"params":' * 5_000 + b"1" + b"}" * 5_000, "application/json"),
    "huge integer": (b'{"draws": ' + b"9" * 5_000 + b"}", "application/json"),
    "huge float": (b'{"include_predicted": 1e999}', "application/json"),
    "long string": (json.dumps({"measure": "x" * 900_000}).encode(), "application/json"),
    "twice the same name": (b'{"measure": "debtrank", "measure": ["x"]}', "application/json"),
    "null": (b"null", "application/json"),
    "nulls inside": (b'{"measure": null, "shock": null, "text": null, "id": null}', "application/json"),
    "nul": (b'{"measure": "\\u0000", "text": "\\u0000"}', "application/json"),
    "a list": (b"[]", "application/json"),
    "a number": (b"1", "application/json"),
    "a text": (b'"x"', "application/json"),
    "wrong types": (b'{"measure": [], "shock": 1, "text": {}, "what": 1, "items": 1, "ids": {}}', "application/json"),
    "names unknown": (b'{"__proto__": {"x": 1}, "constructor": 1}', "application/json"),
    "xml": (b"<a><!ENTITY x SYSTEM 'file:///etc/passwd'></a>", "application/xml"),
    "form": (b"measure=debtrank", "application/x-www-form-urlencoded"),
    "multipart": (b'--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--', "multipart/form-data; boundary=x"),
    "no type": (b'{"measure": "debtrank"', ""),
    "pickle": (b"\x80\x04\x95\x00", "application/octet-stream"),
    "trailing": (b'{"measure": "debtrank"} {"x": 1}', "application/json"),
    "comments": (b'{"measure": /* x */ "debtrank"}', "application/json"),
}  # fmt: skip
"""Bodies of which no route can make sense."""


def test_a_malformed_body_is_a_problem_of_who_sent_it(graph: Graph, app: FastAPI) -> None:
    client = TestClient(app, base_url=HERE, raise_server_exceptions=False)
    asked = 0
    for path, ways in app.openapi()["paths"].items():
        for method in sorted({"post", "put", "patch", "delete"} & ways.keys()):
            filled = path.replace("{name}", "hit_if_fails").replace("{part}", "nodes").replace("{id}", "0" * 12)
            for name, (content, kind) in WRONG.items():
                headers = {"content-type": kind} if kind else {}
                answer = client.request(method.upper(), filled, content=content, headers=headers)
                asked += 1
                assert answer.status_code < 500, (method, path, name, answer.text[:500])
                if answer.status_code >= 400:
                    assert answer.headers["content-type"] == "application/problem+json", (path, name)
                    assert answer.json()["detail"] and answer.json()["status"] == answer.status_code
    assert asked > 300


def test_bodies_that_fit_no_schema_are_refused_by_the_routes_that_have_one(graph: Graph, app: FastAPI) -> None:
    client = TestClient(app, base_url=HERE, raise_server_exceptions=False)
    for name, (content, kind) in WRONG.items():
        headers = {"content-type": kind} if kind else {}
        for path in ("/v1/risk", "/v1/search"):
            answer = client.post(path, content=content, headers=headers)
            assert 400 <= answer.status_code < 500, (path, name, answer.status_code)


@pytest.mark.parametrize("name", ["valid", "known", "published"])
def test_a_clock_that_is_none_or_out_of_the_calendar_is_refused_in_words(app: FastAPI, name: str) -> None:
    client = TestClient(app, base_url=HERE, raise_server_exceptions=False)
    for text in (
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2023-02-30",
        "0000-01-01",
        "١٢",
        "\x00",
        "-1",
    ):
        answer = client.get("/v1/graph", params={name: text})
        assert answer.status_code == 422 and name in answer.json()["detail"], text
    for text in ("2022-12-31", "9999-12-31", "0001-01-01", "2022-12-31T10:00:00Z", ""):
        assert client.get("/v1/graph", params={name: text}).status_code == 200, text


def test_every_listing_goes_on_by_its_cursor_and_ends_with_none(app: FastAPI) -> None:
    client = TestClient(app, base_url=HERE, raise_server_exceptions=False)
    pages = {path: ways.get("get") for path, ways in app.openapi()["paths"].items() if "{" not in path}
    listings = [path for path, way in pages.items() if paged(way) and way["x-permission"] in MAY["analyst"]]
    assert {"/v1/entities", "/v1/links", "/v1/risk/runs"} <= {*listings}
    for path in [*listings, "/v1/scores/distress"]:
        whole = client.get(path, params={"limit": 500}).json()
        seen: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            page = client.get(path, params={"limit": 2, "cursor": cursor}).json()
            assert len(page["rows"]) <= 2
            seen, cursor = [*seen, *page["rows"]], page["next_cursor"]
        assert seen == whole["rows"] and whole["next_cursor"] is None, path
        assert client.get(path, params={"cursor": "bm9uc2Vuc2U"}).status_code == 422, path
        assert client.get(path, params={"limit": 501}).status_code == 422


def paged(way: dict[str, Any] | None) -> bool:
    """Whether a route is a listing."""
    return way is not None and "cursor" in {given["name"] for given in way.get("parameters", ())}


def test_every_table_has_its_forms_and_an_etag_of_its_own(app: FastAPI) -> None:
    client = TestClient(app, base_url=HERE, raise_server_exceptions=False)
    for path in ("/v1/entities", "/v1/scores/distress", "/v1/links", "/v1/search?q=bank", "/v1/risk/runs"):
        answers = [client.get(path, headers={"accept": kind}) for kind in KINDS]
        assert [answer.headers["content-type"].partition(";")[0] for answer in answers] == KINDS, path
        assert len({answer.headers["etag"] for answer in answers}) == len(KINDS)
        assert all("Accept" in answer.headers["vary"] and answer.headers["x-commit"] == "2" for answer in answers)
        again = client.get(path, headers={"accept": KINDS[1], "if-none-match": answers[1].headers["etag"]})
        assert again.status_code == 304 and not again.content
        assert client.get(path, headers={"accept": "image/gif"}).status_code == 406


KINDS = [
    "application/json",
    "application/vnd.apache.arrow.stream",
    "text/csv",
    "application/x-ndjson",
    "application/vnd.apache.parquet",
]


def test_texts_are_found_by_their_words_and_files_by_their_digest_alone(app: FastAPI, tmp_path: Path) -> None:
    client = TestClient(app, base_url=HERE, raise_server_exceptions=False)
    found = client.get("/v1/search", params={"by": "text", "q": "MILL sold"}).json()["rows"]
    assert found[0]["name"].startswith("doc:") or found[0]["property"] == "title"
    assert "mill" in found[0]["snippet"].casefold() and len(found[0]["statement"]) == 32
    assert client.get("/v1/search", params={"by": "text", "q": "nowheretobefound"}).json()["rows"] == []
    named = client.get("/v1/search", params={"by": "text", "q": "big", "label": "Bank"}).json()["rows"]
    assert {row["id"] for row in named} == {BIG}
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"x")
    for what in (str(secret), "/etc/passwd", "..", "0" * 64):
        refused = client.post("/v1/search", json={"what": what, "by": "image"})
        assert refused.status_code == (404 if what == "0" * 64 else 422), what


def test_a_score_tells_when_it_was_published_and_leads_to_its_evidence(app: FastAPI) -> None:
    client = TestClient(app, base_url=HERE, raise_server_exceptions=False)
    rows = client.get("/v1/scores/distress").json()["rows"]
    assert rows and all(row["published"] and len(row["statement"]) == 32 for row in rows)
    for row in rows:
        ways = [client.get(f"/v1/evidence/{what}").json() for what in (row["statement"], f"distress:{row['id']}")]
        assert ways[0]["what"]["statement"] == ways[1]["what"]["statement"] == row["statement"], ways
