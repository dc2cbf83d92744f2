"""GraphTensors: a snapshot at a cut as tensors, with nothing in it that was published after the cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from gnn.encoder import Encoder, VectorCache
from gnn.encoders.table import COLUMNS, Table
from gnn.values import TEXTS, Facts, told
from gnn.vocabulary import LABELS, ONTOLOGY, RELATIONS, Vocabulary
from kg.files import Files
from kg.memory import Need
from kg.model import as_time
from kg.ontology import PROPERTIES
from kg.snapshot import Snapshot

__all__ = ["TEXTS", "Features", "GraphTensors", "Place", "fitted_table", "microseconds", "numbers", "stated"]

DERIVED: Final = tuple(name for name, spec in PROPERTIES.items() if spec.node in ("Score", "Embedding"))
"""Properties that models and stress runs state, not sources."""
YEAR: Final = 365.25 * 86_400e6
"""Microseconds."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NEED: Final = Need(
    "making tensors of",
    {"edges": 600, "facts": 300, "nodes": 300},
    "take an earlier cut, or make them where there is more memory and write them with gnn.mapped.keep: training from "
    "drawn neighbourhoods maps those files",
)
"""Of a snapshot: above what `python -m benchmarks.scale` and `pytest tests/test_gnn_room.py` found."""
VECTORS: Final = Need(
    "making vectors of",
    {"nodes": 1_200, "numbers": 9},
    "leave this modality out, or name an encoder of shorter vectors",
)
"""Of nodes that have a modality, and the numbers in all their vectors."""


@dataclass(frozen=True)
class Features:
    """Vectors of one modality for the nodes that have it."""

    rows: Tensor
    """(present,) int64 node rows, ascending."""
    values: Tensor
    """(present, dim) float32."""

    def mask(self, nodes: int) -> Tensor:
        """(nodes,) bool: which nodes have the modality."""
        return torch.zeros(nodes, dtype=torch.bool).index_fill_(0, self.rows, True)

    def dense(self, nodes: int) -> Tensor:
        """(nodes, dim) float32 with zeros where the modality is missing."""
        return torch.zeros(nodes, self.values.shape[1]).index_copy_(0, self.rows, self.values)


@dataclass(frozen=True)
class GraphTensors:
    """The typed, directed graph at a cut: what every model reads.

    Parallel edges (days of trades, facilities of a lender) are one row that counts them.
    """

    ids: tuple[str, ...]
    """Node ids, sorted; a node that nothing published by the cut speaks of is not here."""
    labels: Tensor
    """(nodes,) int64, index into the labels of the vocabulary."""
    edges: Tensor
    """(edges, 3) int64 head row, relation, tail row; unique, sorted by relation, head, tail."""
    first: Tensor
    """(edges,) int64, microseconds since 1970 when the first of the parallel edges was published."""
    last: Tensor
    """(edges,) int64, the same of the last one."""
    counts: Tensor
    """(edges,) int64, how many parallel edges."""
    cut: datetime
    features: Mapping[str, Features] = field(default_factory=dict)
    vocabulary: Vocabulary = ONTOLOGY

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def index(self) -> dict[str, int]:
        """Row of each node id."""
        return {id: row for row, id in enumerate(self.ids)}

    def without(self, gone: Tensor) -> GraphTensors:
        """The same graph less the edges where `gone` (edges,) is true: so that they do not see themselves."""
        stay = ~gone
        return replace(
            self, edges=self.edges[stay], first=self.first[stay], last=self.last[stay], counts=self.counts[stay]
        )

    def with_features(self, features: Mapping[str, Features]) -> GraphTensors:
        return replace(self, features=dict(features))

    def only(self, modalities: Iterable[str]) -> GraphTensors:
        """The same graph with these modalities; the others are missing everywhere."""
        return self.with_features({name: self.features[name] for name in modalities})

    def present(self, names: Sequence[str]) -> Tensor:
        """(nodes, names) bool: which nodes have which of these modalities."""
        masks = [self.features[name].mask(len(self)) if name in self.features else None for name in names]
        none = torch.zeros(len(self), dtype=torch.bool)
        return torch.stack([none if mask is None else mask for mask in masks], dim=1) if names else none[:, None][:, :0]

    def permuted(self, modality: str, seed: int) -> GraphTensors:
        """The same graph with the vectors of one modality dealt out anew among the nodes that have it."""
        old = self.features[modality]
        order = torch.randperm(len(old.rows), generator=torch.Generator().manual_seed(seed))
        return self.with_features({**self.features, modality: Features(old.rows, old.values[order])})

    @classmethod
    def from_snapshot(
        cls,
        snapshot: Snapshot,
        files: Files,
        encoders: Iterable[Encoder],
        cut: datetime,
        cache: Path | None = None,
    ) -> GraphTensors:
        """Tensors of what the snapshot held as published by the cut; vectors are cached under `cache` by content."""
        graph, facts = cls.with_facts(snapshot, cut)
        store = VectorCache(cache)
        return graph.with_features(
            {encoder.modality: _features(encoder, graph, facts, files, store) for encoder in encoders}
        )

    @classmethod
    def with_facts(cls, snapshot: Snapshot, cut: datetime) -> tuple[GraphTensors, Facts]:
        """Tensors without features, and the facts of their nodes, both as published by the cut.

        TooLargeError before they are begun, if they do not fit.
        """
        cut = as_time(cut)
        NEED.check(edges=snapshot.edges.num_rows, facts=snapshot.facts.num_rows, nodes=len(snapshot))
        edges, facts = _published(snapshot.edges, cut), _published(snapshot.facts, cut)
        edges = edges.filter(pc.is_in(edges["type"], pa.array(RELATIONS)))
        nodes = np.unique(
            np.concatenate([_column(edges, "source"), _column(edges, "target"), _column(facts, "subject")])
        )
        row = np.full(len(snapshot), -1, dtype=np.int64)
        row[nodes] = np.arange(len(nodes))
        kept = snapshot.nodes.take(pa.array(nodes))
        graph = cls(tuple(kept["id"].to_pylist()), _labels(kept), *_edges(edges, row), cut)
        return graph, Facts(graph.ids, graph.labels.tolist(), facts, row)


