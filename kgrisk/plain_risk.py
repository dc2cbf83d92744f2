"""Plain risk: any measure on two plain files, without a graph, so that it can be checked against a paper.

Exposures are `creditor,debtor,amount` (also `seniority`, `currency`), banks are `id,external_assets,
external_liabilities,equity,shock` (also `currency`); columns that are not needed may be absent and cells empty. What
is missing of a balance sheet follows from the rest: external assets + claims - debts inside - external liabilities =
equity. A shock is money lost of external assets. Who has neither equity nor external assets (an asset that is held, a
firm of a supply chain, a page) has no money to lose: its shock is the share of it that is gone, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kg.errors import MeasureError
from kgrisk.plain_rows import Rows
from queries.exposures import EDGES, Exposures
from queries.measure import Losses, RiskMeasure, build
from queries.scenario import Kind, Shocks, Spec

Floats = NDArray[np.float64]
EXPOSURES = ("creditor", "debtor", "amount", "seniority", "currency")
BANKS = ("id", "external_assets", "external_liabilities", "equity", "shock", "currency")
CLOSED = 1e-3
"""Relative gap up to which a balance sheet that is stated whole counts as closed: printed tables are rounded."""


@dataclass(frozen=True)
class Network:
    """What two plain files tell."""

    exposures: Exposures
    shocks: Shocks
    """One scenario: the column `shock`, 0 where there is none."""
    seniority: Mapping[str, int]
    """Rank by exposure id, where the file has that column."""
    places: tuple[str, ...]
    """File and line of each bank, for messages."""
    remarks: tuple[str, ...] = ()


def answer(losses: Losses) -> dict[str, Any]:
    """The first scenario as plain JSON: payments, losses and equity by id, who defaults, rounds, converged.

    Losses are book equity before the shock less equity after it, where the measure values equity; else what it counts
    as loss. What a measure does not tell is null.
    """
    ids, money = losses.exposures.ids, losses.unit != "score"
    book, loss = losses.exposures.equity, losses.loss[0]
    nothing = np.full(len(ids), np.nan)
    after = losses.worth[0] if losses.worth is not None else book - loss
    if losses.worth is not None:
        loss = np.where(np.isnan(book), loss, book - after)
    return {
        "measure": losses.measure,
        "payments": _by_id(ids, nothing if losses.payments is None else losses.payments[0]),
        "losses": _by_id(ids, loss),
        "equity": _by_id(ids, after if money else nothing),
        "defaults": list(losses.defaults()) if money else [],
        "rounds": int(losses.rounds),
        "converged": bool(losses.converged),
    }


def _by_id(ids: tuple[str, ...], values: Floats) -> dict[str, float | None]:
    return {id: None if np.isnan(value) else float(value) for id, value in zip(ids, values, strict=True)}


def assess_files(
    measure: str,
    files: tuple[Path, Path],
    params: Mapping[str, Any],
    shock: Spec | None = None,
    kind: Kind | None = None,
) -> tuple[Losses, tuple[str, ...]]:
    """Losses of a measure on the files of exposures and of banks, and what a reader must know of them.

    `shock` and `kind` (see `Shocks.parse`) replace the column of shocks.
    """
    build(RiskMeasure, measure, params)  # type: ignore[type-abstract]  # a wrong name is told before files are read
    network = read_network(*files)
    built = _ranked(measure, params, network)
    x = network.exposures
    if built.needs_equity and np.isnan(x.equity).any():
        row = int(np.flatnonzero(np.isnan(x.equity))[0])
        raise MeasureError(
            f"{network.places[row]}: {x.ids[row]} has neither equity nor external_assets, and {measure} needs one of "
            "them; fill in the column (0 is a value too)"
        )
    shocks = network.shocks if shock is None else Shocks.parse(x, shock, kind=kind)
    losses = built.spread(x, shocks)
    return losses, (*network.remarks, *losses.notes[1:], *(shocks.unfelt(x) if losses.unit != "score" else ()))


def _ranked(measure: str, params: Mapping[str, Any], network: Network) -> RiskMeasure:
    """The measure, with the ranks of the file where it knows ranks and none were given."""
    built = build(RiskMeasure, measure, params)  # type: ignore[type-abstract]  # a role is asked for
    known = {field.name for field in fields(built)}  # type: ignore[arg-type]  # every measure is a dataclass
    if "seniority" in known and "seniority" not in params and network.seniority:
        return build(RiskMeasure, measure, {**params, "seniority": network.seniority})  # type: ignore[type-abstract]
    return built


def read_network(exposures: Path, banks: Path) -> Network:
    """The network of two files. MeasureError names file, line, what was given and what was expected."""
    debts, sheets = Rows.read(exposures, EXPOSURES, EXPOSURES[:3]), Rows.read(banks, BANKS, BANKS[:1])
    ids = sheets.texts("id")
    index: dict[str, int] = {}
    for row, id in enumerate(ids):
        if id in index:
            raise sheets.wrong(row, "id", f"{id} is there already on line {sheets.lines[index[id]]}; one row a bank")
        index[id] = row
    edges, own = _edges(debts, index, banks.name)
    if not edges.num_rows:
        debts.remark("no exposure between two banks, so nothing can spread")
    bare = Exposures(ids, _currency(debts, sheets), edges, *(np.zeros(len(ids)),) * 3)
    closed = _closed(sheets, bare)
    places = tuple(f"{sheets.name} line {line}" for line in sheets.lines)
    ranks = dict(zip(edges["id"].to_pylist(), own, strict=True)) if "seniority" in debts.columns else {}
    told = (*debts.remarks, *sheets.remarks)
    return Network(closed, _shocks(sheets, closed), {k: v for k, v in ranks.items() if v}, places, told)


def _edges(debts: Rows, index: Mapping[str, int], banks: str) -> tuple[pa.Table, list[int]]:
    """Exposures in EDGES and the rank of each (0: none stated); loans to oneself and of nothing are left out."""
    ends = [debts.texts(name) for name in ("creditor", "debtor")]
    for name, column in zip(("creditor", "debtor"), ends, strict=True):
        for row, id in enumerate(column):
            if id not in index:
                raise debts.wrong(
                    row, name, f"{id} has no row in {banks}; expected one of its ids{debts.near(id, index)}"
                )
    amount = debts.numbers("amount", least=0.0, needed=True)
    rank = debts.numbers("seniority", least=1.0)
    if (broken := np.flatnonzero(~np.isnan(rank) & (rank != np.floor(rank)))).size:
        raise debts.wrong(int(broken[0]), "seniority", "expected a whole number from 1, 1 being paid first")
    kept = [row for row in range(len(amount)) if amount[row] > 0 and ends[0][row] != ends[1][row]]
    if own := sum(a == b for a, b in zip(*ends, strict=True)):
        debts.remark(f"{own} exposures to oneself are left out")
    count: dict[tuple[str, str], int] = {}
    names = []
    for row in kept:
        pair = ends[0][row], ends[1][row]
        count[pair] = count.get(pair, 0) + 1
        names.append(">".join(pair) + (f"#{count[pair]}" if count[pair] > 1 else ""))
    table = {
        "id": names,
        "type": ["EXPOSED_TO"] * len(kept),
        "source": [index[ends[0][row]] for row in kept],
        "target": [index[ends[1][row]] for row in kept],
        "amount": amount[kept],
        "statement": [""] * len(kept),
        "predicted": [False] * len(kept),
    }
    return pa.table(table, schema=EDGES), np.nan_to_num(rank[kept]).astype(int).tolist()


def _currency(*tables: Rows) -> str:
    """The one currency of both files, or nothing where none is named."""
    found: dict[str, str] = {}
    for rows in tables:
        for row, unit in enumerate(rows.texts("currency") if "currency" in rows.columns else ()):
            found.setdefault(unit, f"{rows.name} line {rows.lines[row]}")
    if len(found) > 1:
        told = ", ".join(f"{unit or 'none'} at {place}" for unit, place in found.items())
        raise MeasureError(f"amounts are in several currencies: {told}; convert them to one before")
    return next(iter(found), "")


def _closed(sheets: Rows, bare: Exposures) -> Exposures:
    """The exposures with balance sheets closed by what each row leaves open."""
    assets = sheets.numbers("external_assets")
    owed = sheets.numbers("external_liabilities", least=0.0)
    equity, inside = sheets.numbers("equity"), bare.held - bare.owed
    size = np.maximum.reduce([np.abs(np.nan_to_num(assets)), bare.held, bare.owed, np.full(len(inside), 1e-9)])
    for row, claims in enumerate(inside.tolist()):
        stated = assets[row], owed[row], equity[row]
        assets[row], owed[row], equity[row] = _close(*stated, claims)
        gap = assets[row] + claims - owed[row] - equity[row]
        if abs(gap) > CLOSED * size[row] or owed[row] < -CLOSED * size[row]:
            left = f"{assets[row] + claims - np.nan_to_num(stated[1]):g}"
            told = f"external_assets {stated[0]:g}, {claims:+g} of claims less debts inside, less external_liabilities"
            raise sheets.wrong(row, "equity", f"expected {left}, for {told}; leave one of the columns empty")
    unknown = np.isnan(equity)
    return Exposures(
        bare.ids,
        bare.currency,
        bare.edges,
        equity,
        np.where(unknown & np.isnan(assets), bare.owed, assets),
        np.maximum(np.nan_to_num(owed), 0.0),
        assumed=tuple(id for id, open_ in zip(bare.ids, unknown, strict=True) if open_),
    )


def _close(assets: float, owed: float, equity: float, claims: float) -> tuple[float, float, float]:
    """External assets, external liabilities and equity, with what is open (NaN) filled by what is not.

    Equity alone leaves two open: external assets are then what equity and debts inside need beyond the claims.
    """
    if np.isnan(assets) and np.isnan(equity):
        return assets, owed, equity
    if np.isnan(equity):
        owed = 0.0 if np.isnan(owed) else owed
        return assets, owed, assets + claims - owed
    if np.isnan(assets):
        assets = max(equity - claims, 0.0) if np.isnan(owed) else equity - claims + owed
    return assets, assets + claims - equity if np.isnan(owed) else owed, equity


def _shocks(sheets: Rows, x: Exposures) -> Shocks:
    """The column of shocks: money where there is a balance sheet, a share where there is none."""
    given = np.nan_to_num(sheets.numbers("shock", least=0.0))
    unknown = np.isnan(x.equity)
    for row in np.flatnonzero(unknown & (given > 1)):
        what = "without equity and external_assets there is no money to lose; expected the share that is gone, 0 to 1"
        raise sheets.wrong(int(row), "shock", what)
    money = np.where(unknown, 0.0, given)
    share = np.divide(money, x.equity, out=np.where(money > 0, 1.0, 0.0), where=x.equity > 0)
    distress = np.where(unknown, given, np.minimum(share, 1.0))
    return Shocks(("shock",), money[None, :], money[None, :], distress[None, :])
