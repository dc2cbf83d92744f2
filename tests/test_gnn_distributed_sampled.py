"""Neighbourhoods drawn from a mapped graph: with all edges they are the full pass, and two processes draw as one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gnn.links import LinkTask, one_vs_all
from gnn.mapped import FACTS, SUMS, Mapped, keep
from gnn.model import Shape
from gnn.models.relational import Relational
from gnn.models.rgcn import Rgcn
from gnn.models.sage import Sage
from gnn.partition import near, scattered
from gnn.passing import Passing
from gnn.sample import allowed
from gnn.sampled import SampledLinkTask, Surroundings, _dropped
from gnn.tensors import Features, GraphTensors
from gnn.train import Fit, Recipe, fit
from kg.errors import ModelError
from tests.teams import in_two
from tests.test_gnn_convolution import graph, some_edges
from tests.test_gnn_distributed import apart

NODES = 60


def some_graph() -> GraphTensors:
    """Loops, parallel relations, nodes without an edge, events of different ages, and a modality that some have."""
    edges = [*some_edges(NODES - 5, 260), *[[n, kind, n] for n in (3, 9) for kind in {e[1] for e in some_edges(9, 30)}]]
    made = graph(sorted(map(list, {tuple(edge) for edge in edges})), NODES)
    draw = torch.Generator().manual_seed(4)
    age = (torch.rand(len(made.edges), generator=draw) * 3 * 365 * 86_400e6).long()
    values = torch.randn(NODES // 2, 4, generator=draw)
    features = {"numeric": Features(torch.arange(0, NODES, 2), values)}
    return replace(made, last=made.last - age).with_features(features)


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Mapped:
    return Mapped.open(keep(some_graph(), tmp_path_factory.mktemp("graph") / "mapped"))


@pytest.mark.parametrize("kind", [Relational, Rgcn])
@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_with_all_edges_a_drawn_neighbourhood_gives_the_vectors_and_gradients_of_the_full_pass(
    mapped: Mapped, kind: type[Passing], table: bool, layers: int
) -> None:
    own = some_graph()
    model = kind(Shape.of(own), dim=8, layers=layers, table=table).eval()  # type: ignore[call-arg]  # both take these
    seeds = torch.tensor([17, 3, 58, 0, 44, 9])  # 58 has no edge, 3 and 9 have loops
    pull = torch.linspace(-1, 1, 8 * len(seeds)).view(-1, 8)
    found = []
    for vectors in (model.embed(own)[seeds], Surroundings(mapped, [None] * layers).embed(model, seeds, key=1)):
        model.zero_grad()
        (vectors * pull).sum().backward()  # type: ignore[no-untyped-call]  # torch
        grads = {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}
        found.append((vectors.detach(), grads))
    assert torch.allclose(found[0][0], found[1][0], atol=1e-5)
    assert apart(*(grads for _, grads in found)) < 1e-4 and len(found[0][1]) > 5


def test_with_all_edges_and_all_nodes_the_sampled_loss_is_the_full_softmax_of_the_full_pass(mapped: Mapped) -> None:
    own = some_graph()
    model = Relational(Shape.of(own), dim=8).eval()
    task, whole = SampledLinkTask(Surroundings(mapped, (None, None)), negatives=None), LinkTask(own)
    part = whole.rows[torch.randperm(len(whole.rows), generator=torch.Generator().manual_seed(1))[:40]]
    hidden = torch.zeros(len(own.edges), dtype=torch.bool).index_fill_(0, part, True)
    expected = one_vs_all(model, own.without(hidden), own.edges[part], allowed(own))
    assert float(task.loss(model, part, part, key=9).detach()) == pytest.approx(float(expected.detach()), rel=1e-5)


def test_a_node_draws_the_same_whoever_asks_never_one_edge_twice_and_all_of_them_in_time(mapped: Mapped) -> None:
    everyone = torch.arange(NODES)
    place, entry = mapped.drawn(everyone, 3, key=5)
    degree = mapped.starts[1:] - mapped.starts[:-1]
    assert torch.equal(torch.bincount(place, minlength=NODES), degree.clamp(max=3)) and int(degree.max()) > 6
    some = torch.tensor([40, 7, 21])
    where, told = mapped.drawn(some, 3, key=5)
    for number, node in enumerate(some.tolist()):
        mine = told[where == number].tolist()
        assert mine == entry[place == node].tolist() and len(set(mine)) == len(mine)
    edges = mapped.graph.edges[told // 2]
    assert torch.equal(torch.where(told % 2 == 0, edges[:, 2], edges[:, 0]), some[where])
    hub = int(degree.argmax())
    times = [mapped.drawn(torch.tensor([hub]), 3, key)[1].tolist() for key in range(2000)]
    seen = np.bincount(np.ravel(times) - 0, minlength=2 * len(mapped.graph.edges))
    share = seen[seen > 0] / len(times)
    assert len(share) == int(degree[hub]) and share.sum() == pytest.approx(3)
    size = int(degree[hub]) / 3
    assert share.min() > 0.85 / np.ceil(size) and share.max() < 1.15 / np.floor(size)


def test_the_estimate_from_a_few_drawn_nodes_is_near_the_full_softmax_on_average(mapped: Mapped) -> None:
    model = Relational(Shape.of(mapped.graph), dim=8).eval()
    every = SampledLinkTask(Surroundings(mapped, (None, None)), negatives=None)
    few = SampledLinkTask(Surroundings(mapped, (None, None)), negatives=25)
    part = every.rows[:30]
    with torch.no_grad():
        whole = float(every.loss(model, part, part, key=0))
        told = [float(few.loss(model, part, part, key)) for key in range(60)]
    assert np.std(told) > 0 and np.mean(told) == pytest.approx(whole, abs=4 * np.std(told) / 60**0.5 + 0.05)


def test_what_is_mapped_is_what_was_kept_and_no_page_of_it_is_copied(mapped: Mapped, tmp_path: Path) -> None:
    own, read = some_graph(), mapped.graph
    for name in ("labels", "edges", "first", "last", "counts"):
        assert torch.equal(getattr(own, name), getattr(read, name))
    assert torch.equal(own.features["numeric"].values, read.features["numeric"].values) and read.cut == own.cut
    files = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith(".npy")}
    assert {Path(file).stem for file in files} >= {"edges", "last", "starts", "entries", "numeric.values"}
    with pytest.raises(ModelError, match=r"no graph can be mapped from .*; write one there"):
        Mapped.open(tmp_path)
    folder = keep(own, tmp_path / "graph")
    with pytest.raises(ModelError, match=r"cannot be written .* name a new folder"):
        keep(own, folder)
    (folder / FACTS).write_text('{"ontology": "old"}')
    (folder / SUMS).write_text("{}")
    with pytest.raises(ModelError, match="another ontology"):
        Mapped.open(folder)
    assert [file.name for file in tmp_path.iterdir()] == ["graph"]


def test_one_bit_that_flips_in_any_file_of_a_mapped_graph_is_noticed_and_the_error_says_what_to_do(
    tmp_path: Path,
) -> None:
    folder = keep(some_graph(), tmp_path / "graph")
    files = sorted(folder.iterdir())
    assert {file.name for file in files} >= {"edges.npy", "entries.npy", "numeric.values.npy", FACTS, SUMS}
    for file in files:
        whole = file.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            spoiled = bytearray(whole)
            spoiled[place] ^= 4
            file.write_bytes(spoiled)
            with pytest.raises(ModelError, match=r"(was changed on disk.*|no graph can be mapped.*)gnn\.mapped\.keep"):
                Mapped.open(folder)
        file.write_bytes(whole[:-1])
        with pytest.raises(ModelError, match=r"gnn\.mapped\.keep"):
            Mapped.open(folder)
        file.write_bytes(whole)
    assert torch.equal(Mapped.open(folder).graph.edges, some_graph().edges)


def test_in_training_a_node_loses_the_same_to_dropout_whoever_asks_and_another_part_in_each_step(
    mapped: Mapped,
) -> None:
    model = Relational(Shape.of(mapped.graph), dim=64, dropout=0.3, seed=1)
    near = Surroundings(mapped, (3, 3))
    SampledLinkTask(near)._scaled(model)
    model.train().fusion.eval()
    few, many = torch.tensor([40, 7, 21]), torch.randperm(NODES, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        told = near.embed(model, many, key=5)[[int((many == node).nonzero()) for node in few]]
        assert torch.allclose(near.embed(model, few, key=5), told, atol=1e-6)
        assert not torch.allclose(near.embed(model, few, key=6), told, atol=1e-2)
        ones = torch.ones(NODES, 1000)
        dropped = _dropped(ones, torch.arange(NODES), 0.3, key=9)
    assert sorted(set(dropped.flatten().tolist())) == pytest.approx([0.0, 1 / 0.7])
    assert float((dropped == 0).double().mean()) == pytest.approx(0.3, abs=4 * (0.3 * 0.7 / ones.numel()) ** 0.5)


def islands(count: int = 6, size: int = 40) -> GraphTensors:
    """Groups of firms that supply each other, with one edge from each group to the next, under shuffled numbers."""
    draw = np.random.default_rng(2)
    name = draw.permutation(count * size)
    kind = some_edges(9, 30)[0][1]
    inside = [(g * size + int(a), g * size + int(b)) for g in range(count) for a, b in draw.integers(0, size, (200, 2))]
    across = [(g * size, (g + 1) % count * size) for g in range(count)]
    edges = {(int(name[a]), kind, int(name[b])) for a, b in inside + across}
    return graph(sorted(map(list, edges)), count * size)


@pytest.mark.parametrize("parts", [2, 3])
def test_near_parts_are_even_the_same_each_time_and_cut_few_edges(parts: int) -> None:
    own = islands()
    found, chance = near(own, parts), scattered(own, parts)
    assert torch.equal(found.owner, near(own, parts).owner) and set(found.owner.tolist()) == set(range(parts))
    assert found.balance(own) < 1.1
    assert chance.cut(own) == pytest.approx((parts - 1) / parts, abs=0.06)
    assert found.cut(own) < 0.1 * chance.cut(own)
    ends = own.edges[:, [0, 2]].tolist()
    crossing = sum(int(found.owner[a]) != int(found.owner[b]) for a, b in ends)
    assert found.cut(own) == pytest.approx(crossing / len(ends))
    assert near(own, 1).cut(own) == 0.0 and near(graph([], 3), 2).cut(graph([], 3)) == 0.0
    with pytest.raises(ModelError, match="0 parts are none"):
        near(own, 0)


def test_what_cannot_be_drawn_is_refused_by_name(mapped: Mapped) -> None:
    shape = Shape.of(mapped.graph)
    seeds = torch.tensor([1])
    with pytest.raises(ModelError, match="model sage cannot read drawn neighbourhoods; name relational or rgcn"):
        Surroundings(mapped, (2, 2)).embed(Sage(shape), seeds, 0)
    with pytest.raises(ModelError, match="1 fans for 2 layers; give one for each"):
        Surroundings(mapped, (2,)).embed(Relational(shape), seeds, 0)
    with pytest.raises(ModelError, match="each must be 1 or more, or None"):
        Surroundings(mapped, (0, 2))
    with pytest.raises(ModelError, match="batch is 0"):
        SampledLinkTask(Surroundings(mapped, (2, 2)), batch=0)
    wrong = SampledLinkTask(Surroundings(mapped, (2, 2)), partition=near(mapped.graph, 3))
    with pytest.raises(ModelError, match="the graph has 3 parts for 2 processes"):
        next(wrong.portions(Relational(shape), 0, 2))


def sampled(folder: Path, parts: int, wide: bool) -> tuple[Fit, dict[str, Tensor]]:
    """A fit from drawn neighbourhoods, dealt out by parts or evenly."""
    torch.set_default_dtype(torch.float64 if wide else torch.float32)
    try:
        own = Mapped.open(folder)
        if wide:
            values = own.graph.features["numeric"]
            features = {"numeric": Features(values.rows, values.values.double())}
            own = replace(own, graph=own.graph.with_features(features))
        model = Relational(Shape.of(own.graph), dim=8, dropout=0.2)
        partition = near(own.graph, parts) if parts else None
        task = SampledLinkTask(Surroundings(own, (4, 3)), 50, 20, partition, own.graph.edges[:10])
        run = fit(model, task, Recipe(epochs=3, rate=0.02, seed=1))
        return run, {name: value.clone() for name, value in model.state_dict().items()}
    finally:
        torch.set_default_dtype(torch.float32)


def four(folder: Path) -> list[tuple[Fit, dict[str, Tensor]]]:
    return [sampled(folder, parts, wide) for parts in (0, 2) for wide in (True, False)]


@pytest.mark.slow
def test_two_processes_with_a_part_of_the_graph_each_take_the_steps_of_one(tmp_path: Path) -> None:
    folder = keep(some_graph(), tmp_path / "graph")
    for (one, alone), (two, parted), most in zip(four(folder), in_two(four, folder), (1e-9, 1e-4) * 2, strict=True):
        assert apart(alone, parted) <= most
        assert one.value == pytest.approx(two.value, abs=most) and len(one.epochs) == 3
        assert one.epochs[-1]["loss"] < one.epochs[0]["loss"]
