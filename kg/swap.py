"""A table written anew beside the one in use, put in its place so that a kill between leaves one of the two whole."""

from __future__ import annotations

import os
from pathlib import Path
from shutil import rmtree


def swap(folder: Path) -> None:
    """Let `table.new`, which is complete, take the place of `table`, of which nothing stays."""
    os.sync()  # the library that wrote it does not say when its bytes are on disk
    (folder / "table.new").rename(folder / "table.ready")
    settle(folder)


def settle(folder: Path) -> Path:
    """Finish a swap that was broken off, if there is one; gives where the table lies."""
    table, ready, old = (folder / name for name in ("table", "table.ready", "table.old"))
    if ready.exists():
        if table.exists():
            rmtree(old, ignore_errors=True)
            table.rename(old)
        ready.rename(table)
    if old.exists() and table.exists():
        rmtree(old)
    return table
