"""The figures that the page on ingest quotes are those of the last measurement, rounded as they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
MEASURED: dict[str, Any] = json.loads((ROOT / "benchmarks/results/ingest.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/ingest.md").read_text(encoding="utf-8").partition("\n## Figures\n")[2].partition("\n## ")[0]
NUMBER = re.compile(r"(?<![\w.,])(?:\d[\d,]*)?\.?\d+(?![\w.-]*\w)")
UNITS = (1, 100, 1 / 1024)
"""A figure as it was measured, in percent, and in GiB of MiB."""


def quoted() -> dict[str, tuple[str, list[str]]]:
    """What each row of the table says was reached, and the modules that measured it (all, where it names none)."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:1] == "|"]
    assert rows[0] == ["what", "aim", "reached", "with"]
    return {what: (reached, re.findall(r"`(\w+)`", by) or list(MEASURED)) for what, _, reached, by in rows[2:]}


QUOTED = quoted()


def numbers(text: str) -> list[str]:
    return [found.replace(",", "") for found in NUMBER.findall(text)]


def measured(module: str) -> Iterator[float]:
    """Every number of a module: its values, what is said beside them, its time and its memory."""
    told = MEASURED[module]
    yield from (told["seconds"], told["peak_mib"])
    for figure in told["figures"]:
        yield figure["value"]
        yield from (float(number) for number in numbers(f"{figure['what']} {figure['note']}"))


def rounds_to(value: float, written: str) -> bool:
    """True if the value, rounded to the digits that were written, is what was written: 707,201 is 707,200."""
    digits = len(written.partition(".")[2]) if "." in written else len(written.rstrip("0") or "0") - len(written)
    unit = Decimal(1).scaleb(-digits)
    return any(abs(Decimal(str(value * factor)) - Decimal(written)) <= unit / 2 for factor in UNITS)


@pytest.mark.parametrize("what", QUOTED)
def test_a_figure_of_the_page_is_one_that_was_measured(what: str) -> None:
    reached, modules = QUOTED[what]
    known = [value for module in modules for value in measured(module)]
    written = numbers(reached)
    assert written, f"the row {what!r} quotes no number"
    assert [number for number in written if not any(rounds_to(value, number) for value in known)] == []


def test_every_aim_that_was_missed_is_told_as_missed() -> None:
    told = [by for reached, by in QUOTED.values() if "**" in reached]
    for module, run in MEASURED.items():
        if any(figure["reached"] is False for figure in run["figures"]):
            assert any(module in by for by in told), f"{module} misses an aim that docs/ingest.md does not tell"


@pytest.mark.parametrize(
    ("value", "written"), [(0.9131, ".913"), (0.97222, "97.2"), (707_201, "707200"), (1500.6, "1.5")]
)
def test_a_number_counts_with_the_digits_it_is_written_with(value: float, written: str) -> None:
    assert rounds_to(value, written)
    assert not rounds_to(value * 1.1, written)
