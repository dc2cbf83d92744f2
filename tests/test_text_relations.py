"""What sentences say: each relation in active, passive, noun and coordinated form, and all the ways to deny it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ingest.extract.prose.relations import Finding, relations
from ingest.extract.text.names import Gazetteer
from ingest.source import Models

BANK, WOOD, CAPITAL, STEEL = "Brentholm Bank", "Corvina Timber AG", "Dovre Capital", "Ostby Steel"
PERSON = "Ilse Varga"
NAMES = {"A": BANK, "B": WOOD, "C": CAPITAL, "S": STEEL, "X": PERSON}
MODELS = Models(
    Gazetteer(
        [
            ("lei:a", "Bank", BANK),
            ("lei:b", "Company", WOOD),
            ("lei:c", "Company", CAPITAL),
            ("lei:s", "Company", STEEL),
        ]
    )
)
PUBLISHED = datetime(2024, 3, 15, 12, tzinfo=UTC)


def fill(sentence: str) -> str:
    """{A} is a bank, {B} and {C} are firms, {S} sells steel, {X} is a person."""
    return sentence.format(**NAMES)


def read(sentence: str) -> list[Finding]:
    return relations(fill(sentence), MODELS, PUBLISHED)


def facts(sentence: str) -> set[tuple[str, str, str]]:
    """(relation, source, target) that still hold; for an event (kind, role, name)."""
    found: set[tuple[str, str, str]] = set()
    for finding in read(sentence):
        if finding.event:
            found |= {(finding.event, role, m.name) for role, m in finding.parties if role != "agency"}
        elif finding.valid_to is None:
            found.add((finding.type, finding.source.name, finding.target.name))
    return found


OWNED = [
    "{C} owns 30% of {B}.",
    "{C} holds a 30 percent stake in {B}.",
    "{B} is 30 percent owned by {C}.",
    "{C}'s 30 percent holding in {B} is worth $5 million.",
    "{B}, in which {C} holds 30%, fell 5%.",
    "{C} raised its stake in {B} to 30 percent.",
    "{A} sold 30% of {B} to {C}.",
    "{C} is the largest shareholder of {B}.",
    "The acquisition of {B} by {C} closed on Tuesday.",
    "Following its acquisition of {B}, {C} will cut 200 jobs.",
    "{C} paid EUR 5 million for a 30 percent stake in {B}.",
    "{B} has been bought by {C}.",
]
LENT = [
    "{A} lent EUR 5 million to {B}.",
    "{A} has lent {B} EUR 5 million.",
    "{B} borrowed EUR 5 million from {A}.",
    "{B} was granted a loan of EUR 5 million by {A}.",
    "{A} extended a loan of EUR 5 million to {B}.",
    "{B} said it had secured a EUR 5 million loan from {A}.",
    "{B} entered into a credit agreement with {A} for EUR 5 million.",
    "{A}'s loan to {B} amounts to EUR 5 million.",
    "{B}'s debts to {A} stand at EUR 5 million.",
    "A EUR 5 million loan from {A} will help {B} refinance its debt.",
    "{B} financed the plant with a EUR 5 million loan from {A}.",
    "{A} and {B} signed a credit agreement worth EUR 5 million.",
    "{A} opened a credit line of EUR 5 million for {B}.",
]
SUPPLIED = [
    "{S} supplies steel to {B}.",
    "{S} provides {B} with steel beams.",
    "{B} buys steel from {S}.",
    "{S} ships steel to {B}.",
    "{S} is the main supplier of steel to {B}.",
    "{B} is a customer of {S}.",
    "{S}'s customers include {B}.",
    "{S} counts {B} among its customers.",
    "{B} depends on {S} for steel.",
    "{S} won an order from {B} for steel beams.",
    "Steel beams for {B} are supplied by {S}.",
    "{S} signed a contract to supply steel to {B}.",
    "{S} will supply {B} with steel beams under a five-year agreement.",
]
PART_OF = [
    "{B} is a wholly owned subsidiary of {C}.",
    "{B}, a unit of {C}, cut jobs.",
    "{C}'s wholly owned unit {B} cut jobs.",
    "{C} and its subsidiary {B} signed the contract.",
    "Through its subsidiary {B}, {C} sells wood in ten countries.",
    "{B}'s parent, {C}, said it would inject capital.",
    "{B} is controlled by {C}.",
    "{B} belongs to {C}.",
    "{B} is part of the {C} group.",
]
LED = [
    "{B} appointed {X} as chief executive.",
    "{X} was named chief executive of {B} on Tuesday.",
    "{X}, chief executive of {B}, said sales rose.",
    "{B}'s chief executive {X} said sales rose.",
    "{B} has a new chief executive, {X}.",
    "The supervisory board of {B} elected {X} as chief executive.",
    "{X} leads {B} as chief executive.",
    "{B} said {X} would become its chief executive on Monday.",
    "{X} will succeed John Smith as chief executive of {B}.",
]
SUED = [
    "{C} sued {B} over late deliveries.",
    "{B} was sued by {C}.",
    "{C} filed a lawsuit against {B} at a court in Zurich.",
    "{B} is facing a lawsuit from {C}.",
    "{C}'s lawsuit against {B} will be heard on Monday.",
    "{B} is the defendant in a lawsuit brought by {C}.",
    "{C} took {B} to court.",
    "{C} has launched legal proceedings against {B}.",
]


@pytest.mark.parametrize("sentence", OWNED)
def test_owners_are_found(sentence: str) -> None:
    assert ("OWNS", CAPITAL, WOOD) in facts(sentence)


@pytest.mark.parametrize("sentence", LENT)
def test_lenders_are_found_with_the_sum(sentence: str) -> None:
    loans = [f for f in read(sentence) if f.type == "LENDS_TO"]
    assert [(f.source.name, f.target.name) for f in loans] == [(BANK, WOOD)]
    assert loans[0].props["amount"] == Decimal(5_000_000)
    assert loans[0].props["currency"] == "EUR"


@pytest.mark.parametrize("sentence", SUPPLIED)
def test_suppliers_are_found(sentence: str) -> None:
    assert facts(sentence) == {("SUPPLIES", STEEL, WOOD)}


@pytest.mark.parametrize("sentence", PART_OF)
def test_subsidiaries_are_found(sentence: str) -> None:
    assert facts(sentence) == {("SUBSIDIARY_OF", WOOD, CAPITAL)}


@pytest.mark.parametrize("sentence", LED)
def test_officers_are_found_with_their_role(sentence: str) -> None:
    offices = [f for f in read(sentence) if f.type == "OFFICER_OF" and f.source.name == PERSON]
    assert [(f.target.name, f.props["role"]) for f in offices] == [(WOOD, "chief executive")]
    assert offices[0].source.id.startswith("person:")


@pytest.mark.parametrize("sentence", SUED)
def test_plaintiff_and_defendant_are_told_apart(sentence: str) -> None:
    assert {("lawsuit", "plaintiff", CAPITAL), ("lawsuit", "defendant", WOOD)} <= facts(sentence)


@pytest.mark.parametrize(
    ("sentence", "event"),
    [
        ("{B} defaulted on an interest payment.", "default"),
        ("{B} failed to repay its bonds.", "default"),
        ("{B} did not pay the interest due on Monday.", "default"),
        ("{B} stopped servicing its debt.", "default"),
        ("Creditors declared {B} in default.", "default"),
        ("{B} missed an interest payment of EUR 5 million.", "default"),
        ("{B} filed for bankruptcy protection.", "bankruptcy"),
        ("A judge declared {B} bankrupt.", "bankruptcy"),
        ("Insolvency proceedings were opened against {B}.", "bankruptcy"),
        ("{B} was placed in administration.", "bankruptcy"),
        ("Fitch downgraded {B} to BB.", "downgrade"),
        ("{B}'s rating was cut to BB by Fitch.", "downgrade"),
        ("Fitch lowered its rating on {B}.", "downgrade"),
        ("{B} suffered a downgrade from Fitch.", "downgrade"),
    ],
)
def test_distress_hits_its_subject(sentence: str, event: str) -> None:
    assert facts(sentence) == {(event, "subject", WOOD)}


@pytest.mark.parametrize(
    "sentence",
    [
        "{C} has not acquired {B}.",
        "{C} denied that it had bought a stake in {B}.",
        "{C} may buy 30% of {B}.",
        "{C} plans to acquire {B} for $5 million.",
        "{C} has no stake in {B}.",
        "{C}'s acquisition of {B} was blocked by regulators.",
        "It is unclear whether {C} owns shares in {B}.",
        "{C} dismissed rumours that it had bought {B}.",
        "{A} refused {B} a loan.",
        "{A} has never lent to {B}.",
        "{B} is seeking a EUR 5 million loan from {A}.",
        "{A} could lend {B} EUR 5 million.",
        "{S} is in talks to supply steel to {B}.",
        "{S} would supply steel to {B} if the plant is built.",
        "{B} is not a customer of {S}.",
        "{B} is not a subsidiary of {C}.",
        "{B} will become a unit of {C} if the deal closes.",
        "{X} declined to become chief executive of {B}.",
        "{C} decided against suing {B}.",
        "{C} threatened to sue {B}.",
        "{C} withdrew its lawsuit against {B}.",
        "{B} is not in default.",
        "{B} denied that it had defaulted.",
        "{B} could go bankrupt.",
        "{B} averted insolvency.",
        "Fitch may downgrade {B}.",
        "Did {C} sue {B}?",
    ],
)
def test_what_is_denied_wished_or_asked_is_not_asserted(sentence: str) -> None:
    assert facts(sentence) == set()


@pytest.mark.parametrize(
    ("sentence", "type"),
    [
        ("{X} resigned as chief executive of {B}.", "OFFICER_OF"),
        ("{X}, former chief executive of {B}, said sales rose.", "OFFICER_OF"),
        ("{B} is no longer a subsidiary of {C}.", "SUBSIDIARY_OF"),
        ("{S} stopped supplying steel to {B}.", "SUPPLIES"),
    ],
)
def test_what_has_ended_carries_its_end(sentence: str, type: str) -> None:
    ended = [f for f in read(sentence) if f.type == type]
    assert [(f.valid_from, f.valid_to) for f in ended] == [(None, PUBLISHED)]


def test_coordinated_lenders_are_two_loans() -> None:
    assert facts("{A} and {C} jointly lent EUR 5 million to {B}.") == {
        ("LENDS_TO", BANK, WOOD),
        ("LENDS_TO", CAPITAL, WOOD),
    }


def test_a_takeover_is_an_acquisition_and_an_ownership() -> None:
    assert facts("{C} acquired {B} for $5 million.") == {
        ("OWNS", CAPITAL, WOOD),
        ("acquisition", "acquirer", CAPITAL),
        ("acquisition", "target", WOOD),
    }


def test_assets_bought_are_not_the_firm() -> None:
    assert facts("{C} bought the retail business of {B}.") == set()


def test_a_date_in_the_sentence_is_when_it_began() -> None:
    [finding] = read("{A} lent EUR 5 million to {B} on 3 May 2022.")
    assert finding.valid_from == datetime(2022, 5, 3, tzinfo=UTC)


def test_a_maturity_in_the_future_is_not_when_it_began() -> None:
    [finding] = read("{A} lent EUR 5 million to {B}, due on 3 May 2031.")
    assert finding.valid_from == PUBLISHED
