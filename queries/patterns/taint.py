"""Money that comes from given or marked accounts, followed in order of time: haircut, FIFO or poison.

The three ways of counting stand in `queries.payments.tainting`. The accounts of origin are `origins` and those that
bear a flag starting with `flag` (or whose owner does). Each account that holds tainted money at the end is a finding:
its edges are the payments that brought it there, its amount what it holds of it; the score is the tainted share of all
it was paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from kg.errors import MeasureError
from kg.snapshot import Snapshot
from queries.pattern import Finding, Pattern, findings
from queries.payments.flows import Floats, Flows
from queries.payments.pattern import finding
from queries.payments.tainting import Method, taint


@dataclass(frozen=True)
class Taint(Pattern):
    """Accounts that hold money of others' origin."""

    name: ClassVar[str] = "taint"

    origins: tuple[str, ...] = ()
    """Ids of accounts or parties whose money is followed."""
    flag: str = "sanctioned"
    """So is the money of those that bear a flag that starts like this; empty: of none."""
    method: Method = "haircut"
    """How it is counted: haircut, fifo or poison."""
    currency: str = ""
    """Only payments in this currency; needed where there are several."""
    opening: float = 0.0
    """Clean money each account held before its first payment."""
    at_least: float = 0.01
    """Smallest tainted balance reported."""

    def find(self, snapshot: Snapshot) -> pa.Table:
        if unknown := [id for id in self.origins if id not in snapshot.index]:
            raise MeasureError(f"taint: the snapshot has no {', '.join(unknown)}; take ids of accounts from it")
        flows = Flows.from_snapshot(snapshot)
        if self.currency:
            flows = flows.rows(np.array([flows.units[unit] == self.currency for unit in flows.unit.tolist()], bool))
        origins = self._origins(snapshot, flows)
        if not len(flows) or not origins:
            return findings(self.name, (), ("no account of origin pays anything",))
        made = taint(flows, origins, self.method, self.opening)
        paid = np.zeros(len(flows.accounts))
        np.add.at(paid, flows.target, flows.amount)
        holders = np.flatnonzero(made.held >= self.at_least).tolist()
        found = [self._finding(flows, account, made.carried, made.held, paid) for account in holders]
        return findings(self.name, found)

    def _origins(self, snapshot: Snapshot, flows: Flows) -> list[int]:
        """Numbers of the accounts whose money is followed."""
        marked = {snapshot.index[id] for id in self.origins}
        if self.flag:
            flags = snapshot.facts_of("flag")
            told = zip(flags["subject"].to_pylist(), flags["value_text"].to_pylist(), strict=True)
            marked |= {row for row, text in told if (text or "").startswith(self.flag)}
        owned = snapshot.edges_of("HAS_ACCOUNT").select(["source", "target"]).to_pylist()
        marked |= {row["target"] for row in owned if row["source"] in marked}
        number = {id: k for k, id in enumerate(flows.accounts)}
        return sorted(number[snapshot.ids[row]] for row in marked if snapshot.ids[row] in number)

    def _finding(self, flows: Flows, account: int, carried: Floats, held: Floats, paid: Floats) -> Finding:
        rows = np.flatnonzero((flows.target == account) & (carried > 0))
        made = finding(flows, account, rows, float(min(carried[rows].sum() / paid[account], 1.0)))
        amount = float(held[account])
        remark = f"holds {amount:.2f} {made.unit} of it, counted by {self.method}"
        return Finding(
            made.subject, made.parties, made.edges, made.statements, made.score, amount, made.unit, made.span, remark
        )
