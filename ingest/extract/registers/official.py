"""Official tables: the EBA's exposures of banks by country, the constituents of the S&P 500 and tables of stocks by
sector, as claims.

With them the pieces that every register shares: country, sector and the check of a publication date.
"""

from __future__ import annotations

import polars as pl

from ingest.clean import decimals
from ingest.extract.formats.identifier import identified
from ingest.extract.formats.rows import RowClaims, missing, split
from ingest.source import Refusal

EBA_COLUMNS = frozenset(
    ("LEI_code", "Country_code", "Bank_name", "Period", "Country", "Exposure", "Total_Amount", "Unit", "Currency")
)
SP500_COLUMNS = frozenset(("Symbol", "Security", "GICS Sector", "GICS Sub-Industry", "CIK"))
STOCK_COLUMNS = frozenset(("Sector", "Symbol", "Company"))
_MOST = 10**15
"""Millions of euro that no bank has: more would not fit into the ledger."""
NO_DATE = pl.when(pl.col("published").is_null()).then(
    pl.format("published {} is not an ISO date or time", pl.col("#published").fill_null("(empty)"))
)


def slug(column: str) -> pl.Expr:
    return pl.col(column).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "-").str.strip_chars("-")


def placed(frame: pl.DataFrame, out: RowClaims, country: str) -> None:
    given = frame.filter(pl.col(country).is_not_null())
    out.nodes(given, pl.col(country), "Country")
    out.add(given, "edge", subject=pl.col("id"), name="IN_COUNTRY", object=pl.col(country))


def in_sector(frame: pl.DataFrame, out: RowClaims, column: str, prefix: str) -> None:
    given = frame.filter(pl.col(column).is_not_null()).with_columns((pl.lit(prefix) + slug(column)).alias("#sector"))
    out.nodes(given, pl.col("#sector"), "Sector")
    out.properties(
        given.unique("#sector", keep="first", maintain_order=True).with_columns(pl.col("#sector").alias("id")),
        "name",
        pl.col(column),
    )
    out.add(given, "edge", subject=pl.col("id"), name="IN_SECTOR", object=pl.col("#sector"))


def eba(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    """Exposures of a bank to a country by class at a period end, from millions of euro; rows of totals become facts.

    The file does not say when it was published: a year after the period end, which is later than the EBA's releases. A
    position stands until a year after that.
    """
    good, refused = _eba_checked(frame)
    out.nodes(good, pl.col("id"), "Bank")
    banks = good.unique("id", keep="first", maintain_order=True)
    out.properties(banks, "name", pl.col("Bank_name"))
    placed(banks, out, "#home")
    total = pl.col("Country") == "Total"
    _eba_totals(good.filter(total), out)
    exposed, bad = split(identified(good.filter(~total), "Country", "#to", "iso:"), pl.col("#to!"))
    out.nodes(exposed, pl.col("#to"), "Country")
    out.add(
        exposed,
        "edge",
        subject=pl.col("id"),
        name="EXPOSED_TO",
        object=pl.col("#to"),
        key=pl.format("{}/{}", "Exposure", "#day"),
        value_decimal=pl.col("#amount"),
        unit="EUR",
        valid_from=pl.col("#end"),
        valid_to=pl.col("#end").dt.offset_by("2y"),
    )
    return [*refused, *bad]


def _eba_checked(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Refusal]]:
    """Rows with bank, home country, period end, publication and amount in euro, and what is wrong with the others."""
    end = (pl.col("Period").str.slice(0, 6) + "01").str.to_datetime("%Y%m%d", time_unit="us", strict=False)
    raw = decimals("Total_Amount", 15)
    frame = frame.with_columns(
        end.dt.offset_by("1mo").dt.offset_by("-1d").dt.replace_time_zone("UTC").alias("#end"),
        (pl.when(raw.abs() < _MOST).then(raw) * 1_000_000).cast(pl.Decimal(38, 9)).alias("#amount"),
    ).with_columns(
        pl.col("#end").dt.offset_by("1y").alias("published"), pl.col("#end").dt.strftime("%Y-%m-%d").alias("#day")
    )
    millions = pl.col("Unit").is_in(["Millions", "Million"]) & (pl.col("Currency") == "Euro")
    reason = pl.coalesce(
        pl.col("id!"),
        missing("id", "LEI_code", "an LEI"),
        missing("#end", "Period", "year and month"),
        missing("#amount", "Total_Amount", "a decimal number"),
        pl.when(~millions).then(pl.lit("not in millions of euro")),
    )
    return split(identified(identified(frame, "LEI_code", "id", "lei:"), "Country_code", "#home", "iso:"), reason)


def _eba_totals(totals: pl.DataFrame, out: RowClaims) -> None:
    """Total assets of the bank, and the total of each class, which is no sum of the countries listed."""
    is_assets = pl.col("Exposure") == "Total assets"
    money: dict[str, pl.Expr | str] = {"unit": "EUR", "valid_from": pl.col("#end") + pl.duration(days=1)}
    out.properties(totals.filter(is_assets), "assets", pl.col("#amount"), key=pl.col("#day"), **money)
    key = pl.format("{}|{}", "Exposure", "#day")
    out.properties(totals.filter(~is_assets), "fact", pl.col("#amount"), key=key, **money)


def constituents(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    frame = identified(frame, "CIK", "id", "cik:")
    good, refused = split(
        frame,
        pl.coalesce(pl.col("id!"), missing("id", "CIK", "a CIK"), missing("Security", "Security", "a name"), NO_DATE),
    )
    bank = pl.col("GICS Sub-Industry").str.ends_with("Banks").fill_null(False)
    out.nodes(good, pl.col("id"), pl.when(bank).then(pl.lit("Bank")).otherwise(pl.lit("Company")))
    out.properties(good, "name", pl.col("Security"))
    out.properties(good, "ticker", pl.col("Symbol"))
    _listed(good.with_columns(pl.col("Symbol").str.strip_chars().alias("#ticker")), out)
    in_sector(good, out, "GICS Sector", "gics:")
    return refused


def stocks(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    """Firms by ticker with name and sector; a `$` before the ticker is how social media write it."""
    ticker = pl.col("Symbol").str.strip_chars().str.strip_prefix("$").alias("#ticker")
    frame = identified(frame.with_columns(ticker), "#ticker", "id", "ticker:")
    good, refused = split(
        frame,
        pl.coalesce(
            pl.col("id!"),
            missing("id", "Symbol", "a ticker"),
            missing("Company", "Company", "a name"),
            NO_DATE,
        ),
    )
    out.nodes(good, pl.col("id"), "Company")
    out.properties(good, "name", pl.col("Company"))
    out.properties(good, "ticker", pl.col("id").str.strip_prefix("ticker:"))
    _listed(good, out)
    in_sector(good, out, "Sector", "sector:")
    return refused


def _listed(good: pl.DataFrame, out: RowClaims) -> None:
    """The share that has the ticker, as the source of prices names it: both tables are of firms listed in New York."""
    share = pl.format("ticker:{}@XNYS", "#ticker")
    out.nodes(good, share, "Security")
    out.add(good, "edge", subject=pl.col("id"), name="ISSUED", object=share)
