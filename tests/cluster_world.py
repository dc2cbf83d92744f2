"""The planted world of learning as registers in many small files, in two deliveries, and a Ray that loses a node."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from kg.executor import Progress, R, Shard, never, quiet
from kg.files import Files
from kg.model import Claim, Edge, Node
from kgrisk.ray import Ray
from tests.gnn_world import Maker, day
from tests.ray_cluster import Nodes

FIRMS, BANKS = 48, 8
ROWS = (30, 2)
"""Rows of a file of the first delivery, and of the later one: either is more than a few shards."""
LATER = day(2023, 7)
"""What is published from then on comes with the second delivery."""
TRADES = ("steel", "software", "food", "ships")
Row = dict[str, Any]


def write_deliveries(folder: Path) -> tuple[Path, Path]:
    """Two folders of CSV files of few rows, each a record that a worker can read by itself."""
    names = [f"reg:firm{n:03d}" for n in range(FIRMS)], [f"reg:bank{n:02d}" for n in range(BANKS)]
    made = Maker(np.random.default_rng(0), Files(folder / "unused"), *names)
    made.entities()
    made.loans()
    made.supplies()
    made.accounts_of_the_years()
    for bank in made.banks:
        for year in range(2018, 2023):
            figures = {"assets": Decimal(90_000_000), "equity": Decimal(9_000_000), "cash": Decimal(1_000_000)}
            told = Node("Bank", bank, {**figures, "currency": "EUR"}, key=str(year))
            made.say(told, day(year + 1, 2), day(year, 11))
    for firm, when in made.doomed.items():
        made._failure(firm, when)
    deliveries = folder / "first", folder / "later"
    for path, later, rows in zip(deliveries, (False, True), ROWS, strict=True):
        write(path, (claim for claim in made.claims if (claim.published >= LATER) is later), rows)
    return deliveries


def write(folder: Path, claims: Iterable[Claim], most: int) -> None:
    """The tables of some claims, cut into files of at most so many rows."""
    tables = defaultdict[str, list[Row]](list)
    for claim in claims:
        if row := row_of(claim):
            tables[row.pop("table")].append(row)
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        for number, start in enumerate(range(0, len(rows), most)):
            with (folder / f"{name}-{number:02d}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows[start : start + most])


def row_of(claim: Claim) -> Row | None:
    """A claim as the row of a register; None for what stands in the row of another one."""
    what, said = claim.what, f"{claim.published:%Y-%m-%d}"
    if isinstance(what, Edge):
        return _edge(what, said, claim.valid_from)
    if not isinstance(what, Node) or what.label == "Event":
        return None
    props = what.props
    if "name" in props:
        number = int(what.id[-2:])
        text = f"{props['name']} makes {TRADES[number % 4]} of kind {number} for the market."
        head = {"id": what.id, "label": what.label, "name": props["name"], "country": ("DE", "FR", "IT")[number % 3]}
        return {"table": "entities", **head, "published": said, "description": text}
    figures = {name: f"{props[name]}.00" for name in ("assets", "equity", "cash")}
    head = {"table": "balances", "entity_id": what.id, "period_end": f"{what.key}-12-31"}
    return {**head, **figures, "currency": "EUR", "published": said}


def _edge(edge: Edge, said: str, start: datetime | None) -> Row:
    since = f"{start:%Y-%m-%d}"
    money = {"amount": f"{edge.props.get('amount', 1_000_000)}.00", "currency": "EUR"}
    spell = {**money, "valid_from": since, "valid_to": "", "published": said}
    if edge.type == "LENDS_TO":
        return {"table": "exposures", "creditor_id": edge.source, "debtor_id": edge.target, "facility": "loan", **spell}
    if edge.type == "SUPPLIES":
        return {"table": "supply", "supplier_id": edge.source, "customer_id": edge.target, **spell}
    event = {"event_id": edge.target.removeprefix("event:"), "event_type": "default", "entity_id": edge.source}
    return {"table": "events", **event, "role": "subject", "date": since, "published": said}


class Struck(Ray):
    """A Ray cluster whose second node loses its power once, after so many shards of one call are back."""

    def __init__(self, nodes: Nodes, after: int) -> None:
        super().__init__(nodes.address)
        self.nodes, self.after, self.left = nodes, after, -1
        """`left` is how many shards were still to do when it did; -1 if it never did."""

    def map(
        self,
        fn: Callable[..., R],
        shards: Iterable[Shard],
        *shared: Any,
        progress: Progress = quiet,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[R]:
        todo = list(shards)
        found = super().map(fn, todo, *shared, progress=progress, cancelled=cancelled)
        for done, one in enumerate(found, 1):
            if done == self.after < len(todo) and self.left < 0:
                self.nodes.kill()
                self.left = len(todo) - done
            yield one
