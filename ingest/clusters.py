"""Clusters: what the alive claims say that identity can be told from, and which ids are joined already.

Union-find over ids, with what forbids a union: two different LEIs, CIKs, ISINs or CUSIPs, two kinds of node, a pair
that someone said to be two.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from kg.identity import strength
from kg.ontology import FIRMS, scheme

UNIQUE = ("lei", "cik", "cusip", "isin")
"""Schemes of which an entity has one: two different ones are two entities (a firm's ISINs stand on its securities)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ids that a rule holds for one entity."""

    a: str
    b: str
    rule: str
    score: float
    why: str


class Known:
    """What the alive claims say that identity can be told from."""

    def __init__(self, alive: pa.Table) -> None:
        rows = pl.DataFrame(alive.select(["kind", "subject", "name", "object", "value_text"]))
        nodes = rows.filter(pl.col("kind") == "node")
        self.labels: dict[str, str] = dict(nodes.select("subject", "name").iter_rows())
        properties = (
            rows.filter(pl.col("kind") == "property")
            .unique(["subject", "name", "value_text"])
            .sort("subject", "value_text")
        )
        self.names: dict[str, list[str]] = self._texts(properties, "name")
        self.tickers = self._texts(properties, "ticker")
        self.identifiers = self._texts(properties, "identifier")
        judged = (
            rows.filter(pl.col("kind").is_in(["same", "not_same"])).select("kind", "subject", "object").sort(pl.all())
        )
        self.same = [(a, b) for kind, a, b in judged.iter_rows() if kind == "same"]
        self.not_same = {frozenset((a, b)) for kind, a, b in judged.iter_rows() if kind == "not_same"}
        offices = rows.filter((pl.col("kind") == "edge") & (pl.col("name") == "OFFICER_OF")).select("subject", "object")
        self.offices: list[tuple[str, str]] = sorted(set(offices.iter_rows()))
        firms = sorted(id for id, label in self.labels.items() if label in FIRMS)
        self.identified = [id for id in firms if scheme(id) != "name"]
        self.named = [id for id in firms if scheme(id) == "name"]

    @staticmethod
    def _texts(properties: pl.DataFrame, name: str) -> dict[str, list[str]]:
        texts: dict[str, list[str]] = defaultdict(list)
        for id, text in properties.filter(pl.col("name") == name).select("subject", "value_text").iter_rows():
            texts[id].append(text)
        return texts

    def called(self, ids: Iterable[str]) -> Iterator[tuple[str, str]]:
        """(id, name) for every name of these ids."""
        for id in ids:
            for name in self.names.get(id, ()):
                yield id, name


class Clusters:
    """Ids joined so far, with what forbids joining more."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._parent: dict[str, str] = {}
        self._strong: dict[str, dict[str, str]] = {}
        self._apart: dict[str, set[str]] = defaultdict(set)
        self._members: dict[str, set[str]] = {}
        self.vetoes: Counter[str] = Counter()
        for pair in known.not_same:
            a, b = sorted(pair)
            self._apart[a].add(b)
            self._apart[b].add(a)
        for a, b in known.same:
            if frozenset((a, b)) not in known.not_same:
                self._union(self.find(a), self.find(b))

    def find(self, id: str) -> str:
        """The least id of the cluster."""
        while (parent := self._parent.get(id, id)) != id:
            self._parent[id] = self._parent.get(parent, parent)
            id = parent
        return id

    def join(self, pair: Pair) -> bool:
        """Join two ids; False if they are joined already or may not be."""
        a, b = self.find(pair.a), self.find(pair.b)
        if a == b:
            return False
        if why := self._forbids(a, b):
            self.vetoes[why] += 1
            return False
        self._union(a, b)
        return True

    def one(self, ids: Iterable[str]) -> str | None:
        """The strongest of these ids if all are of one cluster, else None."""
        ids = list(ids)
        return min(ids, key=strength) if len({self.find(id) for id in ids}) == 1 else None

    def count(self) -> int:
        return len(self._members)

    def _union(self, a: str, b: str) -> None:
        if a == b:
            return
        least, other = sorted((a, b), key=strength)
        strong = self._ids(other) | self._ids(least)
        members = self._members.pop(other, {other}) | self._members.pop(least, {least})
        self._parent[other], self._strong[least], self._members[least] = least, strong, members

    def _ids(self, root: str) -> dict[str, str]:
        """The unique identifier of each scheme that a cluster carries."""
        if root not in self._strong:
            given = [root, *self._known.identifiers.get(root, ())]
            self._strong[root] = {scheme(id): id for id in given if scheme(id) in UNIQUE}
        return self._strong[root]

    def _forbids(self, a: str, b: str) -> str:
        labels = {self._known.labels.get(a, ""), self._known.labels.get(b, "")}
        if len(labels) > 1 and not labels <= set(FIRMS):
            return "other kind of node"
        left, right = self._ids(a), self._ids(b)
        if clash := sorted(s for s in left.keys() & right.keys() if left[s] != right[s]):
            return f"different {clash[0]}"
        if any(self._apart[id] & self._members.get(b, {b}) for id in self._members.get(a, {a}) if id in self._apart):
            return "forbidden"
        return ""
