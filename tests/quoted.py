"""The figures that a page of the documents quotes, each tied to the recorded run of the benchmark the page names.

From `python -m benchmarks.ROOM NAMES` to the next heading or command a page quotes those modules; a row or a sentence
that names some of them, as `name`, quotes these alone. A row whose label is part of what recorded figures are called
quotes those figures alone, and a cell likewise by its header. Labels, aims and what others published are no figures of
ours; a sentence that names another command quotes that one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ROOMS = ("ingest", "learning", "risk", "serving", "scaling", "stores")
COMMAND = re.compile(r"python -m benchmarks\.(\w+)((?: +[a-z_][a-z0-9_]*)*)")
OTHER = re.compile(r"pytest |`kgrisk |benchmarks/\w+\.py")
NUMBER = re.compile(
    r"(?<![\w.,/@])(?<!\w-)(?P<number>(?:\d[\d,]*)?\.?\d+(?:e-?\d+)?)(?![.,]?\d|\w|-\w)(?P<unit> ?%| GiB)?"
)
YEAR = re.compile(r"(?:19|20)\d\d")
NOT_OURS = ("aim", "published", "guessing", "promised", "with", "what differs", "arithmetic")
"""Headers of columns that hold no recorded figure."""
Run = dict[str, Any]
RUNS: dict[str, dict[str, Run]] = {
    room: json.loads((ROOT / f"benchmarks/results/{room}.json").read_text(encoding="utf-8")) for room in ROOMS
}


@dataclass(frozen=True)
class Quote:
    """A number as it is written, and where it should be recorded."""

    place: str
    """Page and line."""
    number: str
    unit: str
    room: str
    modules: tuple[str, ...]
    texts: tuple[str, ...] = ()
    """What the page says it is a figure of: above the table, in its row, over its column."""

    def recorded(self) -> bool:
        """True if a figure of the modules, rounded to the digits written, is what is written."""
        runs = [RUNS[self.room][name] for name in self.modules if name in RUNS[self.room]]
        told = [figure for run in runs for figure in run["figures"]]
        for text in filter(None, self.texts):
            told = [figure for figure in told if words(text) <= words(figure["what"])] or told
        known = [value for figure in told for value in values(figure)]
        known += [run[cost] for run in runs for cost in ("seconds", "cpu_seconds", "peak_mib") if cost in run]
        return any(rounds_to(value, self.number, self.unit) for value in known) or self._set()

    def _set(self) -> bool:
        """True for a setting: a whole number that stands so in the module itself."""
        return any(self.number.replace(",", "") in numbers_of(self.room, name) for name in self.modules)

    def __str__(self) -> str:
        return f"{self.place}: {self.number}{self.unit} is no recorded figure of {', '.join(self.modules)}"


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z][a-z0-9-]*|@\d+", text.lower()))


def numbers(text: str) -> list[str]:
    return [found["number"].replace(",", "") for found in NUMBER.finditer(text)]


@cache
def numbers_of(room: str, name: str) -> frozenset[str]:
    """Whole numbers in the source of a benchmark: how many of what it was asked to measure."""
    text = (ROOT / f"benchmarks/{room}/{name}.py").read_text(encoding="utf-8").replace("_", "")
    return frozenset(number for number in numbers(text) if number.isdigit())


def values(figure: dict[str, Any]) -> list[float]:
    """Every number of a figure: its value, its aim, and what is said beside them."""
    own = [figure["value"], *([] if figure["aim"] is None else [figure["aim"]])]
    return own + [float(number) for number in numbers(f"{figure['what']} {figure['note']}")]


def rounds_to(value: float, written: str, unit: str = "") -> bool:
    """True if the value, rounded to the digits that were written, is what was written: 707,201 is 707,200."""
    number = Decimal(written.replace(",", ""))
    exponent = int(number.as_tuple().exponent)
    if exponent == 0 and number:
        plain = written.replace(",", "")
        exponent = len(plain) - len(plain.rstrip("0"))
    factors = {"%": (1, 100), "GiB": (1, 1 / 1024)}.get(unit.strip(), (1,))
    half = Decimal(1).scaleb(exponent) / 2
    return any(abs(abs(Decimal(str(value * factor))) - number) <= half for factor in factors)


def quotes(name: str, text: str) -> Iterator[Quote]:
    """The quotes of a page, in order."""
    for line, block, said in attributed(text):
        if block == said.head or (not said.row and OTHER.search(block)):
            continue
        for column, part in enumerate(said.row or [block]):
            title = said.header(column)
            if said.row and (title.startswith(NOT_OURS) or (column == 0 and not NUMBER.fullmatch(plain(part)))):
                continue
            for found in NUMBER.finditer(plain(part)):
                if not YEAR.fullmatch(found["number"]):
                    place = f"{name}:{line}"
                    yield Quote(
                        place,
                        found["number"],
                        found["unit"] or "",
                        said.room,
                        said.modules,
                        (said.of, said.label, title),
                    )


def attributed(text: str) -> Iterator[tuple[int, str, Said]]:
    """The rows, items and paragraphs of a page that stand under a benchmark, with their first line."""
    said = Said()
    for line, block in blocks(text):
        said.read(block)
        if said.room in RUNS:
            yield line, block, said


@dataclass
class Said:
    """What a page has said by a block of its text: which benchmark it quotes, and above which table it stands."""

    room: str = ""
    given: tuple[str, ...] = ()
    """Modules of the last command."""
    before: tuple[str, ...] = ()
    """Modules that the paragraph above a table names."""
    above: str = ""
    """That paragraph, where it ends in a colon; or the item of a list itself."""
    modules: tuple[str, ...] = ()
    """Those that the block quotes."""
    row: list[str] = field(default_factory=list)
    """Its cells, where it is a row."""
    head: str = ""
    """The first row of its table."""

    def read(self, block: str) -> None:
        if block.startswith("#") or (not COMMAND.search(block) and re.match(r"`?(?:python -m )?pytest ", block)):
            self.room = ""
        if found := list(COMMAND.finditer(block)):
            self.room, self.before = found[0][1], ()
            known = {path.stem for path in (ROOT / "benchmarks" / self.room).glob("*.py")}
            asked = tuple(word for one in found for word in one[2].split() if word in known)
            self.given = asked or tuple(RUNS.get(self.room, {}))
        named = tuple(word for word in re.findall(r"`(\w+)`", block) if word in self.given)
        self.row = [cell.strip() for cell in block.strip("|").split("|")] if block.startswith("|") else []
        self.head = (self.head or block) if self.row else ""
        if not self.row:
            self.before, self.above = named, block if block.endswith(":") or block.startswith("- ") else ""
        self.modules = named or self.before or self.given

    @property
    def of(self) -> str:
        """The words before the colon that opens an item, or that ends the paragraph above a table."""
        own = self.row or self.above.startswith("- ")
        return plain(self.above.partition(":")[0].rpartition(". ")[2]) if own else ""

    @property
    def label(self) -> str:
        """What a row says it is of, where it names no module itself."""
        return plain(self.row[0]) if self.row and self.modules in (self.before, self.given) else ""

    def header(self, column: int) -> str:
        cells = self.head.strip("|").split("|")
        return plain(cells[column]) if self.row and column < len(cells) else ""


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """Rows of tables, items of lists and paragraphs, each as one line with the number of its first."""
    held, begun = list[str](), 0
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if held and (not line.strip() or line.startswith(("|", "- ", "#")) or held[0].startswith(("|", "#"))):
            yield begun, " ".join(held)
            held = []
        if line.strip():
            begun, held = (begun, [*held, line.strip()]) if held else (number, [line.strip()])


def plain(text: str) -> str:
    """Text without code, targets of links, marks of weight, and the 95 % of an interval."""
    return re.sub(r"`[^`]*`|\]\([^)]*\)|\*\*|95 %", " ", text).strip()
