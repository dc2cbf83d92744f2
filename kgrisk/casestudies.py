"""Case studies: the EBA's exposures of banks and the BIS's claims between countries, from the graph to the figures.

EBA: fire sales of government bonds (Greenwood, Landier, Thesmar 2015) with each bank's stated common equity tier 1.
BIS: who falls if a country fails, by threshold cascade under an assumed equity; who stands in the way, by heat and
PageRank; and what is known of it if only each country's sums were published, by reconstruction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.errors import MeasureError
from kg.snapshot import Snapshot
from kgrisk.reconstructed import Drawing, Way
from queries.balance import as_float, latest_money
from queries.exposures import Exposures
from queries.measures.debtrank import DebtRank
from queries.measures.fire_sales import FireSales
from queries.measures.heat import Heat
from queries.measures.pagerank import PageRank
from queries.measures.threshold import Threshold
from queries.reconstruct.margins import Margins
from queries.reconstruct.ranged import Books, Ranged, over
from queries.scenario import Shocks

Floats = NDArray[np.float64]
SOVEREIGN = "Central banks and central governments"
CAPITAL = "Common tier1 equity capital"
WAYS: tuple[Way, ...] = ("entropy", "density", "ensemble")
Figures = dict[str, Any]


# ---- EBA


@dataclass(frozen=True)
class SovereignShock:
    """A fall of the bonds of some governments, and how markets answer sales."""

    countries: tuple[str, ...] = ("ES", "IE", "IT", "PT")
    fall: float = 0.1
    impact: float = 1e-13
    """Fall of a price per euro sold: 10 billion move it by 10 basis points, as Greenwood et al. assume."""


def eba(snapshot: Snapshot, shock: SovereignShock, top: int = 10) -> Figures:
    """Sovereign exposures of the banks at this instant, and what a fall of some of them costs."""
    x = sovereign_book(snapshot)
    ids = [f"iso:{code}" for code in shock.countries]
    if unknown := [id for id in ids if id not in x.index]:
        raise MeasureError(f"no bank here holds bonds of {unknown[0]}; take ISO codes such as IT")
    measure = FireSales(impact=shock.impact)
    hit = Shocks.parse(x, dict.fromkeys(ids, shock.fall))
    sales, losses = measure.sell(x, hit), measure.spread(x, hit)
    banks, equity = x.held > 0, x.equity
    capital = float(np.nansum(equity[banks]))
    return {
        "banks": int(banks.sum()),
        "governments": int((x.owed > 0).sum()),
        "sovereign": float(x.held.sum()),
        "capital": capital,
        "first": float(sales.first[0, banks].sum()),
        "sales": float(sales.amount[0].sum()),
        "loss": float(losses.loss[0, banks].sum()),
        "vulnerability": float(sales.vulnerability(np.where(banks, equity, np.nan))[0]),
        "without capital": int((losses.distress[0, banks] >= 1).sum()),
        "hardest hit": _ranked(snapshot, x, np.where(banks, losses.distress[0], 0.0), top),
        "governments by cost": _costliest(snapshot, x, replace(measure), shock.fall, top),
    }


def sovereign_book(snapshot: Snapshot) -> Exposures:
    """Claims on governments alone; the rest of total assets is outside, equity is the stated tier 1."""
    x = Exposures.from_snapshot(snapshot, ("EXPOSED_TO",), "EUR")
    stated = snapshot.edges_of("EXPOSED_TO")
    kept = stated.filter(pc.starts_with(stated["key"], pattern=SOVEREIGN))
    if not len(kept):
        raise MeasureError("no claims on governments here; ingest the EBA's file and ask at a date within two years")
    other = x.edges.filter(pc.invert(pc.is_in(x.edges["id"], kept["id"].combine_chunks())))
    x = x.without(other["id"].to_pylist())
    facts = snapshot.facts_of("fact")
    (day,) = sorted({key.rpartition("/")[2] for key in pc.unique(kept["key"]).to_pylist()})[-1:]
    facts = facts.filter(pc.equal(facts["key"], f"{CAPITAL}|{day}"))
    found = dict(zip(facts["subject"].to_pylist(), as_float(facts["value_decimal"]).to_pylist(), strict=True))
    capital = np.array([found.get(snapshot.index[id], np.nan) for id in x.ids], float)
    total, _ = latest_money(snapshot, "assets", np.array([snapshot.index[id] for id in x.ids], np.int64))
    outside = np.where(np.isnan(total), x.external_assets, np.maximum(total - x.held, 0.0))
    # whoever states no capital reports nothing at this date (governments, and banks of the other file)
    return replace(x, equity=np.where(x.held > 0, capital, np.nan), external_assets=outside)


def _costliest(snapshot: Snapshot, x: Exposures, measure: FireSales, fall: float, top: int) -> list[Figures]:
    """Governments by what the same fall of their bonds alone costs all banks."""
    issuers = np.flatnonzero(x.owed > 0)
    fractions = np.zeros((len(issuers), len(x)))
    fractions[np.arange(len(issuers)), issuers] = fall
    cost = np.zeros(len(x))
    cost[issuers] = measure.spread(x, Shocks.of(x, fractions)).loss[:, x.held > 0].sum(axis=1)
    return _ranked(snapshot, x, cost, top)


# ---- BIS


@dataclass(frozen=True)
class CountryFailure:
    """A country that pays nothing, and how the network is looked at."""

    country: str = "US"
    equity: float = 0.2
    """Assumed equity of each country's banks, as a share of their foreign claims: no source here states one."""
    recovery: float = 0.55
    """Share of a claim got back: a loss given default of 45 %, as of a senior claim in Basel II."""
    draws: int = 20
    seed: int = 0


