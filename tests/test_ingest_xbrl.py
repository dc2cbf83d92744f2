"""Inline XBRL: values, signs, scales, formats, periods and dimensions, on a report written for it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ingest.extract.filings.xbrl import number, properties, read_facts
from ingest.extract.formats.markup import find, inner, parse
from ingest.sources.filings import Filings
from kg.errors import RecordError
from tests.ingest_reading import DATA, misquoted, read, rows

FACTS = read_facts(parse((DATA / "10k-tiny.html").read_bytes()))


def value(concept: str, dimensions: str = "") -> Decimal | str:
    (fact,) = (f for f in FACTS.facts if f.concept == concept and f.context.dimensions == dimensions)
    return fact.value


def test_scale_sign_and_format_make_the_value() -> None:
    assert value("us-gaap:Assets") == Decimal("2500000000")
    assert value("us-gaap:NetIncomeLoss") == Decimal("-45600500")
    assert value("us-gaap:EarningsPerShareBasic") == Decimal("-0.31")
    assert value("us-gaap:LongTermDebt") == 0


def test_the_more_precise_of_two_tags_of_one_fact_wins() -> None:
    assert value("us-gaap:Revenues") == Decimal("1234000000")


def test_dimensions_are_kept_apart() -> None:
    assert value("us-gaap:Revenues", "us-gaap:StatementBusinessSegmentsAxis=oak:PumpsMember") == Decimal("234000000")


def test_a_fact_without_its_context_is_refused_by_name_and_a_nil_fact_is_skipped() -> None:
    ((place, reason),) = FACTS.refused
    assert "us-gaap:OtherAssets" in reason and "nowhere" in reason
    assert place.startswith("xpath:/html[1]/body[1]/table[1]")
    assert FACTS.skipped == ("us-gaap:InterestExpense",)


def test_the_path_of_every_fact_leads_back_to_it() -> None:
    root = parse((DATA / "10k-tiny.html").read_bytes())
    assert all(inner(find(root, fact.path)) == fact.quote for fact in FACTS.facts)


def test_facts_of_the_ontology_are_properties_of_the_filer_and_the_others_are_keyed() -> None:
    assert {(name, fact.context.period) for name, fact in properties(FACTS)} == {
        ("assets", "2023-06-30"),
        ("revenue", "2022-07-01/2023-06-30"),
        ("net_income", "2022-07-01/2023-06-30"),
        ("debt", "2023-06-30"),
    }
    _, extract = read(Filings, "10k-tiny.html")
    (revenue,) = rows(extract, "revenue")
    assert (revenue["subject"], revenue["unit"], revenue["value_decimal"]) == ("cik:990011", "USD", 1_234_000_000)
    assert revenue["valid_from"] == datetime(2023, 7, 1, tzinfo=UTC)
    assert revenue["published"] == datetime(2023, 8, 15, tzinfo=UTC), "the end of the day of publication"
    (pumps,) = rows(extract, "fact")
    assert pumps["key"] == (
        "us-gaap:Revenues|2022-07-01/2023-06-30|us-gaap:StatementBusinessSegmentsAxis=oak:PumpsMember"
    )
    (loss,) = rows(extract, "measure")
    assert loss["key"] == "us-gaap:EarningsPerShareBasic|2022-07-01/2023-06-30||USD/shares"


@pytest.mark.parametrize(
    ("text", "format", "expected"),
    [
        ("1,234.5", "ixt:num-dot-decimal", "1234.5"),
        ("1 234,5", "ixt:num-comma-decimal", "1234.5"),
        ("1.234,5", "ixt:numcommadecimal", "1234.5"),
        ("—", "ixt:fixed-zero", "0"),
        ("-", "ixt:zerodash", "0"),
        ("no", "ixt-sec:numwordsen", "0"),
        ("Two Hundred and Five", "ixt-sec:numwordsen", "205"),
        ("12", "", "12"),
    ],
)
def test_every_transformation_format_is_read(text: str, format: str, expected: str) -> None:
    assert number(text, format) == Decimal(expected)


def test_a_text_that_is_no_number_is_refused_with_its_format() -> None:
    with pytest.raises(RecordError, match="'abc' is no number in format 'ixt:num-dot-decimal'"):
        number("abc", "ixt:num-dot-decimal")


def test_an_instance_document_of_the_time_before_inline_tags_is_read_alike() -> None:
    record, extract = read(Filings, "instance-tiny.xml")
    assert misquoted(record, extract) == []
    (assets,), (income,) = rows(extract, "assets"), rows(extract, "net_income")
    assert (assets["subject"], assets["key"], assets["value_decimal"]) == ("cik:990011", "2012-06-30", 1_900_450_000)
    assert (income["key"], income["value_decimal"]) == ("2011-07-01/2012-06-30", -5_600_000)
    assert [row["value_text"] for row in rows(extract, "form")] == ["10-K"]
    assert ["'gone' is not in the document" in refusal.reason for refusal in extract.refused] == [True]
    assert extract.unread == ["us-gaap:InventoryPolicyTextBlock"]
