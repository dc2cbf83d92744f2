"""The meter: what each stage of a run costs in seconds, processor time, memory and bytes read and written."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

EVERY = 0.05
"""Seconds between two looks at the memory."""
LOOKS = 8
"""Looks after which the processes that were started are found again."""


@dataclass(frozen=True)
class Stage:
    """What one stage took."""

    name: str
    seconds: float
    peak_mb: float
    """Most resident memory of this process during the stage, in MiB."""
    cpu_seconds: float = 0.0
    """Processor time of all threads, and of the processes that it started, whether or not they have ended."""
    read_bytes: int | None = None
    """Bytes that this process read, from disk, cache or a socket; None where the system does not count them."""
    written_bytes: int | None = None
    workers_mb: float = 0.0
    """Most memory that the processes it started held together, in MiB, without the pages that are shared."""


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
            watch.stop()
            peak, workers = watch.peak / 2**20, watch.workers / 2**20
            self.stages.append(Stage(name, seconds, peak, max(0.0, cpu + watch.busy), read, written, workers))

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
    """Looks at this process and at those that it started until it is stopped.

    To find those takes milliseconds, so a stage that is over before the first look tells nothing of them.
    """

    def __init__(self) -> None:
        super().__init__(name="kgrisk-meter", daemon=True)
        self._process = psutil.Process()
        self.peak = int(self._process.memory_info().rss)
        """Most resident bytes of this process."""
        self.workers = 0
        """Most bytes that the others held together, without the pages that are shared."""
        self.busy = 0.0
        """Processor seconds of the others, less what those that ended meanwhile had used before."""
        self._others: list[psutil.Process] = []
        self._before: dict[psutil.Process, float] | None = None
        """Processor seconds that each of the others had used at the first look; 0 for those started later."""
        self._end = threading.Event()
        self.start()

    def run(self) -> None:
        looks = 0
        while not self._end.wait(EVERY):
            if looks % LOOKS == 0:
                self._find()
            self._look()
            looks += 1

    def stop(self) -> None:
        self._end.set()
        self.join()
        if self._before is not None:
            before = self._find()
            ended = sum(used for one, used in before.items() if one not in self._others)
            self.busy = sum(_used(one) - before[one] for one in self._others) - ended
        self._look()

    def _find(self) -> dict[psutil.Process, float]:
        """Look for the processes that this one started and those that they started; what each had used before."""
        with suppress(psutil.Error):
            self._others = self._process.children(recursive=True)
        if self._before is None:
            self._before = {one: _used(one) for one in self._others}
        for one in self._others:
            self._before.setdefault(one, 0.0)
        return self._before

    def _look(self) -> None:
        self.peak = max(self.peak, int(self._process.memory_info().rss))
        self.workers = max(self.workers, sum(map(_own, self._others)))


def _used(process: psutil.Process) -> float:
    """Processor seconds of a process and of its children that have ended; 0 once it is gone."""
    with suppress(psutil.Error):
        spent = process.cpu_times()
        return float(spent.user + spent.system + spent.children_user + spent.children_system)
    return 0.0


def _own(process: psutil.Process) -> int:
    """Bytes that a process holds for itself; 0 once it is gone."""
    with suppress(psutil.Error):
        held = process.memory_info()
        return int(held.rss - getattr(held, "shared", 0))
    return 0
