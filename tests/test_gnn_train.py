"""The training loop, its checkpoints, and what the decoders can and cannot tell."""

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from gnn.checkpoint import FACTS, load_tensors, save_tensors
from gnn.decoder import score
from gnn.evaluate import auroc
from gnn.links import LinkTask, one_vs_all, scored
from gnn.model import Model, Shape
from gnn.models.complex import Complex
from gnn.models.relational import Relational
from gnn.sample import allowed
from gnn.tensors import Features, GraphTensors
from gnn.train import Recipe, fit
from gnn.vocabulary import RELATIONS
from kg.errors import ModelError
from kg.model import digest
from tests.test_gnn_convolution import SUPPLIES, graph, some_edges

SMALL = Recipe(epochs=6, rate=0.02, seed=1, patience=3)


def small() -> GraphTensors:
    own = graph(some_edges(30, 150), 30)
    return own.with_features(
        {"numeric": Features(torch.arange(0, 30, 2), torch.randn(15, 4, generator=torch.Generator().manual_seed(2)))}
    )


def weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


class Scripted:
    """A real task whose validation values are given, and which remembers the weights at each validation."""

    def __init__(self, values: list[float]) -> None:
        self.values, self.seen = values, list[dict[str, Tensor]]()

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        yield ((model.weight - 3.0) ** 2).sum()  # type: ignore[operator,union-attr]

    def validate(self, model: nn.Module) -> float:
        self.seen.append(weights(model))
        return self.values[len(self.seen) - 1]


def test_early_stopping_restores_the_best_epoch_and_keeps_its_patience() -> None:
    model, task = nn.Linear(2, 1), Scripted([0.1, 0.5, 0.4, 0.3, 0.2, 0.9])
    run = fit(model, task, Recipe(epochs=6, patience=3))
    assert run.best == 2 and run.value == 0.5
    assert len(run.epochs) == 5  # three epochs without a better value after the second; the 0.9 is never reached
    assert equal(weights(model), task.seen[1])


def test_the_rate_decays_and_every_epoch_is_on_the_curve() -> None:
    run = fit(nn.Linear(2, 1), Scripted([0.0] * 4), Recipe(epochs=4, rate=0.1, decay=0.5, patience=9))
    assert [row["rate"] for row in run.epochs] == [0.1, 0.05, 0.025, 0.0125]
    assert run.epochs[-1]["loss"] < run.epochs[0]["loss"]


@pytest.mark.parametrize("optimiser,rate", [("adam", 0.02), ("sgd", 0.05)])
def test_the_loss_falls_with_either_optimiser_and_a_stopped_run_goes_on(
    optimiser: Literal["adam", "sgd"], rate: float, tmp_path: Path
) -> None:
    own, recipe = small(), replace(SMALL, optimiser=optimiser, rate=rate)
    straight, stopped = Relational(Shape.of(own), dim=8), Relational(Shape.of(own), dim=8)
    run = fit(straight, LinkTask(own), recipe)
    assert run.epochs[-1]["loss"] < 0.97 * run.epochs[0]["loss"]
    fit(stopped, LinkTask(own), replace(recipe, epochs=3), tmp_path / "state")
    assert fit(stopped, LinkTask(own), recipe, tmp_path / "state") == run
    assert equal(weights(straight), weights(stopped))


def test_an_unknown_optimiser_is_named() -> None:
    with pytest.raises(ModelError, match="name adam, adamw, adagrad, sgd"):
        fit(nn.Linear(2, 1), Scripted([0.0]), Recipe(epochs=1, optimiser="newton"))  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not() -> None:
    own, found = small(), []
    for seed in (5, 5, 6):
        model = Relational(Shape.of(own), dim=8, seed=seed)
        fit(model, LinkTask(own), replace(SMALL, seed=seed))
        found.append(weights(model))
    assert equal(found[0], found[1]) and not equal(found[0], found[2])


