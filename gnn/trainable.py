"""Trainable encoders: h_i of f = g(h_1(x_1), ..., h_n(x_n)) with weights of their own, alone or inside a model.

A trainable encoder has two parts. `prepare` brings a value into a fixed shape and learns nothing; a `network` makes a
vector of it. The network learns in one of two ways:

- before the model, from the values of the train window alone and without any label (`fit`), then it stands still;
- with the model: the graph carries prepared values (`Prepared`), `Composed` holds the networks, and the gradient of
  whatever the model is asked runs through to them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from gnn.checkpoint import load_tensors, save_tensors
from gnn.encoder import Encoder
from gnn.model import Shape, seeded
from gnn.tensors import Features, GraphTensors
from gnn.train import Recipe, Task, fit
from kg import plugins
from kg.errors import ModelError
from kg.model import digest


class Trainable(Encoder):
    """An encoder with weights that are learned here and kept with the model."""

    name: ClassVar[str]
    """Its file name."""
    version: ClassVar[int] = 1
    """Raised when `prepare` changes."""
    shape: ClassVar[tuple[int, ...]]
    """Shape of one prepared value."""
    recipe: ClassVar[Recipe] = Recipe(epochs=10, rate=0.003, weight_decay=1e-4, schedule="cosine")
    """How the network is taught on values alone."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        with seeded(seed):
            self.network = self.build().eval()
        self.ready = False
        """Whether the weights are learned, not drawn."""

    @abstractmethod
    def prepare(self, value: Any) -> Tensor:
        """One value in `shape`, float32. ModelError if it cannot be read."""

    @abstractmethod
    def build(self) -> nn.Module:
        """The network (values, *shape) -> (values, dim) with weights drawn from torch's random numbers."""

    @abstractmethod
    def lesson(self, given: Tensor) -> tuple[Task, nn.Module]:
        """What can be learned of prepared values without labels, and the module, network included, that learns it."""

    @property
    def fingerprint(self) -> str:
        weights = b"".join(value.numpy().tobytes() for value in self.network.state_dict().values())
        return f"{self.name}-{self.version}-{digest(weights)[:16]}"

    def fit(self, values: Iterable[Any]) -> Self:
        """Learn from values alone: give it those of the train window only. What cannot be read is left out."""
        given = []
        for value in values:
            try:
                given.append(self.prepare(value))
            except ModelError:  # whoever encodes it says so
                continue
        if not given:
            raise ModelError(f"{self.name} encoder: no {self.modality} value of the train window can be read to learn")
        with seeded(self.seed):
            task, module = self.lesson(torch.stack(given))
        fit(module, task, replace(self.recipe, seed=self.seed))
        self.network.eval()
        self.ready = True
        return self

    def encode(self, values: Sequence[Any]) -> Tensor:
        """Vectors, each value by itself. ModelError before `fit` or `load`."""
        if not self.ready:
            raise ModelError(f"{self.name} encoder: no weights yet; call fit() on the train window, or load() them")
        with torch.no_grad():
            vectors = [self.network(self.prepare(value)[None])[0] for value in values]
        return torch.stack(vectors) if vectors else torch.zeros(0, self.dim)

    def save(self, folder: Path) -> Path:
        """Write the weights into a folder, with what they belong to."""
        return save_tensors(folder, self.network.state_dict(), {"encoder": self.name, "version": self.version})

    def load(self, folder: Path) -> Self:
        """Weights as they were saved; ModelError if they are of another encoder or version."""
        tensors, facts = load_tensors(folder)
        if (facts.get("encoder"), facts.get("version")) != (self.name, self.version):
            raise ModelError(
                f"{folder} holds weights of {facts.get('encoder')} version {facts.get('version')}, expected "
                f"{self.name} version {self.version}; train again or name another folder"
            )
        self.network.load_state_dict(tensors)
        self.ready = True
        return self


class Prepared(Encoder):
    """The prepared values of a trainable encoder as flat vectors, for a network that learns inside a model."""

    def __init__(self, whose: Trainable) -> None:
        self.whose, self.dim = whose, prod(whose.shape)
        self.modality = whose.modality  # type: ignore[misc]  # of the encoder it prepares for

    @property
    def fingerprint(self) -> str:
        return f"prepared-{self.whose.name}-{self.whose.version}"

    def encode(self, values: Sequence[Any]) -> Tensor:
        vectors = [self.whose.prepare(value).flatten() for value in values]
        return torch.stack(vectors) if vectors else torch.zeros(0, self.dim)


class Composed(nn.Module):
    """The trainable h_i of a model, by modality; modalities without one go through as they are.

    `Composed({"image": "cnn"})` is rebuilt from that mapping and its weights, so it is kept as any other module is.
    """

    def __init__(self, encoders: Mapping[str, str], seed: int = 0) -> None:
        super().__init__()
        made = {modality: trainable(modality, name, seed) for modality, name in sorted(encoders.items())}
        self.shapes = {modality: own.shape for modality, own in made.items()}
        self.widths = {modality: own.dim for modality, own in made.items()}
        self.networks = nn.ModuleDict({modality: own.network for modality, own in made.items()})
        self.prepared = tuple(Prepared(own) for own in made.values())
        """Encoders that bring the values of a graph into the shape that the networks read."""

    def of(self, shape: Shape) -> Shape:
        """The shape of a graph after it was read: what g is built for."""
        return replace(shape, modalities={**shape.modalities, **self.widths})

    def forward(self, graph: GraphTensors) -> GraphTensors:
        """The same graph with vectors in place of prepared values."""
        read = {name: self._read(name, own) for name, own in graph.features.items() if name in self.networks}
        return graph.with_features({**graph.features, **read})

    def _read(self, name: str, own: Features) -> Features:
        shape = self.shapes[name]
        if own.values.shape[1] != prod(shape):
            raise ModelError(
                f"modality {name}: values of {own.values.shape[1]} numbers, its network reads {prod(shape)}; "
                "make the tensors with the encoders in `prepared`"
            )
        if not len(own.rows):
            return Features(own.rows, own.values.new_zeros(0, self.widths[name]))
        return Features(own.rows, self.networks[name](own.values.view(-1, *shape)))


def trainable(modality: str, name: str, seed: int = 0) -> Trainable:
    """The trainable encoder of a name; ModelError if there is none, or if it is of another modality."""
    own = named(modality, name, seed)
    if not isinstance(own, Trainable):
        others = [other for other in known(modality) if issubclass(kind(other), Trainable)]
        raise ModelError(f"encoder {name} of {modality} has no weights to train; with weights: {', '.join(others)}")
    return own


def named(modality: str, name: str, seed: int = 0) -> Encoder:
    """The encoder of a name for a modality; ModelError lists those that there are."""
    found = kind(name) if name in plugins.names("gnn.encoders") else None
    if found is None or found.modality != modality:
        why = "is unknown" if found is None else f"reads {found.modality}"
        others = ", ".join(known(modality)) or "none"
        raise ModelError(f"encoder {name!r} for {modality} {why}; known for {modality}: {others}")
    return found(seed) if issubclass(found, Trainable) else found()


def kind(name: str) -> type[Encoder]:
    """The class of an encoder by its file name."""
    return plugins.load("gnn.encoders", name, Encoder)  # type: ignore[type-abstract]  # load gives a concrete one


def known(modality: str) -> list[str]:
    """Names of the encoders of a modality."""
    return [name for name in plugins.names("gnn.encoders") if kind(name).modality == modality]
