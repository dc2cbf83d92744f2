"""Promises that are kept: calibration by relation, sets that hold the truth, outcomes, and the alarm."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gnn.alarm import alarm, jumper, online, within
from gnn.calibrate import Isotonic, Platt, best, by_relation, expected_error, isotonic, losses
from gnn.conformal import (
    NEW,
    LinkSets,
    Verdicts,
    band,
    both_sides,
    covered,
    groups,
    limit,
    strangeness,
    tables,
    uniform,
)
from gnn.model import Model, Shape
from gnn.tensors import GraphTensors
from gnn.trust import QUIET, heard
from gnn.vocabulary import RELATIONS, Vocabulary
from kg.errors import ModelError
from tests.test_gnn_convolution import SUPPLIES, graph


class Given(Model):
    """Scores as they are given, whatever the question: the protocol alone is tested."""

    name = "given"

    def __init__(self, own: GraphTensors, scores: torch.Tensor) -> None:
        super().__init__(Shape.of(own), {})
        self.scores = scores

    def embed(self, graph: GraphTensors) -> torch.Tensor:
        return self.scores

    def score_tails(self, graph: GraphTensors, heads: torch.Tensor, relations: torch.Tensor) -> torch.Tensor:
        return self.scores[heads]


def drawn(count: int, seed: int, skew: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores with true log odds 2 skew s."""
    draw = np.random.default_rng(seed)
    score = draw.normal(size=count)
    return score, (draw.random(count) < 1 / (1 + np.exp(-2 * skew * score))).astype(float)


