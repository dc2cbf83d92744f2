"""Events with a place and the assets within their reach: distances as they are known, nothing told before its time."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.extract.registers.places import haversine, inside
from ingest.locate import locate
from ingest.pipeline import run
from ingest.source import Extract, Models, Record
from ingest.sources.incidents import Incidents
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, day
from tests.ingest_reading import rows

EVENTS = "event_id,event_type,latitude,longitude,radius_km,start,end"
ASSETS = "entity,site,latitude,longitude"


def told(folder: Path, **files: str) -> list[tuple[Record, Extract]]:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    made = Incidents(folder)
    found = [(record, made.claims(record, Models())) for record in made.records()]
    for record, extract in found:
        for row in rows(extract):
            assert locate(record.content, row["locator"], "incidents") == row["quote"]
    return found


def hit(found: list[tuple[Record, Extract]]) -> set[tuple[str, str]]:
    edges = [row for _, extract in found for row in rows(extract, "AFFECTED_BY")]
    return {(row["subject"], row["object"]) for row in edges}


@pytest.mark.parametrize(
    ("a", "b", "known"),
    [
        ((51.4775, -0.461389), (40.639751, -73.778925), 5540),  # London Heathrow to New York JFK
        ((35.552258, 139.779694), (-33.946111, 151.177222), 7820),  # Tokyo Haneda to Sydney
        ((0, 0), (0, 180), 20015.1),  # half the equator
        ((0, 179.5), (0, -179.5), 111.195),  # across the date line: one degree
        ((90, 0), (89, 123), 111.195),  # at the pole
    ],
)
def test_distances_are_those_known(a: tuple[float, float], b: tuple[float, float], known: float) -> None:
    (found,) = haversine(*a, np.array([b[0]], float), np.array([b[1]], float))
    assert found == pytest.approx(known, rel=0.005)


def test_assets_within_reach_are_affected_and_others_not(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        events_csv=f"{EVENTS}\nf1,Flood,51.5,-0.1,50,2024-01-02,2024-01-05\nq1,earthquake,0,179.9,30,2024-01-02,\n",
        assets_csv=f"{ASSETS}\ncik:1,mill,51.9,-0.1\ncik:1,store,52.0,-0.1\ncik:2,,0,-179.9\ncik:3,,40,-74\n",
    )
    assert hit(found) == {("cik:1", "event:f1"), ("cik:2", "event:q1")}
    (flood,) = [row for row in rows(found[-1][1], "AFFECTED_BY") if row["object"] == "event:f1"]
    assert (flood["value_text"], flood["key"]) == ("44.5 km from flood, mill", "within reach, mill")
    assert (flood["valid_from"], flood["published"]) == (day("2024-01-02"), day("2024-01-06"))


def test_an_event_holds_from_its_start_to_its_end_and_is_public_when_that_is_known(tmp_path: Path) -> None:
    ((_, extract),) = told(tmp_path, events_csv=f"{EVENTS}\nf1,flood,51.5,-0.1,50,2024-01-02,2024-01-05\n")
    node = rows(extract, "Event")[0]
    assert (node["valid_from"], node["valid_to"], node["published"]) == (
        day("2024-01-02"),
        day("2024-01-06"),
        day("2024-01-06"),
    )
    values = {row["name"]: row["value_real"] for row in rows(extract, kind="property") if row["value_real"] is not None}
    assert values == {"latitude": 51.5, "longitude": -0.1, "radius": 50.0}


def test_a_forecast_is_public_when_it_says(tmp_path: Path) -> None:
    text = f"{EVENTS},published\ns1,storm,10,10,50,2024-01-05,2024-01-06,2024-01-03T12:00:00Z\n"
    ((_, extract),) = told(tmp_path, events_csv=text)
    assert {row["published"] for row in rows(extract)} == {datetime(2024, 1, 3, 12, tzinfo=UTC)}


def test_a_polygon_hits_what_lies_inside_and_not_in_its_hole(tmp_path: Path) -> None:
    outer = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
    hole = [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]
    quake: dict[str, Any] = {
        "geometry": {"type": "Point", "coordinates": [20, 20]},
        "properties": {"type": "earthquake"},
    }
    area: dict[str, Any] = {
        "geometry": {"type": "Polygon", "coordinates": [outer, hole]},
        "properties": {"event_type": "outage"},
    }
    area["properties"]["start"] = "2024-01-02T06:00:00+02:00"
    quake["properties"] |= {"time": 1_704_186_000_000, "radius": 100}
    line = {"geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, "properties": {}}
    found = told(
        tmp_path,
        a_geojson=json.dumps({"type": "FeatureCollection", "features": [area, quake, line]}),
        b_csv=f"{ASSETS}\ncik:1,,1,1\ncik:2,,5,5\ncik:3,,11,5\ncik:4,,20.5,20\n",
    )
    assert {who for who, _ in hit(found)} == {"cik:1", "cik:4"}
    assert [(r.locator, r.reason) for r in found[0][1].refused] == [
        ("json:/features/2", "geometry LineString is neither Point nor Polygon")
    ]
    assert rows(found[0][1], "Event")[0]["valid_from"] == datetime(2024, 1, 2, 4, tzinfo=UTC)
    assert inside(1, 1, [[(0, 0), (2, 0), (2, 2), (0, 2)]]) and not inside(3, 1, [[(0, 0), (2, 0), (2, 2), (0, 2)]])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x,flood,95,0,5,2024-01-02,", "latitude 95 is not a number from -90 to 90"),
        ("x,flood,5,0,,2024-01-02,", "radius (empty) is not a number from 0 to 20016"),
        ("x,,5,0,5,2024-01-02,", "event_type is empty; expected a kind such as flood, earthquake or outage"),
        ("x,flood,5,0,5,soon,", "start soon is not an ISO time"),
        ("x,flood,5,0,5,2024-01-02,2024-01-01", "end 2024-01-01 is not after start 2024-01-02"),
        ("x,flood,nan,0,5,2024-01-02,", "latitude nan is not a number from -90 to 90"),
    ],
)
def test_a_bad_event_is_refused_and_the_one_beside_it_kept(row: str, reason: str, tmp_path: Path) -> None:
    ((_, extract),) = told(tmp_path, events_csv=f"{EVENTS}\n{row}\nok,flood,5,0,5,2024-01-02,\n")
    assert [(r.locator, r.reason) for r in extract.refused] == [("row:1", reason)]
    assert len(rows(extract, "Event")) == 1


def test_a_bad_asset_is_refused_with_its_reason(tmp_path: Path) -> None:
    ((_, extract),) = told(tmp_path, assets_csv=f"{ASSETS}\ncik:1,,1,200\nnobody,,1,2\ncik:2,,1,2\n")
    reasons = {r.locator: r.reason for r in extract.refused}
    assert reasons["row:1"] == "longitude 200 is not a number of degrees from -180 to 180"
    assert "is not scheme:value" in reasons["row:2"]
    assert {row["subject"] for row in rows(extract)} == {"cik:2"}


def test_the_ledger_joins_events_and_assets_of_registers_once(tmp_path: Path) -> None:
    inputs, home = tmp_path / "inputs", tmp_path / "home"
    inputs.mkdir()
    (inputs / "entities.csv").write_text("id,label,name,published\ncik:1,Company,Oakmere Inc.,2019-01-01\n")
    (inputs / "events.csv").write_text(f"{EVENTS}\nf1,flood,51.5,-0.1,50,2024-01-02,2024-01-05\n")
    (inputs / "assets.csv").write_text(f"{ASSETS}\ncik:1,mill,51.9,-0.1\n")
    with Ledger.open(home / "ledger") as ledger:
        names = ("registers", "incidents")
        report = run(inputs, ledger, Files(home / "files"), home, sources=names)
        assert report.committed and not report.quarantined
        seen = [
            [edge["type"] for edge in ledger.view(AsOf(published=day(at))).edges.to_pylist()]
            for at in ("2024-01-05", "2024-01-06")
        ]
        assert seen == [[], ["AFFECTED_BY"]]
        assert not run(inputs, ledger, Files(home / "files"), home, sources=names).committed
