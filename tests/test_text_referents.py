"""Who `the company`, `we` and a short form are; one event stays one; every quote stands at its offsets."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.extract.prose.assertions import Origin, event_id, to_claims
from ingest.extract.prose.relations import relations
from ingest.extract.text.names import Mention
from kg.model import Edge
from tests.test_text_relations import (
    BANK,
    LENT,
    MODELS,
    OWNED,
    PUBLISHED,
    STEEL,
    SUED,
    WOOD,
    fill,
    read,
)


def test_the_company_is_the_firm_of_the_sentence_before() -> None:
    found = relations(f"{WOOD} had a poor year. The company borrowed EUR 5 million from {BANK}.", MODELS, PUBLISHED)
    assert [(f.source.name, f.target.name, f.target.text) for f in found] == [(BANK, WOOD, "company")]


def test_we_is_the_filer() -> None:
    filer = Mention(0, 0, STEEL, "Company", STEEL, "lei:s")
    found = relations(f"In 2023 we acquired {WOOD}.", MODELS, PUBLISHED, filer)
    assert ("OWNS", STEEL, WOOD) in {(f.type, *(m.name for _, m in f.parties)) for f in found}


def test_a_short_form_set_up_in_brackets_is_used_later() -> None:
    text = 'Northlea Foods Ltd ("Northlea") had a good year. Brentholm Bank lent EUR 5 million to Northlea.'
    [finding] = relations(text, MODELS, PUBLISHED)
    assert finding.target.name == "Northlea Foods Ltd"
    assert finding.target.text == "Northlea"


def test_two_articles_about_one_lawsuit_give_one_event() -> None:
    first, second = read("{C} sued {B}."), read("{B} was sued by {C} over late deliveries.")
    assert event_id(first[0]) == event_id(second[0])


def test_claims_quote_what_stands_at_their_offsets() -> None:
    text = fill("{A} lent EUR 5 million to {B}. {C} sued {B}. {X} resigned as chief executive of {C}.")
    found = relations(text, MODELS, PUBLISHED)
    claims = list(to_claims(found, text, Origin("0" * 64, PUBLISHED, "news.text@1")))
    assert {c.what.type for c in claims if isinstance(c.what, Edge)} == {"LENDS_TO", "AFFECTED_BY", "OFFICER_OF"}
    for claim in claims:
        start, end = map(int, claim.evidence.locator.removeprefix("chars:").split("-"))
        assert text[start:end] == claim.evidence.quote


FILLER = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40)


@settings(max_examples=40, deadline=None)
@given(FILLER, FILLER, st.sampled_from([*OWNED[:3], *LENT[:3], *SUED[:3]]))
def test_offsets_hold_between_any_letters(before: str, after: str, sentence: str) -> None:
    text = f"{before}\n{fill(sentence)}\n{after}"
    for finding in relations(text, MODELS, PUBLISHED):
        assert 0 <= finding.start < finding.end <= len(text)
        for _, m in finding.parties:
            assert text[m.start : m.end] == m.text


def test_the_same_text_gives_the_same_findings() -> None:
    text = "\n".join(fill(s) for s in (*OWNED[:4], *SUED[:4]))
    assert relations(text, MODELS, PUBLISHED) == relations(text, MODELS, PUBLISHED)
