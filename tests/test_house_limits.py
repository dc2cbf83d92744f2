"""Every file and every function is read in one sitting; what is longer is listed here, and the list only shrinks."""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("kg", "gnn", "ingest", "queries", "kgrisk", "tests", "benchmarks")
FILE, FUNCTION = 300, 40
"""The most lines of a file and of a function."""
LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}
"""What is longer than it should be, with the lines it has: `room/file.py`, and `room/file.py::function`."""


@pytest.fixture(scope="module", autouse=True)
def uncollected() -> Iterator[None]:
    """A syntax tree has no circles; looking for some among all that a process of tests holds took most of the time."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    """The text of every Python file by its path."""
    found = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in found}


def functions(name: str, text: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name}::{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def longer(lengths: dict[str, int], limit: int) -> dict[str, int]:
    return {name: lines for name, lines in lengths.items() if lines > limit}


def test_a_file_is_read_in_one_sitting(sources: dict[str, str]) -> None:
    assert len(sources) > 400
    assert longer({name: len(text.splitlines()) for name, text in sources.items()}, FILE) == LONG_FILES


def test_a_function_is_read_at_a_glance(sources: dict[str, str]) -> None:
    lengths = dict(found for name, text in sources.items() for found in functions(name, text))
    assert len(lengths) > 2_000
    assert longer(lengths, FUNCTION) == LONG_FUNCTIONS
