"""Entities of FollowTheMoney about made-up parties."""

from __future__ import annotations

import json
from typing import Any

from tests.contract.examples.gleif import CHILD

BAD = b'{"id": "x", "schema": "Company"}'


def entity(id: str, schema: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": id,
        "schema": schema,
        "last_change": "2023-04-05T06:07:08",
        "properties": {name: value if isinstance(value, list) else [value] for name, value in properties.items()},
    }


ENTITIES = [
    entity("f-1", "Company", name=["Saltmarsh Shipping LLC", "Солончак Шиппинг"], weakAlias="SMS", jurisdiction="cy",
           registrationNumber="HE 77001", incorporationDate="2004-02", topics=["sanction"], innCode="7700000001",
           address="1 Quay Road, Limassol", email="desk@saltmarsh.example"),
    entity("f-2", "Person", name="Viktor Lom", birthDate="1961", nationality="cz", topics=["role.pep"]),
    entity("f-3", "Person", name="Irma Lom"),
    entity("f-4", "Company", name="Werft Beteiligungs AG", leiCode=CHILD, topics=["fin.fund"]),
    entity("f-5", "Vessel", name="MV Grebe"),
    entity("l-1", "Ownership", owner="f-2", asset="f-1", percentage="51,5 %", startDate="2010", endDate="2022-03"),
    entity("l-2", "Directorship", director="f-3", organization="f-1", role="Secretary", startDate="2015"),
    entity("l-3", "Family", person="f-2", relative="f-3", relationship="Wife"),
    entity("l-4", "UnknownLink", subject="f-1", object="f-4"),
    entity("l-5", "Debt", creditor="f-4", debtor="f-1", amount="1,250,000.50", currency="eur"),
    entity("s-1", "Sanction", entity="f-1", program="HARBOUR-2", authority="Ministry of Quays", startDate="2019-07-01",
           endDate="2024-01-15"),
]  # fmt: skip
NESTED = entity("n-1", "Company", name="Nest Ltd", ownershipAsset=[entity("n-2", "Ownership", owner="n-3", asset="n-1",
    percentage="30")]) | {"x": 1}  # fmt: skip
NESTED["properties"]["ownershipAsset"][0]["properties"]["owner"] = [entity("n-3", "Person", name="Ned Nest")]


def good() -> dict[str, bytes]:
    return {
        "entities.jsonl": "\n".join(json.dumps(one, ensure_ascii=False) for one in ENTITIES).encode(),
        "nested.json": json.dumps(NESTED).encode(),
    }
