"""Memory: the most that this process ever held, and whether what is about to be made fits into the machine."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Final

from kg.errors import TooLargeError

GIB: Final = 1 << 30
SYSTEM: Final = Path("/")
"""Where `proc` and `sys` are found."""
_GROUPS: Final = (
    ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current", "sys/fs/cgroup/memory.stat"),
    (
        "sys/fs/cgroup/memory/memory.limit_in_bytes",
        "sys/fs/cgroup/memory/memory.usage_in_bytes",
        "sys/fs/cgroup/memory/memory.stat",
    ),
)
"""What a control group may hold, what it holds and of what kinds, in the second version and the first."""


def peak_bytes() -> int:
    """Most memory this process has held, in bytes; ru_maxrss alone would count what its parent held at its start."""
    held = _status(SYSTEM / "proc/self/status", "VmHWM")
    return held or 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def own_bytes() -> int:
    """Memory that is this process's alone now: not that of mapped files, whose pages all readers share."""
    return _status(SYSTEM / "proc/self/status", "RssAnon") or 0


def free_bytes(system: Path = SYSTEM) -> int | None:
    """Bytes that may still be taken: of the machine, and of the control group if there is one; None if untold."""
    found = [_status(system / "proc/meminfo", "MemAvailable")]
    for names in _GROUPS:
        try:
            most, now, kinds = ((system / name).read_text() for name in names)
        except OSError:
            continue
        if most.strip().isdigit():  # "max" is no bound
            cached = dict(line.split() for line in kinds.splitlines()).get("inactive_file", 0)
            found.append(max(0, int(most) - int(now) + int(cached)))  # pages of files go when memory is short
    told = [value for value in found if value is not None]
    return min(told) if told else None


def check_room(need: int, what: str, advice: str, system: Path = SYSTEM) -> None:
    """TooLargeError before the kernel would kill the process, if `need` bytes are more than there are."""
    free = free_bytes(system)
    if free is not None and need > free:
        raise TooLargeError(
            f"{what} needs about {need / GIB:.1f} GiB of memory, {free / GIB:.1f} GiB are free: {advice}"
        )


def _status(file: Path, name: str) -> int | None:
    """A figure of the kernel that it gives in kB, in bytes."""
    if not file.exists():
        return None
    lines = file.read_text().splitlines()
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), None)
