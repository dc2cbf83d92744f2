"""Node, Edge, Evidence, Claim: what flows through the system, and the Arrow form of it.

A ledger row states one thing. `Node(label, id, props)` expands into one `node` row and one `property` row per property;
`Edge` into one `edge` row, whose properties fill the row's typed value columns as the ontology says. `Judgement` is one
`same` or `not_same` row, `SameEdge` one `same_edge` or `not_same_edge` row. Tables of any size skip the row objects and
enter as a ClaimBatch in `SCHEMA`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from kg.clocks import EVER as EVER  # the clocks are part of what flows: kg.model names them too
from kg.clocks import FIRST as FIRST
from kg.clocks import LAST as LAST
from kg.clocks import as_time as as_time
from kg.clocks import day as day
from kg.clocks import iso as iso
from kg.clocks import next_day as next_day
from kg.errors import OntologyError
from kg.ontology import EDGES, PROPERTIES, VALUE_COLUMNS, Property

Value = str | int | float | bool | Decimal | date | datetime

TIME = pa.timestamp("us", "UTC")
MONEY = pa.decimal128(38, 9)
COMPUTED: Final = ("model", "risk")
"""Sources that compute: a run of theirs is the document of their claims."""
OWN: Final = (*COMPUTED, "resolve", "repeats")
"""Sources of the engine's own, which speak of entities by what all others said of them."""

SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), False),  # node | edge | property | same | not_same | same_edge | not_same_edge
        pa.field("subject", pa.string(), False),  # source-side id, kept for ever
        pa.field("name", pa.string(), False),  # label, edge type, property; "" for judgements
        pa.field("object", pa.string(), False),  # target id of an edge or judgement, else ""
        pa.field("key", pa.string(), False),  # tells parallel edges or measurements apart, else ""
        pa.field("value_text", pa.string()),
        pa.field("value_int", pa.int64()),
        pa.field("value_real", pa.float64()),
        pa.field("value_decimal", MONEY),
        pa.field("value_time", TIME),
        pa.field("unit", pa.string(), False),  # ISO 4217 code or unit of the decimal, else ""
        pa.field("valid_from", TIME, False),
        pa.field("valid_to", TIME, False),
        pa.field("published", TIME, False),
        pa.field("document", pa.string(), False),
        pa.field("locator", pa.string(), False),
        pa.field("quote", pa.string(), False),
        pa.field("extractor", pa.string(), False),
        pa.field("confidence", pa.float64(), False),
    ]
)
"""One claim before it is committed. Values of unused columns are null; text that is not said is ""."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """The three instants of a question: true at `valid`, recorded by `known`, made public by `published`.

    None means: `valid` = the known time, `known` = the last complete commit, `published` = everything.
    """

    valid: datetime | None = None
    known: datetime | None = None
    published: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a claim stands. No claim exists without one."""

    document: str
    """sha256 of the source bytes (of the run manifest for a model's claim)."""
    locator: str
    """`chars:120-188`, `page:3 box:x0,y0,x1,y1`, `row:17`, `rows:17-40`, `xpath:...`, `run:<id>`."""
    quote: str
    """Exactly what stands there; reading the locator back must return it."""
    extractor: str
    """`source.part@version`, such as `filings.xbrl@1`; the part before the first dot names the source."""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Node:
    """An entity as one source sees it."""

    label: str
    id: str
    props: Mapping[str, Value] = field(default_factory=dict)
    key: str = ""
    """Key of all the properties given here, such as the reporting period of a fact."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Properties of an entity that has its node row elsewhere: says nothing of its existence (for scores)."""

    id: str
    props: Mapping[str, Value]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """A relation between two entities, read from left to right."""

    type: str
    source: str
    target: str
    props: Mapping[str, Value] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Two source-side ids are (or are not) one entity."""

    a: str
    b: str
    same: bool = True


@dataclass(frozen=True, slots=True)
class SameEdge:
    """The edge that one statement tells is (or is not) the edge of this key, of the same type between the same two."""

    type: str
    source: str
    target: str
    statement: str
    """The statement of the claims judged, which run from `source` to `target`."""
    key: str
    same: bool = True


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement by one document. `valid_from` None is "always was", `valid_to` None is "still is"."""

    what: Node | Facts | Edge | Judgement | SameEdge
    evidence: Evidence
    published: datetime
    valid_from: datetime | None = None
    valid_to: datetime | None = None


def sources_of(extractors: pa.ChunkedArray) -> pa.ChunkedArray:
    """The source of each extractor: what its name begins with, up to the first dot."""
    return pc.list_element(pc.split_pattern(extractors, ".", max_splits=1), 0)


def digest(data: bytes) -> str:
    """sha256 in hex: the name of a document or artefact."""
    return sha256(data).hexdigest()


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """Canonical JSON of a run manifest; its digest is the run's id."""
    return json.dumps(manifest, sort_keys=True, ensure_ascii=False, default=str).encode()


