"""The forms of an entry: a node type, an edge type, a property, and the columns that hold values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Type = Literal["text", "int", "real", "money", "time", "bool"]
VALUE_COLUMNS: Final[Mapping[Type, str]] = {
    "text": "value_text",
    "int": "value_int",
    "bool": "value_int",
    "real": "value_real",
    "money": "value_decimal",
    "time": "value_time",
}


@dataclass(frozen=True, slots=True)
class Property:
    """A typed value of a node (or of an edge, where the edge type lists it)."""

    type: Type
    doc: str
    unit: str = ""
    node: Literal["Fact", "Name", "Score", "Embedding"] = "Fact"
    """Label of the clocked node that holds it in a store: (n)-[:HAS_FACT]->(:Fact), and so on."""
    time: Literal["state", "event"] = "state"
    """`state` holds from valid_from to valid_to; `event` is a measurement that never goes out of date."""
    many: bool = False
    """True: several values may hold at once (names); False: one wins, the others are conflicts."""
    modality: Literal["", "text", "image", "numeric"] = ""


@dataclass(frozen=True, slots=True)
class NodeType:
    """A kind of entity."""

    doc: str
    schemes: tuple[str, ...]
    """Id schemes, strongest first."""


@dataclass(frozen=True, slots=True)
class EdgeType:
    """A relation read from left to right: source TYPE target."""

    doc: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    key: str
    """What tells two edges of this type between the same ends apart."""
    time: Literal["state", "event"] = "state"
    props: Mapping[str, Property] = field(default_factory=dict)
    """At most one property per typed column."""
