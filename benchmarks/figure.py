"""A figure that the project is held to: what was measured, what it should be, and whether it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from kg.memory import peak_bytes


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number beside its aim."""

    what: str
    value: float
    aim: float | None = None
    """What it should reach; None for a figure that is told beside another, such as a baseline."""
    least: bool = True
    """True: the aim is a floor (a quality); False: it is a ceiling (seconds, bytes, an error rate)."""
    unit: str = ""
    note: str = ""

    @property
    def reached(self) -> bool | None:
        if self.aim is None:
            return None
        return bool(self.value >= self.aim if self.least else self.value <= self.aim)


def peak_mib() -> float:
    """Most memory this process has held, in MiB."""
    return peak_bytes() / (1 << 20)


def real_data() -> Path:
    """The folder of real files that KGRISK_REAL_DATA names."""
    if not (folder := os.environ.get("KGRISK_REAL_DATA")):
        raise SystemExit("KGRISK_REAL_DATA names no folder: set it to the folder of real files and run again")
    return Path(folder)
