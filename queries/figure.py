"""Figure: a risk figure computed from a table, such as a value at risk, and the checks every table passes first.

A figure is one file in `queries/figures/`, found by its file name; its first docstring line is its help. Its fields
are its parameters and stand in the metadata of every answer.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, cast, get_args, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.errors import MeasureError

Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]
Domain = Literal["text", "time", "real", "amount", "positive", "share", "level", "correlation", "count", "flag"]

DOMAINS: Final[Mapping[str, tuple[str, Callable[[Floats], Any]]]] = MappingProxyType(
    {
        "real": ("a finite number", np.isfinite),
        "amount": ("a finite number of at least 0", lambda x: np.isfinite(x) & (x >= 0)),
        "positive": ("a finite number above 0", lambda x: np.isfinite(x) & (x > 0)),
        "share": ("a number from 0 to 1", lambda x: (x >= 0) & (x <= 1)),
        "level": ("a number above 0 and below 1", lambda x: (x > 0) & (x < 1)),
        "correlation": ("a number from -1 to 1", lambda x: np.abs(x) <= 1),
        "count": ("a whole number of at least 0", lambda x: np.isfinite(x) & (x >= 0) & (x == np.floor(x))),
        "flag": ("0 or 1 (or true, false)", lambda x: (x == 0) | (x == 1)),
    }
)
"""What a number may be: in words, and as a test. NaN passes none."""


@dataclass(frozen=True)
class Rows:
    """A table that passed: numbers are float64, times UTC; rows stand in one order whatever order they came in."""

    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __contains__(self, column: str) -> bool:
        return column in self.table.column_names

    def __getitem__(self, column: str) -> Floats:
        """(rows,) numbers of a column."""
        return np.asarray(self.table[column].to_numpy(), float)

    def get(self, column: str, default: float | Floats) -> Floats:
        """(rows,) numbers of an optional column, `default` throughout where there is none."""
        return self[column] if column in self else np.full(len(self), default)

    def text(self, column: str) -> list[str]:
        """Texts of a column."""
        return cast(list[str], self.table[column].to_pylist())

    def times(self, column: str) -> Times:
        """(rows,) datetime64[us] of a column, in UTC."""
        return np.asarray(self.table[column].to_numpy(), "datetime64[us]")


class Figure(ABC):
    """A risk figure computed from a table. A figure is one file in queries/figures/."""

    name: ClassVar[str]
    """File name of the figure."""
    columns: ClassVar[Mapping[str, Domain]]
    """Columns the table must have, and what may stand in each; the order of the rows follows them."""
    optional: ClassVar[Mapping[str, Domain]] = {}
    """Columns that are read where the table has them."""
    limits: ClassVar[Mapping[str, Domain]] = {}
    """What each number among the parameters may be, if not any finite one."""

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            if name not in {field.name for field in fields(cast(Any, self))}:
                continue
            value, choices = getattr(self, name), get_args(kind)
            if choices and all(isinstance(choice, str) for choice in choices) and value not in choices:
                raise MeasureError(f"{self.name}: {name} {value!r} is unknown; known: {', '.join(choices)}")
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                self.require(name, value, self.limits.get(name, "real"))

    def require(self, name: str, value: float, domain: Domain) -> None:
        """MeasureError unless the parameter may be that."""
        words, test = DOMAINS[domain]
        if not test(np.asarray(value, float)):
            raise MeasureError(f"{self.name}: {name} is {words}, not {value}")

    def derive(self, table: pa.Table) -> pa.Table:
        """The table with columns that follow from others of it, such as returns from prices."""
        return table

    @abstractmethod
    def answer(self, rows: Rows) -> pa.Table:
        """The figure of a table that passed the checks."""

    def compute(self, table: pa.Table) -> pa.Table:
        """The figure; name, parameters and remarks stand in the metadata (see `notes`).

        MeasureError names the column and row that cannot be used. The order of the rows does not matter.
        """
        rows = checked(self, self.derive(table))
        found = self.answer(rows)
        told = {"figure": self.name, "params": json.dumps(asdict(cast(Any, self))), "rows": str(table.num_rows)}
        return found.replace_schema_metadata({**(found.schema.metadata or {}), **told})


def noted(table: pa.Table, *remarks: str) -> pa.Table:
    """The table with remarks that a reader must know; empty ones are left out."""
    kept = json.dumps([remark for remark in remarks if remark])
    return table.replace_schema_metadata({**(table.schema.metadata or {}), "notes": kept})


def notes(table: pa.Table) -> tuple[str, ...]:
    """Remarks on an answer."""
    return tuple(json.loads((table.schema.metadata or {}).get(b"notes", b"[]")))


def params(table: pa.Table) -> dict[str, Any]:
    """Parameters with which an answer was computed."""
    return dict(json.loads((table.schema.metadata or {}).get(b"params", b"{}")))


def checked(figure: Figure, table: pa.Table) -> Rows:
    """The columns that the figure reads, each cast and tested, in the one order of their values."""
    missing = [name for name in figure.columns if name not in table.column_names]
    if missing:
        raise MeasureError(
            f"{figure.name} needs column {missing[0]!r}; the table has {', '.join(table.column_names) or 'none'}. "
            f"Needed: {', '.join(figure.columns)}; read if there: {', '.join(figure.optional) or 'none'}"
        )
    twice = [name for name in (*figure.columns, *figure.optional) if table.column_names.count(name) > 1]
    if twice:
        raise MeasureError(f"{figure.name}: the table has column {twice[0]!r} twice; leave one out")
    if not table.num_rows:
        raise MeasureError(f"{figure.name}: the table has no rows; give at least one with {', '.join(figure.columns)}")
    wanted = {**figure.columns, **{name: kind for name, kind in figure.optional.items() if name in table.column_names}}
    read = pa.table({name: _read(figure, table, name, domain) for name, domain in wanted.items()})
    return Rows(read.sort_by([(name, "ascending") for name in wanted]))


def _read(figure: Figure, table: pa.Table, name: str, domain: Domain) -> pa.ChunkedArray:
    """One column as the figure wants it; MeasureError at its first row that cannot be read."""
    column = table[name]
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py()
        raise MeasureError(f"{figure.name}: column {name!r} is empty in row {row + 1}; fill it or leave the row out")
    if domain == "text":
        return pc.cast(column, pa.string())
    if domain == "time":
        return _moments(figure, column, name)
    numbers = _numbers(figure, column, name)
    words, test = DOMAINS[domain]
    good = np.asarray(test(numbers.to_numpy()))
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        raise MeasureError(f"{figure.name}: column {name!r} is {words}; row {row + 1} has {column[row].as_py()}")
    return numbers


def _numbers(figure: Figure, column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    if pa.types.is_decimal(column.type):
        column = pc.cast(column, pa.string())  # Arrow's own cast to float is not the nearest one
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    try:
        return pc.cast(column, pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise MeasureError(f"{figure.name}: column {name!r} holds {column.type}, no numbers ({error})") from error


def _moments(figure: Figure, column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Times in UTC; those without a zone are taken as UTC."""
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            return pc.cast(pc.cast(column, kind, safe=False), pa.timestamp("us"), safe=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
    shown = column[0].as_py()
    raise MeasureError(
        f"{figure.name}: column {name!r} is a time such as 2024-09-28, not {column.type} such as {shown}"
    )


def by_group(keys: Sequence[str]) -> dict[str, NDArray[np.intp]]:
    """Rows of each key, keys in order."""
    found, place = np.unique(np.asarray(keys, object).astype(str), return_inverse=True)
    return {str(key): np.flatnonzero(place == row) for row, key in enumerate(found)}
