"""Plots of the recorded figures: how many times as fast as each peer, and how cost grows with size, as SVG.

Run: python -m benchmarks.plots [--out FOLDER]. Reads benchmarks/results and writes peers.svg and growth.svg of
docs/benchmarks, time.svg and memory.svg of docs/scale; nothing is measured. Each bar is the ratio of two engines that
did the same work in turn in one process.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.growth import Curve, Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

HERE = Path(__file__).parent
OUT: Final = HERE.parent / "docs"
STAGES: Final = (
    "commit",
    "alive",
    "build",
    "load",
    "increment",
    "tensors",
    "train",
    "score",
    "clearing",
    "debtrank",
    "pagerank",
)
"""Stages that are drawn: those of every size."""
MOST: Final = 24 * 1024
"""MiB that no stage may need more of at 10 million edges."""
PEERS: Final = ("scipy", "torch", "igraph", "networkx", "Neo4j GDS", "PyKEEN", "PyG")
COLOURS: Final = ("#2f6f9f", "#b5403a", "#4d7c4a", "#c98a1b", "#6b4f8f", "#2a8c82", "#7a7a7a")
MARKS: Final = "os^Dv"
INK: Final = "#1f2933"
RATIO: Final = re.compile(
    rf"(?:times (?:as fast as |faster than )?|over )(?P<peer>{'|'.join(PEERS)})\b(?!.*(?:difference|apart))"
)
"""What a figure is called that compares speeds. `in all` and parts of a whole are told on the pages."""
GROWTH: Final = re.compile(r"([\d.]+) M: ([\d.]+)")


@dataclass(frozen=True)
class Ratio:
    """One comparison with a peer."""

    peer: str
    what: str
    value: float
    aim: float | None


def results(folder: Path = HERE / "results") -> dict[str, dict[str, Any]]:
    """Recorded runs by room and module."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    runs = {
        room: {name: run for name, run in content.items() if isinstance(run, dict) and "figures" in run}
        for room, content in found.items()
    }
    return {room: by_name for room, by_name in runs.items() if by_name}


def ratios(recorded: Mapping[str, Mapping[str, Any]]) -> Iterator[Ratio]:
    """Every recorded figure that compares our speed with a peer's on the same work."""
    for room, runs in recorded.items():
        for name, run in runs.items():
            for figure in run["figures"]:
                if found := RATIO.search(figure["what"]):
                    yield Ratio(found["peer"], f"{room} {name}: {figure['what']}", figure["value"], figure["aim"])


def growth(recorded: Mapping[str, Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """(million edges, nanoseconds an edge) by what was measured."""
    told = {f["what"].partition(":")[0]: f["note"] for f in recorded["risk"]["scaling"]["figures"]}
    return {what: [(float(a), float(b)) for a, b in GROWTH.findall(note)] for what, note in told.items()}


def peers_plot(found: list[Ratio]) -> Drawing:
    """Bars on a scale of ratios; 1 is the peer, a black mark the aim."""
    rows = sorted(found, key=lambda row: (-PEERS.index(row.peer), row.value))
    figure = _figure(11, 1.2 + 0.24 * len(rows))
    axes = figure.subplots()
    for place, row in enumerate(rows):
        axes.barh(place, row.value - 1, left=1, height=0.7, color=COLOURS[PEERS.index(row.peer)])
        axes.text(row.value * 1.05, place, f"{row.value:.3g}", va="center", fontsize=7, color=INK)
        if row.aim is not None:
            axes.plot([row.aim, row.aim], [place - 0.45, place + 0.45], color="black", linewidth=1.2)
    axes.set_xscale("log")
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_yticks(range(len(rows)), [f"{row.what}" for row in rows], fontsize=7)
    axes.set_xlabel("times the speed of the peer (1: as fast; black mark: aim)", fontsize=8)
    return figure


def growth_plot(found: Mapping[str, list[tuple[float, float]]]) -> Drawing:
    """Nanoseconds an edge by millions of edges: what is level grows in proportion."""
    figure = _figure(8, 4)
    axes = figure.subplots()
    for (what, points), colour in zip(found.items(), COLOURS, strict=False):
        axes.plot(*zip(*points, strict=True), marker="o", label=what, color=colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("million edges", fontsize=8)
    axes.set_ylabel("nanoseconds an edge", fontsize=8)
    axes.legend(fontsize=7, frameon=False)
    return figure


def stages_plot(curves: Mapping[str, Curve], label: str, most: float | None = None) -> Drawing:
    """A cost of each stage by edges, both on scales of ratios; a broken line is the most that it may be."""
    figure = _figure(7.5, 4.6)
    axes = figure.subplots()
    for place, (stage, points) in enumerate(curves.items()):
        look = {"color": COLOURS[place % len(COLOURS)], "marker": MARKS[place // len(COLOURS)]}
        axes.loglog(list(points), list(points.values()), markersize=4, label=stage, **look)
    if most is not None:
        axes.axhline(most, color=INK, linewidth=1, linestyle="--", label=f"{most / 1024:g} GiB")
    axes.set_xlabel("edges", fontsize=8)
    axes.set_ylabel(label, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    figure.legend(fontsize=7, frameon=False, loc="outside right upper")
    return figure


def _figure(width: float, height: float) -> Drawing:
    from matplotlib.figure import Figure as Drawing

    return Drawing(figsize=(width, height), layout="constrained")


def svg(figure: Drawing) -> str:
    """The drawing as text that is the same for the same figures: words stay words, no date, no random names."""
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "kgrisk"}):
        file = BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in file.getvalue().decode().splitlines()) + "\n"


def drawn() -> dict[str, str]:
    """Every plot by its place in the docs."""
    recorded, record = results(), Record.read()
    seconds, memory = ({stage: record.curve(stage, what) for stage in STAGES} for what in ("cpu_seconds", "peak_mib"))
    seconds["train"] = record.curve("train", "epoch_cpu_seconds")
    return {
        "benchmarks/peers.svg": svg(peers_plot(list(ratios(recorded)))),
        "benchmarks/growth.svg": svg(growth_plot(growth(recorded))),
        "scale/time.svg": svg(stages_plot(seconds, "processor seconds")),
        "scale/memory.svg": svg(stages_plot(memory, "peak memory of the stage, MiB", MOST)),
    }


def write(folder: Path) -> None:
    """All plots below a folder."""
    for name, text in drawn().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    write(parser.parse_args().out)


if __name__ == "__main__":
    main()
