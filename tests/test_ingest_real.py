"""The pipeline on real files: least claims per form, sums that reconcile, quotes that read back."""

from __future__ import annotations

import csv
import re
import shutil
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pyarrow.compute as pc
import pytest

from benchmarks.ingest.filings import cells
from ingest import match
from ingest.extract.formats.markup import find, inner, parse
from ingest.locate import locate
from ingest.pipeline import extract, run
from ingest.resolve import resolve
from ingest.source import Extract, Models
from ingest.sources.filings import Filings
from ingest.sources.registers import Registers
from ingest.sources.tables import Tables
from ingest.sources.trades import Trades
from kg.files import Files
from kg.ledger import Ledger
from tests.ingest_reading import DATA, misquoted, rows

pytestmark = pytest.mark.real
STRUCTURED = ("10-K", "10-Q", "8-K", "13F", "3", "4", "5")


@pytest.fixture(scope="module")
def filings(real_data: Path) -> dict[str, tuple[str, Extract]]:
    """Form and extract of every file of the inventory, by path; every quote is read back on the way."""
    folder = real_data / "sec-filings"
    with (folder / "INVENTORY.tsv").open() as lines:
        forms = {row["path"]: row["kind"] for row in csv.DictReader(lines, delimiter="\t")}
    source = Filings(folder / "files")
    found: dict[str, tuple[str, Extract]] = {}
    for record in source.records():
        got = source.claims(record, Models())
        assert misquoted(record, got) == [], record.path
        found[record.path] = (forms[record.path], got)
    assert set(found) == set(forms)
    return found


def test_every_form_gives_its_least_number_of_claims(filings: dict[str, tuple[str, Extract]]) -> None:
    with (DATA / "real_minimum_claims.tsv").open() as lines:
        least = {row["form"]: (int(row["files"]), int(row["claims"])) for row in csv.DictReader(lines, delimiter="\t")}
    claims: dict[str, list[int]] = defaultdict(list)
    for form, got in filings.values():
        claims[form].append(len(got.claims))
    assert set(least) == set(claims)
    for form, (files, minimum) in least.items():
        assert len(claims[form]) == files and min(claims[form]) >= minimum, form


def test_filings_reports_insiders_and_holdings_are_read_from_every_file_with_content(
    filings: dict[str, tuple[str, Extract]],
) -> None:
    names = {path: Counter(row["name"] for row in rows(got)) for path, (_, got) in filings.items()}
    for path, (form, _) in filings.items():
        if form in ("3", "4", "5"):
            assert names[path]["OFFICER_OF"] >= 1, path
        if form in ("4",):
            assert names[path]["TRADED"] >= 1, path
        if form.startswith("ixbrl:10-"):
            assert min(names[path][name] for name in ("assets", "equity", "revenue", "net_income")) >= 1, path


def test_known_figures_of_annual_reports_are_right(filings: dict[str, tuple[str, Extract]]) -> None:
    _, apple = filings["tests/fixtures/html/aapl/10k/aapl-10-k-2024-11-01.html"]
    facts = {(row["name"], row["key"]): row["value_decimal"] for row in rows(apple, kind="property")}
    assert facts["assets", "2024-09-28"] == Decimal("364980000000")
    assert facts["revenue", "2023-10-01/2024-09-28"] == Decimal("391035000000")
    assert facts["net_income", "2023-10-01/2024-09-28"] == Decimal("93736000000")
    assert facts["equity", "2024-09-28"] == Decimal("56950000000")


NPORT = "data/NPORT.Dupree.xml"
ATTACHED = "data/13f/EDGAR Form 13F XML Samples/EDGAR Form 13F XML Samples/Sample_13F-HRA.xml"


def test_positions_of_a_fund_add_up_to_its_report(filings: dict[str, tuple[str, Extract]], real_data: Path) -> None:
    _, got = filings[NPORT]
    root = parse((real_data / "sec-filings" / "files" / NPORT).read_bytes())
    stated = [Decimal(inner(e)) for e in root.iter("{*}valUSD")]
    held = rows(got, "HOLDS")
    assert (len(held), sum(row["value_decimal"] for row in held)) == (len(stated), sum(stated))
    assert len(stated) == 55 and got.refused == ()


