"""Training on links: unseen true edges rise above random ones, and every modality is reached."""

import pytest
import torch

from gnn.balance import weights
from gnn.links import LinkTask, one_vs_all, said_by, scored
from gnn.model import Shape
from gnn.models.complex import Complex
from gnn.models.relational import Relational
from gnn.sample import allowed, negatives, predictable
from gnn.tensors import Features
from gnn.train import Recipe, fit
from kg.errors import ModelError
from tests.test_gnn_train import ring, small


def test_the_gap_between_unseen_true_edges_and_random_ones_grows_with_training() -> None:
    own = ring()
    held = torch.arange(len(own.edges)) % 5 == 0
    known, right = own.without(held), own.edges[held]
    wrong = negatives(own, right, 1, seed=0)
    gaps = []
    for epochs in (1, 40):
        model = Complex(Shape.of(known), dim=32, seed=0)
        fit(model, LinkTask(known), Recipe(epochs=epochs, rate=0.05, seed=0))
        values, truth = scored(model, known, right, wrong)
        gaps.append(values[truth > 0].mean() - values[truth == 0].mean())
    assert gaps[1] > gaps[0] + 0.5


def test_every_modality_gets_a_gradient() -> None:
    own = small().with_features(
        {
            name: Features(torch.arange(30), torch.randn(30, width))
            for name, width in (("image", 5), ("numeric", 4), ("text", 6))
        }
    )
    model = Relational(Shape.of(own), dim=8)
    sum(LinkTask(own, steps=1).losses(model)).backward()  # type: ignore[union-attr]
    for name in ("image", "numeric", "text"):
        assert all(p.grad.abs().sum() > 0 for p in model.fusion.project[name].parameters() if p.dim() == 2)


def test_a_scarce_modality_weighs_more_in_the_loss_of_links() -> None:
    rare = Features(torch.tensor([0, 1]), torch.randn(2, 5, generator=torch.Generator().manual_seed(1)))
    own = small().with_features({**small().features, "image": rare})
    asked = predictable(own)
    weight = said_by(own, 1.0)
    shown = (own.edges[:, [0, 2]] < 2).any(1) & asked
    assert bool(shown.any()) and weight[shown].min() > 2 * weight[asked & ~shown].max()
    assert weight[asked].mean().item() == pytest.approx(1.0, abs=1e-5) and not weight[~asked].any()
    assert torch.equal(said_by(own, 0.0)[asked], weights(torch.zeros(int(asked.sum()), 0), 0.0))


def test_weights_count_the_same_whether_written_out_or_left_to_autograd() -> None:
    own = small()
    model, edges = Complex(Shape.of(own), dim=8, seed=0), own.edges[predictable(own)]
    weight = torch.rand(len(edges), generator=torch.Generator().manual_seed(3)) + 0.1
    plain = sum(
        weight[n] * one_vs_all(model, own, edges[n : n + 1], allowed(own)) / len(edges) for n in range(len(edges))
    )
    assert torch.allclose(one_vs_all(model, own, edges, allowed(own), weight), torch.as_tensor(plain), atol=1e-5)


def test_an_epoch_asks_for_as_many_edges_as_it_is_told() -> None:
    own = small()
    model = Complex(Shape.of(own), dim=8, seed=0)
    assert len(list(LinkTask(own, steps=1000, questions=7).losses(model))) == 7
    with pytest.raises(ModelError, match="questions is 0"):
        LinkTask(own, questions=0)
