"""Notices of single acts: Form 144 (a sale that an insider proposes) and N-PX (how a fund or manager voted).

A proposed sale is no trade: it is a fact of the document, and a statement of who proposes it; the sales of the last
three months that the form lists are trades. A vote is a statement of the document, by meeting, security and matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lxml import etree

from ingest.extract.filings.filing import Party, Spot, Witness
from ingest.extract.filings.form import Form
from ingest.extract.formats.identifier import identify, name_id
from ingest.source import Refusal
from kg.model import Claim, Edge, Node, Value, as_time


def form_144(root: etree._Element, witness: Witness, seller: Party | None) -> Iterator[Claim | Refusal]:
    """The issuer, the seller's part in it, the proposed sale, and the sales made before."""
    form = Form(root)
    place = form.spot_of("issuerName")
    if place is None:
        yield Refusal(witness.prefix + "xpath:/edgarSubmission[1]", "the notice names no issuer")
        return
    issuer = Party(place.quote, place, form.text("issuerCik"), "issuer")
    yield from issuer.claims(witness)
    if seller is not None:
        for element in form.all("relationshipToIssuer"):
            spot = form.spot(element)
            edge = Edge("OFFICER_OF", seller.id, issuer.id, {"role": spot.quote}, spot.quote.casefold())
            yield witness.says(edge, spot, witness.published)
    for block in form.all("securitiesInformation"):
        yield from _proposed(form, block, issuer, (witness, seller))
    if seller is not None:
        yield from _sold(form, issuer, seller, witness)


def _security(form: Form, block: etree._Element, issuer: Party, witness: Witness) -> tuple[str, list[Claim]]:
    title = form.text("securitiesClassTitle", block) or "security"
    name = f"{issuer.name} {title}"
    spot = form.spot_of("securitiesClassTitle", block) or form.spot(block)
    id = name_id(name)
    return id, [
        witness.says(Node("Security", id, {"name": name}), spot),
        witness.says(Edge("ISSUED", issuer.id, id), spot),
    ]


def _proposed(form: Form, block: etree._Element, issuer: Party, said: tuple[Witness, Party | None]) -> Iterator[Claim]:
    witness, seller = said
    security, claims = _security(form, block, issuer, witness)
    yield from claims
    day = form.day("approxSaleDate", block)
    document, start = f"doc:{witness.document}", as_time(day) if day else None
    for element, name in (
        ("noOfUnitsSold", "units"),
        ("aggregateMarketValue", "value"),
        ("noOfUnitsOutstanding", "outstanding"),
    ):
        value, spot = form.amount(element, block), form.spot_of(element, block)
        if value is None or spot is None:
            continue
        props: dict[str, Value] = {"fact": value, "currency": "USD"} if name == "value" else {"measure": float(value)}
        key = f"form-144:proposed sale {name}|{day or ''}|{security}"
        yield witness.says(Node("Document", document, props, key), spot, start)
    if seller is not None:
        said_by: dict[str, Value] = {
            "statement": f"proposed sale of {issuer.name} {form.text('securitiesClassTitle', block)}"
        }
        node = Node("Document", document, said_by, f"form-144:seller|{seller.id}")
        yield witness.says(node, seller.spot, start)


def _sold(form: Form, issuer: Party, seller: Party, witness: Witness) -> Iterator[Claim]:
    """Sales of the past three months; those of other sellers whose sales count together are theirs."""
    seen: Counter[str] = Counter()
    for block in form.all("securitiesSoldInPast3Months"):
        day, units = form.day("saleDate", block), form.amount("amountOfSecuritiesSold", block)
        if day is None or units is None:
            continue
        id, claims = _security(form, block, issuer, witness)
        yield from claims
        props: dict[str, Value] = {"quantity": float(units), "role": "S:144"}
        if (proceeds := form.amount("grossProceeds", block)) is not None:
            props |= {"amount": proceeds, "currency": "USD"}
        who, name = seller, form.text("name", block)
        if name and name.casefold() != seller.name.casefold():
            who = Party(name, form.spot_of("name", block) or form.spot(block), role="owner")
            yield from who.claims(witness)
        key = f"{day}/S/{units.normalize():f}"
        seen[f"{who.id} {key}"] += 1
        if (times := seen[f"{who.id} {key}"]) > 1:
            key = f"{key}#{times}"
        yield witness.says(Edge("TRADED", who.id, id, props, key), form.spot(block), as_time(day))


def votes(root: etree._Element, witness: Witness) -> Iterator[Claim | Refusal]:
    """Each matter voted on, as a statement of the document; counts by how was voted."""
    form, document = Form(root), f"doc:{witness.document}"
    counts: Counter[str] = Counter()
    top = Spot("", "")
    for number, row in enumerate(form.all("proxyTable"), 1):
        spot, day = form.spot(row), form.day("meetingDate", row)
        top = top if top.locator else spot
        about = _voted_on(form, row)
        how = [_how(form, record) for record in form.all("voteRecord", row)] or ["not voted"]
        counts.update(word.partition(" ")[0] for word in how)
        value = f"{'; '.join(how)}: {form.text('voteDescription', row)}"
        key = f"n-px:vote|{day or ''}|{about}|{number}"
        yield witness.says(Node("Document", document, {"statement": value}, key), spot, as_time(day) if day else None)
        yield from _subject(form, row, about, witness)
    for word, times in sorted(counts.items()):
        yield witness.says(Node("Document", document, {"measure": float(times)}, f"n-px:votes|{word}"), top)


def _how(form: Form, record: etree._Element) -> str:
    said = f"{form.text('howVoted', record).upper()} {form.text('sharesVoted', record)}".strip()
    management = form.text("managementRecommendation", record)
    return f"{said} (management {management.upper()})" if management else said


def _voted_on(form: Form, row: etree._Element) -> str:
    """Id of the security whose holders meet: ISIN, CUSIP, else the issuer's name."""
    for scheme in ("isin", "cusip"):
        try:
            return identify(f"{scheme}:{form.text(scheme, row).upper()}")
        except ValueError:
            continue
    return name_id(form.text("issuerName", row) or "unnamed")


def _subject(form: Form, row: etree._Element, about: str, witness: Witness) -> Iterator[Claim]:
    spot = form.spot_of("issuerName", row)
    if spot is None:
        return
    issuer = Party(spot.quote, spot)
    yield from issuer.claims(witness)
    if not about.startswith("name:"):
        yield witness.says(Node("Security", about, {"name": spot.quote}), form.spot(row))
        yield witness.says(Edge("ISSUED", issuer.id, about), form.spot(row))
