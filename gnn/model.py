"""Model: what scores triples and embeds nodes of a graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types
from torch import Tensor, nn

from gnn.tensors import GraphTensors
from gnn.vocabulary import LABELS, RELATIONS
from kg.errors import ModelError


@dataclass(frozen=True)
class Shape:
    """What a model must know of a graph to be built: sizes, and the modalities with the length of their vectors."""

    nodes: int
    modalities: Mapping[str, int] = field(default_factory=dict)
    labels: int = len(LABELS)
    relations: int = len(RELATIONS)

    @classmethod
    def of(cls, graph: GraphTensors) -> Shape:
        """The shape of a graph as it is."""
        features = {name: own.values.shape[1] for name, own in sorted(graph.features.items())}
        words = graph.vocabulary
        return cls(len(graph), features, len(words.labels), len(words.relations))


@dataclass(frozen=True)
class Plan:
    """Settings by which a model does well on public sets of triples; names as in the model, its task and Recipe."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    lesson: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    alone: bool = False
    """True where vectors depend on no edge, so that questions can be asked in small groups."""
    over: Mapping[str, Any] = field(default_factory=dict)
    """What its task is told over a graph, where the settings of the run leave it open."""


class Model(nn.Module, ABC):
    """A scorer of triples. A model is one file in gnn/models/ and is found by its file name.

    Relations are numbered 0 .. R-1, and r + R is the reciprocal of r: `score_tails(graph, tails, r + R)` ranks heads.
    """

    name: ClassVar[str]
    trained: ClassVar[bool] = True
    """False for a model without parameters, such as a counting baseline."""
    plan: ClassVar[Plan] = Plan()
    """How it is trained on plain triples where nobody says otherwise."""

    def __init__(self, shape: Shape, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.shape = shape
        self.settings = dict(settings)
        """What beside the shape rebuilds the model from a checkpoint."""

    @abstractmethod
    def embed(self, graph: GraphTensors) -> Tensor:
        """Vectors (nodes, dim), a row for each node."""

    def describe(self, graph: GraphTensors) -> Tensor:
        """Vectors (nodes, dim) to compare nodes by, as they are published; `embed` unless a model knows better."""
        return self.embed(graph)

    @abstractmethod
    def score_tails(self, graph: GraphTensors, heads: Tensor, relations: Tensor) -> Tensor:
        """Scores (batch, nodes) of every node as the tail of head and relation; higher is likelier."""

    def score(self, graph: GraphTensors, triples: Tensor) -> Tensor:
        """Scores (batch,) of triples (batch, 3) head, relation, tail."""
        scores = self.score_tails(graph, triples[:, 0], triples[:, 1])
        return scores.gather(1, triples[:, 2:]).squeeze(1)

    def check(self, graph: GraphTensors) -> None:
        """ModelError if the graph is not one this model was built for."""
        if len(graph) != self.shape.nodes:
            raise ModelError(
                f"model {self.name} was built for {self.shape.nodes} nodes, the graph has {len(graph)}; "
                "build it with Shape.of(graph)"
            )


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers of torch from this seed inside, and untouched outside."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def exact(threads: int) -> Iterator[None]:
    """Bitwise repeatable arithmetic on this many threads inside, and the caller's settings back outside."""
    before, strict = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode("error")  # the other call loads the compiler, of ten seconds
    try:
        with threadpool_limits(threads):  # numpy and scikit-learn bring pools of their own
            yield
    finally:
        torch.set_deterministic_debug_mode(strict)
        torch.set_num_threads(before)
