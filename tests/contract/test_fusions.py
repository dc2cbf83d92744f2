"""What every way to fuse promises, over all plug-ins found."""

import pytest
import torch
from torch import Tensor

from gnn.fusion import Additive, Fusion, fuser
from gnn.model import Shape, seeded
from gnn.models.relational import Relational
from gnn.tensors import Features
from kg import plugins
from kg.errors import KgRiskError, ModelError
from tests.test_gnn_convolution import graph, some_edges

NAMES = plugins.names("gnn.fusions")
WIDTHS = {"audio": 6, "image": 5, "series": 3, "table": 4, "text": 7}
NODES, DIM = 2 ** len(WIDTHS), 12
EVERY = torch.tensor([[bool(node >> place & 1) for place in range(len(WIDTHS))] for node in range(NODES)])
"""A node for each subset of the modalities."""
WHOLE = torch.ones(NODES, len(WIDTHS), dtype=torch.bool)


def features(present: Tensor, seed: int = 0, unit: float = 1.0) -> dict[str, Features]:
    draw, made = torch.Generator().manual_seed(seed), {}
    for column, (name, width) in enumerate(WIDTHS.items()):
        rows = torch.nonzero(present[:, column]).squeeze(1)
        made[name] = Features(rows, torch.randn(len(present), width, generator=draw)[rows] * unit)
    return made


def built(name: str, unit: float = 1.0, dropout: float = 0.0) -> Fusion:
    """A way to fuse that has seen its train window."""
    with seeded(3):
        own = fuser(name)(DIM, WIDTHS, dropout)
    with torch.no_grad():
        for parameter in own.parameters():  # some begin at 0, which would hide what they do
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
        own.train()(structure(), features(WHOLE, 1, unit))
    return own.eval()


def structure(seed: int = 0) -> Tensor:
    return torch.randn(NODES, DIM, generator=torch.Generator().manual_seed(seed))


def test_the_folder_holds_the_ways_we_know() -> None:
    assert {"early", "late", "concatenation", "weighted", "gating", "network", "attention"} <= set(NAMES)
    assert all(len(line) > 20 for line in plugins.summaries("gnn.fusions").values())
    assert all(fuser(name).name == name for name in NAMES)
    with pytest.raises(KgRiskError, match="did you mean attention"):
        fuser("atention")


@pytest.mark.parametrize("name", NAMES)
def test_any_subset_of_modalities_gives_a_finite_vector_and_shares_that_sum_to_one(name: str) -> None:
    fused, shares = built(name)(structure(), features(EVERY))
    assert fused.shape == (NODES, DIM) and shares.shape == EVERY.shape
    assert torch.isfinite(fused).all() and torch.isfinite(shares).all()
    assert (shares[~EVERY] == 0.0).all() and (shares >= 0.0).all()
    assert torch.allclose(shares.sum(1), EVERY.any(1).float(), atol=1e-6)
    assert torch.equal(fused[0], structure()[0])  # a node without any is its structural token alone


@pytest.mark.parametrize("name", NAMES)
def test_what_a_modality_says_counts_where_it_is_there_and_only_there(name: str) -> None:
    own = built(name)
    before, _ = own(structure(), features(EVERY))
    for column, modality in enumerate(WIDTHS):
        changed = features(EVERY)
        changed[modality] = Features(changed[modality].rows, changed[modality].values + 1.5)
        after, _ = own(structure(), changed)
        moved = (after - before).abs().amax(1) > 1e-6
        assert torch.equal(moved, EVERY[:, column])


