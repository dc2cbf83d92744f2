"""Suppositions: the claims that would make a scenario true, as a batch that is shown to nobody's ledger.

An entity that fails has a default event and nothing outside; one that loses has smaller facts from the instant of the
question on; a changed edge is the same edge with another amount, an edge scaled to 0 is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import MeasureError
from kg.model import Claim, ClaimBatch, Edge, Evidence, Facts, Node, RunManifest, iso
from kg.ontology import EDGES
from kg.snapshot import Snapshot
from queries.balance import latest_money
from queries.parameter import suggestion
from queries.whatif import Scenario, select, shares

EXTRACTOR = "scenario.suppose@1"
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Suppositions:
    """What a scenario adds to a ledger and takes from it."""

    batch: ClaimBatch
    removed: tuple[str, ...]
    """Ids of edges that would not be there."""
    remarks: tuple[str, ...] = field(default=())
    """What of the scenario could not be supposed, and why."""


@dataclass
class _Writer:
    """Writes suppositions of one scenario at one instant."""

    scenario: Scenario
    snapshot: Snapshot

    def __post_init__(self) -> None:
        at = self.snapshot.at
        assert at.valid is not None and at.published is not None and at.known is not None
        self.valid: datetime = at.valid
        self.published: datetime = min(at.known, at.published)
        self.document = RunManifest("scenario", {"name": self.scenario.name, "at": iso(at.valid)}).id
        self.remarks: list[str] = []
        self.lost: dict[int, float] = {}

    def claim(self, what: Node | Facts | Edge, line: str) -> Claim:
        quote = f"{self.scenario.name}: {self.scenario.narrative}".strip()
        return Claim(what, Evidence(self.document, line, quote, EXTRACTOR), self.published, self.valid)

    def shock(self, number: int, line: Mapping[str, Any]) -> Iterator[Claim]:
        """Adds to what is lost; the events that go with it."""
        kind, share = shares(line, self.snapshot)
        if kind == "default":
            for row in sorted(share):
                yield from self.fails(row, f"shock:{number}")
        base = "equity" if kind == "equity" else "external_assets"
        rows = np.array(sorted(share), np.int64)
        amounts, _ = latest_money(self.snapshot, base, rows)
        if unknown := int(np.isnan(amounts).sum()):
            self.remarks.append(f"shock {number}: {unknown} of {len(rows)} have no stated {base}, so none is lowered")
        for row, amount in zip(rows.tolist(), amounts.tolist(), strict=True):
            if amount == amount:
                self.lost[row] = self.lost.get(row, 0.0) + share[row] * amount

    def facts(self) -> Iterator[Claim]:
        """The latest equity and outside assets, less the money that all shocks together take from both."""
        rows = np.array(sorted(self.lost), np.int64)
        for name in ("equity", "external_assets"):
            amounts, units = latest_money(self.snapshot, name, rows)
            for row, amount, unit in zip(rows.tolist(), amounts.tolist(), units.to_pylist(), strict=True):
                after = amount - self.lost[row]
                after = max(after, 0.0) if name == "external_assets" else after
                if after == after:
                    facts = {name: Decimal(repr(after)).quantize(CENT), "currency": unit}
                    yield self.claim(Facts(self.snapshot.ids[row], facts, "scenario"), f"lost:{name}")

    def fails(self, row: int, line: str) -> Iterator[Claim]:
        id = self.snapshot.ids[row]
        event = f"event:scenario:{self.scenario.name}:{id.replace(':', '-')}"
        title = f"{self.snapshot.names[row]} fails ({self.scenario.name})"
        yield self.claim(Node("Event", event, {"event_type": "default", "title": title}), line)
        yield self.claim(Edge("AFFECTED_BY", id, event, {"role": "subject"}, "subject"), line)

    def change(self, number: int, line: Mapping[str, Any], gone: list[str]) -> Iterator[Claim]:
        if "add" in line:
            yield self.claim(self.added(line["add"], f"change {number}"), f"change:{number}")
            return
        scale = line.get("scale")
        if isinstance(scale, bool) or not isinstance(scale, (int, float)) or scale < 0:
            raise MeasureError(f"change {number}: scale {scale!r} is no number of at least 0 (0 takes the edges away)")
        edges = chosen(line["edges"], self.snapshot, f"change {number}")
        if scale == 0:
            gone += edges["id"].to_pylist()
            return
        ids = self.snapshot.ids
        for edge in edges.to_pylist():
            if edge["value_decimal"] is None:
                self.remarks.append(f"edge {edge['id']} states no amount: it stays as it is")
                continue
            amount = (edge["value_decimal"] * Decimal(repr(scale))).quantize(CENT)
            values: dict[str, Any] = {"amount": amount, "currency": edge["unit"]} | _other_values(edge)
            made = Edge(edge["type"], ids[edge["source"]], ids[edge["target"]], values, edge["key"])
            yield self.claim(made, f"change:{number}")

    def added(self, wanted: Any, where: str) -> Edge:
        needed = {"type", "from", "to", "amount", "currency"}
        if not isinstance(wanted, Mapping) or set(wanted) != needed:
            raise MeasureError(f"{where}: add needs {', '.join(sorted(needed))}, and nothing else; got {wanted!r}")
        for end in ("from", "to"):
            if wanted[end] not in self.snapshot.index:
                near = suggestion(str(wanted[end]), self.snapshot.ids)
                raise MeasureError(f"{where}: {wanted[end]} is not in the graph at this instant{near}")
        try:
            amount = Decimal(str(wanted["amount"]))
        except InvalidOperation as error:
            raise MeasureError(f"{where}: amount {wanted['amount']!r} is no number; write '10.00'") from error
        values: dict[str, Any] = {"amount": amount, "currency": str(wanted["currency"])}
        return Edge(str(wanted["type"]), wanted["from"], wanted["to"], values, f"scenario:{self.scenario.name}")


def suppositions(scenario: Scenario, snapshot: Snapshot, *, shocks: bool = True) -> Suppositions:
    """What would make the scenario true at the instant of the snapshot; `shocks=False` takes its changes alone."""
    writer, gone, claims = _Writer(scenario, snapshot), list[str](), list[Claim]()
    for number, line in enumerate(scenario.shocks if shocks else (), 1):
        claims += writer.shock(number, line)
    claims += writer.facts()
    for number, line in enumerate(scenario.changes, 1):
        claims += writer.change(number, line, gone)
    return Suppositions(ClaimBatch.of(claims), tuple(dict.fromkeys(gone)), tuple(writer.remarks))


def chosen(wanted: Any, snapshot: Snapshot, where: str) -> pa.Table:
    """The edges of a type between selected ends. MeasureError if there is none."""
    if not isinstance(wanted, Mapping) or "type" not in wanted or set(wanted) - {"type", "from", "to"}:
        raise MeasureError(f"{where}: edges needs type, and from or to as selections; got {wanted!r}")
    if wanted["type"] not in EDGES:
        near = suggestion(str(wanted["type"]), list(EDGES))
        raise MeasureError(f"{where}: edge type {wanted['type']!r} is unknown{near}")
    edges = snapshot.edges_of(str(wanted["type"]))
    for end, column in (("from", "source"), ("to", "target")):
        if wanted.get(end):
            rows = pa.array(select(wanted[end], snapshot), edges[column].type)
            edges = edges.filter(pc.is_in(edges[column], rows))
    if not edges.num_rows:
        raise MeasureError(f"{where}: no {wanted['type']} edge at this instant fits {dict(wanted)!r}")
    return edges


def _other_values(edge: Mapping[str, Any]) -> dict[str, Any]:
    """What an edge says beside its amount."""
    columns = {"text": "value_text", "int": "value_int", "real": "value_real", "time": "value_time"}
    props = EDGES[edge["type"]].props
    told = {name: edge[columns[prop.type]] for name, prop in props.items() if prop.type in columns}
    return {name: value for name, value in told.items() if value is not None}
