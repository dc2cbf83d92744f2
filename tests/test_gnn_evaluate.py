"""Ranks, figures and probabilities against definitions written out."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, roc_auc_score
from torch import Tensor

from gnn.calibrate import expected_error, platt
from gnn.evaluate import auprc, auroc, bootstrap, brier, rank
from gnn.model import Model, Shape
from gnn.models.complex import Complex
from gnn.models.frequency import Frequency
from gnn.sample import allowed, fresh, negatives
from gnn.tensors import GraphTensors
from gnn.thresholds import Thresholds, verdict
from gnn.vocabulary import LABELS, PREDICTABLE, RELATIONS
from kg.errors import ModelError
from tests.test_gnn_convolution import LENDS, SUPPLIES, graph, some_edges


class Fixed(Model):
    """Scores from a table (2 R, nodes, nodes)."""

    name = "fixed"

    def __init__(self, own: GraphTensors, table: Tensor) -> None:
        super().__init__(Shape.of(own), {})
        self.table = table

    def embed(self, graph: GraphTensors) -> Tensor:
        return torch.zeros(len(graph), 2)

    def score_tails(self, graph: GraphTensors, heads: Tensor, relations: Tensor) -> Tensor:
        return self.table[relations, heads]


def by_hand(table: Tensor, own: GraphTensors, triple: tuple[int, int, int], true: set[tuple[int, int, int]]) -> float:
    """Rank of the tail by going through all nodes."""
    h, r, t = triple
    name = RELATIONS[r % len(RELATIONS)]
    fits = allowed(own)[r]
    above = equal = 0
    for node in range(len(own)):
        straight = (h, r, node) if r < len(RELATIONS) else (node, r - len(RELATIONS), h)
        if node == t or not fits[node] or straight in true:
            continue
        above += int(table[r, h, node] > table[r, h, t])
        equal += int(table[r, h, node] == table[r, h, t])
    assert name in RELATIONS
    return 1 + above + equal / 2


@pytest.mark.parametrize("seed", range(3))
def test_filtered_ranks_with_mean_ties_equal_brute_force(seed: int) -> None:
    own = graph(some_edges(20, 60, seed), 20)
    own.labels[::4] = LABELS.index("Person")
    draw = torch.Generator().manual_seed(seed)
    table = torch.randint(0, 5, (2 * len(RELATIONS), 20, 20), generator=draw).float()  # few values: many ties
    asked = torch.tensor([[h, SUPPLIES, t] for h in (1, 2, 3) for t in (5, 6, 7)])
    known = torch.tensor([[1, SUPPLIES, 9], [2, SUPPLIES, 10]])
    true = {tuple(row) for row in torch.cat([own.edges, asked, known]).tolist()}
    found = rank(Fixed(own, table), own, asked, known)
    for row, (h, r, t) in enumerate(asked.tolist()):
        assert found.tails[row] == by_hand(table, own, (h, r, t), true)
        assert found.heads[row] == by_hand(table, own, (t, r + len(RELATIONS), h), true)
    assert found.mrr == pytest.approx(
        np.mean([(1 / a + 1 / b) / 2 for a, b in zip(found.tails, found.heads, strict=True)])
    )


def test_a_model_that_gives_every_node_one_score_gets_nearly_nothing() -> None:
    own = graph(some_edges(400, 300), 400)
    asked = torch.tensor([[1, SUPPLIES, 5], [2, SUPPLIES, 9], [3, SUPPLIES, 300]])
    found = rank(Fixed(own, torch.zeros(2 * len(RELATIONS), 400, 400)), own, asked)
    assert found.mrr < 0.01 and found.hits(10) == 0.0
    perfect = torch.zeros(2 * len(RELATIONS), 400, 400)
    perfect[asked[:, 1], asked[:, 0], asked[:, 2]] = 1.0
    perfect[asked[:, 1] + len(RELATIONS), asked[:, 2], asked[:, 0]] = 1.0
    assert rank(Fixed(own, perfect), own, asked).mrr == 1.0


def test_how_many_scores_are_held_at_once_does_not_change_ranks() -> None:
    own = graph(some_edges(20, 60), 20)
    table = torch.randn(2 * len(RELATIONS), 20, 20)
    whole = rank(Fixed(own, table), own, own.edges)
    parts = rank(Fixed(own, table), own, own.edges, scores=7 * 20)
    assert torch.equal(whole.tails, parts.tails) and torch.equal(whole.heads, parts.heads)


@pytest.mark.parametrize("row", [[20, SUPPLIES, 1], [1, len(RELATIONS), 2], [1, SUPPLIES, -1]])
def test_a_triple_of_a_node_or_relation_nobody_read_is_refused(row: list[int]) -> None:
    own = graph(some_edges(20, 60), 20)
    with pytest.raises(ModelError, match="does not have"):
        rank(Fixed(own, torch.zeros(2 * len(RELATIONS), 20, 20)), own, torch.tensor([[1, SUPPLIES, 2], row]))


def test_a_factorisation_refuses_what_it_has_no_vector_for() -> None:
    own = graph(some_edges(20, 60), 20)
    model = Complex(Shape.of(own), dim=8)
    for head, relation in ((20, SUPPLIES), (1, 2 * len(RELATIONS))):
        with pytest.raises(ModelError, match="it has 20 nodes"):
            model.score_tails(own, torch.tensor([head]), torch.tensor([relation]))


def test_scores_that_are_no_numbers_are_refused() -> None:
    own = graph(some_edges(20, 60), 20)
    table = torch.zeros(2 * len(RELATIONS), 20, 20)
    table[SUPPLIES, 1, 7] = torch.nan
    with pytest.raises(ModelError, match="no numbers"):
        rank(Fixed(own, table), own, torch.tensor([[1, SUPPLIES, 2]]))


def test_infinite_scores_are_ranked_at_the_ends() -> None:
    own = graph([[0, SUPPLIES, 3]], 20)
    table = torch.zeros(2 * len(RELATIONS), 20, 20)
    table[SUPPLIES, 1, 7], table[SUPPLIES, 1, 2] = torch.inf, -torch.inf
    found = rank(Fixed(own, table), own, torch.tensor([[1, SUPPLIES, 2], [1, SUPPLIES, 7], [0, SUPPLIES, 9]]))
    assert found.tails.tolist() == [19.0, 1.0, 1 + 18 / 2]  # the other true tail is left out


scored = st.lists(st.tuples(st.integers(0, 2), st.integers(-3, 3), st.booleans()), min_size=2, max_size=30)


@settings(max_examples=80, deadline=None)
@given(rows=scored)
def test_a_threshold_calls_as_many_rightly_as_any_cut_can(rows: list[tuple[int, int, bool]]) -> None:
    relations, score, truth = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    if truth.min() == truth.max():
        with pytest.raises(ModelError, match="both kinds"):
            Thresholds.fit(relations, score, truth)
        return
    called = Thresholds.fit(relations, score, truth)(relations, score)
    for relation in np.unique(relations):
        own = relations == relation
        tries = [float(((score[own] > cut) == truth[own]).mean()) for cut in np.arange(-3.5, 4)]
        assert (called[own] == truth[own]).mean() == pytest.approx(max(tries))


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_a_verdict_is_that_of_scikit_learn(rows: list[tuple[bool, bool]]) -> None:
    truth, called = (np.array(column) for column in zip(*rows, strict=True))
    found = verdict(truth.astype(float), called)
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, called))
    if truth.any() or called.any():
        assert found["f1"] == pytest.approx(f1_score(truth, called))
    else:
        assert np.isnan(found["f1"])


def test_thresholds_of_scores_that_are_no_numbers_are_refused_and_unknown_relations_get_the_overall_one() -> None:
    relations, truth = np.zeros(4), np.array([0.0, 0.0, 1.0, 1.0])
    fitted = Thresholds.fit(relations, np.array([0.0, 1.0, 2.0, 3.0]), truth)
    assert fitted.overall == 1.5 and fitted(np.array([9, 9]), np.array([1.4, 1.6])).tolist() == [False, True]
    with pytest.raises(ModelError, match="finite"):
        Thresholds.fit(relations, np.array([0.0, np.nan, 2.0, 3.0]), truth)


def test_the_counting_baseline_prefers_what_was_there_then_partners_then_the_popular() -> None:
    own = graph([[0, LENDS, 1], [0, SUPPLIES, 2], [3, LENDS, 4], [5, LENDS, 4], [6, LENDS, 4]], 8)
    scores = Frequency(Shape.of(own)).score_tails(own, torch.tensor([0]), torch.tensor([LENDS]))[0]
    assert scores[1] > scores[2] > scores[4] > scores[7] == 0.0


outcomes = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=4, max_size=40)


@settings(max_examples=80, deadline=None)
@given(outcomes)
def test_figures_equal_those_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    truth, score = np.array([float(t) for t, _ in rows]), np.array([s / 7 for _, s in rows])
    if 0 < truth.sum() < len(truth):
        assert auprc(truth, score) == pytest.approx(average_precision_score(truth, score))
        assert auroc(truth, score) == pytest.approx(roc_auc_score(truth, score))
    assert brier(truth, score) == pytest.approx(np.mean([(t - s) ** 2 for t, s in zip(truth, score, strict=True)]))


def test_the_interval_of_a_mean_covers_it() -> None:
    covered = 0
    for seed in range(40):
        low, high = bootstrap(np.random.default_rng(seed).normal(1.0, 1.0, 80), seed, 300)
        covered += low < 1.0 < high
    assert covered >= 34
    assert bootstrap(np.arange(9.0), 1) == bootstrap(np.arange(9.0), 1)


def test_calibration_learns_the_probability_and_keeps_the_order() -> None:
    draw = np.random.default_rng(0)
    score = draw.normal(0, 2, 4000)
    truth = (draw.random(4000) < 1 / (1 + np.exp(-(0.7 * score - 1.0)))).astype(float)
    scale = platt(score, truth)
    assert scale.a == pytest.approx(0.7, abs=0.08) and scale.b == pytest.approx(-1.0, abs=0.1)
    assert expected_error(scale(score), truth) < 0.03 < expected_error(1 / (1 + np.exp(-score)), truth)
    assert (np.diff(scale(np.sort(score))) >= 0).all()
    assert platt(-score, truth).a == 0.0  # a score that is the wrong way round carries nothing; it is never turned
    with pytest.raises(ModelError, match="both outcomes"):
        platt(score, np.ones(4000))


def test_wrong_triples_have_ends_of_right_labels_and_are_not_true() -> None:
    own = graph(some_edges(30, 100), 30)
    own.labels[::3] = LABELS.index("Person")
    triples = torch.tensor([[1, SUPPLIES, 2], [4, SUPPLIES, 5], [7, SUPPLIES, 8]])
    wrong = negatives(own, triples, 20, seed=1)
    true = {tuple(row) for row in torch.cat([own.edges, triples]).tolist()}
    assert len(wrong) == 60 and not true & {tuple(row) for row in wrong.tolist()}
    people = {n for n in range(30) if own.labels[n] == LABELS.index("Person")}
    assert not people & set(wrong[:, 0].tolist()) and not people & set(wrong[:, 2].tolist())
    half = (wrong[:, 0] == triples.repeat_interleave(20, 0)[:, 0]).float().mean()
    assert 0.4 < half < 0.7  # heads and tails are both corrupted
    assert torch.equal(wrong, negatives(own, triples, 20, seed=1))


def test_where_no_wrong_triple_is_left_the_relation_is_named() -> None:
    own = graph([[a, SUPPLIES, b] for a in range(3) for b in range(3)], 3)
    with pytest.raises(ModelError, match="SUPPLIES"):
        negatives(own, own.edges[:1], 1, seed=0)


def test_only_new_triples_between_known_nodes_are_tested() -> None:
    now = graph([[0, SUPPLIES, 1], [1, SUPPLIES, 2]], 4)
    later = graph([[0, SUPPLIES, 1], [1, SUPPLIES, 3], [2, SUPPLIES, 4], [3, SUPPLIES, 0]], 5)
    when = now.first[0] + torch.tensor([5, 5, 5, -5])  # the last one was published before the cut
    later = GraphTensors(later.ids, later.labels, later.edges, when, when, later.counts, later.cut)
    found = fresh(now, [later])
    assert found.triples.tolist() == [[1, SUPPLIES, 3]]
    assert (found.repeats, found.unseen) == (1, 1)


def test_documents_and_attributes_are_not_forecast() -> None:
    assert {"LENDS_TO", "OWNS", "SUPPLIES", "PAID", "TRADED", "HOLDS"} <= set(PREDICTABLE)
    assert not {"MENTIONED_IN", "FILED", "AFFECTED_BY", "IN_SECTOR", "IN_COUNTRY", "HAS_ACCOUNT"} & set(PREDICTABLE)
