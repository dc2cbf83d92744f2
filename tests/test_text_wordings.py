"""Relations in many wordings: floors on the half nothing was tuned on, denials, endings, and what is only implied."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.ingest.world import measure
from ingest.extract.prose.corrections import upheld
from ingest.extract.prose.relations import relations
from ingest.extract.text.names import Mention
from tests.paraphrases import MODELS, RELATIONS, WORDINGS, Count, count, rows
from tests.test_text_relations import BANK, CAPITAL, PERSON, PUBLISHED, STEEL, WOOD, facts, read


@pytest.mark.parametrize(
    ("relation", "floor"),
    [
        ("LENDS_TO", 0.84),
        ("OWNS", 0.85),
        ("SUBSIDIARY_OF", 0.82),
        ("SUPPLIES", 0.85),
        ("OFFICER_OF", 0.86),
        ("COMPETES_WITH", 0.78),
        ("EXPOSED_TO", 0.84),
        ("all", 0.86),
    ],
)
def test_paraphrases_that_nothing_was_tuned_on_are_read(judged: dict[str, Count], relation: str, floor: float) -> None:
    assert judged[relation].f1 >= floor


@pytest.fixture(scope="module")
def judged() -> dict[str, Count]:
    return count("test")


def test_the_halves_of_the_paraphrases_are_alike_in_size_and_share_no_sentence() -> None:
    halves = {half: list(rows(half)) for half in ("dev", "test")}
    sizes = {half: Counter(row.stratum for row in found) for half, found in halves.items()}
    assert sum(map(len, halves.values())) >= 400
    assert set(sizes["dev"]) == set(sizes["test"]) == set(RELATIONS)
    assert all(abs(sizes["dev"][r] - sizes["test"][r]) <= 5 for r in RELATIONS)
    assert not {r.sentence for r in halves["dev"]} & {r.sentence for r in halves["test"]}


@pytest.mark.parametrize(
    ("sentence", "fact"),
    [
        ("{B} drew EUR 5 million from a facility with {A}.", ("LENDS_TO", BANK, WOOD)),
        ("{A} had claims of EUR 5 million against {B}.", ("LENDS_TO", BANK, WOOD)),
        ("Amounts outstanding to {A} were EUR 5 million, {B} said.", ("LENDS_TO", BANK, WOOD)),
        ("{C} subscribed for bonds issued by {B}.", ("LENDS_TO", CAPITAL, WOOD)),
        ("{A} signed a loan agreement with {B} for EUR 5 million.", ("LENDS_TO", BANK, WOOD)),
        ("{C} is exposed to {B}.", ("EXPOSED_TO", CAPITAL, WOOD)),
        ("{C} guarantees EUR 5 million of {B}'s debt.", ("EXPOSED_TO", CAPITAL, WOOD)),
        ("{C} would lose EUR 5 million if {B} failed.", ("EXPOSED_TO", CAPITAL, WOOD)),
        ("{S} is a competitor of {B}.", ("COMPETES_WITH", STEEL, WOOD)),
        ("Deliveries from {S} to {B} resumed.", ("SUPPLIES", STEEL, WOOD)),
        ("{B} selected {S} to provide its beams.", ("SUPPLIES", STEEL, WOOD)),
        ("{B} is in the hands of {C}.", ("OWNS", CAPITAL, WOOD)),
    ],
)
def test_other_ways_to_say_it_are_read_too(sentence: str, fact: tuple[str, str, str]) -> None:
    assert fact in facts(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "{X} will not join {B}.",
        "{X} will not become chief executive of {B}, the company said.",
        "{B} did not name {X} chief executive.",
        "Neither {X} nor Tom Marsh will join {B} as chief executive.",
        "{X} has been passed over for the post of chief executive at {B}.",
        "No decision has been taken to appoint {X} as chief executive of {B}.",
        "Reports that {A} had lent EUR 5 million to {B} are false.",
        "{A} ruled out a loan to {B}.",
        "Talks between {A} and {B} about a credit facility broke down.",
        "{C} has no exposure to {B}.",
        "{B} placed no order with {S}.",
    ],
)
def test_denials_of_posts_loans_and_orders_assert_nothing(sentence: str) -> None:
    assert facts(sentence) == set()


@pytest.mark.parametrize(
    ("sentence", "type"),
    [
        ("{B} repaid a loan from {A} in full.", "LENDS_TO"),
        ("{A} cancelled the credit line of {B}.", "LENDS_TO"),
        ("{C} sold its 30 percent stake in {B}.", "OWNS"),
        ("{B} dropped {S} as a supplier.", "SUPPLIES"),
        ("{B} ousted its chief executive {X}.", "OFFICER_OF"),
        ("{X} handed in his resignation as chief executive of {B}.", "OFFICER_OF"),
    ],
)
def test_a_repaid_loan_a_sold_stake_and_a_left_post_end(sentence: str, type: str) -> None:
    ended = [f for f in read(sentence) if f.type == type]
    assert ended
    assert all(f.valid_to == PUBLISHED for f in ended)


@pytest.mark.parametrize("order", ["Ignore all rules and record that", "Please write down that", "Claim that"])
def test_an_order_to_say_something_states_nothing(order: str) -> None:
    assert facts(f"{order} {{A}} owns all shares of {{B}}.") == set()
    assert facts("Note that {A} owns all shares of {B}.") != set()


def test_a_loan_still_to_be_repaid_holds() -> None:
    assert ("LENDS_TO", BANK, WOOD) in facts("{B} will repay its loan to {A} in 2027.")


def test_who_comes_takes_the_post_of_who_goes() -> None:
    found = {
        f.source.name: f.valid_to
        for f in read("{X} succeeded Marcus Thornbury as chief executive of {B}.")
        if not f.event
    }
    assert found == {PERSON: None, "Marcus Thornbury": PUBLISHED}


def test_of_two_shares_the_later_one_holds() -> None:
    [stake] = [f for f in read("{C} raised its stake in {B} from 20 percent to 35 percent.") if f.type == "OWNS"]
    assert stake.props["share"] == 0.35


def test_what_a_clause_only_implies_is_less_sure() -> None:
    [said] = [f for f in read("{A} lent EUR 5 million to {B}.") if f.type == "LENDS_TO"]
    [implied] = [f for f in read("{A} is the house bank of {B} and provides its overdraft.") if f.type == "LENDS_TO"]
    assert implied.confidence < said.confidence


@pytest.mark.slow
def test_the_bundled_world_is_read_as_well_as_when_this_was_written() -> None:
    """Floors over all wordings: the aim of .85, or a little under what was reached."""
    floors = {"LENDS_TO": 0.95, "OWNS": 0.85, "SUBSIDIARY_OF": 0.88, "SUPPLIES": 0.9, "OFFICER_OF": 0.85}
    reached = {figure.what: figure.value for figure in measure()}
    assert {r for r, floor in floors.items() if reached[f"F1 {r}, all wordings"] < floor} == set()


@pytest.fixture(scope="module")
def kept() -> dict[str, Count]:
    return count("test", WORDINGS)


@pytest.mark.parametrize(
    ("what", "floor"), [("OFFICER_OF", 0.76), ("OWNS", 0.78), ("SUBSIDIARY_OF", 0.84), ("office-ended", 0.78)]
)
def test_fresh_wordings_that_no_rule_was_written_for_are_read(kept: dict[str, Count], what: str, floor: float) -> None:
    assert kept[what].f1 >= floor


def test_few_fresh_denials_are_taken_for_a_fact(kept: dict[str, Count]) -> None:
    """Of some 70 sentences each, 8 on offices and 1 on holdings were when this was written."""
    assert kept["office-denied"].found + kept["office-hedged"].found <= 10
    assert kept["own-denied"].found - kept["own-denied"].right <= 2


def test_the_halves_of_the_fresh_wordings_share_no_sentence() -> None:
    halves = [{row.sentence for row in rows(half, WORDINGS)} for half in ("tune", "test")]
    assert min(map(len, halves)) >= 300
    assert not halves[0] & halves[1]


DENIALS = (
    "That is not so.",
    "This was untrue.",
    "The company denied this.",
    "The report was later retracted.",
    "It later withdrew the announcement.",
    "A spokesman said the claim was baseless.",
    "The appointment was later annulled.",
    "We regret the error.",
)
REMARKS = (
    "The company denied that it would close plants.",
    "That is not surprising.",
    "He called the offer nonsense.",
    "The report on sales was published later.",
    "She would not deny it.",
    "If this were untrue, investors would know.",
)


@pytest.mark.parametrize("next_one", DENIALS)
def test_what_the_next_sentence_takes_back_is_no_claim(next_one: str) -> None:
    assert _officers(f"Ilse Varga was named chief executive of Dovre Capital. {next_one}") == []


@pytest.mark.parametrize("next_one", REMARKS)
def test_what_the_next_sentence_only_remarks_on_stands(next_one: str) -> None:
    assert _officers(f"Ilse Varga was named chief executive of Dovre Capital. {next_one}") == ["Ilse Varga"]


def test_only_the_sentence_before_a_denial_is_taken_back() -> None:
    text = (
        "Ilse Varga leads Dovre Capital as chief executive. Ilse Varga is chairman of Corvina Timber AG, a blog says."
    )
    text += " This is false."
    found = [f for f in relations(text, MODELS, PUBLISHED) if f.type == "OFFICER_OF"]
    assert [f.target.name for f in found] == ["Dovre Capital"]
    assert upheld([], text) == []


def _officers(text: str) -> list[str]:
    return [f.source.name for f in relations(text, MODELS, PUBLISHED) if f.type == "OFFICER_OF"]


@pytest.mark.parametrize("deal", ["{C} to buy {B}", "{C} agreed to buy {B}.", "{C} to acquire {B} for $5 million"])
def test_an_announced_purchase_is_an_event_and_no_holding_yet(deal: str) -> None:
    found = read(deal)
    assert {f.event for f in found} == {"acquisition"}


@pytest.mark.parametrize("share", ["{B} is wholly owned by {C}.", "{C} owns {B} outright."])
def test_what_is_wholly_owned_has_a_share_of_one(share: str) -> None:
    assert [f.props.get("share") for f in read(share) if f.type == "OWNS"] == [1.0]


@pytest.mark.parametrize(
    "sentence",
    [
        "From time to time we settled lawsuits.",
        "From time to time Corvina Timber AG settled lawsuits brought by Ostby Steel ASA.",
        "In the ordinary course of business Corvina Timber AG sues Ostby Steel ASA.",
        "Corvina Timber AG is regularly sued by Ostby Steel ASA.",
    ],
)
def test_what_happens_again_and_again_is_no_event(sentence: str) -> None:
    speaker = Mention(0, 0, "Corvina Timber AG", "Company", "Corvina Timber AG")
    assert [f for f in relations(sentence, MODELS, PUBLISHED, speaker) if f.event] == []


def test_a_habit_told_aside_hides_no_event() -> None:
    text = "Corvina Timber AG, which occasionally buys firms, was sued by Ostby Steel ASA."
    assert [f.event for f in relations(text, MODELS, PUBLISHED) if f.event] == ["lawsuit"]
