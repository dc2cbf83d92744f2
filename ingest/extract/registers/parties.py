"""Parties of ownership statements as claims: entities by their registered numbers, persons by opaque ids.

A person's number and date of birth never become part of an id, so that the person can be forgotten by forgetting rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from ingest.extract.formats.identifier import COUNTRIES, identify, person_id
from ingest.extract.registers.statements import Object, Statement, moment, objects, text, words
from kg.model import Edge, Facts, Node, Value

LEI_SCHEMES = ("XI-LEI", "LEI")


class Said(NamedTuple):
    """One thing a statement says, where it stands, and when it holds."""

    what: Node | Facts | Edge
    place: str
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    published: datetime | None = None
    """When it was public, where another statement tells it."""

    def until(self, end: datetime, statement: Statement, later: Statement) -> Iterator[Said]:
        """Open, as the statement told it, and with its end, as the one that replaces it told it."""
        if later.public <= statement.public:
            yield self._replace(valid_to=end)
        else:
            yield self
            yield self._replace(valid_to=end, place=later.place(), published=later.public)


def party_id(statement: Statement) -> str:
    """The LEI, else the first registered number, else the record's id; hashed for a person."""
    numbers = [id for _, id in _numbers(statement.details)]
    known = next((id for id in numbers if id.startswith("lei:")), numbers[0] if numbers else "")
    known = known or f"reg:bods/{statement.record}"
    return person_id(known) if statement.kind == "person" else known


def party(statement: Statement) -> Iterator[Said]:
    """All that one statement says of an entity or a person."""
    id, details = party_id(statement), statement.details
    label = "Person" if statement.kind == "person" else "Company"
    yield Said(Node(label, id), statement.place())
    yield from _named(statement, id)
    yield from (_person if statement.kind == "person" else _entity)(statement, id)
    for key in ("foundingDate", "birthDate", "dissolutionDate", "deathDate"):
        day = moment(details.get(key))
        if day is None:
            continue
        if key == "foundingDate":
            yield Said(Facts(id, {"incorporated": day}), statement.place(key))
        elif key == "birthDate":
            yield Said(Facts(id, {"statement": text(details[key])}, "birth date"), statement.place(key))
        else:
            flag = "deceased" if key == "deathDate" else "entity inactive"
            yield Said(Facts(id, {"flag": flag}), statement.place(key), day)


def _numbers(details: Object) -> Iterator[tuple[int, str]]:
    for number, given in objects(details, "identifiers"):
        scheme, value = text(given.get("scheme")), text(given.get("id"))
        scheme = scheme or text(given.get("schemeName"))
        try:
            if scheme.upper() in LEI_SCHEMES and value:
                yield number, identify(f"lei:{value}")
            elif scheme and value:
                yield number, identify(f"reg:{scheme}/{value}")
        except ValueError:
            continue  # a number that fails its check identifies nobody


def _named(statement: Statement, id: str) -> Iterator[Said]:
    details = statement.details
    if name := text(details.get("name")):
        yield Said(Facts(id, {"name": name}), statement.place("name"))
    others = details.get("alternateNames")
    for number, other in enumerate(others if isinstance(others, list) else []):
        if text(other):
            yield Said(Facts(id, {"name": text(other)}), statement.place("alternateNames", number))
    for number, given in objects(details, "names"):
        parts = (text(given.get(key)) for key in ("givenName", "patronymicName", "familyName"))
        if name := text(given.get("fullName")) or " ".join(part for part in parts if part):
            yield Said(Facts(id, {"name": name}), statement.place("names", number))


def _entity(statement: Statement, id: str) -> Iterator[Said]:
    details = statement.details
    for number, other in _numbers(details):
        if other != id:
            yield Said(Facts(id, {"identifier": other}), statement.place("identifiers", number))
    for key in ("jurisdiction", "incorporatedInJurisdiction"):
        yield from _country(statement, id, details.get(key), key)
    listing = details.get("publicListing")
    if not isinstance(listing, dict):
        return
    for number, listed in objects(listing, "securitiesListings"):
        security = listed.get("security")
        if isinstance(security, dict):
            place = statement.place("publicListing", "securitiesListings", number, "security")
            yield from _listed(security, id, place)


def _listed(security: Object, id: str, place: str) -> Iterator[Said]:
    scheme, value = text(security.get("idScheme")).lower(), text(security.get("id"))
    try:
        number = identify(f"{scheme}:{value}") if scheme in ("isin", "cusip", "figi") else ""
    except ValueError:
        number = ""
    ticker = text(security.get("ticker"))
    if number:
        props: dict[str, Value] = {"ticker": ticker} if ticker else {}
        yield Said(Node("Security", number, props), place)
        yield Said(Edge("ISSUED", id, number), place)
    if ticker:
        yield Said(Facts(id, {"ticker": ticker}), place)


def _person(statement: Statement, id: str) -> Iterator[Said]:
    details = statement.details
    for key in ("taxResidencies", "addresses", "placeOfResidence"):
        for number, given in objects(details, key):
            yield from _country(statement, id, given.get("country", given), key, number)
    for number, given in objects(details, "nationalities"):
        if code := text(given.get("code")) or text(given.get("name")):
            yield Said(Facts(id, {"statement": code}, f"nationality|{code}"), statement.place("nationalities", number))
    if isinstance(hidden := details.get("unspecifiedPersonDetails"), dict):
        reason = words(text(hidden.get("reason"))) or "unknown"
        told = text(hidden.get("description")) or reason
        place = statement.place("unspecifiedPersonDetails")
        yield Said(Facts(id, {"statement": told}, f"undisclosed person|{reason}"), place)
    exposed = details.get("politicalExposure") or details.get("pepStatusDetails")
    if isinstance(exposed, dict) and exposed.get("status") == "isPep":
        starts = [moment(one.get("startDate")) for _, one in objects(exposed, "details")]
        since = min((start for start in starts if start), default=None)
        yield Said(Facts(id, {"flag": "politically exposed"}), statement.place("politicalExposure"), since)


def _country(statement: Statement, id: str, given: object, *steps: str | int) -> Iterator[Said]:
    code = given if isinstance(given, str) else given.get("code") if isinstance(given, dict) else ""
    code = text(code)[:2].upper()
    if code in COUNTRIES:
        yield Said(Node("Country", f"iso:{code}"), statement.place(*steps))
        yield Said(Edge("IN_COUNTRY", id, f"iso:{code}"), statement.place(*steps))
