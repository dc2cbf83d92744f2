"""The agents' door: seconds from the start of the process to the answer to `initialize`, over stdio."""

from __future__ import annotations

import asyncio
import sys
import time
from statistics import median
from tempfile import TemporaryDirectory

from mcp import ClientSession, StdioServerParameters, stdio_client

import kgrisk
from benchmarks.figure import Figure

STARTS = 5


async def _start(home: str) -> float:
    server = StdioServerParameters(command=sys.executable, args=["-m", "kgrisk", "mcp", "--home", home])
    began = time.perf_counter()
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        return time.perf_counter() - began


def measure() -> list[Figure]:
    """Median of some starts; the graph is not opened before the first question, so an empty one does."""
    with TemporaryDirectory() as home:
        kgrisk.open(home).close()
        taken = [asyncio.run(_start(home)) for _ in range(STARTS)]
    return [Figure("MCP initialize over stdio", median(taken), 3.0, least=False, unit="s", note=f"of {STARTS} starts")]
