"""Annual reports: small 10-K and 10-K/A pages with inline XBRL, two of which restate the year before."""

from __future__ import annotations

import json
from datetime import date, timedelta
from html import escape
from random import Random
from typing import Any

from kgrisk.sample.network import World
from kgrisk.sample.registers import figures_of, lending
from kgrisk.sample.wording import MARK
from kgrisk.sample.world import BANKS, FUNDS, Firm, lexicon, stream, template

YEARS = (2020, 2021)
TAGS = {
    "Assets": "Total assets",
    "Liabilities": "Total liabilities",
    "StockholdersEquity": "Total equity",
    "CashAndCashEquivalentsAtCarryingValue": "Cash and cash equivalents",
    "Revenues": "Revenue",
    "NetIncomeLoss": "Net income (loss)",
}
Files = dict[str, bytes]


def filers(world: World) -> list[Firm]:
    """Six companies with a CIK that were there from the start and stayed."""
    pool = [f for f in world.firms[BANKS + FUNDS :] if f.cik and f.born.year == 2019 and f.gone is None]
    return pool[:6]


def skipped(world: World) -> set[tuple[int, int]]:
    """The years that the filers' own reports cover, so that no register row outranks a restatement."""
    return {(f.n, year) for f in filers(world) for year in YEARS}


def sidecar(cik: str, form: str, period: date, published: date, name: str) -> bytes:
    """What EDGAR's index would say of a filing."""
    about = {
        "cik": cik,
        "form": form,
        "period": period.isoformat(),
        "published": f"{published}T16:30:00Z",
        "name": name,
        "note": MARK,
    }
    return (json.dumps(about, ensure_ascii=False) + "\n").encode()


def _context(name: str, cik: str, period: str) -> str:
    entity = f'<xbrli:entity><xbrli:identifier scheme="http://www.sec.gov/CIK">{cik}</xbrli:identifier></xbrli:entity>'
    return f'<xbrli:context id="{name}">{entity}<xbrli:period>{period}</xbrli:period></xbrli:context>'


def _contexts(cik: str, year: int) -> str:
    """A duration and an instant for this year and the year before."""
    found = ""
    for y in (year, year - 1):
        spell = f"<xbrli:startDate>{y}-01-01</xbrli:startDate><xbrli:endDate>{y}-12-31</xbrli:endDate>"
        found += _context(f"d{y}", cik, spell)
        found += _context(f"i{y}", cik, f"<xbrli:instant>{y}-12-31</xbrli:instant>")
    return found


def _hidden(firm: Firm, year: int, form: str) -> str:
    facts = {
        "EntityCentralIndexKey": firm.cik,
        "DocumentType": form,
        "DocumentPeriodEndDate": f"{year}-12-31",
        "AmendmentFlag": "true" if form.endswith("/A") else "false",
    }
    tag = '<ix:nonNumeric contextRef="d{}" name="dei:{}">{}</ix:nonNumeric>'
    return "".join(tag.format(year, name, value) for name, value in facts.items())


def _fact(tag: str, year: int, value: float) -> str:
    """One number in thousands, negative ones in brackets with the sign attribute."""
    context = f"d{year}" if tag in {"Revenues", "NetIncomeLoss"} else f"i{year}"
    sign = ' sign="-"' if value < 0 else ""
    about = f'unitRef="eur" contextRef="{context}" decimals="-3" name="us-gaap:{tag}"'
    number = f"{round(abs(value) / 1000):,}"
    fact = f'<ix:nonFraction {about} format="ixt:num-dot-decimal" scale="3"{sign}>{number}</ix:nonFraction>'
    return f"({fact})" if value < 0 else fact


def _rows(year: int, now: list[float], before: list[float]) -> str:
    return "".join(
        f"<tr><td>{title}</td><td>{_fact(tag, year, a)}</td><td>{_fact(tag, year - 1, b)}</td></tr>\n"
        for (tag, title), a, b in zip(TAGS.items(), now, before, strict=True)
    )


