"""What can be wrong with a table: its numbers, its dates, its columns and its bytes."""

from __future__ import annotations

from collections.abc import Iterator

from tests import hostile_bytes as made
from tests.hostile import Case
from tests.hostile_bases import base, rows

NUMBER = "is not|no closing price|is no |absurd|decimal|number"
NUMBERS = {
    "nan": "NaN",
    "inf": "Infinity",
    "minus-inf": "-inf",
    "huge": "1e999999999",
    "long": "9" * 400,
    "formula": "=2+5",
}
DATE = "is not an ISO|is no ISO"
DATES = {"year-0": "0000-01-01", "year-10000": "10000-01-01", "leap": "2023-02-29", "month-13": "2024-13-01"}


def tables() -> Iterator[Case]:
    for fault, value in NUMBERS.items():
        yield rows("registers", "exposures-tiny.csv", fault, "1000000.10", value, NUMBER)
        yield rows("trades", "trades-tiny.csv", fault, "100,1.25", f"{value},1.25", NUMBER)
        price = base("market", "LARC.csv").split(b"\n")[5].split(b",")[4]
        yield Case(f"bad/market/{fault}/LARC.csv", base("market", "LARC.csv").replace(price, value.encode()), NUMBER)
        yield rows("incidents", "assets.csv", fault, "51.6", value, NUMBER)
        yield rows("trades", "payments-tiny.csv", fault, "75,EUR", f"{value},EUR", NUMBER)
    for fault, value in DATES.items():
        yield rows("registers", "exposures-tiny.csv", fault, "2020-01-01", value, DATE)
        yield rows("trades", "payments-tiny.csv", fault, "2021-01-03T09", f"{value}T09", DATE)
        yield rows("incidents", "events.csv", fault, "2024-01-02", value, DATE)
        yield rows("identities", "logins.csv", fault, "2024-01-02", value, DATE)
        yield rows("news", "e.csv", fault, "2023-04-05", value, DATE)
    columns = b",".join(b"c%d" % n for n in range(1_000_000))
    yield Case("bad/columns-million.csv", columns + b"\n1\n", "columns")
    yield Case("bad/columns-million-ids.csv", b"id,label,name," + columns + b"\n1\n", "columns")
    yield Case(
        "bad/registers-line.csv", base("registers", "entities-tiny.csv") + b"x" * 8_000_000, "x{20}|is not scheme|cells"
    )
    for name in ("entities-tiny.csv", "exposures-tiny.csv"):
        yield Case(
            f"bad/registers-quote-{name}", base("registers", name) + b'"never closed,1\n2,3\n', "CSV cannot be read"
        )
    yield Case(
        "bad/trades-quote.csv", base("trades", "payments-tiny.csv") + b'"never closed,1\n2,3\n', "CSV cannot be read"
    )
    yield Case("bad/market-quote.csv", base("market", "LARC.csv") + b'"never closed,1\n2,3\n', "CSV cannot be read")
    yield Case("bad/registers-twice.csv", b"id,label,name,id\n1,Company,A,2\n", "twice")
    yield Case("bad/trades-twice.csv", base("trades", "payments-tiny.csv").replace(b"memo", b"time", 1), "twice")
    yield Case("bad/parquet-torn.parquet", b"PAR1" + b"\xff" * 200 + b"PAR1", "broken")
    whole = made.parquet({"id": ["cik:1"], "label": ["Company"], "name": ["A"]})
    yield Case("bad/parquet-cut.parquet", whole[: len(whole) // 2], "broken")
    yield Case("bad/parquet-flipped.parquet", whole[:30] + b"\xff" * 40 + whole[70:], "cannot be read")
    big = {"id": ["cik:990012"] * 500_000, "label": ["Company"] * 500_000, "name": ["Bomb Ltd"] * 500_000}
    yield Case("bad/parquet-bomb.parquet", made.parquet(big, 80), "at most")
