"""Figures of tables as claims: one fact or measure of the document per cell, keyed by table, row and column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from ingest.extract.filing import Spot, Witness
from ingest.extract.grid import Grid
from ingest.extract.grid_figures import Figure, figures
from kg.model import Claim, Node, Value

Place = Callable[[int, int], str]
"""Locator of the cell at (row, place of the cell in its row), both counted from 0."""


def figure_claims(grids: Sequence[Grid], witness: Witness) -> Iterator[Claim]:
    """Claims of the tables of a page, counted from 1."""
    for number, grid in enumerate(grids, 1):
        if _names_columns(grid):
            yield from cell_claims(grid, f"table {number}", witness, _cell_of(number))


def cell_claims(grid: Grid, table: str, witness: Witness, place: Place) -> Iterator[Claim]:
    """A claim per figure; two figures of one row and column name are told apart by `#2`."""
    seen: Counter[str] = Counter()
    document = f"doc:{witness.document}"
    for figure in figures(grid):
        key = f"{table}|{figure.label}|{figure.column}".rstrip("|")
        seen[key] += 1
        if seen[key] > 1:
            key = f"{key}#{seen[key]}"
        yield witness.says(
            Node("Document", document, stated(figure), key), Spot(place(figure.row, figure.place), figure.text)
        )


def stated(figure: Figure) -> dict[str, Value]:
    """Property of a figure: `fact` with its currency, or `measure` (a percentage as a fraction)."""
    if figure.currency:
        return {"fact": figure.value, "currency": figure.currency}
    return {"measure": float(figure.value)}


def _cell_of(table: int) -> Place:
    return lambda row, place: f"table:{table} row:{row + 1} cell:{place + 1}"


def _names_columns(grid: Grid) -> bool:
    """True for a table whose figures have names for row and column; layout tables have none."""
    named = [figure for figure in figures(grid) if figure.label and figure.column]
    return len(named) >= 2
