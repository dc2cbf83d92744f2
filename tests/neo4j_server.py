"""A real Neo4j 5.26 for the tests: a server that is named, else Docker, else one assembled from Maven Central."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from docker.errors import DockerException
from neo4j import GraphDatabase, Session
from testcontainers.community.neo4j import Neo4jContainer

import docker
from kg.errors import StoreError
from kg.store import with_credentials
from kgrisk import neo4j_local
from kgrisk.neo4j_local import CACHE, LocalNeo4j, assemble, missing

IMAGE = "neo4j:5.26-community"


class NoNeo4jError(StoreError):
    """None of the three ways leads to a server here."""


@contextmanager
def running_neo4j() -> Iterator[str]:
    """The URL, with user and password, of a server that the tests may erase. NoNeo4jError says how to get one."""
    with ExitStack() as stack:
        if url := _named():
            yield url
        elif _docker_answers():
            yield stack.enter_context(_container())
        elif reason := missing():
            raise NoNeo4jError(
                "no Neo4j for the tests: name one that may be erased in NEO4J_TEST_URI (with NEO4J_TEST_USERNAME, "
                f"NEO4J_TEST_PASSWORD, NEO4J_TEST_DATABASE), or start Docker, or install Java and Maven ({reason})"
            )
        else:
            yield stack.enter_context(LocalNeo4j.start(own_jars())).url


def own_jars() -> Path:
    """The folder of a server's jars, for tests that start one of their own. NoNeo4jError where none can be had."""
    if reason := missing():
        raise NoNeo4jError(f"this test starts a Neo4j of its own: {reason}")
    return assemble(Path(os.environ.get("KGRISK_NEO4J_CACHE") or CACHE))


def admin_tool(lib: Path, home: Path) -> Path:
    """A `neo4j-admin` of the jars in `lib`, for the server whose data lie in `home`."""
    (home / "conf").mkdir(parents=True, exist_ok=True)
    (home / "conf" / "neo4j.conf").write_text("db.tx_log.preallocate=false\n")
    flags = " ".join(flag for flag in neo4j_local._JVM if flag.startswith("--add-opens"))
    tool = home / "neo4j-admin"
    tool.write_text(
        f"#!/bin/sh\nNEO4J_HOME='{home}' NEO4J_CONF='{home / 'conf'}' "
        f"exec '{shutil.which('java')}' -Xmx1g {flags} -cp '{lib}/*' org.neo4j.cli.AdminTool \"$@\"\n"
    )
    tool.chmod(0o755)
    return tool


def kill(server: LocalNeo4j) -> None:
    """End a server as a power cut ends it, but for what the operating system still holds."""
    server.process.kill()
    server.process.wait()


def restart(server: LocalNeo4j) -> None:
    """The same server once more, on the same data, port and password; returns when it answers."""
    with (server.home / "console.log").open("ab") as console:
        command = [str(part) for part in server.process.args]  # type: ignore[union-attr]  # a list, as it was started
        server.process = subprocess.Popen(
            command,
            stdout=console,
            stderr=console,
            stdin=subprocess.DEVNULL,
            preexec_fn=neo4j_local._die_with_parent,
        )
    server._wait()


def required() -> bool:
    """True where a missing server is a failure: in CI, or when it was asked for."""
    return os.environ.get("CI", "").lower() == "true" or os.environ.get("KGRISK_REQUIRE_NEO4J") == "1"


def _named() -> str:
    """The server of NEO4J_TEST_URI; never that of NEO4J_URI, because tests erase it."""
    uri = os.environ.get("NEO4J_TEST_URI", "")
    if not uri:
        return ""
    user, password = os.environ.get("NEO4J_TEST_USERNAME", "neo4j"), os.environ.get("NEO4J_TEST_PASSWORD", "")
    return with_credentials(uri, user, password, os.environ.get("NEO4J_TEST_DATABASE", "neo4j"))


def _docker_answers() -> bool:
    """True if an engine runs; a docker client on the PATH proves nothing."""
    try:
        client = docker.from_env(timeout=5)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except DockerException:
        return False


@contextmanager
def _container() -> Iterator[str]:
    password = secrets.token_hex(16)
    with Neo4jContainer(IMAGE, password=password, username="neo4j") as container:
        yield with_credentials(container.get_connection_url(), "neo4j", password, "neo4j")


@contextmanager
def session_at(url: str) -> Iterator[Session]:
    """A session of the driver's own with the server at a URL that holds user and password."""
    parts = urlsplit(url)
    login = (unquote(parts.username or ""), unquote(parts.password or ""))
    address, database = f"{parts.scheme}://{parts.hostname}:{parts.port or 7687}", parts.path.strip("/")
    with GraphDatabase.driver(address, auth=login) as driver, driver.session(database=database) as session:
        yield session


def wipe(url: str) -> None:
    """Erase constraints, indexes and all nodes."""
    with session_at(url) as session:
        constraints, indexes = "SHOW CONSTRAINTS YIELD name", "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'"
        for kind, names in (("CONSTRAINT", constraints), ("INDEX", indexes)):
            for name in session.run(names).value("name"):
                session.run(f"DROP {kind} `{name}` IF EXISTS").consume()
        # Edges first: a node of thousands of edges is one row, and would not fit the memory of one transaction.
        session.run("MATCH ()-[r]->() CALL (r) { DELETE r } IN TRANSACTIONS OF 5000 ROWS").consume()
        session.run("MATCH (n) CALL (n) { DELETE n } IN TRANSACTIONS OF 5000 ROWS").consume()
