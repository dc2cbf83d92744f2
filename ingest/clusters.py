"""Clusters: what the alive claims say that identity can be told from, and which ids are joined already.

Union-find over ids, with what forbids a union: two different LEIs, CIKs, ISINs or CUSIPs, two kinds of node, a pair
that someone said to be two.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl
import pyarrow as pa

from ingest.pair_decision import Named, Profile
from ingest.pair_score import Kind
from kg.identity import clusters, strength
from kg.model import FIRST, LAST
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


_COLUMNS = [
    "kind",
    "subject",
    "name",
    "object",
    "value_text",
    "value_time",
    "valid_from",
    "valid_to",
    "published",
    "commit",
]


class Known:
    """What the alive claims say that identity can be told from."""

    def __init__(self, alive: pa.Table) -> None:
        rows = pl.DataFrame(alive.select(_COLUMNS))
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
        judged = rows.filter(pl.col("kind").is_in(["same", "not_same"])).select("kind", "commit", "subject", "object")
        same = sorted((commit, min(a, b), max(a, b)) for kind, commit, a, b in judged.iter_rows() if kind == "same")
        self.same = [(a, b) for _, a, b in same]
        """Pairs judged one, in the order they count."""
        self.not_same = {frozenset((a, b)) for kind, _, a, b in judged.iter_rows() if kind == "not_same"}
        self.offices: list[tuple[str, str]] = sorted(_ends(rows, "OFFICER_OF"))
        self.countries: dict[str, set[str]] = defaultdict(set)
        for id, country in _ends(rows, "IN_COUNTRY"):
            self.countries[id].add(country)
        dates = rows.filter((pl.col("kind") == "property") & (pl.col("name") == "incorporated"))
        self.incorporated: dict[str, datetime] = dict(
            dates.sort("value_time").select("subject", "value_time").iter_rows()
        )
        self.spells = _spells(rows)
        """When each name of an id was in use, and when it was told: (since, until, published)."""
        firms = sorted(id for id, label in self.labels.items() if label in FIRMS)
        self.identified = [id for id in firms if scheme(id) != "name"]
        self.named = [id for id in firms if scheme(id) == "name"]

    @staticmethod
    def _texts(properties: pl.DataFrame, name: str) -> dict[str, list[str]]:
        texts: dict[str, list[str]] = defaultdict(list)
        for id, text in properties.filter(pl.col("name") == name).select("subject", "value_text").iter_rows():
            texts[id].append(text)
        return texts

    def profile(self, id: str) -> Profile:
        """What a decision about an entity rests on."""
        identifiers = {id, *self.identifiers.get(id, ())}
        names = [Named(name, *self.spells[id, name][0][:2]) for name in self.names.get(id, ())]
        countries = frozenset(self.countries.get(id, ()))
        kind: Kind = "person" if self.labels.get(id) == "Person" else "firm"
        return Profile(id, names, kind, frozenset(identifiers), countries, self.incorporated.get(id))

    def bore(self, id: str, spelt: Callable[[str], str], written: str, loose: str) -> bool:
        """True if the firm `id` bore the name whenever a text that told of `loose` by it was published."""
        told = [
            published
            for name in self.names[loose]
            if spelt(name) == written
            for *_, published in self.spells[loose, name]
        ]
        spells = [spell for name in self.names[id] if spelt(name) == written for spell in self.spells[id, name]]
        return all(any(since <= when < until for since, until, _ in spells) for when in told)

    def called(self, ids: Iterable[str]) -> Iterator[tuple[str, str]]:
        """(id, name) for every name of these ids."""
        for id in ids:
            for name in self.names.get(id, ()):
                yield id, name


Spell = tuple[datetime, datetime, datetime]


def _ends(rows: pl.DataFrame, type: str) -> set[tuple[str, str]]:
    """Ends of the edges of a type."""
    edges = rows.filter((pl.col("kind") == "edge") & (pl.col("name") == type)).select("subject", "object")
    return {(a, b) for a, b in edges.iter_rows()}


def _spells(rows: pl.DataFrame) -> dict[tuple[str, str], list[Spell]]:
    names = rows.filter((pl.col("kind") == "property") & (pl.col("name") == "name"))
    columns = ("subject", "value_text", "valid_from", "valid_to", "published")
    found: dict[tuple[str, str], list[Spell]] = defaultdict(list)
    for id, name, since, until, published in names.select(columns).unique().sort(columns).iter_rows():
        found[id, name].append((since or FIRST, until or LAST, published))
    return found


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
        for id, least in sorted(clusters(known.same, known.not_same).items()):
            self._union(self.find(id), self.find(least))

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
        if why := self.forbids(a, b):
            self.vetoes[why] += 1
            return False
        self._union(a, b)
        return True

    def one(self, ids: Iterable[str]) -> str | None:
        """The strongest of these ids if all are of one cluster, else None."""
        ids = list(ids)
        return min(ids, key=strength) if len({self.find(id) for id in ids}) == 1 else None

    def size(self, id: str) -> int:
        """How many ids the cluster of an id has."""
        return len(self._members.get(self.find(id), (id,)))

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

    def forbids(self, a: str, b: str) -> str:
        """Why the clusters of two ids may not be joined; "" if they may."""
        a, b = self.find(a), self.find(b)
        labels = {self._known.labels.get(a, ""), self._known.labels.get(b, "")}
        if len(labels) > 1 and not labels <= set(FIRMS):
            return "other kind of node"
        left, right = self._ids(a), self._ids(b)
        if clash := sorted(s for s in left.keys() & right.keys() if left[s] != right[s]):
            return f"different {clash[0]}"
        if any(self._apart[id] & self._members.get(b, {b}) for id in self._members.get(a, {a}) if id in self._apart):
            return "forbidden"
        return ""