def _prose(firm: Firm, year: int, rng: Random) -> list[str]:
    phrases, mood = lexicon("phrases"), {-1: "negative", 0: "neutral", 1: "positive"}[firm.tone.get(year, 0)]
    words = {
        "place": firm.place,
        "month": "March",
        "weekday": "Tuesday",
        "quarter": "fourth",
        "n": "three",
        "pct": "6.5",
        "staff": f"{(firm.n * 37 % 97 + 3) * 100:,}",
    }
    said = [s.format(a="The Company", **words) for s in rng.sample(phrases[mood], 2)]
    return [
        f"Item 1. Business. {firm.description} The shares are listed and the financial year is the calendar year.",
        "Item 1A. Risk Factors. Demand for our products varies with the economy, and a lasting fall in prices would "
        f"hurt our margins. Higher interest rates would make it dearer to refinance what we owe. {said[0]}",
        f"Item 7. Management's Discussion and Analysis. {said[1]} We believe that cash on hand is enough for the next "
        "twelve months.",
    ]


def annual_report(firm: Firm, year: int, now: list[float], before: list[float], rng: Random, note: str = "") -> bytes:
    """A 10-K, or a 10-K/A where `note` says what is restated."""
    form = "10-K/A" if note else "10-K"
    page = template("report.html").format(
        short=escape(firm.short),
        form=form,
        year=year,
        before=year - 1,
        hidden=_hidden(firm, year, form),
        contexts=_contexts(firm.cik, year),
        name=escape(firm.name, quote=False),
        mark=MARK,
        note=f"<p>Explanatory note. {escape(note, quote=False)}</p>\n" if note else "",
        body="\n".join(f"<p>{escape(p, quote=False)}</p>" for p in _prose(firm, year, rng)),
        rows=_rows(year, now, before),
    )
    return page.encode()


def print_reports(world: World, files: Files) -> list[dict[str, Any]]:
    """Adds the reports of all filers to `files`; returns what was restated."""
    rng, lent, restated = stream("reports"), lending(world), []
    for rank, firm in enumerate(filers(world)):
        figures = {y: figures_of(world, firm, y, lent)[:6] for y in (2019, *YEARS)}
        for year in YEARS:
            published = date(year + 1, 2, 24) + timedelta(days=rng.randrange(30))
            stem = f"filings/10k-{firm.cik}-{year}"
            files[f"{stem}.html"] = annual_report(firm, year, figures[year], figures[year - 1], rng)
            files[f"{stem}.meta.json"] = sidecar(firm.cik, "10-K", date(year, 12, 31), published, firm.name)
            if year == 2020 and rank in (1, 4):
                old, later = figures[year], published + timedelta(days=170)
                figures[year] = new = _restate(old)
                files[f"{stem}a.html"] = annual_report(firm, year, new, figures[year - 1], rng, _note(year, old, new))
                files[f"{stem}a.meta.json"] = sidecar(firm.cik, "10-K/A", date(year, 12, 31), later, firm.name)
                restated.append(_restatement(firm, year, (published, old[0]), (later, new[0])))
    return restated


def _note(year: int, old: list[float], new: list[float]) -> str:
    return (
        f"This amendment restates total assets as of December 31, {year} from {old[0] / 1e3:,.0f} to "
        f"{new[0] / 1e3:,.0f} thousand euro, because inventories had been counted twice."
    )


def _restate(old: list[float]) -> list[float]:
    """Inventories counted twice: assets, equity and income fall by the same amount."""
    cut = round(old[0] * 0.07, -4)
    return [old[0] - cut, old[1], old[2] - cut, old[3], old[4], old[5] - cut]


def _restatement(firm: Firm, year: int, first: tuple[date, float], second: tuple[date, float]) -> dict[str, str]:
    return {
        "entity_id": firm.id,
        "property": "assets",
        "period_end": f"{year}-12-31",
        "first": f"{first[1]:.0f}",
        "first_published": str(first[0]),
        "restated": f"{second[1]:.0f}",
        "restated_published": str(second[0]),
    }
