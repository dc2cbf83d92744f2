"""Beneficial owners: who owns more than a quarter of a company along all chains, or controls who does.

Two tests, each enough. By share: the integrated share (I - W)^-1 W of the owner exceeds `threshold`. By control: the
owner with everyone it controls by majorities of votes (more than half, see the figure `control`) holds more than
`threshold` of the company directly, or controls it. Those asked for are `owners`; without names, those whom nobody owns
or controls in turn. More than 25 % is the rule of Directive (EU) 2015/849, article 3(6), and of the UK register of
persons with significant control; 25 % itself is enough under Regulation (EU) 2024/1624, article 52, applied from July
2027 (`inclusive=True`).

Where only ranges are known, `low` and `high` are what every choice of shares within them allows, with no company owned
beyond 100 %: the least is the share over the sure stakes; the most is the least fixed point of

    y_j = max sum_i W_ij y_i,   low <= W <= high,   sum_i W_ij <= 1,   y_owner = 1,

where the best W gives what is free to those of whom the owner has most. Chains that come back through the owner count
once. What only `high` reaches is `possible`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import pyarrow as pa

from kg.errors import MeasureError
from queries.figure import Domain, Figure, Rows, noted
from queries.ownership.holdings import COLUMNS, OPTIONAL, Excess, Holdings, closure
from queries.ownership.regimes import reached

SWEEPS: Final = 10_000
"""Most sweeps towards a bound."""
SETTLED: Final = 1e-13
"""Largest change of a sweep that ends them."""
ANSWER = pa.schema(
    [
        pa.field("owned", pa.string()),
        pa.field("owner", pa.string()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("by_share", pa.string()),  # yes, possible or no
        pa.field("group_share", pa.float64()),  # directly held by the owner and all whom it controls
        pa.field("by_control", pa.string()),
    ]
)


@dataclass(frozen=True)
class BeneficialOwner(Figure):
    """Owners beyond a threshold along chains or by control."""

    name: ClassVar[str] = "beneficial_owner"
    columns: ClassVar[Mapping[str, Domain]] = COLUMNS
    optional: ClassVar[Mapping[str, Domain]] = OPTIONAL
    limits: ClassVar[Mapping[str, Domain]] = {"threshold": "share"}

    owned: str = ""
    """The company; empty: every company that somebody owns."""
    owners: tuple[str, ...] = ()
    """Who may be a beneficial owner, such as natural persons; empty: those whom nobody owns or controls."""
    threshold: float = 0.25
    """Share that has to be exceeded."""
    inclusive: bool = False
    """Whether the threshold itself is enough."""
    excess: Excess = "refuse"
    """What is done where shares of one company exceed 100 %: refuse or scale."""

    def answer(self, rows: Rows) -> pa.Table:
        held = Holdings.of(rows, self.excess)
        held.matrix()  # names a circle that nobody outside owns
        asked = [held.find(self.owned)] if self.owned else sorted(held.over)
        tops = set(range(len(held.names))) - set(held.over)
        may = {held.number[name] for name in self.owners if name in held.number} if self.owners else tops
        made = [row for company in asked for row in self._of(held, company, may)]
        told = f"shares of {', '.join(held.scaled)} exceeded 100 % and were scaled" if held.scaled else ""
        return noted(pa.Table.from_pylist(made, schema=ANSWER), told)

    def _of(self, held: Holdings, company: int, may: set[int]) -> list[dict[str, object]]:
        """Beneficial owners of one company, the largest first."""
        above = held.above(company)
        made = []
        for owner in sorted(may & above - {company}):
            low = bound(held, owner, company, above, sure=True)
            high = low if held.exact else bound(held, owner, company, above, sure=False)
            group, sure, possible = self._control(held, owner, company)
            row = {
                "owned": held.names[company],
                "owner": held.names[owner],
                "low": low,
                "high": high,
                "by_share": _told(self._enough(low), self._enough(high)),
                "group_share": group,
                "by_control": _told(sure, possible),
            }
            if {row["by_share"], row["by_control"]} != {"no"}:
                made.append((-low, -high, held.names[owner], row))
        return [row for *_, row in sorted(made, key=lambda one: one[:3])]

    def _control(self, held: Holdings, owner: int, company: int) -> tuple[float, bool, bool]:
        """Votes its group surely holds of the company, and whether they are enough, surely and possibly."""
        half = [
            closure([owner], held.votes, lambda x: reached(x, 0.5, False), held.control, sure) for sure in (True, False)
        ]
        share = [group.share.get(company, 0.0) for group in half]
        enough = [company in group.steps or self._enough(part) for group, part in zip(half, share, strict=True)]
        return share[0], enough[0], enough[1]

    def _enough(self, share: float) -> bool:
        return reached(share, self.threshold, self.inclusive)


def bound(held: Holdings, owner: int, company: int, above: set[int], sure: bool) -> float:
    """Least or greatest share that `owner` can have of a company over all chains, among those `above` it."""
    y = {owner: 1.0}
    companies = sorted(j for j in above if j != owner and held.owned_by.get(j))
    for _ in range(SWEEPS):
        change = 0.0
        for j in companies:
            value = _reach(held, j, y, sure)
            change = max(change, abs(value - y.get(j, 0.0)))
            y[j] = value
        if change <= SETTLED:
            return y.get(company, 0.0)
    raise MeasureError(
        f"shares of {held.names[company]} over circles of holdings did not settle in {SWEEPS} sweeps; some companies "
        "hold nearly all of each other: correct one of their shares"
    )


def _reach(held: Holdings, company: int, y: Mapping[int, float], sure: bool) -> float:
    """Sum of shares of the owners times what is reached in each of them; what is free goes to the best of them."""
    low, high = held.capital.low, held.capital.high
    owners = held.owned_by[company]
    total = sum(low[i, company] * y.get(i, 0.0) for i in owners)
    if sure:
        return total
    free = held.capital.free[company]
    for i in sorted(owners, key=lambda i: -y.get(i, 0.0)):
        more = min(free, high[i, company] - low[i, company])
        total += more * y.get(i, 0.0)
        free -= more
    return min(total, 1.0)


def _told(sure: bool, possible: bool) -> str:
    return "yes" if sure else "possible" if possible else "no"
