"""Figures in filings: company facts with restatements, items of reports, tables of pages and of JSON."""

from __future__ import annotations

import json
import shutil
import time
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.extract.filings.companyfacts import is_company_facts
from ingest.extract.filings.grid import Grid, of_lists, of_page, read_cell
from ingest.extract.filings.grid_figures import figures
from ingest.extract.filings.sections import sections
from ingest.pipeline import run
from ingest.source import Models, Record
from ingest.sources.filings import Filings
from ingest.sources.tables import Tables
from kg.errors import RecordError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, day
from tests.contract.examples import tables as tables_example
from tests.ingest_reading import DATA, misquoted, read, rows

PERIOD = "2021-07-01/2022-06-30"


def test_every_company_fact_has_its_period_unit_and_its_own_publication() -> None:
    record, extract = read(Filings, "companyfacts-tiny.json")
    assert misquoted(record, extract) == []
    told = {(row["name"], row["key"], row["published"].date().isoformat()) for row in rows(extract, kind="property")}
    assert told >= {
        ("assets", "2022-06-30", "2022-08-15"),
        ("assets", "2022-06-30", "2023-08-14"),
        ("revenue", PERIOD, "2022-08-15"),
        ("measure", f"us-gaap:EarningsPerShareBasic|{PERIOD}||USD/shares", "2022-08-15"),
        ("measure", "dei:EntityCommonStockSharesOutstanding|2022-07-31||shares", "2022-08-15"),
    }
    (revenue,) = rows(extract, "revenue")
    assert (revenue["value_decimal"], revenue["unit"]) == (Decimal("1100000000.5"), "USD")
    assert '"form":"10-K"' in revenue["quote"] and '"frame":"CY2021"' in revenue["quote"]
    (refused,) = extract.refused
    assert refused.locator == "json:/facts/us-gaap/Assets/units/USD/2" and "'many' is no number" in refused.reason


def test_original_and_restated_value_are_each_returned_for_their_publication_date(tmp_path: Path) -> None:
    shutil.copy(DATA / "companyfacts-tiny.json", tmp_path / "facts.json")
    with Ledger.open(tmp_path / "ledger") as ledger:
        run([tmp_path / "facts.json"], ledger, Files(tmp_path / "files"), tmp_path / "home", sources=("filings",))

        def assets(published: str) -> list[Decimal]:
            facts = ledger.view(AsOf(published=day(published))).facts_of("assets").to_pylist()
            return [fact["value_decimal"] for fact in facts]

        assert assets("2022-08-14") == []
        assert assets("2022-12-31") == [2_100_000_000]
        assert assets("2023-12-31") == [2_050_000_000]


