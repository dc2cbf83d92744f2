"""Near: exact search among the vectors that are visible at three instants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from kg.store import CLOCK_TEXT, NEAREST
from kg.vectors import Vectors

CACHED = 4
"""Answers whose vectors are kept in memory."""


@dataclass(frozen=True)
class _Embedded:
    """Vectors of one model, one row per id."""

    ids: list[str]
    matrix: np.ndarray
    model: str


class Near:
    """The vectors of a store, as they were last asked for."""

    def __init__(self, rows: Callable[[str, dict[str, Any]], Iterator[list[Any]]], vectors: Vectors) -> None:
        self._rows = rows
        self._vectors = vectors
        self._kept: dict[tuple[object, ...], _Embedded] = {}

    def clear(self) -> None:
        """Forget what is kept."""
        self._kept.clear()

    def find(self, label: str, vector: Sequence[float], k: int, clocks: Mapping[str, str], model: str) -> pa.Table:
        """The k nodes of a label with the most similar vectors, most first, ties by id (NEAREST)."""
        wanted = np.asarray(vector, dtype=np.float64)
        asked = (label, model, len(wanted), *clocks.values())
        if asked not in self._kept:  # what was known once stays so: an answer is never out of date
            self._kept = dict([*self._kept.items()][1 - CACHED :])
            self._kept[asked] = self._read(label, model, len(wanted), clocks)
        found = self._kept[asked]
        norms = np.linalg.norm(found.matrix, axis=1) * np.linalg.norm(wanted)
        scores = np.divide(found.matrix @ wanted, norms, out=np.zeros(len(norms)), where=norms > 0)
        best = sorted(zip(-scores, found.ids, strict=True))[:k]
        ids, nearness = [id for _, id in best], [float(-s) for s, _ in best]
        return pa.table([ids, nearness, [found.model] * len(best)], schema=NEAREST)

    def _read(self, label: str, model: str, dim: int, clocks: Mapping[str, str]) -> _Embedded:
        """The vectors of a label that are visible at three instants, of one model."""
        text = f"""MATCH (n:{label})-[r:HAS_EMBEDDING]->(e:Embedding)
          WHERE {CLOCK_TEXT} AND ($model = '' OR e.model = $model)
          RETURN n.id, e.model, e.text, r.known_from ORDER BY r.known_from DESC, e.model, n.id"""
        found = list(self._rows(text, {"model": model, **clocks}))
        found = [row for row in found if row[1] == found[0][1]]
        pairs = zip(found, self._vectors.rows([row[2] for row in found]), strict=True)
        kept = [(row[0], vector) for row, vector in pairs if len(vector) == dim]
        matrix = np.stack([v for _, v in kept]) if kept else np.zeros((0, dim), np.float32)
        return _Embedded([id for id, _ in kept], matrix.astype(np.float64), found[0][1] if found else model)
