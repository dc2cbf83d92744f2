"""Integrated ownership: what each owns of each directly and through any chain, with circles of cross-holdings.

W_ij is the share of j that i holds directly. Three ways of counting:

    integrated  Y = (I - W)^-1 W: the sum over all chains, as of Brioschi, Buzzacchi, Colombo, "Risk capital financing
                and the separation of ownership and control in business groups", J. Banking and Finance 13, 1989
    corrected   diag((I - W)^-1)^-1 (I - W)^-1 W: chains that come back through the owner itself are left out (Baldone,
                Brioschi, Paleari 1998; Vitali, Glattfelder, Battiston, PLOS ONE 6(10), 2011)
    outside     diag(1 - sum_i W_ij) (I - W)^-1: what outside shareholders of i have of the value of j (Elliott, Golub,
                Jackson, "Financial Networks and Contagion", American Economic Review 104(10), 2014)

Parallel stakes are added up. Shares of one company that exceed 100 % are refused by name (`excess="scale"` scales them
and says so); so is a circle that holds all of itself, where the sum over chains has no end. A company's stake in itself
counts as told. Beyond LARGEST parties `owned` must name the company looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np
import pyarrow as pa
from scipy import sparse
from scipy.sparse.linalg import splu

from kg.errors import MeasureError
from queries.figure import Domain, Figure, Rows, noted
from queries.ownership.holdings import COLUMNS, OPTIONAL, Excess, Holdings

LARGEST: Final = 3_000
"""Parties up to which all pairs are computed."""
NONE: Final = 1e-15
"""Shares up to this are rounding."""


@dataclass(frozen=True)
class IntegratedOwnership(Figure):
    """Shares over all chains."""

    name: ClassVar[str] = "integrated_ownership"
    columns: ClassVar[Mapping[str, Domain]] = COLUMNS
    optional: ClassVar[Mapping[str, Domain]] = OPTIONAL

    method: Literal["integrated", "corrected", "outside"] = "integrated"
    """How chains are counted."""
    owned: str = ""
    """Only the owners of this company; empty: all pairs."""
    excess: Excess = "refuse"
    """What is done where shares of one company exceed 100 %: refuse or scale."""

    def answer(self, rows: Rows) -> pa.Table:
        held = Holdings.of(rows, self.excess)
        direct = held.matrix()
        n = len(held.names)
        if not self.owned and n > LARGEST:
            raise MeasureError(f"{self.name}: {n} parties make too many pairs; name the company looked at by owned=...")
        of = np.array([held.find(self.owned)]) if self.owned else np.arange(n)
        found = self._shares(direct, of)
        owner, column = np.nonzero(found > NONE)
        made = pa.table(
            {
                "owner": [held.names[i] for i in owner],
                "owned": [held.names[of[j]] for j in column],
                "direct": np.asarray(direct[:, of].toarray()[owner, column], float),
                "share": found[owner, column],
            }
        )
        told = f"shares of {', '.join(held.scaled)} exceeded 100 % and were scaled" if held.scaled else ""
        return noted(made.sort_by([("owned", "ascending"), ("share", "descending"), ("owner", "ascending")]), told)

    def _shares(self, direct: sparse.csc_array[np.float64], of: np.ndarray) -> np.ndarray:
        """(n, of) shares of the columns asked for."""
        n = direct.shape[0]
        factors = splu(sparse.csc_array(sparse.eye_array(n) - direct))
        if self.method == "outside":
            rest = 1 - np.asarray(direct.sum(axis=0), float).ravel()
            return np.asarray(np.maximum(rest, 0)[:, None] * factors.solve(np.eye(n)[:, of]), float)
        found = np.asarray(factors.solve(direct[:, of].toarray()), float)
        if self.method == "corrected":
            found /= _diagonal(factors, n)[:, None]
        return found


def _diagonal(factors: object, n: int) -> np.ndarray:
    """Diagonal of (I - W)^-1, a block of columns at a time."""
    found, block = np.empty(n), 256
    for start in range(0, n, block):
        size = min(block, n - start)
        unit = np.zeros((n, size))
        unit[np.arange(start, start + size), np.arange(size)] = 1.0
        found[start : start + size] = factors.solve(unit)[np.arange(start, start + size), np.arange(size)]  # type: ignore[attr-defined]  # SuperLU has no type of its own
    return found
