"""Memory: the most that this process ever held, what is free, and whether what is about to be made fits into that."""

from __future__ import annotations

import resource
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.errors import TooLargeError

GIB: Final = 1 << 30
MIB: Final = 1 << 20
SYSTEM: Final = Path("/")
"""Where `proc` and `sys` are found."""
BUFFERS: Final = 1 << 29
"""Bytes that are taken beside what is worked on, as buffers, at most."""
_GROUPS: Final = (
    ("", "sys/fs/cgroup", ("memory.max", "memory.current"), "inactive_file"),
    ("memory", "sys/fs/cgroup/memory", ("memory.limit_in_bytes", "memory.usage_in_bytes"), "total_inactive_file"),
)
"""Control groups of the second version and the first: their name in `proc/self/cgroup`, where they lie, what a group
may hold and what it holds, and the pages of files in it that go when memory is short."""
_LIMITS: Final = (("Max data size", "VmData"), ("Max address space", "VmSize"))
"""Limits of a process (`ulimit -d`, `ulimit -v`), and what of it counts against them."""


def peak_bytes() -> int:
    """Most memory this process has held, in bytes; ru_maxrss alone would count what its parent held at its start."""
    held = _status(SYSTEM / "proc/self/status", "VmHWM")
    return held or 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def own_bytes() -> int:
    """Memory that is this process's alone now: not that of mapped files, whose pages all readers share."""
    return _status(SYSTEM / "proc/self/status", "RssAnon") or 0


def free_bytes(system: Path = SYSTEM) -> int | None:
    """Bytes that may still be taken, None if untold: the least that is left by the machine, by the control groups that
    this process is in, and by its own limits."""
    available = _status(system / "proc/meminfo", "MemAvailable")
    told = [*([] if available is None else [available]), *_of_groups(system), *_of_limits(system)]
    return min(told, default=None)


@dataclass(frozen=True)
class Need:
    """What a stage takes at its peak beyond what its process holds before: above what was measured at every size."""

    work: str
    """What is done, such as `making tensors of`."""
    each: Mapping[str, int]
    """Bytes for each of what it is done with, such as edges."""
    advice: str
    """What to do where they are not there."""

    def of(self, **counts: int) -> int:
        """Bytes for so many of each, and as many again for buffers, up to BUFFERS."""
        worked_on = sum(self.each[name] * count for name, count in counts.items())
        return worked_on + min(worked_on, BUFFERS)

    def check(self, asked: str = "", /, **counts: int) -> None:
        """TooLargeError before the kernel would kill the process, if the bytes for so many are not free.

        `asked` says in words what they are for, where the counts do not.
        """
        told = asked or ", ".join(f"{count:,} {name}" for name, count in counts.items())
        check_room(self.of(**counts), f"{self.work} {told}", self.advice)


def check_room(need: int, what: str, advice: str, system: Path = SYSTEM) -> None:
    """TooLargeError before the kernel would kill the process, if `need` bytes are more than there are."""
    free = free_bytes(system)
    if free is not None and need > free:
        raise TooLargeError(f"{what} needs about {_told(need)} of memory, {_told(free)} are free: {advice}")


def _told(size: int) -> str:
    return f"{size / GIB:,.1f} GiB" if size >= GIB else f"{size / MIB:.0f} MiB"


def _of_groups(system: Path) -> Iterator[int]:
    """What is left to each control group of this process and to those around it, as far as they have a bound."""
    lines = [line.split(":", 2) for line in _text(system / "proc/self/cgroup").splitlines()]
    for name, root, (most, now), files in _GROUPS:
        own = next((path for _, names, path in lines if name in names.split(",")), "/")
        group = Path(own.lstrip("/"))
        for folder in (system / root / place for place in (group, *group.parents)):
            bound, held = (_text(folder / file).strip() for file in (most, now))
            if bound.isdigit() and held.isdigit():  # "max" is no bound
                kinds = dict(line.split()[:2] for line in _text(folder / "memory.stat").splitlines())
                yield max(0, int(bound) - int(held) + int(kinds.get(files, 0)))


def _of_limits(system: Path) -> Iterator[int]:
    """What is left to this process by its own limits."""
    for line in _text(system / "proc/self/limits").splitlines():
        for name, counted in _LIMITS:
            soft = line.removeprefix(name).split()[:1] if line.startswith(name) else []
            held = _status(system / "proc/self/status", counted)
            if held is not None and soft and soft[0].isdigit():  # "unlimited" is no bound
                yield max(0, int(soft[0]) - held)


def _status(file: Path, name: str) -> int | None:
    """A figure of the kernel that it gives in kB, in bytes."""
    lines = _text(file).splitlines()
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), None)


def _text(file: Path) -> str:
    """What a file of the kernel says; nothing where there is none."""
    try:
        return file.read_text()
    except OSError:
        return ""
