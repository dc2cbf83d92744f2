"""Files of GLEIF as it publishes them, with entities that are made up."""

from __future__ import annotations

import csv
import io
import json

from stdnum.iso7064 import mod_97_10

BAD = b"LEI,Something\n1,2\n"


def lei(stem: str) -> str:
    """A made-up LEI with right check digits."""
    body = f"9999{stem.upper():0<14}"
    return body + str(mod_97_10.calc_check_digits(body))


PARENT, CHILD, OLD, TWIN = lei("HAFEN"), lei("WERFT"), lei("ALTMARK"), lei("DOPPEL")
_OTHER = "Entity.OtherEntityNames.OtherEntityName.1"
_LATIN = "Entity.TransliteratedOtherEntityNames.TransliteratedOtherEntityName.1"
_EVENT = "Entity.LegalEntityEvents.LegalEntityEvent.1"
_NUMBER = "Entity.RegistrationAuthority.RegistrationAuthority"
HEAD = (
    "LEI", "Entity.LegalName", "Entity.LegalName.xmllang", _OTHER, f"{_OTHER}.type", _LATIN, f"{_LATIN}.type",
    "Entity.LegalAddress.Country", f"{_NUMBER}ID", f"{_NUMBER}EntityID", "Entity.EntityCategory", "Entity.EntityStatus",
    "Entity.EntityCreationDate", "Entity.EntityExpirationDate", "Entity.SuccessorEntity.1.SuccessorLEI",
    f"{_EVENT}.LegalEntityEventType", f"{_EVENT}.event_status", f"{_EVENT}.LegalEntityEventEffectiveDate",
    "Registration.LastUpdateDate", "Registration.RegistrationStatus", "Registration.NextRenewalDate",
)  # fmt: skip
ROWS = (
    (PARENT, "Hafen Holding SE", "de", "Kai, Werft & Co. AG", "PREVIOUS_LEGAL_NAME", "", "", "DE", "RA000242",
     "HRB 4711", "GENERAL", "ACTIVE", "1998-04-01T00:00:00+02:00", "", "", "CHANGE_LEGAL_NAME", "COMPLETED",
     "2015-06-01T00:00:00Z", "2024-03-05T10:20:30Z", "ISSUED", "2025-03-05T00:00:00Z"),
    (CHILD, "港口船厂有限公司", "zh", "Hafen Werft Ltd", "ALTERNATIVE_LANGUAGE_LEGAL_NAME", "Gangkou Chuanchang",
     "AUTO_ASCII_TRANSLITERATED_LEGAL_NAME", "CN", "RA999999", "", "GENERAL", "ACTIVE", "", "", "", "", "", "",
     "2023-01-10T00:00:00Z", "LAPSED", "2024-01-10T00:00:00Z"),
    (OLD, "Altmark Fonds", "de", "", "", "", "", "LU", "RA000432", "B 99", "FUND", "INACTIVE", "", "2020-12-31",
     PARENT, "", "", "", "2021-02-01T00:00:00Z", "MERGED", "2021-06-01T00:00:00Z"),
    (TWIN, "Hafen Holding", "de", "", "", "", "", "DE", "RA888888", "", "GENERAL", "ACTIVE", "", "", PARENT, "", "",
     "", "2022-02-01T00:00:00Z", "DUPLICATE", ""),
)  # fmt: skip
RELATIONS = (
    ("Relationship.StartNode.NodeID", "Relationship.StartNode.NodeIDType", "Relationship.EndNode.NodeID",
     "Relationship.RelationshipType", "Relationship.RelationshipStatus", "Relationship.Period.1.startDate",
     "Relationship.Period.1.endDate", "Relationship.Period.1.periodType", "Relationship.Period.2.startDate",
     "Relationship.Period.2.endDate", "Relationship.Period.2.periodType",
     "Relationship.Quantifiers.1.QuantifierAmount", "Relationship.Quantifiers.1.QuantifierUnits",
     "Registration.LastUpdateDate"),
    (CHILD, "LEI", PARENT, "IS_DIRECTLY_CONSOLIDATED_BY", "ACTIVE", "2022-01-01T00:00:00Z", "2022-12-31T00:00:00Z",
     "ACCOUNTING_PERIOD", "2012-11-29T00:00:00Z", "", "RELATIONSHIP_PERIOD", "75.5", "PERCENTAGE",
     "2023-05-01T00:00:00Z"),
    (CHILD, "LEI", PARENT, "IS_ULTIMATELY_CONSOLIDATED_BY", "INACTIVE", "2012-11-29T00:00:00Z", "",
     "RELATIONSHIP_PERIOD", "", "", "", "", "", "2023-05-01T00:00:00Z"),
    (OLD, "LEI", PARENT, "IS_FUND-MANAGED_BY", "ACTIVE", "", "", "", "", "", "", "", "", "2020-05-01T00:00:00Z"),
)  # fmt: skip


