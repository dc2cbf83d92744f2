"""GraphStore: a database that holds the ledger's projection and answers Cypher."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import pyarrow as pa

from kg.errors import QueryError, StoreError
from kg.ledger import Ledger, OnIO, no_io
from kg.model import EVER, FIRST, AsOf, Value, iso
from kg.ontology import EDGES, HAS, NODES
from kg.plugins import names

LIMIT = 10_000
"""Rows a query returns at most, unless asked otherwise."""
TIMEOUT = 60.0
"""Seconds a query may take, unless asked otherwise."""
NEAREST = pa.schema([pa.field("id", pa.string()), pa.field("score", pa.float64()), pa.field("model", pa.string())])
"""Result of `nearest`: node id, cosine similarity (-1 to 1), model of the vectors."""
CLOCK_TEXT = (
    "r.valid_from <= $valid AND r.valid_to > $valid AND r.known_from <= $known AND r.known_to > $known "
    "AND r.published <= $published AND r.published_to > $published"
)
"""The clock predicate of a relationship r."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one sync did."""

    from_commit: int
    to_commit: int
    opened: int = 0
    """Versions written."""
    closed: int = 0
    """Versions ended."""
    seconds: float = 0.0
    bulk: bool = False
    """True when an empty store was built as a whole."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a store has come: `commit` is complete, `offset` rows of the way to `target` are written."""

    ledger: str
    commit: int = 0
    known: str = iso(FIRST)
    target: int = 0
    offset: int = 0


WIPING = -1
"""Offset of the watermark while a store is being emptied."""


class GraphStore(Protocol):
    """A projection of one ledger. It never knows how claims become rows."""

    format: int
    """Number of the form it has in its database, see kg.migrations."""

    def move(self, to: int, on_io: OnIO = no_io) -> None:
        """Go to the format one above or one below, whole or not at all."""

    @property
    def mark(self) -> Watermark | None:
        """How far it has come; None before the first sync."""

    def sync(self, ledger: Ledger, on_io: OnIO = no_io) -> SyncReport:
        """Bring it to the ledger's head, exactly once whatever happens on the way. ForeignLedgerError for another's."""

    def rebuild(self, ledger: Ledger, on_io: OnIO = no_io) -> SyncReport:
        """Empty it and fill it anew."""

    def query(
        self,
        cypher: str,
        params: Mapping[str, Value | Sequence[Value]] | None = None,
        at: AsOf = AsOf(),
        limit: int = LIMIT,
        timeout: float = TIMEOUT,
    ) -> pa.Table:
        """Rows of a reading query; `truncated(table)` tells if the cap cut it. QueryError, QueryTimeoutError."""

    def ask(
        self,
        cypher: str,
        params: Mapping[str, Value | Sequence[Value]] | None = None,
        at: AsOf = AsOf(),
        limit: int = LIMIT,
        timeout: float = TIMEOUT,
    ) -> pa.Table:
        """The same of a text from outside, once `kg.free` and the engine's own plan found that it only reads."""

    def scan(self, cypher: str, params: Mapping[str, Any] | None = None) -> Iterator[Sequence[Any]]:
        """Rows of a reading text of our own as a stream: no clock, no cap. StoreError where they cannot be read."""

    def nearest(self, label: str, vector: Sequence[float], k: int, at: AsOf = AsOf(), model: str = "") -> pa.Table:
        """The k nodes of a label whose vectors are most alike (NEAREST); of the newest model unless one is named."""

    def graph_hash(self) -> str:
        """sha256 over the rows alive at the last complete commit, without known times and run ids."""

    def close(self) -> None:
        """Let go of the database."""


def open_store(url: str, home: Path) -> GraphStore:
    """Open the store at a URL; the vectors lie in `files` of the project folder `home`. StoreError, StoreLockedError.

    The module of kg/stores whose SCHEMES has the URL's scheme is loaded, no other.
    """
    wanted = url.partition("://")[0]
    known: dict[str, str] = {}
    for name in names("kg.stores"):
        known |= dict.fromkeys(_schemes(f"kg.stores.{name}"), name)
    if wanted not in known or "://" not in url:
        raise StoreError(
            f"store {without_password(url)!r}: no such scheme; known: {', '.join(sorted(known))}, "
            "for example arcadedb:///data/store or bolt://user:password@host:7687/neo4j"
        )
    store: GraphStore = import_module(f"kg.stores.{known[wanted]}").open_url(url, Path(home))
    return store


