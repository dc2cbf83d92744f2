"""What a request may cost: bytes, rows, seconds, places and tries; and what no path leads to."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from kg.errors import QueryTimeoutError
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.serve import guard
from kgrisk.serve.app import build
from kgrisk.serve.deadline import within
from kgrisk.serve.keys import Keys
from kgrisk.serve.patience import Patient
from kgrisk.serve.rate import Rate
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, FIRM, SMALL
from tests.serve_planted import plant

QUERY, JSON = "/v1/queries/hit_if_fails", "Content-Type: application/json"
HERE = "http://127.0.0.1"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("limits")
    with open_graph(folder / "home", settings=Settings(home=folder / "home")) as made:
        plant(made, folder / "in")
        yield made


@contextmanager
def set_to(graph: Graph, **values: Any) -> Iterator[TestClient]:
    """A client of the graph under other settings."""
    before = graph.settings
    graph.settings = before.model_copy(update=values)
    try:
        yield TestClient(build(graph), base_url=HERE, raise_server_exceptions=False)
    finally:
        graph.settings = before


@contextmanager
def serving(graph: Graph, **config: Any) -> Iterator[int]:
    """A real server of the graph on a free port."""
    app = build(graph)
    made = uvicorn.Config(app, port=0, log_level="critical", http=Patient, timeout_keep_alive=2, **config)
    server, bound = uvicorn.Server(made), made.bind_socket()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([bound])))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield bound.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


def said(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """What comes back on a raw connection on which these pieces are sent."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        for piece in pieces:
            try:
                line.sendall(piece)
            except OSError:
                break
            time.sleep(pause)
        answer = b""
        try:
            while more := line.recv(65536):
                answer += more
        except OSError:
            pass
        return answer


