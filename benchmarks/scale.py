"""A graph of 100 thousand to 10 million edges through every stage, on one machine.

Run: python -m benchmarks.scale [--sizes N ...] [--stages NAME ...] [--home FOLDER] [--out FILE] [--again]. Each stage
of each size runs in a process of its own, so that its memory is its own, on what the stages before it left in the home;
what it took is written at once, so a run that is cut is gone on with by the same command. Seconds are told by the clock
and by the processor: on a machine with other work the second is the one to compare.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from benchmarks.figure import peak_mib
from benchmarks.machine import described
from benchmarks.running import HERE
from kg.ledger import Ledger
from kg.model import LAST, MONEY, SCHEMA, TIME, AsOf, ClaimBatch, RunManifest

SIZES = (100_000, 1_000_000, 10_000_000)
BATCH = 1_000_000
"""Edges to a commit."""
PER_NODE = 10
SCENARIOS = 128
TRAINED = 6
"""Steps that stand for an epoch of training."""
LARGEST: Final = {"sync": 1_000_000}
"""Edges up to which a stage is measured, where not all are: a sync holds the whole projection beside the store."""
CHANGED = 0.01
START = np.datetime64("2019-01-01", "us")
AT = AsOf(valid=datetime(2024, 1, 1, tzinfo=UTC))
OUT = HERE / "results" / "scale.json"
Told = dict[str, Any]


@contextmanager
def timed(told: Told) -> Iterator[None]:
    """Adds the seconds of the block, by the clock and by the processor."""
    began, busy = time.perf_counter(), time.process_time()
    yield
    told["seconds"] = told.get("seconds", 0.0) + time.perf_counter() - began
    told["cpu_seconds"] = told.get("cpu_seconds", 0.0) + time.process_time() - busy


def batches(nodes: int, edges: int) -> Iterator[ClaimBatch]:
    """Claims of a graph, a million edges at a time."""
    for first in range(0, edges, BATCH):
        yield claims(nodes, first, min(BATCH, edges - first))


def filled(folder: Path, nodes: int, edges: int) -> Ledger:
    """A ledger of that graph, for benchmarks that begin with one."""
    ledger = Ledger.open(folder)
    for number, batch in enumerate(batches(nodes, edges)):
        ledger.commit(batch, RunManifest("benchmark", {"batch": number}))
    return ledger


def claims(nodes: int, first: int, edges: int) -> ClaimBatch:
    """Loans between random banks, the lenders skewed; every twentieth is said twice. The first batch has the banks."""
    random = np.random.default_rng(first)
    ids = np.char.add("lei:", np.char.zfill(np.arange(nodes).astype(str), 18)).astype(object)
    source = (nodes * random.random(edges) ** 2).astype(int)
    target = random.integers(0, nodes, edges)
    day = START + random.integers(0, 1800, edges).astype("timedelta64[D]")
    twice = np.arange(edges) % 20 == 1  # repeats the edge before it
    for column in (source, target, day):
        column[twice] = column[np.flatnonzero(twice) - 1]
    parts = [rows("edge", ids[source], "LENDS_TO", day, random.integers(1, 10**6, edges), ids[target], first)]
    if not first:
        begun = np.full(nodes, START)
        money = [rows("property", ids, name, begun, random.integers(10**6, 10**8, nodes)) for name in BALANCE]
        parts = [rows("node", ids, "Bank", begun), *money, *parts]
    return ClaimBatch.concat(parts)


BALANCE = ("assets", "equity")


def rows(
    kind: str,
    subject: np.ndarray,
    name: str,
    day: np.ndarray,
    money: np.ndarray | None = None,
    target: np.ndarray | None = None,
    first: int = 0,
) -> ClaimBatch:
    n = len(subject)
    same = {"kind": kind, "name": name, "key": "", "quote": "as the register says", "extractor": "registers.csv@1"}
    number = np.arange(first, first + n)
    columns: dict[str, object] = {f: np.full(n, v, object) for f, v in same.items()} | {
        "subject": subject,
        "object": np.full(n, "", object) if target is None else target,
        "unit": np.full(n, "" if money is None else "EUR", object),
        "valid_from": pa.array(day, TIME),
        "valid_to": pa.repeat(pa.scalar(LAST, TIME), n),
        "published": pa.array(day, TIME),
        "document": np.char.add(f"{kind}", (number // 1000).astype(str)).astype(object),
        "locator": np.char.add("row:", number.astype(str)).astype(object),
        "confidence": np.ones(n),
    }
    if money is not None:
        columns["value_decimal"] = pa.array(money, pa.int64()).cast(MONEY)
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(n, f.type) for f in SCHEMA]
    return ClaimBatch(pa.Table.from_arrays(arrays, schema=SCHEMA))


def ran(stage: str, home: Path, edges: int) -> Told:
    """What one stage told, from a process of its own; `failed` with its error where it ended without figures."""
    command = [sys.executable, "-m", "benchmarks.scale", "--stage", stage, "--home", str(home), "--sizes", str(edges)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"failed": error(done.stderr, done.returncode)}
    told: Told = json.loads(done.stdout.splitlines()[-1])
    return told


def error(said: str, code: int) -> str:
    """The error that a process ended with; a kernel that is out of memory kills without a word."""
    named = [line for line in said.splitlines() if re.match(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt)\b", line)]
    killed = f"killed by signal {-code}, as the kernel does where memory ends" if code < 0 else f"ended with {code}"
    return (named or [killed])[-1][:300]


def main() -> None:
    from benchmarks.scale_stages import STAGES

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="edges")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--home", type=Path, default=Path("scale-home"), help="where graphs lie between stages")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--again", action="store_true", help="measure also what was measured before")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        told = STAGES[given.stage](given.home, given.sizes[0])
        print(json.dumps({"peak_mib": peak_mib()} | told))
        return
    given.out.parent.mkdir(parents=True, exist_ok=True)
    failed = list[str]()
    for edges in given.sizes:
        for stage in given.stages:
            results = json.loads(given.out.read_text()) if given.out.exists() else {}
            done = results.setdefault(str(edges), {})
            if (stage in done and "failed" not in done[stage] and not given.again) or edges > LARGEST.get(stage, edges):
                continue
            home = given.home / str(edges)
            home.mkdir(parents=True, exist_ok=True)
            where = described()
            found = ran(stage, home, edges)
            done[stage] = found | where
            given.out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
            failed += [f"{edges:,} {stage}: {found['failed']}"] if "failed" in found else []
            print(f"{edges:,} {stage}: {json.dumps(found)}", flush=True)
    if failed:
        raise SystemExit("\n".join(["these stages failed; the record says so:", *failed]))


if __name__ == "__main__":
    main()
