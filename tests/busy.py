"""Work for another process: it computes for a while and holds memory meanwhile."""

from __future__ import annotations

import time

import numpy as np


def held(mib: int, seconds: float) -> int:
    """Hold so much memory and compute until so many seconds of this process's own time are over."""
    block, end = np.ones(mib << 17), time.process_time() + seconds
    while time.process_time() < end:
        pass
    return len(block)
