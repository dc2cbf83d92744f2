"""A Neo4j server of one's own: assembled from Maven Central into a cache and started on a free loopback port.

It takes Java 17 or newer and Maven. Neo4j is GPLv3: no jar of it is part of this package; the user's own Maven
fetches it, it runs as a process of its own, and is used over Bolt with the Apache-2.0 driver (docker/README.md).
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import logging
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType

from kg.errors import StoreError

VERSION = "5.26.16"
CACHE = Path("~/.cache/kgrisk/neo4j")
START_SECONDS = 120.0
STOP_SECONDS = 20.0
PORT_TRIES = 3
HASH_ROUNDS = 1024
_PR_SET_PDEATHSIG = 1
_LOG = logging.getLogger(__name__)

_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>kgrisk</groupId>
  <artifactId>neo4j-local</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>{version}</version></dependency>
    <dependency><groupId>org.neo4j.app</groupId><artifactId>neo4j-server</artifactId><version>{version}</version></dependency>
  </dependencies>
</project>
"""

_CONF = """server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
dbms.security.auth_enabled=true
dbms.usage_report.enabled=false
server.memory.heap.initial_size={heap}
server.memory.heap.max_size={heap}
server.memory.pagecache.size=64m
db.transaction.timeout=60s
db.lock.acquisition.timeout=10s
dbms.memory.transaction.total.max=256m
db.memory.transaction.max=128m
db.tx_log.preallocate=false
db.tx_log.rotation.size=8m
dbms.security.allow_csv_import_from_file_urls=false
internal.dbms.cypher_ip_blocklist=0.0.0.0/0,::/0
"""

QUICK = ("-XX:TieredStopAtLevel=1",)
"""A quick start, which is most of what a test or a demo waits for, instead of the best compiled code."""
_JVM = (
    "-XX:+UseSerialGC",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
)


def missing() -> str:
    """Why no server can be assembled here; empty if one can."""
    absent = [name for name in ("java", "mvn") if shutil.which(name) is None]
    if not absent:
        return ""
    return f"{' and '.join(absent)} not found; install Java 17 and Maven (apt install openjdk-17-jre-headless maven)"


def assemble(cache: Path = CACHE, version: str = VERSION) -> Path:
    """The folder of the server's jars, fetched by Maven the first time. StoreError if that fails."""
    lib = cache.expanduser() / version / "lib"
    lib.parent.mkdir(parents=True, exist_ok=True)
    with (lib.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second process waits, then finds the jars there
        if not (lib / ".complete").exists():
            _fetch(lib, version)
    return lib


def _fetch(lib: Path, version: str) -> None:
    """Fetch into a temporary folder and rename it, so that a broken download is never used."""
    if reason := missing():
        raise StoreError(f"Neo4j {version} cannot be assembled: {reason}")
    temp = Path(mkdtemp(dir=lib.parent, prefix=".new-"))
    try:
        (temp / "pom.xml").write_text(_POM.format(version=version))
        command = ["mvn", "-B", "-q", "dependency:copy-dependencies", "-DincludeScope=runtime"]
        done = subprocess.run([*command, f"-DoutputDirectory={temp / 'lib'}"], cwd=temp, capture_output=True, text=True)
        if done.returncode:
            raise StoreError(
                f"Maven could not fetch Neo4j {version} (exit {done.returncode}): {_tail(done.stdout + done.stderr)}; "
                "check that it reaches Maven Central or a mirror of it (~/.m2/settings.xml)"
            )
        (temp / "lib" / ".complete").touch()
        shutil.rmtree(lib, ignore_errors=True)
        (temp / "lib").rename(lib)
    finally:
        shutil.rmtree(temp, ignore_errors=True)


def _tail(text: str, lines: int = 15) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])


def _hashed(password: str) -> str:
    """The line of `data/dbms/auth.ini` that sets the first password."""
    salt = secrets.token_bytes(32)
    value = hashlib.sha256(salt + password.encode()).digest()
    for _ in range(HASH_ROUNDS - 1):
        value = hashlib.sha256(value).digest()
    return f"neo4j:SHA-256,{value.hex()},{salt.hex()},{HASH_ROUNDS}:"