def head(target: str, *lines: str, method: str = "GET") -> bytes:
    """The head of a request, its target as it stands."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *lines, "", ""]).encode()


def test_a_chunked_body_is_counted_while_it_comes(graph: Graph) -> None:
    with set_to(graph, serve_body=100_000), serving(graph) as port:
        start = head(
            "/v1/queries/hit_if_fails", "Content-Type: application/json", "Transfer-Encoding: chunked", method="POST"
        )
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        answer = said(port, start, piece, piece, b"0\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 413") and b"application/problem+json" in answer and b"serve_body" in answer
        fits = json.dumps({"id": BIG}).encode()
        answer = said(port, start, b"%x\r\n%s\r\n0\r\n\r\n" % (len(fits), fits))
        assert answer.startswith(b"HTTP/1.1 200")


def test_a_body_and_a_head_that_do_not_come_in_time_are_waited_for_no_longer(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Patient, "seconds", 0.5)
    monkeypatch.setattr(guard, "SLOWEST", 0.5)
    with serving(graph) as port:
        start = head(QUERY, JSON, "Content-Length: 50", method="POST")
        began = time.monotonic()
        answer = said(port, start, b"{")
        assert answer.startswith(b"HTTP/1.1 408") and time.monotonic() - began < 5
        began = time.monotonic()
        assert said(port, b"GET / HTTP/1.1\r\n", b"X: y", pause=0.1) == b"" and time.monotonic() - began < 5
        assert said(port, head("/healthz")).startswith(b"HTTP/1.1 200")


def test_one_asker_cannot_take_all_places(graph: Graph) -> None:
    with serving(graph, limit_concurrency=3) as port:
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        time.sleep(0.2)
        assert said(port, head("/healthz")).startswith(b"HTTP/1.1 503")
        for line in held:
            line.close()
        time.sleep(0.2)
        assert said(port, head("/healthz")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "target",
    [
        "/..%2f..%2fkeys.json", "/../keys.json", "/%2e%2e/%2e%2e/keys.json", "/..%5c..%5ckeys.json", "/%00", "/%ff%fe",
        "/explorer.js%00.html", "/%2fetc%2fpasswd", "//etc/passwd", "/" + "a" * 5000, "/v1/scenarios/../../keys.json",
        "/v1/documents/..%2f..%2fkeys.json/page", "/v1/documents/%2e%2e/place?locator=chars:0-9", "/v1/queries/..%2fx",
        "/v1/entities/%00", "/v1/entities/" + "a" * 6000, "/v1/evidence/..%2f..%2fkeys.json", "/v1/search?q=%00",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_what_is_served(graph: Graph, wire: int, target: str) -> None:
    answer = said(wire, head(target))
    assert re.match(rb"HTTP/1.1 (200|404|422)", answer), answer[:200]
    assert b"x-content-type-options: nosniff" in answer.lower()
    for secret in (b"root:", b'"digest":', str(graph.home).encode()):
        assert secret not in answer, answer[:500]
    assert answer.startswith(b"HTTP/1.1 4") or "search" in target


@pytest.fixture(scope="module")
def wire(graph: Graph) -> Iterator[int]:
    Keys(graph.home / "keys.json").path.unlink(missing_ok=True)
    with serving(graph) as port:
        yield port


def test_an_address_that_is_too_long_is_refused(wire: int) -> None:
    assert said(wire, head("/v1/search?q=" + "a" * 9000)).startswith(b"HTTP/1.1 414")


def test_head_is_a_get_without_its_body_and_no_other_origin_is_ever_let_in(wire: int) -> None:
    whole, only = said(wire, head(f"/v1/entities/{BIG}")), said(wire, head(f"/v1/entities/{BIG}", method="HEAD"))
    heads = [re.sub(rb"date: .*?\r\n", b"", answer.partition(b"\r\n\r\n")[0]) for answer in (whole, only)]
    assert heads[0] == heads[1] and only.endswith(b"\r\n\r\n") and not whole.endswith(b"\r\n\r\n")
    options = said(
        wire, head("/v1/search", "Origin: http://127.0.0.1", "Access-Control-Request-Method: POST", method="OPTIONS")
    )
    assert options.startswith(b"HTTP/1.1 405") and b"allow: GET, HEAD, POST" in options
    assert b"access-control" not in (whole + options).lower()
    assert said(wire, head("/healthz", "Origin: http://evil.example")).startswith(b"HTTP/1.1 403")
    twice = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert said(wire, twice).startswith((b"HTTP/1.1 400", b"HTTP/1.1 421"))


def test_rows_are_capped_and_the_answer_says_by_which_cap(graph: Graph) -> None:
    asked = {"json": {"id": BIG}}
    with set_to(graph, serve_rows=1) as client:
        told = client.post("/v1/queries/hit_if_fails", **asked).json()
        assert len(told["rows"]) == 1 and told["truncated"] and "serve_rows" in told["cap"]
        table = client.post("/v1/queries/hit_if_fails?format=csv", **asked)
        assert table.headers["x-truncated"] == "True" and "serve_rows" in table.headers["x-cap"]
    with set_to(graph, serve_rows=1000) as client:
        told = client.post("/v1/queries/hit_if_fails", **asked).json()
        assert len(told["rows"]) == 2 and told["truncated"] is False and "cap" not in told


def test_paths_have_six_edges_at_most(graph: Graph) -> None:
    with set_to(graph) as client:
        asked = {"source": SMALL, "target": FIRM}
        assert client.get("/v1/paths", params={**asked, "hops": 6}).status_code == 200
        assert client.get("/v1/paths", params={**asked, "hops": 7}).status_code == 422
        assert client.get("/v1/paths", params={**asked, "k": 101}).status_code == 422


def test_a_question_that_takes_too_long_is_ended_and_told(graph: Graph) -> None:
    asked = {"measure": "eisenberg_noe", "shock": {FIRM: 1.0}, "draws": 10_000}
    with set_to(graph, serve_seconds=0.02) as client:
        late = client.post("/v1/risk", json=asked)
        assert late.status_code == 504 and "serve_seconds" in late.json()["detail"]
    with set_to(graph) as client:
        assert client.post("/v1/risk", json={**asked, "draws": 2}).status_code == 200


def test_work_is_ended_in_its_own_thread_and_nothing_comes_after_it() -> None:
    def forever() -> None:
        while True:
            sum(range(1000))

    began = time.monotonic()
    with pytest.raises(QueryTimeoutError, match="longer than"):
        within(0.2, forever)
    assert time.monotonic() - began < 5
    for _ in range(200):  # ends at about the same time as its clock
        with suppress(QueryTimeoutError):
            within(0.0005, lambda: sum(range(20_000)))
    end = time.monotonic() + 0.05
    while time.monotonic() < end:  # nothing is raised any more
        sum(range(1000))
    assert within(5, lambda: 7) == 7


def test_who_waits_behind_a_long_question_is_told_to_come_again(graph: Graph) -> None:
    with set_to(graph, serve_seconds=0.2) as client:
        desk, go, held = client.app.state.desk, threading.Event(), threading.Event()  # type: ignore[attr-defined]

        def hold() -> None:
            with desk.turn():
                held.set()
                go.wait(20)

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait(5)
        busy = client.post("/v1/queries/hit_if_fails", json={"id": BIG})
        go.set()
        holder.join()
        assert busy.status_code == 503 and int(busy.headers["retry-after"]) > 0
        assert client.post("/v1/queries/hit_if_fails", json={"id": BIG}).status_code == 200


def test_each_key_has_a_rate_of_its_own_and_made_up_keys_have_one_together(graph: Graph) -> None:
    keys = Keys(graph.home / "keys.json")
    ann, bob = keys.add("ann", "viewer"), keys.add("bob", "viewer")
    try:
        with set_to(graph, serve_rate=0.01, serve_burst=2) as client:

            def ask(key: str) -> int:
                return client.get("/v1/measures", headers={"x-api-key": key}).status_code

            assert [ask(ann), ask(ann), ask(ann)] == [200, 200, 429]
            assert ask(bob) == 200
            assert [ask(f"kgr_made_up_{n}") for n in range(3)] == [401, 401, 429]
            refused = client.get("/v1/measures", headers={"authorization": f"Bearer {ann}"})
            assert refused.status_code == 429 and int(refused.headers["retry-after"]) >= 1
            assert "serve_rate" in refused.json()["detail"]
    finally:
        keys.path.unlink()


def test_what_a_browser_could_run_is_never_handed_on_as_it_is(graph: Graph, tmp_path: Path) -> None:
    page = b"<html><script>alert(1)</script><body>Big Bank AG earned 5 million euros.</body></html>"
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    with set_to(graph) as client:
        for content in (page, drawing):
            digest = graph.files.put(content)
            for rest in ("page", "page?number=1&second=0", "sound?begin=0&end=1", "place?locator=chars:0-5"):
                answer = client.get(f"/v1/documents/{digest}/{rest}")
                kind = answer.headers["content-type"].partition(";")[0]
                assert kind in ("application/json", "application/problem+json"), (rest, kind)
                assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_bucket_fills_again_and_is_each_askers_own() -> None:
    rate = Rate(per_second=2, burst=2)
    assert [rate.wait("a", 0.0) for _ in range(3)] == [0, 0, 0.5]
    assert rate.wait("b", 0.0) == 0
    assert rate.wait("a", 0.5) == 0 and rate.wait("a", 0.5) == 0.5
