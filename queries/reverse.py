"""Reverse stress: the smallest shock that brings about what must not happen.

Two questions of the same kind: how much of a given scenario is enough, and whose outright failure is enough. Losses of
every measure grow with the shock, so the first is a bisection between a scale that is not enough and one that is; the
second asks every entity alone, then every pair, and only beyond that goes on greedily, and says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from queries.exposures import Exposures
from queries.measure import Losses, RiskMeasure
from queries.parameter import suggestion
from queries.scenario import Shocks

Floats = NDArray[np.float64]
CLOSE = 1e-9
"""Relative width at which a bisection ends."""
LARGEST = 1e6
"""Scale of a scenario beyond which nothing is looked for."""
PAIRS = 20_000
"""Pairs of entities that are all tried; with more, only pairs of those who do most damage alone."""
BLOCK = 64
"""Scenarios in one call of a measure."""
_FORM = re.compile(r"(?:(?P<fails>fails):(?P<id>.+)|(?P<what>loss|defaults)(?::(?P<of>.+))?>=(?P<least>[0-9.eE+]+))$")


@dataclass(frozen=True)
class Target:
    """What must not happen."""

    what: Literal["fails", "loss", "defaults"]
    least: float = 1.0
    """Money lost, or how many fail besides those who are shocked."""
    entity: str = ""

    @classmethod
    def read(cls, text: str, exposures: Exposures) -> Target:
        """From `fails:ID`, `loss>=1e9`, `loss:ID>=1e6` or `defaults>=3`. MeasureError for anything else."""
        match = _FORM.match(text)
        if match is None:
            raise MeasureError(f"target {text!r}: write fails:ID, loss>=1e9, loss:ID>=1e6 or defaults>=3")
        entity = match["id"] or match["of"] or ""
        if entity and entity not in exposures.index:
            raise MeasureError(f"target {text!r}: {entity} has no exposures here{suggestion(entity, [*exposures.ids])}")
        if match["fails"]:
            return cls("fails", 1.0, entity)
        try:
            least = float(match["least"])
        except ValueError as error:
            raise MeasureError(f"target {text!r}: {match['least']!r} is no number") from error
        if match["what"] == "defaults" and entity:
            raise MeasureError(f"target {text!r}: defaults counts everyone; write fails:{entity}")
        return cls("loss" if match["what"] == "loss" else "defaults", least, entity)

    def met(self, losses: Losses, shocked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(scenarios,) does it happen? `shocked` (scenarios, n): their own failure counts as no default of others."""
        if self.what == "loss":
            of = losses.loss if not self.entity else losses.loss[:, [losses.exposures.index[self.entity]]]
            return np.asarray(of.sum(axis=1) >= self.least)
        failed = np.zeros(losses.loss.shape, bool)
        for scenario in range(len(failed)):
            failed[scenario, [losses.exposures.index[id] for id in losses.defaults(scenario)]] = True
        if self.what == "fails":
            return np.asarray(failed[:, losses.exposures.index[self.entity]])
        return np.asarray((failed & ~shocked).sum(axis=1) >= self.least)


@dataclass(frozen=True)
class Scale:
    """How much of a scenario is enough."""

    enough: float
    """The smallest scale at which the target is met, to CLOSE."""
    not_enough: float
    """A scale just below, at which it is not."""
    losses: Losses
    """At `enough`."""


@dataclass(frozen=True)
class Culprits:
    """A smallest set of entities whose outright failure is enough."""

    ids: tuple[str, ...]
    own: float
    """What they lose themselves, in the currency of the exposures."""
    proven: bool
    """Was every smaller set tried, and every one of this size? A greedy set is enough, but may not be smallest."""


