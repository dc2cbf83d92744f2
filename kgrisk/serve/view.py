"""View: the resolved graph at one instant, ready to be asked for one entity at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from kg.model import iso
from kg.snapshot import Snapshot
from kgrisk import published
from kgrisk.evidence import clocks, first_value
from kgrisk.result import dicts
from kgrisk.serve.texts import Texts


class View:
    """A snapshot with the places where each node's facts and edges lie."""

    def __init__(self, snapshot: Snapshot, runs: Sequence[str] = ()) -> None:
        self.snapshot = snapshot
        self.runs = tuple(runs)
        """Ids of the runs whose scores, losses and expected links it holds."""
        self._scores: dict[str, dict[int, float]] = {}
        self._rankings: dict[str, pa.Table] = {}

    @property
    def clocks(self) -> dict[str, str]:
        """The three instants, as ISO text."""
        at = self.snapshot.at
        return {name: iso(moment) for name in ("valid", "known", "published") if (moment := getattr(at, name))}

    @cached_property
    def _fact_ends(self) -> np.ndarray:
        """Facts are sorted by subject: those of row n are [ends[n], ends[n + 1])."""
        subjects = self.snapshot.facts["subject"].to_numpy()
        return np.searchsorted(subjects, np.arange(len(self.snapshot) + 1))

    @cached_property
    def _edge_rows(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """For source and target: rows of edges in the order of that end, and where each node's begin."""
        places = np.arange(len(self.snapshot) + 1)
        found = {}
        for end in ("source", "target"):
            column = self.snapshot.edges[end].to_numpy()
            order = np.argsort(column, kind="stable")
            found[end] = (order, np.searchsorted(column[order], places))
        return found

    def facts(self, row: int) -> pa.Table:
        """All facts of a node."""
        begin, end = self._fact_ends[row : row + 2]
        return self.snapshot.facts.slice(begin, end - begin)

    def edges(self, row: int, end: str = "source") -> np.ndarray:
        """Rows of the edges that have a node at this end."""
        order, starts = self._edge_rows[end]
        return order[starts[row] : starts[row + 1]]

    def degree(self, row: int) -> int:
        """How many edges touch a node."""
        return sum(len(self.edges(row, end)) for end in ("source", "target"))

    @cached_property
    def types(self) -> list[str]:
        """Type of each edge."""
        return self.snapshot.edges["type"].to_pylist()  # type: ignore[no-any-return]  # pyarrow is untyped

    @cached_property
    def ends(self) -> dict[str, list[int]]:
        """Rows of nodes at the two ends of each edge."""
        return {end: self.snapshot.edges[end].to_pylist() for end in ("source", "target")}

    @cached_property
    def _batches(self) -> tuple[list[pa.RecordBatch], np.ndarray]:
        """The edges in the pieces they lie in, and the row after each piece: taking rows out of a table of several
        pieces makes Arrow join them first."""
        batches = self.snapshot.edges.to_batches()
        return batches, np.cumsum([len(batch) for batch in batches])

    def edge_rows(self, places: np.ndarray) -> list[dict[str, Any]]:
        """All columns of edges; the rows are given in rising order."""
        batches, ends = self._batches
        pieces = np.searchsorted(ends, places, side="right")
        own = [
            batches[piece].take(pa.array(places[pieces == piece] - (ends[piece - 1] if piece else 0)))
            for piece in np.unique(pieces)
        ]
        return dicts(pa.Table.from_batches(own, self.snapshot.edges.schema))

    def edge_row(self, place: int) -> dict[str, Any]:
        """All columns of an edge."""
        return self.edge_rows(np.array([place]))[0]

    @cached_property
    def folded(self) -> list[str]:
        """Name of each node without case, for search."""
        return [name.casefold() for name in self.snapshot.names]

    @cached_property
    def texts(self) -> Texts:
        """What is said in words, ready to be searched."""
        return Texts(self.snapshot)

    def score(self, property: str) -> dict[int, float]:
        """Latest number of a property by node."""
        if (kept := self._scores.get(property)) is not None:
            return kept
        rows, values = self.snapshot.latest(property)
        found = dict(zip(rows.tolist(), values.tolist(), strict=True))
        if found:  # what nobody has is not kept: there is no end of names
            self._scores[property] = found
        return found

    def ranking(self, property: str) -> pa.Table:
        """The latest score of every entity that has one, highest first, with the statement that says so."""
        if (kept := self._rankings.get(property)) is not None:
            return kept
        found = published.sourced(self.snapshot, published.scores(self.snapshot, property), property)
        if len(found):
            self._rankings[property] = found
        return found

    def entity(self, row: int) -> dict[str, Any]:
        """Id, label and name of a node."""
        s = self.snapshot
        return {"id": s.ids[row], "label": s.labels[row], "name": s.names[row]}

    def edge(self, row: dict[str, Any]) -> dict[str, Any]:
        """An edge with the ids of its ends, its amount or number, and its clocks."""
        s = self.snapshot
        ends = {"source": s.ids[row["source"]], "target": s.ids[row["target"]]}
        return {"id": row["id"], "type": row["type"], **ends, "key": row["key"], **stated(row)}


def stated(row: dict[str, Any]) -> dict[str, Any]:
    """What every statement has: its value and unit, its clocks, its confidence and its id; an open end is None."""
    told = {"value": first_value(row), "unit": row["unit"] or None, **clocks(row)}
    return told | {"confidence": row["confidence"], "statement": row["statement"]}
