"""Contracts: who is bound to whom for what, by when and on which condition, each by the clause that says it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from ingest.extract.prose.assertions import Origin, to_claims
from ingest.extract.prose.relations import Finding, relations
from kg.model import Edge
from tests.paraphrases import MODELS, PUBLISHED

BANK, WOOD = "Brentholm Bank", "Corvina Timber AG"
HEAD = (
    f"This Loan Agreement is dated as of 1 March 2024 and made between {WOOD}, a company incorporated in Zurich with "
    f'register number CH-123 (the "Borrower"), and {BANK}, acting through its branch (hereinafter the "Lender").\n'
)


def owed(clauses: str, head: str = HEAD) -> list[Finding]:
    return [f for f in relations(head + clauses, MODELS, PUBLISHED) if f.type == "OBLIGED_TO"]


def ends(finding: Finding) -> tuple[str, str]:
    return finding.source.name, finding.target.name


def test_a_clause_gives_who_owes_what_to_whom_by_when_and_if() -> None:
    [duty] = owed("2.1 The Borrower shall pay to the Lender EUR 5 million on or before 30 June 2025 if so requested.")
    assert ends(duty) == (WOOD, BANK)
    assert duty.props == {"amount": Decimal(5_000_000), "currency": "EUR", "role": "if so requested"}
    assert (duty.valid_from, duty.valid_to) == (datetime(2024, 3, 1, tzinfo=UTC), datetime(2025, 6, 30, tzinfo=UTC))
    assert duty.clause == "2.1"


def test_a_condition_before_the_duty_is_cut_from_it() -> None:
    [duty] = owed("If an Event of Default occurs, the Borrower shall immediately pay the Lender a fee of EUR 100,000.")
    assert duty.props["role"] == "If an Event of Default occurs"
    assert duty.props["amount"] == Decimal(100_000)


def test_a_passive_clause_binds_who_stands_behind_by() -> None:
    [duty] = owed("Interest of EUR 20,000 shall be paid by the Borrower to the Lender no later than 31 December 2024.")
    assert (ends(duty), duty.valid_to) == ((WOOD, BANK), datetime(2024, 12, 31, tzinfo=UTC))


def test_two_parties_bound_in_one_sentence_are_two_duties() -> None:
    text = "The Lender undertakes to notify the Borrower of any transfer, and the Borrower must reimburse the Lender."
    assert [ends(d) for d in owed(text)] == [(BANK, WOOD), (WOOD, BANK)]


def test_a_list_binds_who_leads_into_it() -> None:
    text = "3. The Borrower shall:\n(a) pay to the Lender EUR 50,000 by 1 July 2024;\n(b) indemnify the Lender."
    assert [(ends(d), d.valid_to) for d in owed(text)] == [
        ((WOOD, BANK), datetime(2024, 7, 1, tzinfo=UTC)),
        ((WOOD, BANK), None),
    ]


def test_days_count_from_the_date_of_the_contract() -> None:
    [duty] = owed(
        "Within 30 days of the date of this Agreement, the Borrower shall deliver its accounts to the Lender."
    )
    assert duty.valid_to == datetime(2024, 3, 31, tzinfo=UTC)


def test_who_is_only_the_other_party_is_less_surely_owed() -> None:
    [named], [other] = owed("The Borrower shall pay the Lender."), owed("The Borrower shall maintain insurance.")
    assert ends(named) == ends(other) == (WOOD, BANK)
    assert other.confidence < named.confidence


def test_what_is_allowed_forbidden_or_not_needed_is_no_duty() -> None:
    assert (
        owed("The Borrower may prepay the Lender. The Borrower shall not sell. The Lender shall not be liable.") == []
    )


def test_prose_that_defines_no_parties_owes_nothing() -> None:
    assert owed("The Borrower shall pay to the Lender EUR 5 million.", head=f"{WOOD} met {BANK}. ") == []


def test_a_third_party_leaves_open_whom_an_unaddressed_duty_is_owed_to() -> None:
    third = 'Ostby Steel ASA (the "Guarantor") joins.\n'
    assert owed("The Borrower shall maintain insurance.", HEAD + third) == []
    [duty] = owed("The Guarantor shall pay to the Lender EUR 2 million.", HEAD + third)
    assert ends(duty) == ("Ostby Steel ASA", BANK)


def test_parties_named_by_their_part_are_defined_too() -> None:
    head = f"Agreement between {WOOD}, as borrower, and {BANK}, as lender.\n"
    assert [ends(d) for d in owed("The Borrower shall repay the Lender EUR 1 million.", head)] == [(WOOD, BANK)]


def test_each_clause_is_an_edge_of_its_own_cited_where_it_stands() -> None:
    text = (
        HEAD
        + "2.1 The Borrower shall pay to the Lender EUR 5 million.\n2.2 The Borrower shall pay to the Lender EUR 1."
    )
    claims = list(to_claims(relations(text, MODELS, PUBLISHED), text, Origin("0" * 64, PUBLISHED, "filings.prose@1")))
    edges = [c for c in claims if isinstance(c.what, Edge) and c.what.type == "OBLIGED_TO"]
    assert len({c.what.key for c in edges if isinstance(c.what, Edge)}) == 2
    for claim in edges:
        start, end = map(int, claim.evidence.locator.removeprefix("chars:").split("-"))
        assert text[start:end] == claim.evidence.quote
        assert "shall pay to the Lender" in claim.evidence.quote


def test_a_term_in_the_plural_stands_for_no_single_name() -> None:
    head = f'{WOOD} and Ostby Steel ASA (the "Borrowers") and {BANK} (the "Lender") agree.\n'
    assert owed("The Borrowers shall pay to the Lender EUR 5 million.", head) == []
