"""The meter: seconds and peak memory of each stage of a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

EVERY = 0.05
"""Seconds between two looks at the memory."""


@dataclass(frozen=True)
class Stage:
    """What one stage took."""

    name: str
    seconds: float
    peak_mb: float
    """Most resident memory of this process during the stage, in MiB."""


@dataclass
class Meter:
    """Stages in the order they ended."""

    stages: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what runs inside."""
        watch = _Watch()
        start = time.perf_counter()
        try:
            yield
        finally:
            self.stages.append(Stage(name, time.perf_counter() - start, watch.stop() / 2**20))

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)

    def rows(self) -> list[dict[str, Any]]:
        return [asdict(stage) for stage in self.stages]


class _Watch(threading.Thread):
    """Looks at the resident memory until it is stopped."""

    def __init__(self) -> None:
        super().__init__(name="kgrisk-meter", daemon=True)
        self._process = psutil.Process()
        self._peak = int(self._process.memory_info().rss)
        self._end = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._end.wait(EVERY):
            self._peak = max(self._peak, int(self._process.memory_info().rss))

    def stop(self) -> int:
        """Peak in bytes."""
        self._end.set()
        self.join()
        return max(self._peak, int(self._process.memory_info().rss))
