"""The meter: what each stage of a run costs in seconds, processor time, memory and bytes read and written."""

from __future__ import annotations

import os
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
    cpu_seconds: float = 0.0
    """Processor time of all threads, and of the processes that it started and that ended."""
    read_bytes: int | None = None
    """Bytes that this process read, from disk, cache or a socket; None where the system does not count them."""
    written_bytes: int | None = None


@dataclass
class Meter:
    """Stages in the order they ended."""

    stages: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what runs inside."""
        watch = _Watch()
        start, busy, moved = time.perf_counter(), _busy(), _moved()
        try:
            yield
        finally:
            seconds, cpu, now = time.perf_counter() - start, _busy() - busy, _moved()
            read, written = (
                b - a if a is not None and b is not None else None for a, b in zip(moved, now, strict=True)
            )
            self.stages.append(Stage(name, seconds, watch.stop() / 2**20, cpu, read, written))

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)

    def rows(self) -> list[dict[str, Any]]:
        return [asdict(stage) for stage in self.stages]


def _busy() -> float:
    """Processor seconds of this process and of its children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _moved() -> tuple[int | None, int | None]:
    """Bytes read and written by this process so far; None where the system does not count them."""
    try:
        counted = psutil.Process().io_counters()
    except (AttributeError, psutil.Error):  # macOS has no such counters
        return None, None
    return getattr(counted, "read_chars", counted.read_bytes), getattr(counted, "write_chars", counted.write_bytes)


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
