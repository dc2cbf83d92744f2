"""Schedules 13D and 13G: who holds how much of a class of shares, by the cover pages of each reporting person.

Read from the XML that is filed since December 2024 and from the pages and texts before it. The holder OWNS the issuer
by the percent of the class from the day of the event, keyed by CUSIP; the shares are a HOLDS of the security. An
amendment is a later statement of the same group: it wins from its own publication on, and the first stays as it was
before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lxml import etree

from ingest.clean import number, when
from ingest.extract.filings.filing import Label, Party, Spot, Witness
from ingest.extract.filings.form import Form
from ingest.extract.formats.identifier import corporate, identify, name_id
from ingest.source import Refusal
from kg.model import Claim, Edge, Node, Value, as_time

_COVER = re.compile(r"percent\s+of\s+(?:class|series)\s+represented", re.IGNORECASE)
_PERSON = re.compile(r"names?\s+of\s+reporting\s+persons?", re.IGNORECASE)
_BOILER = re.compile(
    r"[\s:.()*/\-]*(?:\(?\s*(?:(?:S\.?\s?S\.?\s+or\s+)?I\.?\s?R\.?\s?S\.?\s+identification\s+nos?\.?(?:\s+of\s+(?:the\s+)?above\s+persons?)?"
    r"(?:\s*\(entities\s+only\))?|entities\s+only)[\s.:)]*)?(?:\d{2}-?\d{7}[\s.]*)?",
    re.IGNORECASE,
)
_NEXT_ROW = re.compile(r"\n\s*\(?\s*2\s*[.)]?\s*(?:\)|check)|\bcheck\s+the\s+appropriate", re.IGNORECASE)
_PERCENT = re.compile(
    r"percent\s+of\s+(?:class|series)\s+represented\s+by\s+amount\s+in\s+row\s*[(\[]?\s*\d{1,2}\s*[)\]]?[^\d%<]{0,200}?"
    r"(?P<less>less\s+than\s+|<\s*)?(?P<value>\d{1,3}(?:\.\d+)?|\.\d+)\s*(?P<mark>%)?",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"aggregate\s+amount\s+beneficially\s+owned(?:\s+by\s+(?:each\s+)?(?:reporting\s+)?person)?[^\d]{0,120}?"
    r"(?P<value>\d{1,3}(?:,\d{3})+|\d+)",
    re.IGNORECASE,
)
_TYPE = re.compile(
    r"type\s+of\s+reporting\s+person[^A-Z]{0,120}?\b([A-Z]{2}(?:\s*[,;/]\s*[A-Z]{2})*)\b", re.DOTALL | re.IGNORECASE
)
_ISSUER = re.compile(r"\(\s*name\s+of\s+(?:the\s+)?(?:subject\s+company|issuer)", re.IGNORECASE)
_TITLE = re.compile(r"\(\s*title\s+of\s+class", re.IGNORECASE)
_EVENT = re.compile(r"\(\s*date\s+of\s+event", re.IGNORECASE)
_CODE = re.compile(r"\(\s*cusip", re.IGNORECASE)
_CUSIP = re.compile(r"CUSIP\s+(?:No\.?|Number)[\s:.]{0,40}([0-9A-Z]{6}[\s-]?[0-9A-Z]{2}[\s-]?[0-9])\b", re.IGNORECASE)
_NAME = re.compile(r"[ \t.)(:]*([^\n]{0,200}?[^\W\d_]{2}[^\n]{0,200})")
_COVER_PAGE = 4000
"""Characters of a reporting person's cover page, at most."""


@dataclass(frozen=True, slots=True)
class _Stake:
    holder: Party
    spot: Spot
    share: float | None
    shares: Decimal | None


@dataclass(frozen=True, slots=True)
class _Subject:
    issuer: Party
    listed: bool
    """True if the header tells the issuer, so that it has its node already."""
    place: Spot
    """Where its security is named."""
    cusip: str
    """`cusip:...`, or "" where it is not told or fails its check."""
    title: str
    event: date | None


