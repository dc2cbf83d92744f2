"""Events of a sentence: their kinds, parties, days and sums; what is denied is none, what is alleged is in doubt."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.ingest import events as gold
from ingest.extract.prose.assertions import Origin, event_id
from ingest.extract.prose.prose import prose
from ingest.extract.prose.relations import Finding, relations
from ingest.extract.text.dates import find_dates
from ingest.extract.text.names import Gazetteer
from ingest.source import Models
from kg.model import Claim, Edge, Facts, Node
from kg.ontology import DISTRESS_EVENTS

WOOD, STEEL, BANK, PERSON = "Corvina Timber AG", "Ostby Steel", "Brentholm Bank", "Ilse Varga"
KNOWN = [("lei:w", "Company", WOOD), ("lei:s", "Company", STEEL), ("lei:b", "Bank", BANK)]
MODELS = Models(Gazetteer(KNOWN))
PUBLISHED = datetime(2024, 3, 15, 12, tzinfo=UTC)
"""A Friday."""


def read(sentence: str) -> list[Finding]:
    return [f for f in relations(sentence, MODELS, PUBLISHED) if f.event]


def said(sentence: str) -> set[tuple[str, str, str]]:
    return {(f.event, role, m.name) for f in read(sentence) for role, m in f.parties}


@pytest.mark.parametrize("names", ["known", "unknown"])
def test_sentences_that_judge_are_read_nearly_as_well_as_when_this_was_written(names: str) -> None:
    counts = gold.tally("test", gold.known() if names == "known" else Models())
    print({name: round(counts.f1(name), 3) for name in sorted(counts.said)})
    assert counts.f1("events") >= (0.92 if names == "known" else 0.88)
    assert counts.f1("roles") >= (0.91 if names == "known" else 0.80)
    if names == "known":
        kinds = {e.type for s in gold.sentences() for e in s.events}
        assert min(counts.f1(kind) for kind in kinds) >= 0.7
        assert counts.f1("days") >= 0.95 and counts.f1("sums") >= 0.95
        assert counts.right["events"] >= 0.95 * counts.found["events"]


@pytest.mark.parametrize("half", ["tune", "test"])
def test_sentences_without_an_event_tell_hardly_any(half: str) -> None:
    silent = [s for s in gold.sentences(half) if not s.events]
    told = {s.text: events for s in silent if (events := gold.read(s, gold.known()))}
    assert len(silent) >= 30
    assert len(told) <= 2, told


def test_spans_of_names_sums_days_and_shares_are_found() -> None:
    known, unknown = gold.spans("test", gold.known()), gold.spans("test", Models())
    floors = {"ORG": 0.95, "PERSON": 0.9, "MONEY": 0.97, "DATE": 0.93, "PERCENT": 0.97}
    assert {kind: known.f1(kind) for kind, floor in floors.items() if known.f1(kind) < floor} == {}
    assert unknown.f1("ORG") >= 0.84 and unknown.f1("PERSON") >= 0.88


def test_the_gold_sentences_are_many_and_split_in_halves() -> None:
    every = gold.sentences()
    kinds = [e.type for s in every for e in s.events]
    assert len(every) >= 200 and len({s.text for s in every}) == len(every)
    assert min(kinds.count(kind) for kind in set(kinds)) >= 12
    assert sum(not s.events for s in every) >= 60
    assert abs(len(gold.sentences("tune")) - len(gold.sentences("test"))) <= 10


@pytest.mark.parametrize(
    ("plain", "denied"),
    [
        (f"{WOOD} was fined $5 million.", f"{WOOD} was not fined."),
        (f"{WOOD} was found liable for the damage.", f"{WOOD} was found not liable for the damage."),
        (f"{WOOD} halted production.", f"{WOOD} did not halt production."),
        (f"{WOOD} issued a profit warning.", f"{WOOD} ruled out a profit warning."),
        (f"Prosecutors charged {WOOD} with fraud.", f"{WOOD} was cleared of fraud."),
        (f"{WOOD} and {STEEL} merged.", f"{WOOD} and {STEEL} did not merge."),
        (f"Fitch upgraded {WOOD}.", f"Fitch may upgrade {WOOD}."),
        (
            f"{WOOD} appointed {PERSON} as chief executive.",
            f"{WOOD} denied it had appointed {PERSON} as chief executive.",
        ),
        (f"The bankruptcy of {WOOD} hit its lenders.", f"It is the largest failure since the bankruptcy of {WOOD}."),
        (f"Sanctions were imposed on {WOOD}.", f"The sanctions on {WOOD} were lifted."),
        (f"{WOOD} allegedly bribed officials.", f"{WOOD} allegedly did not bribe officials."),
        (f"{WOOD} reportedly sued {STEEL}.", f"{WOOD} may reportedly sue {STEEL}."),
        (f"{WOOD} missed profit estimates.", f"{WOOD} did not miss profit estimates."),
    ],
)
def test_what_is_denied_is_no_event(plain: str, denied: str) -> None:
    assert said(plain)
    assert not said(denied)


@pytest.mark.parametrize(
    "sentence",
    [
        f"{WOOD} is accused of fraud.",
        f"{WOOD} allegedly falsified its accounts.",
        f"Police are investigating {WOOD} over suspected bribery.",
        f"{WOOD} reportedly defaulted on a loan.",
        f"{STEEL} has reportedly acquired {WOOD}.",
        f"{WOOD} was allegedly fined $5 million.",
    ],
)
def test_what_is_alleged_counts_half(sentence: str) -> None:
    assert {f.confidence for f in read(sentence)} == {0.4}


@pytest.mark.parametrize(
    "sentence",
    [
        f"{BANK} closed a credit line of $5 million with {WOOD}.",
        f"{BANK} added {WOOD} to its buy list.",
        f"{BANK} cut its target for {WOOD} to $5.",
        f"{WOOD} closed its offer for {STEEL} shares on Monday.",
        f"{WOOD} delivers beams to {STEEL}.",
        f"{WOOD} raised $5 million in a share sale.",
        f"{STEEL} published its results on Monday.",
        f"{PERSON}, chief executive of {WOOD}, said demand was strong.",
        f"{WOOD} sells software that detects fraud.",
        f"Trading in {WOOD} shares was suspended.",
    ],
)
def test_words_of_events_alone_make_none(sentence: str) -> None:
    assert not said(sentence)


def test_a_conviction_is_not_in_doubt() -> None:
    assert {f.confidence for f in read(f"{WOOD} was convicted of fraud.")} == {0.8}


def test_who_comes_and_who_goes_are_told_apart() -> None:
    assert said(f"{WOOD} replaced chief executive Paul Gerber with {PERSON}.") == {
        ("officer_change", "company", WOOD),
        ("officer_change", "former_officer", "Paul Gerber"),
        ("officer_change", "officer", PERSON),
    }


def test_who_supplies_and_who_lacks_are_told_apart() -> None:
    sentence = f"A shortage of beams from {STEEL} forced {WOOD} to halt production."
    assert said(sentence) == {("supply_disruption", "supplier", STEEL), ("supply_disruption", "customer", WOOD)}


def test_an_agency_is_not_hit_by_the_rating_it_lowers() -> None:
    assert said(f"{BANK} lowered its rating on {WOOD}.") == {
        ("downgrade", "agency", BANK),
        ("downgrade", "subject", WOOD),
    }


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("on 3 May 2022", "2022-05-03"),
        ("on the 3rd of May", "2023-05-03"),
        ("on March 4", "2024-03-04"),
        ("on 2024-02-29", "2024-02-29"),
        ("on Friday", "2024-03-15"),
        ("last Friday", "2024-03-08"),
        ("on Tuesday", "2024-03-12"),
        ("yesterday", "2024-03-14"),
        ("two weeks ago", "2024-03-01"),
        ("10 days ago", "2024-03-05"),
        ("a year ago", "2023-03-15"),
        ("last week", "2024-03-04"),
        ("last month", "2024-02-01"),
        ("earlier this month", "2024-03-01"),
        ("last year", "2023-01-01"),
        ("in March", "2024-03-01"),
        ("in late November", "2023-11-01"),
        ("in May 2019", "2019-05-01"),
        ("in the third quarter of 2022", "2022-07-01"),
        ("in Q1 2024", "2024-01-01"),
        ("in 2009", "2009-01-01"),
    ],
)
def test_a_day_is_counted_back_from_the_publication(words: str, day: str) -> None:
    [found] = find_dates(f"It happened {words}.", PUBLISHED)
    assert found.when == datetime.fromisoformat(day).replace(tzinfo=UTC)
    [finding] = read(f"{STEEL} sued {WOOD} {words}.")
    assert finding.valid_from == found.when


@pytest.mark.parametrize(
    "words", ["", "may", "30 February", "31 April 2023", "a 4% cut", "the March of time", "Q5 2024", "10-K"]
)
def test_what_is_no_day_gives_none(words: str) -> None:
    assert find_dates(words, PUBLISHED) == []


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_days_stand_where_they_are_said_and_never_overlap(text: str) -> None:
    found = find_dates(f"{text} on Monday {text}", PUBLISHED)
    assert all(0 <= a.start < a.end <= b.start for a, b in pairwise(found))


def test_the_quarter_of_a_result_is_not_the_day_it_was_told() -> None:
    [finding] = read(f"{WOOD} missed profit estimates in the third quarter.")
    assert finding.valid_from == PUBLISHED
    [finding] = read(f"{WOOD} missed profit estimates for the third quarter, it said on Monday.")
    assert finding.valid_from == datetime(2024, 3, 11, tzinfo=UTC)


def test_sum_and_currency_belong_to_who_is_hit() -> None:
    [finding] = read(f"{STEEL} sued {WOOD} for EUR 5 million.")
    claims = claimed(f"{STEEL} sued {WOOD} for EUR 5 million.")
    assert (finding.props["amount"], finding.props["currency"]) == (Decimal(5_000_000), "EUR")
    sums = {c.what.props["role"]: c.what.props.get("amount") for c in claims if is_party(c)}
    assert sums == {"plaintiff": None, "defendant": Decimal(5_000_000)}


def claimed(text: str) -> list[Claim]:
    return list(prose(text, Origin("0" * 64, PUBLISHED, "news.text@1"), f"doc:{'0' * 64}", MODELS))


def is_party(claim: Claim) -> bool:
    return isinstance(claim.what, Edge) and claim.what.type == "AFFECTED_BY"


def test_repeats_of_one_event_are_one_event_reported_more_than_once() -> None:
    tellings = [
        f"{STEEL} sued {WOOD} on Monday.",
        f"{WOOD} was sued by {STEEL} for $5 million.",
        f"{STEEL} files suit against {WOOD}",
    ]
    assert len({event_id(f) for t in tellings for f in read(t)}) == 1
    claims = claimed("\n".join(tellings))
    assert len({c.what.source for c in claims if isinstance(c.what, Edge) and c.what.type == "REPORTED_IN"}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{STEEL} sued {WOOD}.", f"{WOOD} sued {STEEL}."),
        (f"{STEEL} sued {WOOD}.", f"{BANK} sued {WOOD}."),
        (f"Fitch downgraded {WOOD} in March.", f"Fitch downgraded {WOOD} in January."),
        (f"Fitch downgraded {WOOD}.", f"Fitch upgraded {WOOD}."),
        (f"{WOOD} was fined $5 million.", f"{STEEL} was fined $5 million."),
    ],
)
def test_events_that_differ_have_different_ids(one: str, other: str) -> None:
    first, second = ({event_id(f) for f in read(s)} for s in (one, other))
    assert first and second and not first & second


def test_who_rates_does_not_make_two_downgrades() -> None:
    assert event_id(read(f"Fitch downgraded {WOOD}.")[0]) == event_id(read(f"{WOOD} was downgraded.")[0])


def test_every_claim_quotes_its_words_and_events_fit_the_vocabulary() -> None:
    text = (
        f"{WOOD} halted production.\n{BANK} downgraded {STEEL}. {WOOD} appointed {PERSON} as chief executive on Monday."
    )
    claims = claimed(text)
    kinds = {c.what.props["event_type"] for c in claims if isinstance(c.what, Node) and c.what.label == "Event"}
    assert kinds == {"supply_disruption", "downgrade", "officer_change"}
    for claim in claims:
        start, end = map(int, claim.evidence.locator.removeprefix("chars:").split("-"))
        assert text[start:end] == claim.evidence.quote


def test_each_firm_of_a_text_has_a_tone() -> None:
    claims = claimed(f"{WOOD} surges on record profit\n{STEEL} slumps after fraud probe.")
    tones = {c.what.id: c.what.props["sentiment"] for c in claims if isinstance(c.what, Facts)}
    assert tones[f"name:{WOOD.lower()}"] > 0 > tones[f"name:{STEEL.lower()}"]


def test_only_a_subject_of_distress_counts_as_distressed() -> None:
    """A supplier that stops, a firm that is fined or sued is not in distress by that."""
    for sentence in (f"{WOOD} halted production.", f"{WOOD} was fined $5 million.", f"{STEEL} sued {WOOD}."):
        assert {event for event, _, _ in said(sentence)}.isdisjoint(DISTRESS_EVENTS)


@pytest.mark.parametrize(
    "headline", ["Insider trading on the chief's radar", "Trading at Ostby Steel on Monday", "Fraud", "Default of"]
)
def test_headlines_without_a_verb_are_read_to_their_end(headline: str) -> None:
    assert isinstance(read(headline), list)
