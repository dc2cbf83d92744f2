"""Holdings: a table of stakes as matrices of shares, votes and control, checked so that they can be multiplied."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from kg.errors import MeasureError
from queries.figure import Domain, Rows
from queries.ownership.regimes import ROUNDING

Floats = NDArray[np.float64]
Pairs = dict[tuple[int, int], float]
Excess = Literal["refuse", "scale"]
COLUMNS: Final[Mapping[str, Domain]] = MappingProxyType({"owner": "text", "owned": "text", "share": "share"})
"""A stake: `share` is what is sure of it."""
OPTIONAL: Final[Mapping[str, Domain]] = MappingProxyType({"high": "share", "kind": "text"})
"""`high` is the most it may be; `kind` is capital (the default), votes or control (whatever the share)."""
KINDS: Final = ("capital", "votes", "control")
NAMED: Final = 5
"""Names told in an error."""


@dataclass(frozen=True)
class Shares:
    """Shares of capital or votes: {(owner, owned): share}, for each owned at most 1 in all."""

    low: Pairs
    """What is sure."""
    high: Pairs
    """The most each may be, given what all others surely hold."""

    @cached_property
    def free(self) -> dict[int, float]:
        """What nobody surely holds of each."""
        total: dict[int, float] = {}
        for (_, owned), share in self.low.items():
            total[owned] = total.get(owned, 0.0) + share
        return {owned: max(1 - share, 0.0) for owned, share in total.items()}

    @cached_property
    def below(self) -> dict[int, list[int]]:
        """Whom each holds a part of, ascending."""
        found: dict[int, list[int]] = {}
        for owner, owned in sorted(self.high):
            found.setdefault(owner, []).append(owned)
        return found


@dataclass(frozen=True)
class Holdings:
    """Who holds how much of whom, by number of name."""

    names: tuple[str, ...]
    capital: Shares
    votes: Shares
    """As told, else as the capital; without what a company holds in itself."""
    control: frozenset[tuple[int, int]]
    """Who is told to control whom by other means."""
    scaled: tuple[str, ...] = ()
    """Whose shares added up to more than 100 % and were scaled down to it."""

    @classmethod
    def of(cls, rows: Rows, excess: Excess = "refuse") -> Holdings:
        """From a table with COLUMNS; parallel stakes are added up.

        MeasureError names companies whose shares add up to more than 100 %, unless `excess` is `scale`.
        """
        owners, owned = rows.text("owner"), rows.text("owned")
        names = tuple(sorted({*owners, *owned}))
        number = {name: k for k, name in enumerate(names)}
        kinds = rows.text("kind") if "kind" in rows else ["capital"] * len(rows)
        if unknown := sorted(set(kinds) - set(KINDS)):
            raise MeasureError(f"stakes of kind {unknown[0]!r} are unknown; known: {', '.join(KINDS)}")
        pairs = [(number[a], number[b]) for a, b in zip(owners, owned, strict=True)]
        low, high = rows["share"].tolist(), np.maximum(rows.get("high", 0), rows["share"]).tolist()
        told: dict[str, tuple[Pairs, Pairs]] = {kind: ({}, {}) for kind in KINDS}
        for pair, kind, least, most in zip(pairs, kinds, low, high, strict=True):
            for sums, value in zip(told[kind], (least, most), strict=True):
                sums[pair] = sums.get(pair, 0.0) + value
        capital, scaled = _within(names, told["capital"], excess)
        ballots, more = _within(names, ({**capital[0], **told["votes"][0]}, {**capital[1], **told["votes"][1]}), excess)
        return cls(names, Shares(*capital), _voting(ballots), frozenset(told["control"][0]), tuple({**scaled, **more}))

    @cached_property
    def number(self) -> dict[str, int]:
        return {name: k for k, name in enumerate(self.names)}

    @cached_property
    def exact(self) -> bool:
        """Whether nothing is uncertain."""
        return all(self.capital.high[pair] <= share + ROUNDING for pair, share in self.capital.low.items())

    @cached_property
    def owned_by(self) -> dict[int, list[int]]:
        """Owners of each owned, ascending."""
        found: dict[int, list[int]] = {}
        for owner, owned in sorted(self.capital.high):
            found.setdefault(owned, []).append(owner)
        return found

    def matrix(self) -> sparse.csc_array[np.float64]:
        """(n, n) sure shares: entry [i, j] is what i holds of j. MeasureError where a circle holds all of itself."""
        n = len(self.names)
        low = self.capital.low
        rows, columns = (np.array([pair[k] for pair in low], np.int64) for k in (0, 1))
        made = sparse.csc_array((np.array(list(low.values()), float), (rows, columns)), shape=(n, n))
        _outside(self.names, made)
        return made

    @cached_property
    def over(self) -> dict[int, set[int]]:
        """Who holds capital or votes of each, or controls it."""
        found: dict[int, set[int]] = {}
        for owner, owned in (*self.capital.high, *self.votes.high, *self.control):
            found.setdefault(owned, set()).add(owner)
        return found

    def above(self, company: int) -> set[int]:
        """All that stand above a company in any way, with itself."""
        seen, queue = {company}, deque([company])
        while queue:
            for owner in self.over.get(queue.popleft(), ()):
                if owner not in seen:
                    seen.add(owner)
                    queue.append(owner)
        return seen

    def find(self, name: str) -> int:
        """Number of a name. MeasureError if no stake names it."""
        if name not in self.number:
            raise MeasureError(f"no stake names {name!r}; the table names {len(self.names)} parties")
        return self.number[name]


def _within(
    names: Sequence[str], told: tuple[Pairs, Pairs], excess: Excess
) -> tuple[tuple[Pairs, Pairs], dict[str, None]]:
    """Sure shares that add up to at most 1 for each owned, and the most each can be beside the others."""
    low, high = told
    total: dict[int, float] = {}
    for (_, owned), share in low.items():
        total[owned] = total.get(owned, 0.0) + share
    over = {owned: share for owned, share in total.items() if share > 1 + 1e-9}
    if over and excess == "refuse":
        worst = sorted(over, key=lambda owned: (-over[owned], owned))[:NAMED]
        listed = ", ".join(f"{names[owned]} ({over[owned]:.2%})" for owned in worst)
        raise MeasureError(f"shares add up to more than 100 % in {listed}; correct them, or ask with excess='scale'")
    low = {pair: share / max(total[pair[1]], 1.0) for pair, share in low.items()}
    free = {owned: max(1 - min(share, 1.0), 0.0) for owned, share in total.items()}
    high = {pair: max(share, min(high[pair], share + free[pair[1]])) for pair, share in low.items()}
    return (low, high), dict.fromkeys(names[owned] for owned in sorted(over))


def _voting(votes: tuple[Pairs, Pairs]) -> Shares:
    """Votes without those of shares that a company holds in itself: nobody casts them."""
    own = {pair[0]: share for pair, share in votes[0].items() if pair[0] == pair[1] and share < 1}
    low, high = (
        {p: min(share / (1 - own.get(p[1], 0.0)), 1.0) for p, share in part.items() if p[0] != p[1]} for part in votes
    )
    return Shares(low, high)


def _outside(names: Sequence[str], matrix: sparse.csc_array[np.float64]) -> None:
    """MeasureError where parties hold all of each other and of nobody else: nobody outside owns them."""
    _, part = connected_components(matrix, directed=True, connection="strong")
    coo = matrix.tocoo()
    owner, owned = coo.coords
    same = part[owner] == part[owned]
    inside = np.bincount(owned[same], coo.data[same], minlength=len(names))
    open_parts = set(part[inside < 1 - ROUNDING].tolist())
    if closed := [name for name, own in zip(names, part.tolist(), strict=True) if own not in open_parts]:
        raise MeasureError(
            f"{', '.join(closed[:NAMED])}{' ...' if len(closed) > NAMED else ''} hold all of each other, so nobody "
            "outside owns them; correct one of their shares"
        )


@dataclass(frozen=True)
class Group:
    """Whom some parties come to hold."""

    steps: dict[int, int]
    """The round in which each joined; those it began with have none."""
    share: dict[int, float]
    """What the whole group holds of each that it holds any of."""


def closure(
    start: Iterable[int],
    shares: Shares,
    enough: Callable[[float], bool],
    control: Iterable[tuple[int, int]] = (),
    sure: bool = True,
) -> Group:
    """The least group with `start` in it and everyone of whom its members hold enough together, or whom one controls.

    `sure` counts what is surely held, else the most that the members can hold together beside what others surely hold.
    Each stake is looked at once: linear in their number.
    """
    led: dict[int, set[int]] = {}
    for owner, owned in control:
        led.setdefault(owner, set()).add(owned)
    ring, number = sorted(set(start)), 0
    group, low, high = set(ring), dict[int, float](), dict[int, float]()
    share: dict[int, float] = {}
    steps: dict[int, int] = {}
    while ring:
        number += 1
        joined: set[int] = set()
        for member in ring:
            joined |= led.get(member, set())
            for owned in shares.below.get(member, ()):
                low[owned] = low.get(owned, 0.0) + shares.low[member, owned]
                high[owned] = high.get(owned, 0.0) + shares.high[member, owned]
                share[owned] = low[owned] if sure else min(high[owned], low[owned] + shares.free[owned])
                if enough(share[owned]):
                    joined.add(owned)
        ring = sorted(joined - group)
        group |= joined
        steps |= dict.fromkeys(ring, number)
    return Group(steps, share)
