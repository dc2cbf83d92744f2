"""Events: the transfers of each account in order of time, looked up as of a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ragged:
    """For each question some rows, latest first: `row[k]` answers question `place[k]`; places ascend."""

    place: np.ndarray
    row: np.ndarray

    def where(self, chosen: np.ndarray) -> Ragged:
        return Ragged(self.place[chosen], self.row[chosen])


@dataclass(frozen=True)
class Events:
    """Rows grouped by a key (the sender, the receiver, the pair), ascending in each group."""

    key: np.ndarray
    """(rows,) the key of each row of the table."""
    order: np.ndarray
    """(rows,) rows by key, then by time."""
    code: np.ndarray
    """(rows,) key * rows + row in that order: one sorted array answers all look-ups."""

    @classmethod
    def by(cls, key: np.ndarray) -> Events:
        order = np.argsort(key, kind="stable")
        return cls(key, order, key[order] * len(key) + order)

    def before(self, keys: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """(questions,) how many of the leading `seen` rows have the key."""
        start, end = self._span(keys, seen)
        found: np.ndarray = end - start
        return found

    def latest(self, keys: np.ndarray, seen: np.ndarray, most: int, since: np.ndarray | None = None) -> Ragged:
        """The last `most` rows with each key among the leading `seen` rows, and from row `since` on."""
        start, end = self._span(keys, seen)
        if since is not None:
            start = np.searchsorted(self.code, keys * len(self.key) + since, "left")
        size = np.clip(end - start, 0, most)
        place = np.repeat(np.arange(len(keys)), size)
        step = np.arange(len(place)) - np.repeat(np.cumsum(size) - size, size)
        return Ragged(place, self.order[end[place] - 1 - step])

    def _span(self, keys: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        base = keys * len(self.key)
        return np.searchsorted(self.code, base, "left"), np.searchsorted(self.code, base + seen, "left")


def pairs(source: np.ndarray, target: np.ndarray) -> Events:
    """Rows by (sender, receiver), and `key` to ask them by."""
    width = int(max(source.max(initial=0), target.max(initial=0))) + 1
    return Events.by(dense(source * width + target))


def dense(key: np.ndarray) -> np.ndarray:
    """Keys as 0, 1, 2 ... in the order of their size, so that products with them cannot run over."""
    found: np.ndarray = np.unique(key, return_inverse=True)[1].astype(np.int64)
    return found
