"""A score that treats groups differently is caught, one that does not passes, and groups too small are not judged."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from gnn.fairness import Group, excess, gaps_of, group, measured, wilson
from kg.errors import KgRiskError
from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Edge, Evidence, Node, RunManifest
from kgrisk.fairness import Fairness, fairness, year_later
from tests.kgrisk_world import kgrisk_here
from tests.operations import START

CUT = START + timedelta(days=400)
SHARE = 4
"""One firm of so many falls."""


def world(folder: Path, scores: dict[str, list[float]], falls: dict[str, list[bool]]) -> Ledger:
    """Firms by country with a score at the cut; those that fall do so within the year, and one more after it."""
    claims: list[Claim] = []

    def say(what: Node | Edge, when: object = START, extractor: str = "registers.csv@1") -> None:
        evidence = Evidence("doc1", f"row:{len(claims)}", "as said", extractor)
        claims.append(Claim(what, evidence, when, when))  # type: ignore[arg-type]  # a date of ours

    for country, values in scores.items():
        say(Node("Country", f"iso:{country}", {"name": country}))
        for place, value in enumerate(values):
            firm = f"name:{country.lower()} {place:03d}"
            say(Node("Company", firm, {"name": firm, "assets": Decimal(1 + place), "currency": "EUR"}))
            say(Edge("IN_COUNTRY", firm, f"iso:{country}", {}))
            say(Node("Company", firm, {"distress": value}), CUT, "model.planted@1")
            late = place == len(values) - 1
            if falls[country][place] or late:
                say(Node("Event", f"event:{firm}", {"event_type": "bankruptcy"}), CUT)
                day = CUT + timedelta(days=500 if late else 30 + place % 300)
                say(Edge("AFFECTED_BY", firm, f"event:{firm}", {"role": "subject"}, key="subject"), day)
    ledger = Ledger.open(folder / "home" / "ledger")
    ledger.commit(ClaimBatch.of(claims), RunManifest("test"))
    return ledger


def planted(folder: Path, unfair: float, size: int = 120) -> Ledger:
    """Two countries where one firm of four falls; scores tell them apart a little, and one country's are raised."""
    draw = np.random.default_rng(7)
    falls = {name: [place % SHARE == 0 and place < size - 1 for place in range(size)] for name in ("AA", "BB")}
    scores = {
        name: np.clip(0.15 + 0.3 * np.array(fell) + draw.uniform(0, 0.25, size) + raised, 0, 1).tolist()
        for (name, fell), raised in zip(falls.items(), (0.0, unfair), strict=True)
    }
    return world(folder, scores, falls)


def asked(ledger: Ledger, by: str = "country", **how: float) -> Fairness:
    return fairness(ledger.view(), "distress", by, **how)


def test_rates_are_those_of_scikit_learn_and_calibration_is_counted_by_hand() -> None:
    draw = np.random.default_rng(0)
    values, truth = draw.uniform(size=200), draw.uniform(size=200) < 0.3
    own = group("all", values, truth, 0.6)
    (tn, fp), (fn, tp) = confusion_matrix(truth, values >= 0.6)
    assert own.true_positive_rate.value == pytest.approx(tp / (tp + fn))
    assert own.false_positive_rate.value == pytest.approx(fp / (fp + tn))
    assert own.called.value == pytest.approx((tp + fp) / 200) and (own.count, own.fell) == (200, truth.sum())
    assert own.calibration.value == pytest.approx(values.mean() - truth.mean())
    hand = excess(np.array([0.5, 0.1, 0.3]), np.array([True, False, False]))
    assert hand.value == pytest.approx(0.3 - 1 / 3) and hand.low < hand.value < hand.high


def test_intervals_are_wilsons_and_newcombes_of_his_own_example() -> None:
    # Newcombe 1998, method 10: 56 of 70 less 48 of 80 is 0.2, from 0.0524 to 0.3339
    tall, short = (np.arange(n) < hits for hits, n in ((56, 70), (48, 80)))
    theirs = binomtest(56, 70).proportion_ci(0.95, method="wilson")
    assert (wilson(tall).low, wilson(tall).high) == pytest.approx((theirs.low, theirs.high))
    values = np.concatenate([tall, short]).astype(float)
    truth, names = np.ones(150, bool), ["one"] * 70 + ["other"] * 80

    def again(level: float) -> tuple[Group, ...]:
        return measured(names, values, truth, 0.5, level)

    (gap, _), few = gaps_of(again, None)
    assert (gap.measure, gap.most, gap.least) == ("true_positive_rate", "one", "other")
    assert (round(gap.gap, 4), round(gap.low, 4), round(gap.high, 4)) == (0.2, 0.0524, 0.3339)
    assert few == ("false positive rate is not judged of other, one: fewer than 5 each",)


