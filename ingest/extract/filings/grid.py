"""A grid is a table as rows of cells: read from HTML with its spans spread out, or given as lists of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from lxml import etree, html

from ingest.clean import decode
from ingest.extract.formats.markup import HIDDEN
from kg.errors import RecordError


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: its text, and which cell of its row it is in the file."""

    text: str
    place: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as rows of equal length; a cell that spans columns stands in each of them."""

    rows: tuple[tuple[Cell | None, ...], ...]
    about: str = ""
    """Words before the table that may tell its unit."""

    def texts(self, row: int) -> list[str]:
        """Different cells of a row that say something, in order."""
        seen = {cell.place: cell.text for cell in self.rows[row] if cell is not None and cell.text}
        return [seen[place] for place in sorted(seen)]


def of_lists(rows: Sequence[Sequence[str]], about: str = "") -> Grid:
    """Grid of plain rows; short rows are filled up."""
    width = max((len(row) for row in rows), default=0)
    cells = tuple(
        tuple(Cell(" ".join(str(row[i]).split()), i) if i < len(row) else None for i in range(width)) for row in rows
    )
    return Grid(cells, about)


@lru_cache(maxsize=4)
def of_page(content: bytes) -> tuple[Grid, ...]:
    """Every table of an HTML page that holds no other table, in order; a locator counts them from 1."""
    try:
        parser = html.HTMLParser(encoding="utf-8", huge_tree=True)
        root = html.document_fromstring(decode(content)[0].encode(), parser=parser)
    except (etree.ParserError, ValueError) as error:
        raise RecordError(f"the HTML cannot be read: {error}") from error
    tables = (table for table in root.iter("table") if next(table.iterdescendants("table"), None) is None)
    return tuple(Grid(_spread(table), _before(table)) for table in tables)


def read_cell(content: bytes, table: int, row: int, cell: int | None) -> str:
    """Text of a cell, or of all cells of a row that say something, parted by a blank; all three count from 1."""
    grids = of_page(content)
    if not (1 <= table <= len(grids) and 1 <= row <= len(grids[table - 1].rows)):
        raise RecordError(f"table {table} row {row} is not there: the page has {len(grids)} tables")
    if cell is None:
        return " ".join(grids[table - 1].texts(row - 1))
    found = next((c for c in grids[table - 1].rows[row - 1] if c is not None and c.place == cell - 1), None)
    if found is None:
        raise RecordError(f"table {table} row {row} has no cell {cell}")
    return found.text


def _spread(table: etree._Element) -> tuple[tuple[Cell | None, ...], ...]:
    rows: list[dict[int, Cell]] = []
    hanging: dict[int, tuple[int, Cell]] = {}
    for element in table.iter("tr"):
        row: dict[int, Cell] = {}
        for column, (left, cell) in list(hanging.items()):
            row[column] = cell
            hanging[column] = (left - 1, cell)
            if left <= 1:
                del hanging[column]
        column = 0
        for place, td in enumerate(e for e in element if e.tag in ("td", "th")):
            while column in row:
                column += 1
            cell = Cell(_said(td), place)
            wide, high = _span(td, "colspan"), _span(td, "rowspan")
            for _ in range(wide):
                row[column] = cell
                if high > 1:
                    hanging[column] = (high - 1, Cell("", -1))  # it is told once, in its first row
                column += 1
        rows.append(row)
    width = max((max(row, default=-1) + 1 for row in rows), default=0)
    return tuple(tuple(row.get(i) for i in range(width)) for row in rows)


def _span(element: etree._Element, name: str) -> int:
    text = element.get(name) or "1"
    return min(max(int(text), 1), 200) if text.isdigit() else 1


def _said(element: etree._Element) -> str:
    pieces = [element.text or ""]
    for event, inside in (walk := etree.iterwalk(element, events=("start", "end", "comment", "pi"))):
        if inside is element:
            continue
        if event == "start":
            if inside.tag in HIDDEN:
                walk.skip_subtree()
            else:
                pieces.append((" " if inside.tag in ("br", "p", "div") else "") + (inside.text or ""))
        else:
            pieces.append(inside.tail or "")
    return " ".join("".join(pieces).replace("\u200b", "").split())


def _before(table: etree._Element, length: int = 400) -> str:
    """Text that stands before a table, the nearest elements only."""
    told: list[str] = []
    element: etree._Element | None = table
    for _ in range(4):
        if element is None or sum(map(len, told)) > length:
            break
        for sibling in islice(element.itersiblings(preceding=True), 20):
            if (
                not isinstance(sibling.tag, str)
                or sibling.tag == "table"
                or next(sibling.iter("table"), None) is not None
            ):
                break
            told.append(" ".join(" ".join(map(str, sibling.itertext())).split()))
            if sum(map(len, told)) > length:
                break
        element = element.getparent()
    return " ".join(reversed(told))[-length:]