def _die_with_parent() -> None:
    """Ask Linux to end the child when its parent ends, however that ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class LocalNeo4j:
    """A running server that belongs to this process; a context manager that stops it and removes its data."""

    home: Path
    uri: str
    password: str
    process: subprocess.Popen[bytes]
    username: str = "neo4j"
    database: str = "neo4j"

    @property
    def url(self) -> str:
        """Address with user and password, as kg.store.open_store takes it."""
        return self.uri.replace("://", f"://{self.username}:{self.password}@") + f"/{self.database}"

    @classmethod
    def start(
        cls,
        lib: Path,
        home: Path | None = None,
        heap: str = "512m",
        *,
        more: str = "",
        flags: Sequence[str] = QUICK,
    ) -> LocalNeo4j:
        """Start a server on the jars in `lib` and wait until it answers; else StoreError with the end of its log.

        `more` are further lines of its settings, `flags` further ones of its Java machine.
        """
        for attempt in range(1, PORT_TRIES + 1):
            server = cls._launch(lib, home or Path(mkdtemp(prefix="kgrisk-neo4j-")), heap, more, flags)
            try:
                server._wait()
                return server
            except BaseException as error:
                taken = "Address already in use" in server.log()
                server.stop()
                if not (isinstance(error, StoreError) and taken and attempt < PORT_TRIES):
                    raise
                _LOG.info("port of %s was taken meanwhile; trying another", server.uri)
        raise AssertionError("unreachable")

    @classmethod
    def _launch(cls, lib: Path, home: Path, heap: str, more: str, flags: Sequence[str]) -> LocalNeo4j:
        port, password = _free_port(), secrets.token_hex(16)
        for folder in ("conf", "data/dbms", "logs"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        (home / "conf" / "neo4j.conf").write_text(_CONF.format(port=port, heap=heap) + more)
        auth = home / "data" / "dbms" / "auth.ini"
        auth.write_text(_hashed(password))
        auth.chmod(0o600)
        java = shutil.which("java")
        if java is None:
            raise StoreError(f"Neo4j cannot start: {missing()}")
        paths = (f"--home-dir={home}", f"--config-dir={home / 'conf'}")
        command = [
            java,
            f"-Xmx{heap}",
            *_JVM,
            *flags,
            "-cp",
            f"{lib}/*",
            "org.neo4j.server.CommunityEntryPoint",
            *paths,
        ]
        with (home / "console.log").open("wb") as console:
            process = subprocess.Popen(
                command, stdout=console, stderr=console, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent
            )
        return cls(home, f"bolt://127.0.0.1:{port}", password, process)

    def _wait(self) -> None:
        """Return when the server answers an authenticated query."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise StoreError(f"Neo4j ended at its start (exit {self.process.returncode}): {_tail(self.log())}")
            if self._answers():
                return
            time.sleep(0.25)
        raise StoreError(f"Neo4j did not answer within {START_SECONDS:.0f} s: {_tail(self.log())}")

    def _answers(self) -> bool:
        """True when RETURN 1 works; a port that is not open yet or a refused handshake is "not yet"."""
        from neo4j import GraphDatabase
        from neo4j.exceptions import AuthError, DriverError, Neo4jError

        host, _, port = self.uri.removeprefix("bolt://").partition(":")
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((host, int(port))):
                return False
        try:
            with GraphDatabase.driver(self.uri, auth=(self.username, self.password), connection_timeout=5) as driver:
                driver.execute_query("RETURN 1", database_=self.database)
            return True
        except AuthError as error:
            raise StoreError(f"Neo4j at {self.uri} refused the password it was started with: {error}") from error
        except (DriverError, Neo4jError):
            return False

    def log(self) -> str:
        return (self.home / "console.log").read_text(errors="replace")

    def stop(self) -> None:
        """End the server (kill it after 20 s) and remove its data."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> LocalNeo4j:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
