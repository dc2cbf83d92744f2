"""The register files: entities, ownership, exposures, supply, balances and events, with a few bad rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from kgrisk.sample.banking import equity_of, interbank, lag, restated, year_rows
from kgrisk.sample.network import YEARS, World
from kgrisk.sample.world import BANKS, FUNDS, Firm, stream

LAST = date(2023, 12, 29)
Bad = list[dict[str, str]]


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def entities(world: World, bad: Bad) -> bytes:
    header = [
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
    ]
    rows = [
        [f.id, f.label, f.name, f.former, f.country, f.sector, f.ticker, f.isin, f.lei, f.cik, f.born, f.description]
        for f in world.firms
    ]
    good = world.firms[200].lei or world.firms[201].lei
    wrong = good[:-2] + f"{(int(good[-2:]) + 13) % 97:02d}"
    rows.append(
        [
            f"lei:{wrong}",
            "Company",
            "Miskeyed Trading Ltd",
            "",
            "GB",
            "retail",
            "",
            "",
            wrong,
            "",
            "2020-03-02",
            "Fictional; its LEI was typed wrongly.",
        ]
    )
    bad.append({"file": "registers/entities.csv", "where": f"row {len(rows)}", "what": "LEI with wrong check digits"})
    return as_csv(header, rows)


def ownership(world: World, bad: Bad) -> bytes:
    header = ["owner_id", "owned_id", "share", "share_class", "valid_from", "valid_to", "published"]
    firms, rows = world.firms, []
    for k in world.links:
        if k.type == "OWNS" and k.carrier == "register":
            rows.append([firms[k.source].id, firms[k.target].id, k.share, k.key, k.start, k.end or "", k.published])
    rows.append([firms[3].id, firms[50].id, "1.7", "ordinary", "2021-05-01", "", "2021-06-01"])
    bad.append({"file": "registers/ownership.csv", "where": f"row {len(rows)}", "what": "share above 1"})
    return as_csv(header, rows)


def loan_rows(world: World) -> list[list[Any]]:
    """Loans to companies, one row a year with the amount restated; the desk code is a column no reader asks for."""
    rng, firms, rows = stream("loan rows"), world.firms, []
    for k in world.links:
        if k.type != "LENDS_TO" or k.carrier != "register":
            continue
        drift, wait, desk = rng.random(), rng.random(), f"D{rng.randrange(100, 999)}"
        gone = firms[k.target].gone
        for n, (start, end) in enumerate(year_rows(k.start, k.end)):
            if gone and start > gone:  # no statement is made after a bankruptcy, and none tells of it in advance
                break
            published = k.published if n == 0 else start + lag(wait)
            amount = restated(k.amount, start.year, k.start.year, drift) if n else k.amount
            rows.append(
                [
                    firms[k.source].id,
                    firms[k.target].id,
                    k.key,
                    f"{amount:.2f}",
                    "EUR",
                    start,
                    end or "",
                    published,
                    desk,
                ]
            )
    return rows


def interbank_rows(world: World) -> list[list[Any]]:
    rng, firms, rows = stream("interbank rows"), world.firms, []
    for year, claims in interbank(world).items():
        for (i, j), amount in claims.items():
            end = date(year + 1, 1, 1) if year < 2023 else ""
            rows.append(
                [
                    firms[i].id,
                    firms[j].id,
                    "interbank deposit",
                    f"{amount:.2f}",
                    "EUR",
                    date(year, 1, 1),
                    end,
                    date(year, 1, 15) + lag(rng.random()),
                    "TREASURY",
                ]
            )
    return rows


def exposures(world: World, bad: Bad) -> bytes:
    header = [
        "creditor_id",
        "debtor_id",
        "facility",
        "amount",
        "currency",
        "valid_from",
        "valid_to",
        "published",
        "desk_code",
    ]
    rows = sorted(loan_rows(world) + interbank_rows(world), key=lambda r: (str(r[7]), r[0], r[1]))
    firms = world.firms
    rows.append(
        [firms[1].id, firms[60].id, "term loan", "about 12 million", "EUR", "2022-04-01", "", "2022-05-02", "D101"]
    )
    bad.append({"file": "registers/exposures.csv", "where": f"row {len(rows)}", "what": "amount is no number"})
    rows.append(
        [firms[1].id, f"isin:{firms[0].isin}", "term loan", "1000000.00", "EUR", "2022-04-01", "", "2022-05-02", "D102"]
    )
    bad.append(
        {
            "file": "registers/exposures.csv",
            "where": f"row {len(rows)}",
            "what": "debtor is a security: LENDS_TO does not allow it",
        }
    )
    bad.append({"file": "registers/exposures.csv", "where": "column desk_code", "what": "a column no reader asks for"})
    return as_csv(header, rows)


def supply(world: World) -> bytes:
    """Yearly sales from supplier to customer."""
    header = ["supplier_id", "customer_id", "amount", "currency", "valid_from", "valid_to", "published"]
    firms = world.firms
    return as_csv(
        header,
        (
            [firms[k.source].id, firms[k.target].id, f"{k.amount:.2f}", "EUR", k.start, k.end or "", k.published]
            for k in world.links
            if k.type == "SUPPLIES" and k.carrier == "register"
        ),
    )


def balances(world: World, skip: set[tuple[int, int]]) -> bytes:
    """Year-end figures of every firm; `skip` are the years that a firm's own filing reports instead."""
    header = [
        "entity_id",
        "period_end",
        "assets",
        "liabilities",
        "equity",
        "cash",
        "revenue",
        "net_income",
        "external_assets",
        "currency",
        "published",
    ]
    rng, rows, lent = stream("balance rows"), [], lending(world)
    for year in range(2018, 2023):
        for firm in world.firms:
            published = date(year + 1, 2, 20) + timedelta(days=rng.randrange(60))
            if (firm.n, year) in skip or (firm.gone and firm.gone < published) or firm.born.year > year + 1:
                continue
            figures = figures_of(world, firm, year, lent)
            rows.append([firm.id, f"{year}-12-31", *(f"{v:.2f}" for v in figures), "EUR", max(published, firm.born)])
    return as_csv(header, sorted(rows, key=lambda r: (r[10], r[0])))


