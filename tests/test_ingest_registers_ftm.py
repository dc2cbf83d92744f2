"""FollowTheMoney: parties by their strongest number, links with their dates, sanctions that begin and end."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingest.source import Extract, Models, Record
from ingest.sources.ftm import Ftm
from kg.errors import RecordError
from kg.model import LAST
from tests.contract.examples.ftm import ENTITIES, NESTED, entity
from tests.contract.examples.gleif import CHILD
from tests.ingest_reading import misquoted, rows

SHIP = "reg:CY/HE 77001"


def given(entities: list[Any], **more: Any) -> Extract:
    content = "\n".join(json.dumps(one, ensure_ascii=False) for one in entities).encode()
    record = Record("ftm", "x.jsonl", content, **more)
    extract = Ftm(Path(), []).claims(record, Models())
    assert misquoted(record, extract) == []
    return extract


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_company_is_known_by_its_lei_or_its_registered_number() -> None:
    extract = given(ENTITIES)
    assert {row["subject"] for row in rows(extract, "Company", "node")} == {SHIP}
    assert {row["subject"] for row in rows(extract, "Fund", "node")} == {f"lei:{CHILD}"}
    assert {row["value_text"] for row in rows(extract, "identifier")} == {"reg:RU-INN/7700000001"}


def test_weak_aliases_are_believed_less() -> None:
    sure = {row["value_text"]: row["confidence"] for row in rows(given(ENTITIES), "name") if row["subject"] == SHIP}
    assert sure == {"Saltmarsh Shipping LLC": 1.0, "Солончак Шиппинг": 1.0, "SMS": 0.6}


def test_links_carry_share_role_and_dates() -> None:
    extract = given(ENTITIES)
    (owns,) = rows(extract, "OWNS")
    assert (owns["object"], owns["value_real"]) == (SHIP, pytest.approx(0.515))
    assert (owns["valid_from"], owns["valid_to"]) == (day("2010-01-01"), day("2022-03-01"))
    (office,) = rows(extract, "OFFICER_OF")
    assert (office["value_text"], office["valid_from"], office["valid_to"]) == ("secretary", day("2015-01-01"), LAST)
    assert sorted(row["value_text"] for row in rows(extract, "ASSOCIATED_WITH")) == ["unknown link", "wife"]
    (loan,) = rows(extract, "LENDS_TO")
    assert (loan["value_decimal"], loan["unit"]) == (Decimal("1250000.5"), "EUR")


def test_a_sanction_marks_its_entity_from_listing_to_delisting() -> None:
    extract = given(ENTITIES)
    marks = {row["value_text"]: (row["valid_from"], row["valid_to"]) for row in rows(extract, "flag")}
    assert marks["sanctioned: HARBOUR-2"] == (day("2019-07-01"), day("2024-01-15"))
    (hit,) = rows(extract, "AFFECTED_BY")
    assert (hit["subject"], hit["valid_from"]) == (SHIP, day("2019-07-01"))


def test_who_shares_an_address_is_joined_by_it() -> None:
    other = entity("f-9", "Company", name="Marsh Two", address="1, quay road LIMASSOL")
    uses = rows(given([*ENTITIES, other]), "USES")
    shared = [row["subject"] for row in uses if row["object"] == "addr:1 quay road limassol"]
    assert sorted(shared) == [SHIP, "reg:ftm/f-9"]


def test_entities_nested_in_others_are_read_where_they_stand() -> None:
    extract = given([NESTED])
    (owns,) = rows(extract, "OWNS")
    assert owns["object"] == "reg:ftm/n-1" and owns["value_real"] == pytest.approx(0.3)
    assert {row["value_text"] for row in rows(extract, "name")} == {"Nest Ltd", "Ned Nest"}


def test_what_has_no_place_in_the_graph_is_told_as_unread() -> None:
    assert "Vessel" in given(ENTITIES).unread


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (7, "no JSON object"),
        (entity("b", "Company", leiCode="5493001KJTIIGC8Y1R13"), "fails its check"),
        (entity("b", "Ownership", owner="f-2", asset="nobody"), "not in the file"),
        (entity("b", "Ownership", owner="f-2", asset="f-5"), "not kept"),
        (entity("b", "Ownership", owner="f-2"), "lacks its owner or asset"),
        (entity("b", "Ownership", owner="f-2", asset="f-1", percentage="most"), "not from 0 to 100"),
        (entity("b", "Debt", creditor="f-1", debtor="f-4", amount="lots", currency="EUR"), "no decimal number"),
        (entity("b", "Sanction", entity="f-1", startDate="2020", endDate="2019"), "before it starts"),
    ],
)
def test_a_bad_entity_is_refused_and_the_others_kept(bad: Any, reason: str) -> None:
    extract = given([*ENTITIES, bad])
    assert len(extract.refused) == 1 and reason in extract.refused[0].reason
    assert len(extract.claims) == len(given(ENTITIES).claims)


def test_an_entity_without_a_date_is_public_when_the_carrier_says() -> None:
    bare = {key: value for key, value in ENTITIES[1].items() if key != "last_change"}
    extract = given([bare], published=day("2022-02-02"))
    assert {row["published"] for row in rows(extract)} == {day("2022-02-02")}
    with pytest.raises(RecordError, match="no entity of FollowTheMoney"):
        given([{"id": "x"}])