def test_training_leaves_the_callers_random_numbers_and_threads_alone() -> None:
    torch.manual_seed(9)
    expected = torch.rand(1)
    threads = torch.get_num_threads()
    torch.manual_seed(9)
    fit(Relational(Shape.of(small()), dim=8), LinkTask(small()), SMALL)
    assert torch.equal(torch.rand(1), expected) and torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_resumed_run_equals_a_straight_one_bit_for_bit(tmp_path: Path) -> None:
    own, valid = small(), small().edges[:10]
    straight, resumed = Relational(Shape.of(own), dim=8), Relational(Shape.of(own), dim=8)
    first = fit(straight, LinkTask(own, valid), SMALL)
    fit(resumed, LinkTask(own, valid), replace(SMALL, epochs=2), checkpoint=tmp_path / "state")
    other = Relational(Shape.of(own), dim=8, seed=77)  # all of it must come from the checkpoint
    second = fit(other, LinkTask(own, valid), SMALL, checkpoint=tmp_path / "state")
    assert first == second and len(second.epochs) > 2
    assert equal(weights(straight), weights(other))


def test_a_loss_that_is_no_number_stops_the_run() -> None:
    class Broken(Scripted):
        def losses(self, model: nn.Module) -> Iterator[Tensor]:
            yield model.weight.sum() * torch.nan  # type: ignore[operator,union-attr]

    with pytest.raises(ModelError, match="loss is nan"):
        fit(nn.Linear(2, 1), Broken([0.0]), Recipe(epochs=1))


def test_a_checkpoint_comes_back_bit_for_bit_and_a_changed_one_is_refused(tmp_path: Path) -> None:
    model = Relational(Shape.of(small()), dim=8)
    save_tensors(tmp_path, model.state_dict(), {"note": "first"})
    save_tensors(tmp_path, model.state_dict(), {"note": "second"})
    tensors, facts = load_tensors(tmp_path)
    assert equal(tensors, weights(model)) and facts == {"note": "second"}
    assert len(list(tmp_path.iterdir())) == 2  # the JSON and one file of weights, no leftovers
    file = tmp_path / json.loads((tmp_path / FACTS).read_text())["weights"]
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelError, match="another sha256"):
        load_tensors(tmp_path)
    with pytest.raises(ModelError, match="train again"):
        load_tensors(tmp_path / "nowhere")


def test_a_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.mkdir, (str(tmp_path / "sprung"),))

    torch.save({"x": torch.ones(2)}, tmp_path / "model.pt")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Trap()))
    for name in ("model.pt", "model.pkl"):
        with pytest.raises(ModelError, match=r"is a pickle .* so it is not read; expected a folder"):
            load_tensors(tmp_path / name)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ModelError, match="name the folder that holds"):
        load_tensors(tmp_path / "notes.txt")
    swapped(save_tensors(tmp_path / "run", {"x": torch.ones(2)}, {}), (tmp_path / "model.pkl").read_bytes())
    with pytest.raises(ModelError, match="is a pickle"):
        load_tensors(tmp_path / "run")
    assert not (tmp_path / "sprung").exists()


def swapped(folder: Path, data: bytes) -> None:
    """Put other bytes in the place of the weights, with their digest: what a stranger would do."""
    told = json.loads((folder / FACTS).read_text())
    (folder / told["weights"]).write_bytes(data)
    (folder / FACTS).write_text(json.dumps(told | {"sha256": digest(data)}))


@pytest.mark.parametrize("data", [b"", b"no tensors at all", b"\xff" * 64])
def test_weights_that_are_no_safetensors_are_named(tmp_path: Path, data: bytes) -> None:
    swapped(save_tensors(tmp_path, {"x": torch.ones(2)}, {}), data)
    with pytest.raises(ModelError, match="holds no safetensors"):
        load_tensors(tmp_path)


@pytest.mark.parametrize("told", ["[]", "{}", "{", '{"weights": "../x", "sha256": "0", "facts": {}}'])
def test_a_manifest_that_is_none_or_points_elsewhere_is_refused(tmp_path: Path, told: str) -> None:
    (tmp_path / FACTS).write_text(told)
    with pytest.raises(ModelError, match="no checkpoint can be read"):
        load_tensors(tmp_path)


def test_the_state_of_another_model_is_not_gone_on_from(tmp_path: Path) -> None:
    own = small()
    fit(Relational(Shape.of(own), dim=8), LinkTask(own), replace(SMALL, epochs=1), tmp_path)
    with pytest.raises(ModelError, match="does not fit the model"):
        fit(Relational(Shape.of(own), dim=16), LinkTask(own), SMALL, tmp_path)