def is_schedule(text: str) -> bool:
    """True for the text of a Schedule 13D or 13G with its cover pages."""
    return _COVER.search(text) is not None and _PERSON.search(text) is not None


def of_text(text: str, witness: Witness, known: Sequence[Party]) -> Iterator[Claim | Refusal]:
    """Claims of a schedule in words; `known` are the parties of the header, which have CIKs."""
    subject = _subject_of_text(text, known)
    if subject is None:
        yield Refusal(witness.prefix + "chars:0-0", "the schedule names no issuer above `(Name of Issuer)`")
        return
    starts = [match.end() for match in _PERSON.finditer(text)]
    stakes: dict[str, _Stake] = {}
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        if (stake := _stake_of_text(text, start, end, known)) is not None:
            stakes.setdefault(stake.holder.id, stake)
    if not stakes:
        yield Refusal(witness.prefix + "chars:0-0", "no reporting person with a percent of class was found")
    yield from _claims(subject, list(stakes.values()), witness)


def of_xml(root: etree._Element, witness: Witness) -> Iterator[Claim | Refusal]:
    """Claims of a schedule in EDGAR's XML."""
    form = Form(root)
    place = form.spot_of("issuerName")
    if place is None:
        yield Refusal(witness.prefix + "xpath:/edgarSubmission[1]", "the schedule names no issuer")
        return
    cik = form.text("issuerCIK") or form.text("issuerCik")
    cusip = form.text("issuerCusipNumber") or form.text("issuerCUSIP") or form.text("issuerCusip")
    event = form.day("dateOfEvent") or form.day("eventDateRequiresFilingThisStatement")
    title = form.spot_of("securitiesClassTitle") or place
    issuer = Party(place.quote, place, cik, "subject company")
    subject = _Subject(issuer, False, title, _cusip(cusip), form.text("securitiesClassTitle"), event)
    blocks = [*form.all("reportingPersonInfo"), *form.all("coverPageHeaderReportingPersonDetails")]
    yield from _claims(subject, [stake for block in blocks if (stake := _stake_of_xml(form, block))], witness)


def _stake_of_xml(form: Form, block: etree._Element) -> _Stake | None:
    name = form.text("reportingPersonName", block)
    if not name:
        return None
    spot = form.spot(block)
    cik = form.text("reportingPersonCIK", block) or form.text("reportingCik", block)
    types = [t.text or "" for t in form.all("typeOfReportingPerson", block)]
    percent = form.amount("percentOfClass", block)
    percent = form.amount("classPercent", block) if percent is None else percent
    shares = form.amount("aggregateAmountOwned", block)
    if shares is None:
        shares = form.amount("reportingPersonBeneficiallyOwnedAggregateNumberOfShares", block)
    holder = Party(name, spot, cik, "filed by", _label(name, ",".join(types)))
    return _Stake(holder, spot, _share(percent), shares)


def _stake_of_text(text: str, start: int, end: int, known: Sequence[Party]) -> _Stake | None:
    block = text[start : min(end, start + _COVER_PAGE)]
    percent = _PERCENT.search(block)
    boiler = _BOILER.match(block)
    begin = boiler.end() if boiler else 0
    row = _NEXT_ROW.search(block, begin)
    named = _NAME.match(block, begin) or _NAME.search(block, begin)
    if percent is None or named is None or (row is not None and named.start(1) > row.start()):
        return None
    name = re.split(r"\s{3,}|\s+(?:I\.?R\.?S\.?|S\.S\.)\s", named[1].strip())[0].strip(" .:;,-_")
    name = name + "." if named[1].strip().startswith(name + ".") else name
    if len(name) < 3 or len(name) > 120:
        return None
    place = start + named.start(1) + named[1].find(name)
    types = _TYPE.search(block, percent.end())
    kind = _label(name, types[1] if types else "")
    cik, label = _known(name, known)
    spot = Spot(f"chars:{place}-{place + len(name)}", name)
    shares = _AMOUNT.search(block)
    value = None if percent["less"] else number(percent["value"])
    whole = Spot(f"chars:{place}-{start + percent.end()}", text[place : start + percent.end()])
    return _Stake(
        Party(name, spot, cik, "filed by", label or kind),
        whole,
        _share(value),
        number(shares["value"]) if shares else None,
    )


