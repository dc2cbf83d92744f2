"""Every real file through every source into one ledger: no crash, nothing lost without a reason, totals reconciled."""

from __future__ import annotations

import csv
import io
import json
import tarfile
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import polars as pl

from benchmarks.figure import Figure, real_data
from ingest.pipeline import run
from ingest.report import RunReport
from kg.files import Files
from kg.ledger import Ledger

CRASHED = "please report it"
"""Stands in the reason of a record whose source failed where it should not."""
BENCHMARKS = ("link-prediction/", "names/")
"""Folders of labelled triples and pairs, which are no records of any source: other benchmarks read them."""


def transfers(folder: Path) -> tuple[int, Decimal]:
    """Number and exact sum of the AMLSim sample's transfers, counted without the source that reads them."""
    (archive,) = (folder / "aml").glob("*.tgz")
    with tarfile.open(archive) as packed:
        for member in packed.getmembers():
            file = packed.extractfile(member) if member.name.endswith(".csv") else None
            rows = list(csv.DictReader(io.TextIOWrapper(file, "utf-8"))) if file else []
            if rows and "targetNodeId" in rows[0]:
                return len(rows), sum((Decimal(row["value"]) for row in rows), Decimal(0))
    raise SystemExit(f"{archive} holds no transfers")


def bank_claims(folder: Path) -> Decimal:
    """Sum of the BIS claims of both years."""
    amounts = [
        Decimal(str(edge["amount"]))
        for year in ("2019", "2020")
        for edge in json.loads((folder / "bis" / f"{year}.json").read_text(), parse_float=Decimal)["edges"]
    ]
    return sum(amounts, Decimal(0))


def sessions(folder: Path) -> int:
    """Rows of all price files."""
    files = (folder / "stocknet" / "price-raw").glob("*.csv")
    return sum(len(file.read_text().splitlines()) - 1 for file in files)


def summed(claims: pl.DataFrame, source: str, name: str, column: str = "value_decimal") -> Decimal:
    """Exact sum of a column over the claims of a source."""
    own = claims.filter(pl.col("extractor").str.starts_with(f"{source}.") & (pl.col("name") == name))
    return Decimal(own[column].sum() or 0)


def reconciled(folder: Path, claims: pl.DataFrame) -> list[Figure]:
    """Totals of claims as shares of totals counted apart: 1 where nothing was lost or said twice."""
    count, amount = transfers(folder)
    paid = claims.filter(pl.col("extractor").str.starts_with("trades.") & (pl.col("name") == "PAID"))
    closes = claims.filter(pl.col("extractor").str.starts_with("market.") & (pl.col("name") == "close")).height
    lent = summed(claims, "bis", "LENDS_TO") + summed(claims, "bis", "EXPOSED_TO")
    return [
        Figure("AMLSim: transfers counted in PAID edges", int(paid["value_int"].sum()) / count, 1.0),
        Figure("AMLSim: money in PAID edges", float(Decimal(paid["value_decimal"].sum()) / amount), 1.0),
        Figure(
            "BIS: claims between countries", float(lent / bank_claims(folder)), note="the rest is quarantined by name"
        ),
        Figure("prices: closing prices of rows", closes / sessions(folder), note="the rest is quarantined by row"),
    ]


def told(report: RunReport) -> list[Figure]:
    """What the run says of itself."""
    crashes = [row for row in report.quarantined if CRASHED in row.reason]
    lost = Counter(path.split("/")[0] for path in report.untaken if not path.startswith(BENCHMARKS))
    return [
        Figure("records whose source failed", len(crashes), 0, False, note="; ".join(row.path for row in crashes[:5])),
        Figure("files no source takes, labelled triples and pairs apart", sum(lost.values()), note=str(dict(lost))),
        Figure("records", report.records),
        Figure("claims", report.claims),
        Figure("records or parts in quarantine, each with its reason", len(report.quarantined)),
        *(
            Figure(
                f"{name}: claims of {count.records} records of {count.files} files",
                count.claims,
                note=f"{count.seconds:.0f} s",
            )
            for name, count in report.sources.items()
            if count.records
        ),
    ]


def measure() -> list[Figure]:
    folder = real_data()
    with tempfile.TemporaryDirectory() as home, Ledger.open(Path(home) / "ledger") as ledger:
        report = run(folder, ledger, Files(Path(home) / "files"), Path(home))
        claims = pl.DataFrame(ledger.alive())
        run(folder, ledger, Files(Path(home) / "files"), Path(home))
        more = ledger.alive().num_rows - claims.height
        repeat = Figure("claims added by reading everything again", more, 0, False)
        return [*told(report), *reconciled(folder, claims), repeat]