def test_a_table_in_base64_is_held_by_the_manager_of_its_cover(filings: dict[str, tuple[str, Extract]]) -> None:
    _, got = filings[ATTACHED]
    held = rows(got, "HOLDS")
    assert len(held) == 169 and {row["subject"] for row in held} == {"cik:123456789"}
    assert all(row["locator"].startswith("attachment:1 xpath:") for row in held)


@pytest.mark.parametrize(
    ("path", "issuer", "shares"),
    [
        ("data/html/SG-13G-DOCUMENT-WITH-TEXT.html", "trinity industries", {0.171}),
        ("data/localstorage/filings/20241213/0001076809-24-000144.nc", "cik:704562", {0.0531}),
        ("data/sgml/0001104659-25-002604.txt", "cik:1376139", {0.518, 0.672}),
        ("data/html/SC-13G-DOCUMENT.html", "livent corporation", {0.0}),
    ],
)
def test_stakes_of_schedules_are_those_of_their_cover_pages(
    filings: dict[str, tuple[str, Extract]], path: str, issuer: str, shares: set[float]
) -> None:
    _, got = filings[path]
    owns = [row for row in rows(got, "OWNS") if row["extractor"].startswith("filings.form")]
    assert owns and all(issuer in row["object"] for row in owns)
    assert {round(row["value_real"], 4) for row in owns} <= shares and owns[0]["key"].isalnum()


def test_items_of_every_annual_report_with_items_are_found(filings: dict[str, tuple[str, Extract]]) -> None:
    for path, (form, got) in filings.items():
        if form.endswith(":10-K") and form != "sgml:10-K":
            items = [row for row in rows(got, "statement") if re.fullmatch(r"item \w+", row["key"])]
            assert len(items) >= 15, path
            if "/html/" in path and "2025" in path:
                assert len(items) == 23, path


def test_cells_of_real_tables_are_read_with_their_scale_and_read_back(real_data: Path) -> None:
    file = real_data / "tatqa" / "tatqa_dataset_dev.json"
    reached = {figure.what: figure.reached for figure in cells(file)}
    assert len(reached) == 2 and all(reached.values()), reached
    source = Tables(file.parent, [file])
    (record,) = source.records()
    got = source.claims(record, Models())
    assert misquoted(record, got) == [] and list(got.refused) == []
    assert len(rows(got, "fact")) + len(rows(got, "measure")) > 4900


@pytest.mark.parametrize("path", ["data/13F.0001894188-23-000007.txt", "data/13f/0001951757-25-000093.nc"])
def test_values_of_a_13f_add_up_to_its_own_total(
    filings: dict[str, tuple[str, Extract]], real_data: Path, path: str
) -> None:
    _, got = filings[path]
    held = rows(got, "HOLDS")
    content = (real_data / "sec-filings" / "files" / path).read_bytes()
    text = content.decode()
    total = Decimal(text.partition("tableValueTotal>")[2].partition("<")[0])
    entries = int(text.partition("tableEntryTotal>")[2].partition("<")[0])
    assert (len(held), sum(row["value_decimal"] for row in held)) == (entries, total)
    assert got.refused == ()


@pytest.mark.parametrize(
    ("path", "published", "factor"),
    [
        ("data/xml/13F-HR.infotable.xml", "2023-05-31T00:00:00+00:00", 1),
        ("data/xml/13F-HR.infotable.xml", "2022-05-31T00:00:00+00:00", 1000),
    ],
)
def test_a_real_table_beside_a_sidecar_is_held_by_its_manager(
    real_data: Path, tmp_path: Path, path: str, published: str, factor: int
) -> None:
    shutil.copy(real_data / "sec-filings" / "files" / path, tmp_path / "table.xml")
    (tmp_path / "table.meta.json").write_text(
        f'{{"cik": "1978011", "name": "X", "period": "2020-12-31", "published": "{published}"}}'
    )
    ((record, got),) = extract("filings", [tmp_path / "table.xml"])
    root = parse(record.content)
    stated = sum(Decimal(inner(e)) for e in root.iter("{*}value"))
    refused = sum(
        Decimal(inner(next(find(root, r.locator.removeprefix("xpath:")).iter("{*}value")))) for r in got.refused
    )
    assert sum(row["value_decimal"] for row in rows(got, "HOLDS")) == (stated - refused) * factor
    assert len(rows(got, "HOLDS")) + len(got.refused) == sum(1 for _ in root.iter("{*}infoTable"))


