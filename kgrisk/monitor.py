"""Monitor: is the engine still fed, still quick, and is the champion still right? Rows, some of them alerts.

Freshness is the days since a source last published, beside its own rhythm. Latency is what the last refresh took,
beside what is usual. Drift and decay stand in kgrisk/monitor_drift.py. A refresh keeps what it found in its run file,
which tells since when something is an alert.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import ModelError
from kg.model import OWN, sources_of
from kgrisk.champion import champion
from kgrisk.monitor_drift import decayed, drifted
from kgrisk.monitor_finding import ROWS, Finding
from kgrisk.opened import Opened
from kgrisk.result import Result, plain
from kgrisk.runfile import runs

RHYTHM: Final = 3.0
"""Times its usual silence after which a source is said to be late."""
LOOKED_AT: Final = 20
"""Days on which a source published last, of which its rhythm is learned."""
FEWEST: Final = 5
"""Earlier refreshes without which nothing is usual."""
KEPT: Final = 50
"""Earlier refreshes that say what is usual."""
QUICK: Final = 1.0
"""Seconds by which a stage may always exceed what is usual."""
DAY: Final = timedelta(days=1)


def monitors(graph: Opened, now: datetime | None = None) -> Result:
    """Everything that is watched, alerts first."""
    moment = now or datetime.now(UTC)
    past = [run.content for run in runs(graph.home / "runs")]
    found = [*fresh(graph, moment), *latency(graph, past), *model(graph)]
    rows = [one.dated(_since(one, past, moment)).row() for one in found]
    rows.sort(key=lambda row: (not row["alert"], row["monitor"], row["what"]))
    return Result(pa.Table.from_pylist(rows, schema=ROWS), "monitors")


def kept(graph: Opened) -> list[dict[str, Any]]:
    """The findings as a run file keeps them."""
    rows: list[dict[str, Any]] = plain(monitors(graph).rows())
    return rows


def at_hand(graph: Opened, now: datetime | None = None) -> Result:
    """What can be told at once: freshness and latency as they are, of the model what the last refresh found."""
    moment, past = now or datetime.now(UTC), [run.content for run in runs(graph.home / "runs")]
    rows = [one.dated(_since(one, past, moment)).row() for one in [*fresh(graph, moment), *latency(graph, past)]]
    looked: list[dict[str, Any]] = next((run["monitors"] for run in reversed(past) if "monitors" in run), [])
    for row in looked:
        if row["monitor"] not in ("freshness", "latency"):
            since = row.get("since")
            rows.append({**row, "since": datetime.fromisoformat(since) if since else None})
    rows.sort(key=lambda row: (not row["alert"], row["monitor"], row["what"]))
    return Result(pa.Table.from_pylist(rows, schema=ROWS), "monitors")


def model(graph: Opened) -> list[Finding]:
    """Drift and decay of the champion; where it cannot be asked, that is the alert."""
    try:
        found = [*drifted(graph), *decayed(graph)]
    except ModelError as error:
        todo = "train again: `kgrisk refresh --whole`, or `kgrisk champion rollback` to the one before"
        return [Finding("model", "champion", None, None, "", str(error), todo, failed=True)]
    reign = champion(graph)
    if reign is not None:
        found.append(Finding("model", "champion", 0.0, None, "", f"run {reign.run[:12]} answers"))
    return found


def fresh(graph: Opened, now: datetime) -> list[Finding]:
    """Days since each source last published. Sources with too few days to have a rhythm are told, and never late."""
    return [_late(graph, source, days, now) for source, days in sorted(_days(graph).items())]


def _days(graph: Opened) -> dict[str, list[datetime]]:
    """Days on which each source published, ascending."""
    alive = graph.ledger.alive().select(["kind", "extractor", "published"])
    own = pc.is_in(alive["kind"], pa.array(["same", "not_same", "same_edge", "not_same_edge"]))
    source = sources_of(alive["extractor"])
    own = pc.or_(own, pc.is_in(source, pa.array(OWN)))
    said, source = alive.filter(pc.invert(own)), source.filter(pc.invert(own))
    day = pc.floor_temporal(said["published"], unit="day")
    pairs = pa.table({"source": source, "day": day}).group_by(["source", "day"]).aggregate([]).sort_by("day")
    found: dict[str, list[datetime]] = {}
    for row in pairs.to_pylist():
        found.setdefault(row["source"], []).append(row["day"])
    return found


def _late(graph: Opened, source: str, days: Sequence[datetime], now: datetime) -> Finding:
    gaps = [(b - a) / DAY for a, b in zip(days[-LOOKED_AT:], days[-LOOKED_AT + 1 :], strict=False)]
    limit = graph.settings.fresh.get(source)
    if limit is None and len(gaps) >= 2:
        limit = RHYTHM * max(float(np.percentile(gaps, 95)), 1.0)
    usual = f"usual silence {np.percentile(gaps, 95):.0f} days" if gaps else "no rhythm yet"
    note = f"last published {days[-1]:%Y-%m-%d}; {usual}"
    todo = f"see why {source} delivers nothing new; `fresh` in kgrisk.toml says how long it may be silent"
    since = None if limit is None else days[-1] + limit * DAY
    return Finding("freshness", source, round((now - days[-1]) / DAY, 2), limit, "days", note, todo, since=since)


def latency(graph: Opened, past: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Seconds of the last refresh, whole and by stage, beside those that did the same before it."""
    done = [run for run in past if run.get("state") == "done" and run.get("stages")]
    if not done:
        return []
    return [_took(graph, name, values) for name, values in _series(done)]


def _series(done: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[float]]]:
    """Seconds by what was done, the last ones at the end; refreshes of other stages are no measure for one another."""
    last = [stage["name"] for stage in done[-1]["stages"]]
    alike = [run["stages"] for run in done if [stage["name"] for stage in run["stages"]] == last]
    yield "refresh", [sum(stage["seconds"] for stage in stages) for stages in alike]
    for name in dict.fromkeys(last):
        yield (
            name,
            [
                sum(stage["seconds"] for stage in run["stages"] if stage["name"] == name)
                for run in done
                if any(stage["name"] == name for stage in run["stages"])
            ],
        )


def _took(graph: Opened, name: str, values: Sequence[float]) -> Finding:
    before, value = values[:-1][-KEPT:], values[-1]
    limit = None
    if len(before) >= FEWEST:
        middle = float(np.median(before))
        limit = max(graph.settings.slow * middle, middle + QUICK)
    p50, p99 = np.percentile([*before, value], [50, 99])
    note = f"{len(before) + 1} refreshes: p50 {p50:.2f} s, p99 {p99:.2f} s"
    todo = (
        "`kgrisk jobs list` and the run file tell what it cost by stage; see whether the machine or the delivery grew"
    )
    return Finding("latency", name, value, limit, "seconds", note, todo)


def _since(found: Finding, past: Sequence[Mapping[str, Any]], now: datetime) -> datetime:
    """Since when refreshes have found this alert again and again."""
    since = now
    for run in reversed(past):
        if "monitors" not in run:
            continue
        same = [r for r in run["monitors"] if (r["monitor"], r["what"]) == (found.monitor, found.what) and r["alert"]]
        if not same:
            break
        since = datetime.fromisoformat(same[0]["since"])
    return since
