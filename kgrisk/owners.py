"""Owners: who owns and controls an entity at an instant, whether sanctions reach it, and the evidence of every hop."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import KgRiskError
from kg.snapshot import Snapshot
from queries.figure import notes
from queries.figures.beneficial_owner import BeneficialOwner
from queries.figures.fifty_percent import FiftyPercent
from queries.ownership.regimes import Regime, beneficial
from queries.ownership.stakes import listed, stakes

Hop = dict[str, Any]
"""A stake of STAKES with the names of both ends, and `listed`: the statement that lists its owner, if one does."""


@dataclass(frozen=True)
class Owners:
    """What is known of the owners of one entity."""

    id: str
    name: str
    regime: Regime
    on: str
    """Day whose rules count."""
    status: str
    """listed, blocked, possible, controlled or clear; see the figure `fifty_percent`."""
    low: float
    """Share that parties who count as listed surely hold."""
    high: float
    """The most they may hold."""
    controlled_by: Sequence[str]
    reached_by: Sequence[Hop]
    """Stakes over which sanctions reach it, from the entity upwards."""
    owners: Sequence[Mapping[str, Any]]
    """Beneficial owners, largest first, each with the heaviest `path` of stakes from it to the entity."""
    remarks: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return asdict(self)


def owners(
    snapshot: Snapshot, id: str, regime: Regime = "ofac", on: date | None = None, more: Iterable[str] = ()
) -> Owners:
    """Owners of an entity at the instant of a snapshot, by the rules of a regime on a day.

    Listed are those that bear a sanctions flag then, and `more`. KgRiskError if the snapshot has no such entity.
    """
    if id not in snapshot.index:
        raise KgRiskError(f"{id} is not in the graph at that time; take an id from `kgrisk query entity_profile`")
    day = on.isoformat() if on else ""
    flags = {**dict.fromkeys(more, ""), **listed(snapshot)}
    table = _above(stakes(snapshot), id)
    if not len(table):
        status = "listed" if id in flags else "clear"
        return Owners(id, _name(snapshot, id), regime, day, status, 0.0, 0.0, (), (), (), ("no stake in it is told",))
    hops = [_hop(snapshot, row, flags) for row in table.to_pylist()]
    rule = FiftyPercent(tuple(sorted(flags)), regime, day, "scale").compute(table)
    states = {row["id"]: row for row in rule.to_pylist()}
    threshold, inclusive = beneficial(regime, day)
    asked = BeneficialOwner(owned=id, threshold=threshold, inclusive=inclusive, excess="scale").compute(table)
    found = [
        {**row, "name": _name(snapshot, row["owner"]), "path": path(hops, row["owner"], id)}
        for row in asked.to_pylist()
    ]
    own = states[id]
    remarks = tuple(dict.fromkeys([*(note for note in notes(rule) if "hold nothing" not in note), *notes(asked)]))
    return Owners(
        id,
        _name(snapshot, id),
        regime,
        day,
        own["status"],
        own["low"],
        own["high"],
        own["controlled_by"],
        _reached(hops, states, id) if own["status"] in ("blocked", "possible", "controlled") else (),
        found,
        remarks,
    )


def path(hops: Sequence[Hop], owner: str, owned: str) -> list[Hop]:
    """The stakes of the chain from an owner to an entity that may carry most, from the owner down."""
    into: dict[str, list[Hop]] = {}
    for hop in hops:
        into.setdefault(hop["owned"], []).append(hop)
    best: dict[str, float] = {}
    queue: list[tuple[float, int, str, list[Hop]]] = [(-1.0, 0, owned, [])]
    while queue:
        share, length, name, chain = heapq.heappop(queue)
        if name == owner:
            return chain
        if name in best:
            continue
        best[name] = -share
        for number, hop in enumerate(into.get(name, ())):
            weight = hop["high"] if hop["kind"] != "control" else 1.0
            if hop["owner"] not in best and weight > 0:
                heapq.heappush(queue, (share * weight, length + 1 + number, hop["owner"], [hop, *chain]))
    return []


def _reached(hops: Sequence[Hop], states: Mapping[str, Mapping[str, Any]], id: str) -> list[Hop]:
    """Stakes of parties that count as listed, or lead there by control, from the entity upwards."""
    counts = {name for name, row in states.items() if row["status"] in ("listed", "blocked", "possible", "controlled")}
    found, queue, seen = [], [id], {id}
    while queue:
        name = queue.pop(0)
        for hop in hops:
            if hop["owned"] == name and hop["owner"] in counts:
                found.append(hop)
                if hop["owner"] not in seen:
                    seen.add(hop["owner"])
                    queue.append(hop["owner"])
    return found


def _above(table: pa.Table, id: str) -> pa.Table:
    """The stakes over which anybody stands above the entity."""
    owned: dict[str, set[str]] = {}
    for row in table.select(["owner", "owned"]).to_pylist():
        owned.setdefault(row["owned"], set()).add(row["owner"])
    seen, queue = {id}, [id]
    while queue:
        for owner in owned.get(queue.pop(), ()):
            if owner not in seen:
                seen.add(owner)
                queue.append(owner)
    return table.filter(pc.is_in(table["owned"], pa.array(sorted(seen))))


def _hop(snapshot: Snapshot, row: Mapping[str, Any], flags: Mapping[str, str]) -> Hop:
    names = {"owner_name": _name(snapshot, row["owner"]), "owned_name": _name(snapshot, row["owned"])}
    return {**row, **names, "listed": flags.get(row["owner"])}


def _name(snapshot: Snapshot, id: str) -> str:
    return snapshot.names[snapshot.index[id]]
