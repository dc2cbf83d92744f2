"""Entities of FollowTheMoney by schema: what each property of a company, person, security, account or address says.

A firm is known by its LEI, else by its registered number, else by the id the file gives it; a person's id is hashed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ingest.extract.formats.identifier import COUNTRIES, account_id, identify, person_id
from ingest.extract.formats.pointer import pointer
from ingest.extract.registers.parties import Said
from ingest.extract.registers.statements import moment
from kg.errors import RecordError
from kg.model import Edge, Facts, Node

LABELS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("Company", "Organization", "LegalEntity", "PublicBody"), "Company"),
    **{name: name for name in ("Person", "Security", "Address")},
    **dict.fromkeys(("BankAccount", "CryptoWallet"), "Account"),
}
"""Node label of each schema that is an entity."""
_TOPICS: Final[Mapping[str, str]] = {
    "sanction": "sanctioned",
    "sanction.linked": "linked to a sanctioned party",
    "debarment": "debarred",
    "role.pep": "politically exposed",
    "role.rca": "close to a politically exposed person",
    "crime": "crime",
    "crime.fin": "financial crime",
    "wanted": "wanted",
}
_NAMES: Final[Mapping[str, float]] = {
    "name": 1.0,
    "alias": 1.0,
    "previousName": 1.0,
    "abbreviation": 0.9,
    "weakAlias": 0.6,
}
_NUMBERS: Final[Mapping[str, str]] = {
    "leiCode": "lei:",
    "swiftBic": "bic:",
    "innCode": "reg:RU-INN/",
    "ogrnCode": "reg:RU-OGRN/",
    "okpoCode": "reg:RU-OKPO/",
    "permId": "permid:",
    "wikidataId": "wikidata:",
    "dunsCode": "duns:",
    "cikCode": "cik:",
}
_REACHED = ("email", "phone")
USED: Final = frozenset(
    (
        *(*_NAMES, *_NUMBERS, *_REACHED, "topics", "registrationNumber", "jurisdiction", "country", "mainCountry"),
        *("nationality", "birthDate", "deathDate", "incorporationDate", "dissolutionDate", "address", "addressEntity"),
        *("isin", "isinCode", "ticker", "issuer", "accountNumber", "iban", "publicKey", "holder", "owner", "full"),
        *("description", "modifiedAt", "firstName", "lastName"),
    )
)


class Entity:
    """One entity of a file: its schema, the texts of each property, and where they stand."""

    def __init__(self, item: Mapping[str, Any], steps: tuple[str | int, ...]) -> None:
        self.schema = str(item.get("schema") or "")
        self.given = str(item.get("id") or "")
        properties = item.get("properties")
        if not self.schema or not self.given or not isinstance(properties, dict):
            raise RecordError("no entity of FollowTheMoney; expected id, schema and properties")
        self.item, self.steps, self.properties = item, steps, properties

    def each(self, name: str) -> Iterator[tuple[str, str]]:
        """Each text of a property and its place; of an entity nested there, its id."""
        value = self.properties.get(name)
        for number, one in enumerate(value if isinstance(value, list) else [value]):
            one = one.get("id") if isinstance(one, dict) else one
            if isinstance(one, str) and one.strip():
                more = (number,) if isinstance(value, list) else ()
                yield one.strip(), pointer([*self.steps, "properties", name, *more])

    def first(self, name: str) -> str:
        """The first text of a property, or ""."""
        return next((text for text, _ in self.each(name)), "")

    def place(self) -> str:
        """Locator of the id."""
        return pointer([*self.steps, "id"])

    @property
    def label(self) -> str:
        """Node label; "" for a schema that is no entity here."""
        topics = {topic for topic, _ in self.each("topics")}
        label = LABELS.get(self.schema, "")
        if label == "Company":
            return "Bank" if "fin.bank" in topics else "Fund" if "fin.fund" in topics else label
        return label


def entity_id(entity: Entity) -> str:
    """The strongest id that the properties give; RecordError if the number of a security or account is missing."""
    if entity.label == "Person":
        return person_id(f"reg:ftm/{entity.given}")
    if entity.label == "Security":
        number = entity.first("isin") or entity.first("isinCode")
        return _checked(f"isin:{number}", entity) if number else f"name:{_plain(entity)}"
    if entity.label == "Account":
        number = entity.first("iban") or entity.first("accountNumber") or entity.first("publicKey")
        return account_id(number or entity.given)
    if entity.label == "Address":
        return address_id(entity.first("full") or entity.first("name") or entity.given)
    if lei := entity.first("leiCode"):
        return _checked(f"lei:{lei}", entity)
    place, number = _country(entity), entity.first("registrationNumber")
    return f"reg:{place}/{number}" if place and number else f"reg:ftm/{entity.given}"


def _checked(id: str, entity: Entity) -> str:
    try:
        return identify(id)
    except ValueError as error:
        raise RecordError(f"{entity.schema} {entity.given}: {error}") from error


def _plain(entity: Entity) -> str:
    if not (name := entity.first("name")):
        raise RecordError(f"{entity.schema} {entity.given} has neither isin nor name")
    return " ".join(name.casefold().split())


def address_id(full: str) -> str:
    """Id of an address: its words without case and punctuation."""
    return "addr:" + " ".join("".join(c if c.isalnum() or c in "@.+" else " " for c in full.casefold()).split())


def _country(entity: Entity) -> str:
    for name in ("jurisdiction", "mainCountry", "country"):
        if (code := entity.first(name)[:2].upper()) in COUNTRIES:
            return code
    return ""


def entity(entity: Entity, id: str) -> Iterator[tuple[Said, float]]:
    """All that an entity's properties say of it, each with the confidence."""
    yield Said(Node(entity.label, id), entity.place()), 1.0
    for name, sure in _NAMES.items():
        for text, place in entity.each(name):
            yield Said(Facts(id, {"name": text}), place), sure
    for said in (*_numbered(entity, id), *_marked(entity, id), *_dated(entity, id), *_placed(entity, id)):
        yield said, 1.0


