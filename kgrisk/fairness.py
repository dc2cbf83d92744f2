"""Fairness of a published score, by what happened to its entities in the year after its cut."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np

from gnn.fairness import LEVEL, Gap, Group, gaps_of, measured
from gnn.fairness_groups import groups_of
from kg.errors import KgRiskError
from kg.snapshot import Snapshot
from queries.warning.signals import failures


@dataclass(frozen=True)
class Fairness:
    """A score looked at by groups."""

    score: str
    by: str
    cut: datetime
    threshold: float
    limit: float | None
    groups: tuple[Group, ...]
    gaps: tuple[Gap, ...]
    remarks: tuple[str, ...]

    @property
    def fair(self) -> bool:
        """No gap is over the limit."""
        return not any(gap.over for gap in self.gaps)

    def told(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self) | {"fair": self.fair}


def fairness(
    snapshot: Snapshot, score: str, by: str, *, limit: float | None = None, threshold: float | None = None
) -> Fairness:
    """The latest run's scores against what happened in the twelve months after its cut.

    Without a threshold as many are called as fell. KgRiskError where nobody has the score, nothing is known after its
    cut, or there is a limit and nothing that could be judged by it.
    """
    ids, values, cut = scored(snapshot, score)
    until, fell = year_later(cut), failures(snapshot)
    truth = np.array([cut < fell[row] <= until if row in fell else False for row in ids])
    if not truth.any():
        raise KgRiskError(
            f"none of those that have {score} at {cut:%Y-%m-%d} fell by {until:%Y-%m-%d}: nothing to judge"
        )
    at = float(np.sort(values)[-int(truth.sum())]) if threshold is None else threshold
    again = partial(measured, groups_of(snapshot, ids, by, cut), values, truth, at)
    gaps, few = gaps_of(again, limit)
    if limit is not None and not gaps:
        raise KgRiskError(f"no two groups by {by} are large enough to be judged: {'; '.join(few)}")
    return Fairness(score, by, cut, at, limit, again(LEVEL), gaps, few)


def year_later(moment: datetime) -> datetime:
    """The same day of the next year; 28 February after the 29th."""
    leap = (moment.month, moment.day) == (2, 29)
    return moment.replace(year=moment.year + 1, day=28 if leap else moment.day)


def scored(snapshot: Snapshot, score: str) -> tuple[list[int], np.ndarray, datetime]:
    """Rows of the entities that the last run scored, their scores, and its cut."""
    facts = snapshot.facts_of(score).select(["subject", "value_real", "valid_from"]).to_pylist()
    facts = [fact for fact in facts if fact["value_real"] is not None]
    if not facts:
        raise KgRiskError(f"nobody has a score {score!r} at this instant; see `kgrisk scores`, or run `kgrisk train`")
    cut: datetime = max(fact["valid_from"] for fact in facts)
    held = {fact["subject"]: fact["value_real"] for fact in facts if fact["valid_from"] == cut}
    return list(held), np.array(list(held.values())), cut
