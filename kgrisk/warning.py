"""Warning: who is likely to come into distress, by what was public, and how well such warnings did before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import MeasureError
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, ClaimBatch, RunManifest, Value, as_time, iso
from kg.ontology import PROPERTIES
from kg.pinned import Pinned
from kg.snapshot import Snapshot
from kgrisk.extras import need
from kgrisk.opened import Opened, day
from kgrisk.result import Result
from queries.recorded import Recorded, asking
from queries.warning.alarm import Alarm, Verdict, fit, judge, panel, ranked
from queries.warning.signals import READERS, Signals, failures, signals

NAME = "early_warning"
"""What runs of it are called in the graph."""
View = Callable[[AsOf], Snapshot]
MOST = 20
"""Alerts given, unless asked otherwise."""
OWN = frozenset(name for name, of in PROPERTIES.items() if of.node in ("Score", "Embedding")) - {"sentiment"}
"""What runs of the engine state, dated when they ran; tone alone of the scores is dated as its document is."""


@dataclass(frozen=True)
class Warnings:
    """Alerts at the last date, and how the same index did on dates that it had not seen."""

    alerts: Result
    """id, name, index, alarm, why (signals that raise it most) and statements behind them; most alarming first."""
    verdict: Verdict
    weights: dict[str, float]
    """Weight of each signal in the index."""
    dates: tuple[datetime, ...]
    threshold: float
    """Index above which it warns."""
    asked: Mapping[str, Any]
    """Cut, step, horizon and false alarms, as the run of the warnings keeps them."""
    snapshot: Snapshot
    """What the alerts were read from: what was public at the last date."""
    certificate: Any = None
    """No-peek certificate of what was learned by the cut (`gnn.peek.Certificate`); None: not asked for."""


def warnings(
    graph: Opened,
    cut: date | datetime | str,
    *,
    every: int = 30,
    horizon: int = 365,
    false_alarms: float = 0.05,
    until: date | datetime | str | None = None,
    certify: bool = False,
    commit: int | None = None,
) -> Warnings:
    """Learn an index before the cut, test it after, and warn as of `until` (the day a source last published).

    `every` and `horizon` are in days. Outcomes of the training dates are those public by the cut, so the horizon before
    the cut teaches nothing. MeasureError where no distress before the cut teaches, or no date after it tests.
    `certify=True` learns again with all that was published after the cut made up anew: did a bit move? `commit` asks
    the ledger as it stood then.
    """
    view = graph.ledger.view if commit is None else Pinned(graph.ledger, commit).view
    split, step, ahead = as_time(day(cut)), timedelta(days=every), timedelta(days=horizon)
    if every < 1 or horizon < 1:
        raise MeasureError(f"every and horizon are numbers of days of at least 1, not {every} and {horizon}")
    final = view()
    first, last = _span(final)
    last = as_time(day(until)) if until else last
    early, late = _early_and_late(split, step, ahead, first, last)
    at_last = view(AsOf(late[-1], published=late[-1]))
    alarm = _learned(view, early, split, ahead, false_alarms)
    read = [signals(view(AsOf(moment, published=moment)), moment) for moment in late]
    verdict = judge(alarm, panel(read, _failed(final), ahead), graph.settings.seed)
    certificate = _certificate(graph, early, split, ahead, false_alarms) if certify else None
    remarks = (*_remarks(verdict), *((certificate.remark(),) if certificate is not None else ()))
    alerts = Result(_alerts(alarm, read[-1], final), f"alerts as of {late[-1]:%Y-%m-%d}", remarks)
    weights = dict(zip(READERS, alarm.weight.tolist(), strict=True))
    asked = {"cut": iso(split), "every": every, "horizon": horizon, "false_alarms": false_alarms}
    return Warnings(alerts, verdict, weights, (*early, *late), alarm.threshold, asked, at_last, certificate)


def _early_and_late(
    split: datetime, step: timedelta, ahead: timedelta, first: datetime, last: datetime
) -> tuple[list[datetime], list[datetime]]:
    """Dates to learn from, whose outcomes are known by the cut, and dates to test on; MeasureError where one lacks."""
    dates = _dates(split, step, first, last)
    early = [moment for moment in dates if moment + ahead <= split]
    late = [moment for moment in dates if moment >= split]
    if not early or not late:
        raise MeasureError(
            f"no date to {'learn from' if not early else 'test on'}: sources published from {first:%Y-%m-%d} to "
            f"{last:%Y-%m-%d}; choose a cut more than {ahead.days} days after the first and before the last"
        )
    return early, late


def _learned(view: View, early: Sequence[datetime], split: datetime, ahead: timedelta, false_alarms: float) -> Alarm:
    """The index by what was public at the training dates, and outcomes public by the cut."""
    read = [signals(view(AsOf(moment, published=moment)), moment) for moment in early]
    return fit(panel(read, _failed(view(AsOf(split, published=split))), ahead), false_alarms)


def _certificate(
    graph: Opened, early: Sequence[datetime], split: datetime, ahead: timedelta, false_alarms: float
) -> Any:
    """Weights, threshold and every index at the cut, once more with all that was published later made up anew."""

    def score(ledger: Any, files: Files) -> Mapping[str, bytes]:
        alarm = _learned(ledger.view, early, split, ahead, false_alarms)
        read = signals(ledger.view(AsOf(split, published=split)), split)
        index = "".join(read.ids).encode() + alarm.index(ranked(read.value)).tobytes()
        return {"weights": np.append(alarm.weight, (alarm.bias, alarm.threshold)).tobytes(), "index": index}

    return need("gnn.peek", "learn").certificate(score, graph.ledger, graph.files, split)


def publish(ledger: Ledger, files: Files, found: Warnings) -> int:
    """Put the alerts into the ledger as claims of one run, `warning` and `alarm` of each firm; gives the commit.

    They were published at the last date: nobody who asks as of an earlier one may see them.
    """
    run = manifest(found)
    files.put(run.to_bytes())
    recorded, rows = Recorded(run, NAME, found.snapshot), found.alerts.rows()
    claims = recorded.itself(found.asked, len(rows))
    for row, alert in enumerate(rows):
        values: dict[str, Value] = {"warning": alert["index"], "alarm": found.threshold}
        claims.append(recorded.of(alert["id"], values, recorded.short, row))
    return ledger.commit(ClaimBatch.of(claims), run)


def manifest(found: Warnings) -> RunManifest:
    """What was asked of which data, the weights, and one line for each alert."""
    snapshot = found.snapshot
    lines = [
        f"{row['id']}: index {row['index']!r}, {'an' if row['alarm'] else 'no'} alarm from {found.threshold!r}; "
        + "; ".join(row["why"])
        for row in found.alerts.rows()
    ]
    details = {
        **found.asked,
        "weights": found.weights,
        "ledger": snapshot.ledger,
        "commit": snapshot.commit,
        "published": iso(found.dates[-1]),
        "rows": [*lines, asking("warning", NAME, found.asked, snapshot.commit)],
    }
    return RunManifest("warning", details)


def again(graph: Opened, details: Mapping[str, Any], commit: int) -> RunManifest:
    """The manifest that the question of a manifest gives now, on the commit of the ledger it was asked of."""
    options = {name: details[name] for name in ("every", "horizon", "false_alarms")}
    return manifest(warnings(graph, details["cut"], until=details["published"], commit=commit, **options))


def _dates(split: datetime, step: timedelta, first: datetime, last: datetime) -> Sequence[datetime]:
    """The cut, and every step before and after it while sources speak."""
    before: list[datetime] = []
    after = [split]
    while split - (len(before) + 1) * step > first:
        before.append(split - (len(before) + 1) * step)
    while after[-1] + step <= last:
        after.append(after[-1] + step)
    return [*reversed(before), *(moment for moment in after if moment <= last)]


def _span(snapshot: Snapshot) -> tuple[datetime, datetime]:
    """When sources first and last published something of a date; what this engine published is not of a source."""
    kinds = ((snapshot.edges, "type", ["PREDICTED"]), (snapshot.facts, "property", sorted(OWN)))
    said = [table.filter(pc.invert(pc.is_in(table[kind], pa.array(own)))) for table, kind, own in kinds]
    spans = [pc.min_max(table["published"]).as_py() for table in said if table.num_rows]
    if not spans:
        raise MeasureError("the graph is empty; run `kgrisk ingest FOLDER` first")
    return min(span["min"] for span in spans), max(span["max"] for span in spans)


def _failed(snapshot: Snapshot) -> dict[str, datetime]:
    return {snapshot.ids[row]: moment for row, moment in failures(snapshot).items()}


def _alerts(alarm: Alarm, read: Signals, final: Snapshot) -> pa.Table:
    rank = ranked(read.value)
    index, part = alarm.index(rank), (rank - 0.5) * alarm.weight
    names = list(READERS)
    rows: list[dict[str, Any]] = []
    for place in sorted(range(len(read.ids)), key=lambda p: (-index[p], read.ids[p]))[:MOST]:
        id = read.ids[place]
        raising = [k for k in np.argsort(-part[place], kind="stable").tolist() if part[place, k] > 0][:3]
        told = [read.statement[k].get(id, "") for k in raising]
        rows.append(
            {
                "id": id,
                "name": final.names[final.index[id]],
                "index": float(index[place]),
                "alarm": bool(index[place] > alarm.threshold),
                "why": [f"{names[k]} {read.value[place, k]:.3g}, above {rank[place, k]:.0%} of firms" for k in raising],
                "statements": [statement for statement in told if statement],
            }
        )
    return pa.Table.from_pylist(rows)


def _remarks(verdict: Verdict) -> tuple[str, ...]:
    lead = f", {np.median(verdict.lead_days):.0f} days ahead (median)" if len(verdict.lead_days) else ""
    return (
        f"on dates after the cut: {verdict.warned} of {verdict.events} firms warned of{lead}; "
        f"{verdict.false_alarms:.1%} of quiet firm-dates were called",
        verdict.skill,
    )
