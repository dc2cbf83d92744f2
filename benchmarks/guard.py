"""The regression guard: a fresh run of the figures of a room beside the run that is committed, by ratios alone.

Run: python -m benchmarks.guard ROOM FRESH.json [--committed FILE] [--slack 0.25]. Compared are figures without a unit
of time, memory or rate: how many times as fast as the peer in the same run, shares, exponents of growth, qualities. A
machine that is slower is slower for the peer too, so they move only if we do. A figure got worse if it fell below its
old value (rose above it, for a ceiling) by more than the slack, a share of the old value; what is below that share of
its ceiling counts as nothing. Prints a line for each, and one for a figure that is gone; ends with 1 if there is any.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path(__file__).parent / "results"
SLACK: Final = 0.25
"""The share of the old value by which a figure may be worse: what runs of one commit on a busy machine differ by."""
RATIO: Final = re.compile(
    r"times|share|of a full|beside|exponent|efficiency|ratio|speedup|faster|overhead", re.IGNORECASE
)
PLAIN: Final = ("", "times", "times as fast", "x", "%", "share")
"""Units of figures that hang on no clock and no machine."""
Run = Mapping[str, Any]


class Unreadable(Exception):
    """A file that holds no figures."""


@dataclass(frozen=True)
class Regression:
    """One figure that got worse."""

    module: str
    what: str
    before: float
    now: float | None
    """None where the fresh run has no such figure."""
    allowed: float

    def __str__(self) -> str:
        if self.now is None:
            return (
                f"{self.module}: {self.what}: was {self.before:.4g} and is gone; measure it, or commit a run without it"
            )
        turn = "below" if self.now < self.allowed else "above"
        return f"{self.module}: {self.what}: was {self.before:.4g}, is {self.now:.4g}, {turn} {self.allowed:.4g}"


def compared(committed: Run, fresh: Run, slack: float = SLACK) -> Iterator[Regression]:
    """Every ratio of a module that both runs have, that got worse by more than the slack or is gone."""
    for module in sorted(committed.keys() & fresh.keys()):
        now = named(fresh[module])
        for name, old in named(committed[module]).items():
            if not ratio(old):
                continue
            least, before = bool(old["least"]), float(old["value"])
            allowed = before - (slack if least else -slack) * abs(before)
            if not least and old["aim"] is not None:
                allowed = max(allowed, slack * float(old["aim"]))
            value = float(now[name]["value"]) if name in now else None
            if value is None or math.isnan(value) or (value < allowed if least else value > allowed):
                yield Regression(module, old["what"], before, value, allowed)


def named(run: Run) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Figures by what they are called, and as which of those that are called so."""
    seen, found = Counter[str](), {}
    for figure in run["figures"]:
        found[figure["what"], seen[figure["what"]]] = figure
        seen[figure["what"]] += 1
    return found


def ratio(figure: Mapping[str, Any]) -> bool:
    """True for a figure that can be held against that of another machine: it has an aim or names what it is beside."""
    words = f"{figure['what']} {figure['unit']}"
    return figure["unit"] in PLAIN and (figure["aim"] is not None or bool(RATIO.search(words)))


def read(file: Path) -> Run:
    """The figures by module. Unreadable tells what is wrong and what to do."""
    wanted = "give the JSON that `python -m benchmarks.ROOM --out FILE` wrote"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unreadable(f"{file}: {error}; {wanted}") from error
    if not isinstance(found, dict) or not found or not all(map(holds, found.values())):
        raise Unreadable(f"{file}: no figures by module; {wanted}")
    return found


def holds(run: Any) -> bool:
    """True for what `benchmarks.running` writes of one module."""
    keys = {"what", "value", "aim", "least", "unit"}
    return isinstance(run, dict) and all(keys <= set(figure) for figure in run.get("figures", [{}]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("room", help="which figures, such as risk")
    parser.add_argument("fresh", type=Path, help="JSON of the run to be judged")
    parser.add_argument("--committed", type=Path, help="JSON to judge by; that of the room by default")
    parser.add_argument("--slack", type=float, default=SLACK, help="share of the old value that is no regression")
    given = parser.parse_args()
    if not 0 <= given.slack < 1:
        parser.error(f"slack is {given.slack}; give a share of at least 0 and below 1")
    try:
        old, new = read(given.committed or RESULTS / f"{given.room}.json"), read(given.fresh)
    except Unreadable as error:
        parser.error(str(error))
    both = sorted(old.keys() & new.keys())
    if not both:
        parser.error(f"{given.fresh} has none of the modules {', '.join(sorted(old))}; was it made for another room?")
    found = list(compared(old, new, given.slack))
    for one in found:
        print(one)
    count = sum(ratio(figure) for name in both for figure in old[name]["figures"])
    print(f"{count} ratios of {', '.join(both)} held, {len(found)} worse than before by more than {given.slack:.0%}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
