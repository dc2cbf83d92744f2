"""Ranged: what a measure gives over many networks that have the same margins, as an error bar on each number.

Of N draws the k-th smallest and the k-th largest stand at the ends, k = 0.05 (N + 1) rounded down: one more network of
the same law lies between them with a chance of at least 1 - 2k / (N + 1), so of 90 % whatever N is (from 19 on; of
fewer the range is all of them).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from queries.belief import TAIL, Interval
from queries.exposures import Exposures
from queries.measure import RiskMeasure
from queries.reconstruct.margins import Margins
from queries.scenario import Kind, Shocks, Spec

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Books:
    """What each has and owes outside the network: the same in every draw, as its equity is."""

    margins: Margins
    external_assets: Floats
    external_liabilities: Floats
    currency: str = "EUR"

    def exposures(self, claims: Floats) -> Exposures:
        """One network with these books."""
        return Exposures.of(
            claims, self.external_assets, self.external_liabilities, ids=self.margins.ids, currency=self.currency
        )


@dataclass(frozen=True)
class Ranged:
    """Losses by draw and entity."""

    measure: str
    unit: str
    ids: tuple[str, ...]
    loss: Floats
    """(draws, n)."""
    links: NDArray[np.int64]
    """(draws,) how many exposures each network had."""

    @cached_property
    def each(self) -> Interval:
        """(n,) mean, deviation, 5 % and 95 % quantile of everyone's loss."""
        return _interval(self.loss)

    @cached_property
    def total(self) -> Interval:
        """(1,) the same of the sum."""
        return _interval(self.loss.sum(axis=1, keepdims=True))


def over(
    measure: RiskMeasure, books: Books, networks: Iterable[Floats], shock: Spec | Shocks, kind: Kind | None = None
) -> Ranged:
    """The measure on each network in turn, for the first scenario of the shock."""
    found, links, unit = [], [], ""
    for claims in networks:
        exposures = books.exposures(claims)
        shocks = shock if isinstance(shock, Shocks) else Shocks.parse(exposures, shock, kind=kind)
        losses = measure.spread(exposures, shocks)
        found.append(losses.loss[0])
        links.append(exposures.edges.num_rows)
        unit = losses.unit
    if not found:
        raise MeasureError("no network was drawn; ask for at least one")
    return Ranged(measure.name, unit, books.margins.ids, np.array(found), np.array(links, np.int64))


def _interval(values: Floats) -> Interval:
    ranked, count = np.sort(values, axis=0), len(values)
    place = max(int(TAIL * (count + 1) + 1e-9), 1) - 1
    return Interval(values.mean(axis=0), values.std(axis=0), ranked[place], ranked[count - 1 - place])
