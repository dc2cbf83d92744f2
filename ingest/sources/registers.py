"""Registers: CSV and Parquet tables of entities, stakes, loans, supplies, balance sheets and events, known by their
columns.

Beside the tables of this project it reads the EBA's exposures of banks by country, the constituents of the S&P 500 and
tables of stocks by sector. Every identifier is checked; a bad row is refused with its reason and the others are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import polars as pl

from ingest.clean import public
from ingest.extract.formats.identifier import identified
from ingest.extract.formats.rows import CLOCK, RowClaims, missing, other_money, split
from ingest.extract.formats.table import Table, columns_in, read_table
from ingest.extract.registers.official import (
    EBA_COLUMNS,
    NO_DATE,
    SP500_COLUMNS,
    STOCK_COLUMNS,
    constituents,
    eba,
    in_sector,
    placed,
    stocks,
)
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
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


class Registers(Source):
    """Tables of entities and of relations between them."""

    extractor = "registers.rows@3"
    patterns = ("*.csv", "*.parquet", "*.tsv", "StockTable")

    def records(self) -> Iterator[Record]:
        """One record per file of a known layout."""
        now = datetime.now(UTC)
        for path in self.files:
            if layout := layout_of(columns_in(path)):
                name = path.relative_to(self.folder).as_posix()
                yield Record("registers", name, path.read_bytes(), meta={"layout": layout, "read": now})

    def claims(self, record: Record, models: Models) -> Extract:
        table = read_table(record.content)
        layout = str(record.meta.get("layout") or layout_of(table.columns))
        if not layout:
            known = "; ".join(f"{name}: {', '.join(sorted(columns))}" for name, columns in _WANTED.items())
            raise RecordError(
                f"{record.path} is no register: it has {', '.join(table.columns)[:200]}; known are {known}"
            )
        out = RowClaims(record.document, self.extractor)
        frame = _published(table, record.published or record.meta.get("read"))
        if layout in STAKES:
            refused, used = _stakes(frame, out, layout), {*STAKES[layout][1], *STAKES[layout][2], *_SPELL}
        else:
            refused, used = _READ[layout](frame, out), set(_USED[layout])
        if table.encoding != "utf-8":
            out.rules[f"encoding.{table.encoding}"] = table.frame.height
        return Extract(out.batch(), (*table.refused, *refused), sorted(set(table.columns) - used), dict(out.rules))


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
        return table.frame.with_columns(pl.col("published").alias("#published"), public("published").alias("published"))
    return table.frame.with_columns(
        pl.lit(None, pl.String).alias("#published"), pl.lit(otherwise, CLOCK).alias("published")
    )


_NO_CURRENCY = pl.when(~pl.col("currency").str.contains("^[A-Z]{3}$").fill_null(False)).then(
    pl.format("currency {} is not an ISO 4217 code", pl.col("currency").fill_null("(empty)"))
)


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
            pl.col("id!"), missing("id", "#given", "an id"), wrong_label, missing("name", "name", "a name"), NO_DATE
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
    placed(good, out, "#country")
    in_sector(good, out, "sector", "sector:")
    return refused


def _issued(frame: pl.DataFrame, out: RowClaims) -> None:
    given = frame.filter(pl.col("#isin").is_not_null())
    out.nodes(given, pl.col("#isin"), "Security")
    out.properties(given.with_columns(pl.col("#isin").alias("id")), "name", pl.col("name"))
    out.add(given, "edge", subject=pl.col("id"), name="ISSUED", object=pl.col("#isin"))


def _stakes(frame: pl.DataFrame, out: RowClaims, layout: str) -> list[Refusal]:
    """One edge per row, valid from-to: OWNS by share class, SUPPLIES, LENDS_TO by facility."""
    type, (source, target), values = STAKES[layout]
    frame = identified(
        identified(_optional(_optional(frame, "valid_from"), "valid_to"), source, "source"), target, "target"
    )
    frame = out.dated(out.dated(frame, "valid_from", "#from"), "valid_to", "#to")
    reasons = [
        pl.col("source!"),
        pl.col("target!"),
        missing("source", source, "an id"),
        missing("target", target, "an id"),
    ]
    reasons += [NO_DATE, _unreadable("valid_from", "#from"), _unreadable("valid_to", "#to")]
    columns: dict[str, pl.Expr] = {}
    if "share" in values:
        share = pl.col("#share").cast(pl.Float64)
        frame = out.cleaned(frame, "share", "#share")
        frame = frame.with_columns(pl.when(share.is_between(0, 1)).then(share).alias("#share"))
        reasons.append(missing("#share", "share", "a share from 0 to 1"))
        columns = {"value_real": pl.col("#share"), "key": pl.col("share_class").fill_null("")}
    else:
        frame = out.cleaned(frame, "amount", "#amount")
        reasons += [missing("#amount", "amount", "a decimal number"), _NO_CURRENCY, other_money("amount")]
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
    frame = out.dated(identified(frame, "entity_id", "id"), "period_end", "#end")
    good, refused = split(
        frame,
        pl.coalesce(
            pl.col("id!"),
            missing("id", "entity_id", "an id"),
            missing("#end", "period_end", "an ISO date"),
            NO_DATE,
            _NO_CURRENCY,
        ),
    )
    # the day is the one that is written, wherever its midnight was
    written = pl.col("period_end").str.strip_chars().str.extract(r"^(\d{4}-\d{2}-\d{2})T.*[+-]\d{2}:?\d{2}$")
    good = good.with_columns(
        pl.coalesce(written.str.to_datetime("%Y-%m-%d", time_unit="us", time_zone="UTC"), "#end").alias("#end")
    )
    clock = {
        "valid_from": pl.col("#end") + pl.duration(days=1),
        "key": pl.col("#end").dt.strftime("%Y-%m-%d"),
        "unit": pl.col("currency"),
    }
    for name in (column for column in BALANCE_COLUMNS if column in frame.columns):
        good = out.cleaned(good, name, "#figure")
        odd = pl.when(pl.col(name).is_not_null() & pl.col("#figure").is_null()).then(
            pl.format("{} {} is not a decimal number", pl.lit(name), pl.col(name))
        )
        money, bad = split(good, pl.coalesce(odd, other_money(name)))
        out.properties(money, name, pl.col("#figure"), **clock)
        refused += bad
    return refused


def _events(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    frame = identified(identified(frame, "entity_id", "entity"), "event_id", "id", rule=_event_id)
    frame = out.dated(frame, "date", "#date").with_columns(pl.col("role").fill_null("subject"))
    reason = pl.coalesce(
        pl.col("entity!"),
        missing("entity", "entity_id", "an id"),
        missing("id", "event_id", "an event"),
        missing("event_type", "event_type", "a kind of event"),
        missing("#date", "date", "an ISO date"),
        NO_DATE,
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


_READ = {
    "entities": _entities,
    "balances": _balances,
    "events": _events,
    "eba": eba,
    "constituents": constituents,
    "stocks": stocks,
}
_USED = {
    "entities": ENTITY_COLUMNS,
    "balances": frozenset(("entity_id", "period_end", "currency", "published", *BALANCE_COLUMNS)),
    "events": frozenset(("event_id", "event_type", "entity_id", "role", "date", "published")),
    "eba": EBA_COLUMNS,
    "constituents": SP500_COLUMNS,
    "stocks": STOCK_COLUMNS,
}
_WANTED: Mapping[str, frozenset[str]] = {
    "eba": EBA_COLUMNS,
    "constituents": SP500_COLUMNS,
    "stocks": STOCK_COLUMNS,
    "balances": frozenset(("entity_id", "period_end", "currency")),
    "events": frozenset(("event_id", "event_type", "entity_id", "role", "date")),
    "entities": frozenset(("id", "label", "name")),
    **{name: frozenset((*ends, *values)) for name, (_, ends, values) in STAKES.items()},
}
