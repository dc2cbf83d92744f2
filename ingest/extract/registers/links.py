"""Links of FollowTheMoney by schema: which two properties are the ends, which edge they make, and what it carries.

A sanction is no edge: its entity is marked for as long as it is listed, and takes part in an event on that day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ingest.clean import number
from ingest.extract.registers.entities import Entity
from ingest.extract.registers.parties import Said
from ingest.extract.registers.statements import moment
from kg.errors import RecordError
from kg.model import Edge, Facts, Node, Value


@dataclass(frozen=True, slots=True)
class Shape:
    """How a schema becomes an edge."""

    type: str
    source: str
    """Property that names the edge's source."""
    target: str
    role: str = ""
    """Properties that name the role, or the role itself where none is given."""


SHAPES: Final[Mapping[str, Shape]] = {
    "Ownership": Shape("OWNS", "owner", "asset"),
    "Directorship": Shape("OFFICER_OF", "director", "organization", "director"),
    "Employment": Shape("OFFICER_OF", "employee", "employer", "employee"),
    "Membership": Shape("OFFICER_OF", "member", "organization", "member"),
    "Representation": Shape("ASSOCIATED_WITH", "agent", "client", "representative"),
    "Family": Shape("ASSOCIATED_WITH", "person", "relative", "family"),
    "Associate": Shape("ASSOCIATED_WITH", "person", "associate", "associate"),
    "UnknownLink": Shape("ASSOCIATED_WITH", "subject", "object", "unknown link"),
    "Succession": Shape("ASSOCIATED_WITH", "predecessor", "successor", "succeeded by"),
    "Debt": Shape("LENDS_TO", "creditor", "debtor"),
    "Payment": Shape("PAID", "payer", "beneficiary"),
}
LINKED: Final[Mapping[str, tuple[str, str, bool]]] = {
    "issuer": ("Security", "ISSUED", True),
    "addressEntity": ("", "USES", False),
    "holder": ("Account", "HAS_ACCOUNT", True),
    "owner": ("Account", "HAS_ACCOUNT", True),
}
"""Properties that name another entity: label one must have, edge type, and whether the edge comes from the other."""
USED: Final = frozenset(
    (
        *{name for shape in SHAPES.values() for name in (shape.source, shape.target)},
        *(
            "role",
            "relationship",
            "percentage",
            "ownershipType",
            "sharesType",
            "startDate",
            "endDate",
            "date",
            "status",
        ),
        *("amount", "currency", "entity", "authority", "program", "programId", "listingDate", "reason", "recordId"),
    )
)
Ids = Mapping[str, str]


def link(entity: Entity, ids: Ids) -> Iterator[Said]:
    """The edges of one link; RecordError if an end is not in the file or a value is wrong."""
    shape = SHAPES[entity.schema]
    start = moment(entity.first("startDate") or entity.first("date"))
    end = moment(entity.first("endDate"))
    if start and end and start >= end:
        raise RecordError(f"{entity.schema} {entity.given} ends on {end.date()}, before it starts on {start.date()}")
    props, key = _values(entity, shape)
    for source, _ in entity.each(shape.source):
        for target, _ in entity.each(shape.target):
            edge = Edge(shape.type, _end(source, ids), _end(target, ids), props, key)
            event = shape.type == "PAID"
            yield Said(edge, entity.place(), start, None if event else end)
    if not entity.first(shape.source) or not entity.first(shape.target):
        raise RecordError(f"{entity.schema} {entity.given} lacks its {shape.source} or {shape.target}")


def _values(entity: Entity, shape: Shape) -> tuple[dict[str, Value], str]:
    if shape.role:
        role = (entity.first("role") or entity.first("relationship") or shape.role).casefold()
        return {"role": role}, role
    if shape.type == "OWNS":
        told = entity.first("percentage")
        return ({"share": float(_share(told))} if told else {}), entity.first("ownershipType").casefold()
    told, currency = entity.first("amount"), entity.first("currency").upper()
    if not told:
        return {}, entity.given
    amount = number(told)
    if amount is None or amount.adjusted() > 27 or not re.fullmatch("[A-Z]{3}", currency):
        raise RecordError(f"amount {told!r} {currency!r} is no decimal number with an ISO 4217 currency")
    return {"amount": amount, "currency": currency}, entity.given


def _share(told: str) -> Decimal:
    """Share from 0 to 1 of `25`, `25%`, `25,5 %` or `25-50%`, whose lower end counts."""
    match = re.match(r"\s*[<>≥=]*\s*(\d+(?:[.,]\d+)?)", told)
    share = Decimal(match[1].replace(",", ".")) / 100 if match else None
    if share is None or not 0 <= share <= 1:
        raise RecordError(f"percentage {told!r} is not from 0 to 100")
    return share


def _end(given: str, ids: Ids) -> str:
    if (found := ids.get(given)) is None:
        raise RecordError(f"entity {given!r} is not in the file, or was refused; give the file that describes it whole")
    if not found:
        raise RecordError(f"entity {given!r} is of a schema that is not kept")
    return found


def linked(entity: Entity, id: str, ids: Ids) -> Iterator[Said]:
    """Edges to the entities that an entity's properties name."""
    for name, (label, type, turned) in LINKED.items():
        if label in ("", entity.label):
            for given, place in entity.each(name):
                if other := ids.get(given):
                    yield Said(Edge(type, *((other, id) if turned else (id, other))), place)


def sanction(entity: Entity, ids: Ids) -> Iterator[Said]:
    """Mark of the entity while it is listed, and the event of its listing."""
    programme = entity.first("program") or entity.first("programId") or entity.first("authority") or "unknown programme"
    start = moment(entity.first("startDate") or entity.first("listingDate"))
    end = moment(entity.first("endDate"))
    if start and end and start >= end:
        raise RecordError(f"sanction {entity.given} ends on {end.date()}, before it starts on {start.date()}")
    event = f"event:sanction-{entity.given}"
    place = next((place for name in ("program", "programId", "authority") for _, place in entity.each(name)), "")
    place = place or entity.place()
    yield Said(Node("Event", event), entity.place())
    yield Said(Facts(event, {"event_type": "sanction"}), place, start)
    yield Said(Facts(event, {"title": programme}), place, start)
    for given, _ in entity.each("entity"):
        party = _end(given, ids)
        yield Said(Facts(party, {"flag": f"sanctioned: {programme}"}), place, start, end)
        yield Said(Edge("AFFECTED_BY", party, event, {"role": "subject"}, "subject"), entity.place(), start)
