"""Compare: whether a store still says what its ledger says, row by row.

What is held against the store is the very plan that a rebuild would write, up to the commit (and, where a sync was
broken off, the row) that the store's watermark tells. An engine keeps several ways to one row: a relationship hangs at
both its ends, a node is met in its label's pages and found by its id. A damaged page may close one way alone, so each
is read. Store and plan are read as streams, one label or type at a time, of which only keys and digests are kept: the
memory is bounded by the largest of them, and by the projection below the plan, which a rebuild holds as well.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import Any, Final, Protocol

import numpy as np

from kg.errors import StoreError
from kg.ledger import Ledger
from kg.model import FIRST, iso
from kg.ontology import EDGES, HAS, NODES, VALUE_NODES
from kg.rows import Plan, Section, Step, Vectors, plan
from kg.store import WIPING, Watermark

EXAMPLES: Final = 3
"""Rows that a finding names of each fault."""
CHUNK: Final = 5_000
"""Rows that are turned, and ids that are looked up, at once."""
SPARE: Final = 1_000
"""Rows that a reading may give beyond twice those expected: a damaged chain of records can go round for ever."""

Row = Sequence[Any]
"""What a reading gives: the ids of both ends where it is a relationship, and the map of its properties."""


class Readable(Protocol):
    """The reading half of a store that is compared."""

    @property
    def mark(self) -> Watermark | None: ...

    def scan(self, cypher: str, params: Mapping[str, Any] | None = None) -> Iterator[Row]: ...


@dataclass
class Reading:
    """What one reading of one label or relationship type found."""

    name: str
    way: str
    """How it was read: `` is the first reading, the others go to the same rows by another way."""
    rows: int
    """Rows that the ledger gives."""
    missing: int = 0
    extra: int = 0
    """Rows that the ledger does not give, a second one of the same key among them."""
    changed: int = 0
    examples: list[str] = field(default_factory=list)
    """At most three of each fault, as `<fault> <id>`; a relationship as `<fault> <id> <version>`."""
    error: str = ""
    """Why the reading ended early; what is missing is then not counted."""

    @property
    def same(self) -> bool:
        """True if every row is there as the ledger has it, and no other."""
        return not (self.missing or self.extra or self.changed or self.error)

    def _note(self, fault: str, count: int, key: str) -> int:
        if count < EXAMPLES:
            self.examples.append(f"{fault} {key}")
        return count + 1

    def hold(self, found: Iterable[Row], wanted: Mapping[str, bytes]) -> None:
        """Hold the rows of a reading against the digests expected, by key."""
        left = dict(wanted)
        try:
            for number, row in enumerate(found):
                if number > 2 * len(wanted) + SPARE:
                    raise StoreError(f"more than {number:,} rows, and no end is in sight")
                had = row[-1] if row and isinstance(row[-1], dict) else {}
                key = _key(had)
                said = left.pop(key, None)
                if said is None:
                    self.extra = self._note("extra", self.extra, key)
                elif said != _digest([*row[:-1], had]):
                    self.changed = self._note("changed", self.changed, key)
        except (StoreError, ValueError) as error:  # a damaged text may be none that can be decoded
            self.error = f"it could not be read to its end: {error}"
        else:
            for key in left:
                self.missing = self._note("missing", self.missing, key)

    def __str__(self) -> str:
        counts = {"missing": self.missing, "extra": self.extra, "changed": self.changed}
        told = [f"{count:,} {fault}" for fault, count in counts.items() if count]
        if self.examples:
            told[-1] += f" ({', '.join(self.examples)})"
        return f"{self.name}{self.way and ' '}{self.way}: {', '.join([*told, *filter(None, [self.error])])}"


@dataclass(frozen=True)
class Comparison:
    """Every reading of a store, in one fixed order."""

    commit: int
    """The commit of the ledger that the store was compared at."""
    readings: tuple[Reading, ...]

    @property
    def rows(self) -> int:
        """Rows that the ledger gives, each counted once."""
        return sum(one.rows for one in self.readings if not one.way)

    @property
    def wrong(self) -> list[Reading]:
        """The readings that found another row, or could not be ended."""
        return [one for one in self.readings if not one.same]


def compare(store: Readable, ledger: Ledger, vectors: Vectors) -> Comparison:
    """Hold every row of a store against the ledger at the store's watermark.

    StoreError where the watermark itself is none of this ledger, or moved meanwhile; what is wrong with rows is told in
    the result. ForeignLedgerError for another ledger's store.
    """
    mark = store.mark
    expected = _expected(mark, ledger, vectors)
    found: list[Reading] = []
    for label in NODES:
        wanted = expected.nodes(label)
        found.append(_read(store, label, "", f"MATCH (n:{label}) RETURN properties(n) AS row", wanted))
    everyone: Mapping[str, bytes] = ChainMap(*(expected.nodes(label) for label in NODES))
    found.append(_read(store, "Entity", "as a whole", "MATCH (n:Entity) RETURN properties(n) AS row", everyone))
    found.append(_find(store, "Entity", everyone))
    for label in VALUE_NODES:
        wanted = expected.values(label)
        found.append(_read(store, label, "", f"MATCH (n:{label}) RETURN properties(n) AS row", wanted))
        found.append(_find(store, label, wanted))
    for type in [*EDGES, *HAS.values()]:
        found += _ends(store, type, expected.edges(type))
    if store.mark != mark:
        raise StoreError("the store was written to while it was read; compare it again")
    return Comparison(mark.commit if mark else 0, tuple(found))


def _expected(mark: Watermark | None, ledger: Ledger, vectors: Vectors) -> _Expected:
    """What is to be in a store that carries this watermark, as sync and rebuild write it."""
    if mark is None:
        return _Expected((), ())
    ledger.check(mark.ledger)
    numbers = mark.commit, mark.target, mark.offset
    if mark.offset == WIPING:
        raise StoreError("the store was being emptied when that was broken off; the next question goes on with it")
    if not all(type(n) is int for n in numbers) or not 0 <= mark.commit <= ledger.head or mark.offset < 0:
        raise StoreError(f"the store tells commit, target and row {numbers}, the ledger ends at commit {ledger.head}")
    known = iso(ledger.known(mark.commit) if mark.commit else FIRST)
    if mark.known != known:
        raise StoreError(f"the store tells that commit {mark.commit} was known at {mark.known}, the ledger at {known}")
    whole, rest = plan(ledger.delta(0, mark.commit), vectors), Plan(())
    if mark.commit < mark.target <= ledger.head:
        rest = plan(ledger.delta(mark.commit, mark.target), vectors)
    return _Expected(whole.sections, rest.cut(0, mark.offset))


class _Expected:
    """The digests of the rows of a plan, by key, made for one label or type at a time."""

    def __init__(self, sections: Sequence[Section], begun: Sequence[Step]) -> None:
        """`begun`: rows of a stretch that was broken off."""
        self._sections, self._begun = sections, begun

    def _named(self, kind: str, name: str) -> Iterator[dict[str, Any]]:
        for section in self._sections:
            if (section.kind, section.name) == (kind, name):
                for start in range(0, section.size, CHUNK):
                    yield from section.step(start, min(start + CHUNK, section.size)).rows.to_pylist()
        for step in self._begun:
            if (step.kind, step.name) == (kind, name):
                yield from step.rows.to_pylist()

    def nodes(self, label: str) -> dict[str, bytes]:
        """Entities of a label."""
        return {_key(row): _digest([row]) for row in self._named("node", label)}

    def values(self, label: str) -> dict[str, bytes]:
        """Value nodes of a label."""
        return {_key(row): _digest([row]) for row in self._named("value", label)}

    def edges(self, type: str) -> dict[str, bytes]:
        """Relationship versions of a type; one that was ended later has its end."""
        ended = {row["version"]: row["known_to"] for row in self._named("close", type)}
        found = {}
        for row in self._named("edge", type):
            ends = row.pop("source"), row.pop("target")
            row["known_to"] = ended.get(row["version"], row["known_to"])
            found[_key(row)] = _digest([*ends, row])
        return found


def _key(row: Mapping[str, Any]) -> str:
    """Id of a node; id and version of a relationship."""
    return f"{row.get('id')} {row['version']}" if "version" in row else str(row.get("id"))


def _digest(row: Row) -> bytes:
    """What a row says, whichever engine says it: 16 bytes."""
    *ends, values = row
    said = [(name, _plain(name, value)) for name, value in sorted(values.items()) if value is not None]
    return blake2b(repr((ends, said)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _plain(name: str, value: Any) -> Any:
    """A value without what only the engines tell apart: 1 and 1.0, or a number of 32 bits printed in two ways."""
    if name == "vector":
        try:
            return np.asarray(value, np.float32).tobytes()
        except (TypeError, ValueError):  # no list of numbers any more
            return value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read(store: Readable, name: str, way: str, text: str, wanted: Mapping[str, bytes]) -> Reading:
    one = Reading(name, way, len(wanted))
    one.hold(store.scan(text), wanted)
    return one


def _find(store: Readable, label: str, wanted: Mapping[str, bytes]) -> Reading:
    """Look every node up by its id, as relationships find their ends and questions their subject."""
    text = f"UNWIND $ids AS one MATCH (n:{label} {{id: one}}) RETURN properties(n) AS row"
    ids = iter(wanted)
    parts = iter(lambda: list(islice(ids, CHUNK)), [])
    one = Reading(label, "by id", len(wanted))
    one.hold((row for part in parts for row in store.scan(text, {"ids": part})), wanted)
    return one


def _ends(store: Readable, type: str, wanted: Mapping[str, bytes]) -> Iterator[Reading]:
    """A relationship type from its sources and, where those tell it right, from its targets."""
    given = "RETURN a.id AS source, b.id AS target, properties(r) AS row"
    other = next((label for label, has in HAS.items() if has == type), "Entity")
    first = _read(store, type, "", f"MATCH (a:Entity)-[r:{type}]->(b) {given}", wanted)
    yield first
    if first.same:
        yield _read(store, type, "from its targets", f"MATCH (b:{other})<-[r:{type}]-(a) {given}", wanted)
