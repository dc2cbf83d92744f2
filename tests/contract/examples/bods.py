"""Ownership statements of made-up parties, in the layouts of BODS 0.4 and of 0.2 and 0.3."""

from __future__ import annotations

import json
from typing import Any

BAD = b'[{"statementId": "x", "recordType": "entity", "recordDetails": {"name": "No Date Ltd"}}]'
Json = dict[str, Any]


def statement(id: str, record: str, kind: str, date: str, details: Json, status: str = "new") -> Json:
    return {
        "statementId": id,
        "recordId": record,
        "recordType": kind,
        "recordStatus": status,
        "statementDate": date,
        "declarationSubject": "mill",
        "recordDetails": {"isComponent": False} | details,
    }


def interest(kind: str, start: str, **more: Any) -> Json:
    return {"type": kind, "directOrIndirect": "direct", "startDate": start} | more


MILL: Json = {
    "entityType": {"type": "registeredEntity"},
    "name": "Brook Mill Ltd",
    "identifiers": [{"scheme": "GB-COH", "id": "09999991"}, {"scheme": "GB-VAT", "id": "999 0001 99"}],
    "jurisdiction": {"code": "GB", "name": "United Kingdom"},
    "foundingDate": "2001-05-09",
}
ANN: Json = {
    "personType": "knownPerson",
    "names": [{"type": "legal", "fullName": "Ann Weir"}, {"type": "alternative", "fullName": "A. Weir"}],
    "nationalities": [{"code": "IE"}],
    "taxResidencies": [{"code": "GB"}],
    "birthDate": "1970-02",
    "politicalExposure": {"status": "isPep", "details": [{"reason": "Mayor", "startDate": "2015-05-07"}]},
}
LINK: Json = {"subject": "mill", "interestedParty": "ann"}
NEW = [
    statement("s1", "mill", "entity", "2019-01-10", MILL),
    statement("s2", "ann", "person", "2019-01-10", ANN),
    statement(
        "s3", "ann-mill", "relationship", "2019-01-10",
        LINK | {"interests": [
            interest("shareholding", "2018-03-01", share={"exact": 40}),
            interest("boardMember", "2018-03-01"),
            interest("votingRights", "2018-03-01", share={"minimum": 25, "exclusiveMaximum": 50}),
        ]},
    ),
    statement(
        "s4", "ann-mill", "relationship", "2021-06-01",
        LINK | {"interests": [interest("shareholding", "2021-05-20", share={"exact": 62.5})]}, "updated",
    ),
    statement("s5", "mill", "entity", "2021-06-01", MILL | {"name": "Brook Mill Group Ltd"}, "updated"),
    statement(
        "s6", "hidden", "relationship", "2019-01-10",
        {"subject": "mill", "interestedParty": {"reason": "noBeneficialOwners", "description": "Nobody holds 25 %"}},
    ),
    statement("s7", "holding", "entity", "2019-01-10", {"name": "Upstream Holdings", "entityType": {"type": "trust"}}),
    statement(
        "s8", "ann-holding", "relationship", "2019-01-10",
        {"subject": "holding", "interestedParty": "ann", "interests": [interest("trustee", "2010")]},
    ),
    statement(
        "s9", "ann-mill-2", "relationship", "2019-01-10",
        LINK | {"componentRecords": ["holding", "ann-holding"],
                "interests": [{"type": "shareholding", "directOrIndirect": "indirect", "share": {"exact": 10}}]},
    ),
]  # fmt: skip
OLD = [
    {"statementID": "o1", "statementType": "entityStatement", "statementDate": "2018-02-01", "name": "Quarry Lane SA",
     "entityType": "registeredEntity", "identifiers": [{"schemeName": "XI-LEI", "id": "549300EXAMPLE"}]},
    {"statementID": "o2", "statementType": "personStatement", "statementDate": "2018-02-01",
     "names": [{"givenName": "Jo", "familyName": "Stone"}], "annotations": [{"motivation": "commenting"}]},
    {"statementID": "o3", "statementType": "ownershipOrControlStatement", "statementDate": "2018-02-01",
     "subject": {"describedByEntityStatement": "o1"}, "interestedParty": {"describedByPersonStatement": "o2"},
     "interests": [{"type": "shareholding", "interestLevel": "direct",
                    "share": {"minimum": 50, "maximum": 75, "exclusiveMinimum": True, "exclusiveMaximum": False}},
                   {"type": "appointment-of-board", "interestLevel": "direct"}]},
    {"statementID": "o4", "statementType": "ownershipOrControlStatement", "statementDate": "2020-02-01",
     "replacesStatements": ["o3"], "subject": {"describedByEntityStatement": "o1"},
     "interestedParty": {"describedByPersonStatement": "o2"},
     "interests": [{"type": "shareholding", "interestLevel": "direct", "share": {"exact": 80}}]},
]  # fmt: skip


def good() -> dict[str, bytes]:
    return {
        "statements.json": json.dumps(NEW).encode(),
        "statements-old.jsonl": "\n".join(json.dumps(one, ensure_ascii=False) for one in OLD).encode(),
    }
