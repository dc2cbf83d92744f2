"""The second delivery in rows: registers in other standards, prices, corrected payments, devices, a chain, a flood."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from kgrisk.sample.network import World
from kgrisk.sample.registers import as_csv
from kgrisk.sample.spoken_and_written import (
    CHINESE,
    GORDALE,
    KESTMONT,
    RADHURST,
    YARRLEIGH,
    Planted,
    as_json,
    planted,
)
from kgrisk.sample.wording import MARK
from kgrisk.sample.world import stream

_OTHER = "Entity.OtherEntityNames.OtherEntityName.1"
_FIRST_DAY, _SESSIONS = date(2022, 7, 1), 126
_HOLIDAYS = frozenset((date(2022, 7, 4), date(2022, 9, 5), date(2022, 11, 24), date(2022, 12, 26)))
"""Days on which New York did not trade in the half-year of the prices."""


def lei_register(world: World) -> tuple[dict[str, bytes], Planted]:
    """LEI-CDF rows of four firms with their Chinese names, and one parent (RR-CDF)."""
    head = (
        "LEI", "Entity.LegalName", "Entity.LegalName.xmllang", _OTHER, f"{_OTHER}.xmllang", f"{_OTHER}.type",
        "Entity.LegalAddress.Country", "Entity.EntityCategory", "Entity.EntityStatus", "Registration.LastUpdateDate",
        "Registration.RegistrationStatus",
    )  # fmt: skip
    named = [(world.firms[n], chinese) for n, chinese in sorted(CHINESE.items())]
    rows = [
        (
            firm.lei, firm.name, "en", chinese, "zh", "ALTERNATIVE_LANGUAGE_LEGAL_NAME", firm.country, "GENERAL",
            "ACTIVE", "2023-01-05T00:00:00Z", "ISSUED",
        )
        for firm, chinese in named
    ]  # fmt: skip
    parent, child = world.firms[YARRLEIGH], world.firms[GORDALE]
    node, period = "Relationship.{}Node.NodeID", "Relationship.Period.1"
    relation = (
        node.format("Start"), node.format("Start") + "Type", node.format("End"), node.format("End") + "Type",
        "Relationship.RelationshipType", "Relationship.RelationshipStatus", f"{period}.startDate", f"{period}.endDate",
        f"{period}.periodType", "Registration.LastUpdateDate", "Registration.RegistrationStatus",
    )  # fmt: skip
    link = (
        child.lei, "LEI", parent.lei, "LEI", "IS_DIRECTLY_CONSOLIDATED_BY", "ACTIVE", "2022-03-01T00:00:00Z", "",
        "RELATIONSHIP_PERIOD", "2023-01-05T00:00:00Z", "PUBLISHED",
    )  # fmt: skip
    files = {"registers/lei.csv": as_csv(head, rows), "registers/lei-parents.csv": as_csv(relation, [link])}
    return files, [planted("registers/lei-parents.csv", child, "SUBSIDIARY_OF", parent)]


def owners(world: World) -> tuple[dict[str, bytes], Planted]:
    """Beneficial ownership statements (BODS 0.4): a person behind two firms."""

    def statement(id: str, record: str, kind: str, details: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "statementId": id,
            "recordId": record,
            "recordType": kind,
            "recordStatus": "new",
            "statementDate": "2023-02-01",
            "declarationSubject": "kgs-owners",
            "recordDetails": {"isComponent": False, **details},
        }

    firm = world.firms[KESTMONT]
    entity = {
        "entityType": {"type": "registeredEntity"},
        "name": firm.name,
        "identifiers": [{"scheme": "US-SEC", "id": firm.cik}],
    }
    person = {"personType": "knownPerson", "names": [{"type": "legal", "fullName": "Ada Quill"}]}
    holding = {
        "subject": "firm",
        "interestedParty": "person",
        "interests": [
            {"type": "shareholding", "directOrIndirect": "direct", "startDate": "2021-05-01", "share": {"exact": 35}}
        ],
    }
    parts: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("entity", "firm", entity),
        ("person", "person", person),
        ("relationship", "holding", holding),
    )
    said = [statement(f"kgs-{n}", record, kind, details) for n, (kind, record, details) in enumerate(parts)]
    return {"registers/owners.json": as_json(said)}, []


def followed_money(world: World) -> tuple[dict[str, bytes], Planted]:
    """FollowTheMoney entities: a listed shipper, who runs it, and what it owns."""

    def entity(id: str, schema: str, **said: str) -> dict[str, Any]:
        properties = {name: [value] for name, value in said.items()}
        return {"id": id, "schema": schema, "last_change": "2023-03-01T00:00:00", "properties": properties}

    rows = (
        entity("kgs-1", "Company", name="Grebe Shipping JSC", jurisdiction="cy", registrationNumber="HE 99001"),
        entity("kgs-2", "Person", name="Viktor Lomsky", nationality="cz"),
        entity(
            "kgs-3", "Directorship", director="kgs-2", organization="kgs-1", role="Director", startDate="2015-01-01"
        ),
        entity("kgs-4", "Company", name=world.firms[RADHURST].name, leiCode=world.firms[RADHURST].lei),
        entity("kgs-5", "Ownership", owner="kgs-1", asset="kgs-4", percentage="12", startDate="2020-01-01"),
        entity(
            "kgs-6", "Sanction", entity="kgs-1", program="HARBOUR", authority="Office of Quays", startDate="2023-02-20"
        ),
    )
    return {"registers/entities.ftm": "\n".join([*map(json.dumps, rows), ""]).encode()}, []


def sanctions_list(world: World) -> tuple[dict[str, bytes], Planted]:
    """One entry in the layout of the EU's consolidated list, with its name in two scripts."""
    xml = f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- {MARK} -->
