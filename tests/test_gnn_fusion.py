"""Laws of the attention over modalities."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnn.fusion import Fusion, batch_mixing, masked_softmax
from gnn.fusions.attention import Attention
from gnn.model import Shape, seeded
from gnn.models.relational import Relational
from gnn.tensors import Features
from kg import plugins
from tests.test_gnn_convolution import SUPPLIES, graph

NODES, DIM = 7, 8
WIDTHS = {"image": 5, "numeric": 3, "text": 4}


def features(present: torch.Tensor, seed: int = 0) -> dict[str, Features]:
    """Random vectors where `present` (nodes, modalities) is true."""
    draw = torch.Generator().manual_seed(seed)
    made = {}
    for column, (name, width) in enumerate(WIDTHS.items()):
        rows = torch.nonzero(present[:, column]).squeeze(1)
        made[name] = Features(rows, torch.randn(NODES, width, generator=draw)[rows])
    return made


def fusion() -> Fusion:
    with seeded(3):
        return Attention(DIM, WIDTHS).eval()


masks = st.lists(st.booleans(), min_size=NODES * 3, max_size=NODES * 3).map(
    lambda bits: torch.tensor(bits).view(NODES, 3)
)


@settings(max_examples=40, deadline=None)
@given(masks, st.integers(0, 1000))
def test_weights_of_a_row_sum_to_one_and_missing_modalities_get_exactly_zero(present: torch.Tensor, seed: int) -> None:
    _, weights = fusion()(torch.randn(NODES, DIM), features(present, seed))
    some = present.any(1)
    assert torch.allclose(weights.sum(1)[some], torch.ones(int(some.sum())), atol=1e-6)
    assert (weights[~present] == 0.0).all()
    assert (weights[present] > 0.0).all()


@settings(max_examples=20, deadline=None)
@given(masks)
def test_a_node_without_any_modality_is_its_structural_token(present: torch.Tensor) -> None:
    structure = torch.randn(NODES, DIM)
    fused, _ = fusion()(structure, features(present))
    bare = ~present.any(1)
    assert torch.equal(fused[bare], structure[bare])
    assert torch.isfinite(fused).all()


def test_other_samples_in_the_batch_change_nothing() -> None:
    present = torch.tensor([[1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1], [0, 0, 1], [1, 0, 1]]).bool()
    structure, own = torch.randn(NODES, DIM), features(present)
    fused, weights = fusion()(structure, own)
    order = torch.tensor([0, 6, 5, 4, 3, 2, 1])
    place = torch.argsort(order)
    moved = {name: Features(*sorted_rows(place[f.rows], f.values)) for name, f in own.items()}
    again, others = fusion()(structure[order], moved)
    assert again.shape == (NODES, DIM)
    assert torch.allclose(again[place], fused, atol=1e-6) and torch.allclose(others[place], weights, atol=1e-6)
    alone, _ = fusion()(structure[4:5], {n: Features(torch.tensor([0]), f.dense(NODES)[4:5]) for n, f in own.items()})
    assert torch.allclose(alone[0], fused[4], atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(masks, st.integers(0, 1000), st.permutations(range(NODES)), st.booleans())
def test_dealing_the_samples_out_anew_deals_the_answers_out_and_changes_none(
    present: torch.Tensor, seed: int, deal: list[int], scaled: bool
) -> None:
    """Each row by itself: neither its vector nor its attention hangs on which rows stand beside it, or how many."""
    model, own = fusion(), features(present, seed)
    structure = torch.randn(NODES, DIM, generator=torch.Generator().manual_seed(seed))
    if scaled:
        model.train()(structure, features(torch.ones(NODES, 3, dtype=torch.bool), seed + 1))  # a train window
        model.eval()
    fused, weights = model(structure, own)
    order = torch.tensor(deal)
    again, others = model(structure[order], picked(own, order))
    assert torch.allclose(again, fused[order], atol=1e-6) and torch.allclose(others, weights[order], atol=1e-6)
    part, its = model(structure[order[:3]], picked(own, order[:3]))
    assert torch.allclose(part, fused[order[:3]], atol=1e-6) and torch.allclose(its, weights[order[:3]], atol=1e-6)
    assert torch.equal(others == 0.0, ~present[order])
    assert ((others.sum(1) - present[order].any(1).float()).abs() <= 1e-6).all()


def picked(own: dict[str, Features], order: torch.Tensor) -> dict[str, Features]:
    """The vectors of these rows, in this order."""
    found = {}
    for name, old in own.items():
        has, dense = old.mask(NODES)[order], old.dense(NODES)[order]
        found[name] = Features(torch.nonzero(has).squeeze(1), dense[has])
    return found


def test_a_modality_hidden_in_training_gets_no_attention_and_the_rest_shares_all_of_it() -> None:
    with seeded(5):
        model = Attention(DIM, WIDTHS, dropout=0.5).train()
        _, weights = model(torch.randn(NODES, DIM), features(torch.ones(NODES, 3, dtype=torch.bool)))
    hidden = weights == 0.0
    assert 0 < hidden.sum() < weights.numel()
    assert torch.allclose(weights.sum(1), (~hidden).any(1).float(), atol=1e-6)


def test_what_is_said_of_other_firms_without_an_edge_changes_no_vector_of_the_whole_network() -> None:
    """Through fusion, messages and all: rows 0 to 3 have edges among themselves, the rest may be anything."""
    edges = torch.tensor([[0, SUPPLIES, 1], [2, SUPPLIES, 3], [4, SUPPLIES, 5]])
    own = graph(edges.tolist(), NODES).with_features(features(torch.ones(NODES, 3, dtype=torch.bool)))
    other = {name: Features(f.rows, f.values.clone()) for name, f in own.features.items()}
    for changed in other.values():
        changed.values[4:] += 5.0
    model = Relational(Shape.of(own), dim=DIM, table=False).eval()
    with torch.no_grad():
        before, after = model.embed(own), model.embed(own.with_features(other))
    assert torch.equal(before[:4], after[:4]) and not torch.allclose(before[4:], after[4:])


def sorted_rows(rows: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    order = torch.argsort(rows)
    return rows[order], values[order]


def test_the_articles_formula_mixes_the_samples_of_a_batch_and_ours_does_not() -> None:
    left, right = torch.randn(4, 3), torch.randn(4, 3)
    mixed = batch_mixing(left, right)
    assert mixed.shape == (4, 4, 3)  # one answer per pair of samples, where one per sample is meant
    other = right.clone()
    other[3] += 1.0
    assert not torch.allclose(batch_mixing(left, other)[0], mixed[0])  # sample 0 sees what happened to sample 3
    present = torch.ones(NODES, 3, dtype=torch.bool)
    own, changed = features(present), features(present)
    changed["text"].values[3] += 1.0
    structure = torch.randn(NODES, DIM)
    before, after = fusion()(structure, own)[0], fusion()(structure, changed)[0]
    assert torch.equal(before[:3], after[:3]) and not torch.allclose(before[3], after[3])


def test_attention_goes_to_the_modality_that_carries_the_label() -> None:
    draw = torch.Generator().manual_seed(1)
    signal, noise = torch.randn(200, 3, generator=draw), torch.randn(200, 4, generator=draw)
    rows, label = torch.arange(200), (signal[:, 0] > 0).float()
    with seeded(0):
        model, out = Attention(DIM, {"numeric": 3, "text": 4}), torch.nn.Linear(DIM, 1)
    optimiser = torch.optim.Adam([*model.parameters(), *out.parameters()], lr=0.02)
    for _ in range(150):
        fused, weights = model(
            torch.zeros(200, DIM) + 0.5, {"numeric": Features(rows, signal), "text": Features(rows, noise)}
        )
        loss = torch.nn.functional.binary_cross_entropy_with_logits(out(fused).squeeze(1), label)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    mass = weights.mean(0)
    assert model.names == ("numeric", "text")
    assert mass[0] > 0.6 > mass[1]


def test_scores_of_any_size_give_finite_weights() -> None:
    score = torch.tensor([[1e30, -1e30, 0.0], [-1e30, -1e30, -1e30]])
    weights = masked_softmax(score, torch.tensor([[True, True, False], [False, True, True]]))
    assert torch.isfinite(weights).all()
    assert torch.equal(weights, torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]))


def test_a_modality_that_is_switched_off_everywhere_is_no_error() -> None:
    fused, weights = fusion()(torch.ones(NODES, DIM), {})
    assert torch.equal(fused, torch.ones(NODES, DIM)) and (weights == 0.0).all()


def test_a_model_of_the_graph_begins_as_its_structural_part_and_every_modality_can_still_learn() -> None:
    given = features(torch.ones(NODES, 3, dtype=torch.bool))
    own = graph([[0, SUPPLIES, 1]], NODES).with_features(given)
    for name in plugins.names("gnn.fusions"):
        model = Relational(Shape.of(own), dim=DIM, fusion=name, dropout=0.0)
        token = model.label(own.labels) + model.rows.weight
        fused, _ = model.fuse(own)
        assert 0 < (fused - token).norm() < 0.05 * token.norm(), name
        fused.square().sum().backward()  # type: ignore[no-untyped-call]  # torch
        assert all(bool((weight.grad != 0).any()) for weight in model.fusion.last() if weight.grad is not None), name
        assert sum(weight.grad is not None for weight in model.fusion.last()) > 0
