"""Accounts, payments and trades, with planted circles of money and funds that sell before a default."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kgrisk.sample.idents import iban
from kgrisk.sample.network import World
from kgrisk.sample.registers import Bad, as_csv
from kgrisk.sample.world import BANKS, FUNDS, Firm, stream

PAYMENTS, TRADES = 3600, 2200
OPENED = date(2019, 2, 1)
"""No payment is earlier."""
LENGTHS = (3, 4, 5, 3, 4, 6, 3)
"""How many accounts each planted circle passes through."""


def accounts(world: World) -> tuple[bytes, dict[int, str]]:
    """One account per firm: an IBAN for most, a plain number for the others; known no sooner than its owner is."""
    rng, of, rows = stream("accounts"), {}, []
    for firm in world.firms:
        plain = firm.country in {"US", "JP"} or rng.random() < 0.15
        of[firm.n] = f"{rng.randrange(10**9, 10**10)}" if plain else iban(rng, firm.country)
        rows.append([of[firm.n], firm.id, firm.country, max(OPENED, firm.born).isoformat()])
    return as_csv(["account_id", "owner_id", "country", "published"], rows), of


def _moment(rng: Random, first: date, last: date) -> datetime:
    day = first + timedelta(days=rng.randrange(max(1, (last - first).days)))
    return datetime(day.year, day.month, day.day, rng.randrange(7, 18), rng.randrange(60), rng.randrange(60))


def _cents(rng: Random, low: float, high: float) -> Decimal:
    return Decimal(int(rng.uniform(low, high) * 100)) / 100


Payment = tuple[datetime, str, str, Decimal, str]


def _regular(world: World, of: dict[int, str], rng: Random) -> list[Payment]:
    """Customers pay suppliers, borrowers pay banks, and now and then anybody pays anybody."""
    rows: list[Payment] = []
    flows = [k for k in world.links if k.type in {"SUPPLIES", "LENDS_TO"}]
    while len(rows) < PAYMENTS:
        if rng.random() < 0.12:
            a, b = (f.n for f in rng.sample(world.firms[BANKS + FUNDS :], 2))
            rows.append((_moment(rng, OPENED, date(2023, 12, 28)), of[a], of[b], _cents(rng, 800, 60_000), "EUR"))
            continue
        k = rng.choice(flows)
        last = min(k.end or date(2023, 12, 28), world.firms[k.target].gone or date(2023, 12, 28))
        first = max(k.start, OPENED)
        if first >= last:
            continue
        part = 0.08 if k.type == "SUPPLIES" else 0.01
        currency = "USD" if world.firms[k.target].country == "US" == world.firms[k.source].country else "EUR"
        rows.append(
            (
                _moment(rng, first, last),
                of[k.target],
                of[k.source],
                _cents(rng, k.amount * part * 0.6, k.amount * part * 1.4),
                currency,
            )
        )
    return rows


def _circles(world: World, of: dict[int, str], rng: Random) -> tuple[list[Payment], list[dict[str, Any]]]:
    """Money that comes back to where it started within days, a little less each time."""
    rows: list[Payment] = []
    planted = []
    pool = [f for f in world.firms[BANKS + FUNDS :] if f.born.year == 2019 and f.gone is None]
    for length in LENGTHS:
        ring = [f.n for f in rng.sample(pool, length)]
        moment, amount = _moment(rng, date(2019, 6, 1), date(2023, 11, 1)), _cents(rng, 400_000, 2_500_000)
        started = moment
        for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
            rows.append((moment, of[a], of[b], amount, "EUR"))
            moment += timedelta(days=rng.randrange(1, 4), minutes=rng.randrange(300))
            amount = (amount * Decimal(str(round(rng.uniform(0.96, 0.995), 4)))).quantize(Decimal("0.01"))
        ends = [of[n] for n in ring]
        planted.append(
            {
                "accounts": ends,
                "owners": [world.firms[n].id for n in ring],
                "from": started.date().isoformat(),
                "to": rows[-1][0].date().isoformat(),
                "currency": "EUR",
            }
        )
    return rows, planted


def payments(world: World, of: dict[int, str], bad: Bad) -> tuple[bytes, list[dict[str, Any]]]:
    """payments.csv and the circles planted in it."""
    rng = stream("payments")
    rows = _regular(world, of, rng)
    circular, planted = _circles(world, of, rng)
    rows = sorted(rows + circular)
    lines: list[list[Any]] = [
        [f"P{n + 1:06d}", f"{r[0]:%Y-%m-%dT%H:%M:%SZ}", r[1], r[2], f"{r[3]:.2f}", r[4]] for n, r in enumerate(rows)
    ]
    lines.append(["P999998", "2023-05-04T10:11:12Z", of[40], of[41], "12,5x0.00", "EUR"])
    lines.append(["P999999", "2023-05-04T10:12:13Z", of[42], of[43], "1200.00", "euros"])
    bad.append({"file": "trades/payments.csv", "where": f"row {len(lines) - 1}", "what": "amount is no number"})
    bad.append({"file": "trades/payments.csv", "where": f"row {len(lines)}", "what": "currency is no ISO 4217 code"})
    return as_csv(["payment_id", "time", "payer_account", "payee_account", "amount", "currency"], lines), planted


Trade = tuple[datetime, str, str, str, int, Decimal, str]


def _trade(moment: datetime, party: Firm, paper: Firm, side: str, count: int, price: float) -> Trade:
    paid = Decimal(str(round(price, 2)))
    return moment, party.id, f"isin:{paper.isin}", side, count, paid, "USD" if paper.country == "US" else "EUR"


def _market(world: World, price: dict[int, float], rng: Random) -> list[Trade]:
    """Banks and funds trade listed papers at random."""
    listed = [f for f in world.firms if f.n in price]
    rows: list[Trade] = []
    while len(rows) < TRADES:
        paper = rng.choice(listed)
        last = min(date(2023, 12, 28), paper.gone or date(2023, 12, 28))
        if paper.born + timedelta(days=40) >= last:
            continue
        party = rng.choice(world.firms[: BANKS + FUNDS])
        moment = _moment(rng, paper.born + timedelta(days=20), last)
        level = price[paper.n] * rng.uniform(0.7, 1.4)
        rows.append(_trade(moment, party, paper, rng.choice("BS"), rng.randrange(1, 400) * 50, level))
    return rows


def _warned(world: World, price: dict[int, float], rng: Random) -> tuple[list[Trade], list[dict[str, Any]]]:
    """Funds that sell three times in the weeks before a distress event."""
    rows: list[Trade] = []
    planted = []
    for d in [d for d in world.distress if world.firms[d.firm].isin][::6]:
        paper, party = world.firms[d.firm], rng.choice(world.firms[BANKS : BANKS + FUNDS])
        for back in sorted((rng.randrange(4, 25) for _ in range(3)), reverse=True):
            moment = datetime(d.day.year, d.day.month, d.day.day, 14, 30) - timedelta(days=back)
            rows.append(_trade(moment, party, paper, "S", 40_000, price.get(paper.n, 20.0)))
        about = {"party": party.id, "security": f"isin:{paper.isin}"}
        planted.append(about | {"event_of": paper.id, "event_date": d.day.isoformat()})
    return rows, planted


def trades(world: World) -> tuple[bytes, list[dict[str, Any]]]:
    """trades.parquet and the sales planted in the weeks before a distress event."""
    rng = stream("trades")
    price = {f.n: rng.uniform(4, 180) for f in world.firms if f.isin and f.label != "Fund"}
    market = _market(world, price, rng)
    sales, planted = _warned(world, price, rng)
    rows = sorted(market + sales)
    types = {
        "time": pa.timestamp("us", "UTC"),
        "party_id": pa.string(),
        "security_id": pa.string(),
        "side": pa.string(),
        "quantity": pa.int64(),
        "price": pa.decimal128(18, 4),
        "currency": pa.string(),
    }
    columns = {"trade_id": pa.array([f"T{n + 1:06d}" for n in range(len(rows))])}
    columns |= {name: pa.array([r[i] for r in rows], kind) for i, (name, kind) in enumerate(types.items())}
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd")
    return out.getvalue(), planted
