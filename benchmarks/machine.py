"""What a benchmark ran on: processor, cores, memory, system, versions, and what else the machine did then."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import psutil

from kg.memory import GIB, free_bytes

PACKAGES: Final = (
    "arcadedb-embedded",
    "deltalake",
    "duckdb",
    "igraph",
    "neo4j",
    "networkx",
    "numba",
    "numpy",
    "onnxruntime",
    "polars",
    "pyarrow",
    "pykeen",
    "ray",
    "scipy",
    "torch",
    "torch-geometric",
)
"""Packages whose version moves a figure."""


def described() -> dict[str, Any]:
    """When and where something is measured: taken before it begins, as load is what others do meanwhile."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cpu": processor(),
            "cores": os.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / GIB, 1),
            "free_gib": round((free_bytes() or 0) / GIB, 1),
            "load": round(os.getloadavg()[0], 2),
            "system": f"{_distribution()}, {platform.system()} {platform.release().partition('-')[0]}",
            "python": platform.python_version(),
            "versions": dict(_versions()),
        },
    }


def processor(told: Path = Path("/proc/cpuinfo")) -> str:
    """The model of the processor as it names itself; the kind of machine where it names none."""
    lines = told.read_text().splitlines() if told.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):  # no Linux, or one that does not say
        return platform.platform(terse=True)


def _versions() -> list[tuple[str, str]]:
    found = []
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:  # an extra that is not installed
            continue
    return found
