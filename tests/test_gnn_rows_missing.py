"""Missing, scarce and mis-scaled modalities, on firms whose distress is planted in vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from gnn.balance import weights
from gnn.checkpoint import load_tensors, save_tensors
from gnn.evaluate import auroc
from gnn.head import Cohort, Head
from gnn.heads.network import Distress, Network
from gnn.missing import Margins, log_odds, quantile, shown, subsets
from gnn.model import Shape
from gnn.scale import Scale
from kg import plugins
from kg.errors import ModelError
from tests.planted_rows import layered, scaled, scarce

STRENGTHS = {"image": 0.7, "numeric": 1.4, "text": 2.8}
"""What each modality adds to the log odds, per standard deviation: the planted information, least first."""
NAMES = sorted(STRENGTHS)
KINDS = plugins.names("gnn.heads")
SEEDS = (0, 1, 2)


def fitted(kind: str, cohorts: Sequence[Cohort], seed: int = 0) -> Head:
    head = plugins.load("gnn.heads", kind, Head)(seed)
    head.fit(cohorts[:-1], cohorts[-1])
    return head


@pytest.fixture(scope="module")
def past() -> list[Cohort]:
    """Cohorts in which each modality of each firm is missing with probability 0.2."""
    return [layered(400, STRENGTHS, seed, missing=0.2) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def networks(past: list[Cohort]) -> list[Head]:
    return [fitted("network", past, seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def later() -> Cohort:
    return layered(2000, STRENGTHS, 99)


@pytest.fixture(scope="module")
def margins(networks: list[Head]) -> Margins:
    return Margins.of(networks, layered(1000, STRENGTHS, 60), NAMES, coverage=0.9)


@pytest.mark.parametrize("kind", KINDS)
def test_every_subset_of_modalities_gives_a_finite_probability(
    kind: str, past: list[Cohort], networks: list[Head], later: Cohort
) -> None:
    head = networks[0] if kind == "network" else fitted(kind, past)
    for pattern in subsets(NAMES):
        probability = head.predict(shown(later, pattern))
        assert np.isfinite(probability).all() and ((probability > 0) & (probability < 1)).all(), pattern


@pytest.mark.parametrize("kind", KINDS)
def test_a_modality_that_was_never_learned_changes_nothing(kind: str, past: list[Cohort], later: Cohort) -> None:
    head = fitted(kind, [shown(own, frozenset({"numeric"})) for own in past])
    assert np.array_equal(head.predict(later), head.predict(shown(later, frozenset({"numeric"}))))


def test_the_less_is_there_the_wider_is_the_interval(margins: Margins) -> None:
    for own in subsets(NAMES):
        for other in subsets(NAMES):
            if own < other:
                assert margins.width[own] >= margins.width[other], (own, other)
    whole = margins.width[frozenset(NAMES)]
    assert all(whole < width < np.inf for own, width in margins.width.items() if len(own) < len(NAMES))


def test_the_interval_is_wider_the_more_was_planted_in_what_is_hidden(margins: Margins) -> None:
    hidden = [margins.width[frozenset(NAMES) - {name}] for name in sorted(STRENGTHS, key=STRENGTHS.__getitem__)]
    assert hidden == sorted(hidden) and hidden[0] < hidden[-1] / 1.3


def test_what_would_be_said_with_everything_known_is_in_the_interval_as_often_as_promised(
    networks: list[Head], margins: Margins, later: Cohort
) -> None:
    """For each pattern by itself; with one width for all of them the pattern that knows least would fall short."""
    full, shares, pooled = log_odds(networks, later), {}, {}
    one = float(np.median(list(margins.width.values())))
    band = 2.576 * np.sqrt(0.9 * 0.1 * (1 / 1000 + 1 / len(later)))  # both samples are drawn
    for pattern in subsets(NAMES):
        misses = np.abs(log_odds(networks, shown(later, pattern)).mean(0) - full).max(0)
        shares[pattern] = float((misses <= margins.width[pattern]).mean())
        pooled[pattern] = float((misses <= one).mean())
    assert min(shares.values()) > 0.9 - band, shares
    assert shares[frozenset(NAMES)] < 0.9 + band
    assert min(pooled.values()) < 0.9 - 3 * band


def test_a_firm_is_given_the_interval_of_what_it_has_itself(networks: list[Head], margins: Margins) -> None:
    mixed = layered(200, STRENGTHS, 7, missing=0.5)
    middle, low, high = margins.interval(networks, mixed)
    assert ((low < middle) & (middle < high) & (low > 0) & (high < 1)).all()
    has = mixed.graph.present(NAMES).numpy()
    odds = lambda p: np.log(p / (1 - p))  # noqa: E731  # one line reads better here
    for row in (0, 50, 150):
        pattern = frozenset(np.array(NAMES)[has[row]].tolist())
        assert odds(high[row]) - odds(middle[row]) == pytest.approx(margins.width[pattern], abs=1e-6)


def test_too_few_firms_promise_nothing_and_the_score_stays(networks: list[Head], later: Cohort) -> None:
    few = Margins.of(networks, layered(8, STRENGTHS, 61), NAMES, coverage=0.9)
    assert set(few.width.values()) == {np.inf}
    middle, low, high = few.interval(networks, later)
    assert np.isfinite(middle).all() and low.max() < 1e-20 and high.min() > 1 - 1e-9
    assert quantile(np.arange(9.0), 0.9) == 8.0 and quantile(np.arange(8.0), 0.9) == np.inf


@pytest.mark.parametrize(("coverage", "names"), [(1.0, NAMES), (0.0, NAMES), (0.9, [])])
def test_margins_that_cannot_be_are_refused(networks: list[Head], coverage: float, names: list[str]) -> None:
    with pytest.raises(ModelError, match="coverage between 0 and 1"):
        Margins.of(networks, layered(50, STRENGTHS, 1), names, coverage)


def told(networks: list[Head], cohort: Cohort, pattern: frozenset[str]) -> float:
    """AUROC with these modalities only, mean over the seeds."""
    return float(np.mean([auroc(cohort.truth, head.predict(shown(cohort, pattern))) for head in networks]))


def test_the_drop_grows_with_what_was_planted(networks: list[Head], later: Cohort) -> None:
    """Each modality hidden alone, and one after another from the least to the most."""
    order = sorted(STRENGTHS, key=STRENGTHS.__getitem__)
    alone = [told(networks, later, frozenset(NAMES) - {name}) for name in order]
    assert alone == sorted(alone, reverse=True) and alone[0] > alone[-1] + 0.1
    curve = [told(networks, later, frozenset(order[hidden:])) for hidden in range(len(order) + 1)]
    assert curve == sorted(curve, reverse=True) and curve[0] > 0.8 and curve[-1] == 0.5


# Scale


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fits of a few epochs: whether a unit matters does not hang on their number."""
    monkeypatch.setattr(Network, "recipe", replace(Network.recipe, epochs=8))


