"""Encoders with weights of their own learn inside a model and by themselves, and what they learned is worth it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.learning.series import lagged
from gnn.checkpoint import load_tensors, save_tensors
from gnn.choice import reads
from gnn.encoders.cnn import Cnn
from gnn.encoders.gru import Gru
from gnn.encoders.lstm import Lstm
from gnn.evaluate import auroc
from gnn.head import Cohort
from gnn.heads.network import Network
from gnn.learned import network
from gnn.links import LinkTask
from gnn.model import Shape, seeded
from gnn.models.relational import Relational
from gnn.networks import Recurrent, Temporal
from gnn.settings import Settings
from gnn.tensors import Features, GraphTensors
from gnn.train import Recipe, fit
from gnn.trainable import Composed, Prepared, Trainable, named, trainable
from gnn.values import packed, unpacked
from kg.errors import ModelError
from tests.contract.test_encoders import planted, sessions, tone, values
from tests.gnn_world import picture
from tests.planted_rows import cohort

CHOSEN = {"image": "cnn", "series": "gru", "audio": "lstm"}


def prepared(encoders: tuple[Prepared, ...], given: dict[str, list[object]]) -> GraphTensors:
    """The planted graph whose first nodes have these values, prepared."""
    features = {
        e.modality: Features(torch.arange(len(given[e.modality])), e.encode(given[e.modality])) for e in encoders
    }
    return planted().with_features(features)


class Joint(nn.Module):
    """Links and distress from one network over whatever a node has: the whole of f = g(h_1(x_1) .. h_n(x_n))."""

    def __init__(self, encoders: dict[str, str], numeric: int = 4) -> None:
        super().__init__()
        self.read = Composed(encoders)
        shape = self.read.of(Shape(12, {"numeric": numeric}))
        self.links = Relational(shape, dim=16, layers=1, dropout=0.0, table=False)
        self.out = nn.Linear(16, 1)

    def forward(self, graph: GraphTensors) -> Tensor:
        """Cross-entropy of the tails of all edges, and of a label of every node, added up."""
        own = self.read(graph)
        scores = self.links.score_tails(own, own.edges[:, 0], own.edges[:, 1])
        odds = self.out(self.links.embed(own)).squeeze(1)
        return F.cross_entropy(scores, own.edges[:, 2]) + F.binary_cross_entropy_with_logits(
            odds, (torch.arange(len(own)) % 2).float()
        )


def test_the_gradient_of_links_and_distress_reaches_every_weight_of_every_encoder() -> None:
    with seeded(0):
        model = Joint(CHOSEN)
    given = {name: list(values(name, 6)) for name in CHOSEN}
    graph = prepared(model.read.prepared, given)
    numbers = Features(torch.arange(12), torch.randn(12, 4, generator=torch.Generator().manual_seed(1)))
    model(graph.with_features({**graph.features, "numeric": numbers})).backward()
    for modality in CHOSEN:
        for name, weight in model.read.networks[modality].named_parameters():
            assert weight.grad is not None and weight.grad.abs().sum() > 0, f"{modality} {name}"


@pytest.mark.parametrize("fusion", ["attention", "late", "network"])
def test_the_gradient_of_the_link_loss_reaches_every_encoder_that_learns_along(fusion: str) -> None:
    """As a run builds it: one setting for each h, one for g, and the task that fit() trains."""
    settings = Settings(modalities=(*CHOSEN, "numeric"), encoders=CHOSEN, along=tuple(CHOSEN), fusion=fusion, dim=16)
    encoders = tuple(Prepared(trainable(modality, name)) for modality, name in reads(settings).items())
    graph = prepared(encoders, {name: list(values(name, 6)) for name in CHOSEN})
    numbers = Features(torch.arange(12), torch.randn(12, 4, generator=torch.Generator().manual_seed(1)))
    model = network(graph.with_features({**graph.features, "numeric": numbers}), settings, 0)
    assert model.fusion.name == fusion and set(model.fusion.names) == {*CHOSEN, "numeric"}
    own = graph.with_features({**graph.features, "numeric": numbers})
    sum(LinkTask(own, steps=1, balance=0.5).losses(model.train())).backward()  # type: ignore[union-attr]
    for modality in CHOSEN:
        grads = [weight.grad for weight in model.read.networks[modality].parameters()]
        assert all(grad is not None and bool((grad != 0).any()) for grad in grads), modality
    with pytest.raises(ModelError, match="encoder of image shall learn along, the run reads text"):
        reads(Settings(modalities=("text",), along=("image",)))


@pytest.mark.slow
def test_the_gradient_reaches_the_last_layer_of_the_text_encoder_too() -> None:
    model = Joint({"text": "tuned"})
    graph = prepared(model.read.prepared, {"text": list(values("text", 4))})
    model(graph).backward()
    moved = {name: float(w.grad.abs().sum()) for name, w in model.read.networks["text"].named_parameters()}  # type: ignore[union-attr]
    assert all(moved[name] > 0 for name in moved if "in_proj_bias" not in name) and moved


def test_a_step_with_the_model_moves_what_an_encoder_says_and_a_checkpoint_brings_it_back(tmp_path: Path) -> None:
    model, other = Joint({"series": "gru"}), Joint({"series": "gru"})
    graph = prepared(model.read.prepared, {"series": list(values("series", 5))})
    before = model.read(graph).features["series"].values
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    model(graph).backward()
    optimiser.step()
    after = model.read(graph).features["series"].values
    assert not torch.allclose(before, after)
    tensors, _ = load_tensors(save_tensors(tmp_path, model.state_dict(), {}))
    other.load_state_dict(tensors)
    assert torch.equal(other.read(graph).features["series"].values, after)


class Watching(Network):
    """The head as it ships, with the network of series learning along and few epochs."""

    reads = {"series": "gru"}  # noqa: RUF012  # a constant of a test
    recipe = Recipe(epochs=10, rate=0.01, decay=0.97, weight_decay=1e-3, patience=10)


def falling(count: int, seed: int) -> Cohort:
    """Firms of which nothing is known but sixty closes; those that fall in the last weeks are in distress later."""
    draw, own = np.random.default_rng(seed), Prepared(Gru())
    truth = (draw.random(count) < 0.5).astype(np.float64)
    given = []
    for bad in truth:
        moves = draw.normal(0, 0.01, 61) - np.where((np.arange(61) > 45) & (bad > 0), 0.012, 0.0)
        given.append(packed(np.stack([np.arange(61) * 86_400e6, np.exp(np.cumsum(moves)), np.full(61, np.nan)], 1)))
    series = Features(torch.arange(count), own.encode(given))
    plain = cohort({}, {}, truth)
    return Cohort(plain.graph.with_features({"series": series}), plain.rows, truth, plain.stricken)


def test_the_distress_head_trains_the_network_of_series_along_and_tells_falling_firms() -> None:
    head = Watching(0)
    head.fit([falling(80, 1), falling(80, 2)], falling(80, 3))
    now = falling(200, 4)
    assert auroc(now.truth, head.predict(now)) > 0.85
    weights = dict(head.model.read.networks["series"].named_parameters())
    before = dict(Gru(0).network.named_parameters())
    assert all(not torch.equal(weights[name], before[name]) for name in before)


def test_a_modality_that_no_node_has_goes_through_and_a_raw_one_is_refused() -> None:
    own = Composed({"series": "gru"})
    none = planted().with_features({"series": Features(torch.zeros(0, dtype=torch.int64), torch.zeros(0, 240))})
    assert own(none).features["series"].values.shape == (0, 32)
    assert own(planted()).features == {}
    wrong = planted().with_features({"series": Features(torch.arange(2), torch.zeros(2, 7))})
    with pytest.raises(ModelError, match="values of 7 numbers, its network reads 240"):
        own(wrong)
    with pytest.raises(ModelError, match="no weights to train"):
        trainable("series", "returns")


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "tcn"])
def test_no_later_step_changes_an_earlier_state(kind: str) -> None:
    with seeded(0):
        own = Temporal(3, 8) if kind == "tcn" else Recurrent(3, 8, kind)  # type: ignore[arg-type]
        x = torch.randn(2, 40, 3)
    changed = x.clone()
    changed[:, 25:] = 9.0
    before, after = own.states(x), own.states(changed)
    assert torch.equal(before[:, :25], after[:, :25]) and not torch.equal(before[:, 25:], after[:, 25:])


@pytest.mark.slow
def test_networks_of_steps_beat_last_value_and_ar1_on_a_planted_lag() -> None:
    wrong = lagged(0)
    assert max(wrong[name] for name in ("rnn", "lstm", "gru", "tcn")) < 0.75 * min(wrong["last value"], wrong["AR(1)"])


def test_prices_in_another_unit_are_the_same_series() -> None:
    one = sessions(80, np.random.default_rng(0))
    rows = unpacked(one).copy()
    rows[:, 1] *= 1000.0
    for name in ("returns", "gru"):
        own = named("series", name)
        read = own.prepare if isinstance(own, Trainable) else lambda value, own=own: own.encode([value])
        assert torch.allclose(read(one), read(packed(rows)), atol=1e-4)


def separation(encoder: Trainable, groups: list[list[bytes]]) -> float:
    """Share of values whose nearest other value, by cosine after centring, is of their own group."""
    flat = [value for group in groups for value in group]
    whose = torch.tensor([number for number, group in enumerate(groups) for _ in group])
    vectors = encoder.encode(flat)
    vectors = F.normalize(vectors - vectors.mean(0), dim=1)
    alike = vectors @ vectors.T - 2 * torch.eye(len(flat))
    return float((whose[alike.argmax(1)] == whose).float().mean())


def test_a_cnn_taught_without_labels_tells_looks_apart() -> None:
    draw = np.random.default_rng(0)
    groups = [[picture(colour, draw) for _ in range(6)] for colour in ((200, 40, 40), (40, 160, 60), (60, 60, 200))]
    assert separation(Cnn().fit([p for group in groups for p in group]), groups) > 0.9


def test_the_series_networks_learn_what_comes_next_without_labels() -> None:
    """Returns that turn around each day can be told; after learning the error is less than half of not knowing."""
    draw = np.random.default_rng(0)

    def series() -> bytes:
        moves = 0.02 * (-1.0) ** np.arange(70) * draw.choice([-1, 1]) + draw.normal(0, 0.004, 70)
        closes = 50 * np.exp(np.cumsum(moves))
        return packed(np.stack([np.arange(70) * 86_400e6, closes, np.full(70, np.nan)], axis=1))

    own = Gru()
    given = torch.stack([own.prepare(series()) for _ in range(24)])
    task, lesson = own.lesson(given)
    with torch.no_grad():
        before = float(lesson(given))
    fit(lesson, task, Recipe(epochs=40, rate=0.02, schedule="cosine"))
    assert float(lesson(given)) < 0.5 * before


@pytest.mark.slow
def test_the_network_of_sounds_learns_what_comes_next_without_labels() -> None:
    draw, own = np.random.default_rng(0), Lstm()
    given = torch.stack([own.prepare(tone(150 + 50 * n, 1.5, draw)) for n in range(12)])
    task, lesson = own.lesson(given)
    with torch.no_grad():
        before = float(lesson(given))
    fit(lesson, task, Recipe(epochs=20, rate=0.02, schedule="cosine"))
    assert float(lesson(given)) < 0.5 * before