<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2023-03-01T00:00:00Z" globalFileId="1">
 <sanctionEntity designationDate="2023-02-20" euReferenceNumber="EU.9001.1" logicalId="1">
  <regulation regulationType="regulation" publicationDate="2023-02-20" entryIntoForceDate="2023-02-21"
   numberTitle="2023/9901 (OJ L901)" programme="HARBOUR" logicalId="11"/>
  <subjectType code="enterprise" classificationCode="E"/>
  <nameAlias wholeName="Grebe Shipping JSC" strong="true" nameLanguage="EN" logicalId="21"/>
  <nameAlias wholeName="АО Гребе Шиппинг" strong="true" nameLanguage="RU" logicalId="22"/>
  <address city="Grebeport" countryIso2Code="CY" logicalId="31"/>
 </sanctionEntity>
</export>
"""
    return {"registers/sanctions.xml": xml.encode()}, []


def prices(world: World) -> tuple[dict[str, bytes], Planted]:
    """Daily prices of six listed firms; the first two move together."""
    days: list[date] = []
    day = _FIRST_DAY
    while len(days) < _SESSIONS:
        if day.weekday() < 5 and day not in _HOLIDAYS:
            days.append(day)
        day += timedelta(days=1)
    listed = [firm for firm in world.firms if firm.ticker and firm.label == "Company"][:6]
    rng = stream("prices")
    common = [rng.gauss(0, 0.012) for _ in days]
    files: dict[str, bytes] = {}
    for number, firm in enumerate(listed):
        price, rows = 40.0 + 5 * number, []
        for n, day in enumerate(days):
            own = rng.gauss(0, 0.012)
            price *= math.exp(0.9 * common[n] + 0.3 * own if number < 2 else own)
            low, high = price * (1 - abs(rng.gauss(0, 0.005))), price * (1 + abs(rng.gauss(0, 0.005)))
            figures = [f"{value:.2f}" for value in (price, high, low, price)]
            rows.append((day, *figures, figures[-1], rng.randrange(20_000, 90_000)))
        head = ("Date", "Open", "High", "Low", "Close", "Adj Close", "Volume")
        files[f"market/{firm.ticker}.csv"] = as_csv(head, rows)
    return files, []


def corrected_payments(world: World) -> tuple[dict[str, bytes], Planted]:
    """Payments of which one is repeated, one cancelled and one corrected."""
    head = ("payment_id", "time", "payer_account", "payee_account", "amount", "currency", "action")
    rows = (
        ("Q1", "2023-05-02T09:00:00Z", "9900000001", "9900000002", "1200.00", "EUR", "NEW"),
        ("Q1", "2023-05-02T09:00:00Z", "9900000001", "9900000002", "1200.00", "EUR", "NEW"),
        ("Q2", "2023-05-02T10:00:00Z", "9900000001", "9900000002", "300.00", "EUR", "NEW"),
        ("Q2", "2023-05-03T10:00:00Z", "9900000001", "9900000002", "300.00", "EUR", "CANCEL"),
        ("Q3", "2023-05-04T11:00:00Z", "9900000002", "9900000003", "75.00", "EUR", "NEW"),
        ("Q3", "2023-05-05T11:00:00Z", "9900000002", "9900000003", "57.00", "EUR", "CORRECT"),
    )
    return {"trades/corrections.csv": as_csv(head, rows)}, []


def devices(world: World) -> tuple[dict[str, bytes], Planted]:
    """Three accounts that act from one telephone."""
    rows = [(f"990000000{n}", "device", "IMEI 99-000000-000001-1", "2023-05-01", "", "2023-05-31") for n in (1, 2, 3)]
    rows.append(("9900000003", "email", "desk@grebe.example", "2023-05-01", "", "2023-05-31"))
    head = ("account_id", "kind", "value", "first_seen", "last_seen", "published")
    return {"identities/devices.csv": as_csv(head, rows)}, []


_KINDS = (
    lei_register, owners, followed_money, sanctions_list, prices, corrected_payments, devices,
)  # fmt: skip


def rows(world: World) -> tuple[Mapping[str, bytes], Planted]:
    """Every file of this kind, and what they state."""
    files: dict[str, bytes] = {}
    told: Planted = []
    for kind in _KINDS:
        made, said = kind(world)
        files |= made
        told += said
    return files, told