@dataclass(frozen=True)
class Place:
    """Where a node stands in its graph: what an encoder of structure reads."""

    graph: GraphTensors
    row: int


def numbers(facts: pa.Table, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of nodes that have numeric facts, and their latest values (rows, COLUMNS) with NaN where there is none.

    `facts` has the columns of a snapshot's facts with subject < nodes; later valid_from wins, then later published.
    """
    order = [(name, "ascending") for name in ("subject", "valid_from", "published", "key")]
    matrix = np.full((nodes, len(COLUMNS)), np.nan)
    for column, name in enumerate(COLUMNS):
        rows = facts.filter(pc.equal(facts["property"], name)).sort_by(order)
        amount = rows["value_decimal"].cast(pa.float64())
        value = pc.coalesce(rows["value_real"], amount, rows["value_int"].cast(pa.float64()))
        matrix[_column(rows, "subject"), column] = value.to_numpy()  # of equal rows the last one stays
    some = np.flatnonzero(np.isfinite(matrix).any(axis=1))
    return some, matrix[some]


def fitted_table(snapshot: Snapshot, cut: datetime) -> Table:
    """The table encoder with its scale learned from facts published by `cut`: the end of the train window."""
    return Table().fit(numbers(_published(snapshot.facts, as_time(cut)), len(snapshot))[1])


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, the unit of `first` and `last`."""
    delta = as_time(moment) - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _published(table: pa.Table, cut: datetime) -> pa.Table:
    """Rows published by the cut, less what models said before: a model must not feed on its own scores."""
    return stated(table.filter(pc.less_equal(table["published"], pa.scalar(cut, pa.timestamp("us", "UTC")))))


def stated(table: pa.Table) -> pa.Table:
    """Edges or facts of a snapshot that a source stated: no predicted edge, score, loss or embedding."""
    column, derived = ("property", DERIVED) if "property" in table.column_names else ("type", ("PREDICTED",))
    return table.filter(pc.invert(pc.is_in(table[column], pa.array(derived))))


def _column(table: pa.Table, name: str) -> np.ndarray:
    return table[name].to_numpy().astype(np.int64)  # type: ignore[no-any-return]  # pyarrow is untyped


def _labels(nodes: pa.Table) -> Tensor:
    codes = pc.index_in(nodes["label"], pa.array(LABELS))
    return torch.from_numpy(codes.to_numpy().astype(np.int64))


def _edges(edges: pa.Table, row: np.ndarray) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Unique (head, relation, tail) with first and last publication and count."""
    relation = pc.index_in(edges["type"], pa.array(RELATIONS)).to_numpy().astype(np.int64)
    triples = np.stack([relation, row[_column(edges, "source")], row[_column(edges, "target")]], axis=1)
    unique, inverse, counts = np.unique(triples, axis=0, return_inverse=True, return_counts=True)
    when = edges["published"].cast(pa.int64()).to_numpy()
    first = np.full(len(unique), np.iinfo(np.int64).max)
    last = np.full(len(unique), np.iinfo(np.int64).min)
    np.minimum.at(first, inverse.ravel(), when)
    np.maximum.at(last, inverse.ravel(), when)
    ordered = np.ascontiguousarray(unique[:, [1, 0, 2]])
    return (
        torch.from_numpy(ordered),
        torch.from_numpy(first),
        torch.from_numpy(last),
        torch.from_numpy(counts.astype(np.int64)),
    )


def _features(encoder: Encoder, graph: GraphTensors, facts: Facts, files: Files, cache: VectorCache) -> Features:
    if encoder.modality == "numeric":
        return _figures(encoder, graph, facts)
    if encoder.modality == "structure":
        return Features(torch.arange(len(graph)), encoder.encode([Place(graph, row) for row in range(len(graph))]))
    values = told(encoder.modality)(facts, files)
    nodes = sorted(values)
    said = f"{encoder.modality} for {len(nodes):,} nodes, {encoder.dim:,} numbers each"
    VECTORS.check(said, nodes=len(nodes), numbers=len(nodes) * encoder.dim)
    made = zip(nodes, cache.vectors(encoder, [values[node] for node in nodes]), strict=True)
    kept = {node: vector for node, vector in made if vector is not None}
    vectors = torch.stack(list(kept.values())) if kept else torch.zeros(0, encoder.dim)
    return Features(torch.tensor(list(kept), dtype=torch.int64), vectors)


def _figures(encoder: Encoder, graph: GraphTensors, facts: Facts) -> Features:
    table = facts.table
    subject = pa.array(facts.row[_column(table, "subject")].astype(np.int32))
    rows, matrix = numbers(table.set_column(table.column_names.index("subject"), "subject", subject), len(graph))
    return Features(torch.from_numpy(rows), encoder.encode(list(matrix)))