def smallest_scale(measure: RiskMeasure, exposures: Exposures, shocks: Shocks, target: Target) -> Scale:
    """The smallest multiple of a scenario that meets the target. MeasureError where none up to LARGEST does."""
    nobody = np.zeros((1, len(exposures)), bool)

    def ask(scale: float) -> tuple[bool, Losses]:
        losses = measure.spread(exposures, scaled(exposures, shocks, scale))
        return bool(target.met(losses, nobody)[0]), losses

    met, losses = ask(0.0)
    if met:
        return Scale(0.0, 0.0, losses)
    low, high = 0.0, 1.0
    while not (found := ask(high))[0]:
        low, high = high, high * 2
        if high > LARGEST:
            raise MeasureError(
                f"{shocks.names[0]} does not bring it about however large: the shocked have nothing more to lose, "
                "or nobody else is in their reach; shock more or other entities"
            )
    losses = found[1]
    while high - low > CLOSE * high:
        middle = (low + high) / 2
        met, at = ask(middle)
        low, high, losses = (low, middle, at) if met else (middle, high, losses)
    return Scale(high, low, losses)


def scaled(exposures: Exposures, shocks: Shocks, scale: float) -> Shocks:
    """The first scenario times a number; nobody loses more outside than it has."""
    outside = np.minimum(shocks.outside[:1] * scale, np.maximum(exposures.external_assets, shocks.outside[:1]))
    name = f"{scale:g} x {shocks.names[0]}"
    return Shocks((name,), shocks.lost[:1] * scale, outside, np.minimum(shocks.distress[:1] * scale, 1.0))


def culprits(measure: RiskMeasure, exposures: Exposures, target: Target, most: int = 5) -> Culprits:
    """A smallest set of others whose outright failure meets the target; of several the one that loses least itself."""
    allowed = [row for row, id in enumerate(exposures.ids) if id != target.entity or target.what == "loss"]
    singles: list[tuple[int, ...]] = [(row,) for row in allowed]
    met, damage = _tried(measure, exposures, target, singles)
    if met.any():
        return _cheapest(exposures, [s for s, hit in zip(singles, met, strict=True) if hit], True)
    worst = [singles[place][0] for place in np.argsort(-damage, kind="stable")]
    every = len(allowed) * (len(allowed) - 1) // 2 <= PAIRS
    among = sorted(allowed) if every else sorted(worst[: int(np.sqrt(2 * PAIRS))])
    pairs: list[tuple[int, ...]] = list(combinations(among, 2))
    met, damage = _tried(measure, exposures, target, pairs)
    if met.any():
        return _cheapest(exposures, [p for p, hit in zip(pairs, met, strict=True) if hit], every)
    chosen = pairs[int(np.argmax(damage))] if pairs else tuple(worst[:1])
    while len(chosen) < min(most, len(allowed)):
        wider = [(*chosen, row) for row in allowed if row not in chosen]
        met, damage = _tried(measure, exposures, target, wider)
        if met.any():
            found = _cheapest(exposures, [w for w, hit in zip(wider, met, strict=True) if hit], False)
            return replace(found, proven=every and len(found.ids) <= 2)
        chosen = wider[int(np.argmax(damage))]
    if len(chosen) == len(allowed):
        raise MeasureError(f"even the failure of all {len(allowed)} others does not bring it about; ask for less")
    raise MeasureError(
        f"no set of at most {most} failures was found that brings it about, and larger ones are not looked for; "
        "ask for less, or by how much of a scenario (--scenario)"
    )


def _tried(
    measure: RiskMeasure, exposures: Exposures, target: Target, sets: list[tuple[int, ...]]
) -> tuple[NDArray[np.bool_], Floats]:
    """Of each set: is the target met, and how far towards it did it come?"""
    met, damage = np.zeros(len(sets), bool), np.zeros(len(sets))
    for start in range(0, len(sets), BLOCK):
        part = sets[start : start + BLOCK]
        share = np.zeros((len(part), len(exposures)))
        for row, members in enumerate(part):
            share[row, list(members)] = 1.0
        losses = measure.spread(exposures, Shocks.of(exposures, share, "default"))
        met[start : start + BLOCK] = target.met(losses, share > 0)
        of = losses.loss[:, [exposures.index[target.entity]]] if target.entity else losses.loss
        damage[start : start + BLOCK] = of.sum(axis=1)
    return met, damage


def _cheapest(exposures: Exposures, sets: list[tuple[int, ...]], proven: bool) -> Culprits:
    own = np.nan_to_num(exposures.external_assets)
    best = min(sets, key=lambda rows: (float(own[list(rows)].sum()), rows))
    return Culprits(tuple(exposures.ids[row] for row in best), float(own[list(best)].sum()), proven)