@dataclass(frozen=True, slots=True)
class RunManifest:
    """What a run was: its kind, inputs, code version and settings. Stored by digest beside the ledger."""

    kind: str
    """`ingest`, `resolve`, `train`, `risk`, ..."""
    details: Mapping[str, Any] = field(default_factory=dict)
    code: str = "kgrisk@0.1.0"

    def to_bytes(self) -> bytes:
        """The bytes that are stored and that `id` names."""
        return manifest_bytes({"kind": self.kind, "code": self.code, "details": dict(self.details)})

    @property
    def id(self) -> str:
        """sha256 of the manifest: the document of every claim that the run makes itself."""
        return digest(self.to_bytes())


class ClaimBatch:
    """Claims as one Arrow table in SCHEMA."""

    __slots__ = ("table",)

    def __init__(self, table: pa.Table) -> None:
        self.table = table.select(SCHEMA.names).cast(SCHEMA)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @classmethod
    def of(cls, claims: Iterable[Claim]) -> ClaimBatch:
        """Expand claims into rows. OntologyError names the claim whose property is unknown or of a wrong type."""
        rows = [row for claim in claims for row in _rows(claim)]
        return cls(pa.Table.from_pylist(rows, schema=SCHEMA))

    @classmethod
    def concat(cls, batches: Iterable[ClaimBatch]) -> ClaimBatch:
        tables = [b.table for b in batches]
        return cls(pa.concat_tables(tables) if tables else SCHEMA.empty_table())


def _rows(claim: Claim) -> list[dict[str, Any]]:
    what, e = claim.what, claim.evidence
    base: dict[str, Any] = {
        "object": "",
        "key": "",
        "unit": "",
        "valid_from": as_time(claim.valid_from or FIRST),
        "valid_to": as_time(claim.valid_to or LAST),
        "published": as_time(claim.published),
        "document": e.document,
        "locator": e.locator,
        "quote": e.quote,
        "extractor": e.extractor,
        "confidence": float(e.confidence),
    }
    if isinstance(what, Judgement):
        kind = "same" if what.same else "not_same"
        return [base | {"kind": kind, "subject": what.a, "name": "", "object": what.b}]
    if isinstance(what, SameEdge):
        named = {"subject": what.source, "name": what.type, "object": what.target, "key": what.key}
        kind = "same_edge" if what.same else "not_same_edge"
        return [base | named | {"kind": kind, "value_text": what.statement}]
    if isinstance(what, Edge):
        named = {"subject": what.source, "name": what.type, "object": what.target, "key": what.key}
        return [base | named | {"kind": "edge"} | _edge_values(what)]
    return _facts(base, what)


def _facts(base: dict[str, Any], what: Node | Facts) -> list[dict[str, Any]]:
    """The row of a node, if it is one, and one of each property."""
    node = base | {"kind": "node", "subject": what.id, "name": what.label} if isinstance(what, Node) else None
    rows = [node] if node else []
    for name, value in what.props.items():
        if name == "currency":  # the unit of every money property given beside it
            continue
        prop = PROPERTIES.get(name)
        if prop is None:
            raise OntologyError(f"property {name!r} of {what.id}: unknown; known: {', '.join(sorted(PROPERTIES))}")
        row = base | {"kind": "property", "subject": what.id, "name": name, "key": what.key}
        row["unit"] = str(what.props.get("currency", "")) if prop.type == "money" else prop.unit
        rows.append(row | _value(name, prop, value))
    return rows


def _edge_values(edge: Edge) -> dict[str, Any]:
    spec = EDGES.get(edge.type)
    if spec is None:
        raise OntologyError(f"edge type {edge.type!r}: unknown; known: {', '.join(sorted(EDGES))}")
    values: dict[str, Any] = {}
    for name, value in edge.props.items():
        if name == "currency":
            values["unit"] = str(value)
        elif name in spec.props:
            values |= _value(name, spec.props[name], value)
        else:
            known = ", ".join([*spec.props, "currency"])
            raise OntologyError(f"property {name!r} of edge {edge.type}: unknown; known: {known}")
    return values


def _value(name: str, prop: Property, value: Value) -> dict[str, Any]:
    """The typed column and content of one value."""
    column = VALUE_COLUMNS[prop.type]
    try:
        if column == "value_text":
            return {column: str(value)}
        if column == "value_int":
            return {column: int(value)}  # type: ignore[arg-type]  # a wrong type raises, below
        if column == "value_real":
            return {column: float(value)}  # type: ignore[arg-type]  # a wrong type raises, below
        if column == "value_decimal":
            amount = value if isinstance(value, Decimal) else Decimal(str(value))
            return {column: amount.quantize(Decimal("1e-9"))}
        if isinstance(value, date):
            return {column: as_time(value)}
        raise TypeError("not a date")
    except (TypeError, ValueError, ArithmeticError) as error:
        raise OntologyError(f"property {name!r}: {value!r} is no {prop.type} ({error})") from error
