"""Registers: CSV and Parquet tables of entities, stakes, loans, supplies, balance sheets and events, known by their columns.

Beside the tables of this project it reads the EBA's exposures of banks by country and the constituents of the S&P 500.
Every identifier is checked; a bad row is refused with its reason and the rows beside it are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import polars as pl

from ingest.clean import decimals, instants
from ingest.extract.identifier import identified
from ingest.extract.rows import CLOCK, RowClaims, missing, split
from ingest.extract.table import Table, columns_of, read_table
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.model import LAST
from kg.ontology import NODES

ENTITY_COLUMNS = frozenset(
    (
        "id",
        "label",
        "name",
        "former_name",
        "country",
        "sector",
        "ticker",
        "isin",
        "lei",
        "cik",
        "published",
        "description",
    )
)
BALANCE_COLUMNS = (
    "assets",
    "liabilities",
    "equity",
    "cash",
    "revenue",
    "net_income",
    "external_assets",
    "debt",
    "operating_income",
)
_SPELL = ("valid_from", "valid_to", "published")
STAKES: Mapping[str, tuple[str, tuple[str, str], tuple[str, ...]]] = {
    "ownership": ("OWNS", ("owner_id", "owned_id"), ("share", "share_class")),
    "supply": ("SUPPLIES", ("supplier_id", "customer_id"), ("amount", "currency")),
    "exposures": ("LENDS_TO", ("creditor_id", "debtor_id"), ("amount", "currency", "facility")),
}
"""Tables of one edge per row: edge type, ends, columns with the value and the key."""
EBA_COLUMNS = frozenset(
    ("LEI_code", "Country_code", "Bank_name", "Period", "Country", "Exposure", "Total_Amount", "Unit", "Currency")
)
SP500_COLUMNS = frozenset(("Symbol", "Security", "GICS Sector", "GICS Sub-Industry", "CIK"))


class Registers(Source):
    """Tables of entities and of relations between them."""

    extractor = "registers.rows@1"
    patterns = ("*.csv", "*.parquet")

    def records(self) -> Iterator[Record]:
        """One record per file of a known layout."""
        now = datetime.now(UTC)
        for path in self.files:
            content = path.read_bytes()
            if layout := layout_of(columns_of(content)):
                name = path.relative_to(self.folder).as_posix()
                yield Record("registers", name, content, meta={"layout": layout, "read": now})

    def claims(self, record: Record, models: Models) -> Extract:
        table = read_table(record.content)
        layout = str(record.meta.get("layout") or layout_of(table.columns))
        out = RowClaims(record.document, self.extractor)
        frame = _published(table, record.published or record.meta.get("read"))
        if layout in STAKES:
            refused, used = _stakes(frame, out, layout), {*STAKES[layout][1], *STAKES[layout][2], *_SPELL}
        else:
            refused, used = _READ[layout](frame, out), set(_USED[layout])
        return Extract(out.batch(), (*table.refused, *refused), sorted(set(table.columns) - used))


def layout_of(columns: tuple[str, ...]) -> str:
    """Name of the layout whose columns are there, or ""."""
    have = set(columns)
    for name, wanted in _WANTED.items():
        if wanted <= have:
            return name
    return ""


def _published(table: Table, otherwise: datetime | None) -> pl.DataFrame:
    """Publication of each row; a table that does not say was public when it was read."""
    if "published" in table.columns:
        return table.frame.with_columns(
            pl.col("published").alias("#published"), instants("published").alias("published")
        )
    return table.frame.with_columns(
        pl.lit(None, pl.String).alias("#published"), pl.lit(otherwise, CLOCK).alias("published")
    )


_NO_DATE = pl.when(pl.col("published").is_null()).then(
    pl.format("published {} is not an ISO date or time", pl.col("#published").fill_null("(empty)"))
)
_NO_CURRENCY = pl.when(~pl.col("currency").str.contains("^[A-Z]{3}$").fill_null(False)).then(
    pl.format("currency {} is not an ISO 4217 code", pl.col("currency").fill_null("(empty)"))
)


def _slug(column: str) -> pl.Expr:
    return pl.col(column).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "-").str.strip_chars("-")


def _optional(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    return frame if column in frame.columns else frame.with_columns(pl.lit(None, pl.String).alias(column))


def _entities(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    for column in sorted(ENTITY_COLUMNS - set(frame.columns)):
        frame = _optional(frame, column)
    frame = identified(frame.rename({"id": "#given"}), "#given", "id")
    wrong_label = pl.when(~pl.col("label").is_in(list(NODES)).fill_null(False)).then(
        pl.format("label {} is unknown; known: {}", pl.col("label").fill_null("(empty)"), pl.lit(", ".join(NODES)))
    )
    good, refused = split(
        frame,
        pl.coalesce(
            pl.col("id!"), missing("id", "#given", "an id"), wrong_label, missing("name", "name", "a name"), _NO_DATE
        ),
    )
    out.nodes(good, pl.col("id"), pl.col("label"))
    for column, name in (
        ("name", "name"),
        ("former_name", "name"),
        ("ticker", "ticker"),
        ("description", "description"),
    ):
        out.properties(good, name, pl.col(column))
    for column in ("lei", "cik", "isin", "country"):
        good = identified(good, column, f"#{column}", f"{'iso' if column == 'country' else column}:")
        refused += split(good, pl.col(f"#{column}!"))[1]
    for column in ("lei", "cik"):
        other = pl.col(f"#{column}")
        out.properties(good, "identifier", pl.when(other != pl.col("id")).then(other))
    _issued(good, out)
    _placed(good, out, "#country")
    _in_sector(good, out, "sector", "sector:")
    return refused


def _issued(frame: pl.DataFrame, out: RowClaims) -> None:
    given = frame.filter(pl.col("#isin").is_not_null())
    out.nodes(given, pl.col("#isin"), "Security")
    out.properties(given.with_columns(pl.col("#isin").alias("id")), "name", pl.col("name"))
    out.add(given, "edge", subject=pl.col("id"), name="ISSUED", object=pl.col("#isin"))


def _placed(frame: pl.DataFrame, out: RowClaims, country: str) -> None:
    given = frame.filter(pl.col(country).is_not_null())
    out.nodes(given, pl.col(country), "Country")
    out.add(given, "edge", subject=pl.col("id"), name="IN_COUNTRY", object=pl.col(country))


def _in_sector(frame: pl.DataFrame, out: RowClaims, column: str, prefix: str) -> None:
    given = frame.filter(pl.col(column).is_not_null()).with_columns((pl.lit(prefix) + _slug(column)).alias("#sector"))
    out.nodes(given, pl.col("#sector"), "Sector")
    out.properties(
        given.unique("#sector", keep="first", maintain_order=True).with_columns(pl.col("#sector").alias("id")),
        "name",
        pl.col(column),
    )
    out.add(given, "edge", subject=pl.col("id"), name="IN_SECTOR", object=pl.col("#sector"))


def _stakes(frame: pl.DataFrame, out: RowClaims, layout: str) -> list[Refusal]:
    """One edge per row, valid from-to: OWNS by share class, SUPPLIES, LENDS_TO by facility."""
    type, (source, target), values = STAKES[layout]
    frame = identified(
        identified(_optional(_optional(frame, "valid_from"), "valid_to"), source, "source"), target, "target"
    )
    frame = frame.with_columns(instants("valid_from").alias("#from"), instants("valid_to").alias("#to"))
    reasons = [
        pl.col("source!"),
        pl.col("target!"),
        missing("source", source, "an id"),
        missing("target", target, "an id"),
    ]
    reasons += [_NO_DATE, _unreadable("valid_from", "#from"), _unreadable("valid_to", "#to")]
    columns: dict[str, pl.Expr] = {}
    if "share" in values:
        share = pl.col("share").cast(pl.Float64, strict=False)
        frame = frame.with_columns(pl.when(share.is_between(0, 1)).then(share).alias("#share"))
        reasons.append(missing("#share", "share", "a share from 0 to 1"))
        columns = {"value_real": pl.col("#share"), "key": pl.col("share_class").fill_null("")}
    else:
        frame = frame.with_columns(decimals("amount").alias("#amount"))
        reasons += [missing("#amount", "amount", "a decimal number"), _NO_CURRENCY]
        columns = {"value_decimal": pl.col("#amount"), "unit": pl.col("currency")}
        if "facility" in values:
            columns["key"] = pl.col("facility").fill_null("")
    good, refused = split(frame, pl.coalesce(reasons))
    spell = {
        "valid_from": pl.col("#from").fill_null(pl.lit(_FIRST, CLOCK)),
        "valid_to": pl.col("#to").fill_null(pl.lit(LAST, CLOCK)),
    }
    out.add(good, "edge", subject=pl.col("source"), name=type, object=pl.col("target"), **columns, **spell)
    return refused


_FIRST = datetime(1, 1, 1, tzinfo=UTC)


def _unreadable(raw: str, column: str) -> pl.Expr:
    return pl.when(pl.col(raw).is_not_null() & pl.col(column).is_null()).then(
        pl.format("{} {} is not an ISO date", pl.lit(raw), pl.col(raw))
    )


def _balances(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    frame = identified(frame, "entity_id", "id").with_columns(instants("period_end").alias("#end"))
    good, refused = split(
        frame,
        pl.coalesce(
            pl.col("id!"),
            missing("id", "entity_id", "an id"),
            missing("#end", "period_end", "an ISO date"),
            _NO_DATE,
            _NO_CURRENCY,
        ),
    )
    clock = {
        "valid_from": pl.col("#end") + pl.duration(days=1),
        "key": pl.col("#end").dt.strftime("%Y-%m-%d"),
        "unit": pl.col("currency"),
    }
    for name in (column for column in BALANCE_COLUMNS if column in frame.columns):
        out.properties(good, name, decimals(name), **clock)
        bad = pl.when(pl.col(name).is_not_null() & decimals(name).is_null()).then(
            pl.format("{} {} is not a decimal number", pl.lit(name), pl.col(name))
        )
        refused += split(good, bad)[1]
    return refused


def _events(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    frame = identified(identified(frame, "entity_id", "entity"), "event_id", "id", rule=_event_id)
    frame = frame.with_columns(instants("date").alias("#date"), pl.col("role").fill_null("subject"))
    reason = pl.coalesce(
        pl.col("entity!"),
        missing("entity", "entity_id", "an id"),
        missing("id", "event_id", "an event"),
        missing("event_type", "event_type", "a kind of event"),
        missing("#date", "date", "an ISO date"),
        _NO_DATE,
    )
    good, refused = split(frame, reason)
    out.nodes(good, pl.col("id"), "Event")
    first = good.unique("id", keep="first", maintain_order=True)
    out.properties(first, "event_type", pl.col("event_type"), valid_from=pl.col("#date"))
    role = {"key": pl.col("role"), "value_text": pl.col("role"), "valid_from": pl.col("#date")}
    out.add(good, "edge", subject=pl.col("entity"), name="AFFECTED_BY", object=pl.col("id"), **role)
    return refused


def _event_id(value: str) -> str:
    return f"event:{value.strip().removeprefix('event:')}"


def _eba(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    """Exposures of a bank to a country by class at a period end, from millions of euro; rows of totals become facts.

    The file does not say when it was published: a year after the period end, which is later than the EBA's releases. A
    position stands until a year after that.
    """
    end = (pl.col("Period").str.slice(0, 6) + "01").str.to_datetime("%Y%m%d", time_unit="us", strict=False)
    frame = frame.with_columns(
        end.dt.offset_by("1mo").dt.offset_by("-1d").dt.replace_time_zone("UTC").alias("#end"),
        (decimals("Total_Amount", 15) * 1_000_000).cast(pl.Decimal(38, 9)).alias("#amount"),
    ).with_columns(
        pl.col("#end").dt.offset_by("1y").alias("published"), pl.col("#end").dt.strftime("%Y-%m-%d").alias("#day")
    )
    frame = identified(identified(frame, "LEI_code", "id", "lei:"), "Country_code", "#home", "iso:")
    unit = pl.when(~pl.col("Unit").is_in(["Millions", "Million"]) | (pl.col("Currency") != "Euro")).then(
        pl.lit("not in millions of euro")
    )
    good, refused = split(
        frame,
        pl.coalesce(
            pl.col("id!"),
            missing("id", "LEI_code", "an LEI"),
            missing("#end", "Period", "year and month"),
            missing("#amount", "Total_Amount", "a decimal number"),
            unit,
        ),
    )
    out.nodes(good, pl.col("id"), "Bank")
    banks = good.unique("id", keep="first", maintain_order=True)
    out.properties(banks, "name", pl.col("Bank_name"))
    _placed(banks, out, "#home")
    money = {"unit": "EUR", "valid_from": pl.col("#end") + pl.duration(days=1)}
    totals, by_country = good.filter(pl.col("Country") == "Total"), good.filter(pl.col("Country") != "Total")
    is_assets = pl.col("Exposure") == "Total assets"
    out.properties(totals.filter(is_assets), "assets", pl.col("#amount"), key=pl.col("#day"), **money)
    out.properties(
        totals.filter(~is_assets), "fact", pl.col("#amount"), key=pl.format("{}|{}", "Exposure", "#day"), **money
    )
    exposed, bad = split(identified(by_country, "Country", "#to", "iso:"), pl.col("#to!"))
    out.nodes(exposed, pl.col("#to"), "Country")
    spell = {"valid_from": pl.col("#end"), "valid_to": pl.col("#end").dt.offset_by("2y")}
    key = pl.format("{}/{}", "Exposure", "#day")
    out.add(
        exposed,
        "edge",
        subject=pl.col("id"),
        name="EXPOSED_TO",
        object=pl.col("#to"),
        key=key,
        value_decimal=pl.col("#amount"),
        unit="EUR",
        **spell,
    )
    return [*refused, *bad]


def _constituents(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    frame = identified(frame, "CIK", "id", "cik:")
    good, refused = split(
        frame,
        pl.coalesce(pl.col("id!"), missing("id", "CIK", "a CIK"), missing("Security", "Security", "a name"), _NO_DATE),
    )
    bank = pl.col("GICS Sub-Industry").str.ends_with("Banks").fill_null(False)
    out.nodes(good, pl.col("id"), pl.when(bank).then(pl.lit("Bank")).otherwise(pl.lit("Company")))
    out.properties(good, "name", pl.col("Security"))
    out.properties(good, "ticker", pl.col("Symbol"))
    _in_sector(good, out, "GICS Sector", "gics:")
    return refused


_READ = {"entities": _entities, "balances": _balances, "events": _events, "eba": _eba, "constituents": _constituents}
_USED = {
    "entities": ENTITY_COLUMNS,
    "balances": frozenset(("entity_id", "period_end", "currency", "published", *BALANCE_COLUMNS)),
    "events": frozenset(("event_id", "event_type", "entity_id", "role", "date", "published")),
    "eba": EBA_COLUMNS,
    "constituents": SP500_COLUMNS,
}
_WANTED: Mapping[str, frozenset[str]] = {
    "eba": EBA_COLUMNS,
    "constituents": SP500_COLUMNS,
    "balances": frozenset(("entity_id", "period_end", "currency")),
    "events": frozenset(("event_id", "event_type", "entity_id", "role", "date")),
    "entities": frozenset(("id", "label", "name")),
    **{name: frozenset((*ends, *values)) for name, (_, ends, values) in STAKES.items()},
}
