"""Offerings of securities: Form D (issuers, related persons, amounts), Form C (crowdfunding) and 24F-2NT (funds).

Amounts become facts of the issuer, keyed `form:element|day`, the day being that of the first sale, the deadline or the
fiscal year end where the form has one, so that an amendment restates the figure of the form it amends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from lxml import etree

from ingest.extract.filings.filing import Label, Party, Witness
from ingest.extract.filings.form import Form
from ingest.extract.filings.jurisdiction import country
from ingest.extract.formats.identifier import corporate
from ingest.extract.formats.markup import local
from ingest.source import Refusal
from kg.model import Claim, Edge, Node, Value, as_time

_COUNTED = (
    "totalNumberAlreadyInvested",
    "noOfSecurityOffered",
    "currentEmployees",
    "multiplierForDeterminingRegistrationFee",
)
_D = (
    "minimumInvestmentAccepted",
    "totalOfferingAmount",
    "totalAmountSold",
    "totalRemaining",
    "totalNumberAlreadyInvested",
)
_D_INSIDE = {"salesCommissions": "dollarAmount", "findersFees": "dollarAmount", "grossProceedsUsed": "dollarAmount"}
_C = ("noOfSecurityOffered", "price", "offeringAmount", "maximumOfferingAmount", "currentEmployees")
_NO_NAME = ("", "-", "--", "N/A", "NONE", ".", "n/a")
_STATED = ("revenueRange", "aggregateNetAssetValueRange", "industryGroupType", "entityType")


@dataclass(frozen=True, slots=True)
class _Told:
    """Where figures go: to whom, under which form's name, of which day."""

    subject: tuple[str, str]
    form: str
    day: date | None


def form_d(root: etree._Element, witness: Witness) -> Iterator[Claim | Refusal]:
    """Issuers, where they were formed, who stands behind them, and what they offer."""
    form = Form(root)
    blocks = [*form.all("primaryIssuer"), *form.all("issuer")]
    issuers = [party for block in blocks if (party := _issuer(form, block)) is not None]
    if not issuers:
        yield Refusal(witness.prefix + "xpath:/edgarSubmission[1]", "the notice names no issuer")
        return
    for party, block in zip(issuers, blocks, strict=True):
        yield from party.claims(witness)
        if code := country(form.text("jurisdictionOfInc", block)):
            spot = form.spot_of("jurisdictionOfInc", block) or party.spot
            yield witness.says(Node("Country", f"iso:{code}"), spot)
            yield witness.says(Edge("IN_COUNTRY", party.id, f"iso:{code}"), spot)
    for element in form.all("relatedPersonInfo"):
        yield from _related(form, element, issuers, witness)
    told = _Told((issuers[0].kind, issuers[0].id), "form-d", form.day("dateOfFirstSale"))
    yield from _figures(form, root, _D, told, witness)
    for outer, inner_name in _D_INSIDE.items():
        if (block := form.first(outer)) is not None:
            yield from _figure(form, block, inner_name, told, (witness, outer))
    for name in _STATED:
        if (stated := form.spot_of(name)) is not None:
            node = Node(*told.subject, {"statement": stated.quote}, _key(told, name))
            yield witness.says(node, stated, as_time(told.day) if told.day else None)


def _issuer(form: Form, block: etree._Element) -> Party | None:
    spot = form.spot_of("entityName", block)
    label: Label = ""
    return Party(spot.quote, spot, form.text("cik", block), "issuer", label) if spot else None


def _related(form: Form, element: etree._Element, issuers: Sequence[Party], witness: Witness) -> Iterator[Claim]:
    """A related person is officer, director or promoter of the first issuer; firms are written into name fields too."""
    parts = [form.text(name, element) for name in ("firstName", "middleName", "lastName")]
    given = [part for part in parts if part.strip() not in _NO_NAME]
    name = " ".join(given)
    if not name:
        return
    firm = corporate(name)
    if firm:
        name = " ".join([given[-1], *given[:-1]])
    party = Party(name, form.spot(element), role="related person", label="" if firm else "Person")
    yield from party.claims(witness)
    for relationship in form.all("relationship", element):
        spot = form.spot(relationship)
        if spot.quote:
            edge = Edge("OFFICER_OF", party.id, issuers[0].id, {"role": spot.quote}, spot.quote.casefold())
            yield witness.says(edge, form.spot(element), witness.published)


def form_c(root: etree._Element, witness: Witness, issuer: Party | None) -> Iterator[Claim]:
    """What a crowdfunding issuer offers, and the figures of its two last fiscal years."""
    form = Form(root)
    if issuer is None:
        return
    told = _Told((issuer.kind, issuer.id), "form-c", form.day("deadlineDate"))
    yield from _figures(form, root, _C, told, witness)
    yearly = [local(e) for e in root.iter(etree.Element) if local(e).endswith("FiscalYear")]
    yield from _figures(form, root, yearly, told, witness)
    if spot := form.spot_of("jurisdictionOrganization"):
        yield witness.says(
            Node(issuer.kind, issuer.id, {"statement": spot.quote}, "form-c:jurisdictionOrganization"), spot
        )
    if (day := form.day("dateIncorporation")) and (spot := form.spot_of("dateIncorporation")):
        yield witness.says(Node(issuer.kind, issuer.id, {"incorporated": day}), spot)


def form_24f(root: etree._Element, witness: Witness, issuer: Party | None) -> Iterator[Claim]:
    """Sales, redemptions and fees of a fund's fiscal year, block by block."""
    form = Form(root)
    if issuer is None:
        return
    for number, block in enumerate(form.all("annualFilingInfo"), 1):
        several = f"form-24f#{number}" if number > 1 else "form-24f"
        told = _Told((issuer.kind, issuer.id), several, form.day("lastDayOfFiscalYear", block))
        items = [e for name in ("item5", "item6", "item7", "item8") for e in form.all(name, block)]
        names = [local(e) for item in items for e in item.iter(etree.Element) if not len(e) and (e.text or "").strip()]
        yield from _figures(form, block, names, told, witness)


def _figures(
    form: Form, inside: etree._Element, names: Sequence[str], told: _Told, witness: Witness
) -> Iterator[Claim]:
    for name in dict.fromkeys(names):
        yield from _figure(form, inside, name, told, (witness, name))


def _figure(form: Form, inside: etree._Element, name: str, told: _Told, said: tuple[Witness, str]) -> Iterator[Claim]:
    witness, called = said
    value, spot = form.amount(name, inside), form.spot_of(name, inside)
    if spot is None:
        return
    props: dict[str, Value]
    if value is None:
        props = {"statement": spot.quote}
    elif name in _COUNTED:
        props = {"measure": float(value)}
    else:
        props = {"fact": value, "currency": "USD"}
    yield witness.says(Node(*told.subject, props, _key(told, called)), spot, as_time(told.day) if told.day else None)


def _key(told: _Told, name: str) -> str:
    return f"{told.form}:{name}|{told.day or ''}".rstrip("|")
