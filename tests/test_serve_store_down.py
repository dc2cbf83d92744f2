"""A Neo4j with the settings of docker/compose.yaml: no text reaches files or addresses, and it may go and return."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from fastapi.testclient import TestClient
from neo4j import READ_ACCESS, GraphDatabase
from neo4j.exceptions import DriverError, Neo4jError

from kg.errors import StoreError
from kgrisk import neo4j_local
from kgrisk.api import open as open_graph
from kgrisk.neo4j_local import CACHE, LocalNeo4j, assemble, missing
from kgrisk.serve.app import build
from kgrisk.settings import Settings
from tests.kgrisk_world import BIG, write_registers
from tests.neo4j_server import required

pytestmark = [pytest.mark.slow, pytest.mark.neo4j]
COMPOSE = Path(__file__).parents[1] / "docker" / "compose.yaml"
RECOVERY = 5.0
"""Seconds after the store's return within which the server answers from it again."""


def compose_settings() -> dict[str, str]:
    """Settings of the compose file as neo4j.conf writes them, defaults for what the environment may say."""
    told = yaml.safe_load(COMPOSE.read_text())["services"]["neo4j"]["environment"]
    named = {name.removeprefix("NEO4J_"): value for name, value in told.items() if name != "NEO4J_AUTH"}
    # The image's own rule: one underscore is a dot, two are an underscore.
    plain = {name.replace("__", "\0").replace("_", ".").replace("\0", "_"): value for name, value in named.items()}
    return {name: re.sub(r"\$\{\w+:-(\w+)\}", r"\1", value) for name, value in plain.items()}


@pytest.fixture(scope="module")
def server() -> Iterator[LocalNeo4j]:
    """A server of its own, with every setting of the compose file; Neo4j refuses to start with a wrong name."""
    if reason := missing():
        if required():
            raise StoreError(reason)
        pytest.skip(reason)
    own = {line.partition("=")[0] for line in neo4j_local._CONF.splitlines()}
    more = "".join(f"{name}={value}\n" for name, value in compose_settings().items() if name not in own)
    lib = assemble(Path(os.environ.get("KGRISK_NEO4J_CACHE") or CACHE))
    with LocalNeo4j.start(lib, more=more) as made:
        yield made


def test_what_the_compose_file_forbids_is_forbidden(server: LocalNeo4j, tmp_path: Path) -> None:
    """Asked past every check of ours, so that it is the server which refuses."""
    settings = compose_settings()
    assert settings["internal.dbms.cypher_ip_blocklist"] == "0.0.0.0/0,::/0"
    assert settings["dbms.security.allow_csv_import_from_file_urls"] == "false"
    heard: list[str] = []

    class Ears(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n")
    with HTTPServer(("127.0.0.1", 0), Ears) as canary, GraphDatabase.driver(server.uri, auth=auth(server)) as driver:
        Thread(target=canary.serve_forever, daemon=True).start()
        for url in (
            f"http://127.0.0.1:{canary.server_port}/x",
            f"http://[::1]:{canary.server_port}/x",
            secret.as_uri(),
        ):
            with driver.session(default_access_mode=READ_ACCESS) as session, pytest.raises(Neo4jError):
                session.run("LOAD CSV FROM $url AS line RETURN line", url=url).consume()
        canary.shutdown()
    assert heard == []


def test_a_store_that_goes_and_returns_takes_the_server_along(server: LocalNeo4j, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_graph(home, store=server.url, settings=Settings(home=home, store=server.url)) as graph:
        graph.ingest(write_registers(tmp_path / "in"))
        assert graph.query("hit_if_fails", id=BIG).rows()
    stop(server)
    with (
        open_graph(home, store=server.url, settings=Settings(home=home, store=server.url)) as graph,
        TestClient(build(graph), base_url="http://127.0.0.1", raise_server_exceptions=False) as client,
    ):
        down(client)  # at the start: the server answers what needs no store, and says what is missing
        start(server)
        assert wait(client) < RECOVERY
        rows = answered(client)
        assert len(rows) == 1
        stop(server)  # in the middle
        down(client)
        start(server)
        assert wait(client) < RECOVERY
        assert answered(client) == rows
        stop(server)  # unseen: nobody asked while it was gone
        start(server)
        assert wait(client) < RECOVERY
        assert answered(client) == rows


def auth(server: LocalNeo4j) -> tuple[str, str]:
    return server.username, server.password


def down(client: TestClient) -> None:
    """What the server says without its store."""
    assert client.get("/healthz").status_code == 200
    assert client.get(f"/v1/entities/{BIG}").status_code == 200
    for answer in (client.get("/readyz"), client.post("/v1/queries/hit_if_fails", json={"id": BIG})):
        assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert "start it" in answer.json()["detail"]


def answered(client: TestClient) -> list[dict[str, object]]:
    told = client.post("/v1/queries/hit_if_fails", json={"id": BIG})
    assert told.status_code == 200, told.text
    rows: list[dict[str, object]] = told.json()["rows"]
    return rows


def wait(client: TestClient) -> float:
    """Seconds until the server says that it is ready."""
    began = time.monotonic()
    while client.get("/readyz").status_code != 200 and time.monotonic() - began < 60:
        time.sleep(0.1)
    return time.monotonic() - began


def stop(server: LocalNeo4j) -> None:
    server.process.terminate()
    server.process.wait(60)


def start(server: LocalNeo4j) -> None:
    """The same server once more, on the same data and port; returns when it answers somebody else."""
    with (server.home / "console.log").open("ab") as console:
        command = [str(part) for part in server.process.args]  # type: ignore[union-attr]  # a list, as it was started
        server.process = subprocess.Popen(command, stdout=console, stderr=console, stdin=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            with (
                GraphDatabase.driver(server.uri, auth=auth(server), connection_timeout=5) as driver,
                driver.session() as session,
            ):
                session.run("RETURN 1").consume()
            return
        except (DriverError, Neo4jError):
            assert server.process.poll() is None, server.log()[-2000:]
            time.sleep(0.5)
    raise AssertionError(server.log()[-2000:])
