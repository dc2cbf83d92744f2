"""Networks that pass messages on planted signals: homophily, type of relation, ladders, few labels, hidden edges."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from scipy.stats import t as student

from benchmarks.figure import Figure
from gnn.evaluate import auroc
from gnn.models.autoencoder import Endpoints
from gnn.models.complex import Complex
from gnn.models.gcn import Gcn
from gnn.models.hierarchy import Hierarchy
from gnn.models.relational import Relational
from gnn.models.rgcn import Rgcn
from gnn.models.sage import Sage
from tests.planted_layers import accuracy, built, homophilous, typed
from tests.test_gnn_layers_ladder import broken
from tests.test_gnn_layers_pretrain import World

SEEDS: Final = 5
EPOCHS: Final = (1, 10, 40)


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    return [*_homophily(), *_types(), *_ladder(), *_reconstruction(), *_pretraining()]


def over_seeds(run: Callable[[int], Sequence[float]]) -> np.ndarray:
    """(seeds, values) of a run."""
    return np.array([run(seed) for seed in range(SEEDS)])


def told(values: np.ndarray) -> str:
    """Mean and 95 % interval over seeds (Student)."""
    half = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return f"{values.mean():+.3f}, 95 % {values.mean() - half:+.3f} to {values.mean() + half:+.3f}"


def _homophily() -> list[Figure]:
    figures = []
    for share in (0.9, 0.5, 0.1):

        def run(seed: int, share: float = share) -> list[float]:
            own, label = homophilous(share, seed)
            kinds = ((Gcn, 0), (Gcn, 1), (Sage, 1))
            return [accuracy(built(kind, own, layers, seed), own, label, seed) for kind, layers in kinds]

        found = over_seeds(run)
        gain = found[:, 1] - found[:, 0]
        what = f"accuracy GCN gains on a perceptron, {share:.0%} of edges within the class"
        note = f"{told(gain)}; perceptron {found[:, 0].mean():.3f}, GraphSAGE {found[:, 2].mean():.3f}"
        figures.append(Figure(what, float(gain.mean()), 0.1 if share == 0.9 else None, note=note))
    return figures


def _types() -> list[Figure]:
    def run(seed: int) -> list[float]:
        own, label = typed(seed)
        return [accuracy(built(kind, own, 1, seed), own, label, seed) for kind in (Gcn, Sage, Rgcn, Relational)]

    found = over_seeds(run)
    blind = f"GCN {found[:, 0].mean():.3f}, GraphSAGE {found[:, 1].mean():.3f}"
    return [
        Figure(
            f"accuracy {name} gains on GCN, signal in the relation's type",
            gain.mean(),
            0.1,
            note=f"{told(gain)}; {blind}",
        )
        for name, gain in (("R-GCN", found[:, 2] - found[:, 0]), ("CompGCN", found[:, 3] - found[:, 0]))
    ]


def _ladder() -> list[Figure]:
    decays = (1e-3, 3e-3)

    def run(seed: int) -> list[float]:
        flat = [broken(Complex, seed, decay) for decay in decays]
        levels = [broken(Hierarchy, seed, decay) for decay in decays]
        return [min(one[kind] for one in side) for kind in ("upside down", "below") for side in (flat, levels)]

    found = over_seeds(run).mean(0)
    names = ("pairs ranked upside down", "best answers no higher on the ladder")
    return [
        Figure(
            name,
            found[2 * k + 1],
            found[2 * k],
            least=False,
            note=f"flat ComplEx {found[2 * k]:.3f}; better of two decays each",
        )
        for k, name in enumerate(names)
    ]


def _reconstruction() -> list[Figure]:
    world = World(0)
    gaps = [world.gap(world.pretrained(epochs)) for epochs in EPOCHS]
    note = ", ".join(f"{gap:.2f} after {epochs}" for gap, epochs in zip(gaps, EPOCHS, strict=True))
    article = Endpoints(len(world.graph), int(world.graph.edges[:, 1].max()) + 1, 16)
    optimiser = torch.optim.Adam(article.parameters(), lr=0.01)
    begun = float(article(world.wrong).detach().mean())
    for _ in range(300):
        loss = article(world.graph.edges).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    right, wrong = article(world.right).detach(), article(world.wrong).detach()
    truth = np.repeat([1.0, 0.0], [len(right), len(wrong)])
    area = auroc(truth, -torch.cat([right, wrong]).double().numpy())
    left = f"loss on true {float(right.mean()) / begun:.1g}, on random {float(wrong.mean()) / begun:.1g} of what it was"
    return [
        Figure("gap of held-back to random edges, in deviations, masked reconstruction", gaps[-1], gaps[0], note=note),
        Figure("AUROC of held-back edges by the articles' reconstruction", area, note=left),
    ]


def _pretraining() -> list[Figure]:
    def run(seed: int) -> list[float]:
        world = World(seed)
        start = world.pretrained()
        before = world.edges(start)
        values = [world.told(world.model(), 80), world.told(copy.deepcopy(start)), world.told(world.model(), 80, False)]
        for anchor in (0.0, 0.03):
            model = copy.deepcopy(start)
            values += [world.told(model, frozen=False, anchor=anchor), before - world.edges(model)]
        return values

    found = over_seeds(run)
    probe, whole, kept = found[:, 1] - found[:, 0], found[:, 3] - found[:, 2], found[:, 5] - found[:, 2]
    both = "5 labels for each of 4 groups, as many steps in all"
    return [
        Figure("accuracy a linear probe gains by pre-training", probe.mean(), 0.1, note=f"{told(probe)}; {both}"),
        Figure(
            "accuracy fine-tuning gains by pre-training",
            whole.mean(),
            note=f"{told(whole)}; without {found[:, 2].mean():.3f}",
        ),
        Figure("accuracy anchored fine-tuning gains by pre-training", kept.mean(), note=told(kept)),
        Figure("AUROC of held-back edges forgotten, free", found[:, 4].mean(), note=told(found[:, 4])),
        Figure(
            "AUROC of held-back edges forgotten, anchored",
            found[:, 6].mean(),
            0.08,
            least=False,
            note=told(found[:, 6]),
        ),
    ]
