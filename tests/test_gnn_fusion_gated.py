"""The gate by relation: what a block weighs, what a missing one does, and which block a relation comes to trust."""

import torch

from gnn.decoder import score
from gnn.links import LinkTask
from gnn.model import Shape
from gnn.models.gated import Gated
from gnn.tensors import Features, GraphTensors
from gnn.train import Recipe, fit
from tests.test_gnn_convolution import LENDS, SUPPLIES, graph

NODES, DIM = 24, 8


def world() -> GraphTensors:
    """LENDS runs between nodes of one group, which the text tells; SUPPLIES runs by no text at all."""
    draw = torch.Generator().manual_seed(0)
    group = torch.arange(NODES) % 3
    lends = [(a, LENDS, b) for a in range(NODES) for b in range(NODES) if a < b and group[a] == group[b]]
    supplies = [(a, SUPPLIES, (7 * a + 5) % NODES) for a in range(NODES)]
    text = torch.nn.functional.one_hot(group, 3).float() * 2 + 0.1 * torch.randn(NODES, 3, generator=draw)
    has = torch.arange(NODES - 2)
    noise = torch.randn(NODES, 4, generator=draw)
    own = graph([*lends, *supplies], NODES)
    return own.with_features({"image": Features(has, noise[has]), "text": Features(has, text[has])})


def built() -> Gated:
    return Gated(Shape.of(world()), dim=DIM).eval()


def test_weights_of_a_head_sum_to_one_and_a_block_that_it_lacks_has_none() -> None:
    own, model = world(), built()
    with torch.no_grad():
        x = model.embed(own)
        heads = torch.arange(NODES)
        shares = model.shares(x, heads, torch.full((NODES,), LENDS))
    assert model.names == ("image", "text") and shares.shape == (NODES, 4)
    assert torch.allclose(shares.sum(1), torch.ones(NODES))
    assert (shares[-2:, 1:3] == 0.0).all() and (shares[-2:, [0, 3]] == 0.5).all()
    assert torch.allclose(shares[0], torch.full((4,), 0.25))


def test_a_score_is_the_weighed_sum_of_the_scores_of_the_blocks() -> None:
    own, model = world(), built()
    torch.nn.init.normal_(model.say, generator=torch.Generator().manual_seed(1))
    asked = torch.tensor([[0, LENDS, 3], [5, SUPPLIES, 23], [23, LENDS, 1]])
    with torch.no_grad():
        x, found = model.embed(own), model.score(own, asked)
        shares = model.shares(x, asked[:, 0], asked[:, 1])
        blocks = x[:, : 4 * DIM].view(NODES, 4, DIM)
        relation = model.relation[asked[:, 1]].view(3, 4, DIM)
        each = score(blocks[asked[:, 0]], relation, blocks[asked[:, 2]])
    assert torch.allclose(found, (shares * each).sum(1), atol=1e-5)
    assert (each[1:, 1:3] == 0.0).all()  # node 23 has neither text nor image, as head or as tail


def test_the_structural_vector_is_kept_whatever_the_modalities_say() -> None:
    own, model = world(), built()
    with torch.no_grad():
        structure = model.joint.label(own.labels) + model.joint.rows.weight
        assert torch.equal(model.embed(own)[:, :DIM], structure)
        assert torch.equal(model.embed(own.only([]))[:, :DIM], structure)


def test_each_relation_learns_weights_of_its_own_that_still_sum_to_one() -> None:
    own, model = world(), Gated(Shape.of(world()), dim=DIM)
    fit(model, LinkTask(own), Recipe(epochs=10, rate=0.03))
    with torch.no_grad():
        x = model.embed(own)
        lends, supplies = (model.shares(x, torch.tensor([0]), torch.tensor([r])) for r in (LENDS, SUPPLIES))
    assert torch.allclose(lends.sum(1) + supplies.sum(1), torch.tensor([2.0]))
    assert (lends - supplies).abs().max() > 0.02
