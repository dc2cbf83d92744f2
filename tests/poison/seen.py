"""What a store must show of the poison world at one instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from kg.model import iso
from tests.poison.said import PROPERTIES, Said


@dataclass(frozen=True)
class Row:
    """One relationship as a store must show it."""

    type: str
    source: str
    target: str
    key: str
    id: str
    said: Said
    statement: str
    claims: int
    conflict: int

    @property
    def minor(self) -> int | None:
        amount = next((value for value in self.said.props.values() if isinstance(value, Decimal)), None)
        return None if amount is None else int(amount * 100)

    @property
    def value(self) -> Any:
        """What a property says."""
        return self.said.props[self.type]

    @property
    def currency(self) -> str | None:
        return self.said.props.get("currency")

    @property
    def since(self) -> str:
        return iso(self.said.valid_from)

    def __getattr__(self, name: str) -> Any:
        if name in ("share", "score", "role"):
            return self.said.props.get(name)
        raise AttributeError(name)


@dataclass
class Seen:
    """What is visible at one instant."""

    rows: list[Row]
    labels: dict[str, str]
    by: dict[str, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in sorted(self.rows, key=lambda r: r.id):
            self.by.setdefault(row.type, []).append(row)

    def shows(self, row: Row) -> bool:
        """Whether the row was visible just so, by the same saying."""
        return (row.id, row.statement, id(row.said)) in self._shown

    @cached_property
    def _shown(self) -> set[tuple[str, str, int]]:
        return {(row.id, row.statement, id(row.said)) for row in self.rows}

    def of(self, *types: str) -> list[Row]:
        return [row for type in types for row in self.by.get(type, [])]

    def edges(self) -> list[Row]:
        return [row for row in self.rows if row.type not in PROPERTIES]

    def out(self, node: str, *types: str) -> list[Row]:
        return [row for row in self.of(*types) if row.source == node]

    def into(self, node: str, *types: str) -> list[Row]:
        return [row for row in self.of(*types) if row.target == node]

    def trails(self, types: tuple[str, ...], hops: int) -> Iterator[list[Row]]:
        """All walks of 1..hops edges that use no edge twice."""
        leaving: dict[str, list[Row]] = {}
        for row in self.of(*types):
            leaving.setdefault(row.source, []).append(row)

        def grow(trail: list[Row]) -> Iterator[list[Row]]:
            yield trail
            if len(trail) < hops:
                for row in leaving.get(trail[-1].target, []):
                    if row not in trail:
                        yield from grow([*trail, row])

        for row in self.of(*types):
            yield from grow([row])
