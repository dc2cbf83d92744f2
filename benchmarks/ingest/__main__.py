"""Every figure of ingest beside its aim, each module in a process of its own so that its memory is its own.

Run: python -m benchmarks.ingest [name ...] [--out FILE]. KGRISK_REAL_DATA names the folder of real files. Prints one
line a figure and writes JSON with machine and versions; figures of modules that were not run stay as they were.
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

from benchmarks.ingest.figure import Figure, peak_mib

HERE = Path(__file__).parent
OUT = HERE.parent / "results" / "ingest.json"
NAMES = sorted(file.stem for file in HERE.glob("*.py") if file.stem not in ("__init__", "__main__", "figure"))


def alone(name: str) -> None:
    """Measure one module here and print it as one line of JSON."""
    began, cpu = time.perf_counter(), time.process_time()
    figures: list[Figure] = import_module(f"benchmarks.ingest.{name}").measure()
    peak = peak_mib()
    told = [asdict(figure) | {"reached": figure.reached} for figure in figures]
    seconds, busy = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"figures": told, "seconds": seconds, "cpu_seconds": busy, "peak_mib": peak}))


def measured(name: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ingest", "--alone", name], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found | {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
    }


def line(figure: dict[str, object]) -> str:
    mark = {True: "reached", False: "MISSED", None: ""}[figure["reached"]]  # type: ignore[index]
    aim = "" if figure["aim"] is None else f" (aim {'≥' if figure['least'] else '≤'} {figure['aim']:g})"
    return f"  {figure['what']}: {figure['value']:.4g} {figure['unit']}{aim} {mark} {figure['note']}".rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which: {', '.join(NAMES)}; all by default")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--alone", metavar="NAME", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        alone(given.alone)
        return
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"no such figures: {', '.join(sorted(unknown))}; known: {', '.join(NAMES)}")
    results = json.loads(given.out.read_text()) if given.out.exists() else {}
    for name in given.names or NAMES:
        results[name] = found = measured(name)
        print(f"{name}: {found['seconds']:.1f} s, peak {found['peak_mib']:.0f} MiB")
        for figure in found["figures"]:  # type: ignore[attr-defined]
            print(line(figure))
        given.out.write_text(json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