def _subject_of_text(text: str, known: Sequence[Party]) -> _Subject | None:
    named, title, event = _above(text, _ISSUER), _above(text, _TITLE), _above(text, _EVENT)
    issuer = next((party for party in known if party.role.startswith("subject")), None)
    listed = issuer is not None
    if issuer is None and named is not None:
        issuer = Party(named.quote, named, role="subject company")
    if issuer is None:
        return None
    code = _above(text, _CODE)
    cusip = _cusip(code.quote) if code else ""
    if not cusip and (inline := _CUSIP.search(text)):
        code = Spot(f"chars:{inline.start(1)}-{inline.end(1)}", inline[1])
        cusip = _cusip(inline[1])
    place = code if cusip and code else title or issuer.spot
    day = when(" ".join(event.quote.split())) if event else None
    return _Subject(issuer, listed, place, cusip, title.quote if title else "", day)


def _above(text: str, label: re.Pattern[str]) -> Spot | None:
    """The line above a label in brackets, without the rules drawn between them."""
    match = label.search(text)
    if match is None:
        return None
    start = max(0, match.start() - 600)
    for line in reversed(text[start : match.start()].splitlines()):
        if (said := line.strip(" _=*-–—\t")) and re.search(r"\w", said):
            at = text.rfind(said, start, match.start())
            return Spot(f"chars:{at}-{at + len(said)}", said)
    return None


def _claims(subject: _Subject, stakes: Sequence[_Stake], witness: Witness) -> Iterator[Claim]:
    """OWNS and HOLDS of each holder; issuer and security stand with the first of them."""
    if not stakes:
        return
    start = as_time(subject.event) if subject.event else witness.published
    spot, issuer = subject.place, subject.issuer
    if not subject.listed:
        yield from issuer.claims(witness)
    security = subject.cusip or name_id(f"{issuer.name} {subject.title or 'shares'}")
    yield witness.says(Node("Security", security, {"name": f"{issuer.name} {subject.title}".strip()}), spot)
    yield witness.says(Edge("ISSUED", issuer.id, security), spot)
    key = subject.cusip.removeprefix("cusip:") or " ".join(subject.title.partition(",")[0].casefold().split())
    for stake in stakes:
        yield from stake.holder.claims(witness)
        props: dict[str, Value] = {} if stake.share is None else {"share": stake.share}
        yield witness.says(Edge("OWNS", stake.holder.id, issuer.id, props, key), stake.spot, start)
        if stake.shares is not None:
            held: dict[str, Value] = {"quantity": float(stake.shares), "role": "beneficial"}
            yield witness.says(Edge("HOLDS", stake.holder.id, security, held, "beneficial"), stake.spot, start)


def _known(name: str, known: Sequence[Party]) -> tuple[str, Label]:
    """CIK and label of the party of the header that goes by that name, whatever the order of a person's names."""
    words = _words(name)
    for party in known:
        if not party.role.startswith("subject") and party.cik and _words(party.name) == words:
            return party.cik, party.label
    return "", ""


def _words(name: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"\w+", name.casefold()) if len(word) > 1)


def _label(name: str, types: str) -> Label:
    """A person where the form says so (IN); else by the name."""
    codes = set(re.findall(r"[A-Z]{2}", types.upper()))
    if "IN" in codes:
        return "Person"
    if "IV" in codes:
        return "Fund"
    return "Person" if not codes and not corporate(name) and len(name.split()) in (2, 3) and name.istitle() else ""


def _share(percent: Decimal | None) -> float | None:
    return float(percent / 100) if percent is not None and 0 <= percent <= 100 else None


def _cusip(text: str) -> str:
    plain = re.sub(r"[\s-]", "", text).upper()
    try:
        return identify(f"cusip:{plain}") if plain else ""
    except ValueError:
        return ""
