"""Sanctions by ownership: the examples of the guidance of each regime, by date, with ranges and control."""

from __future__ import annotations

import pytest

from kg.errors import MeasureError
from queries.figures.fifty_percent import FiftyPercent
from queries.figures.integrated_ownership import IntegratedOwnership
from queries.ownership.regimes import day, rule
from tests.ownership_tables import CIRCLE, shares, stakes, status


def test_half_of_half_is_blocked_by_cascade_where_the_product_is_a_quarter() -> None:
    table = stakes(("X", "A", 0.5), ("A", "B", 0.5))
    assert status(table, listed=("X",)) == {"X": "listed", "A": "blocked", "B": "blocked"}
    assert shares(IntegratedOwnership().compute(table))["X", "B"] == 0.25


def test_quarters_through_two_blocked_firms_add_up() -> None:
    table = stakes(("X", "A", 0.5), ("X", "B", 0.5), ("A", "C", 0.25), ("B", "C", 0.25))
    assert status(table, listed=("X",))["C"] == "blocked"


def test_what_is_held_through_a_firm_that_is_not_blocked_does_not_count() -> None:
    """X has half of A, a tenth of B; A has two fifths of B: together half. With a quarter of A it is a tenth alone."""
    table = stakes(("X", "A", 0.5), ("X", "B", 0.1), ("A", "B", 0.4))
    assert status(table, listed=("X",))["B"] == "blocked"
    table = stakes(("X", "A", 0.25), ("X", "B", 0.1), ("A", "B", 0.4))
    assert status(table, listed=("X",)) == {"X": "listed", "A": "clear", "B": "clear"}


def test_quarters_of_two_blocked_persons_add_up_since_august_2014() -> None:
    table = stakes(("X", "A", 0.25), ("Y", "A", 0.25))
    assert status(table, listed=("X", "Y"))["A"] == "blocked"
    assert status(table, listed=("X", "Y"), on="2014-08-13")["A"] == "blocked"
    assert status(table, listed=("X", "Y"), on="2014-08-12")["A"] == "clear"
    assert status(table, listed=("X",))["A"] == "clear"


def test_exactly_half_is_enough_for_ofac_and_since_july_2024_for_the_eu_but_not_for_the_uk() -> None:
    table = stakes(("X", "A", 0.2), ("X", "A", 0.3))
    assert status(table, listed=("X",), regime="ofac")["A"] == "blocked"
    assert status(table, listed=("X",), regime="eu", on="2024-07-03")["A"] == "blocked"
    assert status(table, listed=("X",), regime="eu", on="2024-07-02")["A"] == "clear"
    assert status(table, listed=("X",), regime="uk")["A"] == "clear"
    assert status(stakes(("X", "A", 0.51)), listed=("X",), regime="uk")["A"] == "blocked"


def test_holdings_of_two_persons_add_up_for_the_eu_but_not_for_the_uk() -> None:
    table = stakes(("X", "A", 0.3), ("Y", "A", 0.3))
    assert status(table, listed=("X", "Y"), regime="eu")["A"] == "blocked"
    assert status(table, listed=("X", "Y"), regime="uk")["A"] == "clear"


def test_control_alone_is_only_flagged_by_ofac_and_counts_for_the_eu_and_the_uk() -> None:
    table = stakes(("X", "A", 0.1), ("X", "A", 0), kind=["capital", "control"])
    for regime, expected in (("ofac", "clear"), ("eu", "controlled"), ("uk", "controlled")):
        row = FiftyPercent(listed=("X",), regime=regime).compute(table).to_pylist()[0]  # type: ignore[arg-type]
        assert (row["id"], row["status"], row["controlled_by"]) == ("A", expected, ["X"])


def test_votes_make_control_and_no_ownership() -> None:
    table = stakes(("X", "A", 0.1), ("X", "A", 0.6), kind=["capital", "votes"])
    assert status(table, listed=("X",), regime="ofac")["A"] == "clear"
    assert status(table, listed=("X",), regime="uk")["A"] == "controlled"


def test_a_range_makes_it_possible_and_what_others_surely_hold_takes_that_back() -> None:
    assert status(stakes(("X", "A", 0.25, 0.5)), listed=("X",))["A"] == "possible"
    row = FiftyPercent(listed=("X",)).compute(stakes(("X", "A", 0, 1), ("Y", "A", 0.6))).to_pylist()[0]
    assert (row["status"], row["low"], row["high"]) == ("clear", 0.0, pytest.approx(0.4))
    joint = stakes(("X", "A", 0.2, 0.4), ("Y", "A", 0.2, 0.4), ("Z", "A", 0.51))
    assert FiftyPercent(listed=("X", "Y")).compute(joint).to_pylist()[0]["high"] == pytest.approx(0.49)


def test_rules_and_days_that_nobody_knows_are_refused() -> None:
    with pytest.raises(MeasureError, match="regime 'mars' is unknown; known: ofac, eu, uk"):
        FiftyPercent(regime="mars")  # type: ignore[arg-type]
    with pytest.raises(MeasureError, match="'soon' is no date"):
        status(CIRCLE, on="soon")
    assert rule("ofac", day("")).together
