"""A signal planted in five modalities is found, and it is said where it came from."""

from __future__ import annotations

import numpy as np
import pytest

from gnn.evaluate import auroc
from gnn.heads.fused import Fused
from gnn.missing import shown
from gnn.train import Recipe
from kg.errors import ModelError
from tests.planted_five import WIDTHS, accounts, planted, scaled_table, sentence_vector
from tests.planted_sentences import SUBJECTS, said, turns

RECIPE = Recipe(epochs=60, rate=0.01, decay=0.99, weight_decay=1e-3, patience=20)


def fitted(carrier: str, way: str, only: str = "") -> Fused:
    train = [planted(carrier, 600, part) for part in range(3)]
    train = [shown(own, frozenset([only])) for own in train] if only else train
    head = Fused(0)
    head.way, head.recipe = way, RECIPE
    head.fit(train[:-1], train[-1])
    return head


@pytest.mark.parametrize("carrier", WIDTHS)
def test_fused_beats_the_carrier_alone_and_the_largest_share_goes_to_it(carrier: str) -> None:
    now = planted(carrier, 1500, 99)
    fused, single = fitted(carrier, "late"), fitted(carrier, "late", only=carrier)
    alone = auroc(now.truth, single.predict(shown(now, frozenset([carrier]))))
    assert auroc(now.truth, fused.predict(now)) > alone + 0.02 > 0.77
    shares = fused.shares(now).mean(0)
    assert list(WIDTHS)[int(shares.argmax())] == carrier


@pytest.mark.parametrize("carrier", WIDTHS)
def test_attention_goes_most_to_the_carrier(carrier: str) -> None:
    now = planted(carrier, 1500, 99)
    shares = fitted(carrier, "attention").shares(now).mean(0)
    assert list(WIDTHS)[int(shares.argmax())] == carrier


@pytest.mark.parametrize("way", ["late", "weighted"])
def test_what_the_modalities_bring_sums_to_the_log_odds(way: str) -> None:
    now, head = planted("table", 300, 7), fitted("table", way)
    told, p = head.explain(now), head.predict(now)
    assert told.names == tuple(WIDTHS)
    assert np.abs(told.base + told.parts.sum(1) - np.log(p / (1 - p))).max() < 1e-3
    absent = ~now.graph.present(told.names)[now.rows].numpy()
    assert absent.any() and (told.parts[absent] == 0.0).all() and (told.shares[absent] == 0.0).all()


def test_a_network_has_no_parts_and_says_so() -> None:
    with pytest.raises(ModelError, match="use Shapley values"):
        fitted("table", "network").explain(planted("table", 50, 7))


def test_the_more_firms_lack_the_carrier_the_less_is_told_and_never_worse_than_chance() -> None:
    head = fitted("text", "late")
    areas = []
    for share in (0.0, 0.5, 1.0):
        now = planted("text", 2000, 50, {"text": share})
        areas.append(auroc(now.truth, head.predict(now)))
    assert areas[0] > areas[1] + 0.03 > areas[2] + 0.06 and areas[2] > 0.6


def test_a_wording_that_is_held_out_is_never_said_before_and_no_subject_belongs_to_one_side() -> None:
    draw, every = np.random.default_rng(0), [line for pairs in SUBJECTS.values() for pair in pairs for line in pair]
    assert len(set(every)) == len(every) and all(sorted(sum(turns(turn), ())) == [0, 1, 2, 3] for turn in range(4))
    for worse in (True, False):
        heard = {part: " ".join(said(worse, part, draw) for _ in range(200)) for part in turns(0)}
        for part, text in heard.items():
            own = {pairs[wording][1 - worse] for pairs in SUBJECTS.values() for wording in part}
            assert {line for line in every if line in text} == own, "all of its own wordings, and no other"


def test_accounts_are_read_by_the_real_encoder() -> None:
    table = accounts(np.array([2.0, -2.0]), np.random.default_rng(0))
    vectors = scaled_table().encode(list(table))
    assert vectors.shape == (2, scaled_table().dim) and np.isfinite(vectors.numpy()).all()


@pytest.mark.slow
def test_sentences_tell_trouble_in_wordings_never_heard() -> None:
    """By the wordings that choose: those of the test are for the benchmark alone."""
    from sklearn.linear_model import LogisticRegression

    parts = []
    for wordings in turns(0)[:2]:
        lines = [(pairs[k][side], 1 - side) for pairs in SUBJECTS.values() for k in wordings for side in (0, 1)]
        vectors = np.stack([sentence_vector(f"The company said that {line}.") for line, _ in lines])
        parts.append((vectors, [worse for _, worse in lines]))
    (seen, truth), (later, outcome) = parts
    assert LogisticRegression(max_iter=2000).fit(seen, truth).score(later, outcome) > 0.8
