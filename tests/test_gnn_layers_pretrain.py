"""What is learned without labels helps where labels are few, and the articles' reconstruction learns nothing."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gnn.checkpoint import load_tensors, save_tensors
from gnn.evaluate import auroc
from gnn.links import scored
from gnn.model import Shape, seeded
from gnn.models.autoencoder import Autoencoder, Endpoints
from gnn.pretrain import Classifier, Hiding, Labels, Pretraining, View, info_nce
from gnn.sample import negatives
from gnn.tensors import GraphTensors
from gnn.train import Recipe, fit
from kg.errors import ModelError
from tests.planted_groups import few, groups

RECIPE = Recipe(rate=0.01, weight_decay=1e-4)


class World:
    """Groups of firms with a tenth of the edges held back, as true and as many wrong ones, and a few labels."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        own, self.group = groups(seed)
        held = torch.arange(len(own.edges)) % 10 == 0
        self.graph: GraphTensors = own.without(held)
        self.right, self.wrong = own.edges[held], negatives(own, own.edges[held], 1, seed)
        self.rows = few(self.group, 5, seed)

    def model(self) -> Autoencoder:
        return Autoencoder(Shape.of(self.graph), dim=32, layers=2, table=False, seed=self.seed)

    def pretrained(self, epochs: int = 40) -> Autoencoder:
        model = self.model()
        fit(model, Pretraining(self.graph), Recipe(**{**vars(RECIPE), "epochs": epochs, "seed": self.seed}))
        return model

    def told(self, model: Autoencoder, epochs: int = 40, frozen: bool = True, anchor: float = 0.0) -> float:
        """Accuracy on nodes without a label after learning those with one."""
        whole = Classifier(model, 32, 4, frozen, self.seed)
        task = Labels(self.graph, self.rows, self.group[self.rows], anchor)
        fit(whole, task, Recipe(**{**vars(RECIPE), "epochs": epochs, "seed": self.seed}))
        others = torch.ones(len(self.group), dtype=torch.bool).index_fill_(0, self.rows, False)
        with torch.no_grad():
            return float((whole(self.graph).argmax(1) == self.group)[others].float().mean())

    def edges(self, model: Autoencoder) -> float:
        """AUROC of held-back edges against wrong ones."""
        values, truth = scored(model, self.graph, self.right, self.wrong)
        return auroc(truth, values)

    def gap(self, model: Autoencoder) -> float:
        """Mean score of held-back edges over that of wrong ones, in deviations."""
        values, truth = scored(model, self.graph, self.right, self.wrong)
        return float((values[truth > 0].mean() - values[truth == 0].mean()) / values.std())


def test_a_linear_probe_on_the_pretrained_network_beats_one_on_a_random_start() -> None:
    gains = []
    for seed in range(3):
        world = World(seed)
        gains.append(world.told(world.pretrained()) - world.told(world.model(), epochs=80))
    assert min(gains) > 0.1, gains


def test_the_gap_between_true_and_random_edges_grows_with_training() -> None:
    world = World(0)
    gaps = [world.gap(world.pretrained(epochs)) for epochs in (1, 40)]
    assert gaps[1] > gaps[0] + 0.3 and gaps[1] > 0.5, gaps


def test_the_articles_reconstruction_vanishes_on_true_and_random_edges_alike() -> None:
    world = World(0)
    article = Endpoints(len(world.graph), int(world.graph.edges[:, 1].max()) + 1, 16)
    optimiser = torch.optim.Adam(article.parameters(), lr=0.01)
    begun = float(article(world.wrong).detach().mean())
    with seeded(0):
        for _ in range(150):
            loss = article(world.graph.edges).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    right, wrong = article(world.right).detach(), article(world.wrong).detach()
    assert float(right.mean()) < 0.02 * begun and float(wrong.mean()) < 0.02 * begun
    score = -torch.cat([right, wrong]).double().numpy()
    truth = torch.cat([torch.ones(len(right)), torch.zeros(len(wrong))]).numpy()
    assert 0.4 < auroc(truth, score) < 0.6


def test_a_frozen_network_forgets_nothing_and_an_anchored_one_little() -> None:
    world = World(0)
    start = world.pretrained()
    before, forgotten = world.edges(start), {}
    for name, frozen, anchor in (("frozen", True, 0.0), ("anchored", False, 0.03), ("free", False, 0.0)):
        model = copy.deepcopy(start)
        world.told(model, frozen=frozen, anchor=anchor)
        forgotten[name] = before - world.edges(model)
    assert forgotten["frozen"] == 0.0
    assert forgotten["anchored"] < 0.08 < forgotten["free"], forgotten


def test_fine_tuning_goes_on_from_a_checkpoint_as_from_memory(tmp_path: Path) -> None:
    world = World(0)
    start = world.pretrained(2)
    save_tensors(tmp_path, start.state_dict(), {"settings": start.settings})
    again = world.model()
    again.load_state_dict(load_tensors(tmp_path)[0])
    assert world.told(again, 2, frozen=False) == world.told(start, 2, frozen=False)
    assert all(torch.equal(one, other) for one, other in zip(again.parameters(), start.parameters(), strict=True))


def test_a_view_hides_edges_and_features_and_leaves_the_graph_as_it_is() -> None:
    world = World(0)
    with seeded(0):
        view = View(world.graph, Hiding(edges=0.5, features=0.5))
    kept = len(view.graph.edges) / len(world.graph.edges)
    assert 0.4 < kept < 0.6 and len(world.graph.features["numeric"].rows) == len(world.graph)
    assert len(view.graph.features["numeric"].rows) == int((~view.features["numeric"]).sum())


def test_contrast_is_least_where_partners_are_alike() -> None:
    x: Tensor = torch.eye(6)
    assert info_nce(x, x, 0.1) < 0.01 < info_nce(x, x.roll(1, 0), 0.1)


def test_nothing_to_learn_from_is_said() -> None:
    world = World(0)
    bare = world.graph.without(torch.ones(len(world.graph.edges), dtype=torch.bool))
    with pytest.raises(ModelError, match="nothing to learn"):
        Pretraining(bare)
    with pytest.raises(ModelError, match="no node has a label"):
        Labels(world.graph, torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64))
