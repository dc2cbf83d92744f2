"""The resolved graph at one instant of each clock, as Arrow tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.model import MONEY, TIME, AsOf

if TYPE_CHECKING:
    import networkx as nx

    from kg.contest import Contest

VALUES = [
    pa.field("value_text", pa.string()),
    pa.field("value_int", pa.int64()),
    pa.field("value_real", pa.float64()),
    pa.field("value_decimal", MONEY),
    pa.field("value_time", TIME),
    pa.field("unit", pa.string()),
]
CLOCKS = [
    pa.field("valid_from", TIME),
    pa.field("valid_to", TIME),
    pa.field("known_from", TIME),
    pa.field("published", TIME),
]
EVIDENCE = [
    pa.field("statement", pa.string()),
    pa.field("claim", pa.string()),
    pa.field("confidence", pa.float64()),
]
NODES = pa.schema([pa.field("id", pa.string()), pa.field("label", pa.string())])
EDGES = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("type", pa.string()),
        pa.field("source", pa.int32()),  # row of nodes
        pa.field("target", pa.int32()),
        pa.field("key", pa.string()),
        *VALUES,
        *CLOCKS,
        *EVIDENCE,
    ]
)
FACTS = pa.schema(
    [
        pa.field("subject", pa.int32()),  # row of nodes
        pa.field("property", pa.string()),
        pa.field("key", pa.string()),
        *VALUES,
        *CLOCKS,
        *EVIDENCE,
    ]
)


@dataclass(frozen=True)
class Snapshot:
    """Nodes sorted by id, edges by (type, source, target, id), facts by (subject, property, key, statement).

    `at` has no None in it; `commit` is the ledger commit that `at.known` falls on.
    """

    nodes: pa.Table
    edges: pa.Table
    facts: pa.Table
    at: AsOf
    commit: int
    ledger: str = ""
    contest: Contest | None = field(default=None, compare=False, repr=False)
    """What an increment of it has to know beside the tables, if that is kept."""

    def __len__(self) -> int:
        return int(self.nodes.num_rows)

    @cached_property
    def ids(self) -> list[str]:
        """Id of each row of nodes."""
        return self.nodes["id"].to_pylist()  # type: ignore[no-any-return]  # pyarrow is untyped

    @cached_property
    def labels(self) -> list[str]:
        """Label of each row of nodes."""
        return self.nodes["label"].to_pylist()  # type: ignore[no-any-return]  # pyarrow is untyped

    @cached_property
    def index(self) -> dict[str, int]:
        """Row of each node id."""
        return {id: row for row, id in enumerate(self.ids)}

    def edges_of(self, *types: str) -> pa.Table:
        """Edges of the given types."""
        return self.edges.filter(pc.is_in(self.edges["type"], pa.array(types, pa.string())))

    def facts_of(self, property: str) -> pa.Table:
        """Facts with the given property."""
        return self.facts.filter(pc.equal(self.facts["property"], property))

    def latest(self, property: str) -> tuple[np.ndarray, np.ndarray]:
        """Rows of nodes that have the property, and its latest number for each (by valid_from, then published)."""
        facts = self.latest_facts(property)
        value = pc.coalesce(
            facts["value_real"],
            facts["value_decimal"].cast(pa.float64()),
            facts["value_int"].cast(pa.float64()),
        ).to_numpy()
        return facts["subject"].to_numpy(), value

    def latest_facts(self, property: str) -> pa.Table:
        """The latest fact of each node that has the property, by node."""
        facts = self.facts_of(property).sort_by(
            [
                ("subject", "ascending"),
                ("valid_from", "ascending"),
                ("published", "ascending"),
                ("key", "ascending"),
            ]
        )
        subject = facts["subject"].to_numpy()
        last = np.append(subject[1:] != subject[:-1], True) if len(subject) else np.zeros(0, bool)
        return facts.filter(pa.array(last, pa.bool_()))

    @cached_property
    def names(self) -> list[str]:
        """One name per node to show: the longest of its names, else its id."""
        best: dict[int, str] = {}
        facts = self.facts_of("name")
        for row, name in zip(facts["subject"].to_pylist(), facts["value_text"].to_pylist(), strict=True):
            if (len(name), name) > (len(best.get(row, "")), best.get(row, "")):
                best[row] = name
        return [best.get(row, id) for row, id in enumerate(self.ids)]

    def to_networkx(self, *types: str) -> nx.MultiDiGraph:
        """Nodes by id with their label; edges (of the given types, or all) keyed by edge id with all their columns."""
        import networkx as nx

        graph = nx.MultiDiGraph()
        graph.add_nodes_from((id, {"label": label}) for id, label in zip(self.ids, self.labels, strict=True))
        for edge in (self.edges_of(*types) if types else self.edges).to_pylist():
            source, target = self.ids[edge.pop("source")], self.ids[edge.pop("target")]
            edge["edge_key"] = edge.pop("key")  # networkx calls the edge's own id its key
            graph.add_edge(source, target, key=edge.pop("id"), **edge)
        return graph

    def paths(self, source: str, target: str, hops: int, types: Sequence[str] = ()) -> Iterator[list[str]]:
        """Simple paths of at most `hops` edges as lists of edge ids, shortest first, then by edge ids."""
        import networkx as nx

        graph = self.to_networkx(*types)
        if source in graph and target in graph:
            found = nx.all_simple_edge_paths(graph, source, target, cutoff=hops)
            yield from sorted(([edge[2] for edge in path] for path in found), key=lambda ids: (len(ids), ids))
