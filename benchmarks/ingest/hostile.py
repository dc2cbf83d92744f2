"""The corpus of hostile and broken files in one run beside good ones: reasons, crashes, the slowest, memory, leaks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from typing import Any

from benchmarks.figure import Figure

CRASHED = "please report it"


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as work:
        done = subprocess.run(
            [sys.executable, "-m", "tests.hostile_run", work], stdout=subprocess.PIPE, text=True, check=True
        )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    rows = told["quarantined"]

    def has(path: str, word: str) -> bool:
        return any(re.search(word, why) for _, at, _, why in rows if at == path or at.startswith(f"{path}#"))

    bad = [(path, word) for path, word in told["cases"] if word]
    wrong = [path for path, word in bad if not has(path, word)]
    slowest = max(told["seconds"], key=lambda file: told["seconds"][file])
    return [
        Figure("hostile and broken files", len(told["cases"]), 200),
        Figure("of them to be refused, wholly or in part", len(bad)),
        Figure(
            "refused with the reason that is true", (len(bad) - len(wrong)) / len(bad), 1, note="; ".join(wrong[:5])
        ),
        Figure("sources that failed", sum(CRASHED in row[3] for row in rows), 0, False),
        Figure("claims of good files that were lost", len(told["missing"]), 0, False, note=f"of {told['good']}"),
        Figure("slowest file, CPU", told["seconds"][slowest], 10, False, "s", slowest),
        Figure("memory beyond that of the good files", told["peak"] - told["peak_good"], 1024, False, "MiB"),
        Figure("peak of the process with every model loaded", told["peak"], unit="MiB"),
        Figure("CPU of both runs", told["cpu"], unit="s"),
        Figure("tries to leave the machine", len(told["network"]), 0, False),
        Figure("writes outside the home folder", len(told["outside"]), 0, False),
    ]
