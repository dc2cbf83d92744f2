"""The tree in docs/architecture.md is the tree of the project: every module is told once, and none that is gone."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
ROOMS = ("kg", "ingest", "gnn", "queries", "kgrisk")


def told(room: str) -> list[str]:
    """Names in the table of a room, a folder with its stroke."""
    table = PAGE.read_text("utf-8").partition(f"| `{room}/` | |\n")[2].partition("\n\n")[0]
    return [name for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row.split(" | ")[-1])]


def there(room: str) -> set[str]:
    """Modules and folders of a room, as they lie on disk."""
    paths = [path for path in (ROOT / room).iterdir() if not path.name.startswith(("_", "."))]
    return {path.stem for path in paths if path.suffix == ".py"} | {f"{path.name}/" for path in paths if path.is_dir()}


@pytest.mark.parametrize("room", ROOMS)
def test_the_tree_names_every_module_once_and_none_that_is_not_there(room: str) -> None:
    names, found = told(room), there(room)
    plain = {name for name in names if "*" not in name}
    assert len(names) == len(set(names)) > 5
    assert plain - found == set(), "is not there: take it out of docs/architecture.md"
    unnamed = {name for name in found - plain if not any(fnmatch(name, pattern) for pattern in names)}
    assert unnamed == set(), "is not told: give it a place in docs/architecture.md"
