"""Control: whom each controls through majorities of votes, its own and those of the companies it controls.

The group of a controller c is the least set G with c in G and j in G where the members of G hold more than `threshold`
of the votes of j together, or one of them is told to control j by other means (kind `control`). It is found with a
queue, each stake looked at once. Compare the weakest-link and majority rules of La Porta, Lopez-de-Silanes, Shleifer,
"Corporate Ownership Around the World", Journal of Finance 54(2), 1999.

Votes of kind `votes` take the place of capital for the same pair; votes of shares that a company holds in itself are
cast by nobody and leave the whole. Where only ranges are known, `certain` says whether the least shares are enough.
Exactly one half is no majority, unless `inclusive`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from queries.figure import Domain, Figure, Rows, noted
from queries.holdings import COLUMNS, OPTIONAL, Excess, Holdings, closure

ANSWER = pa.schema(
    [
        pa.field("controller", pa.string()),
        pa.field("controlled", pa.string()),
        pa.field("votes", pa.float64()),  # that the whole group holds, at least
        pa.field("steps", pa.int64()),
        pa.field("certain", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Control(Figure):
    """Groups of companies under one controller."""

    name: ClassVar[str] = "control"
    columns: ClassVar[Mapping[str, Domain]] = COLUMNS
    optional: ClassVar[Mapping[str, Domain]] = OPTIONAL
    limits: ClassVar[Mapping[str, Domain]] = {"threshold": "share"}

    controller: str = ""
    """Only whom this one controls; empty: the groups of all."""
    threshold: float = 0.5
    """Share of the votes that has to be exceeded."""
    inclusive: bool = False
    """Whether the threshold itself is enough."""
    excess: Excess = "refuse"
    """What is done where shares of one company exceed 100 %: refuse or scale."""

    def answer(self, rows: Rows) -> pa.Table:
        held = Holdings.of(rows, self.excess)
        leaders = {pair[0] for pair in (*held.votes[1], *held.control)}
        asked = [held.find(self.controller)] if self.controller else sorted(leaders)
        made = []
        for leader in asked:
            sure, possible = (closure([leader], v, held.control, self.threshold, self.inclusive) for v in held.votes)
            for owned, (steps, _) in sorted(possible.items()):
                votes = sure[owned][1] if owned in sure else _votes(held, {leader, *sure}, owned)
                step = sure[owned][0] if owned in sure else steps
                names = {"controller": held.names[leader], "controlled": held.names[owned]}
                made.append({**names, "votes": min(votes, 1.0), "steps": step, "certain": owned in sure})
        told = f"shares of {', '.join(held.scaled)} exceeded 100 % and were scaled" if held.scaled else ""
        return noted(pa.Table.from_pylist(made, schema=ANSWER), told)


def _votes(held: Holdings, group: set[int], owned: int) -> float:
    """Votes a group surely holds in a company."""
    return sum(held.votes[0].get((owner, owned), 0.0) for owner in sorted(group))
