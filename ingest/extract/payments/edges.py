"""Edges of payments and trades by the day: exact sums of the rows of one file, with the rows they stand on.

A row said twice counts once: the same transaction id, or wholly the same cells where rows have none. Cancels and
corrections restate the edges they touch (`payments_corrections`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from ingest.extract.formats.identifier import account_id, identified, identify
from ingest.extract.payments.corrections import Traced, restated, trace
from ingest.extract.payments.layouts import PAYMENTS, TRANSFERS, Layout, typed
from ingest.extract.payments.stream import Stream
from ingest.source import Refusal

TIME: Final = pl.Datetime("us", "UTC")
AMOUNT: Final = pl.Decimal(38, 9)
EDGES: Final = pl.Schema(
    {
        "a": pl.String(),
        "b": pl.String(),
        "side": pl.String(),
        "unit": pl.String(),
        "day": TIME,
        "part": pl.String(),
        "count": pl.Int64(),
        "total": AMOUNT,
        "quantity": AMOUNT,
        "raw": AMOUNT,
        "published": TIME,
        "rows": pl.List(pl.Int64()),
    }
)
"""Columns of the sums; `raw` is the sum of the column that a quote names."""


@dataclass
class Sums:
    """The edges of one file, and what was left out of them."""

    edges: pl.DataFrame
    refused: list[Refusal] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)


def name_ends(stream: Stream, layout: Layout, views: Iterable[str] = ("cells",)) -> None:
    """Make the table `ids` (k_given, k_end, k_wrong) of every end that views name."""
    a, b = ('"' + end.replace('"', '""') + '"' for end in layout.ends)
    raw = pl.Series("k_given", [], pl.String)
    for view in views:  # one at a time: a union of many files would open all of them at once
        pairs = stream.frame(f"SELECT DISTINCT {a} AS a, {b} AS b FROM {view}")
        raw = pl.concat([raw, pairs["a"].unique().alias("k_given"), pairs["b"].unique().alias("k_given")]).unique()
    ids = identified(raw.drop_nulls().sort().to_frame(), "k_given", "k_end", rule=_rule(layout)).rename(
        {"k_end!": "k_wrong"}
    )
    stream.register("ids", ids.to_arrow(compat_level=pl.CompatLevel.oldest()))


def _rule(layout: Layout) -> Callable[[str], str]:
    rule = account_id if layout is PAYMENTS else simulated if layout is TRANSFERS else identify

    def checked(value: str) -> str:
        if not value.strip():
            raise ValueError("the account is blank" if rule is account_id else "the id is blank")
        return rule(value)

    return checked


def simulated(value: str) -> str:
    """Id of an account of the AMLSim sample."""
    return f"acct:amlsim-{value.strip()}"


def sums(stream: Stream, layout: Layout, left_out: Iterable[int] = ()) -> Sums:
    """Sums of the view `cells`; `left_out` are rows that another file answers for."""
    name_ends(stream, layout)
    stream.con.execute(f"CREATE OR REPLACE TEMP VIEW typed AS {typed(layout, stream.columns['cells'])}")
    found = Sums(EDGES.to_frame())
    dropped = _drop(stream, layout, found, left_out)
    changed = _changes(stream, found)
    kept = "n NOT IN (SELECT n FROM dropped)" if dropped else "true"
    groups = stream.frame(_GROUPS.format(unchanged=_UNCHANGED if changed.height else "", kept=kept, day=_DAY))
    groups = groups.with_columns(pl.col("rows").list.sort(), (pl.col("day") * _DAY_US).cast(TIME))
    bad = groups.filter(pl.col("why").is_not_null())
    found.refused += [Refusal(f"row:{n}", why) for why, rows in bad.select("why", "rows").iter_rows() for n in rows]
    found.refused.sort(key=lambda refusal: int(refusal.locator.removeprefix("row:")))
    good = groups.filter(pl.col("why").is_null()).with_columns(pl.lit("").alias("part"))
    found.edges = pl.concat([conform(good), changed])
    return found


_DAY_US: Final = 86_400_000_000
_DAY: Final = f"(epoch_us(t) - ((epoch_us(t) % {_DAY_US}) + {_DAY_US}) % {_DAY_US}) // {_DAY_US}"
"""Day of a row as a number from 1970: grouping by it is cheaper than by what date_trunc gives."""
_GROUPS = """SELECT g.a, g.b, g.side, g.unit, g.day, why, count(*)::BIGINT AS count,
  CAST(sum(amount) AS DECIMAL(38, 9)) AS total, coalesce(sum(quantity), 0) AS quantity, coalesce(sum(raw), 0) AS raw,
  max(t) AS published, list(n) AS rows
FROM (SELECT *, {day} AS day FROM typed WHERE {kept}) g
WHERE (act = 'N' OR why IS NOT NULL) {unchanged} GROUP BY ALL ORDER BY min(n)"""
_UNCHANGED = """AND NOT EXISTS (FROM changed c
  WHERE (c.a, c.b, c.side, c.unit, c.day) = (g.a, g.b, g.side, g.unit, g.day) AND why IS NULL)"""
_IDENT = "CASE WHEN id <> '' THEN hash(id) ELSE hash(body, 'row') END"
_CALLED = "CASE WHEN id <> '' THEN 'id ' || id ELSE 'row ' || body END"


def conform(frame: pl.DataFrame) -> pl.DataFrame:
    """Sums with exactly the columns and types of EDGES."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in EDGES.items())


