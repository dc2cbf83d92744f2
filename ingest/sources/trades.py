"""Payments and trades from CSV and Parquet files, summed by the day without a Python object per row.

One PAID edge for each payer, payee, day and currency and one TRADED edge for each party, security, day, side and
currency carry the exact sum and the count; their locator names the rows summed. Accounts carry their owner, country
and the fraud labels of the AMLSim sample, whose steps are counted as days from 2017-01-01 and whose amounts have no
currency (XXX).
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import polars as pl

from ingest.clean import decimals, instants
from ingest.extract.identifier import account_id, identified
from ingest.extract.rows import RowClaims, missing, split
from ingest.extract.table import QUOTE, ROW, Table, columns_of, read_table
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import SourceError

LAYOUTS: Mapping[str, frozenset[str]] = {
    "payments": frozenset(("time", "payer_account", "payee_account", "amount", "currency")),
    "trades": frozenset(("time", "party_id", "security_id", "side", "quantity", "price", "currency")),
    "accounts": frozenset(("account_id", "owner_id", "country")),
    "amlsim transfers": frozenset(("sourceNodeId", "targetNodeId", "value", "time")),
    "amlsim accounts": frozenset(("nodeid", "isFraud", "init_balance", "fraudStep")),
}
"""Columns that make a file one of ours."""
UNREAD_BY_DESIGN = frozenset(("payment_id", "trade_id"))
"""Row names: a summed edge has its row numbers instead."""
_AMLSIM_START = pl.datetime(2017, 1, 1, time_unit="us", time_zone="UTC")


class Trades(Source):
    """Payments, trades and accounts."""

    extractor = "trades.rows@1"
    patterns = ("*.csv", "*.parquet", "*.tgz")

    def records(self) -> Iterator[Record]:
        """One record per file of a known layout, or per such member of a tar file."""
        for path in self.files:
            name = path.relative_to(self.folder).as_posix()
            for member, content in _members(path):
                if layout := layout_of(columns_of(content)):
                    since = _first_use(path) if layout == "accounts" else None
                    yield Record("trades", name + member, content, since, {"layout": layout})

    def claims(self, record: Record, models: Models) -> Extract:
        table = read_table(record.content)
        layout = record.meta.get("layout") or layout_of(table.columns)
        out = RowClaims(record.document, self.extractor)
        refused = _READ[str(layout)](table, out, record.published)
        unread = set(table.columns) - LAYOUTS[str(layout)] - UNREAD_BY_DESIGN
        return Extract(out.batch(), (*table.refused, *refused), sorted(unread))


def layout_of(columns: tuple[str, ...]) -> str:
    """Name of the layout whose columns are all there, or ""."""
    return next((name for name, wanted in LAYOUTS.items() if wanted <= set(columns)), "")


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix != ".tgz":
        yield "", path.read_bytes()
        return
    try:
        with tarfile.open(path) as archive:
            for member in sorted(archive.getmembers(), key=lambda m: m.name):
                if member.name.endswith(".csv") and (file := archive.extractfile(member)):
                    yield f"#{member.name}", file.read()
    except (tarfile.TarError, OSError) as error:
        raise SourceError(f"{path.name} cannot be read as a tar file: {error}; pack its CSV files again") from error


def _first_use(path: Path) -> datetime | None:
    """A register of accounts that gives no date was known by the first payment of the files beside it."""
    times = []
    for other in sorted({*path.parent.glob("*.csv"), *path.parent.glob("*.parquet")} - {path}):
        content = other.read_bytes()
        if layout_of(columns_of(content)) in ("payments", "trades"):
            times.append(read_table(content).frame.select(instants("time").min()).item())
    return min((time for time in times if time is not None), default=None)


_AMOUNT = pl.when(pl.col("amount_") < 0).then(pl.lit("the amount is negative; a payment back is one of its own"))
_CURRENCY = pl.when(~pl.col("unit").str.contains("^[A-Z]{3}$").fill_null(False)).then(
    pl.format("currency {} is not an ISO 4217 code", pl.col("unit").fill_null("(empty)"))
)


def _payments(table: Table, out: RowClaims, published: datetime | None) -> list[Refusal]:
    frame = table.frame.with_columns(
        instants("time").alias("when"),
        decimals("amount").alias("amount_"),
        pl.col("currency").str.strip_chars().alias("unit"),
    )
    return _paid(frame, out, ("payer_account", "payee_account"), "amount", account_id)


def _transfers(table: Table, out: RowClaims, published: datetime | None) -> list[Refusal]:
    frame = table.frame.with_columns(
        (_AMLSIM_START + pl.duration(days=pl.col("time").cast(pl.Int64, strict=False)))
        .cast(pl.Datetime("us", "UTC"))
        .alias("when"),
        decimals("value").alias("amount_"),
        pl.lit("XXX").alias("unit"),
    )
    return _paid(frame, out, ("sourceNodeId", "targetNodeId"), "value", _simulated)


def _simulated(value: str) -> str:
    return f"acct:amlsim-{value.strip()}"


def _paid(frame: pl.DataFrame, out: RowClaims, ends: tuple[str, str], amount: str, rule: object) -> list[Refusal]:
    for column, into in zip(ends, ("payer", "payee"), strict=True):
        frame = identified(frame, column, into, rule=rule)  # type: ignore[arg-type]  # one of the two rules above
    reason = pl.coalesce(
        missing("payer", ends[0], "an account"),
        missing("payee", ends[1], "an account"),
        missing("when", "time", "an ISO time"),
        missing("amount_", amount, "a decimal number"),
        _AMOUNT,
        _CURRENCY,
    )
    good, refused = split(frame, reason)
    sums = _summed(good, ["payer", "payee", "day", "unit"], amount)
    for end in ("payer", "payee"):
        out.nodes(sums, pl.col(end), "Account")
    out.add(
        sums,
        "edge",
        subject=pl.col("payer"),
        name="PAID",
        object=pl.col("payee"),
        key=pl.format("{}/{}", pl.col("day").dt.strftime("%Y-%m-%d"), pl.col("unit")),
        value_decimal=pl.col("total"),
        **_EVIDENCE,
    )
    return refused


_EVIDENCE: dict[str, pl.Expr] = {
    "value_int": pl.col("count"),
    "unit": pl.col("unit"),
    "valid_from": pl.col("day"),
}


def _summed(frame: pl.DataFrame, by: list[str], column: str) -> pl.DataFrame:
    """Groups in the order of their first row: count, total, when published, and the rows as locator and quote.

    `column` is the raw column that the quote of several rows sums; the total is of `amount_`.
    """
    groups = (
        frame.lazy()
        .with_columns(pl.col("when").dt.truncate("1d").alias("day"), decimals(column).alias("#raw"))
        .group_by(by, maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("count"),
            pl.col("amount_").sum().alias("total"),
            pl.col("#raw").sum().alias("#sum"),
            pl.col("when").max().alias("published"),
            pl.col(ROW).cast(pl.String).alias("#rows"),
            pl.col(QUOTE).first().alias(QUOTE),
            *([pl.col("quantity_").sum()] if "quantity_" in frame.columns else []),
        )
    )
    total = pl.col("#sum").cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    one = pl.col("count") == 1
    rows = pl.col("#rows").list.join(",")
    return groups.with_columns(
        pl.when(one)
        .then(pl.format("row:{}", rows))
        .otherwise(pl.format("rows:{} sum:{}", rows, pl.lit(column)))
        .alias("locator"),
        pl.when(one)
        .then(pl.col(QUOTE))
        .otherwise(pl.format("count {}, sum {}", pl.col("count"), total))
        .alias("quote"),
    ).collect(engine="streaming")


def _trades(table: Table, out: RowClaims, published: datetime | None) -> list[Refusal]:
    frame = table.frame.with_columns(
        instants("time").alias("when"),
        decimals("quantity").alias("quantity_"),
        (decimals("quantity") * decimals("price")).cast(pl.Decimal(38, 9)).alias("amount_"),
        pl.col("currency").str.strip_chars().alias("unit"),
        pl.col("side").str.strip_chars().str.to_uppercase().str.slice(0, 1).alias("side_"),
    )
    frame = identified(identified(frame, "party_id", "party"), "security_id", "security")
    reason = pl.coalesce(
        pl.col("party!"),
        pl.col("security!"),
        missing("party", "party_id", "an id"),
        missing("security", "security_id", "an id"),
        missing("when", "time", "an ISO time"),
        missing("amount_", "price", "a decimal number, times a decimal quantity"),
        _AMOUNT,
        pl.when(~pl.col("side_").is_in(["B", "S"]).fill_null(False)).then(
            pl.lit("the side is neither B(uy) nor S(ell)")
        ),
        _CURRENCY,
    )
    good, refused = split(frame, reason)
    sums = _summed(good, ["party", "security", "day", "side_", "unit"], "quantity")
    out.nodes(sums, pl.col("security"), "Security")
    out.nodes(sums.filter(pl.col("party").str.starts_with("person:")), pl.col("party"), "Person")
    out.nodes(sums.filter(pl.col("party").str.contains("^(iban|acct):")), pl.col("party"), "Account")
    out.add(
        sums,
        "edge",
        subject=pl.col("party"),
        name="TRADED",
        object=pl.col("security"),
        key=pl.format("{}/{}/{}", pl.col("day").dt.strftime("%Y-%m-%d"), pl.col("side_"), pl.col("unit")),
        value_decimal=pl.col("total"),
        value_real=pl.col("quantity_").cast(pl.Float64),
        value_text=pl.col("side_"),
        **_EVIDENCE,
    )
    return refused


def _accounts(table: Table, out: RowClaims, published: datetime | None) -> list[Refusal]:
    frame = identified(table.frame, "account_id", "id", rule=account_id)
    frame = identified(identified(frame, "owner_id", "owner"), "country", "place", "iso:")
    frame = frame.with_columns(pl.lit(published, pl.Datetime("us", "UTC")).alias("published"))
    reason = pl.coalesce(
        missing("id", "account_id", "an account"),
        pl.col("owner!"),
        pl.col("place!"),
        pl.when(pl.col("published").is_null()).then(
            pl.lit("no date: give the file a column `published`, or put the payments beside it")
        ),
    )
    good, refused = split(frame, reason)
    out.nodes(good, pl.col("id"), "Account")
    owners, places = good.filter(pl.col("owner").is_not_null()), good.filter(pl.col("place").is_not_null())
    out.nodes(places, pl.col("place"), "Country")
    out.add(owners, "edge", subject=pl.col("owner"), name="HAS_ACCOUNT", object=pl.col("id"))
    out.add(places, "edge", subject=pl.col("id"), name="IN_COUNTRY", object=pl.col("place"))
    return refused


def _simulated_accounts(table: Table, out: RowClaims, published: datetime | None) -> list[Refusal]:
    frame = identified(table.frame, "nodeid", "id", rule=_simulated).with_columns(_AMLSIM_START.alias("published"))
    good, refused = split(frame, missing("id", "nodeid", "an account"))
    out.nodes(good, pl.col("id"), "Account")
    balance = decimals("init_balance")
    out.properties(good, "fact", balance, key="initial balance", unit="XXX")
    out.properties(good, "flag", pl.when(pl.col("isFraud").cast(pl.Int64, strict=False) > 0).then(pl.lit("fraud")))
    step = pl.col("fraudStep").cast(pl.Float64, strict=False)
    out.properties(good, "measure", pl.when(step >= 0).then(step), key="fraud step")
    return refused


_READ = {
    "payments": _payments,
    "trades": _trades,
    "accounts": _accounts,
    "amlsim transfers": _transfers,
    "amlsim accounts": _simulated_accounts,
}
