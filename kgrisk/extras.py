"""Rooms that need an optional extra: loaded on first use, so that analysts need no tensor library.

This is the one place where a module of ours is imported late, because `pip install kgrisk` without `[learn]` must work.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from kg.errors import MissingExtraError

OWN = ("kg", "gnn", "ingest", "queries", "kgrisk")


def learning() -> Any:
    """The module gnn.pipeline; MissingExtraError says how to install what it lacks."""
    return need("gnn.pipeline", "learn")


def need(module: str, extra: str) -> Any:
    """A module whose third-party packages belong to an extra."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in OWN:
            raise
        raise MissingExtraError(
            f"{module} needs the package {error.name!r}, which is not installed; run `pip install 'kgrisk[{extra}]'`"
        ) from error
