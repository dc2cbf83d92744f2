"""What the audit log costs: one entry with its fsync, many in one go, and a check of all of them.

Run: python -m benchmarks.serving.audit
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.figure import Figure
from kgrisk.audit import Act, Audit
from kgrisk.audit_check import verify

ONE, TOGETHER, TIMES = 500, 100, 50
ACT = Act("ada", "analyst", "http", "GET /v1/entities/{id}", {"id": "lei:1"}, 200, 3, {"valid": "2024-01-01"}, 7)


def measure() -> list[Figure]:
    """Milliseconds of an entry that is waited for, and entries a second of writing and of checking."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # a disk, where /tmp may be memory
        audit = Audit(Path(folder))
        single = np.array([_seconds(lambda: audit.append([ACT])) for _ in range(ONE)]) * 1000
        many = _seconds(lambda: [audit.append([ACT] * TOGETHER) for _ in range(TIMES)])
        checked = _seconds(lambda: verify(audit))
        count = verify(audit).entries
        size = sum(path.stat().st_size for path in audit.segments()) / count
    return [
        Figure("one entry on disk, median", float(np.median(single)), unit="ms"),
        Figure("one entry on disk, p99", float(np.quantile(single, 0.99)), unit="ms"),
        Figure("entries written together", TOGETHER * TIMES / many, unit="1/s"),
        Figure("entries checked", count / checked, unit="1/s"),
        Figure("an entry", size, unit="bytes"),
    ]


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    for figure in measure():
        print(f"{figure.what}: {figure.value:.4g} {figure.unit}")