def test_other_json_is_no_company_facts() -> None:
    assert is_company_facts((DATA / "companyfacts-tiny.json").read_bytes())
    assert not is_company_facts(b'{"cik": "990500", "name": "X", "published": "2023-01-02"}')
    assert not is_company_facts(tables_example.good()["contexts-tiny.json"])


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"cik": "", "entityName": "X", "facts": {}}, "of no filer"),
        ({"cik": 1, "entityName": "X", "facts": {}}, "without a single fact"),
        ({"cik": 1, "entityName": "X", "facts": []}, "expected a JSON object"),
    ],
)
def test_company_facts_that_say_nothing_are_refused_with_a_reason(said: object, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        Filings(DATA, []).claims(Record("filings", "x.json", json.dumps(said).encode()), Models())


def test_items_of_a_report_are_found_and_contents_and_references_are_not() -> None:
    contents = "\n".join(
        f"Item {code}. {title} {page}" for code, title, page in (("1", "Business", 3), ("1A", "Risk Factors", 5))
    )
    body = (
        "Item 1. Business\n"
        + "We mill. " * 40
        + "\nItem 1A.\nRisk Factors\n"
        + "Risks, see\nItem 7 of last year.\n" * 5
    )
    text = f"FORM 10-K\n{contents}\n{body}\nSIGNATURES\nSigned."
    found = sections(text, "10-K")
    assert [(one.code, one.title) for one in found] == [("1", "Business"), ("1A", "Risk Factors")]
    assert text[found[0].start : found[0].end].startswith("Item 1. Business\nWe mill.")
    assert text[found[1].start : found[1].end].rstrip().endswith("last year.")


def test_items_of_a_quarterly_report_are_told_apart_by_part() -> None:
    parts = [
        f"PART {part}\n" + "".join(f"Item {n}. {title}\n{'words ' * 30}\n" for n, title in items)
        for part, items in (
            ("I", (("1", "Financial Statements"), ("2", "Management’s Discussion"))),
            ("II", (("1", "Legal Proceedings"), ("6", "Exhibits"))),
        )
    ]
    assert [one.code for one in sections("\n".join(parts), "10-Q")] == ["I.1", "I.2", "II.1", "II.6"]


def test_items_and_tables_of_a_current_report_become_statements_and_figures() -> None:
    record, extract = read(Filings, "8k-tiny.html")
    assert misquoted(record, extract) == [] and extract.refused == ()
    said = {row["key"]: row["value_text"] for row in rows(extract, "statement")}
    assert said["item 2.02"] == "Results of Operations and Financial Condition"
    assert said["item 9.01"] == "Financial Statements and Exhibits"
    assert said["item 9.01 place"].startswith("chars:")
    facts = {row["key"]: (row["value_decimal"], row["unit"]) for row in rows(extract, "fact")}
    assert facts == {
        "table 1|Sales|2023": (1_204_000, "USD"),
        "table 1|Sales|2022": (990_000, "USD"),
        "table 1|Loss on pumps|2023": (-55_000, "USD"),
    }
    margins = {row["key"]: row["value_real"] for row in rows(extract, "measure")}
    assert margins == {"table 1|Margin|2023": 0.125, "table 1|Margin|2022": 0.11}


def test_spans_of_cells_are_spread_out_and_a_cell_is_told_once() -> None:
    page = (
        b"<html><body><table><tr><td rowspan=2>Region</td><td colspan=2>2023</td></tr>"
        b"<tr><td>Plan</td><td>Real</td></tr><tr><td>North</td><td>1,000</td><td>(1,500)</td></tr></table></body></html>"
    )
    (grid,) = of_page(page)
    assert [(figure.label, figure.column, figure.value) for figure in figures(grid)] == [
        ("North", "2023 Plan", 1000),
        ("North", "2023 Real", -1500),
    ]
    assert (read_cell(page, 1, 3, 3), read_cell(page, 1, 1, None)) == ("(1,500)", "Region 2023")
    with pytest.raises(RecordError, match="table 2 row 1 is not there: the page has 1 tables"):
        read_cell(page, 2, 1, 1)


def grid(*lines: list[str], about: str = "") -> Grid:
    return of_lists(lines, about)


@pytest.mark.parametrize(
    ("table", "value", "currency"),
    [
        (grid(["", "2023"], ["", "€m"], ["Cash", "14.5"]), "14500000", "EUR"),
        (grid(["", "2023 $’000"], ["Cash", "(9,819)"]), "-9819000", "USD"),
        (grid(["", "2023"], ["Cash", "$ 12"], about="balances (in millions)"), "12000000", "USD"),
        (grid(["", "2023"], ["Cash", "$ 12"], about="sales of $4.5 million were made"), "12", "USD"),
        (grid(["(in thousands)", "2023"], ["Sales", "$ 1"], ["Basic earnings per share", "$0.31"]), "0.31", "USD"),
        (grid(["(in thousands)", "2023"], ["Sales", "$ 1"], ["Number of shares", "5"]), "5000", ""),
        (grid(["", "2023", "Change %"], ["Cash", "$5", "12"]), "0.12", ""),
        (grid(["", "2023 RMB’Million"], ["Interest rate swaps", "29"]), "29000000", "CNY"),
        (grid(["", "2023 £m"], ["Effect of exchange rate changes on cash", "(3)"]), "-3000000", "GBP"),
        (grid(["", "2023 £m"], ["Discount rate", "3.5"]), "3.5", ""),
    ],
)
def test_scale_and_currency_come_from_cell_column_or_table(table: Grid, value: str, currency: str) -> None:
    last = list(figures(table))[-1]
    assert (last.value, last.currency) == (Decimal(value), currency)


def test_cells_of_a_json_table_become_facts_measures_and_statements(tmp_path: Path) -> None:
    (tmp_path / "contexts.json").write_bytes(tables_example.good()["contexts-tiny.json"])
    (tmp_path / "contexts.meta.json").write_text('{"published": "2023-09-01"}')
    record, extract = read(Tables, "contexts.json", tmp_path)
    assert misquoted(record, extract) == []
    facts = {row["key"]: (row["value_decimal"], row["locator"]) for row in rows(extract, "fact")}
    assert facts["table 1|Assets > Cash|Years ended June 30, 2023"] == (1_250_500_000, "json:/0/table/table/3/1")
    assert facts["table 1|Assets > Loss on pumps|Years ended June 30, 2023"][0] == -12_500_000
    assert {row["value_real"] for row in rows(extract, "measure")} == {0.255, 0.24}
    assert "Oakmere Ratings" in {row["value_text"] for row in rows(extract, "statement")}
    assert {row["published"] for row in rows(extract)} == {day("2023-09-02")}


@pytest.mark.parametrize(
    "content",
    [
        b"<html><body><p>FORM 10-K</p>" + b"<p>Item 1. Business</p>" * 20_000 + b"</body></html>",
        b"<html><body><p>FORM 10-K</p><table><tr>"
        + b"<td>Year</td>" * 20_000
        + b"</tr><tr><td>1</td></tr></table></body></html>",
        b"<html><body><p>FORM 10-K</p>"
        + b"<table><tr><td>a</td><td>in thousands</td></tr></table>" * 3000
        + b"</body></html>",
        b"<html><body><p>FORM 8-K</p><p>"
        + b"Names of reporting person percent of class represented " * 3000
        + b"</p></body></html>",
        b"<SEC-DOCUMENT>x\n<DOCUMENT>\n<TYPE>SC 13G\n<TEXT>\nNames of reporting person\npercent of class represented\n"
        + b"  \n" * 60_000,
        b"<SEC-DOCUMENT>x\n<DOCUMENT>\n<TYPE>EX-21\n<TEXT>\n" + b"A" + b" " * 200_000 + b"B\n" + b"0 " * 100_000,
    ],
    ids=["items", "columns", "tables", "persons", "blanks", "gaps"],
)
def test_a_hostile_filing_is_read_in_bounded_time(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.extract.filings.dossier.PROSE_LENGTH", 0)  # only the readers of this source are timed
    began = time.process_time()
    Filings(DATA, []).claims(Record("filings", "x-2024-01-01.html", content), Models())
    assert time.process_time() - began < 10


def test_facts_with_impossible_scales_are_refused_beside_the_good_ones() -> None:
    text = (DATA / "10k-tiny.html").read_text()
    for scale in ("999999999999", "many"):
        bad = text.replace('scale="6"', f'scale="{scale}"', 1)
        assert bad != text
        extract = Filings(DATA, []).claims(Record("filings", "x-2024-01-01.html", bad.encode()), Models())
        assert any("Error" in refusal.reason or "Invalid" in refusal.reason for refusal in extract.refused)
        assert rows(extract, "net_income")
