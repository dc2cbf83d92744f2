"""What Neo4j answers, as plain values."""

from __future__ import annotations

from datetime import date
from typing import Any

from neo4j.graph import Node, Path, Relationship
from neo4j.time import Date, DateTime

from kg.model import iso


def plain(value: Any) -> Any:
    """A value as Python knows it: nodes and relationships are maps of properties, paths lists of those."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Node | Relationship):
        return {key: plain(item) for key, item in sorted(value.items())}
    if isinstance(value, Path):
        nodes, edges = list(value.nodes), list(value.relationships)
        mixed = [item for pair in zip(nodes, edges, strict=False) for item in pair] + nodes[len(edges) :]
        return [plain(item) for item in mixed]
    if isinstance(value, Date | DateTime):
        return plain(value.to_native())
    return iso(value) if isinstance(value, date) else value
