"""Who counts as sanctioned by ownership: the 50 % rule of a regime on a day, with bounds, and control as a flag.

The set B of parties that count is the least with the listed ones in it and j in B where the members of B hold enough of
j directly and together: a cascade, not a product along chains (OFAC FAQ 401: X 50 % of A and A 50 % of B make B
blocked). What is enough, whether holdings of different listed persons are added up, and whether control alone counts
is `queries.ownership.regimes`' to say; where they are not added up, the set is found for each listed person by itself.

`low` is what those that surely count surely hold; `high` the most that those that may count can hold beside what the
others surely hold; `status` is listed, blocked, possible, controlled (by control alone, where the regime counts it) or
clear. `controlled_by` names listed parties whose group has a majority of votes or is told to control it, whatever the
regime makes of it. `step` is the round of the cascade, `via` the members of B that hold it, with their shares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from queries.figure import Domain, Figure, Rows, noted
from queries.ownership.holdings import COLUMNS, OPTIONAL, Excess, Group, Holdings, closure
from queries.ownership.regimes import Regime, Rule, day, reached, rule

ANSWER = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("status", pa.string()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("step", pa.int64()),
        pa.field("via", pa.list_(pa.string())),
        pa.field("controlled_by", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True)
class FiftyPercent(Figure):
    """Sanctions that reach owned companies."""

    name: ClassVar[str] = "fifty_percent"
    columns: ClassVar[Mapping[str, Domain]] = COLUMNS
    optional: ClassVar[Mapping[str, Domain]] = OPTIONAL

    listed: tuple[str, ...] = ()
    """Ids of the parties that are listed."""
    regime: Regime = "ofac"
    """Whose rule: ofac, eu or uk."""
    on: str = ""
    """Day whose rule counts, such as 2024-09-28; empty: the latest."""
    excess: Excess = "refuse"
    """What is done where shares of one company exceed 100 %: refuse or scale."""

    def answer(self, rows: Rows) -> pa.Table:
        held, law = Holdings.of(rows, self.excess), rule(self.regime, day(self.on))
        listed = sorted(held.number[name] for name in set(self.listed) if name in held.number)
        starts = [listed] if law.together else [[one] for one in listed]
        sure, possible = (
            [closure(start, held.capital, law.reached, sure=certain) for start in starts] for certain in (True, False)
        )
        led = {one: closure([one], held.votes, _majority, held.control).steps for one in listed}
        made = [_row(held, law, k, listed, (sure, possible), led) for k in range(len(held.names))]
        absent = sorted(set(self.listed) - set(held.number))
        return noted(
            pa.Table.from_pylist(made, schema=ANSWER),
            f"{len(absent)} listed parties hold nothing here" if absent else "",
            f"shares of {', '.join(held.scaled)} exceeded 100 % and were scaled" if held.scaled else "",
        )


def _row(
    held: Holdings,
    law: Rule,
    k: int,
    listed: list[int],
    groups: tuple[list[Group], list[Group]],
    led: Mapping[int, Mapping[int, int]],
) -> dict[str, object]:
    """What is found of one party."""
    sure, possible = groups
    low = max((group.share.get(k, 0.0) for group in sure), default=0.0)
    high = max((group.share.get(k, 0.0) for group in possible), default=0.0)
    steps = [group.steps[k] for group in (*sure, *possible) if k in group.steps]
    controllers = [held.names[one] for one in listed if k in led[one]]
    members = {*listed, *(j for group in possible for j in group.steps)}
    via = sorted(i for i in held.owned_by.get(k, ()) if i in members)
    return {
        "id": held.names[k],
        "status": _status(law, k in listed, any(k in g.steps for g in sure), bool(steps), bool(controllers)),
        "low": min(low, 1.0),
        "high": min(high, 1.0),
        "step": min(steps, default=0),
        "via": [f"{held.names[i]} {held.capital.low[i, k]:.4%}".replace(".0000%", "%") for i in via],
        "controlled_by": controllers,
    }


def _status(law: Rule, listed: bool, sure: bool, possible: bool, controlled: bool) -> str:
    if listed:
        return "listed"
    if sure:
        return "blocked"
    if controlled and law.control:
        return "controlled"
    return "possible" if possible else "clear"


def _majority(share: float) -> bool:
    return reached(share, 0.5, False)
