"""Accounts behind the same devices or addresses that each pass money on soon after it came.

Groups are those of `shared_identifiers`. A member is a mule where it (or an account that it owns) is paid and pays on,
later by at most `days`, in the same currency, from keeps times the amount to all of it. A group with at least `least`
mules is a finding; its edges are what joins the group and the payments passed on. Score: the mean of 1 - (least - 1) /
mules, the share of the members that are mules, how far the money goes to one place, and how much of it went on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from kg.snapshot import Snapshot
from queries.pattern import Finding, Pattern, blend, findings
from queries.payments.bursts import Ints
from queries.payments.flows import DAY, Flows, told
from queries.payments.pattern import FAN, beyond, finding
from queries.payments.sharing import Group, groups


@dataclass(frozen=True)
class MuleRing(Pattern):
    """Groups of mules."""

    name: ClassVar[str] = "mule_ring"

    least: int = 3
    """Fewest members that pass money on."""
    days: float = 3.0
    """Longest time a mule keeps the money."""
    keeps: float = 0.8
    """Smallest share of what came in that goes on."""
    crowd: int = 50
    """Most users of an identifier that still joins them."""
    fan: int = FAN
    """Payments followed out of one account after one payment."""

    def find(self, snapshot: Snapshot) -> pa.Table:
        self.require(least=self.least >= 2, days=self.days > 0, keeps=0 < self.keeps <= 1, crowd=self.crowd >= 2)
        found, remarks = groups(snapshot, self.least, self.crowd)
        flows = Flows.from_snapshot(snapshot)
        if not found or not len(flows):
            return findings(self.name, (), remarks)
        owner = _owners(snapshot, flows)
        first, second, cut = self._passages(flows)
        passer = owner[flows.target[first]]
        rings = [self._ring(snapshot, flows, group, first, second, passer) for group in found]
        return findings(self.name, [ring for ring in rings if ring], (*remarks, *told(self.name, cut, self.fan)))

    def _passages(self, flows: Flows) -> tuple[Ints, Ints, int]:
        met, cut = flows.onward(np.arange(len(flows)), round(self.days * DAY), self.fan)
        first, second = met.place, met.row
        share = flows.amount[second] / flows.amount[first]
        good = (share >= self.keeps) & (share <= 1 + 1e-12) & (flows.unit[first] == flows.unit[second])
        good &= (flows.source[first] != flows.target[second]) & (flows.source[first] != flows.target[first])
        return first[good], second[good], cut

    def _ring(
        self, snapshot: Snapshot, flows: Flows, group: Group, first: Ints, second: Ints, passer: Ints
    ) -> Finding | None:
        own = np.flatnonzero(np.isin(passer, group.members))
        mules = np.unique(passer[own])
        if len(mules) < self.least:
            return None
        rows = np.union1d(first[own], second[own])
        sinks = np.bincount(flows.target[np.unique(second[own])])
        parts = {
            "mules": beyond(len(mules), self.least),
            "of all": len(mules) / len(group.members),
            "one sink": float(sinks.max() / sinks.sum()),
            "went on": float(np.mean(flows.amount[second[own]] / flows.amount[first[own]])),
        }
        paid = finding(flows, int(flows.target[second[own][0]]), rows, blend(parts))
        members = [snapshot.ids[row] for row in group.members.tolist()]
        edges, statements = (group.edges[name].to_pylist() for name in ("id", "statement"))
        return Finding(
            snapshot.ids[mules[0]],
            list(dict.fromkeys([*members, *paid.parties])),
            [*edges, *paid.edges],
            [*statements, *paid.statements],
            paid.score,
            paid.amount,
            paid.unit,
            paid.span,
            f"{len(mules)} of {len(members)} members pass money on; they share {', '.join(group.kinds)}",
        )


def _owners(snapshot: Snapshot, flows: Flows) -> Ints:
    """Row of the snapshot's nodes for each account of the flows: its owner's where one is known, else its own."""
    index = snapshot.index
    owned = snapshot.edges_of("HAS_ACCOUNT")
    owners = dict(zip(owned["target"].to_pylist(), owned["source"].to_pylist(), strict=True))
    rows = (index[id] for id in flows.accounts)
    return np.array([owners.get(row, row) for row in rows], np.int64)