def _schemes(module: str) -> tuple[str, ...]:
    """The URL schemes a store module declares, read from its text so that no driver is imported for it."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return ()
    for node in ast.parse(Path(spec.origin).read_text()).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "SCHEMES" for t in node.targets):
            return tuple(ast.literal_eval(node.value))
    return ()


def with_credentials(uri: str, username: str, password: str, database: str = "") -> str:
    """A bolt or neo4j address with user, password and database in it, as `open_store` takes it."""
    scheme, _, rest = uri.partition("://")
    host = rest.rpartition("@")[2].rstrip("/")
    return f"{scheme}://{quote(username, safe='')}:{quote(password, safe='')}@{host}" + (
        f"/{database}" if database else ""
    )


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    parts = urlsplit(url)
    return url.replace(f"{parts.password}@", "...@") if parts.password else url


def instants(at: AsOf, mark: Watermark | None) -> dict[str, str]:
    """The clock parameters of a question. Known is cut to the last complete commit: half a sync is never seen."""
    last = mark.known if mark else iso(FIRST)
    known = iso(at.known) if at.known else last
    return {
        "valid": iso(at.valid) if at.valid else known,
        "known": min(known, last),
        "published": iso(at.published or EVER),
    }


def check_nearest(label: str, vector: Sequence[float], k: int) -> list[float]:
    """The vector as floats; QueryError for an unknown label, a vector without direction or k below 1."""
    if label not in NODES:
        raise QueryError(f"label {label!r}: unknown; known: {', '.join(sorted(NODES))}")
    values = [float(x) for x in vector]
    if k < 1 or not values or not any(values) or not all(abs(x) < float("inf") for x in values):
        raise QueryError(
            f"nearest needs k >= 1 and a vector of finite numbers that are not all 0; got k={k}, {values[:4]}..."
        )
    return values


def to_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], cut: bool) -> pa.Table:
    """Rows as Arrow. A column of maps, or of several kinds of value, becomes JSON text."""
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [_column(list(values)) for values in cells]
    table = pa.Table.from_arrays(arrays, names=list(columns))
    return table.replace_schema_metadata({"truncated": "true" if cut else "false"})


def truncated(table: pa.Table) -> bool:
    """True when the row cap cut the answer."""
    return (table.schema.metadata or {}).get(b"truncated") == b"true"


def _column(values: list[Any]) -> pa.Array:
    kinds = {type(v) for v in values if v is not None}
    if kinds == {int, float}:
        values = [None if v is None else float(v) for v in values]
    elif Decimal in kinds and kinds <= {int, Decimal}:  # an integer sum beyond 64 bits
        values = [None if v is None else Decimal(v) for v in values]
    try:
        if dict in kinds or any(isinstance(item, dict) for v in values if isinstance(v, list) for item in v):
            raise pa.ArrowTypeError("maps of different keys would be filled up with nulls")
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return pa.array([None if v is None else json.dumps(v, sort_keys=True, default=str) for v in values])


_HASHED = "r.key, r.statement, r.valid_from, r.valid_to, r.published, r.published_to"
_HASH_WHERE = "r.known_from <= $known AND r.known_to > $known"
_HASH_VALUES: Mapping[str, str] = {
    "Fact": "b.property, b.text, b.number, b.amount_minor, b.currency, b.time, b.unit",
    "Name": "b.text",
    "Score": "b.property, b.text, b.number, b.amount_minor, b.currency, b.unit",
    "Embedding": "b.model, b.text",
}


def hash_graph(read: Callable[[str, dict[str, Any]], Iterable[Sequence[Any]]], mark: Watermark | None) -> str:
    """sha256 over the sorted rows alive at the mark. `read` streams the rows of a reading query."""
    digest = hashlib.sha256()
    known = {"known": mark.known if mark else iso(FIRST)}
    for type in sorted([*EDGES, *HAS.values()]):
        lines = sorted(
            json.dumps([type, *row], ensure_ascii=False, default=str) for row in read(_hash_text(type), known)
        )
        for line in lines:
            digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _hash_text(type: str) -> str:
    """Cypher that lists the rows of one type: ends, key, statement, clocks of the world, values."""
    value = next((label for label, has in HAS.items() if has == type), "")
    if value:
        columns = f"a.id, a.label, {_HASHED}, {_HASH_VALUES[value]}"
        return f"MATCH (a:Entity)-[r:{type}]->(b:{value}) WHERE {_HASH_WHERE} RETURN {columns}"
    names = [
        n
        for name, p in EDGES[type].props.items()
        for n in (("amount_minor", "currency") if p.type == "money" else (name,))
    ]
    columns = ", ".join(["a.id, a.label, b.id, b.label, r.id", _HASHED, *(f"r.{name}" for name in names)])
    return f"MATCH (a:Entity)-[r:{type}]->(b:Entity) WHERE {_HASH_WHERE} RETURN {columns}"