@pytest.mark.parametrize("name", NAMES)
def test_no_row_sees_another(name: str) -> None:
    own, order = built(name), torch.randperm(NODES, generator=torch.Generator().manual_seed(2))
    fused, shares = own(structure(), features(EVERY))
    dense = {modality: part.dense(NODES) for modality, part in features(EVERY).items()}
    for chosen in (order, order[:5], order[5:6]):
        moved = {}
        for column, modality in enumerate(WIDTHS):
            rows = torch.nonzero(EVERY[chosen, column]).squeeze(1)
            moved[modality] = Features(rows, dense[modality][chosen][rows])
        again, others = own(structure()[chosen], moved)
        assert torch.allclose(again, fused[chosen], atol=1e-5) and torch.allclose(others, shares[chosen], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_a_thousand_times_as_large_changes_nothing(name: str) -> None:
    fused, shares = built(name)(structure(), features(EVERY))
    again, others = built(name, 1000.0)(structure(), features(EVERY, unit=1000.0))
    assert torch.allclose(again, fused, atol=1e-4) and torch.allclose(others, shares, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_reaches_every_modality_and_every_weight(name: str) -> None:
    own, given = built(name).train(), features(EVERY)
    for part in given.values():
        part.values.requires_grad_()
    fused, _ = own(structure(), given)
    (fused * structure(7)).sum().backward()  # type: ignore[no-untyped-call]  # torch
    assert all(part.values.grad is not None and bool((part.values.grad != 0).any()) for part in given.values())
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in own.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_the_parts_of_the_modalities_sum_to_the_logit_or_are_refused(name: str) -> None:
    own, given = built(name), features(EVERY)
    scorer = torch.randn(DIM, generator=torch.Generator().manual_seed(5))
    fused, shares = own(structure(), given)
    if name == "network":
        with pytest.raises(ModelError, match="Shapley"):
            own.contributions(structure(), given)
        return
    parts = own.contributions(structure(), given)
    assert (parts[~EVERY] == 0.0).all()
    assert torch.allclose(structure() @ scorer + (parts @ scorer).sum(1), fused @ scorer, atol=1e-5)
    if isinstance(own, Additive):
        lengths = parts.norm(dim=-1)
        assert torch.allclose(shares[1:], lengths[1:] / lengths[1:].sum(1, keepdim=True), atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_modality_hidden_in_training_has_no_share_and_a_missing_one_no_need_of_vectors(name: str) -> None:
    own = built(name, dropout=0.5).train()
    with seeded(5):
        _, shares = own(structure(), features(WHOLE))
    hidden = shares == 0.0
    assert 0 < hidden.sum() < hidden.numel()
    assert torch.allclose(shares.sum(1), (~hidden).any(1).float(), atol=1e-6)
    given = features(WHOLE)
    part = {"text": given["text"], "audio": Features(torch.zeros(0, dtype=torch.int64), torch.zeros(0, 6))}
    fused, only = own.eval()(structure(), part)
    assert torch.isfinite(fused).all() and torch.equal(only[:, 4], torch.ones(NODES))
    bare, none = own(structure(), {})
    assert torch.equal(bare, structure()) and not none.any()


@pytest.mark.parametrize("name", NAMES)
def test_a_model_takes_the_way_to_fuse_as_a_setting(name: str) -> None:
    own = graph(some_edges(NODES, 60), NODES).with_features(features(EVERY))
    model = Relational(Shape.of(own), dim=DIM, fusion=name).eval()
    with torch.no_grad():
        assert torch.isfinite(model.score(own, own.edges)).all()
        assert model.fuse(own)[1].shape == EVERY.shape
    assert model.settings["fusion"] == name and model.fusion.name == name


def test_late_fusion_lets_no_modality_meet_another_before_the_scores_are_added() -> None:
    """Under ComplEx the score of two nodes has no term in which one modality of the head meets another of the tail."""
    own = built("late")
    parts = own.contributions(torch.zeros(NODES, DIM), features(WHOLE))
    used = (parts != 0.0).any(0)
    assert (used.sum(0) == 1).all()  # each coordinate belongs to one modality
    assert torch.equal(used[:, : DIM // 2], used[:, DIM // 2 :])  # in the real and in the imaginary half
    with pytest.raises(ModelError, match="needs vectors of 10 numbers, not 8"):
        fuser("late")(8, WIDTHS)
