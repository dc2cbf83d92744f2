"""What `python -m benchmarks.scale` recorded, as figures: growth, memory, what failed, and sizing.

The growth of a stage is the slope of log processor seconds over log edges, from one million edges where there is more
than one size from there on, else over all sizes. Sizing takes time in proportion to the largest recorded size, and
memory along the line through the two largest: a fixed part, which every process has, and a part of each edge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.figure import Figure
from benchmarks.growth import Line, Record, exponent, told
from benchmarks.running import HERE
from benchmarks.scale import BATCH, SIZES
from kg.memory import GIB, MIB
from kg.project import NEED

LINEAR, MOST, CHANGE, RAW = 1.2, 24 * 1024, 0.05, 5
"""Aims: the greatest exponent, MiB of a stage at 10 million edges, an increment as a share of a full build, opening a
snapshot as times a plain read of its bytes."""
EDGES, FILINGS = 1e9, 1e6
"""What sizing goes out to."""
SIZED: Final = ("build", "tensors", "train", "clearing")


def measure() -> list[Figure]:
    record = Record.read()
    figures = [figure for stage in record.stages for figure in of_stage(record, stage)]
    for what, load in zip(("least", "most"), record.loads(), strict=True):
        figures.append(Figure(f"load of the machine before a stage: {what}", load))
    return [*figures, *training(record), *stored(record), *opened(record), *changed(record), *sizing(record)]


def costs_of(record: Record, stage: str) -> dict[int, float]:
    """Processor seconds by size; of training those of an epoch."""
    return record.curve(stage, "epoch_cpu_seconds" if stage == "train" else "cpu_seconds")


def of_stage(record: Record, stage: str) -> Iterator[Figure]:
    """Growth, cost and memory of a stage at its largest size, and each size at which it failed."""
    for size, error in record.failed(stage).items():
        yield Figure(f"{stage}: {size:,} edges", 0.0, 1.0, note=f"fails: {error}")
    costs, peaks = costs_of(record, stage), record.curve(stage, "peak_mib")
    if not costs:
        return
    last = max(costs)
    for what, own, unit in (("CPU seconds", costs, "s"), ("peak memory", peaks, "MiB")):
        for size, cost in own.items():
            if size != last or unit == "s":
                yield Figure(f"{stage}: {what} of {size:,} edges", cost, unit=unit)
    aim = MOST if last >= SIZES[-1] else None
    yield Figure(f"{stage}: CPU seconds a million edges", costs[last] / last * 1e6, unit="s", note=f"{last:,} edges")
    yield Figure(f"{stage}: peak memory", peaks[last], aim, False, "MiB", f"{last:,} edges")
    if len(costs) > 1:
        note = ", ".join(f"{size:,}: {told(cost)} s" for size, cost in costs.items())
        yield Figure(f"{stage}: exponent of growth", exponent(costs), LINEAR, False, note=note)


def training(record: Record) -> Iterator[Figure]:
    """Edges asked a second by one process that learns from drawn neighbourhoods."""
    seconds, steps = (record.curve("train", what) for what in ("seconds", "steps"))
    for size, took in seconds.items():
        rate = steps[size] * 1024 / took
        yield Figure(f"{size:,} edges: training, edges a second", rate, unit="/s", note="asked, one process")


def stored(record: Record) -> Iterator[Figure]:
    """How fast an empty embedded store is filled; and the memory of what is held meanwhile, as exports hold it too."""
    for size, rate in record.curve("sync", "per_second").items():
        yield Figure(f"{size:,} edges: first sync of the embedded store, versions a second", rate, unit="/s")
    peaks = record.curve("project", "peak_mib")
    if len(peaks) > 1 and SIZES[-1] not in peaks:
        line = Line.through(peaks)
        note = f"{line.each * 1024:.2f} KiB an edge and {line.fixed:,.0f} MiB, from {max(peaks):,} edges"
        what = f"{SIZES[-1]:,} edges: memory of the projection, by its line"
        yield Figure(what, line.at(SIZES[-1]), MOST, False, "MiB", note)
    size, claims = record.one("commit", "claims")
    what = f"{SIZES[-1]:,} edges: memory that an export asks for before it begins"
    asked = NEED.of(claims=round(claims / size * SIZES[-1])) / MIB
    yield Figure(what, asked, MOST, False, "MiB", f"{NEED.each['claims']:,} bytes a claim and buffers")


def opened(record: Record) -> Iterator[Figure]:
    """Opening a snapshot and summing a column of it, beside numpy, which reads the same files."""
    raw, own = (record.curve("reopen", what) for what in ("raw_cpu_seconds", "cpu_seconds"))
    for size, seconds in raw.items():
        note = f"{told(own[size] * 1000)} ms and {told(seconds * 1000)} ms"
        aim = RAW if size >= BATCH else None
        yield Figure(
            f"{size:,} edges: opening a snapshot, times a read of its bytes", own[size] / seconds, aim, False, note=note
        )


def changed(record: Record) -> Iterator[Figure]:
    """A change of 1 % as a share of a full build, and what copying the bytes alone is of it."""
    equal = record.curve("increment", "equal")
    shares, copies = (record.curve("increment", f"{name}cpu_seconds_of_full") for name in ("", "copy_"))
    for size, share in shares.items():
        assert equal[size], f"an increment at {size:,} edges differs from a full build"
        aim = CHANGE if size >= BATCH else None
        yield Figure(f"{size:,} edges: a change of 1 %, share of a full build", share, aim, least=False)
        yield Figure(f"{size:,} edges: writing its bytes alone, share of a full build", copies[size])


def sizing(record: Record) -> Iterator[Figure]:
    """A thousand million edges, and a million filings."""
    size, bytes_ = record.one("commit", "bytes")
    _, claims = record.one("commit", "claims")
    edges, disk = record.one("build", "bytes")
    each, snapshot = bytes_ / claims, disk / edges
    yield Figure("ledger: bytes a claim", each, unit="B", note=f"{bytes_:,.0f} B / {claims:,.0f} claims")
    yield Figure("snapshot: bytes an edge", snapshot, unit="B", note=f"{disk:,.0f} B / {edges:,} edges")
    yield Figure("1e9 edges: ledger", each * claims / size * EDGES / GIB, unit="GiB")
    yield Figure("1e9 edges: snapshot", snapshot * EDGES / GIB, unit="GiB")
    for stage in ("commit", *SIZED):
        last, cost = max(costs_of(record, stage).items())
        yield Figure(f"1e9 edges: {stage}, CPU hours", cost / last * EDGES / 3600, unit="h")
    for stage in SIZED:  # a commit holds a batch, however many there are
        line = Line.through(record.curve(stage, "peak_mib"))
        note = f"{line.each * 1024:.3g} KiB an edge and {line.fixed:,.0f} MiB"
        yield Figure(f"1e9 edges: {stage}, memory", line.at(EDGES) / 1024, unit="GiB", note=note)
    yield from of_filings(each)


def of_filings(each: float) -> Iterator[Figure]:
    """Claims and processor hours of a million filings; `each` is the bytes of a claim in the ledger."""
    claims, source = per_filing()
    yield Figure("claims a filing", claims, note=source)
    yield Figure("1e6 filings: claims", FILINGS * claims / 1e6, unit="M")
    yield Figure("1e6 filings: ledger", FILINGS * claims * each / GIB, unit="GiB")
    read = results("scaling").get("ingest", {"figures": []})["figures"]
    for figure in (figure for figure in read if figure["what"] == "real: CPU seconds a record"):
        yield Figure("CPU seconds a filing", figure["value"], unit="s", note="one process, of the real filings")
        yield Figure("1e6 filings: reading, CPU hours", FILINGS * figure["value"] / 3600, unit="h")


def per_filing() -> tuple[float, str]:
    """Claims of a filing, of the real ones that `python -m benchmarks.ingest everything` read."""
    read = results("ingest")["everything"]["figures"]
    one = next(figure for figure in read if figure["what"].startswith("filings: claims of"))
    count = int(one["what"].split()[3])
    return one["value"] / count, f"{one['value']:,.0f} claims / {count:,} filings"


def results(room: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "results" / f"{room}.json").read_text(encoding="utf-8"))
    return found
