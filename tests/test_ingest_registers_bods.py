"""Ownership statements: shares and control with their ends, what is replaced, and who is not told."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.source import Extract, Models, Record
from ingest.sources.bods import Bods
from kg.errors import RecordError
from kg.ledger import Ledger
from kg.model import FIRST, LAST, AsOf, RunManifest
from tests.contract.examples.bods import LINK, MILL, NEW, OLD, interest, statement
from tests.ingest_reading import misquoted, rows

MILL_ID = "reg:GB-COH/09999991"


def given(statements: list[Any]) -> Extract:
    record = Record("bods", "x.json", json.dumps(statements, ensure_ascii=False).encode())
    extract = Bods(Path(), []).claims(record, Models())
    assert misquoted(record, extract) == []
    return extract


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def edges(extract: Extract, type: str) -> list[tuple[Any, ...]]:
    return [(r["key"], r["value_real"], r["valid_from"], r["valid_to"], r["published"]) for r in rows(extract, type)]


def test_a_replaced_share_holds_until_the_statement_that_replaces_it() -> None:
    assert edges(given(NEW), "OWNS") == [
        ("", 0.4, day("2018-03-01"), LAST, day("2019-01-11")),
        ("", 0.4, day("2018-03-01"), day("2021-06-01"), day("2021-06-02")),
        ("", 0.625, day("2021-05-20"), LAST, day("2021-06-02")),
    ]


def test_control_without_capital_is_an_office_named_by_its_kind() -> None:
    offices = {row["key"]: row for row in rows(given(NEW), "OFFICER_OF")}
    assert set(offices) == {"board member", "voting rights", "trustee", "indirect shareholding"}
    assert offices["voting rights"]["value_text"] == "voting rights 25 to under 50 %"
    assert offices["trustee"]["valid_from"] == day("2010-01-01")


def test_a_range_keeps_its_minimum_as_the_share_and_is_told_whole() -> None:
    extract = given(OLD)
    owns = rows(extract, "OWNS")
    assert [row["value_real"] for row in owns] == [0.5, 0.5, 0.8] and owns[1]["valid_to"] == day("2020-02-01")
    assert [row["value_text"] for row in rows(extract, "statement")] == ["shareholding over 50 to 75 %"]
    offices = rows(extract, "OFFICER_OF")  # told open, then with its end
    assert [row["key"] for row in offices] == ["appointment of board"] * 2 and offices[0]["valid_to"] == LAST
    assert "annotations" in extract.unread and extract.rules == {"statement.superseded": 1}


def test_an_indirect_share_counts_as_owning_only_if_its_links_are_not_told() -> None:
    extract = given(NEW)
    assert "indirect" not in {row["key"] for row in rows(extract, "OWNS")}
    alone = {key: value for key, value in NEW[-1]["recordDetails"].items() if key != "componentRecords"}
    extract = given([*NEW[:2], NEW[-1] | {"recordDetails": alone}])
    assert [(row["key"], row["value_real"]) for row in rows(extract, "OWNS")] == [("indirect", 0.1)]


def test_persons_are_opaque_and_their_names_are_rows() -> None:
    extract = given(NEW)
    (person,) = rows(extract, "Person")
    assert person["subject"].startswith("person:") and "weir" not in person["subject"].lower()
    assert {row["value_text"] for row in rows(extract, "name")} >= {"Ann Weir", "A. Weir"}
    (flag,) = rows(extract, "flag")
    assert (flag["value_text"], flag["valid_from"]) == ("politically exposed", day("2015-05-07"))


def test_a_name_that_is_no_longer_told_ends() -> None:
    names = {row["value_text"]: row for row in rows(given(NEW), "name") if row["subject"] == MILL_ID}
    assert names["Brook Mill Ltd"]["valid_to"] == day("2021-06-01")
    assert names["Brook Mill Group Ltd"]["valid_to"] == LAST and names["Brook Mill Group Ltd"]["valid_from"] == FIRST


def test_a_party_that_is_not_told_is_a_statement_with_the_reason() -> None:
    told = [row for row in rows(given(NEW), "statement") if row["key"].startswith("undisclosed")]
    assert [(row["subject"], row["value_text"]) for row in told] == [(MILL_ID, "Nobody holds 25 %")]


def test_a_closed_relationship_ends_with_its_last_statement() -> None:
    closed = statement(
        "c", "ann-mill", "relationship", "2020-01-01", LINK | {"interests": [interest("trustee", "2018")]}, "closed"
    )
    (office,) = rows(given([*NEW[:2], closed]), "OFFICER_OF")
    assert office["valid_to"] == day("2020-01-01")


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (7, "no JSON object"),
        (statement("b", "b", "relationship", "2019-01-01", {"subject": "mill", "interestedParty": "nobody"}), "not in"),
        (statement("b", "b", "entity", "some day", MILL), "no ISO date"),
        (statement("b", "b", "relationship", "2019-01-01", {"subject": "mill", "interestedParty": "mill"}), "are one"),
        (
            statement("b", "b", "relationship", "2019-01-01",
                      LINK | {"interests": [interest("shareholding", "2018", share={"exact": 140})]}),
            "not from 0 to 100",
        ),
    ],
)  # fmt: skip
def test_a_bad_statement_is_refused_and_the_others_kept(item: Any, reason: str) -> None:
    extract = given([*NEW, item])
    (refusal,) = extract.refused
    assert reason in refusal.reason and refusal.locator.startswith(f"json:/{len(NEW)}")
    assert len(extract.claims) == len(given(NEW).claims)


def test_a_file_of_statements_without_any_good_one_is_refused() -> None:
    with pytest.raises(RecordError, match="no statement of BODS"):
        given([{"statementId": "a"}])


@pytest.mark.real
def test_every_real_statement_file_goes_in(real_data: Path) -> None:
    folder = real_data / "ownership" / "bods"
    source, counts = Bods(folder), Counter[str]()
    records = list(source.records())
    assert len(records) == 19
    for record in records:
        extract = source.claims(record, Models())
        assert not extract.refused and misquoted(record, extract) == []
        counts["shareholdings"] += sum(_counts_as_owning(item) for item in json.loads(record.content))
        counts.update(row["name"] for row in rows(extract) if row["confidence"] == 1)
        counts["ended"] += sum(row["name"] == "OWNS" and row["confidence"] < 1 for row in rows(extract))
    assert counts["Person"] == 28 and counts["Company"] == 35
    assert counts["OWNS"] == counts["shareholdings"] == 36 and counts["ended"] == 11


def _counts_as_owning(item: dict[str, Any]) -> int:
    details = item["recordDetails"]
    given = [one for one in details.get("interests", []) if one.get("type") == "shareholding"]
    return sum(not (details.get("componentRecords") and one.get("directOrIndirect") == "indirect") for one in given)


def test_a_statement_is_public_when_it_was_published_and_not_when_it_was_made() -> None:
    late = statement("m1", "mill", "entity", "2019-01-10", MILL) | {
        "publicationDetails": {"publicationDate": "2019-05-31"}
    }
    old = statement("m1", "mill", "entity", "2019-01-10", MILL) | {
        "publicationDetails": {"publicationDate": "2017-12-01"}
    }
    assert {row["published"] for row in given([late]).claims.table.to_pylist()} == {day("2019-06-01")}
    assert {row["published"] for row in given([old]).claims.table.to_pylist()} == {day("2019-01-11")}


def test_the_end_of_what_is_replaced_is_not_known_before_it_is_published(ledger: Ledger) -> None:
    closed = statement(
        "c2", "ann-mill", "relationship", "2020-01-01", LINK | {"interests": [interest("trustee", "2018")]}, "closed"
    )
    opened = statement("c1", "ann-mill", "relationship", "2019-01-10", closed["recordDetails"])
    ledger.commit(given([*NEW[:2], opened, closed]).claims, RunManifest("test"))

    def offices(valid: str, published: str) -> int:
        at = AsOf(valid=day(valid), published=day(published))
        seen = ledger.view(at).edges_of("OFFICER_OF").num_rows
        versions = ledger.delta(0).opens.to_pylist()
        told = [v for v in versions if v["type"] == "OFFICER_OF" and v["valid_from"] <= day(valid) < v["valid_to"]]
        assert sum(v["published"] <= day(published) < v["published_to"] for v in told) == seen
        return seen

    assert offices("2019-06-01", "2019-12-31") == 1
    assert offices("2020-06-01", "2019-12-31") == 1  # nobody has told yet that it will end
    assert offices("2020-06-01", "2020-01-02") == 0
    assert offices("2019-06-01", "2020-01-02") == 1
