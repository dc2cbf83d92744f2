"""Levels of parents and sectors are kept better by the model that has levels than by the flat one."""

import torch

from gnn.bilinear import Bilinear
from gnn.grouped import GroupedTask
from gnn.model import Shape
from gnn.models.complex import Complex
from gnn.models.hierarchy import Hierarchy
from gnn.train import Recipe, fit
from tests.planted_ladder import PART_OF, ladder, parents, violations


def broken(kind: type[Bilinear], seed: int, weight_decay: float = 1e-3) -> dict[str, float]:
    """Violations after training on the ladder with these seeds."""
    own, pairs, level = ladder(seed)
    model = kind(Shape.of(own), dim=32, seed=seed)  # type: ignore[call-arg]
    fit(model, GroupedTask(own, batch=200), Recipe(epochs=40, rate=0.02, weight_decay=weight_decay, seed=seed))
    return violations(model, own, pairs, level)


def test_the_planted_ladder_hides_pairs_and_links_every_node() -> None:
    own, pairs, level = ladder()
    up, _ = parents()
    assert len(up) == len(own) and not set(map(tuple, pairs.tolist())) & set(map(tuple, own.edges.tolist()))
    assert bool((level[pairs[:, 0]] > level[pairs[:, 2]]).all()) and set(pairs[:, 1].tolist()) == {PART_OF}


def test_violations_of_the_hierarchy_fall_against_the_flat_model() -> None:
    for seed in range(3):
        flat = [broken(Complex, seed, decay) for decay in (1e-3, 3e-3)]
        levels = broken(Hierarchy, seed)
        assert levels["upside down"] < 0.5 * min(one["upside down"] for one in flat), (seed, levels, flat)


def test_the_score_is_complex_less_the_squared_distance_of_levels() -> None:
    own, pairs, _ = ladder()
    model = Hierarchy(Shape.of(own), dim=8, levels=2)
    plain = Complex(Shape.of(own), dim=8)
    with torch.no_grad():
        plain.rows.copy_(model.rows)
        plain.relation.copy_(model.phase)
    away = (model.level[pairs[:, 0]] + model.step[PART_OF] - model.level[pairs[:, 2]]).square().sum(1)
    assert torch.allclose(model.score(own, pairs), plain.score(own, pairs) - away, atol=1e-5)


def test_a_relation_and_its_reciprocal_speak_of_one_ladder() -> None:
    own, pairs, _ = ladder()
    model = Hierarchy(Shape.of(own), dim=8, spread=0.0)
    turned = torch.stack([pairs[:, 2], pairs[:, 1] + 2, pairs[:, 0]], dim=1)
    assert torch.allclose(model.score(own, pairs), model.score(own, turned), atol=1e-6)
