"""The detector of payments: what it learns, what it says, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
import torch

from gnn.calibrate import platt
from gnn.payments import STRICT, Detector, Payments, Protocol, Settings, train
from gnn.payments.boost import Boost
from gnn.payments.features import Features
from gnn.payments.lesson import RECIPE, Course, logits
from gnn.payments.neighbourhood import Neighbourhood
from gnn.payments.network import Network, Wiring
from gnn.payments.past import Past
from gnn.payments.report import Judged, best_threshold, gap, measure, precision, recall, ties
from kg.errors import ModelError

START = datetime(2024, 1, 1, tzinfo=UTC)
COURSE = Course(fans=(4, 2), negatives=4, size=64, recipe=replace(RECIPE, epochs=8))
SMALL = Settings(valid=timedelta(days=20), wiring=Wiring(dim=16), course=COURSE)


def planted(seed: int = 0, days: int = 100, each: int = 14, accounts: int = 300) -> pa.Table:
    """Payments between strangers, among which money is now and then handed on by its receiver the next day.

    What is handed on launders. Amounts are alike for all, so no column of a transfer alone tells it.
    """
    draw, rows = np.random.default_rng(seed), []
    for day in range(days):
        for _ in range(each):
            a, b, c = draw.choice(accounts, 3, replace=False)
            cents = int(draw.integers(10_000, 90_000))
            rows.append((day, a, b, cents, 0.0))
            if draw.random() < 0.12:
                rows.append((day + 1, b, c, int(cents * 0.99), 1.0))
    rows.sort(key=lambda row: row[0])
    day, source, target, cents, truth = (np.array(column) for column in zip(*rows, strict=True))
    time = pa.array([START + timedelta(days=int(k)) for k in day], pa.timestamp("us", "UTC"))
    ids = pa.array([f"p{k}" for k in range(len(rows))])
    parts = {"id": ids, "source": source, "target": target, "amount": cents / 100, "time": time, "truth": truth}
    return pa.table(parts)


CUT = START + timedelta(days=80)


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return planted()


@pytest.fixture(scope="module")
def detector(table: pa.Table) -> Detector:
    return train(table, CUT, SMALL)


@pytest.fixture(scope="module")
def later(table: pa.Table) -> tuple[Payments, np.ndarray]:
    payments = Payments.of(table)
    return payments, payments.between(CUT, None)


def test_money_handed_on_is_told_from_other_money_by_both_members(
    detector: Detector, later: tuple[Payments, np.ndarray]
) -> None:
    payments, rows = later
    raw = detector.members(payments, rows, detector.columns(payments))
    truth = payments.labels()[rows]
    for score in (*raw.values(), detector.both(raw)):
        judged = Judged(truth, score, score, 0.0)
        assert measure(judged, payments.source[rows])["AUPRC"].low > 2 * truth.mean()


def test_every_transfer_gets_a_probability_its_members_and_the_reasons(
    detector: Detector, later: tuple[Payments, np.ndarray]
) -> None:
    payments, rows = later
    found = detector.score(payments, rows[:50])
    assert [one.id for one in found] == [payments.ids[k] for k in rows[:50]]
    assert all(0 < one.probability < 1 and set(one.members) == {"boost", "network"} for one in found)
    assert all(0 < len(one.reasons) <= 5 for one in found)
    best = max(found, key=lambda one: one.score)
    assert any("passed on" in reason.feature or "amount nearest" in reason.feature for reason in best.reasons)


def test_scores_stay_the_same_whatever_comes_after(detector: Detector, table: pa.Table) -> None:
    payments = Payments.of(table)
    rows = payments.between(CUT, CUT + timedelta(days=5))
    more = planted(seed=9)
    keep = [k for k, when in enumerate(more["time"].to_pylist()) if when >= CUT + timedelta(days=5)]
    other = pa.concat_tables([table.take(list(range(rows[-1] + 1))), more.take(keep)])
    other = other.set_column(0, "id", pa.array([f"q{k}" for k in range(len(other))]))
    before = [one.score for one in detector.score(payments, rows)]
    after = [one.score for one in detector.score(Payments.of(other), rows)]
    assert before == after


def test_training_looks_at_nothing_from_the_cut_on(table: pa.Table) -> None:
    quick = replace(SMALL, course=replace(COURSE, recipe=replace(RECIPE, epochs=1)))
    until = Payments.of(table).between(None, CUT)
    cut_off = train(table.take(list(range(len(until)))), CUT, quick)
    whole = train(table, CUT, quick)
    assert whole.threshold == cut_off.threshold and whole.scales == cut_off.scales
    assert all(torch.equal(a, b) for a, b in zip(whole.network.parameters(), cut_off.network.parameters(), strict=True))


def test_the_shares_of_the_columns_add_up_to_the_score_of_the_boosting() -> None:
    draw = np.random.default_rng(0)
    values = draw.normal(size=(2000, 4))
    values[draw.random(values.shape) < 0.1] = np.nan
    truth = (np.nan_to_num(values[:, 0]) + draw.normal(size=2000) > 1).astype(float)
    features = Features(("a", "b", "c", "d"), values)
    boost = Boost.fit(features, truth, features, truth)
    score = boost.score(features)
    assert np.allclose(boost.shares(features).sum(1) + boost.middle(), score, atol=1e-6)
    assert np.abs(boost.shares(features)).mean(0).argmax() == 0
    with pytest.raises(ModelError, match="columns in an order"):
        boost.score(Features(("b", "a", "c", "d"), values))


def test_the_trees_score_as_scikit_learn_does_and_read_back_to_the_bit() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    draw = np.random.default_rng(1)
    values = draw.normal(size=(1500, 3))
    values[draw.random(values.shape) < 0.1] = np.nan
    truth = np.nan_to_num(values[:, 1]) + draw.normal(size=1500) > 0.5
    model = HistGradientBoostingClassifier(max_iter=30, early_stopping=False, random_state=0).fit(values, truth)
    features = Features(("a", "b", "c"), values)
    boost = Boost.of(model, features.names, 20)
    staged = list(model.staged_decision_function(values))[19]
    assert boost.rounds == 20 and np.allclose(np.ravel(staged), boost.score(features), atol=1e-6)
    again = Boost.read(boost.names, boost.start, boost.arrays())
    assert np.array_equal(again.score(features), boost.score(features))
    with pytest.raises(ModelError, match="no node or column"):
        Boost.read(("a",), boost.start, boost.arrays())
    with pytest.raises(ModelError, match="no trees of a detector"):
        Boost.read(boost.names, boost.start, {"sizes": np.array([3])})


WIRINGS = [
    Wiring(dim=8),
    Wiring(dim=8, aggregate="pna"),
    Wiring(dim=8, reverse=False),
    Wiring(dim=8, ports=False, ego=False, updates=False),
    Wiring(dim=8, layers=3),
]


@pytest.mark.parametrize("wiring", WIRINGS, ids=repr)
def test_a_score_depends_on_no_other_transfer_of_its_batch(wiring: Wiring, later: tuple[Payments, np.ndarray]) -> None:
    payments, rows = later
    near, model = Neighbourhood(Past.of(payments, STRICT), (4, 2)), Network(wiring).eval()
    whole = logits(model, near, rows[:40])
    single = np.concatenate([logits(model, near, rows[k : k + 1]) for k in range(40)])
    assert np.allclose(whole, single, atol=1e-5) and np.unique(whole).size > 1


@pytest.mark.parametrize("layers", [2, 3])
def test_transfers_left_out_of_late_layers_could_not_have_reached_a_score(
    layers: int, later: tuple[Payments, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    payments, rows = later
    batch = Neighbourhood(Past.of(payments, STRICT), (4, 2)).of(rows[:30])
    model = Network(Wiring(dim=8, layers=layers)).eval()
    trimmed = model(batch)
    monkeypatch.setattr("gnn.payments.network._needed", lambda b, n: [torch.ones(len(b.source), dtype=torch.bool)] * n)
    assert torch.allclose(trimmed, model(batch), atol=1e-5)


@pytest.mark.parametrize(("off", "columns"), [("ports", (3, 4)), ("amounts", (0, 1))], ids=["ports", "amounts"])
def test_what_is_switched_off_is_not_read(
    off: str, columns: tuple[int, ...], later: tuple[Payments, np.ndarray]
) -> None:
    payments, rows = later
    batch = Neighbourhood(Past.of(payments, STRICT), (4, 2)).of(rows[:30])
    noise = batch.edges.clone()
    noise[:, columns] = torch.randn(len(noise), len(columns))
    other = replace(batch, edges=noise)
    for on in (True, False):
        model = Network(replace(Wiring(dim=8), **{off: on})).eval()
        assert torch.equal(model(batch), model(other)) is not on


def test_a_network_without_ego_ids_does_not_read_the_marks_but_still_scores_the_right_transfer(
    later: tuple[Payments, np.ndarray],
) -> None:
    payments, rows = later
    batch = Neighbourhood(Past.of(payments, STRICT), (4, 2)).of(rows[:10])
    assert batch.ego.sum(0).tolist() == [10, 10]
    assert torch.equal(batch.ego[batch.source[:10], 0], torch.ones(10))
    assert torch.equal(batch.edges[:, 5], (torch.arange(len(batch.edges)) < 10).float())


def test_probabilities_of_a_model_that_separates_the_classes_are_near_the_outcome() -> None:
    truth = (np.arange(5000) >= 4900).astype(float)
    for score in (np.where(truth > 0, 9.0, -9.0), np.where(truth > 0, 900.0, -900.0) + np.arange(5000) / 5000):
        found = platt(score, truth)(score)
        assert found[truth > 0].min() > 0.9 and found[truth == 0].max() < 0.02
    with pytest.raises(ModelError, match="both outcomes"):
        platt(np.ones(3), np.zeros(3))


def test_figures_of_a_small_ranking_are_those_counted_by_hand() -> None:
    truth = np.array([1.0, 0.0, 1.0, 0.0, 0.0])
    score = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    judged = Judged(truth, score, np.full(5, 0.4), best_threshold(truth, score))
    assert judged.threshold == 3.0
    found = measure(judged, np.arange(5))
    assert found["F1"].value == pytest.approx(0.8)
    assert found["AUPRC"].value == pytest.approx((1 + 2 / 3) / 2)
    assert recall(judged) == 0.5 and precision(judged) == pytest.approx(0.4)
    assert found["Brier"].value == pytest.approx(0.24) and found["ECE"].value == pytest.approx(0.0)
    assert gap(judged, judged, np.arange(5), precision).value == 0


def test_equal_scores_are_ties_unless_nothing_tells_the_transfers_apart() -> None:
    score = np.array([3.0, 3.0, 2.0, 1.0])
    assert ties(score, top=4) == 0.5
    assert ties(score, top=4, alike=np.array([7, 7, 1, 2])) == 0
    assert ties(score, top=4, alike=np.array([7, 8, 1, 2])) == 0.5
    tied = Judged(np.array([1.0, 0.0]), np.zeros(2), np.zeros(2), 0.0)
    assert recall(tied) == 0 and precision(tied) == 0.5


BAD = {
    "amount is missing": lambda table: table.drop(["amount"]),
    "column amount is empty in 1": lambda table: put(table, "amount", [None]),
    "column amount is no positive amount": lambda table: put(table, "amount", [-3.0]),
    "no positive amount of at least": lambda table: put(table, "amount", [float("inf")]),
    "column truth is neither 0 nor 1": lambda table: put(table, "truth", [0.5]),
    "twice": lambda table: put(table, "id", ["p1"]),
    "has no rows|no payments": lambda table: table.slice(0, 0),
    "convert them to one currency": lambda table: table.append_column(
        "currency", [["EUR"] + ["USD"] * (len(table) - 1)]
    ),
    "times with a zone": lambda table: table.set_column(4, "time", table["time"].cast(pa.timestamp("us"))),
}


def put(table: pa.Table, name: str, head: list[object]) -> pa.Table:
    place = table.column_names.index(name)
    return table.set_column(place, name, pa.array([*head, *table[name].to_pylist()[1:]]))


@pytest.mark.parametrize("message", BAD)
def test_a_bad_table_is_refused_by_what_is_wrong_with_it(message: str, table: pa.Table) -> None:
    with pytest.raises(ModelError, match=message):
        Payments.of(BAD[message](table))


def test_training_is_refused_without_labels_or_with_one_kind_of_transfer(table: pa.Table) -> None:
    with pytest.raises(ModelError, match="no column `truth`"):
        train(table.drop(["truth"]), CUT, SMALL)
    with pytest.raises(ModelError, match="training part has 0 laundering"):
        train(table, START + timedelta(days=20), SMALL)
    with pytest.raises(ModelError, match="has no zone"):
        train(table, datetime(2024, 3, 1), SMALL)
    with pytest.raises(ModelError, match="positive length"):
        Protocol(0)
