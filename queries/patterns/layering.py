"""Money passed on and on: a chain of accounts that each forward what they were paid, soon and nearly whole.

The continuation of a payment of amount x is the payment out of its payee, later by at most `days`, in the same
currency, of an amount from keeps * x to x (as sums, or transfer by transfer), that is nearest to x, then the earliest;
a chain goes on only where that payment's own nearest origin is this payment, so each payment is in one chain. A chain
of at least `least` payments over different accounts is a finding; it begins where nothing came before and is told up
to `longest` payments. Score: the mean of 1 - (least - 1) / payments, how soon each went on, and how much arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from queries.pattern import Finding, blend
from queries.payments.flows import Flows, Ints, told
from queries.payments.pattern import FAN, PaymentPattern, beyond, even, finding


@dataclass(frozen=True)
class Layering(PaymentPattern):
    """Chains that pass money through."""

    name: ClassVar[str] = "layering"

    least: int = 4
    """Fewest payments of a chain."""
    longest: int = 10
    """Most payments told of a chain."""
    days: float = 3.0
    """Longest time an account keeps the money."""
    keeps: float = 0.9
    """Smallest share of what came in that goes on."""
    at_least: float = 0.0
    """Smallest payment followed."""
    fan: int = FAN
    """Payments looked at out of one account after one payment."""

    @property
    def reach(self) -> int:
        return (self.longest + 4) * self.within

    @property
    def hops(self) -> int:
        return self.longest + 3

    def search(self, flows: Flows) -> tuple[list[Finding], tuple[str, ...]]:
        self.require(
            least=3 <= self.least <= self.longest, days=self.days > 0, keeps=0 < self.keeps <= 1, fan=self.fan >= 1
        )
        flows = flows.rows((flows.amount >= self.at_least) & (flows.source != flows.target))
        following, cut = self._following(flows)
        began = np.ones(len(flows), bool)
        began[following[following >= 0]] = False
        chains = (self._chain(flows, following, row) for row in np.flatnonzero(began & (following >= 0)).tolist())
        found = [self._finding(flows, np.array(chain)) for chain in chains if len(chain) >= self.least]
        return found, told(self.name, cut, self.fan)

    def _following(self, flows: Flows) -> tuple[Ints, int]:
        """(payments,) row of the payment that continues each, -1 for none; and how much a cap cut off."""
        met, cut = flows.onward(np.arange(len(flows)), self.within, self.fan)
        first, second = met.place, met.row
        less = flows.amount[second] / flows.amount[first], flows.each[second] / flows.each[first]
        share = np.where(_passes(less[0], self.keeps), less[0], less[1])
        good = _passes(share, self.keeps) & (flows.unit[first] == flows.unit[second])
        good &= flows.target[second] != flows.source[first]
        first, second, share = first[good], second[good], share[good]
        onward = _first_of(first, np.lexsort((second, -share, first)), second, len(flows))
        origin = _first_of(second, np.lexsort((-first, -share, second)), first, len(flows))
        mutual = (onward >= 0) & (origin[onward] == np.arange(len(flows)))
        return np.where(mutual, onward, -1), cut

    def _chain(self, flows: Flows, following: Ints, row: int) -> list[int]:
        chain, seen = [row], {int(flows.source[row]), int(flows.target[row])}
        while len(chain) < self.longest and (row := int(following[row])) >= 0:
            if (reached := int(flows.target[row])) in seen:
                break
            seen.add(reached)
            chain.append(row)
        return chain

    def _finding(self, flows: Flows, chain: Ints) -> Finding:
        amount = flows.amount[chain]
        waits = np.diff(flows.time[chain]) / self.within
        parts = {
            "payments": beyond(len(chain), self.least),
            "quick": float(1 - waits.mean()),
            "arrived": min(float(amount[-1] / amount[0]), 1.0),
            "even": even(amount),
        }
        return finding(flows, int(flows.source[chain[0]]), chain, blend(parts), f"{len(chain)} payments on end")


def _passes(share: np.ndarray, keeps: float) -> np.ndarray:
    return np.asarray((share >= keeps) & (share <= 1 + 1e-12))


def _first_of(key: Ints, order: Ints, value: Ints, size: int) -> Ints:
    """(size,) the value that comes first for each key in the given order, -1 where there is none."""
    found = np.full(size, -1, np.int64)
    backwards = order[::-1]
    found[key[backwards]] = value[backwards]
    return found
