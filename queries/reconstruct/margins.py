"""Margins: what each claims and owes in all inside a network whose single exposures are not published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kg.errors import MeasureError
from queries.parameter import suggestion

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

AGREES = 1e-9
"""Sums held within this share of the whole agree."""


@dataclass(frozen=True)
class Margins:
    """Sums of claims and debts by entity, and the cells that are known. Nobody has a claim on itself."""

    ids: tuple[str, ...]
    assets: Floats
    """(n,) all that each claims on others in the network."""
    liabilities: Floats
    """(n,) all that each owes to others in the network."""
    known: Floats
    """(n, n) disclosed claims of row on column; NaN where nothing is disclosed; the diagonal is 0."""

    @classmethod
    def of(
        cls,
        assets: ArrayLike,
        liabilities: ArrayLike,
        known: Mapping[tuple[str, str], float] | None = None,
        ids: Sequence[str] | None = None,
    ) -> Margins:
        """From sums and disclosed claims by (creditor, debtor). MeasureError names what cannot be."""
        claimed, owed = (np.asarray(part, float) for part in (assets, liabilities))
        names = tuple(ids) if ids is not None else tuple(f"bank:{i}" for i in range(len(claimed)))
        if {claimed.shape, owed.shape} != {(len(names),)}:
            raise MeasureError(
                f"{len(names)} ids need as many sums, not {claimed.shape} assets, {owed.shape} liabilities"
            )
        cells = np.full((len(names), len(names)), np.nan)
        np.fill_diagonal(cells, 0.0)
        place = {id: row for row, id in enumerate(names)}
        for (creditor, debtor), amount in (known or {}).items():
            for id in (creditor, debtor):
                if id not in place:
                    raise MeasureError(f"known claim {creditor} on {debtor}: no {id} here{suggestion(id, list(names))}")
            if creditor == debtor and amount:
                raise MeasureError(f"known claim of {creditor} on itself; leave it out of the margins as well")
            cells[place[creditor], place[debtor]] = amount
        made = cls(names, claimed, owed, cells)
        made._check()
        return made

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def free(self) -> Flags:
        """(n, n) cells that nobody disclosed and that may hold something."""
        left, owed = self.rest
        return np.isnan(self.known) & (left > 0)[:, None] & (owed > 0)[None, :]

    @cached_property
    def fixed(self) -> Floats:
        """(n, n) the disclosed cells, 0 elsewhere."""
        return np.nan_to_num(self.known)

    @cached_property
    def rest(self) -> tuple[Floats, Floats]:
        """Sums that remain for the free cells."""
        small = AGREES * max(self.assets.sum(), 1e-300)
        parts = (self.assets - self.fixed.sum(axis=1), self.liabilities - self.fixed.sum(axis=0))
        left, owed = (np.where(part > small, part, 0.0) for part in parts)
        return left, owed * (left.sum() / owed.sum() if owed.sum() > 0 else 1.0)

    def missed(self, claims: Floats) -> float:
        """Greatest difference of a row or column from its sum, as a share of the whole."""
        rows = np.abs(claims.sum(axis=1) - self.assets).max(initial=0.0)
        columns = np.abs(claims.sum(axis=0) - self.liabilities).max(initial=0.0)
        return float(max(rows, columns) / max(self.assets.sum(), 1e-300))

    def _check(self) -> None:
        for what, values in (("assets", self.assets), ("liabilities", self.liabilities)):
            if (bad := np.flatnonzero(~np.isfinite(values) | (values < 0))).size:
                raise MeasureError(
                    f"{what} of {self.ids[bad[0]]} are {values[bad[0]]}; expected a number of at least 0"
                )
        if (np.isinf(self.known) | (self.known < 0)).any():
            raise MeasureError("a known claim is a finite number of at least 0")
        total, owed = self.assets.sum(), self.liabilities.sum()
        if abs(total - owed) > AGREES * max(total, owed):
            raise MeasureError(
                f"claims sum to {total}, debts to {owed}: inside a network both are the same money; "
                "add the outside world as one more entity that takes the difference"
            )
        for what, sums, known in (
            ("claims", self.assets, self.fixed.sum(axis=1)),
            ("debts", self.liabilities, self.fixed.sum(axis=0)),
        ):
            if (bad := np.flatnonzero(known > sums + AGREES * total)).size:
                id = self.ids[bad[0]]
                raise MeasureError(f"known {what} of {id} sum to {known[bad[0]]}, more than its {sums[bad[0]]} in all")
        self._room()

    def _room(self) -> None:
        """Every row and column must find enough room in its free cells."""
        left, owed = self.rest
        for what, sums, room in (
            ("claims", left, self.free @ owed),
            ("debts", owed, left @ self.free),
        ):
            if (bad := np.flatnonzero(sums > room + AGREES * max(self.assets.sum(), 1e-300))).size:
                raise MeasureError(
                    f"{what} of {self.ids[bad[0]]} leave {sums[bad[0]]} for others with room for {room[bad[0]]} only: "
                    "nobody deals with itself; correct the sums or the known cells"
                )
