"""Filings in the shapes the SEC uses: small 10-K and 10-K/A with inline XBRL, Form 4, 13F information tables."""

from __future__ import annotations

import json
from datetime import date, timedelta
from html import escape
from random import Random
from typing import Any

from kgrisk.sample.network import World
from kgrisk.sample.registers import figures_of, lending
from kgrisk.sample.wording import MARK
from kgrisk.sample.world import BANKS, FUNDS, Firm, lexicon, stream

YEARS = (2020, 2021)
TAGS = (
    "Assets",
    "Liabilities",
    "StockholdersEquity",
    "CashAndCashEquivalentsAtCarryingValue",
    "Revenues",
    "NetIncomeLoss",
)
TITLES = (
    "Total assets",
    "Total liabilities",
    "Total equity",
    "Cash and cash equivalents",
    "Revenue",
    "Net income (loss)",
)
NAMESPACES = (
    'xmlns="http://www.w3.org/1999/xhtml" xmlns:ix="http://www.xbrl.org/2013/inlineXBRL" '
    'xmlns:ixt="http://www.xbrl.org/inlineXBRL/transformation/2020-02-12" xmlns:xbrli="http://www.xbrl.org/2003/instance" '
    'xmlns:iso4217="http://www.xbrl.org/2003/iso4217" xmlns:us-gaap="http://fasb.org/us-gaap/2022" xmlns:dei="http://xbrl.sec.gov/dei/2022"'
)
Files = dict[str, bytes]


def filers(world: World) -> list[Firm]:
    """Six companies with a CIK that were there from the start and stayed."""
    pool = [f for f in world.firms[BANKS + FUNDS :] if f.cik and f.born.year == 2019 and f.gone is None]
    return pool[:6]


def skipped(world: World) -> set[tuple[int, int]]:
    """The years that the filers' own reports cover, so that no register row outranks a restatement."""
    return {(f.n, year) for f in filers(world) for year in YEARS}


def _context(name: str, cik: str, period: str) -> str:
    entity = f'<xbrli:entity><xbrli:identifier scheme="http://www.sec.gov/CIK">{cik}</xbrli:identifier></xbrli:entity>'
    return f'<xbrli:context id="{name}">{entity}<xbrli:period>{period}</xbrli:period></xbrli:context>'


def _header(firm: Firm, year: int, form: str) -> str:
    contexts = ""
    for y in (year, year - 1):
        contexts += _context(
            f"d{y}", firm.cik, f"<xbrli:startDate>{y}-01-01</xbrli:startDate><xbrli:endDate>{y}-12-31</xbrli:endDate>"
        )
        contexts += _context(f"i{y}", firm.cik, f"<xbrli:instant>{y}-12-31</xbrli:instant>")
    unit = '<xbrli:unit id="eur"><xbrli:measure>iso4217:EUR</xbrli:measure></xbrli:unit>'
    facts = {
        "EntityCentralIndexKey": firm.cik,
        "DocumentType": form,
        "DocumentPeriodEndDate": f"{year}-12-31",
        "AmendmentFlag": "true" if form.endswith("/A") else "false",
    }
    hidden = "".join(
        f'<ix:nonNumeric contextRef="d{year}" name="dei:{k}">{v}</ix:nonNumeric>' for k, v in facts.items()
    )
    return f'<div style="display:none"><ix:header><ix:hidden>{hidden}</ix:hidden><ix:resources>{contexts}{unit}</ix:resources></ix:header></div>'


def _fact(tag: str, year: int, value: float) -> str:
    """One number in thousands, negative ones in brackets with the sign attribute."""
    context = f"d{year}" if tag in {"Revenues", "NetIncomeLoss"} else f"i{year}"
    text = f"{round(abs(value) / 1000):,}"
    sign = ' sign="-"' if value < 0 else ""
    fact = f'<ix:nonFraction unitRef="eur" contextRef="{context}" decimals="-3" name="us-gaap:{tag}" format="ixt:num-dot-decimal" scale="3"{sign}>{text}</ix:nonFraction>'
    return f"({fact})" if value < 0 else fact


def _table(year: int, now: list[float], before: list[float]) -> str:
    rows = "".join(
        f"<tr><td>{title}</td><td>{_fact(tag, year, a)}</td><td>{_fact(tag, year - 1, b)}</td></tr>\n"
        for tag, title, a, b in zip(TAGS, TITLES, now, before, strict=False)
    )
    return f"<table>\n<tr><th>In thousands of euro</th><th>{year}</th><th>{year - 1}</th></tr>\n{rows}</table>"


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
        "Item 1A. Risk Factors. Demand for our products varies with the economy, and a lasting fall in prices would hurt our margins. "
        "Higher interest rates would make it dearer to refinance what we owe. " + said[0],
        f"Item 7. Management's Discussion and Analysis. {said[1]} We believe that cash on hand is enough for the next twelve months.",
    ]