def asked_in(kind: str, modality: str, factor: float) -> np.ndarray:
    """Probabilities of firms by a head that was fitted and asked with one modality in another unit."""
    past, now = [layered(150, STRENGTHS, seed, missing=0.2) for seed in (1, 2, 3)], layered(300, STRENGTHS, 9)
    return fitted(kind, [scaled(own, modality, factor) for own in past]).predict(scaled(now, modality, factor))


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("modality", NAMES)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "base_rate"])
def test_a_thousand_times_one_modality_leaves_the_ranking_as_it_was(kind: str, modality: str) -> None:
    """A power of two leaves every bit; a thousand leaves what the rounding of its multiples does to a fit."""
    before = asked_in(kind, modality, 1.0)
    assert np.array_equal(asked_in(kind, modality, 1024.0), before)
    assert spearmanr(asked_in(kind, modality, 1000.0), before).statistic > 0.9999


@pytest.mark.usefixtures("short")
def test_without_the_scale_the_ranking_would_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scale, "forward", lambda self, values: values)
    assert spearmanr(asked_in("network", "numeric", 1000.0), asked_in("network", "numeric", 1.0)).statistic < 0.99


def test_the_scale_is_of_the_train_window_and_nothing_later_moves_it() -> None:
    scale, train = Scale("text", 4), torch.randn(50, 4) * 7 + 3
    scale.train()(train)
    centre, spread = scale.centre.clone(), scale.spread.clone()
    assert torch.allclose(centre, train.mean(0), atol=1e-5)
    scale(train * 20)  # a later pass in training
    scale.eval()(train * 20 + 1)
    assert torch.equal(scale.centre, centre) and torch.equal(scale.spread, spread)
    rows = scale(train)
    assert torch.equal(scale(train[3:4])[0], rows[3])  # alone as beside others
    assert rows.square().mean().sqrt().item() == pytest.approx(1.0, abs=1e-4)


def test_the_scale_of_a_head_is_that_of_a_cohort_it_learned_from_whatever_is_asked_later(
    past: list[Cohort], networks: list[Head]
) -> None:
    model = network(networks)
    kept = {name: value.clone() for name, value in model.state_dict().items() if ".scale." in name}
    means = [own.graph.features["text"].values.mean(0) for own in past]
    assert any(torch.allclose(kept["encoder.fusion.scale.text.centre"], mean, atol=1e-6) for mean in means)
    networks[0].predict(scaled(past[0], "text", 5.0))
    assert len(kept) == 6 and all(torch.equal(model.state_dict()[name], value) for name, value in kept.items())


