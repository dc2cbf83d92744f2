"""Growth: what `python -m benchmarks.scale` recorded, stage by stage over sizes, and the lines drawn through it.

KGRISK_SCALE_RECORD names another record than the one that is committed.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.scale import BATCH, LARGEST, OUT, SIZES

Curve = dict[int, float]
Told = dict[str, Any]
STEADY: Final = BATCH
"""Edges from which growth counts: below it a stage costs what starting it costs."""


@dataclass(frozen=True)
class Line:
    """Cost as a fixed part and a part of each edge."""

    fixed: float
    each: float

    def at(self, edges: float) -> float:
        return self.fixed + self.each * edges

    @classmethod
    def through(cls, points: Curve) -> Line:
        """Through the two largest sizes; all of it is the edges' where there is but one, or where cost falls."""
        *_, (first, low), (last, high) = [(0, 0.0), *sorted(points.items())]
        each = (high - low) / (last - first)
        return cls(low - each * first, each) if each > 0 else cls(0.0, high / last)


@dataclass(frozen=True)
class Record:
    """Stages by size."""

    runs: dict[int, dict[str, Told]]

    @classmethod
    def read(cls, file: Path | None = None) -> Record:
        found = json.loads((file or Path(os.environ.get("KGRISK_SCALE_RECORD") or OUT)).read_text(encoding="utf-8"))
        return cls({int(size): found[size] for size in sorted(found, key=int)})

    @property
    def stages(self) -> list[str]:
        """Every stage that any size has, in the order in which a graph goes through them."""
        from benchmarks.scale_stages import STAGES

        there = {name for stages in self.runs.values() for name in stages}
        return [name for name in STAGES if name in there]

    def curve(self, stage: str, what: str) -> Curve:
        """A cost by size, where the stage worked."""
        told = {size: stages.get(stage, {}) for size, stages in self.runs.items()}
        return {size: float(own[what]) for size, own in told.items() if what in own}

    def failed(self, stage: str) -> dict[int, str]:
        """The errors of a stage by size; also of one that was not measured at a size where it should have been."""
        found = {}
        for size in (size for size in SIZES if size <= LARGEST.get(stage, size)):
            own = self.runs.get(size, {}).get(stage, {"failed": "not measured"})
            if "failed" in own:
                found[size] = str(own["failed"])
        return found

    def one(self, stage: str, what: str) -> tuple[int, float]:
        """A cost at the largest size that worked, after that size."""
        return max(self.curve(stage, what).items())

    def loads(self) -> tuple[float, float]:
        """The least and the most load under which anything was measured, where it was noted."""
        machines = [own["machine"] for stages in self.runs.values() for own in stages.values()]
        told = [machine["load"] for machine in machines if "load" in machine]
        return min(told), max(told)


def exponent(points: Curve) -> float:
    """The slope of log cost over log edges, from STEADY on where there is more than one size from there on."""
    large = {size: cost for size, cost in points.items() if size >= STEADY}
    used = large if len(large) > 1 else points
    edges, costs = (np.log(np.array(list(side))) for side in (used.keys(), used.values()))
    return float(np.polyfit(edges, costs, 1)[0])


def told(number: float) -> str:
    """A number with three digits, and none of them after a point from a thousand on."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
