"""The EU's list: every alias in every script, marks from listing to delisting, the same from XML and CSV."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.source import Extract, Models, Record
from ingest.sources.sanctions import Sanctions
from kg.errors import RecordError
from kg.model import LAST
from tests.contract.examples.sanctions import ANTON, CSV, PORT, good, listed
from tests.ingest_reading import misquoted, rows

GREBE = "reg:EU-FSF/EU.9001.1"


def given(content: bytes) -> Extract:
    record = Record("sanctions", "x", content)
    extract = Sanctions(Path(), []).claims(record, Models())
    assert misquoted(record, extract) == []
    return extract


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_every_alias_is_a_name_public_since_the_regulation_that_brought_it() -> None:
    names = {row["value_text"]: row for row in rows(given(listed("2024-01-01", PORT)), "name")}
    assert set(names) == {"Grebe Port Services JSC", "АО Портовые услуги Гребе", "格雷贝港口服务", "GPS"}
    assert names["АО Портовые услуги Гребе"]["published"] == day("2023-06-03")  # a day is public at its end
    assert names["GPS"]["confidence"] == 0.6 and names["格雷贝港口服务"]["published"] == day("2022-03-16")


def test_a_listed_party_is_marked_by_each_programme_since_its_designation() -> None:
    extract = given(listed("2024-01-01", PORT))
    marks = [(row["value_text"], row["valid_from"], row["valid_to"], row["published"]) for row in rows(extract, "flag")]
    assert marks == [
        ("sanctioned: HARBOUR", day("2022-03-15"), LAST, day("2022-03-16")),
        ("sanctioned: QUAY", day("2022-03-15"), LAST, day("2023-06-03")),
    ]
    (hit,) = rows(extract, "AFFECTED_BY")
    assert (hit["subject"], hit["valid_from"]) == (GREBE, day("2022-03-15"))


def test_a_party_that_the_next_list_lacks_is_delisted_by_then(tmp_path: Path) -> None:
    for name, content in good().items():
        (tmp_path / name).write_bytes(content)
    source = Sanctions(tmp_path)
    first = next(iter(source.records()))
    extract = source.claims(first, Models())
    ends = {row["subject"].partition(":")[0]: row["valid_to"] for row in rows(extract, "flag")}
    assert ends == {"reg": LAST, "person": datetime(2024, 3, 30, 23, tzinfo=UTC)}


def test_a_regulation_that_delists_ends_the_mark() -> None:
    ended = ANTON.replace(
        "<subjectType",
        '<regulation regulationType="delisting" publicationDate="2021-02-03" entryIntoForceDate="2021-02-04"'
        ' programme="HARBOUR" numberTitle="2021/1"/><subjectType',
    )
    (mark,) = rows(given(listed("2024-01-01", ended)), "flag")
    assert (mark["valid_from"], mark["valid_to"]) == (day("2019-01-21"), day("2021-02-04"))


def test_persons_are_opaque_and_their_documents_stay_out() -> None:
    extract = given(listed("2024-01-01", ANTON))
    assert {row["subject"].partition(":")[0] for row in rows(extract, kind="node")} == {"person", "event"}
    assert {row["value_text"] for row in rows(extract, "name")} == {"Anton Kranich", "أنطون كرانيش"}
    assert not rows(extract, "identifier")
    assert {row["key"] for row in rows(extract, "statement")} == {"nationality|BY", "birth date|1966-08-09"}


def test_the_csv_says_what_the_xml_says() -> None:
    extract = given(CSV)
    heron = "reg:EU-FSF/EU.9007.3"
    assert [row["value_text"] for row in rows(extract, "name")] == ["Heron Trading FZE", "هيرون للتجارة"]
    (mark,) = rows(extract, "flag")
    assert (mark["subject"], mark["value_text"], mark["valid_from"]) == (heron, "sanctioned: REEDS", day("2021-05-04"))
    assert [row["object"] for row in rows(extract, "IN_COUNTRY")] == ["iso:AE"]
    assert [row["value_text"] for row in rows(extract, "identifier")] == ["reg:AE/L-4411"]


def test_a_bad_entry_is_refused_and_the_others_kept() -> None:
    nameless = '<sanctionEntity euReferenceNumber="EU.1.1"><subjectType code="person"/></sanctionEntity>'
    wrong = PORT.replace('identificationTypeCode="regnumber"', 'identificationTypeCode="lei"')
    extract = given(listed("2024-01-01", nameless, ANTON, wrong))
    assert len(extract.refused) == 2
    assert "no name" in extract.refused[0].reason and "fails its check" in extract.refused[1].reason
    assert len(rows(extract, "name")) == 6


@pytest.mark.parametrize("content", [b"<export/>", b"Entity_LogicalId;x\n1;2\n", b"x"])
def test_what_is_no_list_is_refused(content: bytes) -> None:
    with pytest.raises(RecordError, match=r"no entry|lacks"):
        given(content)
