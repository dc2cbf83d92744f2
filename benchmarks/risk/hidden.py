"""Error bars from hidden networks: 95 % of the cells are hidden, and the true loss should lie within the range.

200 networks of six families, of which none is drawn by the law that the ensemble believes in.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from benchmarks.figure import Figure
from benchmarks.hidden_networks import FAMILIES, Hidden, hidden
from queries.measures.debtrank import DebtRank
from queries.reconstruct.ensemble import networks
from queries.reconstruct.entropy import maximum_entropy
from queries.reconstruct.ranged import over

COUNT, DRAWS = 200, 39
DISCLOSED = (0.0, 0.05, 0.25, 0.5)
PAIRS = 10
"""Networks of each family whose range is taken with more and more disclosed cells."""


def measure() -> list[Figure]:
    cases = [(FAMILIES[k % len(FAMILIES)], k // len(FAMILIES)) for k in range(COUNT)]
    inside: dict[str, list[bool]] = {family: [] for family in FAMILIES}
    evenest, missed = [], 0.0
    for family, seed in cases:
        case = hidden(family, seed)
        low, true, high, worst = judged(case, seed)
        inside[family].append(low <= true * (1 + 1e-9) and true <= high * (1 + 1e-9))
        missed = max(missed, worst)
        (point,) = over(DebtRank(), case.books, [maximum_entropy(case.books.margins)], {case.hit: 1.0}).total.mean
        evenest.append(abs(float(point) / true - 1))
    told = ", ".join(f"{family} {sum(found)} of {len(found)}" for family, found in inside.items())
    share = sum(map(sum, inside.values())) / COUNT
    return [
        Figure(f"{COUNT} networks: true losses within the 90 % range", share, 0.9, note=told),
        Figure("greatest difference of a sum, or of a disclosed cell, as a share of the whole", missed, 1e-9, False),
        Figure("the evenest network's loss is off by, median", float(np.median(evenest))),
        *widths(),
    ]


def judged(case: Hidden, seed: int) -> tuple[float, float, float, float]:
    """Ends of the range with the true loss between them, and the greatest miss of a sum or of a disclosed cell."""
    margins, shock = case.books.margins, {case.hit: 1.0}
    drawn = list(networks(margins, DRAWS, seed=seed))
    cells = ~np.isnan(margins.known)
    apart = max(float(np.abs(made[cells] - margins.known[cells]).max(initial=0.0)) for made in drawn)
    total = over(DebtRank(), case.books, drawn, shock).total
    (true,) = over(DebtRank(), case.books, [case.truth], shock).total.mean
    worst = max(apart, *(margins.missed(made) for made in drawn))
    return float(total.low[0]), float(true), float(total.high[0]), worst


def widths() -> list[Figure]:
    """Width of the range over the true loss, the more cells are disclosed."""
    found = []
    for share in DISCLOSED:
        wide = []
        for family in FAMILIES:
            for seed in range(PAIRS):
                low, true, high, _ = judged(hidden(family, seed, share), seed)
                wide.append((high - low) / true)
        found.append(float(np.mean(wide)))
    told = ", ".join(f"{share:.0%}: {width:.2f}" for share, width in zip(DISCLOSED, found, strict=True))
    narrower = max(after / before for before, after in pairwise(found))
    return [Figure("width of the range, the next more disclosed over the one before", narrower, 1.0, False, note=told)]
