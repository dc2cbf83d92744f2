"""Memory: the most that this process ever held."""

from __future__ import annotations

import resource
from pathlib import Path


def peak_bytes() -> int:
    """Most memory this process has held, in bytes; ru_maxrss alone would count what its parent held at its start."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    held = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), None)
    return 1024 * (held or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
