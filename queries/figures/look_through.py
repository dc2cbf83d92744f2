"""Look-through: what a holder is exposed to by issuer group, through the funds it holds.

The table has one row per position: `holder` has `amount` in `asset`; who is itself a holder is a fund and is looked
through. With W_fk the part of fund f's positions that is k, what a holder has in the end is

    x = d + W' x

d its own positions, taken where assets are no funds: the sum over all ways through funds, as in the look-through
approach of the Basel Committee ("Capital requirements for banks' equity investments in funds", December 2013, CRE60).
Funds that hold each other are a linear system, solved at once; those that hold nothing else would have no assets in
the end and are refused by name. `group` names the issuer group of an asset, else it is its own. Nothing is gained or
lost: exposures of a holder add up to its positions. `fund_size` (the whole of a fund's assets, in its holder rows)
says how much of it the positions are; what they leave out stays as group "unknown of <fund>".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

from kg.errors import MeasureError
from queries.figure import Domain, Figure, Floats, Rows, by_group, noted


@dataclass(frozen=True)
class LookThrough(Figure):
    """Exposure of a holder by issuer group, through its funds."""

    name: ClassVar[str] = "look_through"
    columns: ClassVar[Mapping[str, Domain]] = {"holder": "text", "asset": "text", "amount": "amount"}
    optional: ClassVar[Mapping[str, Domain]] = {"group": "text", "fund_size": "positive"}

    holder: str = ""
    """Whose exposures; empty: of everyone whom nobody here holds."""

    def answer(self, rows: Rows) -> pa.Table:
        holders, assets = rows.text("holder"), rows.text("asset")
        names = sorted({*holders, *assets})
        place = {name: row for row, name in enumerate(names)}
        own = [place[name] for name in holders]
        held = sparse.csr_array((rows["amount"], (own, [place[name] for name in assets])), (len(names), len(names)))
        roots = self.roots(names, set(holders), set(assets))
        inner, unknown = inside(rows, names, place, held)
        final = ~np.isin(np.arange(len(names)), own)
        groups = dict(zip(assets, rows.text("group"), strict=True)) if "group" in rows else {}
        made: list[dict[str, Any]] = []
        for root in roots:
            made += self.exposures(place[root], held, inner, unknown, (names, final, groups))
        table = pa.Table.from_pylist(made)
        return noted(table, "" if "group" in rows else "no column group: every asset is its own issuer group")

    def roots(self, names: list[str], holders: set[str], assets: set[str]) -> list[str]:
        """Whose exposures are told."""
        if self.holder:
            if self.holder not in holders:
                raise MeasureError(f"look_through: {self.holder} holds nothing here; holders: {sorted(holders)[:10]}")
            return [self.holder]
        free = [name for name in names if name in holders and name not in assets]
        if not free:
            raise MeasureError("look_through: every holder is held by another; name one as `holder`")
        return free

    def exposures(
        self,
        root: int,
        held: sparse.csr_array,
        inner: sparse.csr_array,
        unknown: Floats,
        about: tuple[list[str], NDArray[np.bool_], Mapping[str, str]],
    ) -> list[dict[str, Any]]:
        """Rows of one holder, most first."""
        names, final, groups = about
        direct = np.asarray(held[[root]].todense()).ravel()
        reached = through(names, inner, direct)
        ends = [(groups.get(names[k], names[k]), reached[k], direct[k]) for k in np.flatnonzero(final & (reached > 0))]
        ends += [
            (f"unknown of {names[k]}", reached[k] * unknown[k], 0.0) for k in np.flatnonzero(reached * unknown > 0)
        ]
        rows, total = [], direct.sum()
        for group, at in by_group([end[0] for end in ends]).items():
            amount, straight = (float(sum(ends[i][part] for i in at)) for part in (1, 2))
            told = {"holder": names[root], "group": group, "amount": amount, "direct": straight}
            rows.append({**told, "through_funds": amount - straight, "share": amount / total if total else 0.0})
        return sorted(rows, key=lambda row: (-row["amount"], row["group"]))


def inside(
    rows: Rows, names: list[str], place: Mapping[str, int], held: sparse.csr_array
) -> tuple[sparse.csr_array, Floats]:
    """(n, n) part of each fund that each of its positions is, and the part of each fund that is unknown."""
    stated = np.asarray(held.sum(axis=1), float).ravel()
    size = stated.copy()
    if "fund_size" in rows:
        for holder, at in by_group(rows.text("holder")).items():
            sizes = np.unique(rows["fund_size"][at])
            if len(sizes) > 1 or sizes[0] < stated[place[holder]] * (1 - 1e-9):
                told = ", ".join(f"{one:g}" for one in sizes)
                raise MeasureError(
                    f"look_through: fund_size of {holder} is {told}, its positions make {stated[place[holder]]:g}; "
                    "give one size that is no less"
                )
            size[place[holder]] = max(sizes[0], stated[place[holder]])
    scale = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    inner = sparse.csr_array(sparse.diags_array(scale) @ held)
    return inner, np.where(stated > 0, 1 - stated * scale, 0.0)


def through(names: list[str], inner: sparse.csr_array, direct: Floats) -> Floats:
    """(n,) what is reached of each, funds included: x = direct + inner' x."""
    seen = direct > 0
    while True:  # everything that lies below
        wider = seen | (np.asarray(inner.T @ seen.astype(float)) > 0)
        if (wider == seen).all():
            break
        seen = wider
    at = np.flatnonzero(seen)
    part = sparse.csr_array(inner[at][:, at])
    _closed([names[i] for i in at], part)
    found = np.zeros(len(direct))
    found[at] = spsolve(sparse.csc_array(sparse.eye_array(len(at)) - part.T), direct[at]) if len(at) else 0.0
    return np.maximum(found, 0.0)


def _closed(names: list[str], inner: sparse.csr_array) -> None:
    """MeasureError where funds hold nothing but each other."""
    count, label = connected_components(inner, directed=True, connection="strong")
    rows, columns = inner.nonzero()
    leaves = np.zeros(count, bool)
    leaves[label[rows[label[rows] != label[columns]]]] = True
    within = np.zeros(count, bool)
    within[label[rows[label[rows] == label[columns]]]] = True
    short = np.asarray(inner.sum(axis=1)).ravel() < 1 - 1e-12
    np.logical_or.at(leaves, label[short], True)
    bad = np.flatnonzero(within & ~leaves)
    if len(bad):
        found = ", ".join(name for name, own in zip(names, label, strict=True) if own == bad[0])
        raise MeasureError(f"look_through: {found} hold nothing but each other, so nothing is behind them; check them")
