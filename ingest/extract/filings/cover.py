"""The cover of a filing that has no form of its own here: EDGAR submission XML, SGML headers and HTML pages.

What a form says of itself (who filed it, as what, when, for which period) is read from every form; the content of Forms
3, 4, 5 and 13F and of inline XBRL is read elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime

from lxml import etree

from ingest.clean import accepted, when
from ingest.extract.filings.filing import Cover, Label, Party, Spot
from ingest.extract.filings.submission import Header, HeaderParty, Span
from ingest.extract.filings.xbrl import Fact, Facts
from ingest.extract.formats.identifier import corporate
from ingest.extract.formats.markup import Paths, inner, local
from kg.model import as_time

_CIKS = ("cik", "filerCik", "filerId")
_SELLER = "nameOfPersonForWhoseAccountTheSecuritiesAreToBeSold"
_NAMES = (
    "reportingPersonName",
    "entityName",
    "nameOfIssuer",
    _SELLER,
    "regName",
    "issuerName",
    "name",
)
_PROSPECTUS = re.compile(r"Rule\s+424\s*\(?b", re.IGNORECASE)
_SIGNED = (
    "signatureDate",
    "dateSigned",
    "noticeDate",
    "signDate",
    "dateOfSignature",
    "executionDate",
    "signedDate",
    "txAsOfDate",
)
_PERIODS = ("periodOfReport", "reportCalendarOrQuarter", "repPdDate", "repPdEnd", "fiscalYearEnd")
_FORM = re.compile(
    r"\b(?:FORM|Form|SCHEDULE|Schedule)\s+(10-K(?:SB|405)?(?:/A)?|10-Q(?:SB)?(?:/A)?|8-K(?:/A)?|6-K|20-F|40-F|13D(?:/A)?|13G(?:/A)?"
    r"|S-[1348](?:/A)?|DEF 14A|N-CSR|11-K|424B\d)\b"
)
_EXACT_NAME = re.compile(
    r"([^\n]{3,120})\n+\(?\s*(?:Exact\s+name\s+of|(?:Registrant|Issuer)(?:[’']s)?\s+name|Name\s+of\s+registrant)",
    re.IGNORECASE,
)
_FIRM = r"[A-Z][\w&.,’' -]{1,80}?(?:Inc\.|Corporation|Corp\.|Company|Ltd\.|Limited|LLC|plc|L\.P\.|N\.V\.|S\.A\.|Trust)"
_TITLE = re.compile(rf"^({_FIRM})\s*$", re.MULTILINE)
"""A line that is the name of a firm, as the first page of a prospectus shows it."""
_OURSELVES = re.compile(
    r"[“\"](?:we|us|our|the Company|the Corporation)[,.]?[”\"][^.\n]{0,200}?\b(?:refers?|means?|references?)\s+"
    rf"(?:only\s+)?(?:to\s+)?({_FIRM})"
)
"""`“we” and “our” refer to X`."""
_HEAD, _OPENING = 1500, 2500
"""Characters in which a prospectus shows its firm, and in which a page names its form."""
_SIGNATURE = re.compile(r"\b(?:Dated?|DATED?)\s*(?:as of)?\s*:?\s*([A-Z][A-Za-z]{2,8}\.?\s+\d{1,2}\s*,\s*\d{4})")
_PERIOD = re.compile(
    r"(?:year|quarter|quarterly period|period)\s+ended:?\s+([A-Z][a-z]{2,8}\s+\d{1,2}\s*,\s*\d{4})", re.IGNORECASE
)
_NAME_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d-\d\d-\d\d)(?!\d)")
_ACCESSION = re.compile(r"(?<!\d)\d{10}-(\d{2})-\d{6}(?!\d)")


def of_header(header: Header) -> Cover:
    """Cover of a submission by its SGML header."""
    said = header.values
    moment = accepted(said["accepted"].text) if "accepted" in said else None
    filed = when(said["filed"].text) if "filed" in said else None
    return Cover(
        form=_spot(said.get("form")),
        published=as_time(moment) if moment else as_time(filed) if filed else None,
        period=when(said["period"].text) if "period" in said else None,
        parties=[*_listed(header), *_members(header)],
    )


def _listed(header: Header) -> list[Party]:
    """Parties of the header, each once in a role: a filing under several acts lists its subject for each."""
    found = (party for listed in header.parties if (party := _header_party(listed)) is not None)
    return list({(party.id, party.role): party for party in reversed([*found])}.values())[::-1]


def _members(header: Header) -> Iterator[Party]:
    """Who files as a group: the header gives only their names, of persons and firms alike."""
    for span in header.members:
        label: Label = "" if corporate(span.text) else "Person"
        yield Party(span.text, Spot(span.locator, span.text), role="group member", label=label)


def _header_party(listed: HeaderParty) -> Party | None:
    name = listed.values.get("name")
    if name is None:
        return None
    cik = listed.values.get("cik")
    people = (
        listed.role in ("reporting owner", "filed by") and "state" not in listed.values and not corporate(name.text)
    )
    former = () if people else tuple((Spot(s.locator, s.text), when(changed)) for s, changed in listed.former)
    label: Label = (
        "Person" if people else "Bank" if _is_bank(listed) else "" if "owner" not in listed.role else "Company"
    )
    return Party(
        name.text,
        Spot(name.locator, name.text),
        cik.text if cik else "",
        listed.role,
        label,
        former,
    )


def _is_bank(listed: HeaderParty) -> bool:
    """By the SIC groups of banks and savings institutions."""
    sic = re.search(r"\d{4}", listed.values["sic"].text) if "sic" in listed.values else None
    return sic is not None and sic[0][:3] in ("602", "603")


def _spot(span: Span | None) -> Spot | None:
    return Spot(span.locator, span.text) if span else None


def of_xml(root: etree._Element) -> Cover:
    """Cover of an EDGAR submission in XML, whatever its form."""
    paths = Paths()
    elements = [e for e in root.iter(etree.Element) if not len(e) and (e.text or "").strip()]
    first = {local(e): e for e in reversed(elements)}

    def spot(element: etree._Element | None) -> Spot | None:
        return Spot(f"xpath:{paths.of(element)}", inner(element)) if element is not None else None

    signed = [day for e in elements if _is_signature(e) and (day := when(inner(e)))]
    form = first.get("submissionType", first.get("documentType"))
    cover = Cover(
        form=spot(form),
        published=as_time(max(signed)) if signed else None,
        period=next((day for name in _PERIODS if name in first and (day := when(inner(first[name])))), None),
    )
    cik = next((first[name] for name in _CIKS if name in first), None)
    name = next((first[name] for name in _NAMES if name in first), None)
    place = spot(name if name is not None else cik)
    if place is not None:
        digits = re.sub(r"\D", "", inner(cik)) if cik is not None else ""
        said_by = local(name) if name is not None else ""
        role = {"reportingPersonName": "filed by", _SELLER: "reporting owner"}.get(said_by, "filer")
        written = inner(name) if name is not None else ""
        label: Label = "Person" if said_by == "reportingPersonName" and _is_person(first) else cover.label
        cover.parties.append(Party(written, place, digits.lstrip("0"), role, label))
    issuer_cik, issuer = first.get("issuerCik", first.get("issuerCIK")), first.get("issuerName")
    if issuer_cik is not None and issuer is not None and issuer is not name and (at := spot(issuer)):
        cover.parties.append(Party(inner(issuer), at, inner(issuer_cik), "issuer"))
    return cover


def _is_person(first: dict[str, etree._Element]) -> bool:
    """True if the first reporting person of a schedule is an individual (type IN)."""
    return "typeOfReportingPerson" in first and inner(first["typeOfReportingPerson"]) == "IN"


def _is_signature(element: etree._Element) -> bool:
    """True for the date of a signature; Schedules 13D and 13G call it only `date`."""
    parent = element.getparent()
    return local(element) in _SIGNED or (
        local(element) == "date" and parent is not None and local(parent) == "signatureDetails"
    )


def of_facts(facts: Facts) -> Cover:
    """Cover of an inline XBRL filing by its dei facts."""
    dei = {fact.concept.partition(":")[2]: fact for fact in reversed(facts.facts) if fact.concept.startswith("dei:")}
    form, name = dei.get("DocumentType"), dei.get("EntityRegistrantName")
    cik, symbol = dei.get("EntityCentralIndexKey"), dei.get("TradingSymbol")
    period = dei.get("DocumentPeriodEndDate")
    number = str(cik.value) if cik else next((f.context.entity for f in facts.facts if f.context.entity), "")
    cover = Cover(form=_at(form), period=when(re.sub(r"\s+,", ",", str(period.value))) if period else None)
    place = _at(name) or _at(cik)
    if place and number:
        several = sum(fact.concept == "dei:TradingSymbol" for fact in facts.facts) > 1  # bonds carry symbols as well
        ticker = _at(symbol) if symbol and (not several or str(symbol.value).isalpha()) else None
        cover.parties.append(Party(str(name.value) if name else "", place, number, ticker=ticker))
    return cover


def _at(fact: Fact | None) -> Spot | None:
    return Spot(f"xpath:{fact.path}", fact.quote) if fact and fact.quote else None


def of_text(text: str) -> Cover:
    """Cover of a page without tags: the form it names, the registrant above `(Exact name of registrant ...)`, the
    period.
    """
    cover = Cover()
    if form := _FORM.search(text[:_OPENING]):
        cover.form = Spot(f"chars:{form.start(1)}-{form.end(1)}", form[1])
    if named := _EXACT_NAME.search(text[:20_000]):
        name = named[1].strip()
        start = named.start(1) + named[1].find(name)
        cover.parties.append(Party(name, Spot(f"chars:{start}-{start + len(name)}", name)))
    elif _PROSPECTUS.search(text[:3000]) and (named := _TITLE.search(text[:_HEAD]) or _OURSELVES.search(text[:60_000])):
        cover.parties.append(Party(named[1], Spot(f"chars:{named.start(1)}-{named.end(1)}", named[1])))
    if period := _PERIOD.search(text[:20_000]):
        cover.period = when(" ".join(period[1].split()))
    cover.published = _signed(text)
    return cover


def _signed(text: str) -> datetime | None:
    """Last date after `Date:` or `Dated`: the signature is made when the filing is."""
    found = [day for match in _SIGNATURE.finditer(text) if (day := when(" ".join(match[1].split())))]
    return as_time(found[-1]) if found else None


def named_date(path: str) -> datetime | None:
    """A full date in a file's name."""
    dated = _NAME_DATE.search(path.rpartition("/")[2])
    day = when(dated[1]) if dated else None
    return as_time(day) if day else None


def accession_year(path: str) -> datetime | None:
    """The end of the year that an accession number in a file's name was given in: not too early in any case."""
    if (accession := _ACCESSION.search(path.rpartition("/")[2])) is None:
        return None
    year = int(accession[1])
    return as_time(date(year + (1900 if year > 90 else 2000), 12, 31))
