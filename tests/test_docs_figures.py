"""The figures that pages quote are those of the last measurement, rounded as they are written (tests/quoted.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.quoted import COMMAND, ROOT, RUNS, Quote, attributed, quotes, rounds_to

FOLDERS = {
    "ingest": ("docs/ingest.md",),
    "learning": ("docs/learning.md", "docs/learning"),
    "risk": ("docs/risk",),
    "serving": ("docs/serving",),
    "scaling": ("docs/scale.md", "docs/scale"),
    "stores": ("docs/stores.md",),
}
"""Where the figures of a room are told, its own page first."""

MISSED = re.compile(r"\*\*|missed|short of")
"""How a page says that an aim was not reached."""

AWAITED: frozenset[str] = frozenset()
"""Modules that pages name and of which no run is committed yet: what pages say of them is held once it is."""


def pages() -> Iterator[Path]:
    for place in (ROOT / name for names in FOLDERS.values() for name in names):
        yield from sorted(place.glob("*.md")) if place.is_dir() else [place]


def told(page: Path) -> list[Quote]:
    found = quotes(page.relative_to(ROOT).as_posix(), page.read_text(encoding="utf-8"))
    return [quote for quote in found if any(name in RUNS[quote.room] for name in quote.modules)]


QUOTED = [quote for page in pages() for quote in told(page)]
HOLDING = sorted({quote.place.partition(":")[0] for quote in QUOTED})


@pytest.mark.parametrize("page", HOLDING)
def test_a_figure_of_a_page_is_one_that_was_measured(page: str) -> None:
    assert [str(quote) for quote in told(ROOT / page) if not quote.recorded()] == []


def test_every_page_that_tells_of_a_benchmark_is_held_to_it() -> None:
    named = {
        page.relative_to(ROOT).as_posix()
        for page in pages()
        if any(
            room in RUNS and (not words or set(words.split()) & RUNS[room].keys())
            for room, words in COMMAND.findall(page.read_text(encoding="utf-8"))
        )
    }
    assert named == set(HOLDING)
    assert len(QUOTED) > 700


def test_every_module_that_a_page_names_with_its_command_is_recorded() -> None:
    named = {
        (room, word)
        for page in pages()
        for room, words in COMMAND.findall(page.read_text(encoding="utf-8"))
        for word in words.split()
        if (ROOT / "benchmarks" / room / f"{word}.py").exists()
    }
    assert len(named) > 50
    assert {f"{room} {word}" for room, word in named if word not in RUNS[room]} <= AWAITED


@pytest.mark.parametrize("room", FOLDERS)
def test_every_aim_that_was_missed_is_told_as_missed(room: str) -> None:
    texts = [page.read_text(encoding="utf-8") for page in pages()]
    blocks = [(said.room, said.modules, block) for text in texts for _, block, said in attributed(text)]
    told = {module for where, modules, block in blocks if where == room and MISSED.search(block) for module in modules}
    missed = {name for name, run in RUNS[room].items() if any(own["reached"] is False for own in run["figures"])}
    assert missed - told == set()


def test_a_figure_that_was_changed_is_found() -> None:
    """Numbers of two digits may by chance be another figure of the module, so not every change can be seen."""
    seen = [not replace(quote, number=changed(quote.number)).recorded() for quote in QUOTED]
    assert sum(seen) > 0.8 * len(seen)


def changed(number: str) -> str:
    """The number, three units of its last digit higher; a whole one twice as high and three."""
    value = Decimal(number.replace(",", ""))
    exponent = int(value.as_tuple().exponent)
    return str(value + Decimal(3).scaleb(exponent) if exponent < 0 else 2 * value + 3)


def test_a_disagreement_is_named_with_its_place() -> None:
    [mrr] = [figure["value"] for figure in RUNS["learning"]["records"]["figures"] if figure["what"] == "umls: test MRR"]
    page = "# A page\n`python -m benchmarks.learning records`, in 95 % of 2026:\n\n| set | MRR | aim |\n|---|---|---|\n"
    assert [quote.recorded() for quote in quotes("a.md", f"{page}| umls | {mrr:.3f} | .5 |\n")] == [True]
    [wrong] = quotes("a.md", f"{page}| umls | **{mrr - 0.2:.3f}** | .5 |\n")
    assert not wrong.recorded()
    assert str(wrong) == f"a.md:6: {mrr - 0.2:.3f} is no recorded figure of records"


def test_what_stands_after_the_next_heading_or_another_command_is_not_held() -> None:
    text = "`python -m benchmarks.risk query`\n\n`pytest tests -k x` holds 7.77 of it\n\n# Limits\nsome 9.99 of them\n"
    assert list(quotes("a.md", text)) == []


def test_a_row_is_held_to_the_module_it_names_itself() -> None:
    text = "`python -m benchmarks.risk query sweep`\n\n| what | |\n|---|---|\n| a | 1.37 by `query` |\n| b | 2 |\n"
    assert [quote.modules for quote in quotes("a.md", text)] == [("query",), ("query", "sweep")]


@pytest.mark.parametrize(
    ("value", "written", "unit"),
    [
        (0.9131, ".913", ""),
        (0.97222, "97.2", " %"),
        (707_201, "707,200", ""),
        (1500.6, "1.5", " GiB"),
        (4e-10, "4e-10", ""),
    ],
)
def test_a_number_counts_with_the_digits_it_is_written_with(value: float, written: str, unit: str) -> None:
    assert rounds_to(value, written, unit)
    assert not rounds_to(value * 1.2, written, unit)
