"""Rows of a plain CSV file with named columns, each cell with its line, for messages that lead to it."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process

from kg.errors import MeasureError
from queries.parameter import suggestion

Floats = NDArray[np.float64]
ALIKE = 80
"""Likeness of 100 from which a column that is not known is taken for a slip of the pen."""


@dataclass(frozen=True)
class Rows:
    """A table of texts."""

    name: str
    columns: dict[str, tuple[str, ...]]
    """Cells by column, for the columns that are known."""
    lines: tuple[int, ...]
    """Line of each row in the file."""
    remarks: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path, known: tuple[str, ...], needed: tuple[str, ...]) -> Rows:
        """The rows of a file. MeasureError if it cannot be read, is empty, or lacks a column."""
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                reader = csv.reader(file, strict=True)
                header = [name.strip() for name in next(reader, [])]
                body = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
        except OSError as error:
            raise MeasureError(f"{path} cannot be read: {error.strerror or error}; give a CSV file") from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise MeasureError(f"{path} is no CSV file in UTF-8: {error}") from error
        expected = f"expected the header {','.join(known)}, of which {','.join(needed)} must be there"
        if not any(header):
            raise MeasureError(f"{path} is empty; {expected}")
        remarks = _judge(path, header, known, needed, expected)
        for line, cells in body:
            if len(cells) != len(header):
                raise MeasureError(f"{path} line {line} has {len(cells)} cells, its header {len(header)}")
        if not body and "id" in needed:
            raise MeasureError(f"{path} has a header and no row; expected one row a bank")
        table = {
            name: tuple(row[place].strip() for _, row in body) for place, name in enumerate(header) if name in known
        }
        return cls(str(path), table, tuple(line for line, _ in body), remarks)

    def texts(self, column: str) -> tuple[str, ...]:
        """Cells of an id or a currency; MeasureError on an empty id."""
        cells = self.columns[column]
        if column != "currency" and "" in cells:
            raise self.wrong(cells.index(""), column, "expected an id")
        return cells

    def numbers(self, column: str, least: float = -math.inf, needed: bool = False) -> Floats:
        """Cells as numbers, NaN where empty or where there is no such column. MeasureError names the first bad one."""
        if column not in self.columns:
            return np.full(len(self.lines), np.nan)
        found = np.full(len(self.lines), np.nan)
        for row, cell in enumerate(self.columns[column]):
            if not cell and not needed:
                continue
            try:
                found[row] = float(cell)
            except ValueError:
                found[row] = math.nan
            if not (math.isfinite(found[row]) and found[row] >= least):
                bound = f" of at least {least:g}" if least > -math.inf else ""
                example = 1250.5 if least < 1 else least
                raise self.wrong(row, column, f"expected a finite number{bound}, such as {example:g}")
        return found

    def wrong(self, row: int, column: str, what: str) -> MeasureError:
        """The error of one cell: file, line, column, what is there."""
        cell = self.columns.get(column, ("",) * len(self.lines))[row]
        return MeasureError(f"{self.name} line {self.lines[row]}, {column} {cell!r}: {what}")

    def near(self, given: str, known: Iterable[str]) -> str:
        """`; did you mean x?` where something known is near."""
        return suggestion(given, list(known))

    def remark(self, what: str) -> None:
        """Something a reader must know of this file."""
        self.remarks.append(f"{self.name}: {what}")


def _judge(path: Path, header: list[str], known: tuple[str, ...], needed: tuple[str, ...], expected: str) -> list[str]:
    """What columns are not known and so not read. MeasureError if one is missing, there twice, or misspelt."""
    twice = [name for name in known if header.count(name) > 1]
    missing = [name for name in needed if name not in header]
    if missing or twice:
        told = f"has no column {missing[0]}" if missing else f"has column {twice[0]} twice"
        raise MeasureError(f"{path} {told}: its header is {','.join(header)}; {expected}")
    strange = [name for name in header if name not in known]
    for name in strange:
        absent = [other for other in known if other not in header]
        slip = process.extractOne(name.lower(), absent, score_cutoff=ALIKE)
        if slip:
            raise MeasureError(f"{path} has a column {name!r}; did you mean {slip[0]}? {expected}")
    return [f"{path}: column {name} is not read" for name in strange]
