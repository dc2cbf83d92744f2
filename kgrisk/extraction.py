"""Extraction of single files: their claims as plain objects, without any graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest import pipeline
from ingest.source import Models, Source
from kg.errors import SourceError
from kg.model import FIRST, LAST
from kg.ontology import EDGES, PROPERTIES, VALUE_COLUMNS
from kg.plugins import load

PACKAGE = pipeline.PACKAGE


@dataclass(frozen=True, slots=True)
class Refused:
    """A record, or a part of one, that gave no claims."""

    path: str
    locator: str
    reason: str


def extract(source: str, files: Sequence[Path], models: Models | None = None) -> Iterator[Mapping[str, Any] | Refused]:
    """Claims of files as one source reads them, one object per claim, and what was refused.

    SourceError if a file is not there or the source can make nothing of any of them.
    """
    if folders := [str(file) for file in files if not file.is_file()]:
        raise SourceError(f"{', '.join(folders)}: no such file; name files, not folders")
    records = 0
    for record, found in pipeline.extract(source, files, models):
        records += 1
        for refusal in found.refused:
            yield Refused(record.path, refusal.locator, refusal.reason)
        for row in found.claims.table.to_pylist():
            yield told(row) | {"file": record.path}
    if not records:
        patterns = load(PACKAGE, source, Source).patterns  # type: ignore[type-abstract]  # a role is asked for
        names = ", ".join(file.name for file in files)
        raise SourceError(f"{names}: {source} reads nothing in it; it reads {', '.join(patterns)}")


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A claim row with the names of the vocabulary in place of typed columns."""
    says = {
        "node": lambda: {"label": row["name"], "id": row["subject"], "props": {}},
        "property": lambda: {"property": row["name"], "id": row["subject"], "key": row["key"], "props": _property(row)},
        "edge": lambda: {
            "type": row["name"],
            "source": row["subject"],
            "target": row["object"],
            "key": row["key"],
            "props": edge_values(row),
        },
    }.get(row["kind"], lambda: {"a": row["subject"], "b": row["object"], "props": {}})()
    clocks = {
        "valid_from": None if row["valid_from"] == FIRST else row["valid_from"],
        "valid_to": None if row["valid_to"] == LAST else row["valid_to"],
        "published": row["published"],
    }
    evidence = {name: row[name] for name in ("document", "locator", "quote", "extractor", "confidence")}
    return {"kind": row["kind"], **says, **clocks, **evidence}


def _property(row: Mapping[str, Any]) -> dict[str, Any]:
    type = PROPERTIES[row["name"]].type
    made = {row["name"]: row[VALUE_COLUMNS[type]]}
    return made | {"currency": row["unit"]} if type == "money" else made


def edge_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """Properties of an edge row by their names in the vocabulary."""
    made: dict[str, Any] = {}
    for name, property in EDGES[row["name"]].props.items():
        if (value := row[VALUE_COLUMNS[property.type]]) is not None:
            made[name] = value
            if property.type == "money":
                made["currency"] = row["unit"]
    return made
