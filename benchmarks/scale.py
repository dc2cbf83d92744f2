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
from kg.model import LAST, MONEY, SCHEMA, TIME, AsOf, ClaimBatch, RunManifest

START = np.datetime64("2019-01-01", "us")
AT = datetime(2023, 1, 1, tzinfo=UTC)


def claims(nodes: int, edges: int, seed: int) -> ClaimBatch:
    """Node rows, their assets, and loans between random ids with skewed degrees; every twentieth is said twice."""
    random = np.random.default_rng(seed)
    ids = np.char.add("lei:", np.char.zfill(np.arange(nodes).astype(str), 18)).astype(object)
    source = (nodes * random.random(edges) ** 2).astype(int)
    target = random.integers(0, nodes, edges)
    day = START + random.integers(0, 1800, edges).astype("timedelta64[D]")
    twice = np.arange(edges) % 20 == 1  # repeats the edge before it
    for column in (source, target, day):
        column[twice] = column[np.flatnonzero(twice) - 1]
    first = np.full(nodes, START)
    return ClaimBatch.concat(
        [
            _rows("node", ids, "Bank", first),
            _rows("property", ids, "assets", first, random.integers(1, 10**9, nodes)),
            _rows("edge", ids[source], "LENDS_TO", day, random.integers(1, 10**9, edges), ids[target]),
        ]
    )


def _rows(
    kind: str,
    subject: np.ndarray,
    name: str,
    day: np.ndarray,
    money: np.ndarray | None = None,
    target: np.ndarray | None = None,
) -> ClaimBatch:
    n = len(subject)
    same = {"kind": kind, "name": name, "key": "", "quote": "as the register says", "extractor": "registers.csv@1"}
    columns: dict[str, object] = {f: np.full(n, v, object) for f, v in same.items()} | {
        "subject": subject,
        "object": np.full(n, "", object) if target is None else target,
        "unit": np.full(n, "" if money is None else "EUR", object),
        "valid_from": pa.array(day, TIME),
        "valid_to": pa.repeat(pa.scalar(LAST, TIME), n),
        "published": pa.array(day, TIME),
        "document": np.char.add(f"{kind}", (np.arange(n) // 1000).astype(str)).astype(object),
        "locator": np.char.add("row:", np.arange(n).astype(str)).astype(object),
        "confidence": np.ones(n),
    }
    if money is not None:
        columns["value_decimal"] = pa.array(money, pa.int64()).cast(MONEY)
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
    view = ledger.view(AsOf(valid=AT))
    return {"seconds": time.perf_counter() - start, "nodes": len(view), "edges": view.edges.num_rows}


def stage_cached(home: Path, *_: int) -> dict[str, float]:
    ledger = Ledger.open(home / "ledger")
    start = time.perf_counter()
    view = ledger.view(AsOf(valid=AT))
    total = int(view.edges["source"].to_numpy().sum())
    return {"seconds": time.perf_counter() - start, "checksum": total}


def stage_exposures(home: Path, *_: int) -> dict[str, float]:
    from queries.exposures import Exposures

    view = Ledger.open(home / "ledger").view(AsOf(valid=AT))
    start = time.perf_counter()
    exposures = Exposures.from_snapshot(view)
    return {"seconds": time.perf_counter() - start, "links": exposures.claims.nnz}


def stage_tensors(home: Path, *_: int) -> dict[str, float]:
    from gnn.tensors import GraphTensors, fitted_table
    from kg.files import Files

    view = Ledger.open(home / "ledger").view(AsOf(valid=AT))
    start = time.perf_counter()
    graph = GraphTensors.from_snapshot(view, Files(home / "files"), [fitted_table(view, AT)], AT)
    return {"seconds": time.perf_counter() - start, "nodes": len(graph), "edges": len(graph.edges)}


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
        "load_before": os.getloadavg()[0],
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
            sizes = Path(folder), nodes, args.large - 2 * nodes
            results[f"{args.large} claims"] = {n: run(n, *sizes) for n in ("commit", "view", "cached")}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(results, indent=1) + "\n")
    print(args.out.read_text())


if __name__ == "__main__":
    main()