def asked(own: GraphTensors, scores: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """Questions whose answers are drawn from the softmax of the scores."""
    generator = torch.Generator().manual_seed(seed)
    heads = torch.randint(len(own), (count,), generator=generator)
    tails = torch.multinomial(scores[heads].softmax(1), 1, generator=generator)[:, 0]
    return torch.stack([heads, torch.full((count,), SUPPLIES), tails], dim=1)


def firms(count: int = 40) -> GraphTensors:
    """Firms that each own the next one, so that none is a newcomer."""
    return graph([[n, RELATIONS.index("OWNS"), (n + 1) % count] for n in range(count)], count)


@pytest.fixture(scope="module")
def model() -> Given:
    return Given(firms(), 2 * torch.randn(40, 40, generator=torch.Generator().manual_seed(4)))


def test_isotonic_calibration_keeps_the_order_and_stays_off_certainty() -> None:
    score, truth = drawn(400, 1)
    found = isotonic(score, truth)(np.sort(score))
    assert (np.diff(found) >= 0).all() and 0 < found.min() < found.max() < 1
    with pytest.raises(ModelError, match="got none"):
        isotonic(np.zeros(0), np.zeros(0))


def test_the_kind_of_calibration_is_the_one_with_the_lower_loss_out_of_fold() -> None:
    assert isinstance(best(*drawn(300, 2))[0], Platt)  # a sigmoid is what made these
    draw = np.random.default_rng(3)
    score = draw.uniform(-1, 1, 4000)
    steps = np.where(np.abs(score) < 0.5, 0.5, np.where(score > 0, 0.6, 0.05))
    assert isinstance(best(score, (draw.random(4000) < steps).astype(float))[0], Isotonic)


def test_a_relation_with_enough_scores_gets_its_own_calibration_and_a_rare_one_shares() -> None:
    parts = [drawn(2000, 5), drawn(2000, 6, skew=-0.02), drawn(60, 7, skew=3.0)]
    score, truth = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    relation = np.repeat([0, 1, 2], [2000, 2000, 60])
    found = by_relation(score, truth, relation)
    assert set(found.own) == {0, 1}
    fresh = [drawn(4000, 8), drawn(4000, 9, skew=-0.02)]
    for number, (own, what) in enumerate(fresh):
        said = found(own, np.full(4000, number))
        assert expected_error(said, what) < 0.05 < expected_error(found.pooled(own), what)
        assert losses(what, said).mean() < losses(what, found.pooled(own)).mean()
    assert np.array_equal(found(score[-60:], relation[-60:]), found.pooled(score[-60:]))


@pytest.mark.parametrize("kind", ["mass", "rank"])
def test_sets_hold_the_answer_as_often_as_promised(model: Given, kind: str) -> None:
    own = firms()
    early, late = asked(own, model.scores, 1500, 1), asked(own, model.scores, 1500, 2)
    strange = strangeness(model, own, early, kind)  # type: ignore[arg-type]  # of a parameter
    sets = LinkSets.of(strange, early[:, 1].numpy(), 0.1, kind)  # type: ignore[arg-type]  # of a parameter
    (found,) = covered(sets, model, own, late)
    low, high = band(1500, 0.9, calibration=1500)
    assert low <= found.share <= high and found.own and found.relation == SUPPLIES
    assert 1 < found.size < 20


def test_a_better_model_has_smaller_sets_and_both_keep_the_promise(model: Given) -> None:
    own = firms()
    blurred = Given(own, model.scores + 3 * torch.randn(40, 40, generator=torch.Generator().manual_seed(5)))
    sizes = []
    for one in (model, blurred):
        early, late = asked(own, model.scores, 1500, 1), asked(own, model.scores, 1500, 2)
        sets = LinkSets.of(strangeness(one, own, early), early[:, 1].numpy())
        (found,) = covered(sets, one, own, late)
        assert found.share == pytest.approx(0.9, abs=0.04)
        sizes.append(found.size)
    assert sizes[0] < sizes[1] - 3


def test_few_questions_share_the_limit_of_all_and_too_few_promise_nothing() -> None:
    strange = np.linspace(0, 1, 230)
    relation = np.repeat([0, 1], [210, 20])
    sets = LinkSets.of(strange, relation)
    assert set(sets.own) == {0} and sets.limits(np.array([0, 1]))[1] == sets.pooled
    assert limit(np.arange(8.0), 0.1) == np.inf and limit(np.arange(9.0), 0.1) == 8.0 and sets.new == np.inf
    with pytest.raises(ModelError, match="alpha is 1"):
        LinkSets.of(strange, relation, alpha=1.0)


def test_a_year_with_many_newcomers_breaks_one_limit_for_all_and_not_a_limit_of_their_own(model: Given) -> None:
    """Firms 30 to 39 have no link: the model is right about the others and knows nothing of these."""
    own = graph([[n, RELATIONS.index("OWNS"), (n + 1) % 30] for n in range(30)], 40)
    draw = torch.Generator().manual_seed(6)
    known = Given(own, torch.cat([model.scores[:, :30], model.scores[:, 30:] - 4], dim=1))

    def year(news: int, seed: int) -> torch.Tensor:
        old = asked(own, known.scores, 1500, seed)
        old = old[(groups(own, old) != NEW)]
        ends = torch.stack(
            [torch.randint(30, (news,), generator=draw), torch.randint(30, 40, (news,), generator=draw)], dim=1
        )
        return torch.cat([old, torch.stack([ends[:, 0], torch.full((news,), SUPPLIES), ends[:, 1]], dim=1)])

    early, late = year(40, 1), year(400, 2)
    strange = strangeness(known, own, early)
    sets = LinkSets.of(strange, groups(own, early))
    shares = []
    for limits in (replace(sets, new=sets.own[SUPPLIES]), sets):
        (found,) = covered(limits, known, own, late)
        shares.append(found.share)
    assert (groups(own, late) == NEW).sum() == 400
    assert shares[0] < 0.8 and shares[1] > 0.88


def test_newcomers_are_no_alarm_where_they_stay_as_strange_as_they_were() -> None:
    draw = np.random.default_rng(4)
    group = np.concatenate([draw.random(600) < 0.02, draw.random(600) < 0.4]).astype(int)
    stream = np.where(group == 1, 0.9 + 0.1 * draw.random(1200), draw.random(1200))
    assert alarm(online(np.zeros(0), stream)).fired and not alarm(within(group, stream)).fired


def test_what_the_graph_holds_and_what_has_a_wrong_label_is_in_no_set(model: Given) -> None:
    own = graph([[0, SUPPLIES, 1], [0, SUPPLIES, 2]], 40)
    found = next(tables(model, own, torch.tensor([[0, SUPPLIES]])))[1][0]
    assert np.isinf(found[[1, 2]]).all() and np.isfinite(found[[3, 4]]).all()
    assert found[np.isfinite(found)].min() > 0 and found[np.isfinite(found)].max() < 1
    with pytest.raises(ModelError, match="ask for new triples"):
        strangeness(model, own, torch.tensor([[0, SUPPLIES, 1]]))


def test_both_sides_are_asked_and_the_head_has_a_relation_of_its_own() -> None:
    own = firms()
    sides = both_sides(own, torch.tensor([[3, SUPPLIES, 4]]))
    assert sides.tolist() == [[3, SUPPLIES, 4], [4, SUPPLIES + len(RELATIONS), 3]]
    assert len(Vocabulary.plain(["a"]).relations) == 1


def test_the_draw_of_a_triple_is_its_own_and_even() -> None:
    found = uniform(7, np.arange(20_000))
    assert np.array_equal(found, uniform(7, np.arange(20_000))) and not np.array_equal(
        found, uniform(8, np.arange(20_000))
    )
    assert abs(found.mean() - 0.5) < 0.01 and np.histogram(found, 10, (0, 1))[0].min() > 1800


def test_each_outcome_of_a_firm_is_kept_as_often_as_promised() -> None:
    draw = np.random.default_rng(1)
    truth = (draw.random(6000) < 0.15).astype(float)
    p = 1 / (1 + np.exp(-(draw.normal(size=6000) - 2 + 2.5 * truth)))
    verdicts = Verdicts.of(p[:3000], truth[:3000], 0.1)
    possible = verdicts.possible(p[3000:])
    for outcome in (0, 1):
        mine = truth[3000:] == outcome
        low, high = band(int(mine.sum()), 0.9, calibration=int((truth[:3000] == outcome).sum()))
        assert low <= possible[mine, outcome].mean() <= high
    assert set(verdicts.words(p[3000:])) >= {"sound", "either"}
    assert Verdicts.of(p[:50], np.zeros(50), 0.1).words(np.array([0.001]))[0] == "either"  # no failure was ever seen


def test_false_alarms_are_as_rare_as_promised() -> None:
    rang = 0
    for seed in range(200):
        draw = np.random.default_rng(seed)
        rang += alarm(online(draw.normal(size=100), draw.normal(size=300), seed), level=0.05).fired
    assert rang <= band(200, 0.05)[1] * 200


@pytest.mark.parametrize("shift", [0.8, -0.8])
def test_the_alarm_rings_when_the_stream_changes_on_purpose(shift: float) -> None:
    draw = np.random.default_rng(2)
    stream = draw.normal(size=600) + shift * (np.arange(600) >= 200)
    said = alarm(online(draw.normal(size=300), stream))
    assert said.fired and said.at is not None and 200 < said.at < 500
    assert not alarm(online(draw.normal(size=300), stream[:200])).fired


def test_a_quiet_alarm_is_no_word_on_sets_that_fall_short() -> None:
    quiet, loud = alarm(np.full(50, 0.5)), alarm(np.full(200, 0.001))
    assert loud.fired and not quiet.fired
    assert "stayed quiet" in heard(quiet, 50, short=True) and heard(quiet, 50, short=True).endswith(QUIET)
    assert QUIET not in heard(quiet, 50, short=False) and QUIET not in heard(loud, 200, short=True)


def test_ties_are_drawn_so_that_p_values_are_even_and_the_martingale_expects_nothing() -> None:
    draw = np.random.default_rng(3)
    p = online(draw.integers(0, 3, 500).astype(float), draw.integers(0, 3, 3000).astype(float))
    assert np.histogram(p, 10, (0, 1))[0].min() > 220
    stakes = [10 ** jumper(np.random.default_rng(seed).random(20))[-1] for seed in range(2000)]
    assert np.mean(stakes) == pytest.approx(1.0, abs=0.05)
