"""The same code on another device: what is mixed fails, what is not there is said; on the processor nothing changes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gnn.bound import bounded
from gnn.calibrate import UNLEARNED
from gnn.conformal import both_sides, strangeness
from gnn.device import CPU, beside, moved, named, where
from gnn.evaluate import rank
from gnn.links import LinkTask, best_links
from gnn.model import Model, Shape
from gnn.models.complex import Complex
from gnn.models.relational import Relational
from gnn.models.rgcn import Rgcn
from gnn.models.temporal import Temporal
from gnn.odds import centred
from gnn.pipeline import facts_of
from gnn.sample import negatives, predictable
from gnn.settings import Settings
from gnn.teaching import checked, network
from gnn.temporal import placed
from gnn.tensors import Features, GraphTensors
from gnn.train import Recipe, fit
from gnn.trial import trial
from gnn.triples import read_triples
from gnn.views import Views
from kg.errors import ModelError
from tests.elsewhere import Elsewhere, elsewhere
from tests.gnn_world import CUT, build
from tests.test_gnn_train import small

NETWORKS = pytest.mark.parametrize("kind", [Complex, Relational, Rgcn])


def test_a_device_that_is_not_here_is_said_with_what_is_seen_and_what_to_do() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(ModelError, match=r"'cuda' is not here: torch .* sees none; run with device cpu"):
            named("cuda")
    for name in ("graphics", "cuda:x", "meta"):
        with pytest.raises(ModelError, match="name cpu, cuda, or one of several as cuda:0"):
            named(name)
    assert named("cpu") == CPU
    with pytest.raises(ModelError, match="device 'graphics' is unknown"):
        checked(Settings(device="graphics"))
    with pytest.raises(ModelError, match="device 'graphics' is unknown"):
        network(small(), Settings(device="graphics"), 0)


def test_on_the_processor_nothing_is_moved_or_copied() -> None:
    own = small()
    assert moved(own, CPU) is own and moved(own.edges, CPU) is own.edges and where(Complex(Shape.of(own))) == CPU


def test_the_stand_in_for_a_device_refuses_what_a_device_refuses() -> None:
    near = torch.arange(3)
    with elsewhere() as there:
        far = near.to(there)
        assert isinstance(far, Elsewhere) and isinstance(torch.ones(2, device=there), Elsewhere)
        assert isinstance(far + far, Elsewhere) and far[2].item() == 2 and (far + torch.tensor(1)).tolist() == [1, 2, 3]
        for mixed in (lambda: far + near, lambda: near[far], lambda: torch.cat([near, far])):
            with pytest.raises(RuntimeError, match="same device"):
                mixed()
        with pytest.raises((TypeError, RuntimeError)):
            far.numpy()
        assert type(far.cpu()) is Tensor and torch.equal(far.cpu(), near)


def learned(kind: type[Model], own: GraphTensors, device: torch.device) -> tuple[Model, list[float]]:
    """A model fitted for two epochs where it lives, and its losses."""
    right = own.edges[predictable(own)]
    made = kind(Shape.of(own), dim=8, seed=0, **({"dropout": 0.0} if kind is not Complex else {})).to(device)  # type: ignore[call-arg]
    run = fit(made, LinkTask(own, right[:20], steps=1), Recipe(epochs=2, optimiser="adagrad", rate=0.05, seed=0))
    return made, [row["loss"] for row in run.epochs] + [run.value]


@pytest.mark.parametrize("scores", [None, 90])
@NETWORKS
def test_a_model_elsewhere_is_fitted_ranked_and_asked_without_mixing_devices(
    kind: type[Model], scores: int | None
) -> None:
    own = small()
    asked = negatives(own, own.edges[predictable(own)][:30], 1, seed=2)

    def told(device: torch.device) -> list[np.ndarray]:
        model, losses = learned(kind, own, device)
        assert where(model) == device
        ranks, links = rank(model, own, asked), best_links(model, own, UNLEARNED, 3, ("SUPPLIES",))
        vectors = beside(type(model).describe)(model, own)
        assert ranks.heads.device == vectors.device == links.triples.device == CPU
        strange = strangeness(model, own, both_sides(own, asked))
        found = (losses, ranks.heads, ranks.tails, centred(model, own, asked), strange, links.triples, vectors.detach())
        return [np.asarray(one) for one in found]

    with bounded(scores):
        here = told(CPU)
        with elsewhere() as there:
            far = told(there)
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(here, far, strict=True))


def test_a_task_that_leaves_a_tensor_behind_is_caught() -> None:
    own = small()
    with elsewhere() as there, pytest.raises(RuntimeError, match="same device"):
        model = Relational(Shape.of(own), dim=8).to(there)
        list(LinkTask(own).losses(model))
    assert isinstance(own.features["numeric"], Features)


def test_a_trial_runs_elsewhere_from_its_plan_to_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    for name, count in (("train", 60), ("valid", 8), ("test", 8), ("valid_negatives", 8), ("test_negatives", 8)):
        rows = [f"n{a}\tr{b % 3}\tn{c}" for a, b, c in draw.integers(0, 12, (count, 3))]
        (tmp_path / f"{name}.txt").write_text(
            "\n".join(rows + ([f"n{k}\tr0\tn{k}" for k in range(12)] if count > 8 else []))
        )
    split, kept = read_triples(tmp_path), {"recipe": {"epochs": 2, "every": 1}}
    for name, lesson in (("complex", {"half": False, "batch": 20}), ("gcn", {"steps": 2})):
        changes = {**kept, "settings": {"dim": 8}, "lesson": lesson}
        with elsewhere() as there, monkeypatch.context() as patch:
            patch.setattr("gnn.trial.named", lambda name, there=there: there)
            found = trial(name, split, device="cuda", changes=changes)
        assert 0 < found.figures()["mrr"] <= 1 and where(found.model) == there and found.calls is not None


def test_a_manifest_names_the_device_where_it_is_not_the_processor(tmp_path: Path) -> None:
    made = build(tmp_path, firms=12)
    views = Views(made.ledger, made.files, None)
    usual, other = (facts_of(views, CUT, 0, Settings(device=name), [])["settings"] for name in ("cpu", "cuda"))
    assert "device" not in usual and other["device"] == "cuda"


def test_a_model_that_learns_step_by_step_is_refused_elsewhere() -> None:
    with pytest.raises(ModelError, match="temporal learns step by step on the processor only"):
        placed(Temporal, torch.device("cuda"))