def network(networks: list[Head]) -> Distress:
    assert isinstance(networks[0], Network)
    return networks[0].model


def test_the_scale_is_kept_with_the_weights(past: list[Cohort], networks: list[Head], tmp_path: Path) -> None:
    model = network(networks)
    save_tensors(tmp_path, model.state_dict(), {})
    again = Distress(Shape(0, dict.fromkeys(NAMES, 12)), 0.5, seed=8).eval()
    again.load_state_dict(load_tensors(tmp_path)[0])
    with torch.no_grad():
        assert torch.equal(again(past[1]), model(past[1]))
    assert (again.state_dict()["encoder.fusion.scale.text.spread"] > 0).item()


def test_another_unit_at_scoring_is_told_and_not_scored(past: list[Cohort], networks: list[Head]) -> None:
    with pytest.raises(ModelError, match=r"modality numeric: half of the vectors lie more than \d+ spreads"):
        networks[0].predict(scaled(past[0], "numeric", 1000.0))


@pytest.mark.parametrize(("bad", "says"), [(float("nan"), "NaN or infinity"), (float("inf"), "NaN or infinity")])
def test_a_vector_that_is_no_number_is_named(past: list[Cohort], networks: list[Head], bad: float, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        networks[0].predict(scaled(past[0], "text", bad))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "base_rate"])
def test_vectors_of_another_length_are_refused(kind: str, past: list[Cohort], networks: list[Head]) -> None:
    head, own = networks[0] if kind == "network" else fitted(kind, past), past[0]
    features = own.graph.features
    cut = {name: type(f)(f.rows, f.values[:, :5]) for name, f in features.items()}
    other = type(own)(own.graph.with_features(cut), own.rows, own.truth, own.stricken)
    with pytest.raises(ModelError, match=r"numbers|columns"):
        head.predict(other)
    with pytest.raises(ModelError, match="one encoder for all cohorts"):
        fitted(kind, [*past, other])


# Balance


def test_rows_of_a_scarce_modality_weigh_as_if_all_had_it() -> None:
    present = torch.zeros(200, 2, dtype=torch.bool)
    present[:, 0], present[:10, 1] = True, True
    full, half = weights(present, 1.0), weights(present, 0.5)
    assert full.mean().item() == pytest.approx(1.0) and (full[:10] / full[10]).tolist() == pytest.approx([20.0] * 10)
    assert (half[:10] / half[10]).tolist() == pytest.approx([20.0**0.5] * 10)
    assert torch.equal(weights(present, 0.0), torch.ones(200))


def test_rows_without_any_modality_and_no_rows_at_all_have_a_weight() -> None:
    present = torch.tensor([[True], [False], [False], [False]])
    assert (weights(present, 1.0)[0] / weights(present, 1.0)[1]).item() == pytest.approx(4.0)
    assert weights(present[:0], 1.0).shape == (0,) and torch.equal(weights(present[:, :0], 1.0), torch.ones(4))


@pytest.mark.parametrize("balance", [-0.1, 1.1, float("nan")])
def test_a_balance_that_is_none_is_refused(balance: float) -> None:
    with pytest.raises(ModelError, match="from 0"):
        weights(torch.ones(3, 1, dtype=torch.bool), balance)


def gains(seeds: Sequence[int]) -> np.ndarray:
    """(seeds, 2) gain in AUROC by weighing, on the firms with the modality that 5 % have, and on the others."""
    found = []
    for seed in seeds:
        past, now = [scarce(500, 0.05, 100 * seed + part) for part in range(4)], scarce(4000, 0.5, 100 * seed + 99)
        own = now.graph.present(["image"])[:, 0].numpy()
        row = []
        for balance in (0.0, 1.0):
            head = Network(seed)
            head.balance = balance
            head.fit(past[:3], past[3])
            score = head.predict(now)
            row.append([auroc(now.truth[part], score[part]) for part in (own, ~own)])
        found.append(np.subtract(row[1], row[0]))
    return np.array(found)


@pytest.mark.slow
def test_weighing_helps_the_firms_with_a_modality_that_one_in_twenty_has() -> None:
    gain = gains(range(5))[:, 0]
    low = gain.mean() - 2.776 * gain.std(ddof=1) / np.sqrt(len(gain))  # 95 % of Student's t with 4 degrees
    assert low > 0, gain
