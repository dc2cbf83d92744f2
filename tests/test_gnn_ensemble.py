"""Several models as one, figures with intervals, and the next value of an amount."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, precision_score, recall_score

from gnn import classified
from gnn.ensemble import Stack, disagreement, odds, standing
from gnn.regression import amounts, grown
from gnn.risk import cohorts
from gnn.settings import Settings
from gnn.tensors import fitted_table
from gnn.views import Views, months
from kg.errors import ModelError
from kg.model import Claim, ClaimBatch, Evidence, Node, RunManifest, digest
from tests.gnn_world import CUT, build, day


def members(count: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Two members that each see half of the signal, and one that says nothing."""
    draw = np.random.default_rng(seed)
    a, b = draw.normal(size=(2, count))
    truth = (draw.random(count) < 1 / (1 + np.exp(-2 * a - 2 * b))).astype(float)
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731  # one line reads better here
    return {"a": sigmoid(1.2 * a), "b": sigmoid(1.2 * b), "noise": draw.random(count)}, truth


def test_an_ensemble_of_members_that_see_different_things_beats_the_best_of_them() -> None:
    seen, truth = members(1000, 1)
    later, outcome = members(4000, 2)
    stack = Stack.of(seen, truth)
    whole = stack(later)
    assert min(stack.weights) >= 0 and stack.weights[2] < 0.1 < min(stack.weights[:2])
    line = standing("Links", later, whole, outcome)
    assert "stands beside its best member" in line and "may be chance" not in line
    assert classified.log_loss(outcome, whole) < min(classified.log_loss(outcome, p) for p in later.values()) - 0.05


def test_an_ensemble_that_loses_is_said_to_fall_behind() -> None:
    later, outcome = members(4000, 2)
    assert "falls behind its best member" in standing("Risk", later, later["noise"], outcome)


def test_a_member_that_says_the_opposite_gets_no_weight_and_a_copy_shares_it() -> None:
    seen, truth = members(2000, 3)
    stack = Stack.of({"a": seen["a"], "copy": seen["a"], "turned": 1 - seen["b"]}, truth)
    assert stack.weights[0] == pytest.approx(stack.weights[1], rel=1e-3) and stack.weights[2] == 0.0


def test_a_rate_that_changes_with_time_does_not_move_the_ensemble_of_calibrated_members() -> None:
    """Where the outcome was frequent by luck a constant would say so of all that comes; the weights alone do not."""
    seen, truth = members(1000, 5)
    often = np.random.default_rng(6).random(1000) < np.where(truth > 0, 1.0, 0.3)
    stack = Stack.of({name: p[often] for name, p in seen.items()}, truth[often])
    even = {name: np.full(3, 0.5) for name in seen}
    assert stack(even) == pytest.approx(0.5)


def test_with_one_outcome_only_the_members_weigh_alike() -> None:
    seen, _ = members(50, 4)
    stack = Stack.of(seen, np.zeros(50))
    assert stack.weights == pytest.approx((1 / 3,) * 3)
    assert odds(stack(seen)) == pytest.approx(np.mean([odds(p) for p in seen.values()], axis=0))
    with pytest.raises(ModelError, match="at least one"):
        Stack.of({}, np.zeros(0))


def test_disagreement_is_zero_where_all_say_the_same() -> None:
    found = disagreement({"a": np.array([0.2, 0.9]), "b": np.array([0.2, 0.1])})
    assert found == pytest.approx([0.0, 0.4])


def test_every_figure_has_an_interval_around_it_and_is_what_sklearn_says() -> None:
    draw = np.random.default_rng(0)
    truth = (draw.random(400) < 0.3).astype(float)
    p = np.clip(0.3 + 0.3 * (truth - 0.3) + 0.2 * draw.normal(size=400), 0.01, 0.99)
    at = classified.threshold(truth, p)
    found = {name: (value, low, high) for name, value, low, high in classified.figures(truth, p, 0, at)}
    assert set(found) == {"brier", "auprc", "auroc", "log_loss", "ece", "accuracy", "precision", "recall", "f1"}
    assert all(low < value < high for name, (value, low, high) in found.items() if name != "ece")
    called = p >= at
    for name, tell in (
        ("accuracy", accuracy_score), ("precision", precision_score), ("recall", recall_score), ("f1", f1_score)
    ):  # fmt: skip
        assert found[name][0] == pytest.approx(tell(truth, called))
    assert found["auprc"][0] == pytest.approx(average_precision_score(truth, p))
    assert found["f1"][0] == pytest.approx(max(f1_score(truth, p >= t) for t in p))


def test_figures_of_outcomes_that_never_came_are_no_numbers_rather_than_errors() -> None:
    found = {name: value for name, value, *_ in classified.figures(np.zeros(20), np.full(20, 0.1), 0)}
    assert np.isnan(found["recall"]) and np.isnan(found["auprc"]) and found["accuracy"] == 1.0
    assert classified.threshold(np.zeros(3), np.zeros(3)) == 0.5


def test_the_root_of_the_mean_square_is_the_one_by_hand() -> None:
    name, value, low, high = classified.told("rmse", classified.rmse, np.array([1.0, 2, 3]), np.array([1.0, 2, 5]), 0)
    assert name == "rmse" and value == pytest.approx((4 / 3) ** 0.5, abs=1e-12) and low <= value <= high


def test_next_years_revenue_is_predicted_better_than_by_the_last_one(tmp_path: Path) -> None:
    """Revenue grows by four times the margin of the year before: the facts carry what the last value does not."""
    own, draw = build(tmp_path, firms=48), np.random.default_rng(1)
    said = []
    for firm in own.firms:
        revenue, year = float(draw.lognormal(17, 1.0)), 2018
        while year < 2024:
            margin, end = draw.uniform(-0.1, 0.1), day(year, 11)
            figures = {
                "revenue": Decimal(int(revenue)),
                "net_income": Decimal(int(revenue * margin)),
                "currency": "EUR",
            }
            evidence = Evidence(digest(b"books"), f"row:{len(said)}", f"row {len(said)}", "registers.world@1")
            said.append(Claim(Node("Company", firm, figures, key=str(year)), evidence, end + timedelta(days=50), end))
            revenue, year = revenue * float(np.exp(4 * margin + 0.05 * draw.normal())), year + 1
    own.ledger.commit(ClaimBatch.of(said), RunManifest("ingest", {"books": 1}))
    views = Views(own.ledger, own.files, None)
    settings = Settings(modalities=("numeric",))
    start = months(CUT, -12)
    both = cohorts(views, [fitted_table(views.snapshot(start), start)], CUT, settings)
    got = grown(views, both[1], "revenue", settings.window)
    ids = [both[1].graph.ids[row] for row in both[1].rows.tolist()]
    assert {ids[place] for place in got.rows} == set(own.firms) & set(ids)
    found = amounts(views, both, "revenue", settings.window, 0)
    rows = {row["model"]: row for row in found.metrics}
    assert rows["ridge"]["value"] < rows["persistence"]["value"] and rows["ridge"]["high"] > rows["ridge"]["value"]
    assert found.remarks[0].startswith("Amounts: the ridge beats the last value said")
    with pytest.raises(ModelError, match="no money of the ontology"):
        amounts(views, both, "name", settings.window, 0)
