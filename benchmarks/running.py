"""Runs the figures of a package beside their aims, each module in a process of its own so that its memory is its own.

A package of figures has modules with `measure() -> list[Figure]` and a __main__ that calls `main` with its name.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, peak_mib
from benchmarks.machine import described

HERE = Path(__file__).parent


class NotMeasured(Exception):
    """A module that ended without figures; what it said stands on its own stderr."""


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
    """The figures of one module, with when and where they were measured. NotMeasured if it fails."""
    command, where = [sys.executable, "-m", f"benchmarks.{package}", "--alone", name], described()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise NotMeasured(f"ended with {done.returncode}; what it said stands above")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | where


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
    given.out.parent.mkdir(parents=True, exist_ok=True)
    failed = list[str]()
    for name in given.names or every:
        try:
            found = measured(package, name)
        except NotMeasured as why:  # the others are measured all the same
            print(f"{name}: FAILED, {why}")
            failed.append(name)
            continue
        print(f"{name}: {found['seconds']:.1f} s, peak {found['peak_mib']:.0f} MiB")
        for figure in found["figures"]:
            print(line(figure))
        results = json.loads(given.out.read_text()) if given.out.exists() else {}
        given.out.write_text(json.dumps(results | {name: found}, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    if failed:
        raise SystemExit(f"not measured, so what {given.out} has of them is older: {', '.join(failed)}")
