"""Filings in the shapes the SEC uses: the annual reports, Form 4 and 13F information tables."""

from __future__ import annotations

from datetime import date, timedelta
from html import escape
from random import Random
from typing import Any

from kgrisk.sample.network import World
from kgrisk.sample.reports import Files, filers, print_reports, sidecar
from kgrisk.sample.wording import MARK
from kgrisk.sample.world import BANKS, FUNDS, Firm, lexicon, stream, template

TITLE = "\n            <officerTitle>Chief Financial Officer</officerTitle>"


def _cases(world: World, rng: Random) -> list[tuple[Firm, date, date | None]]:
    """(issuer, day of the trade, day of the event): sales two to six weeks before distress, and ordinary purchases."""
    hit = [d for d in world.distress if world.firms[d.firm].cik and d.day >= date(2019, 6, 1)]
    hit = hit[:: max(1, len(hit) // 8)][:8]
    found: list[tuple[Firm, date, date | None]] = []
    for d in hit:
        found.append((world.firms[d.firm], d.day - timedelta(days=rng.randrange(14, 42)), d.day))
    calm = [f for f in filers(world) if f.n not in {d.firm for d in world.distress}][:4]
    return found + [(f, date(2021, 3 + k, 10), None) for k, f in enumerate(calm)]


def _form4(firm: Firm, day: date, sells: bool, owner_cik: str, rng: Random) -> dict[str, Any]:
    """Values of one Form 4."""
    director = rng.random() < 0.4
    people = [f"{b} {a}" for a in lexicon()["people"]["first"] for b in lexicon()["people"]["last"]]
    return {
        "mark": MARK,
        "day": day,
        "cik": firm.cik,
        "issuer": escape(firm.name.upper(), quote=False),
        "ticker": firm.ticker or "NONE",
        "owner_cik": owner_cik,
        "owner": rng.choice(people),
        "director": int(director),
        "officer": int(not director),
        "title": "" if director else TITLE,
        "code": "S" if sells else "P",
        "side": "D" if sells else "A",
        "shares": rng.randrange(20, 300) * 100,
        "price": f"{rng.uniform(5, 90):.2f}",
        "left": rng.randrange(0, 50) * 100,
        "signed": day + timedelta(days=2),
    }


def _insiders(world: World, files: Files) -> list[dict[str, Any]]:
    """Adds the Forms 4 to `files`; returns the sales before an event."""
    rng, planted = stream("form 4"), []
    for n, (firm, day, event) in enumerate(_cases(world, rng)):
        values = _form4(firm, day, event is not None, f"{9_950_000 + n * 17:010d}", rng)
        stem = f"filings/form4-{firm.cik}-{day:%Y%m%d}"
        files[f"{stem}.xml"] = template("form4.xml").format(**values).encode()
        files[f"{stem}.meta.json"] = sidecar(firm.cik, "4", day, day + timedelta(days=2), firm.name)
        if event:
            about = {"issuer": firm.id, "owner_cik": values["owner_cik"], "owner": values["owner"]}
            planted.append(about | {"sold": str(day), "event_date": str(event)})
    return planted


def _position(firm: Firm, shares: int, price: int, unit: int) -> str:
    issuer = escape(firm.short.upper(), quote=False)
    values = {"issuer": issuer, "cusip": firm.isin[2:11], "shares": shares, "value": shares * price // unit}
    return template("position.xml").format(**values)


def _holdings(world: World, files: Files) -> None:
    """13F tables of three funds at two quarter ends; values in thousands until 2023, then in whole units."""
    rng = stream("13f")
    listed = [f for f in world.firms[BANKS + FUNDS :] if f.country == "US" and f.isin and f.born.year == 2019]
    funds = [f for f in world.firms[BANKS : BANKS + FUNDS] if f.lei]
    for fund in funds[:3]:
        picks = rng.sample(listed, 9)
        for period, unit in ((date(2022, 9, 30), 1000), (date(2022, 12, 31), 1)):
            rows = "".join(_position(f, rng.randrange(10, 900) * 100, rng.randrange(8, 120), unit) for f in picks)
            stem = f"filings/13f-{fund.cik}-{period:%Y%m%d}"
            files[f"{stem}.xml"] = template("holdings.xml").format(mark=MARK, rows=rows).encode()
            files[f"{stem}.meta.json"] = sidecar(fund.cik, "13F-HR", period, period + timedelta(days=44), fund.name)


def print_filings(world: World) -> tuple[Files, list[dict[str, Any]], list[dict[str, Any]]]:
    """All filings by path, the restatements, and the insider sales before an event."""
    files: Files = {}
    restated = print_reports(world, files)
    insiders = _insiders(world, files)
    _holdings(world, files)
    return files, restated, insiders
