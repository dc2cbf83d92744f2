"""Attribution: the money of a clearing loss by the path it came over, adding up to the whole.

Let a shock grow in proportion, t s for t from 0 to 1 (Aumann, Shapley, "Values of Non-Atomic Games", 1974). With D(t)
who cannot pay at t and pbar_j the debts of j, one more unit of shock costs i

    m_i(t) = s_i + sum over j in D(t) of A_ij / pbar_j  m_j(t)

so the loss of i, the integral of m_i, is a sum over walks i <- d_1 <- ... <- o of

    s_o  A_id1 / pbar_d1 ... A_..o / pbar_o  |{t: d_1, ..., o all in D(t)}|

D only grows with t (Eisenberg, Noe 2001: payments fall when means fall), so the last factor is 1 less the t at which
the last of them starts to fail: what a debtor's own equity absorbs first reaches nobody. D changes at most n times and
m is constant between, so all of it is exact up to rounding, without a step size. What an unlisted rest of walks carries
is an integral of its own, not what is missing from the sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.errors import MeasureError
from queries.contagion.clearing import TIE, clear
from queries.explain import Path, path_of
from queries.exposures import Exposures
from queries.measure import RiskMeasure
from queries.parameter import suggestion
from queries.scenario import Shocks
from queries.solve import solve

Floats = NDArray[np.float64]
Matrix = sparse.csr_array
BUDGET = 200_000
"""Walks looked at before the rest is told as one sum."""


@dataclass(frozen=True)
class Attribution:
    """A loss taken apart; `sum of paths + rest = total`."""

    entity: str
    """Whose loss; "" for the loss of everyone."""
    total: float
    """As the measure gives it, in the currency of the exposures."""
    paths: tuple[Path, ...]
    """Heaviest first; a path without edges is what the entity lost itself."""
    rest: float
    """What all other walks carry."""
    origins: Mapping[str, float]
    """The part of the total that the shock to each entity caused, most first."""

    @property
    def adds_up(self) -> float:
        """Difference of paths and rest from the total, relative to it."""
        told = sum(path.loss for path in self.paths) + self.rest
        return abs(told - self.total) / max(abs(self.total), 1e-300)


@dataclass(frozen=True)
class Stretch:
    """A part of the shock's growth in which the same entities fail."""

    start: float
    end: float
    failing: NDArray[np.bool_]
    marginal: Floats
    """(n,) m: what one more unit of t costs each."""


def attribute(
    exposures: Exposures, shocks: Shocks, entity: str = "", *, scenario: int = 0, top: int = 5, hops: int = 6
) -> Attribution:
    """The loss of an entity (or of all) in Eisenberg-Noe clearing, by its heaviest paths of at most `hops` edges."""
    if entity and entity not in exposures.index:
        raise MeasureError(f"{entity} is not in this run{suggestion(entity, list(exposures.ids))}")
    outside = shocks.outside[scenario]
    course = growth(exposures, outside)
    starts = [exposures.index[entity]] if entity else list(range(len(exposures)))
    total = float(sum((part.end - part.start) * part.marginal[starts].sum() for part in course))
    search = _Search(exposures, outside, course, hops)
    found, rest = search.heaviest(starts, top)
    paths = tuple(path_of(exposures, loss, total, node, edges) for loss, node, edges in found)
    by = _origins(exposures, outside, course, starts)
    order = sorted(np.flatnonzero(by > 0).tolist(), key=lambda row: (-by[row], exposures.ids[row]))
    return Attribution(entity, total, paths, rest, {exposures.ids[row]: float(by[row]) for row in order})


def counterfactuals(
    measure: RiskMeasure, exposures: Exposures, shocks: Shocks, paths: tuple[Path, ...], entity: str = ""
) -> list[float]:
    """By path, what the loss of an entity (or of all) would be less if its exposures had been paid by an outsider.

    Exact: the measure is asked again. Two paths that share an exposure share what it carries, so these do not add up.
    """
    rows = [exposures.index[entity]] if entity else list(range(len(exposures)))
    whole = float(measure.spread(exposures, shocks).loss[0, rows].sum())
    return [
        whole - float(measure.spread(exposures.without(path.edges), shocks).loss[0, rows].sum()) if path.edges else 0.0
        for path in paths
    ]


def growth(exposures: Exposures, outside: Floats) -> list[Stretch]:
    """The stretches of t from 0 to 1 between which somebody starts to fail, in order."""
    debts = exposures.owed + exposures.external_liabilities
    income = _income(exposures, debts)
    before = clear(exposures, exposures.external_assets[None, :])
    failing = before.payments[0] < debts * (1 - TIE)
    room, at, found = before.equity[0].copy(), 0.0, list[Stretch]()
    while at < 1:
        marginal = _marginal(income, outside, failing)
        left = np.full(len(room), np.inf)
        going = ~failing & (marginal > 0) & (debts > 0)
        left[going] = np.maximum(room[going], 0.0) / marginal[going]
        step = min(float(left.min(initial=np.inf)), 1 - at)
        end = 1.0 if step == 1 - at else at + step
        if end > at:
            found.append(Stretch(at, end, failing.copy(), marginal))
        at, room = end, room - step * marginal
        failing |= left <= step * (1 + TIE)
    return found