def table(*rows: tuple[str, ...]) -> bytes:
    """A CSV in which every cell is quoted, as GLEIF writes it."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


XML = f"""<?xml version="1.0" encoding="UTF-8"?>
<lei:LEIData xmlns:lei="http://www.gleif.org/data/schema/leidata/2016">
 <lei:LEIHeader><lei:ContentDate>2024-03-06T00:00:00Z</lei:ContentDate></lei:LEIHeader>
 <lei:LEIRecords><lei:LEIRecord><lei:LEI>{PARENT}</lei:LEI>
  <lei:Entity><lei:LegalName xml:lang="de">Hafen Holding SE</lei:LegalName>
   <lei:OtherEntityNames>
    <lei:OtherEntityName xml:lang="de" type="PREVIOUS_LEGAL_NAME">Kai, Werft &amp; Co. AG</lei:OtherEntityName>
   </lei:OtherEntityNames>
   <lei:LegalAddress xml:lang="de"><lei:City>Hamburg</lei:City><lei:Country>DE</lei:Country></lei:LegalAddress>
   <lei:EntityCategory>GENERAL</lei:EntityCategory><lei:EntityStatus>ACTIVE</lei:EntityStatus>
   <lei:LegalEntityEvents><lei:LegalEntityEvent group_type="STANDALONE" event_status="COMPLETED">
    <lei:LegalEntityEventType>CHANGE_LEGAL_NAME</lei:LegalEntityEventType>
    <lei:LegalEntityEventEffectiveDate>2015-06-01T00:00:00Z</lei:LegalEntityEventEffectiveDate>
   </lei:LegalEntityEvent></lei:LegalEntityEvents></lei:Entity>
  <lei:Registration><lei:LastUpdateDate>2024-03-05T10:20:30Z</lei:LastUpdateDate>
   <lei:RegistrationStatus>ISSUED</lei:RegistrationStatus></lei:Registration></lei:LEIRecord></lei:LEIRecords>
</lei:LEIData>""".encode()
RELATION_XML = f"""<RelationshipData xmlns="http://www.gleif.org/data/schema/rr/2016"><RelationshipRecords>
 <RelationshipRecord><Relationship>
  <StartNode><NodeID>{CHILD}</NodeID><NodeIDType>LEI</NodeIDType></StartNode>
  <EndNode><NodeID>{PARENT}</NodeID><NodeIDType>LEI</NodeIDType></EndNode>
  <RelationshipType>IS_DIRECTLY_CONSOLIDATED_BY</RelationshipType>
  <RelationshipPeriods><RelationshipPeriod><StartDate>2012-11-29T00:00:00Z</StartDate>
   <EndDate>2023-01-01T00:00:00Z</EndDate><PeriodType>RELATIONSHIP_PERIOD</PeriodType></RelationshipPeriod>
  </RelationshipPeriods><RelationshipStatus>INACTIVE</RelationshipStatus></Relationship>
  <Registration><LastUpdateDate>2023-05-01T00:00:00Z</LastUpdateDate></Registration>
 </RelationshipRecord></RelationshipRecords></RelationshipData>""".encode()
JSON = json.dumps(
    {
        "records": [
            {
                "LEI": {"$": PARENT},
                "Entity": {
                    "LegalName": {"@xml:lang": "de", "$": "Hafen Holding SE"},
                    "OtherEntityNames": {
                        "OtherEntityName": [{"@type": "PREVIOUS_LEGAL_NAME", "$": "Kai, Werft & Co. AG"}]
                    },
                    "LegalAddress": {"Country": {"$": "DE"}},
                    "LegalEntityEvents": {
                        "LegalEntityEvent": [
                            {
                                "@event_status": "COMPLETED",
                                "LegalEntityEventType": {"$": "CHANGE_LEGAL_NAME"},
                                "LegalEntityEventEffectiveDate": {"$": "2015-06-01T00:00:00Z"},
                            }
                        ]
                    },
                },
                "Registration": {
                    "LastUpdateDate": {"$": "2024-03-05T10:20:30Z"},
                    "RegistrationStatus": {"$": "ISSUED"},
                },
            }
        ]
    }
).encode()


def good() -> dict[str, bytes]:
    return {
        "lei-golden-copy.csv": table(HEAD, *ROWS),
        "lei-relations.csv": table(*RELATIONS),
        "lei-exceptions.csv": table(
            ("LEI", "ExceptionCategory", "ExceptionReason.1"),
            (PARENT, "DIRECT_ACCOUNTING_CONSOLIDATION_PARENT", "NATURAL_PERSONS"),
        ),
        "lei-isin.csv": table(("LEI", "ISIN"), (PARENT, "US0378331005")),
        "lei-bic.csv": table(("LEI", "BIC"), (PARENT, "HAFNDEHHXXX")),
        "lei-records.xml": XML,
        "rr-records.xml": RELATION_XML,
        "lei-records.json": JSON,
    }
