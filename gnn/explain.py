"""Evidence paths: how head and tail of a predicted link hang together in the snapshot, as edge ids."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import pyarrow.compute as pc

from kg.snapshot import Snapshot


@dataclass(frozen=True)
class EvidencePath:
    """A path of asserted edges between two nodes; edges may be walked against their direction."""

    edges: tuple[str, ...]
    """Edge ids from head to tail."""
    nodes: tuple[str, ...]
    """Node ids from head to tail."""
    weight: float
    """Product over the nodes between of 1 / log(1 + degree): a path through a hub says little."""


class Paths:
    """Best paths of at most three hops between two nodes of a snapshot.

    The weight of a path is that of Adamic and Adar (2003) for two hops, carried on to three: prod 1 / log(1 +
    degree) over the nodes in between. Parallel edges count once, by the one published last.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.near: dict[int, dict[int, str]] = {}
        edges = snapshot.edges.filter(pc.not_equal(snapshot.edges["type"], "PREDICTED"))
        edges = edges.sort_by([("published", "ascending"), ("id", "ascending")])
        for id, source, target in zip(*(edges[name].to_pylist() for name in ("id", "source", "target")), strict=True):
            if source != target:
                self.near.setdefault(source, {})[target] = id
                self.near.setdefault(target, {})[source] = id
        self.pull = {node: 1.0 / math.log(1.0 + max(len(others), 2)) for node, others in self.near.items()}

    def between(self, head: str, tail: str, count: int = 3) -> list[EvidencePath]:
        """The `count` paths of greatest weight, shorter and then smaller edge ids first among equals."""
        a, b = self.snapshot.index[head], self.snapshot.index[tail]
        found = [self._path(walk) for walk in self._walks(a, b)]
        return sorted(found, key=lambda path: (-path.weight, len(path.edges), path.edges))[:count]

    def _walks(self, a: int, b: int) -> Iterable[tuple[int, ...]]:
        near_a, near_b = self.near.get(a, {}), self.near.get(b, {})
        if b in near_a:
            yield (a, b)
        yield from ((a, x, b) for x in near_a if x in near_b)
        for x in near_a:
            if x == b:
                continue
            small, large = sorted((self.near[x], near_b), key=len)
            yield from ((a, x, y, b) for y in small if y in large and y not in (a, b))

    def _path(self, walk: tuple[int, ...]) -> EvidencePath:
        edges = tuple(self.near[u][v] for u, v in pairwise(walk))
        weight = math.prod(self.pull[node] for node in walk[1:-1])
        return EvidencePath(edges, tuple(self.snapshot.ids[node] for node in walk), weight)


def sentence(snapshot: Snapshot, path: EvidencePath) -> str:
    """The path in words: `Alpha Bank -LENDS_TO-> Beta plc <-OWNS- Gamma AG`."""
    rows = snapshot.edges.filter(pc.is_in(snapshot.edges["id"], pc.cast(list(path.edges), "string")))
    by_id = {row["id"]: row for row in rows.select(["id", "type", "source"]).to_pylist()}
    words = [snapshot.names[snapshot.index[path.nodes[0]]]]
    for edge, start, end in zip(path.edges, path.nodes, path.nodes[1:], strict=False):
        row = by_id[edge]
        forward = snapshot.ids[row["source"]] == start
        words.append(f"-{row['type']}->" if forward else f"<-{row['type']}-")
        words.append(snapshot.names[snapshot.index[end]])
    return " ".join(words)
