"""A server on loopback that speaks S3, for the tests: moto, in an environment of its own beside the cache of Neo4j.

Its pins and ours do not go together, so it is fetched once into a folder of its own, as Neo4j is; without a network the
tests that need it are skipped with the reason.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import SHUT_RDWR, create_connection, socket
from tempfile import TemporaryFile
from threading import Thread
from urllib.error import URLError

from kgrisk.neo4j_local import CACHE

WANTED = "moto[s3,server]==5.2.5"
SECRET = "a-secret-that-is-never-told"
"""The server takes any key; whoever finds this one in a log or a message has found a leak."""
UNCUT = 1 << 30
_FETCH_SECONDS, _START_SECONDS = 240, 60


class NoServerError(Exception):
    """There can be no server here, and why."""


@dataclass(frozen=True)
class S3:
    """A server that runs, with an empty bucket named `bucket`."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def options(self) -> dict[str, str]:
        """What `Ledger.open` is given to reach it."""
        plain = {
            "aws_endpoint_url": f"http://127.0.0.1:{self.port}",
            "aws_allow_http": "true",
            "aws_region": "us-east-1",
        }
        return plain | {"aws_access_key_id": "tests", "aws_secret_access_key": SECRET}

    @property
    def environment(self) -> dict[str, str]:
        """The same as variables of a process."""
        return {name.upper(): value for name, value in self.options.items()}

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def python() -> Path:
    """The interpreter of an environment that holds the server; it is made once. NoServerError if it cannot be had."""
    folder = Path(os.environ.get("KGRISK_NEO4J_CACHE") or CACHE).expanduser().parent / "s3-server"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = folder / "environment" / "bin" / "python"
        if not (folder / "made").exists() or (folder / "made").read_text() != WANTED:
            _fetch(folder / "environment", found)
            (folder / "made").write_text(WANTED)
    return found


def _fetch(folder: Path, found: Path) -> None:
    uv = [sys.executable, "-m", "uv"]
    made = [*uv, "venv", "-q", "--clear", str(folder)]
    for command in (made, [*uv, "pip", "install", "-q", "--python", str(found), WANTED]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoServerError(f"no S3 server: {error}") from error
        if done.returncode:
            raise NoServerError(f"no S3 server, {WANTED} cannot be had: {done.stderr.strip().splitlines()[-1:]}")


def free_port() -> int:
    with closing(socket()) as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def running_s3(port: int = 0) -> Iterator[S3]:
    """A server with one empty bucket, until the block ends. NoServerError says why there is none."""
    port, interpreter = port or free_port(), python()
    with TemporaryFile() as said:
        command = [str(interpreter), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        server = S3(port, process)
        try:
            _wait(server)
            urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/bucket", method="PUT")).close()
            yield server
        finally:
            server.stop()


def _wait(server: S3) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/moto-api/data.json").close()
            return
        except (URLError, OSError) as error:
            if time.monotonic() > until or server.process.poll() is not None:
                raise NoServerError(f"the S3 server does not answer at port {server.port}: {error}") from error
            time.sleep(0.1)


class Wire:
    """A line to a server that can be cut: after so many more connections every new one is closed at once.

    It is a process of its own: the library that reads a bucket keeps Python's lock while it waits for an answer.
    """

    def __init__(self, server: S3) -> None:
        command = [sys.executable, "-m", "tests.s3_server", str(server.port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._told())
        self.options = server.options | {"aws_endpoint_url": f"http://127.0.0.1:{self.port}"}

    def cut_after(self, connections: int = UNCUT) -> None:
        """Let so many more through; all of them, unless a number is given."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{connections}\n")
        self._process.stdin.flush()
        assert self._told() == str(connections)

    def _told(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class _Line:
    """The other end of a Wire: passes bytes on, as many connections as it is told."""

    def __init__(self, port: int) -> None:
        self.left = UNCUT
        listening = socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        Thread(target=self._serve, args=(listening, port), daemon=True).start()
        print(listening.getsockname()[1], flush=True)

    def _serve(self, listening: socket, port: int) -> None:
        while True:
            near = listening.accept()[0]
            self.left -= 1
            if self.left < 0:
                near.close()
                continue
            far = create_connection(("127.0.0.1", port))
            for one, other in ((near, far), (far, near)):
                Thread(target=_pass, args=(one, other), daemon=True).start()


def _pass(one: socket, other: socket) -> None:
    """Bytes of one end to the other; when either is gone, both are told."""
    with suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(SHUT_RDWR)


if __name__ == "__main__":
    line = _Line(int(sys.argv[1]))
    for word in sys.stdin:
        line.left = int(word)
        print(line.left, flush=True)
