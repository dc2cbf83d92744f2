"""Requests that wrk sends to `kgrisk serve`, each in a process of its own, and how they were answered.

wrk (the Debian package of that name) is a closed loop: a connection asks again when it was answered. Its percentiles
are therefore those of a server as busy as its connections can make it. The server is as users start it, keys, guard and
rate limit included; the limit counts by key, so as many keys take turns as the measured rate needs.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from kgrisk.serve.keys import Keys
from tests.kgrisk_world import served

ASKERS = 40
"""Keys that take turns."""
LUA = """
local paths, keys, i = {%s}, {%s}, 0
request = function()
  i = i + 1
  return wrk.format("GET", paths[i %% #paths + 1], {["X-Api-Key"] = keys[i %% #keys + 1]})
end
done = function(summary, latency)
  local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format('\\n{"requests": %%d, "us": %%d, "p50": %%d, "p99": %%d, "refused": %%d, "lost": %%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status, lost))
end
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    address: str
    process: psutil.Process
    keys: tuple[str, ...]

    @property
    def mib(self) -> float:
        """Resident memory."""
        return float(self.process.memory_info().rss) / (1 << 20)

    @property
    def cpu(self) -> float:
        """Seconds of processor time so far."""
        used = self.process.cpu_times()
        return float(used.user + used.system)


@dataclass(frozen=True, slots=True)
class Answered:
    """How a stretch of requests went."""

    requests: int
    seconds: float
    p50: float
    """Milliseconds."""
    p99: float
    refused: int
    """Answers that were not 2xx, or none at all."""
    cpu: float
    """Milliseconds of the server's processor time per request."""

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def told(self) -> str:
        return (
            f"p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms, {self.cpu:.2f} ms of processor time a request; "
            f"{self.requests} requests, {self.refused} of them refused; load {psutil.getloadavg()[0]:.1f}"
        )


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """`kgrisk serve` over a home, with keys, until the block ends."""
    keys = Keys(home / "keys.json")
    held = {holder.name for holder in keys.holders}
    for name in held:
        keys.revoke(name)
    given = tuple(keys.add(f"asker {number}", "analyst") for number in range(ASKERS))
    with served("serve", "--home", home, cwd=home.parent) as address:
        port = int(address.rpartition(":")[2])
        listening = (c.pid for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == port)
        yield Server(address, psutil.Process(next(listening)), given)


def ask(server: Server, paths: Sequence[str], connections: int, seconds: float) -> Answered:
    """Ask for the paths again and again, over so many connections at once, for so long."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not on the path: apt-get install wrk")
    drawn = random.Random(0).sample(list(paths), len(paths))
    with TemporaryDirectory() as folder:
        script = Path(folder) / "paths.lua"
        script.write_text(LUA % tuple(",".join(json.dumps(one) for one in many) for many in (drawn, server.keys)))
        before = server.cpu
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "60s", "-s", str(script)]
        done = subprocess.run([*command, server.address], stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    count, cpu = told["requests"], server.cpu - before
    return Answered(
        count,
        told["us"] / 1e6,
        told["p50"] / 1e3,
        told["p99"] / 1e3,
        told["refused"] + told["lost"],
        cpu / max(count, 1) * 1e3,
    )
