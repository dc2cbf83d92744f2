"""Uncertainty: the range of a loss when each exposure is only as sure as its evidence, and who could change it most.

A world is a set of true statements, each drawn by its own probability (`queries.belief`). In it a false exposure
stands to someone outside who always pays (`Exposures.without`), so balance sheets and the money lost in the shock
are those of the answer itself and only the exposures differ. A measure is asked in every world: in all of them, each
with its probability, where they are no more than the draws; else in worlds drawn at random (Metropolis, Ulam, "The
Monte Carlo Method", JASA 44, 1949).

What one statement adds to the spread of a number is p (1 - p) E[(Y with it - Y without it)^2], the total effect of
Homma, Saltelli, "Importance measures in global sensitivity analysis", 1996: it is 0 exactly where the number does
not depend on the statement, and grows as its p falls from 1 to 1/2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from kg.errors import MeasureError
from queries.belief import TAIL, Belief, Interval
from queries.exposures import Exposures
from queries.measure import RiskMeasure
from queries.scenario import Shocks

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]

DRAWS = 1_000
BLOCK = 1_500
"""Entities, over all worlds, in one call of a measure."""
SAME = 1e-9
"""Relative difference up to which a world beside others counts as the same world alone."""


@dataclass(frozen=True)
class Uncertain:
    """What everyone loses in each world, and how likely that world is."""

    ids: tuple[str, ...]
    unit: str
    loss: Floats
    """(worlds, n)."""
    weights: Floats
    """(worlds,), 1 in all."""
    exact: bool
    """All worlds there are, or a sample of them?"""

    @cached_property
    def each(self) -> Interval:
        """(n,) loss of everyone."""
        return interval(self.loss, self.weights)

    @cached_property
    def total(self) -> Interval:
        """(1,) sum over everyone."""
        return interval(self.loss.sum(axis=1, keepdims=True), self.weights)


@dataclass(frozen=True, slots=True)
class Telling:
    """A document, and the answer if it had never been read."""

    document: str
    without: float
    """The answer without it."""
    change: float
    """`without` less the answer with it."""
    statements: tuple[str, ...]
    """What no other document says."""


def simulate(
    measure: RiskMeasure, exposures: Exposures, shocks: Shocks, belief: Belief, draws: int = DRAWS, seed: int = 0
) -> Uncertain:
    """Losses of the first scenario over the worlds; the same seed gives the same worlds."""
    if draws < 1:
        raise MeasureError(f"draws is a number of worlds of at least 1, not {draws}")
    unsure = int(((belief.likely > 0) & (belief.likely < 1)).sum())
    exact = unsure < 63 and 2**unsure <= draws
    truth, weights = every_world(belief) if exact else drawn_worlds(belief, draws, seed)
    unit = measure.spread(exposures, first(shocks)).unit
    loss = losses_in(measure, exposures, shocks, belief.exposed(truth))
    return Uncertain(exposures.ids, unit, loss, weights, exact)


def every_world(belief: Belief) -> tuple[Truth, Floats]:
    """All sets of true statements that can be, and the probability of each."""
    p = belief.likely
    unsure = np.flatnonzero((p > 0) & (p < 1))
    bits = (np.arange(2 ** len(unsure))[:, None] >> np.arange(len(unsure))) & 1
    truth = np.tile(p >= 1, (len(bits), 1))
    truth[:, unsure] = bits == 1
    return truth, np.where(bits == 1, p[unsure], 1 - p[unsure]).prod(axis=1)


def drawn_worlds(belief: Belief, draws: int, seed: int) -> tuple[Truth, Floats]:
    """Different sets of true statements among `draws`, and the share of the draws that gave each.

    Each statement has random numbers of its own, so another confidence of one leaves the others as they were.
    """
    truth = np.random.default_rng(seed).random((draws, len(belief.statements))) < belief.likely
    _, where, count = np.unique(np.packbits(truth, axis=1), axis=0, return_index=True, return_counts=True)
    return truth[where], count / draws


def interval(values: Floats, weights: Floats) -> Interval:
    """Mean, deviation and quantiles by column; a quantile is a value that is taken."""
    mean = weights @ values
    sd = np.sqrt(np.maximum(weights @ (values - mean) ** 2, 0.0))
    order = np.argsort(values, axis=0, kind="stable")
    reached, ranked = np.cumsum(weights[order], axis=0), np.take_along_axis(values, order, axis=0)
    low, high = (np.take_along_axis(ranked, _first_at(reached, q), axis=0)[0] for q in (TAIL, 1 - TAIL))
    return Interval(mean, sd, low, high)


def _first_at(reached: Floats, q: float) -> NDArray[np.intp]:
    return np.asarray(np.argmax(reached >= q - 1e-9, axis=0))[None, :]


# ---- a measure in many worlds


def losses_in(measure: RiskMeasure, exposures: Exposures, shocks: Shocks, stands: Truth) -> Floats:
    """(worlds, n) losses of the first scenario where only some exposures stand, (worlds, exposures).

    Several worlds are asked at once as networks that do not touch. The first of them is also asked alone: if the
    measure gives it another answer there (it looks at the whole, as a random walk that restarts anywhere does), or
    cannot answer for several at once, each world is asked alone.
    """
    size = max(BLOCK // max(len(exposures), 1), 1)
    alone = [_spread(measure, exposures, shocks, stands[row : row + 1]) for row in range(min(len(stands), 1))]
    found = list(alone)
    for part in _parts(stands[1:], size):
        together = _together(measure, exposures, shocks, np.vstack([stands[:1], part])) if size > 1 else None
        if together is None or not np.allclose(together[:1], alone[0], rtol=SAME, atol=SAME * np.abs(alone[0]).max()):
            size = 1
            found += [_spread(measure, exposures, shocks, part[row : row + 1]) for row in range(len(part))]
        else:
            found.append(together[1:])
    return np.vstack(found) if found else np.zeros((0, len(exposures)))


def _parts(rows: Truth, size: int) -> Iterator[Truth]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _together(measure: RiskMeasure, exposures: Exposures, shocks: Shocks, stands: Truth) -> Floats | None:
    """Losses of several worlds in one call; None where the measure cannot tell."""
    try:
        return _spread(measure, exposures, shocks, stands)
    except MeasureError:
        return None


def _spread(measure: RiskMeasure, exposures: Exposures, shocks: Shocks, stands: Truth) -> Floats:
    """(worlds, n) losses in worlds side by side."""
    worlds, one = len(stands), first(shocks)
    tiled = (np.tile(part, (1, worlds)) for part in (one.lost, one.outside, one.distress))
    wide, n = side_by_side(exposures, stands), len(exposures)
    names = [wide.ids[world * n : (world + 1) * n] for world in range(worlds)]
    losses = measure.in_worlds(exposures, names).spread(wide, Shocks(one.names, *tiled))
    return np.asarray(losses.loss[0].reshape(worlds, len(exposures)), float)


def side_by_side(exposures: Exposures, stands: Truth) -> Exposures:
    """One network of many worlds that do not touch; what does not stand is owed by and to the outside."""
    n, edges = len(exposures), exposures.edges
    world, row = np.nonzero(stands)
    source, target, amount = (edges[name].to_numpy() for name in ("source", "target", "amount"))
    kept = edges.take(pa.array(row))
    for name, ends in (("source", source), ("target", target)):
        kept = kept.set_column(kept.schema.get_field_index(name), name, pa.array(ends[row] + world * n))
    gone, shape = np.where(stands, 0.0, amount), (len(amount), n)
    held, owed = (sparse.csr_array((np.ones(len(end)), (np.arange(len(end)), end)), shape) for end in (source, target))
    return replace(
        exposures,
        ids=tuple(f"{k}/{id}" for k in range(len(stands)) for id in exposures.ids),
        edges=kept,
        equity=np.tile(exposures.equity, len(stands)),
        external_assets=(exposures.external_assets + gone @ held).reshape(-1),
        external_liabilities=(exposures.external_liabilities + gone @ owed).reshape(-1),
    )


def first(shocks: Shocks) -> Shocks:
    """The first scenario alone."""
    return Shocks(shocks.names[:1], shocks.lost[:1], shocks.outside[:1], shocks.distress[:1])


# ---- what a statement, and what a document means for an answer


def added_variance(
    measure: RiskMeasure, exposures: Exposures, shocks: Shocks, belief: Belief, statement: str
) -> Floats:
    """(n,) what doubt about one statement adds to the variance of everyone's loss: its total effect.

    Over all worlds where they are no more than DRAWS, else over DRAWS of them.
    """
    if statement not in belief.statements:
        raise MeasureError(f"no exposure stands on {statement}; take one of `belief.statements`")
    row, unsure = belief.statements.index(statement), int(((belief.likely > 0) & (belief.likely < 1)).sum())
    small = unsure < 63 and 2**unsure <= DRAWS
    truth, weights = every_world(belief) if small else drawn_worlds(belief, DRAWS, 0)
    with_it, without = truth.copy(), truth.copy()
    with_it[:, row], without[:, row] = True, False
    both = losses_in(measure, exposures, shocks, belief.exposed(np.vstack([with_it, without])))
    p = belief.likely[row]
    return np.asarray(p * (1 - p) * (weights @ (both[: len(truth)] - both[len(truth) :]) ** 2), float)


def most_telling(
    measure: RiskMeasure, exposures: Exposures, shocks: Shocks, belief: Belief, entity: str = ""
) -> list[Telling]:
    """Documents by how far the answer moves without them, most first, ties by digest; those that move nothing are out.

    The answer is the loss of an entity, or of everyone. Without a document the statements that it alone makes fall
    away; those that another document makes too stay. Each document is tried on the measure itself: no sampling.
    """
    if entity and entity not in exposures.index:
        raise MeasureError(f"{entity} is not in this run; take an id of `exposures.ids`")
    sole = _sole(exposures, shocks, belief)
    truth = np.ones((len(sole) + 1, len(belief.statements)), bool)
    for row, statements in enumerate(sole.values(), 1):
        truth[row, statements] = False
    losses = losses_in(measure, exposures, shocks, belief.exposed(truth))
    answers = losses[:, exposures.index[entity]] if entity else losses.sum(axis=1)
    rounding = SAME * max(float(np.abs(answers[0])), 1e-300)
    found = [
        Telling(document, float(answer), float(answer - answers[0]), tuple(belief.statements[s] for s in rows))
        for (document, rows), answer in zip(sole.items(), answers[1:], strict=True)
        if abs(answer - answers[0]) > rounding
    ]
    return sorted(found, key=lambda one: (-round(abs(one.change) / rounding), one.document))


def _sole(exposures: Exposures, shocks: Shocks, belief: Belief) -> dict[str, list[int]]:
    """Statements that one document alone makes, by document, in the parts of the network that the shock touches."""
    _, part = connected_components(exposures.claims, directed=False)
    hit = np.unique(part[(shocks.lost[0] > 0) | (shocks.outside[0] > 0) | (shocks.distress[0] > 0)])
    stated = belief.rows >= 0
    touched = np.isin(part[exposures.edges["source"].to_numpy()], hit) & stated
    found: dict[str, list[int]] = {}
    for row in np.unique(belief.rows[touched]).tolist():
        if len(belief.witnesses[row]) == 1:
            found.setdefault(next(iter(belief.witnesses[row])), []).append(row)
    return dict(sorted(found.items()))