KILLED = """
import os, signal, sys
from pathlib import Path
from gnn.links import LinkTask
from gnn.model import Shape
from gnn.models.relational import Relational
from gnn.train import fit
from tests.test_gnn_train import SMALL, small

def die(text):
    if text.startswith("epoch 3:"):
        os.kill(os.getpid(), signal.SIGKILL)

fit(Relational(Shape.of(small()), dim=8), LinkTask(small(), small().edges[:10]), SMALL, Path(sys.argv[1]), die)
"""


@pytest.mark.slow
def test_a_killed_process_goes_on_at_the_next_epoch_and_ends_with_the_same_bits(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "state")], timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert len(load_tensors(tmp_path / "state")[1]["epochs"]) == 3
    straight, resumed = (Relational(Shape.of(small()), dim=8, seed=seed) for seed in (0, 77))
    lines = list[str]()
    task = LinkTask(small(), small().edges[:10])
    first, second = fit(straight, task, SMALL), fit(resumed, task, SMALL, tmp_path / "state", lines.append)
    assert lines[0].startswith("epoch 4:") and first == second and equal(weights(straight), weights(resumed))


def test_a_spoiled_state_to_go_on_from_is_told_and_the_training_begins_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task, state = LinkTask(small(), small().edges[:10]), tmp_path / "state"
    straight, again = (Relational(Shape.of(small()), dim=8, seed=seed) for seed in (0, 0))
    first = fit(straight, task, SMALL, state)
    weight = next(state.glob("*.safetensors"))
    weight.write_bytes(weight.read_bytes()[:-8])
    assert fit(again, task, SMALL, state) == first and equal(weights(straight), weights(again))
    assert str(state) in caplog.text and "begins anew" in caplog.text


def test_grouped_one_vs_all_is_the_loss_of_each_triple_alone() -> None:
    own = ring(12)
    model, fits = Complex(Shape.of(own), dim=8), allowed(own)
    with torch.no_grad():
        assert one_vs_all(model, own, own.edges, fits).item() == pytest.approx(
            alone(model, own, own.edges, fits), rel=1e-5
        )


def alone(model: Model, own: GraphTensors, triples: Tensor, fits: Tensor) -> float:
    """Mean negative log probability, one triple and one direction at a time."""
    total = 0.0
    for h, r, t in triples.tolist():
        for head, relation, tail in ((h, r, t), (t, r + len(RELATIONS), h)):
            scores = model.score_tails(own, torch.tensor([head]), torch.tensor([relation]))[0]
            total -= float(scores.masked_fill(~fits[relation], -torch.inf).log_softmax(0)[tail])
    return total / (2 * len(triples))


def test_an_edge_that_is_asked_for_does_not_pass_messages() -> None:
    """In training the graph a step sees lacks the step's own edges, in both directions."""
    own = small()

    class Watching(Relational):
        def embed(self, graph: GraphTensors) -> Tensor:
            seen.append(graph)
            return super().embed(graph)

    seen: list[GraphTensors] = []
    model = Watching(Shape.of(own), dim=8)
    asked = LinkTask(own, steps=3)
    assert len(list(asked.losses(model))) == 3
    hidden = [len(own.edges) - len(graph.edges) for graph in seen]
    assert sum(hidden) == len(asked.rows) and min(hidden) > 0


def ring(nodes: int = 40) -> GraphTensors:
    """Each node supplies the next three and never the other way round."""
    return graph(sorted([n, SUPPLIES, (n + step) % nodes] for n in range(nodes) for step in (1, 2, 3)), nodes)


def direction_auroc(symmetric: bool) -> float:
    """How well edges are told from the same edges turned round."""
    own = ring()
    held = torch.arange(len(own.edges)) % 5 == 0
    known = own.without(held)
    model = Complex(Shape.of(known), dim=32, symmetric=symmetric)
    fit(model, LinkTask(known), Recipe(epochs=40, rate=0.05, seed=0))
    right = own.edges[held]
    values, truth = scored(model, known, right, right[:, [2, 1, 0]])
    return auroc(truth, values)


def test_direction_matters_to_complex_and_cannot_to_distmult() -> None:
    a, r, b = torch.randn(3, 5, 8)
    assert not torch.allclose(score(a, r, b), score(b, r, a))
    assert torch.allclose(score(a, r, b, symmetric=True), score(b, r, a, symmetric=True), atol=1e-5)
    assert direction_auroc(symmetric=False) > direction_auroc(symmetric=True) + 0.2
