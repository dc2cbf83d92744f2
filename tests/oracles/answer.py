"""How an oracle puts rows together: in order, in groups, and as they were known before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from kg.model import AsOf
from tests.poison import Seen, World

Answer = list[dict[str, Any]]
MONEY = ("LENDS_TO", "EXPOSED_TO")


def ordered(rows: Iterable[dict[str, Any]], *order: str) -> Answer:
    """Rows by columns; `-column` descends."""
    made = list(rows)
    for column in reversed(order):
        made.sort(key=lambda row: row[column.lstrip("-")], reverse=column.startswith("-"))
    return made


def grouped(rows: Iterable[Any], key: Any) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def earlier(world: World, at: AsOf, known: str) -> Seen:
    return world.seen(replace(at, known=datetime.fromisoformat(known)))