def annual_report(firm: Firm, year: int, now: list[float], before: list[float], rng: Random, note: str = "") -> str:
    """A 10-K, or a 10-K/A where `note` says what is restated."""
    form = "10-K/A" if note else "10-K"
    head = f'<h1>Form {form}</h1>\n<p><ix:nonNumeric contextRef="d{year}" name="dei:EntityRegistrantName">{escape(firm.name, quote=False)}</ix:nonNumeric></p>\n'
    head += f"<p>Annual report for the financial year ended December 31, {year}. Commission file of a made-up registrant. {MARK}</p>\n"
    head += f"<p>Explanatory note. {escape(note, quote=False)}</p>\n" if note else ""
    body = "\n".join(f"<p>{escape(p, quote=False)}</p>" for p in _prose(firm, year, rng))
    table = _table(year, now, before)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<html {NAMESPACES}>\n<head><title>{escape(firm.short)} {form} {year}</title></head>\n<body>\n{_header(firm, year, form)}\n{head}{body}\n<p>Item 8. Financial Statements.</p>\n{table}\n</body>\n</html>\n'


def _meta(cik: str, form: str, period: date, published: date, name: str) -> bytes:
    about = {
        "cik": cik,
        "form": form,
        "period": period.isoformat(),
        "published": f"{published}T16:30:00Z",
        "name": name,
        "note": MARK,
    }
    return (json.dumps(about, ensure_ascii=False) + "\n").encode()


def _reports(world: World, files: Files) -> list[dict[str, Any]]:
    rng, lent, restated = stream("reports"), lending(world), []
    for rank, firm in enumerate(filers(world)):
        figures = {y: figures_of(world, firm, y, lent)[:6] for y in (2019, *YEARS)}
        for year in YEARS:
            published = date(year + 1, 2, 24) + timedelta(days=rng.randrange(30))
            stem = f"filings/10k-{firm.cik}-{year}"
            files[f"{stem}.html"] = annual_report(firm, year, figures[year], figures[year - 1], rng).encode()
            files[f"{stem}.meta.json"] = _meta(firm.cik, "10-K", date(year, 12, 31), published, firm.name)
            if year == 2020 and rank in (1, 4):
                old = figures[year]
                figures[year] = new = _restate(old)
                note = f"This amendment restates total assets as of December 31, {year} from {old[0] / 1e3:,.0f} to {new[0] / 1e3:,.0f} thousand euro, because inventories had been counted twice."
                later = published + timedelta(days=170)
                files[f"{stem}a.html"] = annual_report(firm, year, new, figures[year - 1], rng, note).encode()
                files[f"{stem}a.meta.json"] = _meta(firm.cik, "10-K/A", date(year, 12, 31), later, firm.name)
                restated.append(
                    {
                        "entity_id": firm.id,
                        "property": "assets",
                        "period_end": f"{year}-12-31",
                        "first": f"{old[0]:.0f}",
                        "first_published": str(published),
                        "restated": f"{new[0]:.0f}",
                        "restated_published": str(later),
                    }
                )
    return restated


def _restate(old: list[float]) -> list[float]:
    """Inventories counted twice: assets, equity and income fall by the same amount."""
    cut = round(old[0] * 0.07, -4)
    return [old[0] - cut, old[1], old[2] - cut, old[3], old[4], old[5] - cut]


FORM4 = """<?xml version="1.0"?>
<!-- {mark} -->
<ownershipDocument>
    <schemaVersion>X0306</schemaVersion>
    <documentType>4</documentType>
    <periodOfReport>{day}</periodOfReport>
    <issuer>
        <issuerCik>{cik}</issuerCik>
        <issuerName>{issuer}</issuerName>
        <issuerTradingSymbol>{ticker}</issuerTradingSymbol>
    </issuer>
    <reportingOwner>
        <reportingOwnerId>
            <rptOwnerCik>{owner_cik}</rptOwnerCik>
            <rptOwnerName>{owner}</rptOwnerName>
        </reportingOwnerId>
        <reportingOwnerRelationship>
            <isDirector>{director}</isDirector>
            <isOfficer>{officer}</isOfficer>
            <isTenPercentOwner>0</isTenPercentOwner>
            <isOther>0</isOther>{title}
        </reportingOwnerRelationship>
    </reportingOwner>
    <nonDerivativeTable>
        <nonDerivativeTransaction>
            <securityTitle><value>Common Stock</value></securityTitle>
            <transactionDate><value>{day}</value></transactionDate>
            <transactionCoding><transactionFormType>4</transactionFormType><transactionCode>{code}</transactionCode><equitySwapInvolved>0</equitySwapInvolved></transactionCoding>
            <transactionAmounts>
                <transactionShares><value>{shares}</value></transactionShares>
                <transactionPricePerShare><value>{price}</value></transactionPricePerShare>
                <transactionAcquiredDisposedCode><value>{side}</value></transactionAcquiredDisposedCode>
            </transactionAmounts>
            <postTransactionAmounts><sharesOwnedFollowingTransaction><value>{left}</value></sharesOwnedFollowingTransaction></postTransactionAmounts>
            <ownershipNature><directOrIndirectOwnership><value>D</value></directOrIndirectOwnership></ownershipNature>
        </nonDerivativeTransaction>
    </nonDerivativeTable>
    <footnotes></footnotes>
    <remarks>{mark}</remarks>
    <ownerSignature>
        <signatureName>/s/ {owner}</signatureName>
        <signatureDate>{signed}</signatureDate>
    </ownerSignature>
</ownershipDocument>
"""