def test_simulated_transfers_reconcile_to_the_cent(real_data: Path) -> None:
    source = Trades(real_data / "aml")
    by_file = {record.path.rpartition("/")[2]: (record, source.claims(record, Models())) for record in source.records()}
    record, got = by_file["transactions.csv"]
    lines = list(csv.DictReader(record.content.decode().splitlines()))
    paid = got.claims.table.filter(pc.equal(got.claims.table["name"], "PAID"))
    assert pc.sum(paid["value_decimal"]).as_py() == sum(Decimal(line["value"]) for line in lines)
    assert pc.sum(paid["value_int"]).as_py() == len(lines) == 120_558
    assert got.refused == ()
    several = paid.filter(pc.greater(paid["value_int"], 1)).slice(0, 50).to_pylist()
    assert several and all(locate(record.content, row["locator"]) == row["quote"] for row in several)
    _, accounts = by_file["nodes.csv"]
    flags = [row for row in rows(accounts, "flag") if row["value_text"] == "fraud"]
    assert len(rows(accounts, "Account")) == 20_000 and len(flags) == 1804


@pytest.mark.parametrize(("year", "banks"), [(2016, 51), (2020, 102)])
def test_eba_exposures_reconcile_with_their_file(real_data: Path, year: int, banks: int) -> None:
    source = Registers(real_data / "eba", [real_data / "eba" / f"eba_exposures_{year}.csv"])
    (record,) = source.records()
    got = source.claims(record, Models())
    refused = {int(refusal.locator.removeprefix("row:")) for refusal in got.refused}
    stated: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for number, line in enumerate(csv.DictReader(record.content.decode().splitlines()), 1):
        if line["Country"] != "Total" and number not in refused:
            stated[f"lei:{line['LEI_code']}", line["Exposure"]] += Decimal(line["Total_Amount"]) * 1_000_000
    claimed: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows(got, "EXPOSED_TO"):
        claimed[row["subject"], row["key"].partition("/")[0]] += row["value_decimal"]
    assert set(claimed) == set(stated) and len({bank for bank, _ in claimed}) == banks
    assert all(abs(claimed[key] - stated[key]) < Decimal("0.000001") for key in stated)
    assert misquoted(record, got) == []


def test_every_constituent_of_the_index_has_its_ticker_and_sector(real_data: Path) -> None:
    source = Registers(real_data / "sp500")
    (record,) = source.records()
    got = source.claims(record, Models())
    assert len(rows(got, "ticker")) == len(rows(got, "IN_SECTOR")) == 503 and got.refused == ()
    assert len(rows(got, "Sector")) == 11


@pytest.mark.slow
def test_real_folders_become_one_graph_and_nothing_the_second_time(real_data: Path, tmp_path: Path) -> None:
    files = Files(tmp_path / "files")
    documents = real_data / "sec-filings" / "files" / "data"
    paths = [*(documents / part for part in ("13f", "xml", "ownership")), real_data / "sp500", real_data / "eba"]
    with Ledger.open(tmp_path / "ledger") as ledger:
        options = {
            "sources": ("filings", "registers"),
            "expectations": {"HOLDS": (80, None), "EXPOSED_TO": (6000, None)},
        }
        first = run(paths, ledger, files, tmp_path, **options)  # type: ignore[arg-type]
        assert first.committed and first.claims > 12_000
        again = run(paths, ledger, files, tmp_path, **options)  # type: ignore[arg-type]
        assert not again.committed
        judged = resolve(ledger, files)
        assert judged.rules["name"] + judged.rules["plain name"] > 70  # 13F issuers in the index
        assert not resolve(ledger, files).committed
        snapshot = ledger.view()
        apple = snapshot.index["cik:320193"]
        assert "name:apple inc" not in snapshot.index
        assert {"AAPL"} <= set(
            snapshot.facts_of("ticker")
            .filter(pc.equal(snapshot.facts_of("ticker")["subject"], apple))["value_text"]
            .to_pylist()
        )


def test_name_pairs_are_joined_without_a_wrong_one(real_data: Path) -> None:
    with (real_data / "names" / "name-pairs-odd-rows.csv").open() as lines:
        pairs = [row for row in csv.DictReader(lines) if row["schema"] in ("Company", "Organization", "LegalEntity")]
    found = Counter((match.one_firm(row["name1"], row["name2"]), row["is_match"] == "true") for row in pairs)
    assert found[True, False] == 0
    assert found[True, True] >= 42
