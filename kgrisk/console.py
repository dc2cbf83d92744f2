"""The console: data to stdout (a table, or JSON), progress and errors to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from kgrisk.result import plain

ROWS = 50
"""Rows of a table shown to people; JSON has them all."""

WIDE = 132
"""Columns where the output is no terminal and so has no width of its own."""

out = Console(width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, width=None if sys.stderr.isatty() else WIDE)


def progress(line: str) -> None:
    """One line of progress."""
    err.print(Text(line, style="dim"), soft_wrap=True)


@contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """Progress bars on stderr, one per source: call it with source, files done, files."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err) as shown:
        tasks: dict[str, TaskID] = {}

        def update(source: str, done: int, files: int) -> None:
            if source not in tasks:
                tasks[source] = shown.add_task(source, total=files)
            shown.update(tasks[source], completed=done)

        yield update


def complain(line: str) -> None:
    """One line of error."""
    err.print(Text(f"error: {line}", style="red"), soft_wrap=True)


def emit(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False) + "\n")


def emit_lines(values: Iterable[Any]) -> None:
    """One JSON document per line, written as they come."""
    for value in values:
        sys.stdout.write(json.dumps(plain(value), ensure_ascii=False) + "\n")
        sys.stdout.flush()


def show(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = (), limit: int = ROWS) -> None:
    """Rows as a table for people, with a remark where some are left out."""
    out.print(table(title, rows[:limit], columns))
    if len(rows) > limit:
        out.print(f"({len(rows) - limit} more rows; --json prints all)", style="dim")


def table(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> Table:
    """A rich table; numbers stand to the right."""
    names = list(columns) or (list(rows[0]) if rows else [])
    above = Text(title, no_wrap=True, overflow="ignore")  # a title may be wider than what stands below it
    made = Table(title=above, title_justify="left", title_style="bold", header_style="bold", show_edge=False)
    for name in names:
        number = any(isinstance(row.get(name), (int, float, Decimal)) for row in rows)
        made.add_column(name.replace("_", " "), justify="right" if number else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell(row.get(name))) for name in names))
    return made


def cell(value: Any) -> str:
    """A value as people read it: thousands apart, dates without midnight, lists by commas."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}"
    if isinstance(value, datetime):
        return (
            f"{value:%Y-%m-%d}" if (value.hour, value.minute, value.second) == (0, 0, 0) else f"{value:%Y-%m-%d %H:%M}"
        )
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(part) for part in value)
    return str(value)


def number(value: float) -> str:
    """Three significant digits below a thousand, whole numbers above."""
    if value != value:
        return ""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 0.001 and value else f"{value:.3f}".rstrip("0").rstrip(".")


def say(console: Console, text: str, style: str = "") -> None:
    """A sentence, set off by two blanks; never read as markup."""
    console.print(Text("  " + text, style=style), soft_wrap=True)


def grid(console: Console, title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    """A table, unless it has no rows."""
    if rows:
        console.print(table(title, rows, columns))


def head(console: Console, title: str) -> None:
    """The heading of a section."""
    console.print()
    console.rule(Text(title, style="bold"), align="left")
