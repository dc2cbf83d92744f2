"""Tone towards a name: several names of one sentence, negation, and how sure it is of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.ingest import sentiment
from ingest.extract.prose import tone as tones
from ingest.extract.prose.tone import BUCKETS, CLASSES, Tone, Weights, buckets, tone, tone_towards
from ingest.extract.prose.tone_fit import Judged, fit, read_judged
from ingest.extract.text.names import Gazetteer, Mention
from kg.errors import SourceError

E, O = "Corvina Timber", "Ostby Steel"  # noqa: E741  # the two names of every sentence here

BETTER_AND_WORSE = [
    ("{E} did not default on its loans", "{E} defaulted on its loans"),
    ("{E} denied that it had defaulted on a bond", "{E} defaulted on a bond"),
    ("{E} was not liable for the damage, a court said", "{E} was liable for the damage, a court said"),
    ("{E} found not liable in the patent case", "{E} found liable in the patent case"),
    ("Court dismisses the suit by {O} against {E}", "{O} wins its suit against {E}"),
    ("{E} avoids insolvency", "{E} slides into insolvency"),
    ("{E} has never missed an interest payment", "{E} has missed an interest payment"),
    ("{E} shares do not fall", "{E} shares fall"),
    ("Profit at {E} did not drop", "Profit at {E} dropped"),
    ("{E} shares rise", "{E} shares fail to rise"),
    ("{E} gains 5%", "{E} does not gain"),
    ("{E} won the tender", "{E} did not win the tender"),
    ("{E} wins the tender", "{E} fails to win the tender"),
    ("{E} meets its targets", "{E} did not meet its targets"),
    ("{E} is profitable", "{E} is not profitable"),
    ("{E} paid its suppliers", "{E} cannot pay its suppliers on time"),
    ("{E} repaid the loan", "{E} did not repay the loan"),
    ("{E} can refinance its debt", "{E} cannot refinance its debt"),
    ("{E} suffered no damage in the flood", "{E} suffered heavy damage in the flood"),
    ("Prosecutors drop fraud charges against {E}", "Prosecutors bring fraud charges against {E}"),
    ("{E} escapes a fine", "{E} faces a fine"),
    ("{E} was not downgraded", "{E} was downgraded"),
    ("{E} shows no signs of weakness", "{E} shows signs of weakness"),
    ("{E} is not under investigation", "{E} is under investigation"),
]
OPPOSITE = [
    ("{E} gains 4%, {O} slips", "positive", "negative"),
    ("{E} surges as {O} tumbles", "positive", "negative"),
    ("{E} falls 3% while {O} rises", "negative", "positive"),
    ("{E} up; {O} down", "positive", "negative"),
    ("Buy {E}, sell {O}", "positive", "negative"),
    ("{E} tanks 8%, {O} jumps 6%", "negative", "positive"),
]


def filled(sentence: str) -> tuple[str, list[tuple[int, int]]]:
    """The sentence with names, and the places of E and O (those there are)."""
    text = sentence.format(E=E, O=O)
    return text, [(text.index(name), text.index(name) + len(name)) for name in (E, O) if name in text]


def towards(sentence: str) -> Tone:
    return tone(*filled(sentence))[0]


def test_a_denied_or_negated_sentence_is_kinder_or_harsher_than_the_plain_one() -> None:
    wrong = [(a, b) for a, b in BETTER_AND_WORSE if towards(a).value <= towards(b).value]
    assert len(wrong) <= 3, wrong


@pytest.mark.parametrize(("sentence", "first", "second"), OPPOSITE)
def test_two_names_of_one_headline_may_differ(sentence: str, first: str, second: str) -> None:
    one, other = tone(*filled(sentence))
    assert (one.value > other.value) is (first == "positive")
    assert one.label == first or other.label == second


def test_a_name_has_no_tone_of_its_own() -> None:
    sunny, gloomy = "Sunshine Profit Growth meets on Monday", "Doom Loss Crash meets on Monday"
    assert tone(sunny, [(0, 22)]) == tone(gloomy, [(0, 15)])


def test_the_order_in_which_names_are_given_changes_nothing() -> None:
    text, spans = filled(OPPOSITE[0][0])
    assert tone(text, spans) == tone(text, spans[::-1])[::-1]


def test_probabilities_sum_to_one_and_the_value_is_their_difference() -> None:
    told = towards("{E} wins an order from {O}")
    assert told.negative + told.neutral + told.positive == pytest.approx(1)
    assert told.value == pytest.approx(told.positive - told.negative)
    assert told.confidence == getattr(told, told.label)


@pytest.mark.parametrize(
    ("text", "span"), [("X", (0, 1)), ("!!!", (0, 3)), ("ÄÖ 株式会社", (0, 2)), ("a" * 5000, (7, 9))]
)
def test_odd_texts_are_judged_too(text: str, span: tuple[int, int]) -> None:
    assert 0 <= tone(text, [span])[0].confidence <= 1


def test_overlapping_names_do_not_disturb_each_other() -> None:
    text = "Corvina Timber Holdings falls"
    assert len(tone(text, [(0, 23), (0, 14), (8, 23)])) == 3


def test_a_whole_article_gives_one_tone_per_entity() -> None:
    text = f"{O} tumbles on fraud probe\n{E} said it was doing well. Shares of {O} slumped 20%. {E} gained 3%."
    mentions = Gazetteer([("lei:e", "Company", E), ("lei:o", "Company", O)]).find(text)
    found = tone_towards(text, mentions)
    assert set(found) == {m.id for m in mentions}
    (where, bad), (_, good) = (found[f"name:{name.lower()}"] for name in (O, E))
    assert bad.value < 0 < good.value
    assert isinstance(where, Mention) and text[where.start : where.end] == O


def test_the_headline_counts_double() -> None:
    text = f"{E} slumps\n{E} gains."
    mentions = Gazetteer([("lei:e", "Company", E)]).find(text)
    (_, told), (_, flat) = (next(iter(tone_towards(text, mentions, headline=h).values())) for h in (True, False))
    assert told.value < flat.value


def test_weights_read_back_as_written() -> None:
    content = tones.WEIGHTS.read_bytes()
    weights = Weights.of(content)
    assert weights.to_bytes() == content
    assert len(content) < 1_000_000
    assert "MIT" in weights.about["notice"]


@pytest.mark.parametrize("content", [b"", b"{}\n", b"{\n" + bytes(BUCKETS * 3), tones.WEIGHTS.read_bytes()[:-1]])
def test_broken_weights_are_told_as_such(content: bytes) -> None:
    with pytest.raises(SourceError, match="install the package again"):
        Weights.of(content)


def test_a_fit_learns_what_it_is_shown() -> None:
    shown = [
        Judged(f"Alpha {verb}", ((0, 5),), (label,)) for verb, label in (("blooms", "positive"), ("wilts", "negative"))
    ]
    weights = fit(shown * 5, {})
    assert weights.judge(buckets("Beta blooms", [(0, 4)], 0)).label == "positive"
    assert weights.judge(buckets("Beta wilts", [(0, 4)], 0)).label == "negative"
    assert fit(shown * 5, {}).to_bytes() == weights.to_bytes()


def test_rows_that_are_no_mapping_are_refused_and_the_others_kept() -> None:
    table = (
        "Title,Decisions\n"
        "Alpha rises,{'Alpha': 'positive'}\n"
        "Beta's rises,{'Beta's': 'positive'}\n"
        "Gamma rises,{'Delta': 'positive'}\n"
        "Gamma rises,{'Gamma': 'cheerful'}\n"
        "Gamma rises,__import__('os')\n"
        "Alpha Holdings rises,{'Alpha neutralings': 'positive'}\n"
    )
    judged, refused = read_judged(table.encode())
    assert [(h.text, h.spans) for h in judged] == [("Alpha rises", ((0, 5),)), ("Alpha Holdings rises", ((0, 14),))]
    assert [r.locator for r in refused] == ["row:2", "row:3", "row:4", "row:5"]


@pytest.mark.real
@pytest.mark.slow
def test_tone_of_real_headlines_of_the_first_fold(real_data: Path) -> None:
    """The floors lie a little under what was reached when this was written; the benchmark takes all five folds."""
    figures = {f.what: f.value for f in sentiment.measure_from(real_data, folds=[0])}
    print(figures)
    assert figures["entity sentiment, macro-F1 by 5 folds"] >= 0.79
    assert figures["entity sentiment, headlines with several names"] >= 0.75
    assert figures["calibration error (ECE, 10 bins)"] <= 0.04


@pytest.mark.real
@pytest.mark.slow
def test_the_weights_are_those_of_the_data_set(real_data: Path) -> None:
    """Sums are rounded otherwise by other processors and numbers of threads, so a byte may differ by a step."""
    made, shipped = sentiment.weights(real_data), Weights.of(tones.WEIGHTS.read_bytes())
    assert made.about == shipped.about
    assert made.scale == pytest.approx(shipped.scale, rel=1e-3)
    assert made.intercepts == pytest.approx(shipped.intercepts, abs=1e-3)
    steps = np.abs(made.table.astype(int) - shipped.table.astype(int))
    assert steps.max() <= 1 and (steps > 0).mean() < 0.01


def test_classes_run_from_ill_to_well() -> None:
    assert CLASSES == ("negative", "neutral", "positive")
    assert np.sign([Tone(1, 0, 0).value, Tone(0, 1, 0).value, Tone(0, 0, 1).value]).tolist() == [-1, 0, 1]
