"""Cleaning: what each rule reads, what it leaves alone, and that it is counted."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from ingest.clean import Rules, accepted, decimals, decode, figures, instants, moments, number, touched, when
from ingest.extract.formats.identifier import account_id, identify, person_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1,234.50", "1234.50"), ("(12)", "-12"), ("$ 3", "3"), ("1 000", "1000"), ("-4.2", "-4.2"), ("1e3", "1000")],
)
def test_numbers_lose_separators_and_keep_their_exact_value(text: str, expected: str) -> None:
    assert number(text) == Decimal(expected)


@pytest.mark.parametrize("text", ["", "lots", "1.2.3", "NaN", "Infinity"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert number(text) is None


def test_a_rule_is_counted_only_where_it_changed_something() -> None:
    rules = Rules()
    assert number("12", rules) == 12 and number("1,2", rules) == 12
    assert dict(rules.counts) == {"number.separators": 1}


@pytest.mark.parametrize(
    "text", ["2024-09-28", "20240928", "09-28-2024", "09/28/2024", "September 28, 2024", "Sep. 28, 2024"]
)
def test_dates_are_read_in_every_form_that_filings_use(text: str) -> None:
    assert when(text) == date(2024, 9, 28)


def test_an_impossible_date_is_none() -> None:
    assert when("2024-02-31") is None and when("soon") is None


def test_acceptance_is_eastern_time_in_summer_and_winter() -> None:
    assert accepted("20250110160730").astimezone(UTC) == datetime(2025, 1, 10, 21, 7, 30, tzinfo=UTC)  # type: ignore[union-attr]
    assert accepted("20250710160730").astimezone(UTC) == datetime(2025, 7, 10, 20, 7, 30, tzinfo=UTC)  # type: ignore[union-attr]
    assert accepted("never") is None


def test_columns_of_amounts_are_exact_and_null_where_they_are_no_numbers() -> None:
    frame = pl.DataFrame({"a": ["1,234.50", " 12 ", "x", "-0.123456789", "+4", "2e-06", None, ""]})
    assert frame.select(decimals("a"))["a"].to_list() == [
        Decimal("1234.5"), Decimal(12), None, Decimal("-0.123456789"), Decimal(4), Decimal("0.000002"), None, None,
    ]  # fmt: skip


def test_columns_of_times_are_utc() -> None:
    frame = pl.DataFrame(
        {"a": ["2024-01-02", "2024-01-02T03:04:05Z", "2024-01-02 03:04", "2024-01-02T03:04:05+02:00", "x"]}
    )
    assert frame.select(instants("a"))["a"].to_list() == [
        datetime(2024, 1, 2, tzinfo=UTC),
        datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        datetime(2024, 1, 2, 3, 4, tzinfo=UTC),
        datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC),
        None,
    ]


def test_encodings_are_told_apart() -> None:
    assert decode("Müller".encode()) == ("Müller", "utf-8")
    assert decode("Müller – “x”".encode("cp1252")) == ("Müller – “x”", "cp1252")
    assert decode("Müller".encode("utf-16")) == ("Müller", "utf-16")
    assert decode(b"\xef\xbb\xbfa") == ("a", "utf-8")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("cik:0000320193", "cik:320193"),
        ("lei:0w2pzjm8xoy22m4gg883", "lei:0W2PZJM8XOY22M4GG883"),
        ("isin:us0378331005", "isin:US0378331005"),
        ("cusip:037833100", "cusip:037833100"),
        ("iso:gb", "iso:GB"),
        ("name:Acme   Holdings PLC", "name:acme holdings plc"),
    ],
)
def test_ids_come_in_one_spelling(given: str, expected: str) -> None:
    assert identify(given) == expected


@pytest.mark.parametrize(
    "given", ["cik:0", "cik:12345678901", "isin:US0378331006", "cusip:037833101", "iso:XX", "dragon:1", "cik:", "x"]
)
def test_a_wrong_id_is_refused_with_what_is_wrong(given: str) -> None:
    with pytest.raises(ValueError, match=given.partition(":")[0]):
        identify(given)


def test_account_numbers_are_ibans_only_with_right_check_digits() -> None:
    assert account_id("GB82 WEST 1234 5698 7654 32") == "iban:GB82WEST12345698765432"
    assert account_id("GB83WEST12345698765432") == "acct:GB83WEST12345698765432"


def test_person_ids_are_opaque_and_the_same_for_every_spelling_of_the_cik() -> None:
    assert person_id("cik:0000990077") == person_id("cik:990077")
    assert len(person_id("cik:990077")) == len("person:") + 16


def read_figures(*texts: str | None) -> list[tuple[Decimal | None, list[str] | None]]:
    cleaned = figures(pl.Series("a", list(texts), pl.String))
    assert cleaned["raw"].to_list() == list(texts)
    return list(zip(cleaned["value"].to_list(), cleaned["rules"].to_list(), strict=True))


@pytest.mark.parametrize(
    ("text", "value", "rules"),
    [
        ("12.5", "12.5", []),
        ("1,234.50", "1234.5", ["number.separators"]),
        ("1 234 567", "1234567", ["number.separators"]),
        ("1'234'567.8", "1234567.8", ["number.separators"]),
        ("(12)", "-12", ["number.sign"]),
        ("12-", "-12", ["number.sign"]),
        ("−7", "-7", ["number.sign"]),
        ("-7", "-7", []),
        ("$1.2bn", "1200000000", ["number.currency_sign", "number.unit"]),
        ("EUR 3 million", "3000000", ["number.currency_sign", "number.unit"]),
        ("3亿", "300000000", ["number.unit"]),
        ("25 %", "0.25", ["number.percent"]),
        ("2e-06", "0.000002", []),
    ],
)
def test_every_way_to_write_a_figure_is_read_and_its_rules_told(text: str, value: str, rules: list[str]) -> None:
    assert read_figures(text) == [(Decimal(value), rules)]


@pytest.mark.parametrize("text", ["lots", "1.2.3", "12,34,5.6", "(3", "--3", "3 parrots", "NaN", "1e99"])
def test_what_is_no_figure_stays_raw_and_has_no_value(text: str) -> None:
    assert read_figures(text)[0][0] is None


def test_the_column_tells_whether_a_comma_is_decimal() -> None:
    assert [value for value, _ in read_figures("1.234,50", "2.000", "7,5")] == [
        Decimal("1234.5"),
        Decimal(2000),
        Decimal("7.5"),
    ]
    assert [value for value, _ in read_figures("1,234.50", "2.000", "7,500")] == [
        Decimal("1234.5"),
        Decimal(2),
        Decimal(7500),
    ]


def read_moments(*texts: str | None) -> list[str | None]:
    return [value and value.date().isoformat() for value in moments(pl.Series("a", list(texts), pl.String))["value"]]


def test_the_column_tells_whether_the_day_or_the_month_comes_first() -> None:
    assert read_moments("03/04/2024", "13/04/2024") == ["2024-04-03", "2024-04-13"]
    assert read_moments("03/04/2024", "04/13/2024") == ["2024-03-04", "2024-04-13"]
    assert read_moments("03/04/2024", "05/05/2024") == [None, "2024-05-05"]
    assert read_moments("03/04/2024", "13/04/2024", "04/13/2024") == [None, None, None]


@pytest.mark.parametrize(
    "text",
    ["2024-09-28", "28.9.2024", "2024/9/28", "28 Sep 2024", "Sept. 28, 2024", "45563", "2024年9月28日", "20240928"],
)
def test_dates_of_many_forms_are_one_day(text: str) -> None:
    assert read_moments(text) == ["2024-09-28"]


def test_rules_are_counted_by_the_rows_they_touched() -> None:
    cleaned = figures(pl.Series("a", ["1,000", "1,000", "(5)", "7", None]))
    assert touched(cleaned) == {"number.separators": 2, "number.sign": 1}


def test_a_moment_that_lies_outside_the_years_in_utc_is_no_date_and_its_neighbours_are() -> None:
    found = moments(pl.Series(["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00", "2023-01-01"]))["value"]
    assert found.is_null().to_list() == [True, True, False]


@pytest.mark.parametrize("text", ["100,50", "1.234,56", "1000,5", "10 20", "1,00", ",5"])
def test_a_comma_that_does_not_part_thousands_makes_a_column_of_amounts_null(text: str) -> None:
    frame = pl.DataFrame({"amount": [text, "1,234.5", " 12,345,678 ", "1 000"]})
    assert frame.select(decimals("amount"))["amount"].to_list() == [
        None, Decimal("1234.5"), Decimal(12345678), Decimal(1000)
    ]  # fmt: skip
