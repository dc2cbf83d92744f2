"""Parties that act from one device, live at one address or use one account.

Parties are joined where two of them use one Device or Address (USES), own one Account (HAS_ACCOUNT), or are told to
share an identifier (SHARES_IDENTIFIER); an identifier of more than `crowd` users (a call centre, a proxy) joins nobody
and is counted in a remark. A group of at least `least` parties is a finding. Score: the mean of 1 - (least - 1) /
parties, identifiers over identifiers + 1, kinds of identifier over kinds + 1, and how sure the edges are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from kg.snapshot import Snapshot
from queries.pattern import Finding, Pattern, blend, findings
from queries.payments.pattern import beyond
from queries.payments.sharing import Group, groups


@dataclass(frozen=True)
class SharedIdentifiers(Pattern):
    """Groups of parties behind the same identifiers."""

    name: ClassVar[str] = "shared_identifiers"

    least: int = 2
    """Fewest parties of a group."""
    crowd: int = 50
    """Most users of an identifier that still joins them."""

    def find(self, snapshot: Snapshot) -> pa.Table:
        self.require(least=self.least >= 2, crowd=self.crowd >= 2)
        found, remarks = groups(snapshot, self.least, self.crowd)
        return findings(self.name, [self._finding(snapshot.ids, group) for group in found], remarks)

    def _finding(self, ids: Sequence[str], group: Group) -> Finding:
        count, kinds = group.identifiers, len(group.kinds)
        parts = {
            "parties": beyond(len(group.members), self.least),
            "identifiers": count / (count + 1),
            "kinds": kinds / (kinds + 1),
            "sure": float(np.mean(group.edges["confidence"].to_numpy())),
        }
        parties = [ids[row] for row in group.members]
        edges, statements = (group.edges[name].to_pylist() for name in ("id", "statement"))
        remark = f"{len(parties)} parties share {count} identifiers: {', '.join(group.kinds)}"
        return Finding(parties[0], parties, edges, statements, blend(parts), remark=remark)
