"""Ledger -> snapshot -> tensors at 100,000 nodes and 1,000,000 edges, and the as-of view at 5 million claims.

Run: python benchmarks/scale.py [--nodes N] [--edges M] [--store] [--out FILE]. Each stage runs in its own process, so
that its peak memory is its own. Writes JSON with machine, versions, seconds and MiB per stage.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa

from kg.ledger import Ledger
from kg.model import LAST, SCHEMA, TIME, AsOf, ClaimBatch, RunManifest

START = np.datetime64("2019-01-01", "us")


def claims(nodes: int, edges: int, seed: int) -> ClaimBatch:
    """Node rows and loans between random ids with skewed degrees; every twentieth is said by two documents."""
    random = np.random.default_rng(seed)
    n = nodes + edges
    ids = np.char.add("lei:", np.char.zfill(np.arange(nodes).astype(str), 18)).astype(object)
    source = (nodes * random.random(edges) ** 2).astype(int)
    target = random.integers(0, nodes, edges)
    from_day = START + random.integers(0, 1800, edges).astype("timedelta64[D]")
    twice = np.arange(edges) % 20 == 1  # repeats the edge before it
    for column in (source, target, from_day):
        column[twice] = column[np.flatnonzero(twice) - 1]
    cents = random.integers(1, 10**9, edges)
    columns = {
        "kind": ["node"] * nodes + ["edge"] * edges,
        "subject": np.concatenate([ids, ids[source]]),
        "name": ["Bank"] * nodes + ["LENDS_TO"] * edges,
        "object": np.concatenate([np.full(nodes, "", object), ids[target]]),
        "key": [""] * n,
        "value_decimal": pa.array([None] * nodes + cents.tolist(), pa.int64()).cast(pa.decimal128(38, 9)),
        "unit": [""] * nodes + ["EUR"] * edges,
        "valid_from": pa.array(np.concatenate([np.full(nodes, START), from_day]), TIME),
        "valid_to": pa.array([LAST], TIME).take(pa.array(np.zeros(n, np.int64))),
        "published": pa.array(np.concatenate([np.full(nodes, START), from_day]), TIME),
        "document": np.char.add("doc", (np.arange(n) // 1000).astype(str)).astype(object),
        "locator": np.char.add("row:", np.arange(n).astype(str)).astype(object),
        "quote": ["loan of the register"] * n,
        "extractor": ["registers.csv@1"] * n,
        "confidence": np.ones(n),
    }
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(n, f.type) for f in SCHEMA]
    return ClaimBatch(pa.Table.from_arrays(arrays, schema=SCHEMA))


def stage_commit(home: Path, nodes: int, edges: int) -> dict[str, float]:
    batch = claims(nodes, edges, seed=0)
    start = time.perf_counter()
    Ledger.open(home / "ledger").commit(batch, RunManifest("benchmark"))
    return {"seconds": time.perf_counter() - start, "claims": len(batch)}


def stage_view(home: Path, *_: int) -> dict[str, float]:
    ledger = Ledger.open(home / "ledger")
    assert ledger.head  # opened and warm: the question alone is timed
    start = time.perf_counter()
    view = ledger.view(AsOf(valid=datetime(2023, 1, 1, tzinfo=UTC)))
    return {"seconds": time.perf_counter() - start, "nodes": len(view), "edges": view.edges.num_rows}


def stage_cached(home: Path, *_: int) -> dict[str, float]:
    ledger = Ledger.open(home / "ledger")
    start = time.perf_counter()
    view = ledger.view(AsOf(valid=datetime(2023, 1, 1, tzinfo=UTC)))
    total = int(view.edges["source"].to_numpy().sum())
    return {"seconds": time.perf_counter() - start, "checksum": total}


def stage_exposures(home: Path, *_: int) -> dict[str, float]:
    from queries.exposures import Exposures

    view = Ledger.open(home / "ledger").view(AsOf(valid=datetime(2023, 1, 1, tzinfo=UTC)))
    start = time.perf_counter()
    exposures = Exposures.from_snapshot(view)
    return {"seconds": time.perf_counter() - start, "links": exposures.claims.nnz}


def stage_tensors(home: Path, *_: int) -> dict[str, float]:
    import torch

    view = Ledger.open(home / "ledger").view(AsOf(valid=datetime(2023, 1, 1, tzinfo=UTC)))
    start = time.perf_counter()
    ends = torch.from_numpy(
        np.stack([view.edges["source"].to_numpy(), view.edges["target"].to_numpy()]).astype(np.int64)
    )
    order = torch.argsort(ends[1] * len(view) + ends[0])
    return {"seconds": time.perf_counter() - start, "edges": ends[:, order].shape[1]}


def stage_store(home: Path, *_: int) -> dict[str, float]:
    from kg.store import open_store

    ledger = Ledger.open(home / "ledger")
    start = time.perf_counter()
    with_store = open_store(f"arcadedb:///{home / 'store'}", home)
    report = with_store.sync(ledger)
    seconds = time.perf_counter() - start
    with_store.close()
    return {"seconds": seconds, "opened": report.opened}


STAGES = {name.removeprefix("stage_"): f for name, f in list(globals().items()) if name.startswith("stage_")}


def run(stage: str, home: Path, nodes: int, edges: int) -> dict[str, float]:
    """One stage in its own process."""
    command = [
        sys.executable,
        __file__,
        "--stage",
        stage,
        "--home",
        str(home),
        "--nodes",
        str(nodes),
        "--edges",
        str(edges),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1][:300]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--edges", type=int, default=1_000_000)
    parser.add_argument(
        "--large", type=int, default=5_000_000, help="claims of the large as-of view; 0 to leave it out"
    )
    parser.add_argument("--store", action="store_true", help="also build the embedded store")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/scale.json"))
    parser.add_argument("--stage")
    parser.add_argument("--home", type=Path)
    args = parser.parse_args()
    if args.stage:
        result = STAGES[args.stage](args.home, args.nodes, args.edges)
        result["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(result))
        return
    results: dict[str, object] = {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "versions": {p: version(p) for p in ("deltalake", "duckdb", "pyarrow", "torch")},
    }
    with tempfile.TemporaryDirectory() as folder:
        names = [n for n in STAGES if n != "store" or args.store]
        results[f"{args.nodes} nodes, {args.edges} edges"] = {
            n: run(n, Path(folder), args.nodes, args.edges) for n in names
        }
    if args.large:
        with tempfile.TemporaryDirectory() as folder:
            nodes = args.large // 10
            sizes = Path(folder), nodes, args.large - nodes
            results[f"{args.large} claims"] = {n: run(n, *sizes) for n in ("commit", "view", "cached")}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(results, indent=1) + "\n")
    print(args.out.read_text())


if __name__ == "__main__":
    main()
