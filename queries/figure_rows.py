"""Rows of figures: the tables that figures need, read from a snapshot, with remarks on what was left out.

What a figure sees is what the snapshot holds: true at its valid, recorded by its known and public by its published
instant. Each reader gives a table with the columns of its figures and the remarks a reader must know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import MeasureError
from kg.snapshot import Snapshot
from queries.balance import as_float, priced_edges, to_currency
from queries.figures.control import Control
from queries.market.returns import with_returns
from queries.ownership.stakes import stakes

Found = tuple[pa.Table, tuple[str, ...]]
OPTIONS = ("PUT", "CALL")
"""Roles of a HOLDS edge that are no ownership of the security."""


@dataclass(frozen=True)
class Asked:
    """Which rows of the graph a figure is computed of."""

    holder: str = ""
    """Whose loans or positions; empty: of everyone together (positions need one)."""
    securities: tuple[str, ...] = ()
    """Ids of the securities whose closes count; empty: all, or those that `holder` holds."""
    market: str = ""
    """Id of the security that stands for the market; empty: all securities in equal parts."""
    score: str = "distress"
    """Published property that is the PD."""
    lgd: float = 0.45
    """Loss given default of every loan: 45 % is that of senior claims in the foundation approach of Basel II."""
    lgd_low: float | None = None
    lgd_high: float | None = None
    include_predicted: float | None = None
    """Least score of a predicted loan that counts."""
    types: tuple[str, ...] = ("LENDS_TO", "EXPOSED_TO")
    """Edges that are loans."""
    currency: str | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    """Value of one unit of each other currency in `currency`."""


def loans(snapshot: Snapshot, asked: Asked) -> Found:
    """id, pd, lgd, ead of each debtor that has a score; pd_low and pd_high where the model published a range."""
    edges, unpriced = priced_edges(snapshot, asked.types, asked.include_predicted)
    if asked.holder:
        edges = edges.filter(pc.equal(edges["source"], _row(snapshot, asked.holder)))
    if not edges.num_rows:
        whose = f"{asked.holder} has" if asked.holder else "the graph has"
        raise MeasureError(f"{whose} no loan with an amount at this instant; edges looked at: {', '.join(asked.types)}")
    factor = to_currency([edges["unit"]], asked.currency, asked.rates)
    amount = edges["amount"].to_numpy() * factor.of(edges["unit"])
    debtors, place = np.unique(edges["target"].to_numpy(), return_inverse=True)
    ead = np.bincount(place, amount, minlength=len(debtors))
    rows, values = snapshot.latest(asked.score)
    score = dict(zip(rows.tolist(), values.tolist(), strict=True))
    known = np.array([int(row) in score for row in debtors])
    if not known.any():
        raise MeasureError(f"no debtor here has a published {asked.score!r}; train and publish scores first")
    kept = debtors[known]
    pd = np.array([score[int(row)] for row in kept])
    made = {"id": [snapshot.ids[row] for row in kept], "pd": pd, "lgd": np.full(len(kept), asked.lgd)}
    made |= {"ead": ead[known], **_range(snapshot, asked, kept, pd)}
    remarks = [f"{len(kept)} debtors, amounts in {factor.currency}", f"LGD is taken as {asked.lgd:g}"]
    if len(kept) < len(debtors):
        part = ead[~known].sum() / ead.sum()
        remarks.append(f"{len(debtors) - len(kept)} debtors ({part:.1%} of the money) have no score and are left out")
    if unpriced:
        remarks.append(f"{len(unpriced)} loans have no stated amount and are left out")
    return pa.table(made), tuple(remarks)


def _range(snapshot: Snapshot, asked: Asked, kept: np.ndarray, pd: np.ndarray) -> dict[str, Any]:
    """Ends of PD and LGD, where anything tells them."""
    made: dict[str, Any] = {}
    ends = {"low": np.minimum, "high": np.maximum}
    for end, widest in ends.items():
        rows, values = snapshot.latest(f"{asked.score}_{end}")
        told = dict(zip(rows.tolist(), values.tolist(), strict=True))
        if told:
            own = np.array([told.get(int(row), pd[k]) for k, row in enumerate(kept)])
            made[f"pd_{end}"] = widest(own, pd)  # a range of another run must still hold the value
        lgd = asked.lgd_low if end == "low" else asked.lgd_high
        if lgd is not None:
            made[f"lgd_{end}"] = np.full(len(kept), lgd)
    return made


def closes(snapshot: Snapshot, asked: Asked) -> Found:
    """series, date, close, published (and weight, where a holder is asked for) of securities."""
    facts = snapshot.facts_of("close")
    wanted, weights = asked.securities, {}
    if asked.holder:
        weights = {row["asset"]: row["amount"] for row in _positions(snapshot, asked.holder) if row["security"]}
        wanted = wanted or tuple(weights)
    if wanted:
        facts = facts.filter(pc.is_in(facts["subject"], pa.array([_row(snapshot, id) for id in wanted], pa.int32())))
    if not facts.num_rows:
        raise MeasureError("no close of these securities at this instant; ingest price files first, or name others")
    series = [snapshot.ids[row] for row in facts["subject"].to_pylist()]
    table = pa.table(
        {
            "series": pa.array(series, pa.string()),
            "date": pc.floor_temporal(facts["valid_from"], unit="day"),
            "close": as_float(facts["value_decimal"]),
            "published": facts["published"],
        }
    )
    remarks = [f"{len(set(series))} securities, {len(facts)} closes"]
    if weights:
        priced = {id: weights[id] for id in sorted(set(series)) if id in weights}
        total = sum(priced.values())
        table = table.append_column("weight", pa.array([priced.get(id, 0.0) / total for id in series]))
        part = total / sum(weights.values())
        remarks.append(f"weights are positions of {asked.holder}; {part:.1%} of their value has closes")
    if len(pc.unique(facts["unit"])) > 1:
        remarks.append("returns are each in its own currency")
    return table, tuple(remarks)


def together(snapshot: Snapshot, asked: Asked) -> Found:
    """id, date, return, market and system of each security beside the market."""
    table, remarks = closes(snapshot, asked)
    table = with_returns(table)
    frame = table.to_pandas()
    wide = frame.pivot_table(index="date", columns="series", values="return", aggfunc="last")
    if asked.market and asked.market not in wide:
        raise MeasureError(f"{asked.market} has no closes here, so it cannot stand for the market")
    market = wide[asked.market] if asked.market else wide.mean(axis=1)
    frame["market"] = frame["date"].map(market)
    frame = frame[frame["market"].notna() & (frame["series"] != asked.market)]
    made = {"id": frame["series"], "date": frame["date"], "return": frame["return"], "market": frame["market"]}
    told = asked.market or f"the mean of {wide.shape[1]} securities"
    return pa.table({**made, "system": frame["market"]}), (*remarks, f"the market is {told}")


def positions(snapshot: Snapshot, asked: Asked) -> Found:
    """holder, asset, amount, group: positions of the holder and of every fund below it; groups by control."""
    if not asked.holder:
        raise MeasureError("look-through needs a holder: give the id of who holds the portfolio")
    group, found, left = groups(snapshot), [], [asked.holder]
    issued = {row["target"]: snapshot.ids[row["source"]] for row in snapshot.edges_of("ISSUED").to_pylist()}
    seen = {asked.holder}
    while left:
        holder = left.pop()
        for row in _positions(snapshot, holder):
            issuer = issued.get(row["row"], row["asset"])
            fund = snapshot.labels[snapshot.index[issuer]] == "Fund" and bool(_positions(snapshot, issuer))
            asset = issuer if fund else row["asset"]
            found.append(
                {"holder": holder, "asset": asset, "amount": row["amount"], "group": group.get(issuer, issuer)}
            )
            if fund and issuer not in seen:
                seen.add(issuer)
                left.append(issuer)
    if not found:
        raise MeasureError(f"{asked.holder} holds nothing with an amount at this instant")
    return pa.Table.from_pylist(found), (f"{len(seen) - 1} funds are looked through",)


def _positions(snapshot: Snapshot, holder: str) -> list[dict[str, Any]]:
    """What a holder last reported: asset, amount, row of the asset; puts and calls are left out."""
    edges = snapshot.edges_of("HOLDS")
    edges = edges.filter(
        pc.and_(pc.equal(edges["source"], _row(snapshot, holder)), pc.is_valid(edges["value_decimal"]))
    )
    rows = [row for row in edges.to_pylist() if (row["value_text"] or "").upper() not in OPTIONS]
    last = max((row["valid_from"] for row in rows), default=None)
    return [
        {
            "asset": snapshot.ids[row["target"]],
            "row": row["target"],
            "security": snapshot.labels[row["target"]] == "Security",
            "amount": float(row["value_decimal"]),
        }
        for row in rows
        if row["valid_from"] == last
    ]


def groups(snapshot: Snapshot) -> dict[str, str]:
    """Who stands at the top of each controlled party: whom nobody controls, the smallest id of several."""
    table = stakes(snapshot)
    if not table.num_rows:
        return {}
    found = Control(excess="scale").compute(table.select(["owner", "owned", "share", "high", "kind"])).to_pylist()
    sure = [(row["controller"], row["controlled"]) for row in found if row["certain"]]
    below = {controlled for controller, controlled in sure if controller != controlled}
    tops: dict[str, str] = {}
    for controller, controlled in sorted(sure, reverse=True):
        if controller not in below:
            tops[controlled] = controller
    return tops


def losses(snapshot: Snapshot, asked: Asked) -> Found:
    """date, amount, category of every event that cost its party (or the holder) a stated amount."""
    edges = snapshot.edges_of("AFFECTED_BY")
    edges = edges.filter(pc.is_valid(edges["value_decimal"]))
    if asked.holder:
        edges = edges.filter(pc.equal(edges["source"], _row(snapshot, asked.holder)))
    if not edges.num_rows:
        raise MeasureError("no event here has an amount; loss events are AFFECTED_BY edges with `amount`")
    factor = to_currency([edges["unit"]], asked.currency, asked.rates)
    types = snapshot.facts_of("event_type")
    kind = dict(zip(types["subject"].to_pylist(), types["value_text"].to_pylist(), strict=True))
    made = {
        "date": edges["valid_from"],
        "amount": as_float(edges["value_decimal"]).to_numpy() * factor.of(edges["unit"]),
        "category": [kind.get(row, "unknown") for row in edges["target"].to_pylist()],
    }
    return pa.table(made), (f"{edges.num_rows} losses in {factor.currency}",)


def indicators(snapshot: Snapshot, asked: Asked) -> Found:
    """id, date, value: how many events of each type there were month by month."""
    edges = snapshot.edges_of("AFFECTED_BY")
    if asked.holder:
        edges = edges.filter(pc.equal(edges["source"], _row(snapshot, asked.holder)))
    types = snapshot.facts_of("event_type")
    kind = dict(zip(types["subject"].to_pylist(), types["value_text"].to_pylist(), strict=True))
    seen = {(row["target"], row["valid_from"]) for row in edges.select(["target", "valid_from"]).to_pylist()}
    if not seen:
        raise MeasureError("no event here hit anyone; indicators count AFFECTED_BY edges by type of event")
    months = [np.datetime64(moment.replace(tzinfo=None), "M") for _, moment in seen]
    first, last = min(months), max(months)
    every = np.arange(first, last + 1)
    count: dict[str, np.ndarray] = {}
    for (target, _), month in zip(seen, months, strict=True):
        count.setdefault(kind.get(target, "unknown"), np.zeros(len(every)))[int(np.searchsorted(every, month))] += 1
    rows = [
        {"id": name, "date": month.astype("datetime64[us]").astype(object), "value": float(value)}
        for name, values in sorted(count.items())
        for month, value in zip(every, values, strict=True)
    ]
    return pa.Table.from_pylist(rows), ("events by month and type",)


READERS: Final[Mapping[str, Callable[[Snapshot, Asked], Found]]] = MappingProxyType(
    {
        **dict.fromkeys(("expected_loss", "vasicek", "irb", "concentration", "joint_default"), loans),
        "var_es": closes,
        **dict.fromkeys(("mes", "lrmes", "covar"), together),
        "look_through": positions,
        "operational_loss": losses,
        "kri": indicators,
        **dict.fromkeys(
            ("control", "integrated_ownership", "beneficial_owner", "fifty_percent"),
            lambda snapshot, asked: (stakes(snapshot), ()),
        ),
    }
)
"""Which reader makes the table of which figure."""


def rows_of(snapshot: Snapshot, figure: str, asked: Asked) -> Found:
    """The table of a figure from a snapshot. MeasureError if the graph holds none for it."""
    if figure not in READERS:
        raise MeasureError(
            f"the graph has no table for {figure}; give one (--table). From the graph: {', '.join(READERS)}"
        )
    return READERS[figure](snapshot, asked)


def _row(snapshot: Snapshot, id: str) -> int:
    row = snapshot.index.get(id)
    if row is None:
        raise MeasureError(f"{id} is not in the graph at this instant; take an id that `kgrisk query` shows")
    return row
