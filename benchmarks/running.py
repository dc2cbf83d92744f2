"""Runs the figures of a package beside their aims, each module in a process of its own so that its memory is its own.

A package of figures has modules with `measure() -> list[Figure]` and a __main__ that calls `main` with its name.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, peak_mib

HERE = Path(__file__).parent


def names(package: str) -> list[str]:
    """Modules with figures of a package, such as `ingest`."""
    return sorted(file.stem for file in (HERE / package).glob("*.py") if not file.stem.startswith("__"))


def alone(package: str, name: str) -> None:
    """Measure one module here and print it as one line of JSON."""
    began, cpu = time.perf_counter(), time.process_time()
    figures: list[Figure] = import_module(f"benchmarks.{package}.{name}").measure()
    peak = peak_mib()
    told = [asdict(figure) | {"value": float(figure.value), "reached": figure.reached} for figure in figures]
    seconds, busy = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"figures": told, "seconds": seconds, "cpu_seconds": busy, "peak_mib": peak}))


def measured(package: str, name: str) -> dict[str, Any]:
    """The figures of one module, with when and where they were measured."""
    command = [sys.executable, "-m", f"benchmarks.{package}", "--alone", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
    }


def line(figure: dict[str, Any]) -> str:
    mark = {True: "reached", False: "MISSED", None: ""}[figure["reached"]]
    aim = "" if figure["aim"] is None else f" (aim {'≥' if figure['least'] else '≤'} {figure['aim']:g})"
    return f"  {figure['what']}: {figure['value']:.4g} {figure['unit']}{aim} {mark} {figure['note']}".rstrip()


def main(package: str, about: str | None) -> None:
    """The command line of a package of figures; `about` is its description."""
    every = names(package)
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which: {', '.join(every)}; all by default")
    parser.add_argument("--out", type=Path, default=HERE / "results" / f"{package}.json")
    parser.add_argument("--alone", metavar="NAME", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        alone(package, given.alone)
        return
    if unknown := set(given.names) - set(every):
        parser.error(f"no such figures: {', '.join(sorted(unknown))}; known: {', '.join(every)}")
    results = json.loads(given.out.read_text()) if given.out.exists() else {}
    for name in given.names or every:
        results[name] = found = measured(package, name)
        print(f"{name}: {found['seconds']:.1f} s, peak {found['peak_mib']:.0f} MiB")
        for figure in found["figures"]:
            print(line(figure))
        given.out.write_text(json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
