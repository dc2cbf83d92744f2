"""Ingest: documents a second of one process and of two workers, what each costs, and what the one writer costs."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import psutil
import pyarrow as pa

from benchmarks.figure import Figure
from ingest.pipeline import run
from ingest.report import RunReport
from kg.executor import Executor, Here, Pool
from kg.files import Files
from kg.ledger import Ledger

SAMPLE = Path(__file__).parents[2] / "kgrisk" / "sample" / "data"
OLDER = tuple(f"{year}.jsonl" for year in range(2019, 2023))
WORKERS = 2
FEW, SMALL = 40, 100_000
"""Files, and their bytes at most, that are read before the clock runs."""
TIMES = 2
"""Runs of each, taken in turns; the fastest counts, which a busy machine disturbs least."""


@dataclass
class Cost:
    """What one run took."""

    report: RunReport
    rows: pl.DataFrame
    """What the ledger says, whenever it was read."""
    wall: float
    writer: float
    """CPU seconds of the process that reads records, stages and commits."""
    workers: float
    """CPU seconds of all workers."""
    read: int
    """Bytes of the files read."""
    home: int
    """Bytes of ledger, files, staging and caches."""


def measure() -> list[Figure]:
    """The sample without page images and older news; with KGRISK_REAL_DATA also every sixth real filing."""
    parts = {"sample": (SAMPLE, [p for p in _files(SAMPLE) if p.suffix != ".png" and p.name not in OLDER])}
    if real := os.environ.get("KGRISK_REAL_DATA"):
        folder = Path(real) / "sec-filings" / "files"
        parts["real"] = (folder, _files(folder)[::6])
    with tempfile.TemporaryDirectory(prefix="kgrisk-scaling-") as temp, Pool(WORKERS) as pool:
        found = []
        for name, (folder, paths) in parts.items():
            for path in paths:
                target = Path(temp) / name / "in" / path.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
            found += _compared(name, Path(temp) / name, pool)
    return found


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _compared(name: str, temp: Path, pool: Pool) -> list[Figure]:
    inputs = temp / "in"
    few = temp / "few"  # what is loaded once is loaded before the clock runs
    few.mkdir()
    for path in [path for path in _files(inputs) if path.stat().st_size < SMALL][::3][:FEW]:
        shutil.copy(path, few / path.name)
    _costs(few, temp / "warm-here", Here())
    _costs(few, temp / "warm-pool", pool)
    alone, shared = list[Cost](), list[Cost]()
    load = os.getloadavg()[0]
    for turn in range(TIMES):
        alone.append(_costs(inputs, temp / f"here-{turn}", Here()))
        shared.append(_costs(inputs, temp / f"pool-{turn}", pool))
    assert all(cost.rows.equals(alone[0].rows) for cost in (*alone, *shared)), "they do not commit the same claims"
    return _figures(name, min(alone, key=_wall), min(shared, key=_wall), f"load {load:.1f} to {os.getloadavg()[0]:.1f}")


def _figures(name: str, one: Cost, two: Cost, load: str) -> list[Figure]:
    records, claims = one.report.records, one.report.claims
    cpu = one.writer
    shared = two.writer + two.workers
    return [
        Figure(f"{name}: records a second, one process", records / one.wall, unit="/s", note=f"{records} records"),
        Figure(f"{name}: records a second, two workers", records / two.wall, unit="/s", note=load),
        Figure(f"{name}: efficiency of two workers", one.wall / two.wall / WORKERS, 0.9, note=load),
        Figure(f"{name}: CPU of two workers and the writer, of one process's", shared / cpu, 1.1, least=False),
        Figure(f"{name}: CPU of the writer, of the whole", two.writer / shared),
        Figure(f"{name}: CPU seconds a record", cpu / records, unit="s"),
        Figure(f"{name}: CPU seconds of the writer a record", two.writer / records, unit="s"),
        Figure(f"{name}: bytes read a record", one.read / records, unit="B"),
        Figure(f"{name}: bytes of home a record", one.home / records, unit="B", note=f"{claims} claims"),
    ]


def _costs(inputs: Path, home: Path, executor: Executor) -> Cost:
    me = psutil.Process()
    before, of_workers, moment, began = _own(me), _children(me), datetime.now(UTC), time.perf_counter()
    with Ledger.open(home / "ledger") as ledger:
        report = run(inputs, ledger, Files(home / "files"), home, executor=executor)
        wall, own, workers = time.perf_counter() - began, _own(me) - before, _children(me) - of_workers
        rows = said(ledger.alive(), moment)
    return Cost(report, rows, wall, own, workers, _size(inputs), _size(home))


def said(claims: pa.Table, began: datetime) -> pl.DataFrame:
    """What claims say, in one order, without the moment of reading.

    A file that does not tell when it was published was so when it was read; that moment is then part of what is said,
    and with it of the ids, so they differ between any two runs into empty ledgers.
    """
    rows = pl.DataFrame(pl.from_arrow(claims)).drop("commit", "known_from", "run", "claim", "statement")
    read = (pl.when(pl.col(name) < began).then(pl.col(name)) for name in ("valid_from", "published"))
    return rows.with_columns(read).sort(rows.columns)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in _files(folder))


def _own(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)


def _children(process: psutil.Process) -> float:
    return sum(_own(child) for child in process.children(recursive=True))


def _wall(cost: Cost) -> float:
    return cost.wall
