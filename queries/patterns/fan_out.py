"""Many parties that are paid by one account within a few days: money is spread.

The mirror image of `fan_in`: payees of one payer are counted, and the share is of all that it paid in the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from queries.pattern import Finding
from queries.payments.fans import Fan
from queries.payments.flows import Flows


@dataclass(frozen=True)
class FanOut(Fan):
    """Money spread from one account."""

    name: ClassVar[str] = "fan_out"

    def search(self, flows: Flows) -> tuple[list[Finding], tuple[str, ...]]:
        return self.around(flows, "source")
