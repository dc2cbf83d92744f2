"""The case studies on small made-up files in the forms of the EBA and the BIS, and on the real ones."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from ingest.pipeline import run
from kg.errors import MeasureError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, day
from kg.snapshot import Snapshot
from kgrisk.casestudies import (
    CAPITAL,
    SOVEREIGN,
    CountryFailure,
    SovereignShock,
    bis,
    bis_from_margins,
    eba,
    sovereign_book,
)

HEADER = "LEI_code,Country_code,Bank_name,Period,Country,Exposure,Loan_Amount,Bond_Amount,Total_Amount,Unit,Currency"
HERON, AUK = "529900HERONBANK00102", "529900AUKSBANK000215"


def line(lei: str, country: str, exposure: str, amount: float) -> str:
    return f"{lei},DE,Bank {lei[-4:]},201912.0,{country},{exposure},,,{amount},Millions,Euro"


def banks() -> str:
    """Two made-up books: bonds of Italy and France, capital, total assets."""
    rows = [HEADER]
    for lei, italy, france, capital, assets in ((HERON, 60.0, 40.0, 10.0, 100.0), (AUK, 16.0, 64.0, 16.0, 80.0)):
        rows += [line(lei, "IT", SOVEREIGN, italy), line(lei, "FR", SOVEREIGN, france), line(lei, "IT", "Retail", 7.0)]
        rows += [line(lei, "Total", SOVEREIGN, italy + france), line(lei, "Total", CAPITAL, capital)]
        rows += [line(lei, "Total", "Total assets", assets)]
    return "\n".join(rows) + "\n"


def countries() -> str:
    """Two countries that report and one that does not; amounts in dollars."""
    nodes = [{"id": id, "name": id, "gdp_usd": 1.0e9, "reserves_usd": None} for id in ("FRA", "DEU", "USA")]
    claims = [("FRA", "DEU", 50.0), ("FRA", "USA", 50.0), ("DEU", "FRA", 100.0)]
    edges = [{"creditor": a, "debtor": b, "period": "2019-Q4", "amount": amount} for a, b, amount in claims]
    return json.dumps({"nodes": nodes, "edges": edges})


def read(tmp_path: Path, at: str, *files: Path) -> Snapshot:
    with Ledger.open(tmp_path / "ledger") as ledger:
        sources = ("registers", "bis")
        report = run(list(files), ledger, Files(tmp_path / "files"), tmp_path, sources=sources)
        assert report.committed
        return ledger.view(AsOf(valid=day(at)))


def test_a_fall_of_bonds_is_worked_out_on_a_file_like_the_ebas(tmp_path: Path) -> None:
    file = tmp_path / "eba.csv"
    file.write_text(banks())
    found = eba(read(tmp_path, "2020-06-30", file), SovereignShock(("IT",), 0.05, impact=1e-9))
    million = 1e6  # the books of the example GLT-1 in millions: assets 100 and 80 at leverages 9 and 4
    assert (found["banks"], found["governments"]) == (2, 2)
    assert found["sovereign"] == pytest.approx(180 * million) and found["capital"] == pytest.approx(26 * million)
    assert found["first"] == pytest.approx(3.8 * million)
    # sales of 27 and 3.2 in proportion to all assets, over bonds only; both prices fall by 1e-9 per euro
    italy, france = (27 * 0.6 + 3.2 * 0.2) * 1e-3, (27 * 0.4 + 3.2 * 0.8) * 1e-3
    loss = 3.8 + 76 * italy + 104 * france
    assert found["loss"] == pytest.approx(loss * million, rel=1e-9)
    assert found["vulnerability"] == pytest.approx((loss - 3.8) / 26, rel=1e-9)
    assert next(row["id"] for row in found["hardest hit"]) == f"lei:{HERON}"
    assert [row["id"] for row in found["governments by cost"]][:2] == ["iso:FR", "iso:IT"]
    with pytest.raises(MeasureError, match="no bank here holds bonds of iso:GR"):
        eba(read(tmp_path / "again", "2020-06-30", file), SovereignShock(("GR",)))


def test_a_failure_of_a_country_is_worked_out_on_a_file_like_the_biss(tmp_path: Path) -> None:
    file = tmp_path / "2019.json"
    file.write_text(countries())
    snapshot = read(tmp_path, "2020-06-30", file)
    found = bis(snapshot, CountryFailure("US", equity=0.2, recovery=0.5))
    assert (found["countries"], found["reporting"], found["claims"], found["amount"]) == (3, 2, 3, 200.0)
    assert found["waves"] == [["US"], ["FR"], ["DE"]]  # 25 of an equity of 20, then 50 of an equity of 20
    assert found["loss"] == pytest.approx(25 + 25 + 50)  # Germany's failure costs France the other half of 50
    assert "spectral radius" in found["remarks"][0]
    from_sums = bis_from_margins(snapshot, CountryFailure("US", equity=0.2, recovery=0.5, draws=3))
    # France's debtors can only be these, so every way finds the one network there is
    assert from_sums["truth"]["mean"] == pytest.approx(100)
    for way in ("entropy", "density", "ensemble"):
        assert from_sums[way]["mean"] == pytest.approx(100) and from_sums[way]["misplaced"] < 1e-9
    with pytest.raises(MeasureError, match="no claims on XX here"):
        bis(snapshot, CountryFailure("XX"))


# ---- the real files


@pytest.mark.real
@pytest.mark.parametrize("year", ["2016", "2020"])
def test_the_real_book_of_government_bonds_sums_to_the_file(real_data: Path, tmp_path: Path, year: str) -> None:
    file = real_data / "eba" / f"eba_exposures_{year}.csv"
    x = sovereign_book(read(tmp_path, f"{year}-06-30", file))
    held = {id.removeprefix("lei:") for id, amount in zip(x.ids, x.held.tolist(), strict=True) if amount > 0}
    places = {id.removeprefix("iso:") for id, amount in zip(x.ids, x.owed.tolist(), strict=True) if amount > 0}
    lines = [row for row in csv.DictReader(file.open()) if row["Exposure"] == SOVEREIGN and row["Country"] in places]
    want = sum(float(row["Total_Amount"]) * 1e6 for row in lines if row["LEI_code"] in held)
    assert x.held.sum() == pytest.approx(want, rel=1e-12)
    assert (len(held), len(places)) == {"2016": (51, 48), "2020": (102, 64)}[year]


@pytest.mark.real
def test_the_real_study_of_government_bonds_gives_the_documented_figures(real_data: Path, tmp_path: Path) -> None:
    found = eba(read(tmp_path, "2016-06-30", real_data / "eba" / "eba_exposures_2016.csv"), SovereignShock())
    assert found["sovereign"] == pytest.approx(4_286_552_979_439.63, abs=1)
    assert found["capital"] == pytest.approx(1_238_478_600_261.80, abs=1)
    assert found["first"] / 1e9 == pytest.approx(72.719, abs=1e-3)
    assert found["loss"] / 1e9 == pytest.approx(81.179, abs=1e-3)
    assert found["vulnerability"] == pytest.approx(0.0068314, abs=1e-7) and found["without capital"] == 0


@pytest.mark.real
def test_the_real_study_of_countries_gives_the_documented_figures(real_data: Path, tmp_path: Path) -> None:
    file = real_data / "bis" / "2019.json"
    found = bis(read(tmp_path, "2020-06-30", file), CountryFailure())
    edges = json.loads(file.read_bytes())["edges"]
    assert found["amount"] == pytest.approx(sum(edge["amount"] for edge in edges), rel=1e-12)
    assert (found["countries"], found["reporting"], found["claims"]) == (207, 28, 3255) and len(
        edges
    ) == 3256  # one is of nothing
    assert found["claims on it"] / 1e9 == pytest.approx(4_588.244, abs=1e-3)
    assert found["loss"] / 1e9 == pytest.approx(2_386.842, abs=1e-3)
    assert found["waves"] == [["US"], ["CA", "CL", "MX"]]