def _form4s(world: World, files: Files) -> list[dict[str, Any]]:
    """Insiders who sell two to six weeks before a distress event, and a few ordinary purchases."""
    rng = stream("form 4")
    people = [f"{b} {a}" for a in lexicon()["people"]["first"] for b in lexicon()["people"]["last"]]
    hit = [d for d in world.distress if world.firms[d.firm].cik and d.day >= date(2019, 6, 1)]
    hit = hit[:: max(1, len(hit) // 8)][:8]
    cases = [(world.firms[d.firm], d.day - timedelta(days=rng.randrange(14, 42)), d.day) for d in hit]
    calm = [f for f in filers(world) if f.n not in {d.firm for d in world.distress}][:4]
    cases += [(f, date(2021, 3 + k, 10), date(2021, 3 + k, 10)) for k, f in enumerate(calm)]
    planted = []
    for n, (firm, day, event) in enumerate(cases):
        sells = day != event
        director = rng.random() < 0.4
        values = {
            "mark": MARK, "day": day, "cik": firm.cik, "issuer": escape(firm.name.upper(), quote=False), "ticker": firm.ticker or "NONE", "owner_cik": f"{9_950_000 + n * 17:010d}",
            "owner": rng.choice(people), "director": int(director), "officer": int(not director), "title": "" if director else "\n            <officerTitle>Chief Financial Officer</officerTitle>",
            "code": "S" if sells else "P", "side": "D" if sells else "A", "shares": rng.randrange(20, 300) * 100, "price": f"{rng.uniform(5, 90):.2f}", "left": rng.randrange(0, 50) * 100, "signed": day + timedelta(days=2),
        }  # fmt: skip
        files[f"filings/form4-{firm.cik}-{day:%Y%m%d}.xml"] = FORM4.format(**values).encode()
        files[f"filings/form4-{firm.cik}-{day:%Y%m%d}.meta.json"] = _meta(
            firm.cik, "4", day, day + timedelta(days=2), firm.name
        )
        if sells:
            planted.append(
                {
                    "issuer": firm.id,
                    "owner_cik": values["owner_cik"],
                    "owner": values["owner"],
                    "sold": str(day),
                    "event_date": str(event),
                }
            )
    return planted


def _position(firm: Firm, shares: int, price: int, unit: int) -> str:
    issuer = escape(firm.short.upper(), quote=False)
    return f"""  <infoTable>
    <nameOfIssuer>{issuer}</nameOfIssuer>
    <titleOfClass>COM</titleOfClass>
    <cusip>{firm.isin[2:11]}</cusip>
    <value>{shares * price // unit}</value>
    <shrsOrPrnAmt><sshPrnamt>{shares}</sshPrnamt><sshPrnamtType>SH</sshPrnamtType></shrsOrPrnAmt>
    <investmentDiscretion>SOLE</investmentDiscretion>
    <votingAuthority><Sole>{shares}</Sole><Shared>0</Shared><None>0</None></votingAuthority>
  </infoTable>
"""


def _holdings(world: World, files: Files) -> None:
    """13F information tables of three funds at two quarter ends; values in thousands until 2023, then in whole units."""
    rng = stream("13f")
    listed = [f for f in world.firms[BANKS + FUNDS :] if f.country == "US" and f.isin and f.born.year == 2019]
    funds = [f for f in world.firms[BANKS : BANKS + FUNDS] if f.lei]
    for fund in funds[:3]:
        picks = rng.sample(listed, 9)
        for period, unit in ((date(2022, 9, 30), 1000), (date(2022, 12, 31), 1)):
            rows = "".join(_position(firm, rng.randrange(10, 900) * 100, rng.randrange(8, 120), unit) for firm in picks)
            stem = f"filings/13f-{fund.cik}-{period:%Y%m%d}"
            files[f"{stem}.xml"] = (
                f'<?xml version="1.0" encoding="utf-8"?>\n<!-- {MARK} -->\n<informationTable xmlns="http://www.sec.gov/edgar/document/thirteenf/informationtable">\n{rows}</informationTable>\n'.encode()
            )
            files[f"{stem}.meta.json"] = _meta(fund.cik, "13F-HR", period, period + timedelta(days=44), fund.name)


def print_filings(world: World) -> tuple[Files, list[dict[str, Any]], list[dict[str, Any]]]:
    """All filings by path, the restatements, and the insider sales before an event."""
    files: Files = {}
    restated = _reports(world, files)
    insiders = _form4s(world, files)
    _holdings(world, files)
    return files, restated, insiders