def _drop(stream: Stream, layout: Layout, found: Sums, left_out: Iterable[int]) -> int:
    """Make the table `dropped` (n): rows of other files, repeated rows, and rows that contradict one of their id.

    Returns how many they are.
    """
    numbers = [*left_out]
    if layout.repeats:
        hashes = np.sort(stream.table(f"SELECT {_IDENT} AS h FROM typed WHERE act = 'N'")["h"].to_numpy())
        twice = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
        if len(twice):
            stream.register("twice", pa.table({"h": pa.array(twice, pa.uint64())}))
            rows = stream.table(_REPEATS).to_pylist()
            same = [row["n"] for row in rows if row["same"]]
            found.rules["trades.repeated_row"] += len(same)
            for row in (row for row in rows if not row["same"]):
                reason = f"its id stands in row {row['first']} already with other values; a change needs an action"
                found.refused.append(Refusal(f"row:{row['n']}", reason))
            numbers += [row["n"] for row in rows]
    stream.register("dropped", pa.table({"n": pa.array(numbers, pa.int64())}))
    return len(numbers)


_REPEATS = f"""SELECT n, first, same FROM (
  SELECT n, first_value(n) OVER w AS first, body = first_value(body) OVER w AS same
  FROM (SELECT n, body, {_CALLED} AS ident FROM typed WHERE act = 'N' AND {_IDENT} IN (SELECT h FROM twice))
  WINDOW w AS (PARTITION BY ident ORDER BY n)) WHERE n <> first ORDER BY n"""
_ROW = "n, body, a, b, side, unit, t, amount, quantity, raw, id, ref, act"


def _changes(stream: Stream, found: Sums) -> pl.DataFrame:
    """Edges that cancels and corrections touch; makes the table `changed` of their groups."""
    told = rows_of(stream, "act IN ('C', 'R') AND n NOT IN (SELECT n FROM dropped) AND why IS NULL")
    meant = pa.table({"id": pa.array(sorted({row["ref"] or row["id"] for row in told}), pa.string())})
    stream.register("meant", meant)
    news = "act = 'N' AND why IS NULL AND n NOT IN (SELECT n FROM dropped)"
    first = rows_of(stream, f"{news} AND id IN (SELECT id FROM meant)") if told else []
    traced = trace([*first, *told])
    groups = {version.group[:5] for version in traced.versions}
    names = ("a", "b", "side", "unit", "day")
    columns: dict[str, list[Any]] = {name: [group[i] for group in groups] for i, name in enumerate(names)}
    columns["day"] = [int(day.timestamp()) // 86_400 for day in columns["day"]]
    stream.register("changed", pa.table(columns, schema=_CHANGED))
    if not groups and not traced.lost:
        return EDGES.to_frame()
    beside = f"{news} AND (a, b, side, unit, {_DAY}) IN (SELECT (a, b, side, unit, day) FROM changed)"
    whole = trace([*rows_of(stream, beside), *(row for row in told if row not in traced.lost)])
    account(traced, found)
    return edges_of(restated(whole.versions))


_CHANGED = pa.schema([*((name, pa.string()) for name in ("a", "b", "side", "unit")), ("day", pa.int64())])


def rows_of(stream: Stream, condition: str, columns: str = _ROW, view: str = "typed") -> list[dict[str, Any]]:
    """Typed rows that satisfy a condition, in their order."""
    rows: list[dict[str, Any]] = stream.table(f"SELECT {columns} FROM {view} WHERE {condition} ORDER BY n").to_pylist()
    return rows


def edges_of(rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Rows of sums as a frame."""
    return conform(pl.DataFrame(list(rows), schema=EDGES))


def account(traced: Traced, found: Sums) -> None:
    """Count what was made void, and refuse what speaks of nothing."""
    found.rules.update({"trades.void_row": traced.void, "trades.corrected_row": traced.corrected})
    found.rules.update({"trades.repeated_row": traced.repeated})
    for row in traced.lost:
        word = "corrects" if row["act"] == "R" else "cancels"
        which = row["ref"] or row["id"] or "(no id)"
        why = f"{word} transaction {which}, of which no file read tells; read the file with it together with this one"
        found.refused.append(Refusal(f"row:{row['n']}", why))


def evidenced(stream: Stream, layout: Layout, edges: pl.DataFrame, view: str = "cells") -> pl.DataFrame:
    """Sums with their locator and quote: the row itself, or the rows with their count and sum."""
    edges = edges.with_columns(pl.col("rows").list.len().alias("#many"), pl.col("rows").list.first().alias("#first"))
    quotes = stream.quotes(view, edges.filter(pl.col("#many") == 1)["#first"].to_list())
    one = pl.DataFrame(
        {"#first": list(quotes), "#quote": list(quotes.values())}, {"#first": pl.Int64, "#quote": pl.String}
    )
    edges = edges.join(one, on="#first", how="left", maintain_order="left")
    listed = pl.col("rows").cast(pl.List(pl.String)).list.join(",")
    digits = pl.col("raw").cast(pl.String)
    total = pl.when(digits.str.contains(".", literal=True)).then(
        digits.str.strip_chars_end("0").str.strip_chars_end(".")
    )
    single = pl.col("#many") == 1
    several = pl.format("rows:{} sum:{}", listed, pl.lit(layout.amount))
    return edges.with_columns(
        pl.when(single).then(pl.format("row:{}", listed)).otherwise(several)
        .alias("locator"),
        pl.when(single).then(pl.col("#quote"))
        .otherwise(pl.format("count {}, sum {}", pl.col("count"), total.otherwise(digits))).alias("quote"),
    ).drop("rows", "#many", "#first", "#quote")  # fmt: skip