def test_an_unfair_score_is_caught_and_a_fair_one_passes(tmp_path: Path) -> None:
    fair = asked(planted(tmp_path / "fair", 0.0), limit=0.1)
    assert fair.fair and {gap.measure for gap in fair.gaps} == {
        "true_positive_rate", "false_positive_rate", "calibration",
    }  # fmt: skip
    unfair = asked(planted(tmp_path / "unfair", 0.25), limit=0.1)
    over = {gap.measure: (gap.most, gap.least) for gap in unfair.gaps if gap.over}
    assert not unfair.fair and over["false_positive_rate"] == over["calibration"] == ("BB", "AA")
    assert asked(planted(tmp_path / "unfair2", 0.25), limit=0.9).fair


def test_what_falls_after_a_year_did_not_fall_and_the_last_cut_counts(tmp_path: Path) -> None:
    found = asked(planted(tmp_path, 0.0))
    assert {own.name: (own.count, own.fell) for own in found.groups} == {"AA": (120, 30), "BB": (120, 30)}
    assert found.cut == CUT and found.limit is None and found.fair
    called = sum(round(own.called.value * own.count) for own in found.groups)
    assert called == 60  # as many as fell
    assert asked(planted(tmp_path / "all", 0.0), threshold=0.0).groups[0].called.value == 1
    assert year_later(CUT.replace(year=2024, month=2, day=29)).day == 28


def test_groups_too_small_are_told_and_not_judged(tmp_path: Path) -> None:
    scores = {"AA": [0.1, 0.9] * 30, "BB": [0.1, 0.9] * 30, "CC": [0.9, 0.9, 0.1]}
    falls = {"AA": [False, True] * 29 + [False] * 2, "BB": [False, True] * 29 + [False] * 2, "CC": [False] * 3}
    found = asked(world(tmp_path, scores, falls), limit=0.2)
    assert found.fair and {own.name for own in found.groups} == {"AA", "BB", "CC"}
    assert all("CC" not in (gap.most, gap.least) for gap in found.gaps) and "of CC" in found.remarks[0]
    lone = world(tmp_path / "lone", {"AA": [0.2] * 9}, {"AA": [True] * 4 + [False] * 5})
    with pytest.raises(KgRiskError, match="no two groups by country are large enough"):
        asked(lone, limit=0.2)
    assert not asked(lone).gaps


def test_groups_by_size_and_label_and_a_word_that_is_no_attribute(tmp_path: Path) -> None:
    ledger = planted(tmp_path, 0.0, size=30)
    assert {own.name: own.count for own in asked(ledger, "size").groups} == {"small": 20, "middling": 20, "large": 20}
    assert [own.name for own in asked(ledger, "label").groups] == ["Company"]
    with pytest.raises(KgRiskError, match="known: country, sector, size, language, label"):
        asked(ledger, "colour")
    with pytest.raises(KgRiskError, match="of none of those scored"):
        asked(ledger, "language")
    with pytest.raises(KgRiskError, match="kgrisk train"):
        fairness(ledger.view(), "distress_low", "country")


def test_the_command_is_a_gate(tmp_path: Path) -> None:
    planted(tmp_path, 0.25).close()
    told = kgrisk_here("fairness", "--home", tmp_path / "home", "--json", cwd=tmp_path)
    assert told.returncode == 0 and json.loads(told.stdout)["groups"][0]["name"] in ("AA", "BB")
    gate = kgrisk_here("fairness", "distress", "--max-gap", "0.1", "--home", tmp_path / "home", cwd=tmp_path)
    assert gate.returncode == 1 and "false positive rate: BB over AA" in gate.stderr and "over 0.1" in gate.stderr
    wide = kgrisk_here("fairness", "distress", "--max-gap", "0.9", "--home", tmp_path / "home", cwd=tmp_path)
    assert wide.returncode == 0