def bis(snapshot: Snapshot, failure: CountryFailure, top: int = 10) -> Figures:
    """Claims between countries at this instant, who falls if one fails, and whose failure would cost most."""
    x = _claims(snapshot, failure)
    row, hit = x.index[f"iso:{failure.country}"], Shocks.parse(x, f"iso:{failure.country}")
    measure = Threshold(recovery=failure.recovery, assumed=failure.equity)
    linear = DebtRank(recovery=failure.recovery, assumed=failure.equity).spread(x, hit)
    losses, every = measure.spread(x, hit), measure.spread(x, Shocks.each(x, 1.0, "default")).loss
    return {
        "countries": len(x),
        "reporting": int((x.held > 0).sum()),
        "claims": x.edges.num_rows,
        "amount": float(x.held.sum()),
        "claims on it": float(x.owed[row]),
        "loss": float(losses.loss[0].sum()),
        "waves": [[id.removeprefix("iso:") for id in wave] for wave in losses.waves[0]],
        "debtrank": float(linear.loss[0].sum()),
        "remarks": [text for text in linear.remarks if "spectral radius" in text],
        "hardest hit": _ranked(snapshot, x, losses.loss[0], top),
        "costliest": _ranked(snapshot, x, every.sum(axis=1), top),
        "heat": _ranked(snapshot, x, _others(Heat().spread(x, hit).loss[0], row), top),
        "pagerank": _ranked(snapshot, x, _others(PageRank().spread(x, hit).loss[0], row), top),
    }


def bis_from_margins(snapshot: Snapshot, failure: CountryFailure) -> Figures:
    """The same failure if only sums were published: the evenest, the sparsest, and drawn networks, beside the truth."""
    x = _claims(snapshot, failure)
    margins = Margins.of(x.held, x.owed, ids=x.ids)
    # who reports nothing holds nothing: it is no bank of the network, and its equity does not matter
    outside = np.maximum(x.owed - x.held, 0.0) + x.held * failure.equity
    owed = outside + x.held - x.owed - x.held * failure.equity
    books = Books(margins, outside, np.maximum(owed, 0.0), "USD")
    measure, shock = Threshold(recovery=failure.recovery), {f"iso:{failure.country}": 1.0}
    truth = over(measure, books, [x.claims.toarray()], shock, "default")
    found: Figures = {"truth": _summed(truth, truth)}
    for way in WAYS:
        drawing = Drawing(way, failure.draws, seed=failure.seed)
        found[way] = _summed(over(measure, books, drawing.networks(margins), shock, "default"), truth)
    return found


def _claims(snapshot: Snapshot, failure: CountryFailure) -> Exposures:
    x = Exposures.from_snapshot(snapshot, ("EXPOSED_TO",), "USD")
    if f"iso:{failure.country}" not in x.index:
        raise MeasureError(f"no claims on {failure.country} here; ingest the BIS files and ask at a date of their year")
    return x


def _summed(ranged: Ranged, truth: Ranged) -> Figures:
    """Total loss with its range, links, the part of the losses put on the wrong country, and of how many countries
    that lose the true loss lies within the range."""
    true = truth.loss[0]
    missed = float(np.abs(ranged.each.mean - true).sum() / true.sum())
    near = (ranged.each.low <= true * (1 + 1e-9)) & (true <= ranged.each.high * (1 + 1e-9))
    total = {name: float(getattr(ranged.total, name)[0]) for name in ("mean", "low", "high")}
    inside = int((near & (true > 0)).sum())
    return {**total, "links": float(ranged.links.mean()), "misplaced": missed, "within range": inside}


def _others(scores: Floats, row: int) -> Floats:
    return np.where(np.arange(len(scores)) == row, 0.0, scores)


def _ranked(snapshot: Snapshot, x: Exposures, values: Floats, top: int) -> list[Figures]:
    """The `top` greatest, ties by id."""
    table = pa.table({"id": list(x.ids), "value": values}).sort_by([("value", "descending"), ("id", "ascending")])
    rows = table.slice(0, top).to_pylist()
    return [{"id": row["id"], "name": snapshot.names[snapshot.index[row["id"]]], "value": row["value"]} for row in rows]