def _numbered(entity: Entity, id: str) -> Iterator[Said]:
    if entity.label in ("Company", "Bank", "Fund"):
        for name, scheme in _NUMBERS.items():
            for text, place in entity.each(name):
                if f"{scheme}{text}" != id:
                    yield Said(Facts(id, {"identifier": f"{scheme}{text}"}), place)
        country = _country(entity)
        for text, place in entity.each("registrationNumber"):
            if country and f"reg:{country}/{text}" != id:
                yield Said(Facts(id, {"identifier": f"reg:{country}/{text}"}), place)
    if entity.label in ("Company", "Bank", "Fund", "Security"):
        for text, place in entity.each("ticker"):
            yield Said(Facts(id, {"ticker": text}), place)


def _marked(entity: Entity, id: str) -> Iterator[Said]:
    for topic, place in entity.each("topics"):
        if not topic.startswith("fin"):
            yield Said(Facts(id, {"flag": _TOPICS.get(topic, topic.replace(".", " "))}), place)
    for text, place in entity.each("description"):
        yield Said(Facts(id, {"description": text}), place)


def _dated(entity: Entity, id: str) -> Iterator[Said]:
    for text, place in entity.each("incorporationDate"):
        if day := moment(text):
            yield Said(Facts(id, {"incorporated": day}), place)
    for name, flag in (("dissolutionDate", "entity inactive"), ("deathDate", "deceased")):
        for text, place in entity.each(name):
            if day := moment(text):
                yield Said(Facts(id, {"flag": flag}), place, day)
    for text, place in entity.each("birthDate"):
        yield Said(Facts(id, {"statement": text}, f"birth date|{text}"), place)
    for text, place in entity.each("nationality"):
        yield Said(Facts(id, {"statement": text}, f"nationality|{text}"), place)


def _placed(entity: Entity, id: str) -> Iterator[Said]:
    if entity.label in ("Security", "Address"):
        return
    for name in ("jurisdiction", "mainCountry", "country"):
        for text, place in entity.each(name):
            if (code := text[:2].upper()) in COUNTRIES:
                yield Said(Node("Country", f"iso:{code}"), place)
                yield Said(Edge("IN_COUNTRY", id, f"iso:{code}"), place)
    for name in ("address", *_REACHED):
        for text, place in entity.each(name):
            address = address_id(text)
            yield Said(Node("Address", address, {"name": text}), place)
            yield Said(Edge("USES", id, address), place)
