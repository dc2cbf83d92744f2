"""Cells of tables as claims: a fact, measure or statement of the document each, keyed by table, row and column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from ingest.extract.filings.filing import Spot, Witness
from ingest.extract.filings.grid import Grid
from ingest.extract.filings.grid_figures import Figure, figures, words
from kg.model import Claim, Facts, Value

Reach = tuple[Callable[[int, int], str], Callable[[int, int], str]]
"""Locator and quote of the cell at (row, place of the cell in its row), both counted from 0."""


def figure_claims(grids: Sequence[Grid], witness: Witness) -> Iterator[Claim]:
    """Claims of the figures of a page's tables, counted from 1; tables that lay a page out have no named figures."""
    for number, grid in enumerate(grids, 1):
        named = [figure for figure in figures(grid) if figure.label and figure.column]
        if len(named) >= 2:
            yield from cell_claims(grid, f"table {number}", witness, _reach(grid, number))


def cell_claims(grid: Grid, table: str, witness: Witness, reach: Reach) -> Iterator[Claim]:
    """A claim per figure; two figures of one row and column name are told apart by `#2`."""
    seen: Counter[str] = Counter()
    for figure in figures(grid):
        key = _key(seen, table, figure.label, figure.column)
        yield _said(witness, (stated(figure), key), reach, (figure.row, figure.place))


def word_claims(grid: Grid, table: str, witness: Witness, reach: Reach) -> Iterator[Claim]:
    """A statement per cell in words that is neither a row's name nor a figure, heads of columns among them."""
    seen: Counter[str] = Counter()
    for row, place, label, text in words(grid):
        key = _key(seen, table, label, "head" if not label else "in words")
        yield _said(witness, ({"statement": text}, key), reach, (row, place))


def stated(figure: Figure) -> dict[str, Value]:
    """Property of a figure: `fact` with its currency, or `measure` (a percentage as a fraction)."""
    if figure.currency:
        return {"fact": figure.value, "currency": figure.currency}
    return {"measure": float(figure.value)}


def _key(seen: Counter[str], table: str, label: str, column: str) -> str:
    key = f"{table}|{label}|{column}".rstrip("|")
    seen[key] += 1
    return key if seen[key] == 1 else f"{key}#{seen[key]}"


def _said(witness: Witness, what: tuple[dict[str, Value], str], reach: Reach, at: tuple[int, int]) -> Claim:
    place, text = reach
    return witness.says(Facts(f"doc:{witness.document}", *what), Spot(place(*at), text(*at)))


def _reach(grid: Grid, table: int) -> Reach:
    texts = {(n, cell.place): cell.text for n, row in enumerate(grid.rows) for cell in row if cell is not None}
    return (lambda row, cell: f"table:{table} row:{row + 1} cell:{cell + 1}"), (lambda row, cell: texts[row, cell])
