"""Ten minutes of 32 at once: does the server's memory grow?"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figure import Figure
from benchmarks.serving.load import entities, sample_home
from benchmarks.wrk import ask, serving

MINUTES = float(os.environ.get("KGRISK_SOAK_MINUTES", "10"))
WARM = 30.0
"""Seconds after which memory is first looked at: until then threads, views and buffers are made."""
GROWTH = 0.05


def measure() -> list[Figure]:
    with TemporaryDirectory() as folder:
        home = sample_home(Path(folder))
        some = entities(home)
        paths = [*some, *(f"{path}/neighbours" for path in some[::5]), "/v1/entities?limit=50", "/v1/graph"]
        with serving(home) as server:
            ask(server, paths, 32, WARM)
            before = server.mib
            found = ask(server, paths, 32, MINUTES * 60)
            after = server.mib
    memory = f"{before:.0f} MiB before, {after:.0f} after {MINUTES:g} minutes"
    note = f"{memory}; {found.per_second:.0f} requests/s, {found.told}"
    return [
        Figure("growth of memory, 32 at once", after / before - 1, GROWTH, least=False, note=note),
        Figure("refused", found.refused, 0, least=False),
    ]
