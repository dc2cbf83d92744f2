"""A signal planted in five modalities is found, and it is said where it came from."""

from __future__ import annotations

import numpy as np
import pytest

from gnn.evaluate import auroc
from gnn.heads.fused import Fused
from gnn.missing import shown
from gnn.train import Recipe
from kg.errors import ModelError
from tests.planted_five import HELD, JOYS, WIDTHS, WORRIES, accounts, planted, said, scaled_table

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


def test_attention_goes_most_to_the_carrier() -> None:
    now = planted("image", 1500, 99)
    shares = fitted("image", "attention").shares(now).mean(0)
    assert list(WIDTHS)[int(shares.argmax())] == "image"


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


def test_test_sentences_are_none_of_those_trained_on_and_accounts_are_read_by_the_real_encoder() -> None:
    draw = np.random.default_rng(0)
    for lines, worse in ((WORRIES, True), (JOYS, False)):
        before = " ".join(said(worse, False, draw) for _ in range(50))
        held = " ".join(said(worse, True, draw) for _ in range(50))
        assert not any(line in before for line in lines[-HELD:]) and not any(line in held for line in lines[:-HELD])
    table = accounts(np.array([2.0, -2.0]), draw)
    vectors = scaled_table().encode(list(table))
    assert vectors.shape == (2, scaled_table().dim) and np.isfinite(vectors.numpy()).all()
