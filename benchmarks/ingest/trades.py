"""Five million payments, from CSV and Parquet to edges of the day, beside a plain group-by of polars and of DuckDB.

Each is measured in a process of its own; a peer sums by payer, payee, day and currency and does nothing else: no ids
are checked, no repeats found, no rows numbered and quoted. Imports are part of neither.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import polars as pl
import pyarrow.compute as pc

from benchmarks.figure import Figure, peak_mib, real_data
from ingest.source import Models
from ingest.sources.trades import Trades

ROWS = 5_000_000
BY = ("payer_account", "payee_account", "day", "currency")


def generate(folder: Path) -> Decimal:
    """Payments of 500 accounts over 61 days as CSV and Parquet; returns their sum."""
    random = np.random.default_rng(7)
    seconds = np.sort(random.integers(0, 61 * 86_400, ROWS)).astype("timedelta64[s]")
    cents = random.integers(1, 10_000_000, ROWS)
    times = (np.datetime64("2024-01-01T00:00:00") + seconds).astype("datetime64[us]")
    frame = pl.DataFrame(
        {
            "payment_id": np.arange(1, ROWS + 1),
            "time": pl.Series(times).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "payer_account": random.integers(100_000, 100_500, ROWS),
            "payee_account": np.full(ROWS, 200_000),
            "amount": (pl.Series(cents).cast(pl.Decimal(38, 2)) / 100).cast(pl.Decimal(12, 2)),
            "currency": np.full(ROWS, "EUR"),
        }
    )
    frame.write_csv(folder / "payments.csv")
    frame.write_parquet(folder / "payments.parquet")
    return Decimal(int(cents.sum())) / 100


def ours(path: Path) -> tuple[int, Decimal]:
    source = Trades(path.parent, [path])
    (record,) = source.records()
    _ = record.document
    table = source.claims(record, Models()).claims.table
    paid = table.filter(pc.equal(table["name"], "PAID"))
    return paid.num_rows, Decimal(pc.sum(paid["value_decimal"]).as_py())


def plain_polars(path: Path) -> tuple[int, Decimal]:
    rows = pl.scan_parquet(path) if path.suffix == ".parquet" else pl.scan_csv(path, infer_schema=False)
    amount, day = pl.col("amount").cast(pl.Decimal(18, 2)), pl.col("time").str.slice(0, 10).alias("day")
    found = rows.with_columns(day).group_by(BY).agg(pl.len(), amount.sum()).collect(engine="streaming")
    return found.height, Decimal(found["amount"].sum())


def plain_duckdb(path: Path) -> tuple[int, Decimal]:
    read = f"read_parquet('{path}')" if path.suffix == ".parquet" else f"read_csv('{path}', all_varchar = true)"
    sql = f"""SELECT payer_account, payee_account, left(time, 10) AS day, currency, count(*) AS n,
      sum(amount::DECIMAL(18, 2)) AS amount FROM {read} GROUP BY ALL"""
    with duckdb.connect() as connection:
        found = connection.sql(sql).to_arrow_table()
    return found.num_rows, Decimal(pc.sum(found["amount"]).as_py())


WAYS: dict[str, Callable[[Path], tuple[int, Decimal]]] = {
    "ours": ours,
    "polars": plain_polars,
    "duckdb": plain_duckdb,
}


def alone(way: str, path: str) -> None:
    """Measure one way on one file, told as JSON."""
    began, cpu = time.perf_counter(), time.process_time()
    edges, total = WAYS[way](Path(path))
    told = {"edges": edges, "total": str(total), "cpu": time.process_time() - cpu, "wall": time.perf_counter() - began}
    print(json.dumps(told | {"mib": peak_mib()}))


def run(way: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.ingest.trades", way, str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure() -> list[Figure]:
    figures = []
    with TemporaryDirectory() as folder:
        total = generate(Path(folder))
        for kind in ("csv", "parquet"):
            path = Path(folder) / f"payments.{kind}"
            found = {way: run(way, path) for way in WAYS}
            mine = found["ours"]
            off = abs(Decimal(str(mine["total"])) - total)
            rows = f"{ROWS:,} rows, {path.stat().st_size >> 20} MB {kind}"
            best = min(found["polars"]["cpu"], found["duckdb"]["cpu"])
            figures += [
                Figure(
                    f"{rows} to {mine['edges']:,} edges", mine["cpu"], 10, False, "s CPU", f"{mine['wall']:.1f} s wall"
                ),
                Figure(f"{kind}: plain polars group-by", found["polars"]["cpu"], None, False, "s CPU"),
                Figure(f"{kind}: plain DuckDB group-by", found["duckdb"]["cpu"], None, False, "s CPU"),
                Figure(f"{kind}: ours over the faster of the two", mine["cpu"] / best, None, False, "times"),
                Figure(f"{kind}: peak memory", mine["mib"], 1024, False, "MiB"),
                Figure(f"{kind}: sum of the edges less the sum of the file", float(off), 0, False, "EUR"),
            ]
    return [*figures, *sample()]


def sample() -> list[Figure]:
    """The transfers of the AMLSim sample: their sum and count against the file's."""
    source = Trades(real_data() / "aml")
    (record,) = (record for record in source.records() if record.path.endswith("transactions.csv"))
    table = source.claims(record, Models()).claims.table
    paid = table.filter(pc.equal(table["name"], "PAID"))
    stated = pl.read_csv(record.content, infer_schema=False)["value"].cast(pl.Decimal(18, 2))
    off = abs(Decimal(pc.sum(paid["value_decimal"]).as_py()) - Decimal(stated.sum()))
    return [
        Figure("AMLSim sample: sum of the edges less the sum of the file", float(off), 0, False, "", f"{stated.sum()}"),
        Figure("AMLSim sample: transfers in no edge", stated.len() - pc.sum(paid["value_int"]).as_py(), 0, False),
    ]


if __name__ == "__main__":
    alone(*sys.argv[1:])
