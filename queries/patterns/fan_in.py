"""Many parties that pay one account within a few days: money is gathered.

For each payee, currency and (with `alike`) band of amounts, a window (t - days, t] with at least `least` different
payers, and with `surge` times as many as payments came in such a stretch over the four before it on average (the
account's usual), is a fan; of those that end within `days` of each other the one with most payers is kept (then most
money, then the earliest). Score: the mean of 1 - (least - 1) / payers, 1 - span / days, 1 / (1 + deviation of the
amounts over their mean), and the share of all that the account was paid in the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from queries.pattern import Finding
from queries.payments.fans import Fan
from queries.payments.flows import Flows


@dataclass(frozen=True)
class FanIn(Fan):
    """Money gathered at one account."""

    name: ClassVar[str] = "fan_in"

    def search(self, flows: Flows) -> tuple[list[Finding], tuple[str, ...]]:
        return self.around(flows, "target")
