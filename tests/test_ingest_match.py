"""Two names compared: every part of the score is named, forms and scripts of many countries are read."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import legal_forms
from ingest.pair_decision import MERGE, UNDECIDED, Named, Profile, decide
from ingest.pair_score import pair_score
from ingest.transliterate import skeleton, words
from ingest.word_weights import Weights
from kg.model import day

CHINESE = Path(__file__).parent / "data" / "names-chinese-english.csv"
NAME = st.text(max_size=30) | st.from_regex(
    r"[A-Z][a-z]{0,8}( [A-Z][a-z]{0,8}){0,4}( Ltd| GmbH| S\.A\.)?", fullmatch=True
)


@settings(max_examples=150, deadline=None)
@given(NAME, NAME, st.sampled_from(["firm", "person"]))
def test_the_reasons_add_up_to_the_score_and_the_order_of_names_does_not_matter(a: str, b: str, kind: str) -> None:
    found, turned = pair_score(a, b, kind), pair_score(b, a, kind)  # type: ignore[arg-type]  # one of the two kinds
    assert sum(r.contribution for r in found.reasons) == pytest.approx(found.value, abs=1e-9)
    assert 0 <= found.value <= 1
    assert found.value == pytest.approx(turned.value, abs=1e-9)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("OOO Severny Les", "Severny Les LLC"),
        ("PT Rimba Jaya Tbk", "Rimba Jaya"),
        ("Limited Liability Company Brightford", "Brightford OOO"),
        ("Aurora Minera S.A. de C.V.", "Aurora Minera SA de CV"),
        ("Wierzba Sp. z o.o.", "Wierzba spółka z ograniczoną odpowiedzialnością"),
        ("Nordlys A/S", "Nordlys AS"),
        ("Teluk Biru Sdn. Bhd.", "Teluk Biru Sendirian Berhad"),
        ("Kiriyama K.K.", "Kiriyama Kabushiki Kaisha"),
        ("Haldenwerk G.m.b.H.", "Haldenwerk Gesellschaft mit beschränkter Haftung"),
        ("The Elm Row Group, Inc.", "Elm Row Grp Incorporated"),
        ("Good Will Traders", "Goodwill Traders"),
        ("1st Harbour Bank", "First Harbor Bank"),
        ("Brigade Forty-Four", "Brigade 44"),
    ],
)
def test_firms_written_otherwise_are_one(a: str, b: str) -> None:
    assert pair_score(a, b).value >= 0.85, pair_score(a, b).told()


@pytest.mark.parametrize(
    ("a", "b", "clash"),
    [
        ("Elm Row AG", "Elm Row GmbH", "form"),
        ("Elm Row Fund VII", "Elm Row Fund VIII", "numbers"),
        ("Elm Row Trust 2004-1", "Elm Row Trust 2005-1", "numbers"),
        ("Elm Row Solutions", "Elm Row Solutions II", "numbers"),
        ("Bank of Larchford", "Bank of Oakmere", "words"),
        ("Larch Pipelines", "Larch Pharmacies", "words"),
    ],
)
def test_what_contradicts_is_named_and_never_merges(a: str, b: str, clash: str) -> None:
    assert clash in pair_score(a, b).clashes
    assert decide(Profile("name:a", [Named(a)]), Profile("name:b", [Named(b)])).band != "merge"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("HALLAM, Iris J.", "Iris Joan Hallam"),
        ("Dr. Iris Hallam", "Hallam Iris"),
        ("Bill Harlow", "William Harlow"),
        ("Александр Руденко", "Aleksandr Rudenko"),
        ("محمد بن سالم", "Mohammed bin Salem"),
        ("Γιώργος Παππάς", "Giorgos Pappas"),
        ("IrisHallam", "Iris Hallam"),
        ("Yusuf Karim", "Youssef Kareem"),
        ("张伟明", "Zhang Weiming"),
    ],
)
def test_persons_written_otherwise_are_one(a: str, b: str) -> None:
    assert pair_score(a, b, "person").value >= 0.75, pair_score(a, b, "person").told()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Sergei Viktorovich Malin", "Sergei Borisovich Malin"),
        ("Iris Hallam", "Rose Hallam"),
        ("Halla Jonsdottir", "Halla Tomasdottir"),
        ("张伟明", "张卫明"),
    ],
)
def test_persons_of_other_names_are_two(a: str, b: str) -> None:
    assert pair_score(a, b, "person").value < UNDECIDED, pair_score(a, b, "person").told()


def test_the_same_pair_scores_the_same_each_time() -> None:
    first = [pair_score("Oakmere Turbines plc", "Oak Mere Turbynes") for _ in range(3)]
    assert first[0] == first[1] == first[2]


@pytest.mark.parametrize(
    ("name", "bare", "kind"),
    [
        ("Ромашка ООО", ("romashka",), "private"),
        ("Open Joint Stock Company Romashka", ("romashka",), "public"),
        ("Larch S.p.A.", ("larch",), "public"),
        ("Larch Aktiengeselschaft", ("larch",), "public"),
        ("Stichting Larch", ("stichting", "larch"), None),
        ("Inc", ("inc",), None),
    ],
)
def test_legal_forms_are_taken_off_but_a_name_never_wholly(name: str, bare: tuple[str, ...], kind: str | None) -> None:
    assert legal_forms.split(words(name)) == (bare, frozenset({kind} if kind else ()))


def test_a_form_has_one_class_only() -> None:
    spelt = [form for forms in legal_forms.FORMS.values() for form in forms]
    assert len(spelt) == len(set(spelt)) > 200


def test_sounds_of_one_name_are_one_skeleton() -> None:
    assert len({skeleton(w) for w in ("mohammed", "muhammad", "mohamed", "mhmd")}) == 1
    assert skeleton("harlow") != skeleton("barlow")


def test_a_word_of_many_firms_weighs_little_once_a_register_is_known() -> None:
    weights = Weights([f"Larch{n} Shipping" for n in range(600)])
    assert weights("shipping") < 0.2 < 0.9 < weights("larch7") and weights("unheard") == pytest.approx(1.0)


def test_identifiers_decide_before_names_do() -> None:
    a = Profile("lei:L1", [Named("Oakmere")], identifiers=frozenset({"lei:L1", "cik:1"}))
    b = Profile("cik:1", [Named("Nothing Alike")], identifiers=frozenset({"cik:1"}))
    c = Profile("lei:L2", [Named("Oakmere")], identifiers=frozenset({"lei:L2"}))
    assert decide(a, b).band == "merge"
    assert (decide(a, c).band, decide(a, c).vetoes) == ("no", ("different lei",))


def test_another_country_or_date_of_incorporation_lowers_the_score() -> None:
    one = Profile(
        "name:a", [Named("Oakmere Turbines")], countries=frozenset({"iso:DE"}), incorporated=day("1990-01-01")
    )
    twin = Profile("name:b", [Named("Oakmere Turbines")])
    abroad = Profile("name:c", [Named("Oakmere Turbines")], countries=frozenset({"iso:FR"}))
    later = Profile("name:d", [Named("Oakmere Turbines")], incorporated=day("2001-01-01"))
    assert decide(one, twin).score == 1.0 >= MERGE > decide(one, abroad).score > decide(one, later).score
    assert {r.feature for r in decide(one, abroad).reasons} >= {"countries differ"}
    for other in (twin, abroad, later):
        found = decide(one, other)
        assert sum(r.contribution for r in found.reasons) == pytest.approx(found.score)


def test_chinese_and_english_names_of_one_entity_are_found_and_hard_others_are_not() -> None:
    with CHINESE.open() as lines:
        rows = list(csv.DictReader(lines))
    said = [pair_score(r["chinese"], r["english"], r["kind"]).value >= 0.8 for r in rows]  # type: ignore[arg-type]
    truth = [row["same"] == "1" for row in rows]
    right = sum(s and t for s, t in zip(said, truth, strict=True))
    assert len(rows) >= 80 and truth.count(False) >= len(rows) / 2
    assert right / sum(said) >= 0.97 and right / sum(truth) >= 0.85


@pytest.mark.real
def test_labelled_pairs_are_told_apart_better_than_by_edit_distance(real_data: Path) -> None:
    with (real_data / "names" / "name-pairs-odd-rows.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    kinds = ["person" if row["schema"] == "Person" else "firm" for row in rows]
    scores = [pair_score(r["name1"], r["name2"], kind).value for r, kind in zip(rows, kinds, strict=True)]  # type: ignore[arg-type]
    truth = [row["is_match"] == "true" for row in rows]
    best = 0.0
    for cut in sorted(set(scores)):
        right = sum(t and s >= cut for s, t in zip(scores, truth, strict=True))
        best = max(best, 2 * right / (sum(s >= cut for s in scores) + sum(truth)))
    assert best >= 0.89
