"""Forms of the SEC in XML: fund portfolios, offerings, proposed sales, votes, fees, insiders' holdings, attachments."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from ingest.extract.formats.identifier import person_id
from ingest.locate import locate
from ingest.sources.filings import Filings
from kg.errors import RecordError
from kg.model import day
from tests.ingest_reading import DATA, misquoted, read, rows

FORMS = ("nport-tiny.xml", "formd-tiny.xml", "form144-tiny.xml", "npx-tiny.xml", "24f-tiny.xml", "formc-tiny.xml")


@pytest.mark.parametrize("name", FORMS)
def test_every_quote_reads_back(name: str) -> None:
    record, extract = read(Filings, name)
    assert len(extract.claims) >= 8
    assert misquoted(record, extract) == []


def test_a_fund_holds_its_positions_by_isin_or_cusip_until_the_next_report_is_due() -> None:
    _, extract = read(Filings, "nport-tiny.xml")
    fund = "name:linden funds trust linden short bond series"
    held = {row["object"]: row for row in rows(extract, "HOLDS")}
    assert {row["subject"] for row in held.values()} == {fund} and set(held) == {"isin:GB0002634946", "cusip:037833100"}
    bond = held["isin:GB0002634946"]
    assert (bond["value_decimal"], bond["unit"], bond["value_real"]) == (Decimal("301500.5"), "USD", 250_000)
    assert (bond["value_text"], bond["key"]) == ("PA Long GBP", "2023-09-30")
    assert (bond["valid_from"], bond["valid_to"]) == (day("2023-09-30"), day("2024-02-29"))
    issued = {(row["subject"], row["object"]) for row in rows(extract, "ISSUED")}
    assert issued == {("name:alder water plc", "isin:GB0002634946"), ("iso:US", "cusip:037833100")}
    assert [(row["subject"], row["value_decimal"]) for row in rows(extract, "equity")] == [(fund, 1_000_000)]
    (refused,) = extract.refused
    assert "valUSD or balance is not a number" in refused.reason and "Broken row" in refused.reason


def test_a_private_offering_has_issuer_related_persons_and_amounts() -> None:
    _, extract = read(Filings, "formd-tiny.xml")
    offices = {(row["subject"], row["value_text"]) for row in rows(extract, "OFFICER_OF")}
    assert offices == {
        (person_id("name:Mira Castellan"), "Executive Officer"),
        (person_id("name:Mira Castellan"), "Director"),
        ("name:harbour ventures llc", "Promoter"),
    }
    facts = {row["key"]: (row["subject"], row["value_decimal"]) for row in rows(extract, "fact")}
    assert facts == {
        "form-d:totalOfferingAmount|2023-02-01": ("cik:990410", 5_000_000),
        "form-d:totalAmountSold|2023-02-01": ("cik:990410", 1_250_000),
    }
    said = {row["key"]: row["value_text"] for row in rows(extract, "statement")}
    assert said["form-d:totalRemaining|2023-02-01"] == "Indefinite"
    assert [(row["subject"], row["object"]) for row in rows(extract, "IN_COUNTRY")] == [("cik:990410", "iso:US")]


def test_a_proposed_sale_is_no_trade_but_the_sales_before_it_are() -> None:
    _, extract = read(Filings, "form144-tiny.xml")
    (trade,) = rows(extract, "TRADED")
    assert (trade["subject"], trade["value_decimal"], trade["value_text"]) == (person_id("cik:990077"), 30_375, "S:144")
    assert trade["valid_from"] == day("2023-03-01")
    (proposed,) = rows(extract, "fact")
    assert proposed["key"] == "form-144:proposed sale value|2023-04-13|name:oakmere turbines inc. common stock"
    assert proposed["value_decimal"] == 82_000 and proposed["subject"].startswith("doc:")


def test_votes_in_a_base64_attachment_are_statements_and_a_broken_attachment_is_refused() -> None:
    record, extract = read(Filings, "npx-tiny.xml")
    votes = {row["key"]: row["value_text"] for row in rows(extract, "statement")}
    assert votes == {
        "n-px:vote|2023-05-10|cusip:037833100|1": "AGAINST 900 (management FOR): Elect director Iris Hallam",
        "n-px:vote|2023-06-01|name:alder water plc|2": "not voted: Pay report",
    }
    assert {row["key"]: row["value_real"] for row in rows(extract, "measure")} == {
        "n-px:votes|AGAINST": 1,
        "n-px:votes|not": 1,
    }
    ((place, reason),) = ((refusal.locator, refusal.reason) for refusal in extract.refused)
    assert (place, reason) == ("attachment:2", "the attachment is not base64")
    with pytest.raises(RecordError, match="attachment 3 is not there: the document has 2"):
        locate(record.content, "attachment:3 chars:0-1")


def test_fees_of_a_fund_and_figures_of_a_crowdfunding_issuer_are_facts() -> None:
    _, fees = read(Filings, "24f-tiny.xml")
    assert {row["key"]: row["value_decimal"] for row in rows(fees, "fact")} == {
        "form-24f:aggregateSalePriceOfSecuritiesSold|2023-12-31": Decimal("418915.62"),
        "form-24f:netSales|2023-12-31": Decimal("109874.5"),
    }
    _, offer = read(Filings, "formc-tiny.xml")
    assert {row["key"]: row["value_decimal"] for row in rows(offer, "fact")} == {
        "form-c:price|2024-12-31": Decimal("1.2"),
        "form-c:offeringAmount|2024-12-31": 50_000,
        "form-c:totalAssetMostRecentFiscalYear|2024-12-31": 7000,
    }
    assert {row["value_time"] for row in rows(offer, "incorporated")} == {day("2021-12-11")}


def test_what_an_insider_holds_after_a_day_of_trades_is_told_by_its_last_row(tmp_path: Path) -> None:
    row = (
        "<nonDerivativeTransaction><securityTitle><value>Common Stock</value></securityTitle>"
        "<transactionDate><value>2023-03-01</value></transactionDate>"
        "<transactionCoding><transactionCode>S</transactionCode></transactionCoding><transactionAmounts>"
        "<transactionShares><value>{shares}</value></transactionShares><transactionPricePerShare><value>20</value>"
        "</transactionPricePerShare><transactionAcquiredDisposedCode><value>D</value></transactionAcquiredDisposedCode>"
        "</transactionAmounts><postTransactionAmounts><sharesOwnedFollowingTransaction><value>{left}</value>"
        "</sharesOwnedFollowingTransaction></postTransactionAmounts>"
        "<ownershipNature>"
        "<directOrIndirectOwnership><value>I</value></directOrIndirectOwnership>"
        "<natureOfOwnership><value>By Trust</value></natureOfOwnership></ownershipNature>"
        "</nonDerivativeTransaction>"
    )
    text = (DATA / "form4-tiny.xml").read_text()
    start, end = text.index("<nonDerivativeTransaction>"), text.index("<nonDerivativeHolding>")
    two = row.format(shares=100, left=900) + row.format(shares=50, left=850)
    (tmp_path / "form4.xml").write_text(text[:start] + two + text[end:])
    record, extract = read(Filings, "form4.xml", tmp_path)
    held = {row["key"]: (row["value_real"], row["value_text"]) for row in rows(extract, "HOLDS")}
    assert held == {"I/by trust": (850, "I: By Trust"), "I": (900, "I")}
    assert {row["value_decimal"] for row in rows(extract, "TRADED")} == {2000, 1000}
    assert misquoted(record, extract) == []


def test_a_value_that_no_column_can_hold_is_refused_and_the_rest_kept(tmp_path: Path) -> None:
    text = (DATA / "nport-tiny.xml").read_text().replace("<totLiabs>500000.25<", f"<totLiabs>{'9' * 40}<")
    (tmp_path / "huge-2023-11-01.xml").write_text(text)
    _, extract = read(Filings, "huge-2023-11-01.xml", tmp_path)
    assert rows(extract, "liabilities") == [] and len(rows(extract, "HOLDS")) == 2
    assert sum("is no money" in refusal.reason for refusal in extract.refused) == 1
