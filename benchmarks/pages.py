"""Tables of docs/scale.md, made of the recorded figures, so that page and record cannot say different things.

Run: python -m benchmarks.pages, after `python -m benchmarks.scaling stages`. What stands between `<!-- table: NAME -->`
and `<!-- end -->` is written anew; the text around it is by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from benchmarks.growth import told
from benchmarks.running import HERE
from benchmarks.scale import SIZES
from benchmarks.scale_stages import STAGES
from benchmarks.scaling.stages import SIZED, results

PAGE: Final = HERE.parent / "docs" / "scale.md"
BLOCK: Final = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
SAID: Final = {
    "commit": "claims to ledger",
    "alive": "as-of view, counted",
    "build": "snapshot built and written",
    "load": "snapshot opened, a column summed",
    "reopen": "the same again",
    "increment": "snapshot of a 1 % change",
    "tensors": "graph as tensors",
    "train": "an epoch of training",
    "score": "vectors of all nodes",
    "clearing": "a block of Eisenberg-Noe",
    "debtrank": "a block of DebtRank",
    "pagerank": "PageRank",
    "project": "all versions, as exports hold them",
    "sync": "embedded store filled",
}
Figures = Mapping[str, Mapping[str, Any]]
"""Recorded figures by what they are called."""


def page(text: str) -> str:
    """The page with every table made anew."""
    figures = {figure["what"]: figure for figure in results("scaling")["stages"]["figures"]}
    return BLOCK.sub(lambda found: f"{found[1]}\n{TABLES[found[2]](figures)}\n\n{found[3]}", text)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = [list(head), *map(list, rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], "|" + "---|" * len(cells[0]), *lines[1:]])


def number(figures: Figures, what: str, unit: str = "") -> str:
    """A figure as pages write it: bold where it misses its aim; nothing where it was not measured."""
    if (figure := figures.get(what)) is None:
        return "–"
    text = f"{told(figure['value'])}{unit}"
    return f"**{text}**" if figure["reached"] is False else text


def growth(figures: Figures) -> str:
    """Processor seconds of every stage by size, its memory at the largest, and how it grows."""
    head = ["stage", *(f"CPU seconds of {size:,} edges" for size in SIZES), "peak memory", "exponent of growth"]
    there = [stage for stage in STAGES if f"{stage}: peak memory" in figures]
    rows = [
        [
            f"{stage}: {SAID[stage]}",
            *(number(figures, f"{stage}: CPU seconds of {size:,} edges") for size in SIZES),
            number(figures, f"{stage}: peak memory", " MiB"),
            number(figures, f"{stage}: exponent of growth"),
        ]
        for stage in there
    ]
    return "\n\n".join([table(head, rows), *said(figures)])


def said(figures: Figures) -> Iterator[str]:
    """What missed its aim and what failed, in words, and under which load it was measured."""
    missed = [stage for stage in STAGES if _missed(figures, f"{stage}: exponent of growth")]
    if missed:
        yield f"An exponent of 1 is linear. **{', '.join(missed)} missed** the aim of 1.2, from a million edges on."
    large = [stage for stage in STAGES if _missed(figures, f"{stage}: peak memory")]
    if large:
        yield f"**{', '.join(large)} missed** the aim of 24 GiB at 10 million edges."
    for stage in STAGES:
        for size in SIZES:
            if (figure := figures.get(f"{stage}: {size:,} edges")) is not None:
                yield f"**{stage} {figure['note']}** at {size:,} edges."
    low, high = (figures[f"load of the machine before a stage: {what}"]["value"] for what in ("least", "most"))
    yield f"Load of the machine before a stage, where it was noted: {low:g} to {high:g} (`load` in the record)."


def _missed(figures: Figures, what: str) -> bool:
    return what in figures and figures[what]["reached"] is False


def change(figures: Figures) -> str:
    """Increments beside full builds."""
    names = ("a change of 1 %, share of a full build", "writing its bytes alone, share of a full build")
    sizes = [size for size in SIZES if f"{size:,} edges: {names[0]}" in figures]
    rows = [[f"{size:,} edges", *(number(figures, f"{size:,} edges: {name}") for name in names)] for size in sizes]
    return table(["edges", *names], rows)


def rates(figures: Figures) -> str:
    """What goes by the second, and the opening of a snapshot beside a plain read."""
    names = {
        "training, edges a second": "/s",
        "first sync of the embedded store, versions a second": "/s",
        "opening a snapshot, times a read of its bytes": "",
    }
    rows = [
        [name, *(number(figures, f"{size:,} edges: {name}", unit) for size in SIZES)] for name, unit in names.items()
    ]
    return "\n\n".join([table(["rate", *(f"{size:,} edges" for size in SIZES)], rows), *_held(figures)])


def _held(figures: Figures) -> Iterator[str]:
    """What of a projection fits into memory."""
    size = f"{SIZES[-1]:,} edges"
    for what in ("memory of the projection, by its line", "memory that an export asks for before it begins"):
        if figure := figures.get(f"{size}: {what}"):
            mark = " **missed** the aim of 24 GiB:" if figure["reached"] is False else ""
            yield f"{size}, {what}:{mark} {number(figures, f'{size}: {what}', ' MiB')} ({figure['note']})."


def sizing(figures: Figures) -> str:
    """Sizes and hours of a thousand million edges and a million filings, with the arithmetic."""
    claim, edge = (told(figures[what]["value"]) for what in ("ledger: bytes a claim", "snapshot: bytes an edge"))
    ratio = figures["1e9 edges: ledger"]["value"] * (1 << 30) / figures["ledger: bytes a claim"]["value"] / 1e9
    how = {
        "1e9 edges: ledger": f"{claim} bytes a claim x {ratio:.3g} claims an edge x 1e9",
        "1e9 edges: snapshot": f"{edge} bytes an edge x 1e9",
    }
    for stage in ("commit", *SIZED):
        each = told(figures[f"{stage}: CPU seconds a million edges"]["value"])
        how[f"1e9 edges: {stage}, CPU hours"] = f"{each} s x 1,000 / 3,600"
    for stage in SIZED:
        how[f"1e9 edges: {stage}, memory"] = f"{figures[f'1e9 edges: {stage}, memory']['note']}, x 1e9"
    per = told(figures["claims a filing"]["value"])
    how["1e6 filings: claims"] = f"{per} claims a filing x 1e6"
    how["1e6 filings: ledger"] = f"{told(figures['1e6 filings: claims']['value'])} M x {claim} bytes"
    if seconds := figures.get("CPU seconds a filing"):
        how["1e6 filings: reading, CPU hours"] = f"{told(seconds['value'])} s x 1e6 / 3,600"
    rows = [[what, text, number(figures, what, f" {figures[what]['unit']}")] for what, text in how.items()]
    return table(["what", "arithmetic", "result"], rows)


TABLES: Final[Mapping[str, Callable[[Figures], str]]] = {
    "growth": growth,
    "change": change,
    "rates": rates,
    "sizing": sizing,
}


def main() -> None:
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
