"""Key risk indicators: where each stands beside its own past and its limits.

For each indicator (`id`), the latest value, the mean m and standard deviation s of the `window` values before it, and

    z = (latest - m) / s,    trend = slope of least squares over those values and the latest, by step

as in a control chart (Shewhart, "Economic Control of Quality of Manufactured Product", 1931). `status` is red from
`red` deviations on or from the column `limit_red`, amber from `amber` or `limit_amber`, else green; a higher value is
worse, with `direction` "low" a lower one. An indicator that never moved has z 0 until it does, and then infinity; one
with fewer than three values before has no z and is judged by its limits alone ("unknown" without any).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa

from kg.errors import MeasureError
from queries.figure import Domain, Figure, Floats, Rows, by_group, noted

LEAST = 3


@dataclass(frozen=True)
class Kri(Figure):
    """Latest value, deviation from the past, trend and traffic light of each key risk indicator."""

    name: ClassVar[str] = "kri"
    columns: ClassVar[Mapping[str, Domain]] = {"id": "text", "date": "time", "value": "real"}
    optional: ClassVar[Mapping[str, Domain]] = {"limit_amber": "real", "limit_red": "real"}
    limits: ClassVar[Mapping[str, Domain]] = {"window": "count", "amber": "positive", "red": "positive"}

    window: int = 12
    """Values before the latest that are its past; 0: all."""
    amber: float = 2.0
    """Deviations from which an indicator is amber."""
    red: float = 3.0
    """Deviations from which it is red."""
    direction: Literal["high", "low"] = "high"
    """Which end is worse."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.red < self.amber:
            raise MeasureError(f"kri: red ({self.red:g}) comes after amber ({self.amber:g}), not before")

    def answer(self, rows: Rows) -> pa.Table:
        made: list[dict[str, Any]] = []
        for id, at in by_group(rows.text("id")).items():
            days, values = rows.times("date")[at], rows["value"][at]
            if len(np.unique(days)) < len(days):
                raise MeasureError(f"kri: {id} has a date twice; give one value for each")
            limits = {name: float(rows[name][at[-1]]) for name in ("limit_amber", "limit_red") if name in rows}
            made.append({"id": id, "date": days[-1].astype(object), **self.standing(values, limits)})
        return noted(pa.Table.from_pylist(made))

    def standing(self, values: Floats, limits: Mapping[str, float]) -> dict[str, Any]:
        """One indicator beside its past."""
        past = values[-self.window - 1 : -1] if self.window else values[:-1]
        latest, sign = float(values[-1]), 1.0 if self.direction == "high" else -1.0
        told: dict[str, Any] = {"value": latest, "mean": None, "sd": None, "z": None, "trend": None}
        z = None
        if len(past) >= LEAST:
            mean, sd = float(past.mean()), float(past.std(ddof=1))
            # rounding must not make a deviation
            still = sd <= 1e-12 * max(abs(mean), 1e-300)
            same = abs(latest - mean) <= 1e-9 * max(abs(mean), 1e-300)
            z = (0.0 if same else float(np.inf) * np.sign(latest - mean)) if still else (latest - mean) / sd
            run = np.append(past, latest)
            told |= {"mean": mean, "sd": sd, "z": z, "trend": float(np.polyfit(np.arange(len(run)), run, 1)[0])}
        return {**told, "status": self.light(None if z is None else sign * z, sign * latest, sign, limits)}

    def light(self, z: float | None, value: float, sign: float, limits: Mapping[str, float]) -> str:
        """red, amber, green or unknown."""
        for colour, deviations in (("red", self.red), ("amber", self.amber)):
            limit = limits.get(f"limit_{colour}")
            if (z is not None and z >= deviations) or (limit is not None and value >= sign * limit):
                return colour
        return "green" if z is not None or limits else "unknown"
