"""Plug-ins found by file name (one per file of a package's folder) and by the entry-point group kgrisk.plugins.

Listing imports none of them: names come from the folder, summaries from the first line of each docstring.
An entry point is called `<package>:<name>`, such as `ingest.sources:swift`, and names a module.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from rapidfuzz.process import extractOne

from kg.errors import KgRiskError

GROUP = "kgrisk.plugins"
T = TypeVar("T")


def names(package: str) -> list[str]:
    """Names of the plug-ins of a package such as `ingest.sources`, sorted."""
    return sorted(_modules(package))


def summaries(package: str) -> Mapping[str, str]:
    """Name and first docstring line of each plug-in, without importing any."""
    return {name: _summary(module) for name, module in sorted(_modules(package).items())}


def load(package: str, name: str, role: type[T]) -> type[T]:
    """The class of a role that a plug-in defines. KgRiskError names the known ones if there is none of that name."""
    modules = _modules(package)
    if name not in modules:
        near = extractOne(name, list(modules), score_cutoff=60)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise KgRiskError(f"{package} has no {name!r}; known: {', '.join(sorted(modules))}{hint}")
    module = import_module(modules[name])
    found = [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, role) and member.__module__ == module.__name__ and not inspect.isabstract(member)
    ]
    if len(found) != 1:
        raise KgRiskError(f"{modules[name]} must define exactly one {role.__name__}, it defines {len(found)}")
    return found[0]


def _modules(package: str) -> dict[str, str]:
    """Module of each plug-in by name; the project's own win over entry points of the same name."""
    prefix = f"{package}:"
    found = _entries(tuple(sys.path))
    modules = {name.removeprefix(prefix): module for name, module in found if name.startswith(prefix)}
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for file in Path(folder).glob("*.py"):
            if not file.stem.startswith("_"):
                modules[file.stem] = f"{package}.{file.stem}"
    return modules


@cache
def _entries(_: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Name and module of the group's entry points on a path: reading every package's metadata costs tens of ms."""
    return tuple((point.name, point.value) for point in entry_points(group=GROUP))


def _summary(module: str) -> str:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    doc = ast.get_docstring(ast.parse(Path(spec.origin).read_text()))
    return (doc or "").partition("\n")[0]
