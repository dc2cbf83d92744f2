"""Reconstructed: networks, and losses with error bars, from a plain file of what each bank claims and owes in all.

The file is `id,assets,liabilities` (sums inside the network; also `external_assets,external_liabilities,equity,shock,
currency` as in `kgrisk.plain_risk`); the few cells that are disclosed stand in `creditor,debtor,amount`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from kgrisk.plain_rows import Rows
from queries.measure import RiskMeasure
from queries.reconstruct.density import minimum_density
from queries.reconstruct.ensemble import networks
from queries.reconstruct.entropy import maximum_entropy
from queries.reconstruct.margins import Margins
from queries.reconstruct.ranged import Books, Ranged, over
from queries.scenario import Kind, Shocks, Spec

Floats = NDArray[np.float64]
Way = Literal["entropy", "density", "ensemble"]
WAYS = ("entropy", "density", "ensemble")
SUMS = ("id", "assets", "liabilities", "external_assets", "external_liabilities", "equity", "shock", "currency")
CELLS = ("creditor", "debtor", "amount")


@dataclass(frozen=True)
class Drawing:
    """How networks are made from margins."""

    way: Way = "ensemble"
    draws: int = 100
    """Networks of an ensemble; the evenest and the sparsest are one each."""
    density: float | None = None
    """Share of cells that are links in an ensemble, where it is known; None: any."""
    seed: int = 0

    def networks(self, margins: Margins) -> Iterator[Floats]:
        """(n, n) claims, one after the other."""
        if self.way not in WAYS:
            raise MeasureError(f"way {self.way!r} is unknown; known: {', '.join(WAYS)}")
        if self.way == "ensemble":
            yield from networks(margins, self.draws, density=self.density, seed=self.seed)
        else:
            yield maximum_entropy(margins) if self.way == "entropy" else minimum_density(margins, self.seed)


@dataclass(frozen=True)
class Published:
    """What the files tell."""

    books: Books
    sheets: Rows

    @property
    def margins(self) -> Margins:
        """Sums and disclosed cells."""
        return self.books.margins

    def shocks(self) -> Shocks:
        """The column `shock`: money lost. MeasureError where there is none."""
        money = np.nan_to_num(self.sheets.numbers("shock", least=0.0))
        if not money.any():
            raise MeasureError(
                f"{self.sheets.name} has no column shock with money lost in it; fill it in or give --shock id=0.3"
            )
        equity = self.books.external_assets + self.margins.assets
        equity = equity - self.margins.liabilities - self.books.external_liabilities
        share = np.divide(money, equity, out=np.where(money > 0, 1.0, 0.0), where=equity > 0)
        return Shocks(("shock",), money[None, :], money[None, :], np.minimum(share, 1.0)[None, :])


def read(sums: Path, known: Path | None = None) -> Published:
    """The files of sums and of disclosed cells. MeasureError names file, line, and what was expected."""
    sheets = Rows.read(sums, SUMS, SUMS[:3])
    ids = sheets.texts("id")
    if len(set(ids)) < len(ids):
        row = next(row for row, id in enumerate(ids) if id in ids[:row])
        raise sheets.wrong(row, "id", "it is there already; expected one row a bank")
    assets, debts = (sheets.numbers(name, least=0.0, needed=True) for name in SUMS[1:3])
    margins = Margins.of(assets, debts, _cells(known, ids) if known else None, ids)
    units = {unit for unit in sheets.columns.get("currency", ()) if unit}
    if len(units) > 1:
        raise MeasureError(f"{sums}: sums are in {', '.join(sorted(units))}; convert them to one currency before")
    outside, owed = _outside(sheets, assets - debts)
    return Published(Books(margins, outside, owed, next(iter(units), "")), sheets)


def ranged_risk(
    published: Published, measure: RiskMeasure, drawing: Drawing, shock: Spec | None = None, kind: Kind | None = None
) -> Ranged:
    """The measure over the networks that the margins allow; the shock is the column of the file where none is given."""
    asked = published.shocks() if shock is None else shock
    return over(measure, published.books, drawing.networks(published.margins), asked, kind)


def told(ranged: Ranged) -> dict[str, Any]:
    """The answer as plain JSON: mean, deviation, 5 % and 95 % quantile of the total and of each; of one network
    the mean alone, which is its loss."""
    names = ("mean", "sd", "low", "high") if len(ranged.loss) > 1 else ("mean",)
    each = {id: {name: float(getattr(ranged.each, name)[row]) for name in names} for row, id in enumerate(ranged.ids)}
    return {
        "measure": ranged.measure,
        "unit": ranged.unit,
        "networks": len(ranged.loss),
        "links": {"mean": float(ranged.links.mean()), "low": int(ranged.links.min()), "high": int(ranged.links.max())},
        "total": {name: float(getattr(ranged.total, name)[0]) for name in names},
        "losses": each,
    }


def cells(margins: Margins, claims: Floats) -> list[dict[str, Any]]:
    """One network as rows of creditor, debtor, amount, and whether the amount was disclosed."""
    return [
        {
            "creditor": margins.ids[i],
            "debtor": margins.ids[j],
            "amount": float(claims[i, j]),
            "known": bool(~np.isnan(margins.known[i, j])),
        }
        for i, j in np.argwhere(claims > 0).tolist()
    ]


def _cells(path: Path, ids: tuple[str, ...]) -> dict[tuple[str, str], float]:
    rows = Rows.read(path, CELLS, CELLS)
    ends = [rows.texts(name) for name in CELLS[:2]]
    found: dict[tuple[str, str], float] = {}
    for row, (creditor, debtor, amount) in enumerate(zip(*ends, rows.numbers("amount", 0.0, True), strict=True)):
        for name, id in zip(CELLS[:2], (creditor, debtor), strict=True):
            if id not in ids:
                raise rows.wrong(row, name, f"expected one of the ids of the sums{rows.near(id, ids)}")
        if (creditor, debtor) in found:
            raise rows.wrong(row, "debtor", f"the claim of {creditor} on it is there already; add them up")
        found[creditor, debtor] = float(amount)
    return found


def _outside(sheets: Rows, net: Floats) -> tuple[Floats, Floats]:
    """External assets and liabilities that close each balance sheet; `net` is claims less debts inside."""
    assets = sheets.numbers("external_assets")
    owed, equity = sheets.numbers("external_liabilities", least=0.0), sheets.numbers("equity")
    if (bare := np.flatnonzero(np.isnan(assets) & np.isnan(equity))).size and sheets.columns.keys() & {
        "external_assets",
        "equity",
    }:
        raise sheets.wrong(int(bare[0]), "equity", "expected this or external_assets; 0 is a value too")
    if bare.size:  # sums alone: enough for the networks, and for measures that count no equity
        return np.maximum(-net, 0.0), np.zeros(len(net))
    needs = equity - net + np.nan_to_num(owed)
    filled = np.where(np.isnan(assets), np.where(np.isnan(owed), np.maximum(needs, 0.0), needs), assets)
    rest = np.where(np.isnan(equity), np.nan_to_num(owed), filled + net - np.nan_to_num(equity))
    size = np.maximum(np.abs(filled), np.abs(net)) + 1e-9
    gap = np.where(np.isnan(owed) | np.isnan(equity), 0.0, np.abs(rest - owed))
    if (bad := np.flatnonzero((rest < -1e-6 * size) | (gap > 1e-3 * size))).size:
        raise sheets.wrong(
            int(bad[0]), "equity", f"external_liabilities would be {rest[bad[0]]:g}; leave one of the columns empty"
        )
    return np.asarray(filled, float), np.asarray(np.maximum(rest, 0.0), float)
