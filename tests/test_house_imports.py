"""What tests and benchmarks import of our rooms is there: no type checker reads them, and caches outlive a file."""

from __future__ import annotations

import ast
import gc
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("kg", "gnn", "ingest", "queries", "kgrisk", "benchmarks")


@pytest.fixture(scope="module", autouse=True)
def uncollected() -> Iterator[None]:
    """A syntax tree has no circles; looking for some among all that a process of tests holds took most of the time."""
    gc.disable()
    yield
    gc.enable()


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """Module and name of every import from our rooms; the name is empty where a whole module is imported."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in ROOMS:
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] in ROOMS)


@cache
def defined(module: str) -> set[str]:
    """Names that a module's text defines or imports at its top, and the modules inside it."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return set()
    path, names = Path(spec.origin), set[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    if spec.submodule_search_locations:
        names.update(child.stem for child in path.parent.iterdir())
    return names


def missing(path: Path) -> list[str]:
    found = []
    for module, name in sorted(set(imported(path))):
        try:
            there = importlib.util.find_spec(module) is not None
        except ModuleNotFoundError:
            there = False
        if not there or (name and name not in defined(module)):
            found.append(f"{module}{'.' + name if name else ''}")
    return found


@pytest.mark.parametrize("room", ["tests", "benchmarks"])
def test_every_import_of_our_own_code_is_there(room: str) -> None:
    paths = sorted((ROOT / room).rglob("*.py"))
    assert len(paths) > 40
    assert {path.relative_to(ROOT).as_posix(): gone for path in paths if (gone := missing(path))} == {}


def test_an_import_of_a_deleted_module_is_seen(tmp_path: Path) -> None:
    stale = tmp_path / "stale.py"
    stale.write_text("from gnn.no_such_module import scaled\nfrom gnn.calibrate import no_such_name, platt\n")
    assert missing(stale) == ["gnn.calibrate.no_such_name", "gnn.no_such_module.scaled"]
