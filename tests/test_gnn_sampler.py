"""Neighbours of the past: nothing at or after the seed's moment can be drawn, whatever is asked."""

import builtins

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gnn.sampler import Sampler, Timeline, base_sampler
from kg.errors import MissingExtraError, ModelError


def events(nodes: int, count: int, moments: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """(2, count) edges and (count,) times, many of them equal."""
    draw = torch.Generator().manual_seed(seed)
    edges = torch.randint(0, nodes, (2, count), generator=draw)
    return edges, torch.randint(-3, moments, (count,), generator=draw) * 1_000_003


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 7), st.integers(0, 40), st.integers(1, 6), st.integers(0, 10**6))
def test_the_range_of_a_node_is_what_brute_force_finds(nodes: int, count: int, moments: int, seed: int) -> None:
    edges, time = events(nodes, count, moments, seed)
    line = Timeline(edges[1], time, nodes)
    asked = torch.cartesian_prod(torch.arange(nodes), torch.arange(-5, moments + 2) * 1_000_003)
    low, high = line.before(asked[:, 0], line.rank(asked[:, 1]))
    for row, (node, moment) in enumerate(asked.tolist()):
        found = line.order[low[row] : high[row]]
        right = torch.nonzero((edges[1] == node) & (time < moment)).squeeze(1)
        assert sorted(found.tolist()) == right.tolist()
        assert time[found].tolist() == sorted(time[found].tolist())


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 9), st.integers(1, 60), st.integers(1, 5), st.integers(0, 10**6))
def test_every_edge_of_a_tree_is_older_than_its_seed(nodes: int, count: int, moments: int, seed: int) -> None:
    edges, time = events(nodes, count, moments, seed)
    draw = torch.Generator().manual_seed(seed)
    seeds = torch.randint(0, nodes, (12,), generator=draw)
    asked = torch.randint(-3, moments + 1, (12,), generator=draw) * 1_000_003
    reached, due = seeds, asked
    for hop in Sampler(edges, nodes, time).sample(seeds, asked, [3, 2], draw):
        assert torch.equal(edges[1][hop.edge], reached[hop.parent]) and torch.equal(edges[0][hop.edge], hop.node)
        assert bool((time[hop.edge] < asked[hop.seed]).all())
        with_past = {int(p) for p in hop.parent}
        for place, node in enumerate(reached.tolist()):
            past = bool(((edges[1] == node) & (time < due[place])).any())
            assert (place in with_past) == past
        reached, due = hop.node, asked[hop.seed]


def test_an_edge_at_the_very_moment_is_not_seen() -> None:
    edges, time = torch.tensor([[1, 2, 3], [0, 0, 0]]), torch.tensor([10, 20, 30])
    sampler = Sampler(edges, 4, time)
    drawn = [
        set(sampler.sample(torch.tensor([0]), torch.tensor([t]), [200])[0].node.tolist()) for t in (10, 20, 21, 31)
    ]
    assert drawn == [set(), {1}, {1, 2}, {1, 2, 3}]


def test_draws_are_uniform_over_the_past() -> None:
    edges, time = torch.stack([torch.arange(10), torch.zeros(10, dtype=torch.int64)]), torch.arange(10)
    draw = torch.Generator().manual_seed(1)
    drawn = Sampler(edges, 10, time).sample(torch.tensor([0]), torch.tensor([8]), [40_000], draw)[0].node
    share = torch.bincount(drawn, minlength=10) / 40_000
    assert share[8:].tolist() == [0, 0] and torch.allclose(share[:8], torch.full((8,), 1 / 8), atol=0.01)


def test_the_same_generator_draws_the_same_trees() -> None:
    edges, time = events(30, 400, 20)
    seeds, asked = torch.arange(30), torch.full((30,), 9_000_000)
    one, two = (
        Sampler(edges, 30, time).sample(seeds, asked, [4, 4], torch.Generator().manual_seed(7)) for _ in range(2)
    )
    assert all(torch.equal(a.edge, b.edge) for a, b in zip(one, two, strict=True))


def test_a_graph_without_times_is_drawn_from_whole() -> None:
    edges, _ = events(8, 100, 1)
    hop = Sampler(edges, 8).sample(torch.arange(8), None, [500])[0]
    assert set(hop.edge.tolist()) == set(range(100))


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ((torch.zeros(3, 4, dtype=torch.int64), 5, None), "give \\(2, edges\\)"),
        ((torch.tensor([[9], [0]]), 5, None), "not 0 to 4"),
        ((torch.tensor([[0], [9]]), 5, None), "give rows of 0 to 4"),
        ((torch.tensor([[0], [1]]), 5, torch.tensor([1, 2])), "a time for each edge"),
    ],
)
def test_edges_that_are_none_are_refused(given_: tuple[Tensor, int, Tensor | None], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        Sampler(*given_)


def test_seeds_without_a_time_are_refused_where_edges_have_one() -> None:
    edges, time = events(4, 10, 3)
    with pytest.raises(ModelError, match="input_time"):
        Sampler(edges, 4, time).sample(torch.arange(4), None, [2])
    with pytest.raises(ModelError, match="1 or more"):
        Sampler(edges, 4, time).sample(torch.arange(4), time[:4], [0])


def test_loaders_of_pyg_yield_batches_from_the_past_alone() -> None:
    pytest.importorskip("torch_geometric")
    from torch_geometric.data import Data
    from torch_geometric.loader import LinkLoader, NodeLoader
    from torch_geometric.sampler import NegativeSampling

    edges, time = events(50, 900, 30)
    data = Data(x=torch.arange(50.0)[:, None], edge_index=edges, when=time, num_nodes=50)
    sampler = base_sampler(Sampler(edges, 50, time), [4, 3])
    asked = torch.full((50,), 12 * 1_000_003)
    for batch in NodeLoader(data, sampler, input_nodes=torch.arange(50), input_time=asked, batch_size=16):
        ends = batch.n_id[batch.edge_index]
        assert torch.equal(ends, edges[:, batch.e_id]) and bool((time[batch.e_id] < asked[0]).all())
        assert torch.equal(batch.x[:, 0].long(), batch.n_id) and len(batch.e_id)
        assert torch.equal(batch.batch[batch.edge_index[0]], batch.batch[batch.edge_index[1]])
    moments = time[:64].clamp(min=0)
    for kind, amount in (("binary", 1.0), ("triplet", 2)):
        loader = LinkLoader(
            data,
            sampler,
            edge_label_index=edges[:, :64],
            edge_label_time=moments,
            neg_sampling=NegativeSampling(kind, amount),
            batch_size=32,
        )
        for batch in loader:
            assert bool((time[batch.e_id] < moments[batch.input_id][batch.batch[batch.edge_index[1]]]).all())
            if kind == "binary":
                right = batch.n_id[batch.edge_label_index[:, batch.edge_label == 1]]
                assert torch.equal(right, edges[:, :64][:, batch.input_id])


def test_without_pyg_the_adapter_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: object, **more: object) -> object:
        if name.startswith("torch_geometric"):
            raise ImportError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", absent)
    edges, time = events(4, 10, 3)
    with pytest.raises(MissingExtraError, match="torch-geometric"):
        base_sampler(Sampler(edges, 4, time), [2])
