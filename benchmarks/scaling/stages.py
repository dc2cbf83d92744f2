"""What `python -m benchmarks.scale` recorded, as figures: growth, memory, sizing; draws the plots of docs/scale.md.

The growth of a stage is the slope of log processor seconds over log edges, from one million edges where there is more
than one size from there on, else over all sizes. Sizing multiplies what the largest recorded size took an edge.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.figure import Figure
from benchmarks.scale import BATCH, OUT, SIZES

PLOTS: Final = Path(__file__).parents[2] / "docs" / "scale"
LINEAR, MOST, CHANGE = 1.2, 24 * 1024, 0.05
"""Aims: the greatest exponent, MiB of a stage at 10 million edges, an increment as a share of a full build."""
EDGES, FILINGS = 1e9, 1e6
"""What sizing goes out to."""
PLOTTED: Final = (
    "commit",
    "alive",
    "build",
    "load",
    "increment",
    "tensors",
    "score",
    "clearing",
    "debtrank",
    "pagerank",
)
Curve = dict[int, float]
Told = dict[str, Any]


def recorded() -> dict[int, dict[str, Told]]:
    """Stages by size; those that failed are left out."""
    found = json.loads(OUT.read_text())
    return {
        int(size): {name: told for name, told in found[size].items() if "failed" not in told}
        for size in sorted(found, key=int)
    }


def curve(runs: dict[int, dict[str, Told]], stage: str, what: str) -> Curve:
    return {size: float(stages[stage][what]) for size, stages in runs.items() if what in stages.get(stage, {})}


def exponent(points: Curve) -> float:
    """The slope of log cost over log edges."""
    large = {size: cost for size, cost in points.items() if size >= BATCH}
    used = large if len(large) > 1 else points
    edges, costs = (np.log(np.array(list(side))) for side in (used.keys(), used.values()))
    return float(np.polyfit(edges, costs, 1)[0])


def measure() -> list[Figure]:
    runs = recorded()
    figures = [figure for stage in runs[SIZES[0]] for figure in _of_stage(runs, stage)]
    figures += _increments(runs)
    figures += sizing(runs)
    drawn(runs)
    return figures


def _of_stage(runs: dict[int, dict[str, Told]], stage: str) -> list[Figure]:
    """Growth, cost and memory of a stage at its largest size."""
    what = "epoch_cpu_seconds" if stage == "train" else "cpu_seconds"
    costs, peaks = curve(runs, stage, what), curve(runs, stage, "peak_mib")
    last = max(costs)
    note = ", ".join(f"{size:,}: {cost:.3g} s" for size, cost in costs.items())
    figures = [
        Figure(f"{stage}: CPU seconds a million edges", costs[last] / last * 1e6, unit="s", note=note),
        Figure(
            f"{stage}: peak memory", peaks[last], MOST if last >= SIZES[-1] else None, False, "MiB", f"{last:,} edges"
        ),
    ]
    if len(costs) > 1:
        figures.append(Figure(f"{stage}: exponent of growth", exponent(costs), LINEAR, least=False))
    return figures


def _increments(runs: dict[int, dict[str, Told]]) -> list[Figure]:
    """A change of 1 % as a share of a full build, and what copying the bytes alone is of it."""
    figures = []
    for size, stages in runs.items():
        if told := stages.get("increment"):
            assert told["equal"] is True, f"an increment at {size:,} edges differs from a full build"
            aim = CHANGE if size >= BATCH else None
            share, copy = told["cpu_seconds_of_full"], told["copy_cpu_seconds_of_full"]
            figures.append(Figure(f"{size:,} edges: a change of 1 %, share of a full build", share, aim, least=False))
            figures.append(Figure(f"{size:,} edges: writing its bytes alone, share of a full build", copy))
    return figures


def per_filing() -> tuple[float, str]:
    """Claims of a filing, of the real ones that `python -m benchmarks.ingest everything` read."""
    told = json.loads((OUT.parent / "ingest.json").read_text())["everything"]["figures"]
    one = next(figure for figure in told if figure["what"].startswith("filings: claims of"))
    count = int(one["what"].split()[3])
    return one["value"] / count, f"{one['value']:,.0f} claims / {count:,} filings"


def sizing(runs: dict[int, dict[str, Told]]) -> list[Figure]:
    """What the largest recorded size took an edge, times a thousand million edges; and claims of a million filings."""
    figures = []
    ledger, disk = (curve(runs, stage, "bytes") for stage in ("commit", "build"))
    told, size = runs[max(ledger)]["commit"], max(ledger)
    each, snapshot = ledger[size] / told["claims"], disk[max(disk)] / max(disk)
    gib, (claims, source) = 1 << 30, per_filing()
    figures += [
        Figure("ledger: bytes a claim", each, unit="B", note=f"{ledger[size]:,.0f} B / {told['claims']:,} claims"),
        Figure("snapshot: bytes an edge", snapshot, unit="B", note=f"{disk[max(disk)]:,.0f} B / {max(disk):,} edges"),
        Figure("1e9 edges: ledger", each * told["claims"] / size * EDGES / gib, unit="GiB"),
        Figure("1e9 edges: snapshot", snapshot * EDGES / gib, unit="GiB"),
        Figure("claims a filing", claims, note=source),
        Figure("1e6 filings: claims", FILINGS * claims / 1e6, unit="M"),
        Figure("1e6 filings: ledger", FILINGS * claims * each / gib, unit="GiB"),
    ]
    for stage in ("commit", "build", "tensors", "train", "clearing"):
        costs = curve(runs, stage, "epoch_cpu_seconds" if stage == "train" else "cpu_seconds")
        peaks = curve(runs, stage, "peak_mib")
        last = max(costs)
        figures.append(Figure(f"1e9 edges: {stage}, CPU hours", costs[last] / last * EDGES / 3600, unit="h"))
        if stage != "commit":  # it holds a batch, however many there are
            figures.append(Figure(f"1e9 edges: {stage}, memory", peaks[last] / last * EDGES / 1024, unit="GiB"))
    return figures


def drawn(runs: dict[int, dict[str, Told]]) -> None:
    """Growth of time and of memory as SVG."""
    PLOTS.mkdir(parents=True, exist_ok=True)
    for what, label, name in (
        ("cpu_seconds", "processor seconds", "time"),
        ("peak_mib", "peak memory of the stage, MiB", "memory"),
    ):
        _plot({stage: curve(runs, stage, what) for stage in PLOTTED}, label, PLOTS / f"{name}.svg")


def _plot(curves: dict[str, Curve], label: str, file: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "scale"  # equal runs give equal files
    from matplotlib.figure import Figure as Picture

    picture = Picture(figsize=(7, 4.4), layout="constrained")
    axes = picture.subplots()
    for stage, points in curves.items():
        if points:
            axes.loglog(list(points), list(points.values()), "-o", ms=4, label=stage)
    axes.set(xlabel="edges", ylabel=label)
    if label.endswith("MiB"):
        axes.axhline(MOST, color="#b5403a", lw=1, ls="--", label="24 GiB")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, ncols=2)
    picture.savefig(file, metadata={"Date": None})