def _income(exposures: Exposures, debts: Floats) -> Matrix[np.float64]:
    """income @ p is what each receives when p is paid."""
    share = np.divide(1.0, debts, out=np.zeros_like(debts), where=debts > 0)
    return sparse.csr_array(exposures.claims @ sparse.diags_array(share))


def _marginal(income: Matrix[np.float64], outside: Floats, failing: NDArray[np.bool_]) -> Floats:
    rows = np.flatnonzero(failing)
    own = solve(sparse.csr_array(income[rows][:, rows]), outside[rows], outside[rows])
    return np.asarray(outside + income[:, rows] @ own, float)


def _origins(exposures: Exposures, outside: Floats, course: list[Stretch], starts: list[int]) -> Floats:
    """(n,) what the shock to each brings to the loss of the starts: one transposed solve a stretch."""
    income = _income(exposures, exposures.owed + exposures.external_liabilities)
    wanted, found = np.zeros(len(exposures)), np.zeros(len(exposures))
    wanted[starts] = 1.0
    for part in course:
        rows = np.flatnonzero(part.failing)
        pull = np.asarray(income[:, rows].T @ wanted, float)
        through = solve(sparse.csr_array(income[rows][:, rows].T), pull, pull)
        weight = wanted.copy()
        weight[rows] += through
        found += (part.end - part.start) * weight * outside
    return found


class Walk(NamedTuple):
    """A walk from who loses back towards a shock, as the search has found it so far."""

    mass: float
    """Less what all walks carry that begin like it."""
    order: int
    start: int
    node: int
    edges: tuple[int, ...] = ()
    product: float = 1.0
    since: int = 0
    """The stretch in which the last of its debtors starts to fail."""
    ended: bool = False


class _Search:
    """Best-first search for the walks that carry most."""

    def __init__(self, exposures: Exposures, outside: Floats, course: list[Stretch], hops: int) -> None:
        self.outside, self.hops = outside, hops
        edges = exposures.edges
        self.debtor = edges["target"].to_numpy()
        self.ratio = edges["amount"].to_numpy() / (exposures.owed + exposures.external_liabilities)[self.debtor]
        source = edges["source"].to_numpy()
        self.order = np.argsort(source, kind="stable")
        self.bounds = np.searchsorted(source[self.order], np.arange(len(exposures) + 1))
        self.fails = np.full(len(exposures), len(course))
        for number, part in reversed(list(enumerate(course))):
            self.fails[part.failing] = number
        lengths = np.array([part.end - part.start for part in course])
        costs = np.array([part.marginal for part in course]) * lengths[:, None]
        none = np.zeros((1, len(exposures)))
        self.mass = np.vstack([np.cumsum(costs[::-1], axis=0)[::-1], none])
        """(stretches + 1, n) what all walks from a node carry from the start of a stretch on."""
        self.left = np.append(np.cumsum(lengths[::-1])[::-1], 0.0)

    def heaviest(self, starts: list[int], top: int) -> tuple[list[tuple[float, int, tuple[int, ...]]], float]:
        """The walks that carry most as (loss, first node, edges), and what all others carry."""
        heap = [Walk(-float(self.mass[0, node]), number, node, node) for number, node in enumerate(starts)]
        heapify(heap)
        rest, pushed = 0.0, len(heap)
        found: list[tuple[float, int, tuple[int, ...]]] = []
        for _ in range(BUDGET):
            if not heap or len(found) == top:
                break
            walk = heappop(heap)
            if walk.ended:
                found.append((-walk.mass, walk.start, walk.edges))
                continue
            parts = list(self._parts(walk, pushed))
            pushed += len(parts)
            for part in parts:
                heappush(heap, part)
            if len(walk.edges) == self.hops:  # what goes further is told as part of the rest
                rest -= walk.mass - sum(part.mass for part in parts)
        return found, rest - sum(walk.mass for walk in heap)

    def _parts(self, walk: Walk, pushed: int) -> Iterator[Walk]:
        """The walk that ends here, and those that go one exposure further."""
        own = walk.product * self.outside[walk.node] * float(self.left[walk.since])
        if own > 0:
            yield walk._replace(mass=-own, order=pushed, ended=True)
        if len(walk.edges) == self.hops:
            return
        for edge in self.order[self.bounds[walk.node] : self.bounds[walk.node + 1]].tolist():
            debtor, product = int(self.debtor[edge]), walk.product * float(self.ratio[edge])
            since = max(walk.since, int(self.fails[debtor]))
            mass = product * float(self.mass[since, debtor])
            if mass > 0:
                pushed += 1
                yield Walk(-mass, pushed, walk.start, debtor, (*walk.edges, edge), product, since)
