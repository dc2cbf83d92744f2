"""Training on links: unseen true edges rise above random ones, and every modality is reached."""

import torch

from gnn.links import LinkTask, scored
from gnn.model import Shape
from gnn.models.complex import Complex
from gnn.models.relational import Relational
from gnn.sample import negatives
from gnn.tensors import Features
from gnn.train import Recipe, fit
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