def lending(world: World) -> dict[tuple[int, int], float]:
    """(bank, year) -> everything it has lent inside the network at the end of the year."""
    totals: dict[tuple[int, int], float] = {}
    claims = interbank(world)
    for year in range(2018, 2023):
        day = date(year, 12, 31)
        for k in world.links:
            if k.type == "LENDS_TO" and k.start <= day and (k.end is None or k.end > day):
                totals[k.source, year] = totals.get((k.source, year), 0.0) + k.amount
        for (i, _), amount in claims[max(year, YEARS[0])].items():
            totals[i, year] = totals.get((i, year), 0.0) + amount
    return totals


def figures_of(world: World, firm: Firm, year: int, lent: dict[tuple[int, int], float]) -> list[float]:
    """The columns of balances.csv from assets to external_assets, rounded so that they add up."""
    r = world.ratios[firm.n, year]
    assets = round(r["assets"], -4)
    liabilities = (
        round(assets * r["leverage"], -4)
        if firm.label != "Bank"
        else assets - round(equity_of(world, firm.n, year), -4)
    )
    cash, revenue = round(assets * r["liquidity"], -4), round(assets * r["turnover"], -4)
    income = round(revenue * r["margin"], -4)
    return [
        assets,
        liabilities,
        assets - liabilities,
        cash,
        revenue,
        income,
        max(assets - lent.get((firm.n, year), 0.0), assets * 0.2),
    ]


def events(world: World, others: list[tuple[date, str, int, str]]) -> bytes:
    """Distress events (published days later) and what else the register of events lists."""
    header = ["event_id", "event_type", "entity_id", "role", "date", "published"]
    rng = stream("event rows")
    rows = [
        [d.event, world.firms[d.firm].id, "subject", d.day, min(LAST, d.day + timedelta(days=rng.randrange(1, 12)))]
        for d in world.distress
    ]
    rows += [
        [what, world.firms[n].id, role, day, min(LAST, day + timedelta(days=rng.randrange(1, 9)))]
        for day, what, n, role in others
    ]
    rows.sort(key=lambda r: (r[3], r[1]))
    return as_csv(header, ([f"EV{n + 1:04d}", *row] for n, row in enumerate(rows)))


def other_events(world: World) -> list[tuple[date, str, int, str]]:
    """Acquisitions of the ownership register, downgrades (more often of weak firms) and officer changes."""
    rng: Random = stream("other events")
    found = [
        (k.start, "acquisition", k.target, "target")
        for k in world.links
        if k.type == "OWNS" and k.share > 0.5 and k.start.year >= 2019
    ]
    for firm in world.firms[BANKS + FUNDS :]:
        for year in YEARS:
            weak = world.ratios[firm.n, max(2018, min(2022, year - 1))]["zlev"]
            if firm.alive(date(year, 2, 1)) and rng.random() < 0.02 + 0.05 * (weak > 1):
                found.append((date(year, 2, 1) + timedelta(days=rng.randrange(300)), "downgrade", firm.n, "subject"))
            if firm.alive(date(year, 2, 1)) and rng.random() < 0.03:
                found.append(
                    (date(year, 2, 1) + timedelta(days=rng.randrange(300)), "officer_change", firm.n, "subject")
                )
    return [f for f in found if world.firms[f[2]].alive(f[0])]


def print_registers(world: World, skip: set[tuple[int, int]], bad: Bad) -> dict[str, bytes]:
    """All register files by path."""
    return {
        "registers/entities.csv": entities(world, bad),
        "registers/ownership.csv": ownership(world, bad),
        "registers/exposures.csv": exposures(world, bad),
        "registers/supply.csv": supply(world),
        "registers/balances.csv": balances(world, skip),
        "registers/events.csv": events(world, other_events(world)),
    }
