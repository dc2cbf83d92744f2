"""Names, sentences, money and dates as they are found in text."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.extract.text.names import Gazetteer, label_of, plain_name, short_name, text_id
from ingest.extract.text.quantities import dates, money, shares
from ingest.extract.text.recognise import written_names
from ingest.extract.text.sentences import sentences

ROWS = [
    ("lei:1", "Company", "Acme Holdings plc"),
    ("cik:1", "Company", "ACME HOLDINGS PLC"),
    ("lei:2", "Bank", "Acme Bank AG"),
    ("lei:3", "Company", "Beta Ltd"),
    ("lei:4", "Company", "Beta GmbH"),
    ("lei:5", "Company", "Société Öl S.p.A."),
    ("lei:6", "Company", "Foo Inc."),
    ("lei:6", "Company", "FOO"),
]
GAZETTEER = Gazetteer(ROWS)


def test_a_short_name_stands_for_the_one_entity_it_can_mean() -> None:
    assert GAZETTEER.lookup("Acme") == "lei:1"
    assert GAZETTEER.lookup("Acme Holdings") == "lei:1"
    assert GAZETTEER.lookup("acme bank") == "lei:2"


def test_a_short_name_of_two_entities_stands_for_none() -> None:
    assert GAZETTEER.lookup("Beta") is None
    assert GAZETTEER.lookup("Beta Ltd") == "lei:3"


def test_the_longest_name_wins_and_word_boundaries_count() -> None:
    found = GAZETTEER.find("Acme sued Acme Bank AG; Acmeology and acme did not.")
    assert [(m.text, m.entity) for m in found] == [("Acme", "lei:1"), ("Acme Bank AG", "lei:2")]


def test_a_symbol_is_found_in_capitals_only() -> None:
    assert [m.text for m in GAZETTEER.find("FOO rose, foo did not (NYSE: FOO).")] == ["FOO", "FOO"]


def test_accents_and_dotted_forms_are_kept() -> None:
    [mention] = GAZETTEER.find("İstanbul: Société Öl S.p.A. rose.")
    assert mention.text == "Société Öl S.p.A."
    assert mention.id == "name:société öl s.p.a."


def test_the_ledgers_own_label_of_a_name_stays() -> None:
    later = Gazetteer([("lei:9", "Bank", "Gamma Trust"), ("name:gamma trust", "Company", "Gamma Trust")])
    [mention] = later.find("Gamma Trust lent money.")
    assert (mention.id, mention.label, mention.entity) == ("name:gamma trust", "Company", "lei:9")


def test_a_misread_name_is_set_right_only_if_one_is_near() -> None:
    assert (
        GAZETTEER.nearest("Acme Ho1dings plc") == "Acme Holdings plc"
        or GAZETTEER.nearest("Acme Ho1dings plc") == "ACME HOLDINGS PLC"
    )
    assert GAZETTEER.nearest("Unknown Shipping AB") is None


def test_the_fingerprint_tells_other_names_apart() -> None:
    assert Gazetteer(reversed(ROWS)).fingerprint == GAZETTEER.fingerprint
    assert Gazetteer(ROWS[:-1]).fingerprint != GAZETTEER.fingerprint


@given(st.text(max_size=60))
def test_mentions_stand_where_they_say(text: str) -> None:
    whole = f"{text} Acme Holdings plc {text}"
    for m in written_names(whole, GAZETTEER):
        assert whole[m.start : m.end] == m.text


@pytest.mark.parametrize(
    ("name", "plain", "short"),
    [
        ("Acme Holdings plc", "Acme Holdings", "Acme"),
        ("Delta Steel GmbH & Co. KG", "Delta Steel", "Delta Steel"),
        ("OOO Gamma", "Gamma", "Gamma"),
        ("First Group plc", "First Group", ""),
    ],
)
def test_forms_and_group_words_fall_away(name: str, plain: str, short: str) -> None:
    assert plain_name(name) == plain
    assert short_name(name) == short


def test_unknown_firms_are_known_by_their_form() -> None:
    text = "Chief Executive of Delta Ltd. The Gamma Widget Co., Ltd. sued Acme Web Services, Inc. in court."
    assert [m.text for m in written_names(text, GAZETTEER)] == [
        "Delta Ltd.",
        "Gamma Widget Co., Ltd.",
        "Acme Web Services, Inc.",
    ]


def test_labels_come_from_the_words_of_a_name() -> None:
    assert [label_of(n) for n in ("Alpha Savings Bank", "Growth Fund II", "Riverbank Foods")] == [
        "Bank",
        "Fund",
        "Company",
    ]


def test_persons_have_opaque_ids() -> None:
    assert text_id("Jane  DOE", "Person") == text_id("Jane Doe", "Person")
    assert "doe" not in text_id("Jane Doe", "Person")


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("$5 billion", "5000000000", "USD"),
        ("EUR 12.5m", "12500000", "EUR"),
        ("12,5 Mio. EUR", "12500000", "EUR"),
        ("USD 1,234,567.89", "1234567.89", "USD"),
        ("1.234.567,89 EUR", "1234567.89", "EUR"),
        ("a $500-million loan", "500000000", "USD"),
        ("US$3.4bn", "3400000000", "USD"),
        ("50 million euros", "50000000", "EUR"),
        ("Rs 10.4 crore", "104000000", "INR"),
    ],
)
def test_money_is_read_exactly(text: str, amount: str, currency: str) -> None:
    [found] = money(text)
    assert (found.amount, found.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize("text", ["12.500 EUR", "$1,2 billion", "5 million", "1,23,456.7 EUR"])
def test_money_with_two_readings_is_left_out(text: str) -> None:
    assert money(text) == []


def test_shares_are_between_nothing_and_all() -> None:
    assert [s.value for s in shares("30% and 12.5 per cent, half of the shares, 150%")] == [0.3, 0.125, 0.5]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("on 3 May 2022", "2022-05-03"),
        ("May 3, 2022", "2022-05-03"),
        ("last week", "2024-03-08"),
        ("on Tuesday", "2024-03-12"),
        ("on 12 June", "2023-06-12"),
        ("in 2021", "2021-01-01"),
    ],
)
def test_dates_count_from_the_publication(text: str, day: str) -> None:
    [found] = dates(text, datetime(2024, 3, 15, tzinfo=UTC))
    assert found.when.date().isoformat() == day


def test_dots_of_names_and_titles_end_no_sentence() -> None:
    text = "Mr. Doe of Acme Inc. said no. Beta Corp. Profits fell. Foo Inc. Chief Executive Jane Doe left.\nNew line"
    assert [text[a:b] for a, b in sentences(text)] == [
        "Mr. Doe of Acme Inc. said no.",
        "Beta Corp.",
        "Profits fell.",
        "Foo Inc. Chief Executive Jane Doe left.",
        "New line",
    ]


def test_chinese_bounds_a_name_and_latin_letters_do_not() -> None:
    known = Gazetteer([("lei:1", "Company", "远山重工股份有限公司"), ("lei:2", "Company", "Acme plc")])
    found = known.find("昨日远山重工与Acme签约，Acmeology没有；远山重工Acme同意")
    assert [m.text for m in found] == ["远山重工", "Acme", "远山重工", "Acme"]


def test_names_that_share_a_full_name_are_one_entity_among_many_others() -> None:
    rows = [(f"lei:{n}", "Company", f"Brentor{n} Timber plc") for n in range(3000)]
    many = Gazetteer([*rows, ("lei:x", "Company", "Acme Holdings plc"), ("cik:x", "Company", "ACME HOLDINGS PLC")])
    assert many.lookup("Acme") == "lei:x" and many.lookup("Brentor17 Timber") == "lei:17"
