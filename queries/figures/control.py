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

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from queries.figure import Domain, Figure, Rows, noted
from queries.ownership.holdings import COLUMNS, OPTIONAL, Excess, Holdings, closure
from queries.ownership.regimes import reached

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
        leaders = {pair[0] for pair in (*held.votes.high, *held.control)}
        asked = [held.find(self.controller)] if self.controller else sorted(leaders)
        made = [row for leader in asked for row in self._group(held, leader)]
        told = f"shares of {', '.join(held.scaled)} exceeded 100 % and were scaled" if held.scaled else ""
        return noted(pa.Table.from_pylist(made, schema=ANSWER), told)

    def _group(self, held: Holdings, leader: int) -> Iterator[dict[str, object]]:
        """The group of one controller, in order of names."""
        sure, possible = (
            closure([leader], held.votes, self._enough, held.control, sure=certain) for certain in (True, False)
        )
        for owned in sorted(possible.steps):
            yield {
                "controller": held.names[leader],
                "controlled": held.names[owned],
                "votes": sure.share.get(owned, 0.0),
                "steps": sure.steps.get(owned, possible.steps[owned]),
                "certain": owned in sure.steps,
            }

    def _enough(self, share: float) -> bool:
        return reached(share, self.threshold, self.inclusive)
