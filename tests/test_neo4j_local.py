"""A Neo4j of one's own is assembled once, started with a password nobody knows, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest
from neo4j import GraphDatabase
from neo4j.exceptions import AuthError

from kg.errors import StoreError
from kgrisk import neo4j_local
from kgrisk.neo4j_local import CACHE, LocalNeo4j, assemble, missing
from tests.neo4j_server import IMAGE, NoNeo4jError, required, running_neo4j

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def lib() -> Path:
    if reason := missing():
        pytest.skip(reason)
    return assemble(Path(os.environ.get("KGRISK_NEO4J_CACHE") or CACHE))


@pytest.mark.neo4j
@pytest.mark.slow
def test_a_server_starts_answers_its_password_only_and_is_gone_after_stop(lib: Path, tmp_path: Path) -> None:
    with LocalNeo4j.start(lib, tmp_path / "server") as server:
        with GraphDatabase.driver(server.uri, auth=(server.username, server.password)) as driver:
            assert driver.execute_query("RETURN 1 AS one").records[0]["one"] == 1
        with GraphDatabase.driver(server.uri, auth=("neo4j", "neo4j")) as driver, pytest.raises(AuthError):
            driver.execute_query("RETURN 1")
        assert server.uri.startswith("bolt://127.0.0.1:")
        assert server.password in server.url
    assert server.process.poll() is not None
    assert not (tmp_path / "server").exists()


@pytest.mark.neo4j
def test_a_server_that_cannot_start_says_the_end_of_its_log(
    lib: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neo4j_local, "_CONF", neo4j_local._CONF + "no.such.setting=1\n")
    with pytest.raises(StoreError, match=r"no\.such\.setting"):
        LocalNeo4j.start(lib, tmp_path / "server")


@pytest.mark.neo4j
def test_a_cache_that_is_complete_is_used_as_it_is(lib: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neo4j_local, "_fetch", lambda *_: pytest.fail("fetched again"))
    assert assemble(lib.parent.parent) == lib
    assert len(list(lib.glob("neo4j-*.jar"))) > 50


def test_a_failed_fetch_leaves_no_cache_behind(tmp_path: Path) -> None:
    if reason := missing():
        pytest.skip(reason)
    with pytest.raises(StoreError, match=r"Maven could not fetch Neo4j 0\.0\.0"):
        assemble(tmp_path, "0.0.0")
    assert [p.name for p in (tmp_path / "0.0.0").iterdir()] == ["lock"]


def test_without_java_and_maven_the_reason_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install" in missing()
    for name in ("NEO4J_TEST_URI", "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tests.neo4j_server._docker_answers", lambda: False)
    with pytest.raises(NoNeo4jError, match=r"NEO4J_TEST_URI.*Docker.*Maven"), running_neo4j():
        pass


def test_a_named_server_comes_first_and_only_ci_must_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_TEST_URI", "bolt://graph.example:7687")
    monkeypatch.setenv("NEO4J_TEST_PASSWORD", "p@ss/word")
    for name in ("NEO4J_TEST_USERNAME", "NEO4J_TEST_DATABASE", "CI", "KGRISK_REQUIRE_NEO4J"):
        monkeypatch.delenv(name, raising=False)
    with running_neo4j() as url:
        assert url == "bolt://neo4j:p%40ss%2Fword@graph.example:7687/neo4j"
    assert not required()
    monkeypatch.setenv("CI", "true")
    assert required()


def test_the_first_password_is_written_as_the_server_reads_it() -> None:
    user, kind, rest = neo4j_local._hashed("word").replace(":", ",", 1).split(",", 2)
    value, salt, rounds = rest.rstrip(":").split(",")
    expected = hashlib.sha256(bytes.fromhex(salt) + b"word").digest()
    for _ in range(int(rounds) - 1):
        expected = hashlib.sha256(expected).digest()
    assert (user, kind, value) == ("neo4j", "SHA-256", expected.hex())


def test_compose_and_tests_run_the_same_neo4j_bound_to_this_machine() -> None:
    text = (ROOT / "docker" / "compose.yaml").read_text()
    assert re.findall(r"image: (.*)", text) == ["kgrisk", IMAGE]
    published = re.findall(r'- "(.*:\d+)"', text)
    assert published == [f"127.0.0.1:{port}:{port}" for port in (8080, 7687, 7474)]
    assert neo4j_local.VERSION.startswith("5.26.")
