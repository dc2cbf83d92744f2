"""The corpus of hostile and broken files: every source, every fault, made anew by `corpus()` and the same each time.

A case is a file, or what lies where a file should be, and a word that the reason in the report must hold.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from ingest.pipeline import PACKAGE
from kg import plugins

SOURCES = plugins.names(PACKAGE)


@dataclass(frozen=True)
class Case:
    """One file of the corpus."""

    path: str
    content: bytes
    reason: str = ""
    """A word that the reason holds; "" for content that is odd and right: it is read, and says no more than it says."""
    link: str = ""
    """What it links to, if it is a symbolic link; `|` for a pipe."""


def good() -> dict[str, bytes]:
    """Files that every source reads, in a folder each."""
    made: dict[str, bytes] = {}
    for name in SOURCES:
        files = import_module(f"tests.contract.examples.{name}").good()
        made |= {f"good/{name}/{file}": content for file, content in files.items()}
    return made


def write(folder: Path, files: Sequence[Case]) -> None:
    for case in files:
        path = folder / case.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if case.link == "|":
            os.mkfifo(path)
        elif case.link:
            path.symlink_to(case.link)
        else:
            path.write_bytes(case.content)


def corpus() -> list[Case]:
    from tests import hostile_faults

    return [*hostile_faults.everywhere(), *hostile_faults.by_source()]
