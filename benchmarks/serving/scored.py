"""Scored requests at a million edges: neighbours by risk, the scores themselves, and what a first question costs.

The ledger is that of benchmarks/scale.py (100,000 banks, a million loans, every twentieth said twice) with a score of
distress for every bank; degrees are skewed, and entities are asked for alike.
"""

from __future__ import annotations

import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from benchmarks.figure import Figure
from benchmarks.scale import START, claims, rows
from benchmarks.wrk import Server, ask, serving
from kg.ledger import Ledger
from kg.model import ClaimBatch, RunManifest

NODES, EDGES, SECONDS, ASKED = 100_000, 1_000_000, 15.0, 2_000


def scored_home(folder: Path, nodes: int, edges: int) -> Path:
    """A home whose ledger has banks, loans and a score for every bank."""
    made = claims(nodes, 0, edges)
    ids = np.array(sorted(set(made.table["subject"].slice(0, nodes).to_pylist())), object)
    scores = rows("property", ids, "distress", np.full(nodes, START)).table
    chances = pa.array(np.random.default_rng(1).beta(1, 30, nodes))
    scores = scores.set_column(scores.schema.get_field_index("value_real"), "value_real", chances)
    unit = pa.repeat(pa.scalar("probability"), nodes)
    scores = scores.set_column(scores.schema.get_field_index("unit"), "unit", unit)
    with Ledger.open(folder / "home" / "ledger") as ledger:
        ledger.commit(ClaimBatch.concat([made, ClaimBatch(scores)]), RunManifest("benchmark"))
    return folder / "home"


def measure() -> list[Figure]:
    with TemporaryDirectory() as folder:
        home = scored_home(Path(folder), NODES, EDGES)
        ids = [f"lei:{number:018d}" for number in np.random.default_rng(2).integers(0, NODES, ASKED)]
        with serving(home) as server:
            first = once(server, f"/v1/entities/{ids[0]}/neighbours")
            told = [Figure("first question, nothing cached", first, unit="s", note=f"{server.mib:.0f} MiB after it")]
            told += [Figure("first list of scores", once(server, "/v1/scores/distress?limit=50"), unit="s")]
            for what, paths in asked(ids).items():
                for connections in (1, 8):
                    found = ask(server, paths, connections, SECONDS)
                    name = f"{what}, {connections} at once"
                    told.append(Figure(f"{name}, 50th percentile", found.p50, unit="ms"))
                    told.append(Figure(f"{name}, 99th percentile", found.p99, unit="ms", note=found.told))
        with serving(home) as server:
            again = once(server, f"/v1/entities/{ids[0]}/neighbours")
            told.append(Figure("first question, snapshot on disk", again, unit="s"))
    return told


def asked(ids: list[str]) -> dict[str, list[str]]:
    """Paths by what they ask for."""
    return {
        "entity with its score": [f"/v1/entities/{id}" for id in ids],
        "neighbours by risk": [f"/v1/entities/{id}/neighbours" for id in ids],
        "riskiest 50": ["/v1/scores/distress?limit=50"],
    }


def once(server: Server, path: str) -> float:
    """Seconds of one request."""
    request = urllib.request.Request(server.address + path, headers={"X-Api-Key": server.keys[0]})
    began = time.perf_counter()
    with urllib.request.urlopen(request) as answer:
        answer.read()
    return time.perf_counter() - began
